"""The alerts of a judged file as a table: when, which column, its value, what was expected, why."""

from __future__ import annotations

import math

import numpy as np

from eddyline.anomaly.reasons import KINDS, figure
from eddyline.cli.detect_file import Judged
from eddyline.cli.terminal import table


def print_alerts(judged: Judged) -> None:
    """One line an alert; without times or a key there is no column for them."""
    dated, keyed = judged.time is not None, judged.key is not None
    names = ["row", *(["time"] if dated else []), *([judged.key] if judged.key else [])]
    lines = []
    where, v = np.flatnonzero(judged.whole), judged.verdicts
    for i in np.flatnonzero(v.alert).tolist():
        at, lead = int(where[i]), int(v.lead[i])
        value, expected = float(judged.points[at, lead]), float(v.expected[i, lead])
        head = [f"{at + 1:,}", *([judged.when(at)] if dated else [])]
        head += [judged.labels[judged.keys[at]]] if keyed else []
        why = f"{_side(value, expected)}{KINDS[int(v.kind[i])]}"
        lines.append([*head, judged.columns[lead], _cell(value), _cell(expected), why])
    table([*names, "column", "value", "expected", "reason"], lines)


def _side(value: float, expected: float) -> str:
    if math.isnan(value) or math.isnan(expected) or value == expected:
        return ""
    return "too high: " if value > expected else "too low: "


def _cell(value: float) -> str:
    return "-" if math.isnan(value) else figure(value)
