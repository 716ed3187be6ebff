"""JSON under a schema: Flink's coercions, times by shape, bad records named one by one."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eddyline.record import types as t
from eddyline.record.formats import decoder, encoder
from eddyline.record.formats.format import Decoded
from eddyline.record.schema import Schema

ISO = {"timestamp-format.standard": "ISO-8601"}


def decode(schema: Schema, *records: str | bytes, **options: str) -> Decoded:
    payload = [r if isinstance(r, bytes) else r.encode() for r in records]
    return decoder("json", schema, options).decode(pa.array(payload, pa.binary()))


def value(kind: t.DataType, text: str, **options: str) -> Any:
    got = decode(Schema.of(x=kind), '{"x":' + text + "}", **options)
    assert not got.errors, got.errors
    return got.table["x"][0].as_py()


@pytest.mark.parametrize(
    ("kind", "text", "want"),
    [
        (t.INT, "12", 12),
        (t.INT, '"12"', 12),
        (t.INT, "3.0", 3),
        (t.INT, "3.7", 3),
        (t.INT, "-3.7", -3),
        (t.INT, "-2147483648", -(2**31)),
        (t.INT, "null", None),
        (t.TINYINT, "127", 127),
        (t.BIGINT, "9223372036854775807", 2**63 - 1),
        (t.BIGINT, '"9007199254740993"', 9007199254740993),
        (t.BIGINT, "3.7", 3),
        (t.DOUBLE, "1", 1.0),
        (t.DOUBLE, '"1.5"', 1.5),
        (t.DOUBLE, "1e300", 1e300),
        (t.BOOLEAN, '"true"', True),
        (t.BOOLEAN, "false", False),
        (t.STRING, "5", "5"),
        (t.STRING, "true", "true"),
        (t.STRING, '{"nested": [1, 2]}', '{"nested":[1,2]}'),
        (t.STRING, r'"caf\u00e9 \" \n"', 'café " \n'),
        (t.decimal(10, 2), "1.256", Decimal("1.26")),
        (t.decimal(10, 2), "-0.005", Decimal("-0.01")),
        (t.decimal(4, 2), "12345", None),
        (t.BYTES_TYPE, '"aGk="', b"hi"),
        (t.array(t.INT), '[1, "2", null]', [1, 2, None]),
        (t.map_of(t.STRING, t.INT), '{"k": 1}', [("k", 1)]),
        (t.row(("x", "y"), (t.INT, t.STRING)), '{"y": "z"}', {"x": None, "y": "z"}),
    ],
)
def test_coercions(kind: t.DataType, text: str, want: Any) -> None:
    assert value(kind, text) == want


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("2023-08-29T12:54:35", dt.datetime(2023, 8, 29, 12, 54, 35)),  # noqa: DTZ001
        ("2023-08-29T12:54:35.1", dt.datetime(2023, 8, 29, 12, 54, 35, 100_000)),  # noqa: DTZ001
        ("2023-08-29T12:54:35.123", dt.datetime(2023, 8, 29, 12, 54, 35, 123_000)),  # noqa: DTZ001
        ("2023-08-29T12:54:35.123999999", dt.datetime(2023, 8, 29, 12, 54, 35, 123_000)),  # noqa: DTZ001
        ("1969-12-31T23:59:59.999", dt.datetime(1969, 12, 31, 23, 59, 59, 999_000)),  # noqa: DTZ001
        ("1969-12-31T23:59:59.9999", dt.datetime(1969, 12, 31, 23, 59, 59, 999_000)),  # noqa: DTZ001
    ],
)
def test_iso_times_are_cut_to_the_precision(text: str, want: dt.datetime) -> None:
    assert value(t.timestamp(3), f'"{text}"', **ISO) == want


@pytest.mark.parametrize(
    "text",
    [
        "2023-08-29T12:54:35Z",
        "2023-08-29T12:54:35.123Z",
        "2023-08-29T12:54:35+02:00",
        "2023-08-29T12:54:35.1+02",
        "2023-08-29 12:54:35",
        "2023-08-29",
        "2023-08-29T24:00:00",
        "2023-02-30T12:00:00",
        "2023-08-29T12:54:35.",
        "1693306475",
    ],
)
def test_other_shapes_of_time_are_refused(text: str) -> None:
    got = decode(Schema.of(ts=t.timestamp(3)), json.dumps({"ts": text}), **ISO)
    assert [(e.column, e.text) for e in got.errors] == [("ts", text)]
    assert got.table["ts"].null_count == 1


def test_sql_times_want_a_blank_and_ltz_wants_a_z() -> None:
    assert value(t.timestamp(3), '"2023-08-29 12:54:35.5"').microsecond == 500_000
    assert value(t.timestamp_ltz(3), '"2023-08-29T12:54:35.123Z"', **ISO).microsecond == 123_000
    got = decode(Schema.of(ts=t.timestamp_ltz(3)), '{"ts":"2023-08-29T12:54:35"}', **ISO)
    assert len(got.errors) == 1
    got = decode(Schema.of(ts=t.timestamp(3)), '{"ts":"2023-08-29T12:54:35"}')
    assert len(got.errors) == 1


TWO = Schema.of(a=t.INT, b=t.STRING)


def test_bad_records_are_named_and_the_others_kept() -> None:
    got = decode(
        TWO,
        '{"a":1,"b":"x"}\n',
        '{"a":',
        "",
        "[1]",
        "null",
        '{"a":"x"}',
        '{"a":1e10}',
        b"\xff{}",
        '{"a":2}{"a":3}',
        '{"b":"y","a":4} ',
    )
    assert [(e.row, e.column) for e in got.errors] == [
        (1, None),
        (2, None),
        (3, None),
        (4, None),
        (5, "a"),
        (6, "a"),
        (7, None),
        (8, None),
    ]
    assert got.table["a"].to_pylist() == [1, *[None] * 8, 4]
    assert got.table["b"].to_pylist() == ["x", *[None] * 8, "y"]


def test_missing_fields_are_null_unless_they_must_be_there() -> None:
    assert not decode(TWO, '{"a":1}', '{"b":null,"a":1}').errors
    got = decode(TWO, '{"a":1}', '{"b":null,"a":1}', **{"fail-on-missing-field": "true"})
    assert [(e.row, e.column, e.reason) for e in got.errors] == [(0, "b", "the field is missing")]


def test_names_with_quotes_and_blanks() -> None:
    schema = Schema.of(**{"it's": t.INT, 'a "b"': t.INT, "c d": t.STRING})
    got = decode(schema, json.dumps({"it's": 1, 'a "b"': 2, "c d": "x"}), '{"it\'s":"bad"}')
    assert got.table.slice(0, 1).to_pylist() == [{"it's": 1, 'a "b"': 2, "c d": "x"}]
    assert [e.column for e in got.errors] == ["it's"]


def test_encoding_spells_values_as_flink_does() -> None:
    schema = Schema.of(
        a=t.INT, ts=t.timestamp(3), z=t.timestamp_ltz(3), d=t.DOUBLE, f=t.FLOAT, s=t.STRING
    )
    stamp = dt.datetime(2023, 8, 29, 12, 54, 35, 100_000)  # noqa: DTZ001
    row = {"a": None, "ts": stamp, "z": stamp, "d": 120.0, "f": 0.1, "s": 'é"'}
    rows = pa.Table.from_pylist([row], schema.arrow())
    text = encoder("json", schema, ISO).encode(rows)[0].as_py().decode()
    assert text == (
        '{"a":null,"ts":"2023-08-29T12:54:35.1","z":"2023-08-29T12:54:35.1Z",'
        '"d":120.0,"f":0.1,"s":"é\\""}'
    )
    short = encoder("json", schema, {"encode.ignore-null-fields": "true"}).encode(rows)
    assert "a" not in json.loads(short[0].as_py())


numbers = st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1))
rows = st.lists(
    st.fixed_dictionaries(
        {
            "b": numbers,
            "d": st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False)),
            "s": st.one_of(st.none(), st.text(st.characters(codec="utf-8"), max_size=8)),
            "o": st.one_of(st.none(), st.booleans()),
            "ts": st.one_of(st.none(), st.datetimes(dt.datetime(1, 1, 1), dt.datetime(9998, 1, 1))),  # noqa: DTZ001
        }
    ),
    max_size=8,
)
ALL = Schema.of(b=t.BIGINT, d=t.DOUBLE, s=t.STRING, o=t.BOOLEAN, ts=t.timestamp(6))


@settings(max_examples=40, deadline=None)
@given(rows=rows, iso=st.booleans())
def test_what_is_encoded_decodes_to_itself(rows: list[dict[str, Any]], iso: bool) -> None:
    options = ISO if iso else {}
    table = pa.Table.from_pylist(rows, ALL.arrow())
    payload = encoder("json", ALL, options).encode(table)
    got = decoder("json", ALL, options).decode(payload)
    assert not got.errors
    assert got.table.to_pylist() == table.to_pylist()
