"""Files that are read by column: their rows as JSON objects, cut around the event time."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.compute as pc

from eddyline.generator.column import Integers
from eddyline.generator.json_text import or_null, quoted
from eddyline.generator.replay.batch import Facts, ReplayBatch, whole
from eddyline.generator.replay.text import BadLines
from eddyline.generator.replay.time_pattern import TimePattern


class ColumnReader(ABC):
    """Reads a format whose rows come as tables. ``first_row``: how faults number the first."""

    format: str
    first_row = 1

    def __init__(
        self,
        source: IO[bytes],
        path: Path,
        time_field: str | None,
        pattern: TimePattern | None = None,
    ) -> None:
        self._source = source
        self._path = path
        self.facts = Facts(self.format, time_field, pattern)
        self.faults = BadLines()

    def batches(self) -> Iterator[ReplayBatch]:
        row = self.first_row
        for table in self._tables():
            if not self.facts.columns:
                self._infer(table)
            batch = self._batch(table, row)
            row += len(table)
            if len(batch):
                yield batch

    @abstractmethod
    def _tables(self) -> Iterator[Any]:
        """The rows as RecordBatches, in file order."""

    @abstractmethod
    def _infer(self, table: Any) -> None:
        """Complete ``facts`` from the first rows."""

    @abstractmethod
    def _batch(self, table: Any, first: int) -> ReplayBatch:
        """The rows that can be used, the first of them numbered ``first``."""


def objects(
    columns: Iterable[tuple[str, Any, bool]], timed: str | None, ms: Integers
) -> ReplayBatch:
    """Rows as JSON objects around the column ``timed``; ``ms`` are the times.

    columns: name, values as a StringArray (null where there is none), and whether they are texts
    rather than JSON already.
    """
    parts: list[Any] = []
    head, time, opening = None, None, "{"
    for name, texts, is_text in columns:
        parts.append(opening + json.dumps(name, ensure_ascii=False) + ":")
        opening = ","
        if name == timed:
            mark = '"' if is_text else ""
            head = _joined([*parts, mark], len(ms))
            time, parts = texts, [mark]
        else:
            parts.append(or_null(quoted(texts) if is_text else texts))
    tail = _joined([*parts, "}"], len(ms))
    return whole(tail) if head is None else ReplayBatch(head, time, tail, ms)


def _joined(parts: list[Any], n: int) -> Any:
    if all(isinstance(p, str) for p in parts):
        return pa.repeat("".join(parts), n)
    return pc.binary_join_element_wise(*parts, "")
