"""Small batches of JSON are read and written without a statement, with the same result."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as s

from eddyline.record import types as t
from eddyline.record.formats import decoder, encoder, kernel
from eddyline.record.formats.json_rows import rows_reader, rows_writer
from eddyline.record.plain_rows import PlainRows
from eddyline.record.schema import Schema

SCHEMA = Schema.of(
    i=t.INT, b=t.BIGINT, tiny=t.TINYINT, d=t.DOUBLE, s=t.STRING, f=t.BOOLEAN, ts=t.timestamp(3)
)
UNUSUAL: list[bytes] = [
    b'{"i":1,"i":2}', b'{"i":-0,"d":-0}', b'{"I":1}', b'{"d":1e400}', b'{"d":-0.0}',
    b'{"d":12345678901234567890}', b'{"s":"\\u0000"}', b'{"s":"\\ud800"}', b'{"i":1.9}',
    b'{"i":"12"}', b'{"i":3000000000}', b'{"b":9223372036854775808}', b'{"tiny":128}',
    b'{"f":"true"}', b'{"s":5}', b'{"s":{"i":1}}', b'{"x":{"i":5},"b":1}', b'{"i":1}x',
    b'{"i":1,}', b"", b"[1]", b"null", b'{"s":"\xff"}', b'{"z":"\xff","i":1}',
    b'\xef\xbb\xbf{"i":1}',
    b'{"z":01,"i":1}', b'{"z":1e999,"i":1}', b'{"ts":"2026-02-30 00:00:00.000"}',
    b'{"ts":"2026-01-01T00:00:00.000"}', b'{"ts":"2026-01-01 23:59:60.000"}',
    b'{"ts":"2026-01-01 00:00:00"}', b'{"ts":"2026-01-01 00:00:00.123456"}',
    b'{"ts":"1500-06-01 00:00:00.001"}', b'  {"i" : 1} ', b'{"i":null,"s":null}', b"{}",
    b'{"s":"a\\"i\\":1"}', '{"s":"é日本\\n"}'.encode(), b'{"i":true}', b'{"f":1}', b'{"i":1e2}',
]  # fmt: skip


READER, WRITER = decoder("json", SCHEMA, {}), encoder("json", SCHEMA, {})


def both_ways(payload: list[bytes], monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Tables and errors: without a statement, and with one."""
    made = []
    for few in (kernel.FEW_ROWS, 0):
        monkeypatch.setattr(kernel, "FEW_ROWS", few)
        decoded = READER.decode(pa.array(payload, pa.binary()))
        made.append((decoded.table.combine_chunks(), [(e.row, e.column) for e in decoded.errors]))
    return made


def test_unusual_records_are_read_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    for record in UNUSUAL:
        with monkeypatch.context() as patch:
            small, general = both_ways([b'{"i":7}', record], patch)
        assert small[0].equals(general[0]), record
        assert small[1] == general[1], record


@pytest.mark.parametrize("record", [b'{"i":1,"i":2}', b'{"d":1e400}', b'{"i":"12"}', b'{"s":5}'])
def test_a_record_that_is_not_plain_goes_the_general_way(record: bytes) -> None:
    reader = rows_reader(SCHEMA, "SQL")
    assert reader is not None
    assert reader.read(pa.array([record], pa.binary())) is None
    assert reader.read(pa.array([b'{"i":1,"s":"x"}'], pa.binary())) is not None


EPOCH = datetime.fromisoformat("1970-01-01")
VALUES = s.fixed_dictionaries(
    {},
    optional={
        "i": s.none() | s.integers(-(2**31), 2**31 - 1),
        "b": s.none() | s.integers(-(2**63), 2**63 - 1),
        "tiny": s.none() | s.integers(-128, 127),
        "d": s.none() | s.floats(allow_nan=False, allow_infinity=False),
        "s": s.none() | s.text(s.characters(exclude_categories=["Cs"]), max_size=8),
        "f": s.none() | s.booleans(),
        "ts": s.none()
        | s.integers(-62135596800000, 253402300799999).map(
            lambda ms: (EPOCH + timedelta(milliseconds=ms)).isoformat(" ", "milliseconds")
        ),
        "unread": s.none() | s.lists(s.integers()),
    },
)


@settings(max_examples=60, deadline=None)
@given(s.lists(VALUES, min_size=1, max_size=5), s.booleans())
def test_random_records_are_read_and_written_alike(
    records: list[dict[str, Any]], escape: bool
) -> None:
    payload = [json.dumps(r, ensure_ascii=escape).encode() for r in records]
    with pytest.MonkeyPatch.context() as patch:
        small, general = both_ways(payload, patch)
    assert small[0].equals(general[0])
    assert small[1] == general[1]
    texts = []
    for few in (kernel.FEW_ROWS, 0):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(kernel, "FEW_ROWS", few)
            texts.append(WRITER.encode(general[0]).to_pylist())
    assert texts[0] == texts[1]


def test_plain_rows_are_written_without_a_statement() -> None:
    writer = rows_writer(SCHEMA, "ISO-8601")
    assert writer is not None
    rows = pa.Table.from_pylist(
        [{"i": 1, "d": 2.0, "s": 'é"\\/', "f": True, "ts": EPOCH + timedelta(milliseconds=500)}],
        SCHEMA.arrow(),
    )
    made = writer.write(PlainRows.of(rows).columns.values())
    general = encoder("json", SCHEMA, {"timestamp-format.standard": "ISO-8601"})
    assert made == general.encode(rows).to_pylist()
    unusual = pa.Table.from_pylist([{"d": 1e16}], SCHEMA.arrow())
    assert writer.write(PlainRows.of(unusual).columns.values()) is None
