"""The json format, whose options the CDC formats share."""

from __future__ import annotations

from enum import StrEnum

from eddyline.options.connector import Format
from eddyline.options.option import BOOLEAN, STRING, Option, choice


class TimestampStandard(StrEnum):
    """How times are written in JSON."""

    SQL = "SQL"
    ISO_8601 = "ISO-8601"


class MapNullKey(StrEnum):
    """What becomes of a NULL key of a MAP."""

    FAIL = "FAIL"
    DROP = "DROP"
    LITERAL = "LITERAL"


IGNORE_PARSE_ERRORS = Option(
    "ignore-parse-errors",
    BOOLEAN,
    "false",
    "A field that does not fit is NULL, and a record that cannot be read is skipped.",
)
FAIL_ON_MISSING_FIELD = Option(
    "fail-on-missing-field", BOOLEAN, "false", "A field that a record does not have is an error."
)
TIMESTAMP_STANDARD = Option(
    "timestamp-format.standard",
    choice(TimestampStandard),
    "SQL",
    "Times as '2023-08-29 12:54:35' or as '2023-08-29T12:54:35'.",
)
_NO_NULL_KEY = "a MAP cannot have a NULL key here"
MAP_NULL_KEY_MODE = Option(
    "map-null-key.mode",
    choice(MapNullKey),
    "FAIL",
    "What becomes of a NULL key of a MAP.",
    no_effect=_NO_NULL_KEY,
)
MAP_NULL_KEY_LITERAL = Option(
    "map-null-key.literal",
    STRING,
    "null",
    "The key that replaces NULL, with LITERAL.",
    no_effect=_NO_NULL_KEY,
)
DECIMAL_AS_PLAIN_NUMBER = Option(
    "encode.decimal-as-plain-number", BOOLEAN, "false", "0.0000001 instead of 1E-7."
)
IGNORE_NULL_FIELDS = Option(
    "encode.ignore-null-fields", BOOLEAN, "false", "Fields that are NULL are left out."
)
JSON_PARSER = Option(
    "decode.json-parser.enabled",
    BOOLEAN,
    "true",
    "Which of Flink's parsers is used.",
    no_effect="there is one parser here",
)
ENCODING = (
    TIMESTAMP_STANDARD,
    MAP_NULL_KEY_MODE,
    MAP_NULL_KEY_LITERAL,
    DECIMAL_AS_PLAIN_NUMBER,
    IGNORE_NULL_FIELDS,
)

JSON = Format(
    "json",
    "One JSON object per record.",
    (IGNORE_PARSE_ERRORS, FAIL_ON_MISSING_FIELD, *ENCODING, JSON_PARSER),
)
