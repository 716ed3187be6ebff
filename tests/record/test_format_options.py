"""Each option of a format changes something: two values of it, two results."""

from __future__ import annotations

import io
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from eddyline.options.formats import FORMATS
from eddyline.record import types as t
from eddyline.record.formats import decoder, encoder
from eddyline.record.schema import Schema
from eddyline.record.types import DataType

IGNORED = "ignore-parse-errors"  # read by the scan: tests/engine/test_connector_options.py
DECIMAL = t.decimal(20, 10)


def read(form: str, options: dict[str, str], record: str | bytes, *kinds: DataType) -> Any:
    schema = Schema.of(**{f"c{i}": k for i, k in enumerate(kinds)})
    data = record.encode() if isinstance(record, str) else record
    decoded = decoder(form, schema, options).decode(pa.array([data], pa.binary()))
    return decoded.table.to_pylist(), [(e.column, e.reason) for e in decoded.errors]


def write(form: str, options: dict[str, str], kind: DataType, value: object) -> bytes:
    schema = Schema.of(c=kind)
    rows = pa.Table.from_pylist([{"c": value}], schema=schema.arrow())
    data: bytes = encoder(form, schema, options).encode(rows)[0].as_py()
    return data


def written_file(form: str, options: dict[str, str]) -> bytes:
    from eddyline.record.formats.files import bulk_format

    file = io.BytesIO()
    schema = Schema.of(c=t.STRING)
    rows = pa.Table.from_pylist([{"c": "x" * 5000}] * 100, schema=schema.arrow())
    bulk_format(form, schema, options).write(file, iter([rows]))
    return file.getvalue()


def reads(form: str, record: str | bytes, *kinds: DataType) -> Any:
    return lambda options: read(form, options, record, *kinds)


def writes(form: str, kind: DataType, value: object) -> Any:
    return lambda options: write(form, options, kind, value)


JSON_TIME = '{"c0":"2026-01-01T00:00:00"}'
OPTIONS: dict[tuple[str, str], tuple[str, Any]] = {
    ("json", "fail-on-missing-field"): ("true", reads("json", "{}", t.INT)),
    ("json", "timestamp-format.standard"): (
        "ISO-8601", reads("json", JSON_TIME, t.timestamp(3))),
    ("json", "encode.decimal-as-plain-number"): (
        "true", writes("json", DECIMAL, Decimal("0.0000001"))),
    ("json", "encode.ignore-null-fields"): ("true", writes("json", t.INT, None)),
    ("csv", "field-delimiter"): (";", reads("csv", "1;2", t.INT, t.INT)),
    ("csv", "quote-character"): ("'", reads("csv", "'a,b',2", t.STRING, t.INT)),
    ("csv", "disable-quote-character"): ("true", reads("csv", '"a"', t.STRING)),
    ("csv", "escape-character"): ("!", reads("csv", "a!,b", t.STRING)),
    ("csv", "null-literal"): ("-", reads("csv", "-", t.STRING)),
    ("csv", "allow-comments"): ("true", reads("csv", "#a", t.STRING)),
    ("csv", "array-element-delimiter"): ("|", reads("csv", "1|2", t.array(t.INT))),
    ("csv", "write-bigdecimal-in-scientific-notation"): (
        "false", writes("csv", DECIMAL, Decimal("0.0000001"))),
    ("csv", "empty-string-as-null"): ("true", reads("csv", ",1", t.STRING, t.INT)),
    ("csv", "allow-trailing-comma"): ("false", reads("csv", "1,", t.INT)),
    ("csv", "fail-on-missing-columns"): ("true", reads("csv", "1", t.INT, t.INT)),
    ("csv", "ignore-trailing-unmappable"): ("true", reads("csv", "1,2", t.INT)),
    ("csv", "trim-spaces"): ("true", reads("csv", " a ", t.STRING)),
    ("raw", "charset"): ("ISO-8859-1", reads("raw", b"caf\xe9", t.STRING)),
    ("raw", "endianness"): ("little-endian", writes("raw", t.INT, 5)),
    ("avro", "codec"): ("null", lambda o: len(written_file("avro", o))),
    ("avro", "timestamp_mapping.legacy"): ("false", lambda o: _avro_schema(o)),
    ("parquet", "compression"): ("UNCOMPRESSED", lambda o: len(written_file("parquet", o))),
    ("debezium-json", "schema-include"): (
        "true", reads("debezium-json", '{"payload":{"after":{"c0":1},"op":"c"}}', t.INT)),
    ("canal-json", "database.include"): (
        "a", reads("canal-json", '{"data":[{"c0":1}],"type":"INSERT","database":"b"}', t.INT)),
    ("canal-json", "table.include"): (
        "a", reads("canal-json", '{"data":[{"c0":1}],"type":"INSERT","table":"b"}', t.INT)),
}  # fmt: skip
_ROWS = {
    "debezium-json": '{"after":X,"op":"c"}',
    "canal-json": '{"data":[X],"type":"INSERT"}',
    "maxwell-json": '{"data":X,"type":"insert"}',
    "ogg-json": '{"after":X,"op_type":"I"}',
}
for _form, _record in _ROWS.items():
    for _name in ("encode.decimal-as-plain-number", "encode.ignore-null-fields"):
        _kind, _value = (t.INT, None) if "null" in _name else (DECIMAL, Decimal("0.0000001"))
        OPTIONS[_form, _name] = ("true", writes(_form, _kind, _value))
    OPTIONS[_form, "timestamp-format.standard"] = (
        "ISO-8601", reads(_form, _record.replace("X", JSON_TIME), t.timestamp(3))
    )  # fmt: skip


def _avro_schema(options: dict[str, str]) -> Any:
    from eddyline.options.formats.files import LEGACY_TIMESTAMPS
    from eddyline.record.formats.avro import avro_schema

    return avro_schema(Schema.of(c=t.timestamp(3)), legacy=LEGACY_TIMESTAMPS.read(options))


def test_each_option_with_an_effect_is_tried_here() -> None:
    known = {(f.name, o.name) for f in FORMATS.values() for o in f.options if o.no_effect is None}
    assert {k for k in known if k[1] != IGNORED} == set(OPTIONS)


@pytest.mark.parametrize(("form", "name"), OPTIONS)
def test_an_option_changes_something(form: str, name: str) -> None:
    if FORMATS[form].extra == "avro" and name == "codec":
        pytest.importorskip("fastavro")
    value, outcome = OPTIONS[form, name]
    default = next(o.default for o in FORMATS[form].options if o.name == name)
    assert outcome({name: value}) != outcome({})
    if default is not None:
        assert outcome({name: default}) == outcome({})
