"""Every built-in function of Flink 2.3 is here, or its absence has a reason."""

from __future__ import annotations

from pathlib import Path

from eddyline.functions import AGGREGATES, FUNCTIONS, UNSUPPORTED
from eddyline.functions.aggregates import ALIASES

NAMES = (Path(__file__).parent / "flink_2_3_functions.txt").read_text().split()
# Flink lists some built-ins under its Table API's names. How SQL spells those:
SPELT = {
    "charLength": "CHAR_LENGTH", "convertTz": "CONVERT_TZ", "currentDatabase": "CURRENT_DATABASE",
    "currentDate": "CURRENT_DATE", "currentRowTimestamp": "CURRENT_ROW_TIMESTAMP",
    "currentTime": "CURRENT_TIME", "currentTimestamp": "CURRENT_TIMESTAMP",
    "dateFormat": "DATE_FORMAT", "divide": "/", "equals": "=", "fromBase64": "FROM_BASE64",
    "fromUnixtime": "FROM_UNIXTIME", "get": "ITEM", "greaterThan": ">",
    "greaterThanOrEqual": ">=", "ifThenElse": "IF", "isFalse": "IS FALSE",
    "isNotFalse": "IS NOT FALSE", "isNotNull": "IS NOT NULL", "isNotTrue": "IS NOT TRUE",
    "isNull": "IS NULL", "isTrue": "IS TRUE", "lessThan": "<", "lessThanOrEqual": "<=",
    "localTime": "LOCALTIME", "localTimestamp": "LOCALTIMESTAMP", "lowerCase": "LOWER",
    "minus": "-", "minusPrefix": "MINUS_PREFIX", "notEquals": "<>", "parseUrl": "PARSE_URL",
    "plus": "+", "randInteger": "RAND_INTEGER", "regexpExtract": "REGEXP_EXTRACT",
    "regexpReplace": "REGEXP_REPLACE", "similar": "SIMILAR TO", "splitIndex": "SPLIT_INDEX",
    "stddevPop": "STDDEV_POP", "stddevSamp": "STDDEV_SAMP", "strToMap": "STR_TO_MAP",
    "sum0": "SUM", "times": "*", "toBase64": "TO_BASE64",
    "toDate": "TO_DATE", "toTimestamp": "TO_TIMESTAMP", "unixTimestamp": "UNIX_TIMESTAMP",
    "upperCase": "UPPER", "varPop": "VAR_POP", "varSamp": "VAR_SAMP", "IS_JSON": "IS JSON",
}  # fmt: skip
# What the grammar reads itself, without a row of the table.
GRAMMAR = {
    "temporalOverlaps",
    "currentDatabase",
    "CAST",
    "TRY_CAST",
    "notBetween",
    "distinct",
    "over",
    "lag",
    "lead",
    "CURRENT_WATERMARK",
    "FROM_CHANGELOG",
    "TO_CHANGELOG",
}
# What no SQL text can call: parts of Flink's planner and of its Table API.
INTERNAL = {
    "AGG_DECIMAL_MINUS", "AGG_DECIMAL_PLUS", "ASSIGNMENT", "DEFAULT", "HIVE_AGG_DECIMAL_PLUS",
    "as", "asc", "at", "cast", "desc", "end", "flatten", "rangeTo", "reinterpretCast", "rowtime",
    "start", "streamRecordTimestamp", "withColumns", "withoutColumns",
}  # fmt: skip


def test_no_function_of_flink_is_forgotten() -> None:
    assert len(NAMES) == 251
    known = {*FUNCTIONS, *AGGREGATES, *ALIASES, *UNSUPPORTED}
    missing = [
        n for n in NAMES if n not in GRAMMAR | INTERNAL and SPELT.get(n, n.upper()) not in known
    ]
    assert not missing


def test_the_exceptions_are_flinks_too() -> None:
    assert set(NAMES) >= INTERNAL | set(SPELT) - {"CAST"}


def test_what_is_here_is_not_listed_as_missing() -> None:
    assert not set(UNSUPPORTED) & {*FUNCTIONS, *AGGREGATES, *ALIASES}
    assert all(reason and not reason.endswith(".") for reason in UNSUPPORTED.values())
