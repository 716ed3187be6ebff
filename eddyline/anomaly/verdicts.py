"""The columns' models of many keys, and the verdict on each of their rows.

A row is judged by the rows of its key before it: each column against its season, its recent past
and its law, columns against one another, and shape, place and forest score against the key's own
past. What is reported is calibrated on the key, so that an alert is as rare as ``false_alarms``
says.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from eddyline.anomaly.calendar import Calendar, exposures
from eddyline.anomaly.column.key import KEY_DOUBLES, KEY_SINGLES, ROWS
from eddyline.anomaly.column.places import DOUBLES, SINGLES
from eddyline.anomaly.column.relation import doubles as relation_doubles
from eddyline.anomaly.column.row import (
    ANOMALOUS,
    RELATION,
    Results,
    Rows,
    judge_rows,
    room_for,
)
from eddyline.anomaly.kernel import Bools, Doubles, Int64s, Singles, bound
from eddyline.anomaly.rates import FalseAlarms
from eddyline.anomaly.units import places

# The grade of an alert at the limit, and by how much it grows for each tenfold rarer row.
_GRADE, _GRADE_STEP = 0.3, 0.35
_EVIDENCE_MOST = 12.0


class Judged(NamedTuple):
    """What is said of n rows over d columns.

    grade, alert (n,). high, low (n, d): how far each column is to blame and on which side, as
    shares of 1 of the rows with a grade. results: all the rest.
    """

    grade: Doubles
    alert: Bools
    high: Doubles
    low: Doubles
    results: Results


class Judges:
    """One model of each column and one alert state per key, made when a key is first seen."""

    def __init__(
        self, allowed: FalseAlarms, timed: bool, column_options: Doubles, calendar: Calendar
    ) -> None:
        """timed: rows come with their time, so that there can be seasons. column_options (d,
        COLUMN_OPTIONS)."""
        columns = len(column_options)
        self._options = np.array([allowed.rate, float(allowed.per_week), 0.0, float(timed), 1.0])
        self._column_options = column_options
        self._calendar = calendar
        self._room = room_for(columns)
        self._about = (self._options, self._column_options)
        self._models: tuple[Any, ...] = ()
        self._bound: tuple[Any, ...] = ()
        self._bound_room = bound(self._room)
        self.heads = np.zeros((0, doubles(columns)))
        self.tails = np.zeros((0, KEY_SINGLES + columns * SINGLES), np.float32)

    def make_room(self, models: int) -> None:
        """Memory for keys 0 to ``models`` - 1; what is not used stays untouched."""
        have = len(self.heads)
        if models <= have:
            return
        room = max(models, 2 * have)
        # Zeros that are not copied stay untouched, and cost no memory.
        heads, tails = self.heads, self.tails
        self.heads = np.zeros((room, heads.shape[1]))
        more: Singles = np.zeros((room, tails.shape[1]), np.float32)
        self.tails = more
        self.heads[:have], self.tails[:have] = heads, tails

    def forget(self, models: Int64s) -> None:
        """Make models as if they had seen no row."""
        self.heads[models], self.tails[models] = 0.0, 0.0

    def rows_before(self, models: Int64s) -> Int64s:
        """How many rows a key has had before each of these rows."""
        before: Int64s = self.heads[models, ROWS].astype(np.int64)
        return before + places(models)

    def judge(self, models: Int64s, times: Int64s, points: Doubles, scores: Doubles) -> Judged:
        """Judge rows, then learn them, in order.

        times (n,): epoch ms. points (n, d): NaN where a column has no value. scores (n,): of the
        forest, NaN where it has none.
        """
        n, d = points.shape
        local_s, weekday = self._calendar.local(times)
        exposure = exposures(self._column_options, points)
        rows = Rows(models, times, local_s, weekday, points, exposure, scores)
        results = _empty(n, d)
        run: Any = judge_rows  # what is bound stands for several of its arguments
        run(rows, *self._shared(), results, *self._bound_room)
        odd = (results.verdict == ANOMALOUS) | results.alert
        if not odd.any():
            none = np.zeros((n, d))
            return Judged(np.zeros(n), results.alert, none, none.copy(), results)
        grade = np.clip(_GRADE + _GRADE_STEP * (results.rarity - results.limit), 0.05, 1.0)
        grade = np.where(odd, grade, 0.0)
        high, low = _shares(
            results.evidence, results.lead, results.kind, points > results.expected, odd
        )
        return Judged(grade, results.alert, high, low, results)

    def _shared(self) -> tuple[Any, ...]:
        """Models and options as the kernels take them; they are bound again where they moved."""
        if (
            not self._models
            or self._models[0] is not self.heads
            or self._models[1] is not self.tails
        ):
            self._models = (self.heads, self.tails)
            self._bound = bound(*self._models, *self._about)
        return self._bound


def _empty(n: int, d: int) -> Results:
    """Room for the results of n rows over d columns."""
    evidence, expected, lower, upper = (np.zeros((n, d)) for _ in range(4))
    limit, rarity, side = (np.zeros(n) for _ in range(3))
    verdict, number, lead, kind, missing = (np.zeros(n, np.int64) for _ in range(5))
    return Results(
        evidence, expected, lower, upper, limit, rarity, side, verdict, number, lead, kind,
        missing, np.zeros(n, np.bool_),
    )  # fmt: skip


def _shares(
    evidence: Doubles, lead: Int64s, kind: Int64s, above: Bools, odd: Bools
) -> tuple[Doubles, Doubles]:
    """How far each column is to blame, and on which side.

    Decades beyond what half of all rows show are shared out. Of evidence that is no column's own
    (relation, shape, place, forest) the leading column has a half at least.
    """
    weight = np.clip(np.abs(evidence) - 0.5, 0.0, _EVIDENCE_MOST)
    total = weight.sum(axis=1, keepdims=True)
    weight = np.divide(weight, total, out=np.zeros_like(weight), where=total > 0.0)
    rows = np.arange(len(lead))
    own = weight[rows, lead]
    least = np.where(total[:, 0] > 0.0, np.where(kind >= RELATION, 0.5, 0.0), 1.0)
    raised = np.maximum(own, least)
    others = np.divide(1.0 - raised, 1.0 - own, out=np.zeros_like(own), where=own < 1.0)
    weight *= others[:, None]
    weight[rows, lead] = raised
    weight *= odd[:, None]
    up = np.where(np.abs(evidence) > 0.5, evidence > 0.0, above)
    return weight * up, weight * ~up


def key_bytes(columns: int) -> int:
    """Memory of one key's models of so many columns."""
    return 8 * doubles(columns) + 4 * (KEY_SINGLES + columns * SINGLES)


def doubles(columns: int) -> int:
    """float64 of one key."""
    relation = int(relation_doubles(columns)) if columns > 1 else 0
    return KEY_DOUBLES + columns * DOUBLES + relation
