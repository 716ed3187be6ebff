"""What every reader of a file yields: records cut around their event time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from eddyline.generator.column import Integers
from eddyline.generator.replay.instant import Style, move_times
from eddyline.generator.replay.text import BadLines
from eddyline.generator.replay.time_pattern import TimePattern


@dataclass(frozen=True, slots=True)
class ReplayBatch:
    """``n`` records as text before the event time, the time, and after it (StringArrays).

    ``ms`` is the event time, shape (n,). Where a file has no times all of a record's text stands
    in ``head`` and ``ms`` is zero.
    """

    head: Any
    time: Any
    tail: Any
    ms: Integers

    def __len__(self) -> int:
        return len(self.ms)

    def take(self, rows: Integers) -> ReplayBatch:
        """The batch with these rows, in this order."""
        at = pa.array(rows)
        return ReplayBatch(
            self.head.take(at), self.time.take(at), self.tail.take(at), self.ms[rows]
        )

    def cut(self, start: int, stop: int) -> ReplayBatch:
        """Rows from ``start`` up to ``stop``."""
        n = stop - start
        head, time, tail = (p.slice(start, n) for p in (self.head, self.time, self.tail))
        return ReplayBatch(head, time, tail, self.ms[start:stop])

    def records(self, style: Style | TimePattern | None, offset_s: int) -> Any:
        """The records as a BinaryArray, times moved by whole seconds."""
        time = self.time
        if offset_s and style is not None:
            time = move_times(time, style, offset_s)
        return pc.binary_join_element_wise(self.head, time, self.tail, "").cast(pa.binary())


def together(batches: list[ReplayBatch]) -> ReplayBatch:
    """Several batches as one."""
    if len(batches) == 1:
        return batches[0]
    head = pa.concat_arrays([b.head for b in batches])
    time = pa.concat_arrays([b.time for b in batches])
    tail = pa.concat_arrays([b.tail for b in batches])
    return ReplayBatch(head, time, tail, np.concatenate([b.ms for b in batches]))


@dataclass(slots=True)
class Facts:
    """What a reader has learned about its file."""

    format: str
    time_field: str | None = None
    style: Style | TimePattern | None = None
    columns: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


class RecordReader(Protocol):
    """Reads one format. ``facts`` are complete once the first batch was yielded."""

    facts: Facts
    faults: BadLines

    def batches(self) -> Iterator[ReplayBatch]:
        """The records in file order."""


def whole(data: Any) -> ReplayBatch:
    """Records without a time."""
    empty = pa.repeat("", len(data))
    return ReplayBatch(data, empty, empty, np.zeros(len(data), np.int64))
