"""A verdict in words and as JSON: what was seen, what was expected, and which columns are to blame.

The attribution is keyed by column: ``{"share": 0.83, "direction": "high", "value": 400.0,
"expected": 101.2, "lower": 88.1, "upper": 117.4}``; shares add up to 1 over the columns of a row
with a grade, and expected value and bounds are null while nothing is known.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass

import numpy as np

from eddyline.anomaly.column.row import (
    DRIFT,
    FOREST,
    LEARNING,
    LEVEL,
    PLACE,
    POINT,
    RELATION,
    SHAPE,
)
from eddyline.anomaly.detector import HISTORY, Verdicts
from eddyline.anomaly.kernel import Doubles

NAMES = ("learning", "ordinary", "anomalous")
# What the evidence of each kind says of the leading column.
KINDS = {
    POINT: "a single value",
    LEVEL: "over several rows",
    DRIFT: "a drift over many rows",
    RELATION: "it no longer goes with the other columns",
    SHAPE: "the key has not had such a course of values",
    PLACE: "the key has not been at such a level",
    FOREST: "the forest has seen no such point",
}


def figure(value: float) -> str:
    """A number as a person writes it: whole from a thousand on, else four digits."""
    return f"{value:,.0f}" if 1000 <= abs(value) < 1e15 else f"{value:.4g}"


# Rows that evidence over several rows is looked for in: the longest window of the detector.
RUN_ROWS = 288


@dataclass(frozen=True, slots=True)
class EvidenceRows:
    """The rows that evidence over several rows is about: how many, their mean value, and the mean
    of what was expected of them."""

    rows: int
    value: float
    expected: float

    def sentence(self, column: str) -> str:
        """The run in words."""
        side = "high" if self.value > self.expected else "low"
        return (
            f"{column} is too {side} over {self.rows} rows: {figure(self.value)} on average where "
            f"about {figure(self.expected)} was expected"
        )


def run_of(
    values: Doubles, expected: Doubles, lower: Doubles, upper: Doubles, side: float
) -> EvidenceRows | None:
    """The run that ends with the last of a key's rows (n,) and departs most from what was expected.

    side: 1 where it is too high, -1 too low, 0 either. None if it departs on the other side.
    """
    values, expected = values[-RUN_ROWS:], expected[-RUN_ROWS:]
    half = (upper[-RUN_ROWS:] - lower[-RUN_ROWS:]) / 2.0
    off = np.divide(values - expected, half, out=np.zeros(len(values)), where=half > 0.0)
    off = np.where(np.isfinite(off), off, 0.0)
    sums = np.cumsum(off[::-1]) / np.sqrt(np.arange(1, len(off) + 1))
    sums = np.abs(sums) if side == 0.0 else side * sums
    if len(sums) < 2:
        return None
    rows = int(np.argmax(sums[1:])) + 2
    known = np.isfinite(values[-rows:]) & np.isfinite(expected[-rows:])
    if sums[rows - 1] <= 0.0 or known.sum() < 2:
        return None
    mean = float(values[-rows:][known].mean()), float(expected[-rows:][known].mean())
    return EvidenceRows(rows, *mean) if mean[0] != mean[1] else None


def reason(columns: list[str], point: Doubles, verdicts: Verdicts, at: int) -> str:
    """Row ``at`` as a sentence; empty where it is ordinary."""
    if verdicts.verdict[at] == LEARNING:
        missing = int(verdicts.missing[at])
        if missing == HISTORY:
            return "learning: history, before live_from"
        if missing == 0:
            return "learning: the distance of rows in time is not known yet"
        return f"learning: {missing} more row{'' if missing == 1 else 's'} needed"
    if verdicts.grade[at] <= 0.0:
        return ""
    lead = int(verdicts.lead[at])
    value, expected = float(point[lead]), float(verdicts.expected[at, lead])
    words = KINDS[int(verdicts.kind[at])]
    if math.isnan(value) or math.isnan(expected) or value == expected:
        return f"{columns[lead]} is {figure(value)} ({words})"
    side = "high" if value > expected else "low"
    several = int(verdicts.kind[at]) in (LEVEL, DRIFT) and verdicts.side[at] != 0.0
    if several and (verdicts.side[at] > 0.0) != (value > expected):
        # The rows together are off on one side, and this one of them is on the other.
        other = "low" if side == "high" else "high"
        return (
            f"{columns[lead]} is too {other} over several rows, though not in this one: "
            f"{figure(value)} where about {figure(expected)} was expected ({words})"
        )
    return (
        f"{columns[lead]} is too {side}: {figure(value)} where about {figure(expected)} was "
        f"expected ({words})"
    )


def attribution_json(columns: list[str], point: Doubles, verdicts: Verdicts, at: int) -> str:
    """Row ``at``: what each column has to do with it."""
    high, low = verdicts.attribution_high[at], verdicts.attribution_low[at]
    total = float((high + low).sum())
    out = {}
    for j, name in enumerate(columns):
        share = float(high[j] + low[j]) / total if total > 0.0 and verdicts.grade[at] > 0.0 else 0.0
        out[name] = {
            "share": round(share, 4),
            "direction": "high" if high[j] >= low[j] else "low",
            "value": _number(point[j]),
            "expected": _number(verdicts.expected[at, j]),
            "lower": _number(verdicts.lower[at, j]),
            "upper": _number(verdicts.upper[at, j]),
        }
    return json.dumps(out)


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
