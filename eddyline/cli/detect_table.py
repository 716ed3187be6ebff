"""The alerts of a judged file as a table: when, which column, its value, what was expected, why."""

from __future__ import annotations

import math

from eddyline.anomaly.reasons import KINDS, figure
from eddyline.cli.detect_file import JudgedFile
from eddyline.cli.terminal import table


def print_alerts(judged: JudgedFile) -> None:
    """One line an alert; without times or a key there is no column for them."""
    dated, keyed = judged.time is not None, judged.key is not None
    names = ["row", *(["time"] if dated else []), *([judged.key] if judged.key else [])]
    lines, v = [], judged.verdicts
    for i in judged.alerts():
        row, lead = int(judged.rows[i]), int(v.lead[i])
        value, expected = float(judged.points[row, lead]), float(v.expected[i, lead])
        kind = KINDS[int(v.kind[i])]
        run = judged.run(i)
        if run is not None:
            value, expected, kind = run.value, run.expected, f"over {run.rows} rows"
        head = [f"{row + 1:,}", *([judged.when(row)] if dated else [])]
        head += [judged.labels[judged.keys[row]]] if keyed else []
        why = f"{_side(value, expected)}{kind}"
        lines.append([*head, judged.columns[lead], _cell(value), _cell(expected), why])
    table([*names, "column", "value", "expected", "reason"], lines)


def _side(value: float, expected: float) -> str:
    if math.isnan(value) or math.isnan(expected) or value == expected:
        return ""
    return "too high: " if value > expected else "too low: "


def _cell(value: float) -> str:
    return "-" if math.isnan(value) else figure(value)
