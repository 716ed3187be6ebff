"""Partitions of a forest: key values to dense model numbers, in order of first appearance."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from eddyline.engine.operators.operator import Context, Int64s, typed
from eddyline.record.schema import Column, Schema

# Between key values in a label; no printable text holds it.
_GLUE = "\x1f"
_NULL = "\x00"


class ForestKeys:
    """Grows with new keys; kept in the job's database as rows in order of their number."""

    def __init__(self, context: Context, below: Schema, names: tuple[str, ...]) -> None:
        self._db = context.db
        self._names = list(names)
        self._schema = Schema(tuple(Column(n, below[n]) for n in names))
        self._table = context.table("keys")
        self._numbers: dict[str, int] = {}
        self._labels: list[str] = []
        self._values = self._schema.arrow().empty_table()

    def __len__(self) -> int:
        return len(self._numbers)

    def create(self) -> None:
        columns = self._schema.duckdb_columns()
        self._db.run(
            f"CREATE TABLE {self._table} (model BIGINT{', ' + columns if columns else ''})"
        )

    def restore(self) -> None:
        rows = self._db.query(f"SELECT * FROM {self._table} ORDER BY model")
        if rows.num_rows:
            self._add(rows.select(self._names), _labels(rows, self._names).to_pylist())

    def models(self, rows: pa.Table) -> Int64s:
        """The model number of each row; a new key gets the next one."""
        coded = _labels(rows, self._names).dictionary_encode()
        labels = coded.dictionary.to_pylist()
        fresh = [i for i, label in enumerate(labels) if label not in self._numbers]
        if fresh:
            codes = coded.indices.to_numpy()
            first = [int(np.argmax(codes == i)) for i in fresh]
            self._keep(rows.select(self._names).take(pa.array(first)), [labels[i] for i in fresh])
        numbers = np.array([self._numbers[label] for label in labels], np.int64)
        found: Int64s = numbers[coded.indices.to_numpy()]
        return found

    def values(self, models: Int64s) -> pa.Table:
        """The key columns of models."""
        return self._values.take(pa.array(models))

    def shown(self, models: Int64s) -> tuple[str, ...]:
        """Each model's key as a person reads it: values joined by |."""
        words = [label.replace(_GLUE, "|").replace(_NULL, "NULL") for label in self._labels]
        return tuple(words[m] for m in models.tolist())

    def _keep(self, values: pa.Table, labels: list[str]) -> None:
        first = len(self._labels)
        self._add(values, labels)
        models = pa.array(np.arange(first, first + len(labels)))
        table = pa.table([models, *values.columns], names=["model", *self._names])
        self._db.run(f"INSERT INTO {self._table} SELECT * FROM b", b=table)

    def _add(self, values: pa.Table, labels: list[str]) -> None:
        first = len(self._labels)
        self._labels += labels
        self._numbers.update({label: first + i for i, label in enumerate(labels)})
        if self._names:
            self._values = pa.concat_tables([self._values, typed(values, self._schema)])


def _labels(rows: pa.Table, names: list[str]) -> pa.StringArray:
    """One text a row out of its key values."""
    if not names:
        return pa.array([""] * rows.num_rows, pa.string())
    parts = [pc.fill_null(rows[n].cast(pa.string()), _NULL) for n in names]
    joined = pc.binary_join_element_wise(*parts, _GLUE)
    return joined.combine_chunks() if isinstance(joined, pa.ChunkedArray) else joined
