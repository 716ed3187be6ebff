"""Partitions of a forest: key values to texts, and, where windows are filled, to dense numbers.

Where windows without rows are filled, each key that has ever had a row is remembered with its
values, because a window of it may be missing. Otherwise a step needs its own keys alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from eddyline.engine.operators.operator import Int64s, OperatorContext, typed
from eddyline.record.schema import Column, Schema
from eddyline.record.types import quote

# Between key values in a label; no printable text holds it.
_GLUE = "\x1f"
_NULL = "\x00"


@dataclass(frozen=True, slots=True)
class KeysOfStep:
    """Keys of one step by id, 0, 1, 2, …: ids (n,) of the rows, labels (i,), and values (i rows),
    which are there only if all keys are remembered."""

    ids: Int64s
    labels: list[str]
    values: pa.Table

    def shown(self, ids: Int64s) -> tuple[str, ...]:
        """Each id's key as a person reads it: values joined by |."""
        words = {
            i: self.labels[i].replace(_GLUE, "|").replace(_NULL, "NULL")
            for i in np.unique(ids).tolist()
        }
        return tuple(words[i] for i in ids.tolist())


class ForestKeys:
    """The keys of each step. remembers: an id is a key's number in order of first appearance, for
    ever; kept in the job's database as rows by number."""

    def __init__(
        self, context: OperatorContext, below: Schema, names: tuple[str, ...], *, remembers: bool
    ) -> None:
        self._db = context.db
        self._names = list(names)
        self._remembers = remembers
        self._schema = Schema(tuple(Column(n, below[n]) for n in names))
        self._table = context.table("keys")
        taken = any(n.casefold() == "model" for n in names)
        self._model = "$model" if taken else "model"  # the column beside the key's own
        self._numbers: dict[str, int] = {}
        self._labels: list[str] = []
        self._values = self._schema.arrow().empty_table()

    def create(self) -> None:
        columns = self._schema.duckdb_columns()
        self._db.run(
            f"CREATE TABLE {self._table} "
            f"({quote(self._model)} BIGINT{', ' + columns if columns else ''})"
        )

    def restore(self) -> None:
        rows = self._db.query(f"SELECT * FROM {self._table} ORDER BY {quote(self._model)}")
        if not rows.num_rows:
            return
        self._labels = key_labels(rows, self._names).to_pylist()
        self._numbers = {label: i for i, label in enumerate(self._labels)}
        if self._names:
            self._values = typed(rows.select(self._names), self._schema)

    def none(self) -> KeysOfStep:
        """The keys as they are, for a step without rows."""
        return KeysOfStep(np.empty(0, np.int64), self._labels, self._values)

    def take(self, rows: pa.Table) -> KeysOfStep:
        """The key of each row, in order."""
        coded = key_labels(rows, self._names).dictionary_encode()
        labels = coded.dictionary.to_pylist()
        codes: Int64s = coded.indices.to_numpy().astype(np.int64)
        if not self._remembers:
            return KeysOfStep(codes, labels, self._values)
        fresh = [i for i, label in enumerate(labels) if label not in self._numbers]
        if fresh:
            first = len(self._labels)
            where = np.unique(codes, return_index=True)[1][fresh].tolist()
            self._labels = [*self._labels, *(labels[i] for i in fresh)]
            self._numbers.update({labels[i]: first + n for n, i in enumerate(fresh)})
            self._add(rows, where)
        numbers = np.array([self._numbers[label] for label in labels], np.int64)
        return KeysOfStep(numbers[codes], self._labels, self._values)

    def _add(self, rows: pa.Table, where: list[int]) -> None:
        """Remember the keys of these rows, in memory and in the database."""
        numbers = pa.array(np.arange(len(self._labels) - len(where), len(self._labels)))
        columns = []
        if self._names:
            more = typed(rows.select(self._names).take(pa.array(where, pa.int64())), self._schema)
            self._values, columns = pa.concat_tables([self._values, more]), more.columns
        table = pa.table([numbers, *columns], names=[self._model, *self._names])
        self._db.run(f"INSERT INTO {self._table} SELECT * FROM b", b=table)


def key_labels(rows: pa.Table, names: list[str]) -> pa.StringArray:
    """One text per row out of its key values."""
    if not names:
        return pa.array([""] * rows.num_rows, pa.string())
    parts = [pc.fill_null(rows[n].cast(pa.string()), _NULL) for n in names]
    joined = pc.binary_join_element_wise(*parts, _GLUE)
    return joined.combine_chunks() if isinstance(joined, pa.ChunkedArray) else joined
