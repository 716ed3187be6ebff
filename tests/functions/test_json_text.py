"""JSON text as a real Flink 2.3.0 wrote it: scale of numbers, order of keys, timestamps."""

from __future__ import annotations

import pytest

from tests.functions.functions_kit import answer, calculator, computed

# A number, and what JSON_VALUE and JSON_QUERY make of it.
NUMBERS = {
    "1.50": "1.50", "1.0": "1.0", "1e5": "1E+5", "1E400": "1E+400", "0.1000": "0.1000",
    "100000000000000000000": "100000000000000000000", "-0.0": "0.0", "-0": "0", "1e-7": "1E-7",
    "1.23456789012345678901234567890": "1.23456789012345678901234567890",
    "123456789.5": "123456789.5", "1e16": "1E+16", "0.00001": "0.00001", "1E+2": "1E+2",
}  # fmt: skip
CALLS = {
    "JSON_VALUE('{\"a\":null}', '$.a')": None,
    "JSON_VALUE('{\"a\":true}', '$.a')": "true",
    "JSON_VALUE('{\"a\":\"x\\u00e9\"}', '$.a')": "xé",
    "JSON_VALUE('{\"a\":[1.50,[2.0]]}', '$.a[1][0]')": "2.0",
    "JSON_QUERY('{\"a\":[\"x\\u00e9\"]}', '$.a')": '["xé"]',
    'JSON_QUERY(\'{"a":{"b":"x\\u0001\\u2028\\/", "B":1, "é":2}}\', \'$.a\')':
        '{"B":1,"b":"x\\u0001\u2028/","é":2}',
    "JSON_STRING(TIMESTAMP '2024-01-02 03:04:05')": '"2024-01-02T03:04:05"',
    "JSON_STRING(TIMESTAMP '2024-01-02 03:04:05.120')": '"2024-01-02T03:04:05.12"',
    "JSON_STRING(CAST(TIMESTAMP '2024-01-02 03:04:00' AS TIMESTAMP(3)))": '"2024-01-02T03:04:00"',
    "JSON_STRING(CAST(TIMESTAMP '2024-01-02 03:04:05.1' AS TIMESTAMP_LTZ(3)))":
        '"2024-01-02T03:04:05.1Z"',
    "JSON_STRING(CAST(1.50 AS DECIMAL(10,2)))": "1.50",
    "JSON_STRING(CAST(0.0000001 AS DECIMAL(20,10)))": "1.000E-7",
    "JSON_STRING(CAST('1e20' AS DOUBLE))": "1.0E+20",
    "JSON_STRING(CAST('1' AS DOUBLE))": "1.0",
    "JSON_STRING(CAST('1e-7' AS DOUBLE))": "1.0E-7",
    "JSON_STRING(CAST('5e-4' AS DOUBLE))": "0.00050",
    "JSON_STRING(CAST(12345678.5 AS DOUBLE))": "12345678.5",
    "JSON_STRING(CAST('0.1' AS FLOAT))": "0.10000000149011612",
    "JSON_STRING(CAST('NaN' AS DOUBLE))": '"NaN"',
    "JSON_STRING(X'616263')": '"YWJj"',
    "JSON_STRING(TRUE)": "true",
    "JSON_STRING(CAST(NULL AS INT))": None,
    "JSON_STRING('a\"é/\\')": '"a\\"é/\\\\"',
    "JSON_STRING(MAP['b',1,'a',2])": '{"a":2,"b":1}',
    "JSON_STRING(CAST(ROW(1,'x') AS ROW<z INT, a STRING>))": '{"a":"x","z":1}',
    "JSON_STRING(ARRAY[1.5,2.0])": "[1.5,2.0]",
    "JSON_STRING(ARRAY[CAST(NULL AS INT),1])": "[null,1]",
    "JSON_STRING(MAP['b',CAST(ROW(1,TIMESTAMP '2024-01-02 03:04:05.120') "
    "AS ROW<z INT, a TIMESTAMP(3)>)])": '{"b":{"a":"2024-01-02T03:04:05.12","z":1}}',
}  # fmt: skip


@pytest.mark.parametrize("number", NUMBERS)
def test_numbers_keep_their_digits(number: str) -> None:
    spelt = NUMBERS[number]
    assert computed(f"JSON_VALUE('{{\"a\":{number}}}', '$.a')") == spelt
    assert computed(f"JSON_QUERY('{{\"a\":[{number}]}}', '$.a')") == f"[{spelt}]"
    nested = f'{{"a":{{ "z" : {number}, "b": 1 , "a":2}}}}'
    assert computed(f"JSON_QUERY('{nested}', '$.a')") == f'{{"a":2,"b":1,"z":{spelt}}}'


@pytest.mark.parametrize("call", CALLS)
def test_calls(call: str) -> None:
    assert computed(call) == CALLS[call]


@pytest.mark.parametrize("value", ["dt", "tm", "INTERVAL '1' DAY", "ARRAY[dt]"])
def test_types_without_json_are_refused(value: str) -> None:
    error = answer(f"JSON_STRING({value})").error
    assert error is not None
    assert "JSON_STRING cannot be applied" in error


def test_a_text_that_is_nested_too_deeply_has_no_value() -> None:
    text = "[" * 5000 + "]" * 5000
    assert computed(f"JSON_QUERY('{text}', '$')") is None


@pytest.mark.parametrize(
    ("kind", "type_", "values"),
    [
        ("DECIMAL(10, 2)", "DECIMAL(38, 6)",
         ["1.501296", "1.838704", "2.253889", "3.380833"]),
        ("DECIMAL(5, 0)", "DECIMAL(38, 6)",
         ["1.699673", "2.081666", "2.888889", "4.333333"]),
        ("DECIMAL(38, 10)", "DECIMAL(38, 10)",
         ["1.5012957367", "1.8387042539", "2.2538888889", "3.3808333333"]),
        ("DECIMAL(20, 18)", "DECIMAL(38, 18)",
         ["1.501295736651806000", "1.838704253906357200", "2.253888888888889000",
          "3.380833333333333400"]),
    ],
)  # fmt: skip
def test_spreads_of_decimals(kind: str, type_: str, values: list[str]) -> None:
    from eddyline.functions.aggregates import aggregate
    from eddyline.sql.parse import parse_type

    db = calculator().db
    t = parse_type(kind)
    names = ("STDDEV_POP", "STDDEV_SAMP", "VAR_POP", "VAR_SAMP")
    for name, value in zip(names, values, strict=True):
        compiled = aggregate(name, (t,))
        assert str(compiled.type) == type_
        parts = {a.name: a.batch.replace("{0}", "d").replace("{filter}", "")
                 for a in compiled.accumulators}  # fmt: skip
        states = ", ".join(f"{text} AS {n}" for n, text in parts.items())
        finish = compiled.finish
        for n in parts:
            finish = finish.replace("{" + n + "}", n)
        rows = "(VALUES ('1.10'), ('2.25'), ('4.70')) AS v(x)"
        source = f"SELECT CAST(x AS DECIMAL({t.precision},{t.scale})) AS d FROM {rows}"
        row = db.execute(f"SELECT {finish} FROM (SELECT {states} FROM ({source}))").fetchone()
        assert row is not None
        assert str(row[0]) == value
