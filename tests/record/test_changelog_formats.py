"""Formats of change data capture; rows and kinds as Apache Flink 2.3.0 gave them."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from eddyline.options.formats import FORMATS
from eddyline.record import types as t
from eddyline.record.batch import ChangeKind
from eddyline.record.formats import decoder, encoder
from eddyline.record.schema import Schema

ROWS = Schema.of(id=t.INT, name=t.STRING, w=t.DOUBLE)
DEBEZIUM = (
    '{"before":null,"after":{"id":1,"name":"a","w":1.5},"op":"c","source":{"db":"d","table":"t",'
    '"ts_ms":1000},"ts_ms":5}',
    '{"before":{"id":1,"name":"a","w":1.5},"after":{"id":1,"name":"b","w":2.5},"op":"u"}',
    '{"before":null,"after":{"id":2,"name":"r"},"op":"r"}',
    "",
    '{"before":{"id":1,"name":"b","w":2.5},"after":null,"op":"d"}',
)
CANAL = (
    '{"data":[{"id":"1","name":"a","w":"1.5"},{"id":"2","name":"b","w":"2"}],"database":"inv",'
    '"table":"p","type":"INSERT","ts":1,"es":1598944132000,"pkNames":["id"],"sqlType":{"id":4}}',
    '{"data":[{"id":"1","name":"a","w":"9"}],"old":[{"w":"1.5"}],"type":"UPDATE","database":"inv"}',
    '{"data":[{"id":"2","name":"b","w":"2"}],"type":"DELETE","database":"other","table":"p"}',
    '{"data":null,"type":"CREATE","database":"inv","table":"p","sql":"x"}',
    '{"data":[{"id":"1","name":null,"w":"9"}],"old":[{"name":"a"}],"type":"UPDATE",'
    '"database":"inv","table":"p"}',
)
MAXWELL = (
    '{"database":"d","table":"p","type":"insert","ts":15,"data":{"id":1,"name":"a"}}',
    '{"type":"update","data":{"id":1,"name":"b"},"old":{"name":"a"}}',
    '{"type":"delete","data":{"id":1,"name":"b"}}',
    '{"type":"update","data":{"id":1,"name":"b"},"old":{"name":null}}',
)
OGG = (
    '{"before":null,"after":{"id":1,"name":"a"},"op_type":"I","table":"O.P","primary_keys":["id"]}',
    '{"before":{"id":1,"name":"a"},"after":{"id":1,"name":"b"},"op_type":"U"}',
    '{"before":{"id":1,"name":"b"},"after":null,"op_type":"D"}',
)


def decode(form: str, *records: str, metadata: tuple[str, ...] = (), **options: str) -> Any:
    payload = pa.array([r.encode() for r in records], pa.binary())
    written = {k.replace("__", "."): v for k, v in options.items()}
    written = {k.replace("_", "-"): v for k, v in written.items()}
    return decoder(form, ROWS, written, metadata=metadata).decode(payload)


def changes(form: str, *records: str, **options: str) -> list[tuple[Any, ...]]:
    decoded = decode(form, *records, **options)
    assert decoded.errors == ()
    rows = [tuple(row.values()) for row in decoded.table.to_pylist()]
    return [(ChangeKind(k).short, *r) for k, r in zip(decoded.kinds, rows, strict=True)]


@pytest.mark.parametrize(
    ("form", "records", "expected"),
    [
        ("debezium-json", DEBEZIUM, [
            ("+I", 1, "a", 1.5), ("-U", 1, "a", 1.5), ("+U", 1, "b", 2.5), ("+I", 2, "r", None),
            ("-D", 1, "b", 2.5)]),
        ("canal-json", CANAL, [
            ("+I", 1, "a", 1.5), ("+I", 2, "b", 2.0), ("-U", 1, "a", 1.5), ("+U", 1, "a", 9.0),
            ("-D", 2, "b", 2.0), ("-U", 1, "a", 9.0), ("+U", 1, None, 9.0)]),
        ("maxwell-json", MAXWELL, [
            ("+I", 1, "a", None), ("-U", 1, "a", None), ("+U", 1, "b", None), ("-D", 1, "b", None),
            ("-U", 1, None, None), ("+U", 1, "b", None)]),
        ("ogg-json", OGG, [
            ("+I", 1, "a", None), ("-U", 1, "a", None), ("+U", 1, "b", None),
            ("-D", 1, "b", None)]),
    ],
)  # fmt: skip
def test_records_become_changes(form: str, records: tuple[str, ...], expected: Any) -> None:
    assert changes(form, *records) == expected


def test_origin_names_the_record_of_each_row() -> None:
    assert decode("debezium-json", *DEBEZIUM).origin.tolist() == [0, 1, 1, 2, 4]
    assert decode("canal-json", *CANAL).origin.tolist() == [0, 0, 1, 1, 2, 4, 4]


@pytest.mark.parametrize(
    ("form", "record", "words"),
    [
        ("debezium-json", '{"before":null,"after":{"id":1},"op":"t"}', "'op' is 't'"),
        ("debezium-json", '{"before":null,"after":{"id":1},"op":"u"}', "no 'before'"),
        ("debezium-json", "null", "JSON null"),
        ("debezium-json", "no JSON", "not JSON"),
        ("canal-json", '{"data":[{"id":"1"}],"type":"QUERY"}', "'type' is 'QUERY'"),
        ("maxwell-json", '{"type":"bootstrap-insert","data":{"id":1}}', "bootstrap-insert"),
        ("ogg-json", '{"after":{"id":1}}', "it has no 'op_type'"),
    ],
)
def test_a_record_that_is_no_change_is_named(form: str, record: str, words: str) -> None:
    decoded = decode(form, *{"ogg-json": OGG, "debezium-json": DEBEZIUM}.get(form, ()), record)
    (error,) = decoded.errors
    assert error.column is None
    assert words in error.reason
    assert error.row == {"ogg-json": 3, "debezium-json": 5}.get(form, 0)


def test_a_field_that_does_not_fit_names_its_record() -> None:
    decoded = decode("debezium-json", DEBEZIUM[0], '{"after":{"id":"x"},"op":"c"}')
    assert [(e.row, e.column, e.text) for e in decoded.errors] == [(1, "id", "x")]


def test_metadata_is_that_of_the_envelope() -> None:
    keys = ("source.database", "source.table", "source.properties")
    refusal = decode("debezium-json", *DEBEZIUM, metadata=keys).metadata
    assert [refusal[k].to_pylist()[:2] for k in keys[:2]] == [["d", None], ["t", None]]
    assert dict(refusal["source.properties"][0].as_py())["ts_ms"] == "1000"
    keys = ("database", "table", "pk-names", "sql-type")
    refusal = decode("canal-json", *CANAL, metadata=keys).metadata
    assert [refusal[k][1].as_py() for k in keys] == ["inv", "p", ["id"], [("id", 4)]]
    refusal = decode("ogg-json", *OGG, metadata=("primary-keys", "table")).metadata
    assert [refusal[k][0].as_py() for k in ("primary-keys", "table")] == [["id"], "O.P"]
    refusal = decode("maxwell-json", *MAXWELL, metadata=("ingestion-timestamp",)).metadata
    assert str(refusal["ingestion-timestamp"][0].as_py()) == "1970-01-01 00:00:00.015000"


@pytest.mark.parametrize("form", [f for f, row in FORMATS.items() if row.changelog])
def test_each_metadata_key_is_read(form: str) -> None:
    keys = tuple(m.key for m in FORMATS[form].metadata)
    records = {"debezium-json": DEBEZIUM, "canal-json": CANAL, "maxwell-json": MAXWELL}
    refusal = decode(form, *records.get(form, OGG), metadata=keys).metadata
    assert set(refusal) == set(keys)


def test_only_included_databases_and_tables_are_read() -> None:
    kept = changes("canal-json", *CANAL, database__include="in.*", table__include="p")
    assert [row[:2] for row in kept] == [("+I", 1), ("+I", 2), ("-U", 1), ("+U", 1)]


def test_a_payload_beside_its_schema() -> None:
    record = '{"schema":{"a":1},"payload":{"before":null,"after":{"id":1},"op":"c"}}'
    assert changes("debezium-json", record, schema_include="true") == [("+I", 1, None, None)]
    assert decode("debezium-json", record).errors


@pytest.mark.parametrize(
    ("form", "new", "old"),
    [
        ("debezium-json", '{"before":null,"after":X,"op":"c"}',
         '{"before":X,"after":null,"op":"d"}'),
        ("canal-json", '{"data":[X],"type":"INSERT"}', '{"data":[X],"type":"DELETE"}'),
        ("maxwell-json", '{"data":X,"type":"insert"}', '{"data":X,"type":"delete"}'),
        ("ogg-json", '{"before":null,"after":X,"op_type":"I"}',
         '{"before":X,"after":null,"op_type":"D"}'),
    ],
)  # fmt: skip
def test_changes_become_records(form: str, new: str, old: str) -> None:
    rows = pa.table({"k": ["a"] * 4, "n": pa.array([1, 1, 2, 2], pa.int64())})
    kinds = pa.array([0, 1, 2, 3], pa.int8()).to_numpy()
    schema = Schema.of(k=t.STRING, n=t.BIGINT)
    texts = encoder(form, schema, {}).encode(rows, kinds).to_pylist()
    body = ['{"k":"a","n":1}'] * 2 + ['{"k":"a","n":2}'] * 2
    expected = [x.replace("X", b) for x, b in zip((new, old, new, old), body, strict=True)]
    assert [x.decode() for x in texts] == expected
