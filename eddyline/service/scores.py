"""From what a forest has scored to series of points: one series per key."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from eddyline.engine.scores import Doubles, ScorePoints
from eddyline.service.anomalies import Monitor, Point
from eddyline.service.messages import Monitored


def record_scores(monitor: Monitor, job_id: str, scores: ScorePoints) -> list[Monitored]:
    """Write n scored rows into the monitor; one message for all of them."""
    by_key: dict[str, list[int]] = {}
    for at, key in enumerate(scores.keys):
        by_key.setdefault(key, []).append(at)
    points: dict[str, Sequence[Point]] = {
        key: [_point(scores, at) for at in places] for key, places in by_key.items()
    }
    alerts = monitor.add_all(job_id, scores.node, list(scores.columns), points)
    return [alerts] if alerts.series else []


def _point(scores: ScorePoints, at: int) -> Point:
    expected = scores.expected[at]
    return Point(
        int(scores.time_ms[at]),
        [None if np.isnan(v) else float(v) for v in scores.values[at]],
        float(scores.score[at]),
        float(scores.grade[at]),
        bool(scores.alert[at]),
        None if np.isnan(expected).all() else [None if np.isnan(v) else float(v) for v in expected],
        _because(scores.explanation[at]),
        int(scores.nth[at]),
        _numbers(scores.lower[at]),
        _numbers(scores.upper[at]),
        None if np.isnan(scores.rarity[at]) else float(scores.rarity[at]),
        int(scores.episode[at]),
        event=scores.event[at] if scores.event else "",
        reason=scores.reason[at] if scores.reason else "",
        incident=scores.incident[at] if scores.incident else "",
        side=int(scores.side[at]),
    )


def _numbers(values: Doubles) -> list[float | None] | None:
    """Numbers, None for NaN; None if there is none."""
    if np.isnan(values).all():
        return None
    return [None if np.isnan(v) else float(v) for v in values]


def _because(text: str) -> dict[str, Any] | None:
    explanation: dict[str, Any] | None = json.loads(text) if text else None
    return explanation
