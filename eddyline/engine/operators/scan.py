"""Scan: records of a source become rows, bad ones set aside or named.

What to do with a record that does not fit is the table's choice: fail the job with a message that
names record, column, text and the option that helps; ``json.ignore-parse-errors`` (a field that
does not fit is NULL, a record that is no JSON is skipped, as in Flink); or ``bad-records`` =
``dead-letter``: the record is kept in a file of the job and the stream goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from eddyline.catalog.options import formats_of, gives_changes, is_partitioned
from eddyline.catalog.table import CatalogTable
from eddyline.engine.dead_letters import KEPT_MAX, DeadLetter, DeadLetters
from eddyline.engine.files.partitions import column_of
from eddyline.engine.operators.operator import (
    RECORD,
    SHARD,
    Int64s,
    Operator,
    OperatorContext,
    Step,
    typed,
)
from eddyline.engine.sources.source import Records, Source
from eddyline.errors import EddylineError
from eddyline.options.any_table import BAD_RECORDS, BadRecords
from eddyline.options.connectors import kafka
from eddyline.options.formats import FORMATS, own_options
from eddyline.options.formats.json import IGNORE_PARSE_ERRORS
from eddyline.record.batch import MAX_WATERMARK, MIN_WATERMARK, Batch
from eddyline.record.formats import BadField, decoder
from eddyline.record.formats.format import Decoder, Kinds, PlainDecoder
from eddyline.record.formats.kernel import are_few
from eddyline.record.formats.keyed import KeyedDecoder
from eddyline.record.plain_rows import PlainRows, arrow_types, can_be_plain, plain_values
from eddyline.record.schema import Column, Schema
from eddyline.record.types import Root, arrow_type
from eddyline.sql import physical as plan


def keyed_decoder(
    stored: Schema, table: CatalogTable, made: Callable[..., Decoder], metadata: tuple[str, ...]
) -> KeyedDecoder:
    """The decoder of records whose key is of a format of its own."""
    options = table.options
    prefix = kafka.KEY_PREFIX.read(options)
    is_upsert = options["connector"] == "upsert-kafka"
    fields = table.primary_key if is_upsert else kafka.KEY_FIELDS.get(options) or ()
    keys = {c.name: c.name.removeprefix(prefix) for c in stored if c.name in fields}
    key = None
    if keys:
        form = options["key.format"]
        named = Schema(tuple(Column(keys[c.name], c.type) for c in stored if c.name in keys))
        key = decoder(form, named, own_options(form, options, "key."))
    rest = Schema(tuple(c for c in stored if c.name not in keys))
    value = made(options.get("value.format", options.get("format", "")), rest, metadata=metadata)
    return KeyedDecoder(stored, keys, key, value)


class Scan(Operator):
    """The leaf under every streaming plan."""

    def __init__(self, context: OperatorContext, node: plan.Scan, source: Source) -> None:
        super().__init__(context, (), node.schema)
        self.source = source
        self._node = node
        self._metadata = dict(node.metadata)
        self._format_values: Mapping[str, pa.Array] = {}
        options = node.table.options
        name = options.get("format", options.get("value.format", ""))
        self._format = name
        self._decoder = None
        parts = node.table.partitioned_by if is_partitioned(node.table) else ()
        stored = Schema(tuple(c for c in node.columns if c.name not in parts))
        self._partitions = [c for c in node.columns if c.name in parts]
        if name and FORMATS[name].records and not source.gives_rows:
            threads = context.settings.worker_threads
            own = own_options(name, options)
            own |= own_options(name, options, "value.")
            made = partial(decoder, options=own, threads=threads)
            self._decoder = (
                keyed_decoder(stored, node.table, made, self._format_metadata(node))
                if "key.format" in options
                else made(name, stored, metadata=self._format_metadata(node))
            )
        has_shape = all(can_be_plain(arrow_type(c.type)) for c in node.schema)
        self._reads_plain = (
            isinstance(self._decoder, PlainDecoder) and has_shape and not self._partitions
        )
        self._types = {**arrow_types(node.schema), SHARD: pa.int32(), RECORD: pa.int32()}
        self._skips = IGNORE_PARSE_ERRORS.read(own_options(name, options))
        self._keeps = BAD_RECORDS.read(options) is BadRecords.DEAD_LETTER
        if gives_changes(node.table):
            self.insert_only = False
        self._records: Records | None = None
        self._restored_idle: set[int] | None = None  # until the first poll after a restart
        self.newest_ms: int | None = None
        # The records of the batch that flows, where an operator above refers to them by number.
        self.tracks_records = False
        self._flowing: Records | None = None
        # Wall time just before the last poll: what it did not bring has arrived since, or later.
        self.polled_ms = 0

    def _format_metadata(self, node: plan.Scan) -> tuple[str, ...]:
        """The keys that the format reads, not the connector."""
        known = {m.key for _, form in formats_of(node.table) for m in form.metadata}
        keys = (key.removeprefix("value.") for key in self._metadata.values())
        return tuple(key for key in dict.fromkeys(keys) if key in known)

    def poll(self, rows_max: int) -> int:
        """Ask the source; the rows flow with the next step. Returns how many records came."""
        if self._restored_idle is not None:
            self.source.rest_as_idle(self._restored_idle)
            self._restored_idle = None
        self.polled_ms = self.source.now_ms()
        self._records = None if self.source.ended else self.source.poll(rows_max)
        self.newest_ms = int(self._records.arrival_ms[-1]) if self._records else None
        self.source.rest()
        return len(self._records) if self._records else 0

    def step(self, inputs: tuple[Step, ...]) -> Step:
        mark = MAX_WATERMARK if self.source.ended else MIN_WATERMARK
        records, self._records = self._records, None
        if records is None:
            return Step(None, mark)
        self.context.figures.rows_in += len(records)
        return Step(self._batch(records), mark)

    def due(self, inputs: tuple[int, ...]) -> tuple[int, bool]:
        return (MAX_WATERMARK if self.source.ended else MIN_WATERMARK), False

    def save(self) -> dict[str, Any]:
        """Idle shards: after a restart they hold the watermark back no more than before it."""
        return {"idle": [s.index for s in self.source.shards.values() if s.idle]}

    def restore(self, saved: dict[str, Any]) -> None:
        self._restored_idle = set(saved["idle"])

    @property
    def pending(self) -> bool:
        """Whether records were read that have not flowed yet."""
        return self._records is not None

    def active(self) -> list[int]:
        """Shards that hold the watermark back."""
        return [s.index for s in self.source.shards.values() if not s.idle]

    def all_shards(self) -> list[int]:
        return [s.index for s in self.source.shards.values() if not s.closed]

    def at_tip(self) -> list[int]:
        """Shards that are read as far as they go."""
        return [s.index for s in self.source.shards.values() if s.quiet_since is not None]

    @property
    def waits_for_idleness(self) -> bool:
        """Whether a shard read to its tip will become idle as time passes."""
        return self.source.will_be_idle

    def was_idle(self, shard: int) -> bool:
        """Whether the shard was idle before the last poll."""
        return self.source.shards[shard].was_idle

    def woken(self, until_ms: int) -> list[tuple[int, int]]:
        """Shards that were idle and whose next record, which is still to come, arrived by then."""
        return [
            (s.index, s.next_arrival_ms)
            for s in self.source.shards.values()
            if s.was_idle and s.next_arrival_ms is not None and s.next_arrival_ms <= until_ms
        ]

    def shard_name(self, shard: int) -> str:
        return f"{self.source.context.name} {self.source.shards[shard].name}"

    def is_arrival(self, column: str) -> bool:
        """Whether the column is the arrival time in UTC, so that the log's clock can move it."""
        return self._metadata.get(column) == "timestamp" and not self._is_local(column)

    def _is_local(self, column: str) -> bool:
        return self.schema[column].root is Root.TIMESTAMP and self.context.zone != "UTC"

    def stop_reading(self) -> None:
        self.source.ended = True

    def why_silent(self) -> list[str]:
        name = self.source.context.name
        if self.source.ended or any(s.position < s.tip for s in self.source.shards.values()):
            return []
        reasons = [f"{name} is read to its end; no new records are coming in"]
        if self.source.skipped:
            count = self.source.skipped
            records = "1 older record" if count == 1 else f"{count:,} older records"
            reasons.append(
                f"{name} begins at LATEST and does not read {records}; "
                "'scan.stream.initpos' = 'TRIM_HORIZON' among its options reads them"
            )
        return reasons

    def close(self) -> None:
        self.source.close()

    def _batch(self, records: Records) -> Batch:
        kinds = None
        self._format_values = {}
        plain = self._plain_rows(records)
        if plain is not None:
            self._flowing = records
            return Batch(plain)
        if records.rows is not None:
            table = records.rows
        else:
            table, records, kinds = self._decode(records)
        if self._partitions:
            table = self._with_partitions(table, records)
        table = table.rename_columns(list(self.schema.names[: len(self._node.columns)]))
        for column, key in self._node.metadata:
            table = table.append_column(column, self._meta(column, key, records))
        table = typed(table.select(list(self.schema.names)), self.schema)
        if records.shard is not None:
            table = table.append_column(SHARD, pa.array(records.shard))
        self._flowing = records
        if self.tracks_records:
            numbers = np.arange(len(records), dtype=np.int32)
            table = table.append_column(RECORD, pa.array(numbers))
        return Batch(table, kinds)

    def _plain_rows(self, records: Records) -> PlainRows | None:
        """The rows of a few plain records as Python values; None if they are not such."""
        count = len(records)
        if not self._reads_plain or records.payload is None or not are_few(count):
            return None
        assert isinstance(self._decoder, PlainDecoder)
        decoded = self._decoder.decode_plain(records.payload)
        if decoded is None:
            return None
        columns = dict(zip(self.schema.names, decoded.columns.values(), strict=False))
        for column, key in self._node.metadata:
            values = pa.chunked_array([self._meta(column, key, records)])
            columns[column] = plain_values(values.cast(self._types[column]))
        columns = {name: columns[name] for name in self.schema.names}
        if records.shard is not None:
            columns[SHARD] = records.shard.tolist()
        if self.tracks_records:
            columns[RECORD] = list(range(count))
        return PlainRows(count, columns, self._types)

    def _with_partitions(self, table: pa.Table, records: Records) -> pa.Table:
        """The rows with the columns that the folders of their file say."""
        for c in self._partitions:
            value = records.partition[c.name]
            try:
                column = column_of(value, c.type, table.num_rows)
            except pa.ArrowInvalid:
                place = self.source.place(0, int(records.offset[0]))
                message = f"{place}: the partition {c.name}={value} is no {c.type.null()}"
                hint = "declare the column as STRING, or rename the folder"
                raise EddylineError("bad_file", message, hint=hint) from None
            table = table.append_column(c.name, column)
        return table.select(list(self._node.columns.names))

    def arrivals(self, numbers: Int64s) -> Int64s:
        """Arrival times (epoch ms) of records of the flowing batch."""
        assert self._flowing is not None, "rows come from records"
        return self._flowing.arrival_ms[numbers]

    @property
    def drops_bad(self) -> bool:
        """Whether a record that does not fit is set aside or skipped instead of ending the job."""
        return self._keeps or self._skips

    @property
    def keeps_bad(self) -> bool:
        """Whether a record that does not fit becomes a dead letter."""
        return self._keeps

    def gave(self, rows: int) -> bool:
        """Whether so many rows are the records of the flowing batch, one by one."""
        return self._flowing is not None and len(self._flowing) == rows

    def place_of(self, number: int) -> str:
        """Where a record of the flowing batch is stored, for a message."""
        records = self._flowing
        assert records is not None, "rows come from records"
        shard = int(records.shard[number]) if records.shard is not None else 0
        return self.source.place(shard, int(records.offset[number]))

    def set_aside(self, numbers: Int64s, column: str, reason: str) -> None:
        """Count records of the flowing batch as bad; keep them if the table says so."""
        records = self._flowing
        assert records is not None, "rows come from records"
        self.context.figures.bad_records += len(numbers)
        if self._keeps:
            errors = [BadField(int(n), column, "", reason) for n in numbers.tolist()]
            self._keep(records, errors)

    def _decode(self, records: Records) -> tuple[pa.Table, Records, Kinds | None]:
        """The records' rows, the record of each row, and the kinds of change."""
        assert self._decoder is not None
        assert records.payload is not None
        decoded = self._decoder.decode(records.payload)
        rows = np.arange(len(records)) if decoded.origin is None else decoded.origin
        assert decoded.table.num_rows == len(rows), "decoding must keep every record"
        bad = self._bad(records, decoded.errors) if decoded.errors else set()
        if not bad and decoded.origin is None:
            return decoded.table, records, decoded.kinds
        keep = ~np.isin(rows, list(bad))
        rows, mask = rows[keep], pa.array(keep)
        self._format_values = {k: v.filter(mask) for k, v in decoded.metadata.items()}
        shard = None if records.shard is None else records.shard[rows]
        metadata = {k: v.take(pa.array(rows)) for k, v in records.metadata.items()}
        left = Records(
            records.payload.take(pa.array(rows)), None, shard, records.arrival_ms[rows],
            records.offset[rows], metadata, records.partition,
        )  # fmt: skip
        kinds = None if decoded.kinds is None else decoded.kinds[keep]
        return decoded.table.filter(mask), left, kinds

    def _bad(self, records: Records, errors: Sequence[BadField]) -> set[int]:
        """The records whose rows do not flow.

        Raises:
            EddylineError: ``bad_record`` unless the table sets such records aside or skips them.
        """
        if not self.drops_bad:
            raise self._refusal(records, errors[0])
        bad = {e.row for e in errors}
        self.context.figures.bad_records += len(bad)
        if self._keeps:
            self._keep(records, errors)
            return bad
        return {e.row for e in errors if not e.column}

    def _keep(self, records: Records, errors: Sequence[BadField]) -> None:
        """Write bad records into the job's dead letters."""
        if self.context.directory is None:  # a query only counts them
            return
        numbers = self.source.sequence_numbers(records)
        letters = [self._letter(records, numbers, e) for e in errors[-KEPT_MAX:]]
        DeadLetters(self.context.directory).add(letters)

    def _letter(self, records: Records, numbers: pa.Array, e: BadField) -> DeadLetter:
        shard = int(records.shard[e.row]) if records.shard is not None else 0
        assert records.payload is not None, "records that do not fit have a payload"
        first = e.row  # of the records that one record of the stream held
        while first and records.offset[first - 1] == records.offset[e.row]:
            first -= 1
        return DeadLetter(
            source=self.source.context.name,
            stream=self.source.stream_name,
            shard=self.source.shards[shard].name,
            sequence_number=str(numbers[e.row].as_py()),
            part=e.row - first,
            arrival_ms=int(records.arrival_ms[e.row]),
            field=e.column or "",
            reason=e.reason,
            payload=records.payload[e.row].as_py(),
        )

    def _refusal(self, records: Records, e: BadField) -> EddylineError:
        shard = int(records.shard[e.row]) if records.shard is not None else 0
        place = self.source.place(shard, int(records.offset[e.row]))
        if e.column is None:
            what = f"a record cannot be read: {e.reason}"
        elif e.text:
            what = f"column {e.column} of a record does not fit: {e.text!r}: {e.reason}"
        else:
            what = f"column {e.column} of a record does not fit: {e.reason}"
        name = self._format
        hint = (
            f"set '{name}.ignore-parse-errors' = 'true' to make such fields NULL, or "
            "'bad-records' = 'dead-letter' to put such records aside"
        )
        if "TIMESTAMP" in e.reason and name == "json":
            hint = f"check 'json.timestamp-format.standard'; or {hint}"
        return EddylineError("bad_record", f"{place}: {what}", hint=hint)

    def _meta(self, column: str, key: str, records: Records) -> pa.Array:
        if key.removeprefix("value.") in self._format_values:
            values = self._format_values[key.removeprefix("value.")]
            return values.cast(arrow_type(self.schema[column]), safe=False)
        if key in records.metadata:
            return records.metadata[key].cast(arrow_type(self.schema[column]), safe=False)
        if key == "timestamp":
            stamps = pa.array(records.arrival_ms, pa.timestamp("ms"))
            if self._is_local(column):  # a TIMESTAMP shows the session's clock, as in Flink
                stamps = pc.local_timestamp(stamps.cast(pa.timestamp("ms", self.context.zone)))
            return stamps.cast(arrow_type(self.schema[column]))
        if key == "shard-id":
            return self._shard_ids(records)
        if key == "sequence-number":
            return self.source.sequence_numbers(records)
        msg = f"column {column}: {self.source.context.name} has no metadata '{key}'"
        hint = "there are timestamp, shard-id, sequence-number"
        raise EddylineError("sql_semantic", msg, hint=hint)

    def _shard_ids(self, records: Records) -> pa.Array:
        known = sorted(self.source.shards)
        names = pa.array([self.source.shards[s].name for s in known])
        shard = records.shard if records.shard is not None else np.zeros(len(records), np.int32)
        where = np.searchsorted(np.array(known), shard)
        return names.take(pa.array(where))
