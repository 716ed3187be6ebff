"""Aligned windows as arithmetic: which windows a time belongs to, and which of them have fired.

All in epoch milliseconds with floored division, so that times before 1970 fall right. A window
is known by its end; ends form a grid of ``step``.
"""

from __future__ import annotations

import datetime as dt

import numpy as np
import pyarrow as pa

from eddyline.engine.operators.operator import Int64s, millis
from eddyline.errors import EddylineError
from eddyline.record.batch import Batch, ChangeKind
from eddyline.sql.physical import Window, WindowKind

END = "$end"


class WindowGrid:
    """The ends of the windows of TUMBLE, HOP and CUMULATE."""

    def __init__(self, window: Window) -> None:
        assert window.kind is not WindowKind.SESSION, "sessions are not aligned"
        self.size = window.size_ms
        self.step = window.slide_ms or window.size_ms
        self.cumulates = window.kind is WindowKind.CUMULATE
        self._offset = window.offset_ms
        # Ends lie on the grid of starts, moved by what the size exceeds a multiple of the slide.
        self._end_offset = window.offset_ms + (0 if self.cumulates else self.size % self.step)

    @property
    def single(self) -> bool:
        """Whether a time belongs to one window only."""
        return self.step == self.size

    def ends(self, times: Int64s) -> tuple[Int64s, Int64s]:
        """First and last end of the windows that hold each time.

        The first lies behind the last where no window holds the time: with a slide that is
        longer than the size there are gaps.
        """
        first = times - (times - self._end_offset) % self.step + self.step
        if self.single:
            return first, first
        if self.cumulates:
            return first, times - (times - self._offset) % self.size + self.size
        return first, times - (times - self._offset) % self.step + self.size

    def not_fired(self, first: Int64s, watermarks: Int64s) -> Int64s:
        """The first end whose window had not fired under the watermark before the row."""
        fired = watermarks >= first - 1
        if not fired.any():
            return first
        past = (np.maximum(watermarks, first - 1) - (first - 1)) // self.step + 1
        open_end: Int64s = first + np.where(fired, past, 0) * self.step
        return open_end

    def starts(self, ends: Int64s) -> Int64s:
        """The starts of the windows that end there."""
        if not self.cumulates:
            return ends - self.size
        return ends - 1 - (ends - 1 - self._offset) % self.size

    def start_text(self, end: str) -> str:
        """DuckDB text: the start of the window that ends at ``end``."""
        if not self.cumulates:
            return f"{end} - {self.size}"
        within = f"((({end} - 1 - {self._offset}) % {self.size}) + {self.size}) % {self.size}"
        return f"{end} - 1 - ({within})"


def refuse_null_time(rows: pa.Table, column: str) -> Int64s:
    """The row times, epoch ms.

    Raises:
        EddylineError: ``sql_runtime`` if one is NULL, as in Flink.
    """
    times = rows[column]
    if times.null_count:
        msg = f"row time {column} is NULL in {times.null_count} rows"
        hint = f"filter such rows out before the window: WHERE {column} IS NOT NULL"
        raise EddylineError("sql_runtime", msg, hint=hint)
    return millis(times)


def refuse_changes(batch: Batch, who: str) -> None:
    """Operators on windows take insert-only rows.

    Raises:
        EddylineError: ``sql_unsupported`` for a row that takes another one back.
    """
    if batch.kinds is not None and (batch.kinds != ChangeKind.INSERT).any():
        msg = f"{who} cannot take updates back"
        hint = "window the rows before they are grouped, or group without a window"
        raise EddylineError("sql_unsupported", msg, hint=hint)


def stamp(ms: int) -> str:
    """Epoch milliseconds as SQL text (UTC)."""
    try:
        moment = dt.datetime(1970, 1, 1) + dt.timedelta(milliseconds=ms)  # noqa: DTZ001
    except OverflowError:
        return "the end of time"
    return moment.isoformat(" ", "milliseconds")
