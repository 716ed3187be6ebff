"""Partitions of a forest: key values to dense model numbers, in order of first appearance.

A forest holds so many keys and no more. When another one comes, the key that has been without rows
for longest leaves and the new one takes its place: decided row by row, so that it depends neither
on batches nor on a restart. A key that comes back begins anew.
"""

from __future__ import annotations

from collections.abc import Sequence
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
# Rows of the table of who was seen when, beyond four per key, before it is written anew.
_SEEN_ROWS = 10_000


@dataclass(frozen=True, slots=True)
class EvictedKey:
    """A key that left at a row: the ids of it and of the key that came in its place."""

    row: int
    old: int
    new: int


@dataclass(frozen=True, slots=True)
class KeysOfStep:
    """Keys of one step. An id is a model's number, or a further one for a key that came in the
    place of another: models (i,), labels (i) and values (i rows) are by id. ids (n,): of rows."""

    ids: Int64s
    models: Int64s
    labels: Sequence[str]
    values: pa.Table
    left: tuple[EvictedKey, ...] = ()

    def shown(self, ids: Int64s) -> tuple[str, ...]:
        """Each id's key as a person reads it: values joined by |."""
        words = {
            i: self.labels[i].replace(_GLUE, "|").replace(_NULL, "NULL")
            for i in np.unique(ids).tolist()
        }
        return tuple(words[i] for i in ids.tolist())


