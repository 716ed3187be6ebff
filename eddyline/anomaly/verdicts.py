"""The columns' models of many keys, and the verdict on each row of theirs.

A row is judged by the rows of its key before it: each column against its season, its recent past
and its law, columns against one another, and shape, place and forest score against the key's own
past. What is reported is calibrated on the key, so that an alert is as rare as ``false_alarms``
says.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from eddyline.anomaly.column.key import HABIT, KEY_DOUBLES, KEY_SINGLES
from eddyline.anomaly.column.places import AUTO, DOUBLES, SINGLES
from eddyline.anomaly.column.row import (
    ALLOWED,
    ANOMALOUS,
    CHOSEN,
    COLUMN_OPTIONS,
    PASSED,
    SHARE_OF,
    conclude,
    judge_columns,
)
from eddyline.anomaly.kernel import Bools, Doubles, Int64s, Singles
from eddyline.anomaly.rates import FalseAlarms

# What grade an alert at the limit has, and by how much it grows for each tenfold rarer row.
_GRADE, _GRADE_STEP = 0.3, 0.35
_EVIDENCE_MOST = 12.0


class Judged(NamedTuple):
    """grade, alert (n,); expected, high, low (n, d): high and low say which columns are off, as
    shares of 1 of the rows with a grade."""

    grade: Doubles
    alert: Bools
    expected: Doubles
    high: Doubles
    low: Doubles


class Judges:
    """One model of each column and one alert state per key, made when a key is first seen."""

    def __init__(self, allowed: FalseAlarms, columns: int, timed: bool) -> None:
        """timed: rows come with their time, so that there can be seasons."""
        self.columns = columns
        self._options = np.array([allowed.rate, float(allowed.per_week), 0.0, float(timed), 1.0])
        self._column_options = np.zeros((columns, COLUMN_OPTIONS))
        self._column_options[:, CHOSEN] = AUTO
        self._column_options[:, SHARE_OF] = -1.0
        self.heads = np.zeros((0, doubles(columns)))
        self.tails = np.zeros((0, KEY_SINGLES + columns * SINGLES), np.float32)

    def make_room(self, models: int) -> None:
        """Memory for keys 0 to ``models`` - 1; what is not used stays untouched."""
        have = len(self.heads)
        if models <= have:
            return
        more = max(models, 2 * have) - have
        self.heads = np.concatenate([self.heads, np.zeros((more, self.heads.shape[1]))])
        empty: Singles = np.zeros((more, self.tails.shape[1]), np.float32)
        self.tails = np.concatenate([self.tails, empty])

    def forget(self, models: Int64s) -> None:
        """Make models as if they had seen no row."""
        self.heads[models], self.tails[models] = 0.0, 0.0

    def judge(self, models: Int64s, times: Int64s, points: Doubles, scores: Doubles) -> Judged:
        """Judge rows, then learn them, in order. times (n,): epoch ms. scores (n,): of the forest,
        NaN where it has none."""
        n, d = points.shape
        evidence, passed = np.empty((n, d)), np.empty((n, PASSED))
        expected, lower, upper = np.empty((n, d)), np.empty((n, d)), np.empty((n, d))
        judge_columns(
            models, times / 1000.0, np.full(n, -1), points, np.ones((n, d)), self.heads,
            self.tails, self._options, self._column_options, evidence, expected, lower, upper,
            passed,
        )  # fmt: skip
        verdict, number, lead, kind = (np.empty(n, np.int64) for _ in range(4))
        alert, rarity, side = np.empty(n, np.bool_), np.empty(n), np.empty(n)
        conclude(
            models, times, scores, d, self.heads, self.tails, self._options, passed, verdict,
            alert, number, rarity, lead, kind, side,
        )  # fmt: skip
        # Alerts of this call must not bear on how its own later rows were judged: those of another
        # call would, and verdicts may not depend on where rows were cut.
        self.heads[models, HABIT] = 0.0
        limit = passed[:, ALLOWED]
        odd = (verdict == ANOMALOUS) | alert
        grade = np.where(odd, np.clip(_GRADE + _GRADE_STEP * (rarity - limit), 0.05, 1.0), 0.0)
        high, low = _shares(evidence, lead, points > expected, odd)
        return Judged(grade, alert, expected, high, low)


def _shares(evidence: Doubles, lead: Int64s, above: Bools, odd: Bools) -> tuple[Doubles, Doubles]:
    """How far each column is to blame, and on which side; the leading one at least a half."""
    weight = np.clip(np.abs(evidence) - 0.5, 0.0, _EVIDENCE_MOST)
    rows = np.arange(len(lead))
    total = weight.sum(axis=1, keepdims=True)
    weight = np.divide(weight, total, out=np.zeros_like(weight), where=total > 0.0)
    chief = np.where(total[:, 0] > 0.0, 0.0, 1.0)
    weight[rows, lead] += chief
    weight *= odd[:, None]
    up = np.where(np.abs(evidence) > 0.5, evidence > 0.0, above)
    return weight * up, weight * ~up


def doubles(columns: int) -> int:
    """float64 of one key."""
    from eddyline.anomaly.column.relation import doubles as relation

    return KEY_DOUBLES + columns * DOUBLES + (int(relation(columns)) if columns > 1 else 0)
