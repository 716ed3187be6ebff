"""Watermarks, row by row and shard by shard.

A row's lateness must not depend on how rows were cut into batches, so the watermark in force
just before each row is computed for every row: a running maximum per shard, and over the active
shards the minimum, in the order in which the scan delivers them (arrival, shard, sequence
number). A shard read to its tip is idle after a while and no longer holds the others back. If
the time is the arrival time itself, the log's clock moves the watermark of a shard at its tip,
so that windows close without a further row.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from eddyline.engine.operators.operator import (
    RECORD,
    SHARD,
    Int64s,
    Operator,
    OperatorContext,
    Step,
    millis,
    numbers_of,
)
from eddyline.engine.operators.scan import Scan
from eddyline.engine.operators.time_bound import TimeBound
from eddyline.errors import EddylineError
from eddyline.record.batch import MAX_WATERMARK, MIN_WATERMARK, Batch
from eddyline.record.types import quote
from eddyline.sql import physical as plan

# How long a record may take from its arrival stamp until readers see it (the put's fsync).
ARRIVAL_SLACK_MS = 250


class AssignWatermark(Operator):
    """Gives each row the watermark before it, and the step the watermark after it."""

    def __init__(
        self, context: OperatorContext, inputs: tuple[Operator, ...], node: plan.AssignWatermark
    ) -> None:
        super().__init__(context, inputs, node.schema)
        inputs[0].may_wait = False
        self._column = node.column
        self._sql = f"SELECT ({node.watermark})::TIMESTAMP AS w FROM b"
        self._delay_us = _delay_us(node.watermark, node.column)
        self.scan = _scan_below(inputs[0])
        self._arrival = self.is_clock_driven = _is_arrival(inputs[0], node.column)
        self._shards: dict[int, int] = {}
        self._now = MIN_WATERMARK
        self._lead_ms: int | None = None
        self._bound: TimeBound | None = None
        if self.scan is not None and self.scan.source.has_arrival:
            self.scan.tracks_records = True
            bound_ms = self.scan.source.max_ahead_ms
            if bound_ms and not self._arrival:
                self._bound = TimeBound(bound_ms)

    def step(self, inputs: tuple[Step, ...]) -> Step:
        batch = inputs[0].batch
        out = self._assign(batch) if batch is not None and batch.num_rows else None
        self._now = max(self._now, self._after(inputs[0].ended))
        shown = max(self._shards.values(), default=MIN_WATERMARK) if inputs[0].ended else self._now
        self.context.figures.watermark_ms = max(self.context.figures.watermark_ms, shown)
        return Step(out, self._now)

    def due(self, inputs: tuple[int, ...]) -> tuple[int, bool]:
        mark = max(self._now, self._after(inputs[0] == MAX_WATERMARK))
        if self.scan is None or not self.scan.pending:
            # Time that passed while shards were idle does not turn back when one wakes up.
            self._now = mark
        return mark, False

    def save(self) -> dict[str, Any]:
        shards = {str(k): v for k, v in self._shards.items()}
        saved = {"shards": shards, "now": self._now, "lead_ms": self._lead_ms}
        return saved | ({"bound": self._bound.save()} if self._bound else {})

    def restore(self, saved: dict[str, Any]) -> None:
        self._shards = {int(k): v for k, v in saved["shards"].items()}
        self._now, self._lead_ms = saved["now"], saved["lead_ms"]
        self.context.figures.watermark_ms = max(self.context.figures.watermark_ms, self._now)
        if self._bound is None:
            return
        if "bound" in saved:
            self._bound.restore(saved["bound"])
        else:  # written before there was a bound
            self._bound.start_at(max(self._shards.values(), default=MIN_WATERMARK))

    def forget_shards(self) -> None:
        """Another stream is read from here on: the watermark stays, its shards' own do not."""
        self._shards.clear()
        self._lead_ms = None

    @property
    def shard_watermarks(self) -> dict[int, int]:
        """The newest watermark of each shard that has given rows."""
        return self._shards

    def why_silent(self) -> list[str]:
        if self.scan is None:
            return []
        held = self.context.figures.held
        if held and self._bound is not None:
            return [*self._holding_back(), self._held_reason(held)]
        return self._holding_back()

    def _held_reason(self, held: int) -> str:
        assert self.scan is not None
        return (
            f"{held} rows have a {self._column} too far after their arrival and did not move the "
            f"watermark; 'scan.watermark.max-ahead' of {self.scan.source.context.name} sets how far"
        )

    def _holding_back(self) -> list[str]:
        assert self.scan is not None
        waiting = [s for s in self.scan.active() if s not in self._shards]
        names = ", ".join(self.scan.shard_name(s) for s in waiting)
        if waiting and self._shards:
            return [f"the watermark is held back by {names}, which has given no row yet"]
        behind = [s for s in self.scan.active() if self._shards.get(s, 0) == self._now]
        if len(behind) == 1 and len(self._shards) > 1:
            return [f"the watermark is held back by {self.scan.shard_name(behind[0])}"]
        return []

    def _assign(self, batch: Batch) -> Batch:
        batch = self._with_times(batch)
        names = self.schema.names
        if batch.num_rows == 0:
            return Batch(batch.rows.select(list(names)), batch.kinds)
        us = numbers_of(batch, self._column, np.int64)
        assert us is not None
        if self._delay_us is not None:
            w = (us - self._delay_us) // 1000
        else:  # it may read other columns as well
            w = self._computed(batch.rows.select(list(names)))
        if self._bound is not None:
            w = self._bounded(self._bound, w, batch)
        if self._arrival:
            self._lead_ms = int(w[-1] - us[-1] // 1000)
        before = self._before(w, numbers_of(batch, SHARD, np.int32), self._arrivals(batch))
        given = batch.plain.select(names) if batch.plain else batch.rows.select(list(names))
        return Batch(given, batch.kinds, before)

    def _bounded(self, bound: TimeBound, w: Int64s, batch: Batch) -> Int64s:
        """The rows' watermarks without those too far after their arrival."""
        assert self.scan is not None
        numbers = numbers_of(batch, RECORD, np.int64)
        assert numbers is not None
        figures, first = self.context.figures, self.context.figures.held == 0
        w, held = bound.apply(w, self.scan.arrivals(numbers))
        figures.held += held
        if held and first:
            self.scan.source.context.warn(self._held_reason(held))
        return w

    def _with_times(self, batch: Batch) -> Batch:
        """The rows that have a row time; others end the job, or are set aside as bad records."""
        if batch.plain is not None and None not in batch.plain.columns[self._column]:
            return batch
        times = batch.rows[self._column]
        if not times.null_count:
            return batch
        self.context.figures.null_time += times.null_count
        none = times.is_null().combine_chunks()
        numbers = None
        if RECORD in batch.rows.column_names:
            numbers = batch.rows[RECORD].combine_chunks().filter(none).to_numpy()
        if self.scan is None or numbers is None or not self.scan.drops_bad:
            place = (
                f"{self.scan.place_of(int(numbers[0]))}: "
                if self.scan and numbers is not None
                else ""
            )
            msg = f"{place}row time {self._column} is NULL"
            hint = (
                f"let {self._column} never be NULL, or put such records aside with "
                "'bad-records' = 'dead-letter'"
            )
            raise EddylineError("sql_runtime", msg, hint=hint)
        self.scan.set_aside(numbers, self._column, "the row time is NULL")
        keep = pc.invert(none)
        kinds = (
            batch.kinds[keep.to_numpy(zero_copy_only=False)] if batch.kinds is not None else None
        )
        return Batch(batch.rows.filter(keep), kinds)

    def _computed(self, given: pa.Table) -> Int64s:
        """The watermark expression of each row, by DuckDB."""
        try:
            marks = self.context.db.query(self._sql, b=given)["w"]
        except EddylineError as error:
            if error.code != "sql_runtime" or self.scan is None:
                raise
            message = f"table {self.scan.source.context.name}: its watermark: {error.message}"
            hint = "let the expression of WATERMARK FOR hold for every row"
            raise EddylineError(error.code, message, hint=hint) from error
        w = millis(marks.fill_null(0))
        if marks.null_count:
            w = np.where(marks.is_null().combine_chunks().to_numpy(False), MIN_WATERMARK, w)
        return w

    def _before(self, w: Int64s, shard: npt.NDArray[Any] | None, arrivals: Int64s | None) -> Int64s:
        """The watermark in force just before each row; moves the shards' own watermarks on.

        shard, arrivals: of each row; None where there is one shard, where they are not known.
        """
        if shard is None:
            after = np.maximum.accumulate(np.maximum(w, self._shards.get(0, MIN_WATERMARK)))
            self._shards[0] = int(after[-1])
            others = self._others({0})
            whole = np.minimum(after, others)
        else:
            whole = self._merge(w, shard, arrivals)
        whole = np.maximum.accumulate(np.maximum(whole, self._now))
        before = np.empty_like(whole)
        before[0], before[1:] = self._now, whole[:-1]
        self._now = int(whole[-1])
        return before

    def _arrivals(self, batch: Batch) -> Int64s | None:
        """When the rows' records arrived; None where that is not known."""
        numbers = numbers_of(batch, RECORD, np.int32)
        return None if self.scan is None or numbers is None else self.scan.arrivals(numbers)

    def _merge(
        self, w: Int64s, shard: np.ndarray[Any, Any], arrivals: Int64s | None = None
    ) -> Int64s:
        """Minimum over shards of each shard's running maximum.

        A shard's maximum never falls. So what it is until a row may stand for all rows before that
        one, and one suffix minimum over "the maximum until the next row of its shard" gives the
        minimum over all shards, without a pass over the batch for each of them.
        """
        n = len(w)
        order = np.argsort(shard, kind="stable")
        present, starts = np.unique(shard[order], return_index=True)
        until = np.full(n, MAX_WATERMARK)  # at i: what some shard's maximum is up to row i
        whole = np.full(n, self._others(set(present.tolist())))
        for s, at in zip(present.tolist(), np.split(order, starts[1:]), strict=True):
            known = self._shards.get(s, MIN_WATERMARK)
            own = np.maximum.accumulate(np.maximum(w[at], known))
            self._shards[s] = int(own[-1])
            if self.scan and self.scan.was_idle(s):
                steps = np.repeat(own, np.diff(np.append(at, n)))
                whole[at[0] :] = np.minimum(whole[at[0] :], steps)
                joins = _joins_at(arrivals, int(at[0]))
                whole[joins : at[0]] = np.minimum(whole[joins : at[0]], known)
                continue
            if at[0] > 0:
                until[at[0] - 1] = known
            until[at[1:] - 1] = own[:-1]
            until[-1] = min(until[-1], own[-1])
        if self.scan is not None and arrivals is not None:
            for s, arrival_ms in self.scan.woken(int(arrivals[-1])):
                if s not in present:
                    joins = int(np.searchsorted(arrivals, arrival_ms))
                    known = self._shards.get(s, MIN_WATERMARK)
                    whole[joins:] = np.minimum(whole[joins:], known)
        least: Int64s = np.minimum(whole, np.minimum.accumulate(until[::-1])[::-1])
        return least

    def _others(self, present: set[int]) -> int:
        """The least watermark of the active shards that are not ``present`` in the batch."""
        if self.scan is None:
            return MAX_WATERMARK
        rest = [s for s in self.scan.active() if s not in present]
        return min((self._shards.get(s, MIN_WATERMARK) for s in rest), default=MAX_WATERMARK)

    def _after(self, ended: bool) -> int:
        """The watermark with nothing more to read just now."""
        if ended:
            return MAX_WATERMARK
        if self.scan is None:
            return max(self._shards.values(), default=MIN_WATERMARK)
        marks = dict(self._shards)
        if self._arrival and self._lead_ms is not None:
            clock = self.scan.polled_ms - ARRIVAL_SLACK_MS + self._lead_ms
            for s in self.scan.at_tip():
                marks[s] = max(marks.get(s, MIN_WATERMARK), clock)
        active = self.scan.active()
        if self._arrival and self._lead_ms is not None:
            active = self.scan.all_shards()
        if not active:  # all are idle: nobody holds the furthest one back
            return max(marks.values(), default=MIN_WATERMARK)
        return min(marks.get(s, MIN_WATERMARK) for s in active)


def _joins_at(arrivals: Int64s | None, first: int) -> int:
    """From which row on a shard that was idle holds the watermark back, if ``first`` is its first
    row: from the first one that arrived together with it. What is put in one call is not late
    because of the order in which its shards are read."""
    return first if arrivals is None else int(np.searchsorted(arrivals, arrivals[first]))


def _delay_us(watermark: str, column: str) -> int | None:
    """The delay, microseconds, of a watermark that is its row time less a constant (nearly all
    are); None for any other expression, which DuckDB computes."""
    if watermark == quote(column):
        return 0
    name = re.escape(quote(column))
    delay = re.fullmatch(rf"\(\({name}\) - to_microseconds\({_MILLIS}\)\)", watermark)
    return None if delay is None else int(delay[1]) * 1000


# A constant interval as the planner writes it, in microseconds.
_MILLIS = r"\(CAST\((\d+) AS BIGINT\)\) \* 1000"


def _scan_below(operator: Operator) -> Scan | None:
    """The scan under a chain of one-input operators."""
    while not isinstance(operator, Scan):
        if len(operator.inputs) != 1:
            return None
        operator = operator.inputs[0]
    return operator


def _is_arrival(operator: Operator, column: str) -> bool:
    """Whether ``column`` is the log's arrival time, unchanged."""
    from eddyline.engine.operators.calc import Calc

    while not isinstance(operator, Scan):
        if not isinstance(operator, Calc):
            return False
        source = operator.source_of(column)
        if source is None:
            return False
        operator, column = operator.inputs[0], source
    return operator.is_arrival(column)
