"""Alerts in words: which columns, too high or too low, against what is usual."""

from __future__ import annotations

from typing import Any

import msgspec

from eddyline.service.anomaly_records import Point

# Columns an alert's sentence speaks of.
COLUMNS_SAID = 3
# The share of a score from which on a column is named; of up to 30 one need not have as much.
STRONG = 0.2


def sentence(key: str, columns: list[str], point: Point) -> str:
    """An anomaly as one sentence: which columns, too high or too low, against what is usual."""
    parts = []
    for name in named(columns, point.explanation)[:COLUMNS_SAID]:
        at = columns.index(name)
        value, usual = point.values[at], point.expected[at] if point.expected else None
        if value is None:
            parts.append(f"{name} has no value")
        elif usual is None or usual == value:
            parts.append(f"{name} is {_figure(value)}")
        else:
            way = "high" if value > usual else "low"
            parts.append(
                f"{name} is too {way}: {_figure(value)} where about {_figure(usual)} was expected"
            )
    where = f"{key}: " if key else ""
    score = f" (score {point.score:.2f})" if point.score > 0 else ""
    return f"{where}{'; '.join(parts)}{score}"


def named(columns: list[str], explanation: dict[str, Any] | None) -> list[str]:
    """The columns that made a point unusual, the strongest first; all if that is not known."""
    shares = {}
    for name in columns:
        value = (explanation or {}).get(name) or {}
        shares[name] = float(value.get("ATTRIBUTION_SCORE", 0.0))
    least = STRONG * sum(shares.values())
    strong = [name for name in columns if shares[name] >= least]
    return sorted(strong or columns, key=lambda name: -shares[name])


def _figure(value: float) -> str:
    """A number as a person writes it: whole from a thousand on, else four digits."""
    return f"{value:,.0f}" if 1000 <= abs(value) < 1e15 else f"{value:.4g}"


def over_several(db: Any, series_id: str, key: str, columns: list[str], point: Point) -> str | None:
    """The sentence of an alert over several rows; None for another one."""
    if point.side == 0 or point.expected is None:
        return None
    import numpy as np

    from eddyline.anomaly.reasons import RUN_ROWS, run_of

    entries = db.execute(
        "SELECT entry FROM points WHERE series_id = ? AND nth <= ? ORDER BY nth DESC LIMIT ?",
        (series_id, point.number, RUN_ROWS),
    ).fetchall()
    points = [msgspec.json.decode(entry, type=Point) for (entry,) in reversed(entries)]
    at = columns.index(named(columns, point.explanation)[0])

    def column(of: str) -> Any:
        rows = [getattr(p, of) for p in points]
        return np.array([np.nan if r is None or r[at] is None else r[at] for r in rows], float)

    values = [column(name) for name in ("values", "expected", "lower", "upper")]
    run = run_of(values[0], values[1], values[2], values[3], float(point.side))
    if run is None:
        return None
    return f"{key}: {run.sentence(columns[at])}" if key else run.sentence(columns[at])
