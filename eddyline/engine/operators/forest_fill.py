"""Windows without rows: which (key, window) is missing between two watermarks.

A key is known from its first row on. Windows lie ``window_ms`` apart; a window's point stands at
its last millisecond, as its row would. All is arithmetic over window numbers, so that a long
silence costs no loop.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from eddyline.engine.operators.forest_keys import KeysOfStep
from eddyline.engine.operators.operator import Int64s, millis
from eddyline.record.batch import MAX_WATERMARK
from eddyline.record.schema import Schema
from eddyline.record.types import arrow_type
from eddyline.sql import physical as plan

# A stream that was silent for long is filled for its newest windows only.
FILLED_MAX = 100_000

_NONE = (np.empty(0, np.int64), np.empty(0, np.int64))


class Gaps:
    """Remembers, for each key, the first window it was seen in, and how far all is filled."""

    def __init__(self, node: plan.Forest, below: Schema) -> None:
        assert node.window_ms > 0, "fill needs the distance of windows"
        self._node = node
        self._below = below
        self._width = node.window_ms
        self._phase: int | None = None
        self._spans: dict[str, int] = {}
        self._first: list[int] = []
        self._done: int | None = None

    @property
    def next_ms(self) -> int | None:
        """The watermark at which the next window is complete."""
        if self._done is None or self._phase is None:
            return None
        return self._phase + (self._done + 1) * self._width

    def due(self, watermark: int) -> bool:
        """Whether some window has become complete."""
        at = self.next_ms
        return at is not None and watermark != MAX_WATERMARK and watermark >= at

    def learn(self, rows: pa.Table, times: Int64s) -> None:
        """From the first row: where windows stand, and what their columns hold."""
        if self._phase is None:
            aligned = bool(self._node.window_columns)
            self._phase = int(times[0]) % self._width if aligned else self._width - 1
            for name in self._node.window_columns:
                self._spans[name] = int(millis(rows[name].slice(0, 1))[0]) - int(times[0])

    def missing(
        self, ids: Int64s | None, times: Int64s | None, watermark: int
    ) -> tuple[Int64s, Int64s]:
        """(id, time) of the points to be filled in, up to the watermark."""
        if self._phase is None:
            return _NONE
        number = np.empty(0, np.int64) if times is None else self._number(times)
        if ids is None:
            ids = np.empty(0, np.int64)
        self._meet(ids, number)
        begin = np.array(self._first, np.int64)
        newest = int(number.max()) if len(number) else None
        upto = self._upto(watermark, newest)
        if upto is None or (self._done is not None and upto <= self._done):
            return _NONE
        if self._done is not None:
            begin = np.maximum(begin, self._done + 1)
        begin = np.maximum(begin, upto + 1 - max(1, FILLED_MAX // max(1, len(begin))))
        self._done = upto
        return self._absent(ids, number, begin, upto)

    def rows(self, keys: KeysOfStep, ids: Int64s, times: Int64s) -> pa.Table:
        """The points as rows of the forest's input: key, time, window, the value; else NULL."""
        known = keys.values.take(pa.array(ids))
        columns = []
        for c in self._below:
            kind = arrow_type(c.type)
            if c.name in known.column_names:
                columns.append(known[c.name].combine_chunks())
            elif c.name in self._node.columns:
                columns.append(pa.array(np.full(len(times), self._node.fill)).cast(kind))
            elif c.name == self._node.time_column or c.name in self._spans:
                at = times + self._spans.get(c.name, 0)
                columns.append(pa.array(at * 1000).cast(pa.timestamp("us")))
            else:
                columns.append(pa.nulls(len(times), kind))
        return pa.table(columns, names=list(self._below.names))

    def save(self) -> dict[str, Any]:
        return {
            "phase": self._phase,
            "spans": self._spans,
            "first": self._first,
            "done": self._done,
        }

    def restore(self, saved: dict[str, Any]) -> None:
        self._phase, self._spans = saved["phase"], saved["spans"]
        self._first, self._done = saved["first"], saved["done"]

    def _number(self, times: Int64s) -> Int64s:
        """The window that a time lies in (its point stands at the window's last millisecond)."""
        assert self._phase is not None
        return -((self._phase - times) // self._width)

    def _meet(self, ids: Int64s, number: Int64s) -> None:
        """Note the first window of keys seen for the first time; they are numbered densely."""
        known = len(self._first)
        fresh = ids >= known
        if fresh.any():
            first = np.full(int(ids.max()) + 1 - known, np.iinfo(np.int64).max)
            np.minimum.at(first, ids[fresh] - known, number[fresh])
            self._first += first.tolist()

    def _upto(self, watermark: int, newest: int | None) -> int | None:
        """The last complete window."""
        assert self._phase is not None
        if watermark == MAX_WATERMARK:
            return newest
        return (watermark - self._phase) // self._width

    def _absent(
        self, ids: Int64s, number: Int64s, begin: Int64s, upto: int
    ) -> tuple[Int64s, Int64s]:
        assert self._phase is not None
        counts = np.maximum(upto + 1 - begin, 0)
        who = np.repeat(np.arange(len(begin)), counts)
        nth = np.arange(len(who)) - np.repeat(np.cumsum(counts) - counts, counts)
        which = begin[who] + nth
        if len(ids):
            low = int(min(which.min(initial=0), number.min()))
            wide = int(max(upto, number.max())) - low + 1
            there = np.isin(who * wide + (which - low), ids * wide + (number - low))
            who, which = who[~there], which[~there]
        return who, which * self._width + self._phase
