"""A topic of Kafka as a sink: at least once.

Rows rest in the outbox until the brokers have taken them. A job that fails between that and the
next commit writes the rows of its last micro-batch again. Of a table with a key for upserts, a row
that is taken back becomes a record without a value.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa

from eddyline.engine.kafka_client import KafkaClient
from eddyline.engine.operators.operator import Operator, OperatorContext
from eddyline.engine.sinks.outbox import OutboxSink, Piece
from eddyline.errors import EddylineError
from eddyline.generator.kafka import produce
from eddyline.options.connectors import kafka as options
from eddyline.options.connectors.kafka import FieldsInclude
from eddyline.options.formats import own_options
from eddyline.record.batch import ChangeKind
from eddyline.record.formats import encoder
from eddyline.record.formats.format import Kinds
from eddyline.record.schema import Column, Schema
from eddyline.sql import physical as plan

FLUSH_S = 60.0
# What stands before a key in the outbox: there is none, there is one, one without a value.
_NO_KEY, _KEYED, _DELETED = "0", "1", "2"


class KafkaSink(OutboxSink):
    """Rows become records of one topic."""

    def __init__(
        self, context: OperatorContext, inputs: tuple[Operator, ...], node: plan.Sink, job: str
    ) -> None:
        table = self._table_options = node.table.options
        self._is_upsert = table["connector"] == "upsert-kafka"
        keys = node.table.primary_key if self._is_upsert else options.KEY_FIELDS.get(table) or ()
        stored = node.columns
        if keys and options.FIELDS_INCLUDE.read(table) is FieldsInclude.EXCEPT_KEY:
            stored = Schema(tuple(c for c in stored if c.name not in keys))
        super().__init__(context, inputs, node, job, stored)
        value = options.VALUE_FORMAT.get(table)
        if value is not None:
            own = own_options(value, table) | own_options(value, table, "value.")
            self._encoder = encoder(value, stored, own)
        self._keys_of = [c for c in node.columns if c.name in keys]
        self._key_encoder = None
        name = options.KEY_FORMAT.get(table)
        if name is not None and self._keys_of:
            prefix = options.KEY_PREFIX.read(table)
            named = (Column(c.name.removeprefix(prefix), c.type) for c in self._keys_of)
            own = own_options(name, table, "key.")
            self._key_encoder = encoder(name, Schema(tuple(named)), own)
        self._input_names = dict(zip(node.columns.names, inputs[0].schema.names, strict=True))
        (self._topic,) = options.TOPIC.read(table)[:1]
        self._client = KafkaClient(node.table.path.name, table)
        self._producer = self._client.producer()
        self._failure: Any = None

    def _encoded(self, rows: pa.Table, stored: pa.Table, kinds: Kinds | None) -> pa.Table:
        deleted = np.zeros(rows.num_rows, np.bool_)
        if self._is_upsert and kinds is not None:
            kept = kinds != ChangeKind.UPDATE_BEFORE
            rows, stored = rows.filter(pa.array(kept)), stored.filter(pa.array(kept))
            deleted = kinds[kept] == ChangeKind.DELETE
            kinds = None
        assert self._encoder is not None
        data = self._encoder.encode(stored, kinds)
        marks = np.where(deleted, _DELETED, _NO_KEY if self._key_encoder is None else _KEYED)
        keys = marks.tolist()
        if self._key_encoder is not None:
            names = [self._input_names[c.name] for c in self._keys_of]
            prefix = options.KEY_PREFIX.read(self._table_options)
            own = rows.select(names).rename_columns(
                [c.name.removeprefix(prefix) for c in self._keys_of]
            )
            encoded = self._key_encoder.encode(own, None).to_pylist()
            keys = [m + k.decode("latin-1") for m, k in zip(keys, encoded, strict=True)]
        return pa.table({"key": pa.array(keys, pa.string()), "data": data})

    def _give(self, pieces: Iterator[Piece], epoch: int) -> None:
        for piece in pieces:
            keys, data = piece.rows["key"].to_pylist(), piece.rows["data"].to_pylist()
            for key, value in zip(keys, data, strict=True):
                self._produce(key, value)
        left = self._producer.flush(FLUSH_S)
        if self._failure is not None or left:
            failure, self._failure = self._failure, None
            if failure is not None:
                raise self._client.error(failure)
            message = f"table {self._sink}: Kafka did not take {left:,} records in {FLUSH_S:.0f} s"
            hint = "the job is tried again; see that the brokers run"
            raise EddylineError("endpoint_error", message, hint=hint)

    def _produce(self, key: str, value: bytes) -> None:
        own = None if key[0] == _NO_KEY else key[1:].encode("latin-1")
        body = None if key[0] == _DELETED else value
        produce(self._producer, self._topic, body, own, self._delivered)

    def _delivered(self, error: Any, message: Any) -> None:
        if error is not None:
            self._failure = error

    def close(self) -> None:
        self._producer.flush(5)
