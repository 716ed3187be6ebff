"""A judged series as one SVG: its columns below one another, the score last, alerts as lines."""

from __future__ import annotations

from html import escape

import numpy as np

from eddyline.anomaly.kernel import Doubles, Int64s
from eddyline.cli.detect_file import Judged

WIDTH, HEIGHT, LEFT, GAP = 1000, 120, 90, 34
PANELS_MAX = 6
# More points than this are drawn as the least and the greatest of each run.
POINTS_MAX = 2000


def svg(judged: Judged) -> str:
    """The series with most alerts."""
    mine = judged.whole & (judged.keys == judged.chief)
    chosen = judged.keys[judged.whole] == judged.chief
    values, verdicts = judged.points[mine], judged.verdicts
    panels = [(name, values[:, i]) for i, name in enumerate(judged.columns[:PANELS_MAX])]
    panels.append(("score", verdicts.score[chosen]))
    alerts = np.flatnonzero(verdicts.alert[chosen])
    height = len(panels) * (HEIGHT + GAP) + GAP
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {LEFT + WIDTH + 20} {height}" '
        'font-family="sans-serif" font-size="12">',
        '<rect width="100%" height="100%" fill="#fff"/>',
        f'<text x="{LEFT}" y="18" fill="#222">{escape(judged.label(judged.chief))}: '
        f"{len(values):,} rows, {len(alerts)} alerts</text>",
    ]
    for nth, (name, series) in enumerate(panels):
        parts += _panel(name, series, GAP + nth * (HEIGHT + GAP), alerts)
    return "\n".join([*parts, "</svg>"]) + "\n"


def _panel(name: str, series: Doubles, top: int, alerts: Int64s) -> list[str]:
    known = series[~np.isnan(series)]
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)
    at = _drawn(series)
    at = at[~np.isnan(series[at])]
    x = LEFT + WIDTH * at / max(len(series) - 1, 1)
    y = top + HEIGHT * (1 - (series[at] - low) / ((high - low) or 1.0))
    line = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True))
    marks = [
        f'<line x1="{a:.1f}" x2="{a:.1f}" y1="{top}" y2="{top + HEIGHT}" stroke="#d33" '
        'stroke-width="1.5" class="alert"/>'
        for a in LEFT + WIDTH * alerts / max(len(series) - 1, 1)
    ]
    return [
        f'<line x1="{LEFT}" x2="{LEFT + WIDTH}" y1="{top + HEIGHT}" y2="{top + HEIGHT}" '
        'stroke="#ccc"/>',
        *(
            f'<text x="{LEFT - 8}" y="{where}" text-anchor="end" fill="#666">{words}</text>'
            for where, words in (
                (top + 10, f"{high:.4g}"),
                (top + HEIGHT // 2, escape(name)),
                (top + HEIGHT, f"{low:.4g}"),
            )
        ),
        *marks,
        f'<polyline points="{line}" fill="none" stroke="#2563a8" stroke-width="1.2"/>',
    ]


def _drawn(series: Doubles) -> Int64s:
    """Which points are drawn: all, or the extremes of each run."""
    if len(series) <= POINTS_MAX:
        return np.arange(len(series))
    runs = np.array_split(np.arange(len(series)), POINTS_MAX // 2)
    runs = [run for run in runs if not np.isnan(series[run]).all()]
    ends = [(run[np.nanargmin(series[run])], run[np.nanargmax(series[run])]) for run in runs]
    return np.unique(np.array(ends, np.int64).ravel())
