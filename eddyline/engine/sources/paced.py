"""Sources that make rows themselves, at a rate, up to a number of rows."""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from eddyline.engine.sources.source import Records, ShardProgress, Source, SourceContext
from eddyline.options.connectors.paced import ROWS_PER_SECOND
from eddyline.record.schema import Schema

Offsets = npt.NDArray[np.int64]


class PacedSource(Source):
    """One shard whose position is the number of rows made so far.

    Values should depend only on the table's name and the rows' numbers, so that a job that is
    started again goes on with the rows it would have made.
    """

    def __init__(
        self,
        context: SourceContext,
        schema: Schema,
        total: int | None,
        rate: float | None = None,
    ) -> None:
        """rate: rows a second, infinite for as many as are read; None for the option's."""
        super().__init__(context)
        self._schema = schema
        self._rate = float(ROWS_PER_SECOND.read(context.options)) if rate is None else rate
        self._total = total
        self.bounded = total is not None
        self.shards = {0: ShardProgress(0, context.options.get("connector", ""))}
        self._began: float | None = None
        self._first = 0

    def open(self, saved: dict[str, int] | None, identity: str | None = None) -> None:
        self.shards[0].position = self._first = (saved or {}).get("0", 0)

    def poll(self, rows_max: int) -> Records | None:
        shard = self.shards[0]
        now = self.context.clock.monotonic()
        if self._began is None:
            self._began = now
        due = shard.position + rows_max
        if math.isfinite(self._rate):
            due = self._first + int((now - self._began) * self._rate)
        left = rows_max if self._total is None else self._total - shard.position
        n = min(due - shard.position, left, rows_max)
        if self._total is not None and shard.position >= self._total:
            self.ended = True
        if n <= 0:
            return None
        offset = np.arange(shard.position, shard.position + n)
        shard.position += n
        shard.tip = max(shard.position, due)
        now_ms = self.context.clock.now_ms()
        arrival = np.full(n, now_ms, np.int64)
        rows = pa.table(self._columns(offset, now_ms), names=list(self._schema.names))
        return Records(None, rows, None, arrival, offset)

    @abstractmethod
    def _columns(self, offset: Offsets, now_ms: int) -> list[Any]:
        """The columns of these rows, in the schema's order and Arrow types."""