class ForestKeys:
    """Grows with new keys up to ``most``; kept in the job's database as rows by number."""

    def __init__(
        self, context: OperatorContext, below: Schema, names: tuple[str, ...], durable: bool = True
    ) -> None:
        self.most = 2**31
        self.dropped = 0
        self._db = context.db
        self._names = list(names)
        self._durable = durable and bool(names)
        self._schema = Schema(tuple(Column(n, below[n]) for n in names))
        self._table = context.table("keys")
        taken = any(n.casefold() == "model" for n in names)
        self._model = "$model" if taken else "model"  # the column beside the key's own
        self._seen_table = context.table("seen")
        self._seen_rows = 0
        self._clock = 0
        self._numbers: dict[str, int] = {}
        self._recent: dict[str, None] = {}  # labels, the longest without rows first
        self._labels: list[str] = []
        self._values = self._schema.arrow().empty_table()

    def __len__(self) -> int:
        return len(self._labels)

    def create(self) -> None:
        columns = self._schema.duckdb_columns()
        self._db.run(
            f"CREATE TABLE {self._table} "
            f"({quote(self._model)} BIGINT{', ' + columns if columns else ''})"
        )
        self._create_seen()

    def restore(self) -> None:
        self._create_seen()
        rows = self._db.query(f"SELECT * FROM {self._table} ORDER BY {quote(self._model)}")
        if not rows.num_rows:
            return
        self._labels = key_labels(rows, self._names).to_pylist()
        self._numbers = {label: i for i, label in enumerate(self._labels)}
        if self._names:
            self._values = typed(rows.select(self._names), self._schema)
        seen = self._db.query(
            f"SELECT model, max(nth) AS n FROM {self._seen_table} GROUP BY model ORDER BY n"
        )
        self._recent = dict.fromkeys(self._labels)
        self._touch([self._labels[m] for m in seen["model"].to_pylist()])
        self._clock = int(pc.max(seen["n"]).as_py() or 0) + 1
        self._seen_rows = seen.num_rows

    def none(self) -> KeysOfStep:
        """The keys as they are, for a step without rows."""
        return KeysOfStep(np.empty(0, np.int64), np.arange(len(self)), self._labels, self._values)

    def take(self, rows: pa.Table) -> KeysOfStep:
        """The key of each row, in order; a new one gets the next number, or that of the key that
        has been without rows for longest."""
        coded = key_labels(rows, self._names).dictionary_encode()
        labels, codes = coded.dictionary.to_pylist(), coded.indices.to_numpy()
        fresh = sum(label not in self._numbers for label in labels)
        if len(self) + fresh <= self.most:
            step_keys = self._all_fit(rows, labels, codes)
        else:
            step_keys = self._some_leave(rows, labels, codes)
        if self._durable and rows.num_rows:
            self._note(step_keys)
        self._clock += rows.num_rows
        return step_keys

    def _all_fit(self, rows: pa.Table, labels: list[str], codes: Int64s) -> KeysOfStep:
        fresh = [i for i, label in enumerate(labels) if label not in self._numbers]
        if fresh:
            first = len(self)
            where = [int(np.argmax(codes == i)) for i in fresh]
            self._labels = [*self._labels, *(labels[i] for i in fresh)]
            self._numbers.update({labels[i]: first + n for n, i in enumerate(fresh)})
            self._values = self._with(rows, where)
            self._keep(np.arange(first, len(self)))
        last = len(codes) - 1 - np.unique(codes[::-1], return_index=True)[1]
        self._touch([labels[codes[at]] for at in np.sort(last)])
        numbers = np.array([self._numbers[label] for label in labels], np.int64)
        return KeysOfStep(numbers[codes], np.arange(len(self)), self._labels, self._values)

    def _some_leave(self, rows: pa.Table, labels: list[str], codes: Int64s) -> KeysOfStep:
        """Row by row: which key is the one to leave changes with each row."""
        ids, models = np.empty(len(codes), np.int64), list(range(len(self)))
        names, where, left = list(self._labels), list[int](), list[EvictedKey]()
        numbers, recent = self._numbers, self._recent
        for row, code in enumerate(codes.tolist()):
            label = labels[code]
            number = numbers.get(label)
            if number is None:
                number = len(models)
                if len(numbers) < self.most:
                    models.append(number)
                else:
                    old = numbers.pop(next(iter(recent)))
                    del recent[names[old]]
                    models.append(models[old])
                    left.append(EvictedKey(row, old, number))
                numbers[label] = number
                names.append(label)
                where.append(row)
            recent.pop(label, None)
            recent[label] = None
            ids[row] = number
        values = self._with(rows, where)
        step_keys = KeysOfStep(ids, np.array(models, np.int64), names, values, tuple(left))
        self._replace(step_keys)
        return step_keys

    def _replace(self, taken: KeysOfStep) -> None:
        """After some have left: the newest key of each model stays."""
        before = len(self)
        now = np.zeros(int(taken.models.max()) + 1, np.int64)
        now[taken.models] = np.arange(len(taken.models))  # the last one of a model wins
        self._labels = [taken.labels[i] for i in now.tolist()]
        self._numbers = {label: i for i, label in enumerate(self._labels)}
        if self._names:
            self._values = taken.values.take(pa.array(now))
        changed = np.flatnonzero(now >= before)
        gone = ", ".join(str(m) for m in changed.tolist())
        self._db.run(f"DELETE FROM {self._table} WHERE {quote(self._model)} IN ({gone})")
        self._keep(changed)
        self.dropped += len(taken.left)

    def _with(self, rows: pa.Table, where: list[int]) -> pa.Table:
        """The values, and those of further rows below them."""
        if not self._names:
            return self._values
        more = rows.select(self._names).take(pa.array(where, pa.int64()))
        return pa.concat_tables([self._values, typed(more, self._schema)])

    def _keep(self, models: Int64s) -> None:
        columns = self._values.take(pa.array(models)).columns if self._names else []
        table = pa.table([pa.array(models), *columns], names=[self._model, *self._names])
        self._db.run(f"INSERT INTO {self._table} SELECT * FROM b", b=table)

    def _touch(self, labels: list[str]) -> None:
        for label in labels:
            self._recent.pop(label, None)
            self._recent[label] = None

    def _create_seen(self) -> None:
        self._db.run(f"CREATE TABLE IF NOT EXISTS {self._seen_table} (model BIGINT, nth BIGINT)")

    def _note(self, taken: KeysOfStep) -> None:
        """When the keys of a step were seen last; now and then, all keys once."""
        models = taken.models[taken.ids]
        last = len(models) - 1 - np.unique(models[::-1], return_index=True)[1]
        which, nth = models[last], self._clock + last
        if self._seen_rows + len(which) > 4 * len(self) + _SEEN_ROWS:
            self._db.run(f"DELETE FROM {self._seen_table}")
            which = np.array([self._numbers[label] for label in self._recent], np.int64)
            nth = self._clock + len(models) - len(which) + np.arange(len(which))
            self._seen_rows = 0
        table = pa.table({"model": pa.array(which), "nth": pa.array(nth)})
        self._db.run(f"INSERT INTO {self._seen_table} SELECT * FROM b", b=table)
        self._seen_rows += len(which)


def key_labels(rows: pa.Table, names: list[str]) -> pa.StringArray:
    """One text per row out of its key values."""
    if not names:
        return pa.array([""] * rows.num_rows, pa.string())
    parts = [pc.fill_null(rows[n].cast(pa.string()), _NULL) for n in names]
    joined = pc.binary_join_element_wise(*parts, _GLUE)
    return joined.combine_chunks() if isinstance(joined, pa.ChunkedArray) else joined
