"""Records of change data capture: Debezium, Canal, Maxwell and GoldenGate, in JSON.

A record is an envelope around rows: an update gives the row before (-U) and the row after (+U), and
a record of Canal several rows. The envelope is parsed with its rows as texts, one statement turns
envelopes into (record, kind, row), and the rows are then decoded as any JSON object.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from eddyline.errors import EddylineError
from eddyline.options.formats.changelog import DATABASE_INCLUDE, SCHEMA_INCLUDE, TABLE_INCLUDE
from eddyline.record import types as t
from eddyline.record.batch import ChangeKind
from eddyline.record.formats.format import BadField, Decoded, shown
from eddyline.record.formats.json import JsonDecoder, JsonText
from eddyline.record.formats.kernel import FormatConnection
from eddyline.record.schema import Schema

_INSERT, _BEFORE, _AFTER, _DELETE = (int(k) for k in ChangeKind)
_MILLIS = "epoch_ms({0})"
_NAMES = "from_json({0}, '[\"VARCHAR\"]')"


@dataclass(frozen=True, slots=True)
class Envelope:
    """How one product wraps rows.

    fields: of the envelope; those that hold rows are texts. operation: the field that names the
    change, and insert, update, delete the words in it. rows: DuckDB text over the envelopes ``p``
    (numbered ``i``) that gives i, n, kind and body. ignored: words whose records hold no row.
    metadata: DuckDB text by key. written: DuckDB text of a record by kind, from the row {0}.
    """

    fields: Schema
    operation: str
    insert: tuple[str, ...]
    update: tuple[str, ...]
    delete: tuple[str, ...]
    rows: str
    metadata: Mapping[str, str]
    insert_text: str
    delete_text: str
    ignored: tuple[str, ...] = ()
    needs: str = field(default="")  # DuckDB text: whether an update or delete has its old row


def _before_after(operation: str) -> str:
    """Rows of envelopes that hold a row before and a row after."""
    return (
        f"SELECT i, 0 AS n, {_BEFORE} AS kind, before AS body FROM p WHERE is_update "
        f"UNION ALL SELECT i, 1, CASE WHEN is_update THEN {_AFTER} WHEN is_delete THEN {_DELETE} "
        f"ELSE {_INSERT} END, CASE WHEN is_delete THEN before ELSE after END FROM p"
    )


_DEBEZIUM = Envelope(
    Schema.of(
        before=t.STRING, after=t.STRING, op=t.STRING, source=t.STRING, ts_ms=t.BIGINT,
    ),
    "op",
    ("c", "r"),
    ("u",),
    ("d",),
    _before_after("op"),
    {
        "schema": "schema_text",
        "ingestion-timestamp": "epoch_ms(ts_ms)",
        "source.timestamp": "epoch_ms((source->>'$.ts_ms')::BIGINT)",
        "source.database": "source->>'$.db'",
        "source.schema": "source->>'$.schema'",
        "source.table": "source->>'$.table'",
        "source.properties": "from_json(source, '\"MAP(VARCHAR, VARCHAR)\"')",
    },
    "'{{\"before\":null,\"after\":' || {0} || ',\"op\":\"c\"}}'",
    "'{{\"before\":' || {0} || ',\"after\":null,\"op\":\"d\"}}'",
    needs="before",
)  # fmt: skip
_OGG = Envelope(
    Schema.of(
        before=t.STRING, after=t.STRING, op_type=t.STRING, table=t.STRING, primary_keys=t.STRING,
        current_ts=t.STRING, op_ts=t.STRING,
    ),
    "op_type",
    ("I",),
    ("U",),
    ("D",),
    _before_after("op_type"),
    {
        "table": '"table"',
        "primary-keys": _NAMES.format("primary_keys"),
        "ingestion-timestamp": "replace(current_ts, 'T', ' ')::TIMESTAMP",
        "event-timestamp": "replace(op_ts, 'T', ' ')::TIMESTAMP",
    },
    "'{{\"before\":null,\"after\":' || {0} || ',\"op_type\":\"I\"}}'",
    "'{{\"before\":' || {0} || ',\"after\":null,\"op_type\":\"D\"}}'",
    needs="before",
)  # fmt: skip
_CANAL = Envelope(
    Schema.of(
        data=t.STRING, old=t.STRING, type=t.STRING, database=t.STRING, table=t.STRING,
        ts=t.BIGINT, es=t.BIGINT, sqlType=t.STRING, pkNames=t.STRING,
    ),
    "type",
    ("INSERT",),
    ("UPDATE",),
    ("DELETE",),
    # One row per element of data; what an update changed replaces it in the row before.
    "SELECT i, 2 * n AS n, kind, body FROM (SELECT i, n, unnest(CASE WHEN is_update THEN "
    f"[{_BEFORE}, {_AFTER}] WHEN is_delete THEN [{_DELETE}] ELSE [{_INSERT}] END) AS kind, "
    "unnest(CASE WHEN is_update THEN [json_merge_patch(json_extract(data, '$[' || n || ']'), "
    "json_extract(old, '$[' || n || ']'))::VARCHAR, json_extract(data, '$[' || n || ']')::VARCHAR] "
    "ELSE [json_extract(data, '$[' || n || ']')::VARCHAR] END) AS body FROM "
    "(SELECT *, unnest(range(coalesce(json_array_length(data), 0)::BIGINT)) AS n FROM p))",
    {
        "database": "database",
        "table": '"table"',
        "sql-type": "from_json(\"sqlType\", '\"MAP(VARCHAR, INTEGER)\"')",
        "pk-names": _NAMES.format('"pkNames"'),
        "ingestion-timestamp": "epoch_ms(ts)",
        "event-timestamp": "epoch_ms(es)",
    },
    "'{{\"data\":[' || {0} || '],\"type\":\"INSERT\"}}'",
    "'{{\"data\":[' || {0} || '],\"type\":\"DELETE\"}}'",
    ignored=("CREATE",),
)  # fmt: skip
_MAXWELL = Envelope(
    Schema.of(
        data=t.STRING, old=t.STRING, type=t.STRING, database=t.STRING, table=t.STRING,
        ts=t.BIGINT, primary_key_columns=t.STRING,
    ),
    "type",
    ("insert",),
    ("update",),
    ("delete",),
    f"SELECT i, 0 AS n, {_BEFORE} AS kind, json_merge_patch(data, old)::VARCHAR AS body "
    "FROM p WHERE is_update "
    f"UNION ALL SELECT i, 1, CASE WHEN is_update THEN {_AFTER} WHEN is_delete THEN {_DELETE} "
    f"ELSE {_INSERT} END, data FROM p",
    {
        "database": "database",
        "table": '"table"',
        "primary-key-columns": _NAMES.format("primary_key_columns"),
        "ingestion-timestamp": "epoch_ms(ts)",
    },
    "'{{\"data\":' || {0} || ',\"type\":\"insert\"}}'",
    "'{{\"data\":' || {0} || ',\"type\":\"delete\"}}'",
)  # fmt: skip
ENVELOPES = {
    "debezium-json": _DEBEZIUM,
    "canal-json": _CANAL,
    "maxwell-json": _MAXWELL,
    "ogg-json": _OGG,
}


class ChangelogDecoder:
    """Records to rows with kinds of change; see ``Decoder``."""

    def __init__(
        self,
        envelope: Envelope,
        schema: Schema,
        options: Mapping[str, str],
        threads: int,
        metadata: tuple[str, ...],
    ) -> None:
        self._envelope = envelope
        self._schema = schema
        self._has_schema = SCHEMA_INCLUDE.read(options)
        self._payloads = JsonDecoder(Schema.of(payload=t.STRING, schema=t.STRING), {}, threads)
        self._envelopes = JsonDecoder(envelope.fields, {}, threads)
        self._bodies = JsonDecoder(schema, options, threads)
        self._metadata = metadata
        self._includes = {
            "database": DATABASE_INCLUDE.get(options),
            "table": TABLE_INCLUDE.get(options),
        }
        self._kernel = FormatConnection(threads)

    def decode(self, payload: pa.BinaryArray) -> Decoded:
        """The rows of all records; ``origin`` says of which record each is."""
        present = pc.greater(pc.binary_length(payload), 0)  # an empty record is a tombstone
        numbers = pa.array(np.flatnonzero(present.to_numpy(zero_copy_only=False)), pa.int64())
        records = payload.take(numbers)
        schema_text = pa.nulls(len(records), pa.string())
        errors: list[BadField] = []
        if self._has_schema:
            outer = self._payloads.decode(records)
            errors += outer.errors
            schema_text = outer.table["schema"].combine_chunks()
            body = pc.fill_null(outer.table["payload"].combine_chunks(), "{}")
            records = body.cast(pa.binary())
        decoded = self._envelopes.decode(records)
        broken = {e.row for e in errors}
        errors += [e for e in decoded.errors if e.row not in broken]
        names = list(self._envelope.fields.names)
        rows = decoded.table.rename_columns(names)
        rows = rows.append_column("schema_text", schema_text)
        rows = rows.append_column("i", pa.array(np.arange(len(records))))
        rows, errors = self._changes(rows, errors, records)
        return self._opened(rows, errors, numbers)

    def _changes(
        self, rows: pa.Table, errors: list[BadField], records: pa.BinaryArray
    ) -> tuple[pa.Table, list[BadField]]:
        """Envelopes that hold a change, and what is wrong with the others."""
        envelope = self._envelope
        operation = rows[envelope.operation].combine_chunks()
        is_update = pc.is_in(operation, pa.array(envelope.update))
        is_delete = pc.is_in(operation, pa.array(envelope.delete))
        is_insert = pc.is_in(operation, pa.array(envelope.insert))
        broken = np.zeros(rows.num_rows, np.bool_)
        broken[[e.row for e in errors]] = True
        known = pc.or_(pc.or_(is_update, is_delete), is_insert)
        ignored = _mask(pc.is_in(operation, pa.array(envelope.ignored, pa.string())))
        for name, pattern in self._includes.items():
            if pattern is not None and name in rows.column_names:
                texts = rows[name].to_pylist()
                ignored |= np.array([not pattern.fullmatch(x or "") for x in texts], np.bool_)
        faults = self._faults(rows, operation, known, is_update, is_delete)
        for row, reason in faults:
            if not broken[row] and not ignored[row]:
                text = records[row].as_py().decode(errors="replace")
                errors.append(BadField(row, None, shown(text), reason))
                broken[row] = True
        rows = rows.append_column("is_update", is_update).append_column("is_delete", is_delete)
        return rows.filter(pa.array(~broken & ~ignored)), errors

    def _faults(
        self, rows: pa.Table, operation: pa.Array, known: pa.Array, is_update: pa.Array,
        is_delete: pa.Array,
    ) -> list[tuple[int, str]]:  # fmt: skip
        envelope = self._envelope
        out = []
        for row in np.flatnonzero(~_mask(known)).tolist():
            word = operation[row].as_py()
            what = f"its '{envelope.operation}' is '{word}'" if word is not None else (
                f"it has no '{envelope.operation}'"
            )  # fmt: skip
            out.append((row, f"{what}, which is no change of a row"))
        old = envelope.needs
        if old:
            lacks = pc.and_(pc.or_(is_update, is_delete), pc.is_null(rows[old].combine_chunks()))
            for row in np.flatnonzero(_mask(lacks)).tolist():
                reason = f"it has no '{old}': the database must send whole old rows"
                out.append((row, f"{reason} (PostgreSQL: REPLICA IDENTITY FULL)"))
        return out

    def _opened(self, rows: pa.Table, errors: list[BadField], numbers: pa.Array) -> Decoded:
        envelope = self._envelope
        changes = self._kernel.query(f"SELECT * FROM ({envelope.rows}) ORDER BY i, n, kind", rows)
        bodies = changes["body"].combine_chunks()
        origin = changes["i"].combine_chunks()
        decoded = self._bodies.decode(pc.fill_null(bodies, "null").cast(pa.binary()))
        places = origin.to_numpy(zero_copy_only=False)
        for e in decoded.errors:
            errors.append(BadField(int(places[e.row]), e.column, e.text, e.reason))
        metadata = {}
        if self._metadata:
            texts = ", ".join(f'{envelope.metadata[key]} AS "{key}"' for key in self._metadata)
            values = self._kernel.query(f"SELECT i, {texts} FROM p", rows)
            at = pc.index_in(origin, values["i"].combine_chunks())
            metadata = {key: values[key].combine_chunks().take(at) for key in self._metadata}
        number = numbers.to_numpy(zero_copy_only=False)
        named = [BadField(int(number[e.row]), e.column, e.text, e.reason) for e in errors]
        kinds = changes["kind"].combine_chunks().cast(pa.int8()).to_numpy(zero_copy_only=False)
        return Decoded(
            decoded.table,
            tuple(sorted(named, key=lambda e: e.row)),
            kinds=kinds,
            origin=number[places],
            metadata=metadata,
        )


class ChangelogEncoder:
    """Rows with kinds of change to records: an update is a delete and an insert, as in Flink."""

    def __init__(self, envelope: Envelope, schema: Schema, options: Mapping[str, str]) -> None:
        self._kernel = FormatConnection(1)
        writer = JsonText(options)
        body = writer.object([(c.name, c.type, f"c{i}") for i, c in enumerate(schema)])
        is_old = f"k IN ({_BEFORE}, {_DELETE})"
        old, new = (x.format(body) for x in (envelope.delete_text, envelope.insert_text))
        self._sql = f"SELECT CASE WHEN {is_old} THEN {old} ELSE {new} END AS j FROM p"

    def encode(
        self, rows: pa.Table, kinds: np.ndarray[tuple[int], np.dtype[np.int8]] | None = None
    ) -> pa.BinaryArray:
        """One record per row; see ``Encoder``."""
        by_position = rows.rename_columns([f"c{i}" for i in range(rows.num_columns)])
        values = np.zeros(rows.num_rows, np.int8) if kinds is None else kinds
        by_position = by_position.append_column("k", pa.array(values))
        return self._kernel.query(self._sql, by_position)["j"].combine_chunks().cast(pa.binary())


def envelope_of(name: str) -> Envelope:
    """The envelope of format ``name``."""
    if name not in ENVELOPES:
        raise EddylineError("sql_unsupported", f"there is no format '{name}'")
    return ENVELOPES[name]


def _mask(values: pa.Array) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    mask: np.ndarray[tuple[int], np.dtype[np.bool_]] = pc.fill_null(values, False).to_numpy(
        zero_copy_only=False
    )
    return mask.copy()
