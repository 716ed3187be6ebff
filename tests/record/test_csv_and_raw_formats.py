"""CSV and raw payloads."""

from __future__ import annotations

import pyarrow as pa
import pytest

from eddyline.errors import EddylineError
from eddyline.record import types as t
from eddyline.record.formats import decoder, encoder
from eddyline.record.formats.format import Decoded
from eddyline.record.schema import Schema

ROWS = Schema.of(a=t.INT, b=t.STRING, ts=t.timestamp(3))


def decode(*lines: str, **options: str) -> Decoded:
    payload = pa.array([line.encode() for line in lines], pa.binary())
    return decoder("csv", ROWS, options).decode(payload)


def test_fields_by_position() -> None:
    got = decode('1,"x, y",2023-08-29 12:54:35.123\n', ",,\r\n", '2,"say ""hi""",')
    assert not got.errors
    assert got.table["a"].to_pylist() == [1, None, 2]
    assert got.table["b"].to_pylist() == ["x, y", "", 'say "hi"']
    assert got.table["ts"].null_count == 2


def test_null_literal_and_delimiter() -> None:
    got = decode("1;n/a;", **{"field-delimiter": ";", "null-literal": "n/a"})
    assert got.table["b"].to_pylist() == [None]


def test_bad_lines_and_fields_are_named() -> None:
    got = decode("1,x,", "one,x,", "1,x", "3,y,yesterday")
    assert [(e.row, e.column) for e in got.errors] == [(1, "a"), (2, "ts"), (3, "ts")]
    assert got.table["a"].to_pylist() == [1, None, 1, 3]


def test_csv_round_trip() -> None:
    rows = pa.Table.from_pylist(
        [{"a": 1, "b": 'q"x, y', "ts": None}, {"a": None, "b": "plain", "ts": None}], ROWS.arrow()
    )
    payload = encoder("csv", ROWS, {}).encode(rows)
    assert payload[0].as_py() == b'1,"q""x, y",'
    assert decoder("csv", ROWS, {}).decode(payload).table.to_pylist() == rows.to_pylist()


def test_raw_text_and_bytes() -> None:
    payload = pa.array([b"caf\xc3\xa9", b"\xff"], pa.binary())
    text = decoder("raw", Schema.of(x=t.STRING), {}).decode(payload)
    assert text.table["x"].to_pylist() == ["café", None]
    assert [e.row for e in text.errors] == [1]
    raw = decoder("raw", Schema.of(x=t.BYTES_TYPE), {}).decode(payload)
    assert raw.table["x"].to_pylist() == [b"caf\xc3\xa9", b"\xff"]
    with pytest.raises(EddylineError, match="format raw cannot hold"):
        decoder("raw", ROWS, {})


def test_an_unknown_format_is_refused_with_the_known_ones() -> None:
    with pytest.raises(EddylineError) as e:
        decoder("orc", ROWS, {})
    assert e.value.code == "sql_unsupported"
    assert "json" in (e.value.hint or "")
