"""From what a forest has scored to series of points: one series a key."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from eddyline.engine.scores import ScorePoints
from eddyline.service.anomalies import Monitor, Point
from eddyline.service.messages import Monitored


def record_scores(monitor: Monitor, job_id: str, scores: ScorePoints) -> list[Monitored]:
    """Write n scored rows into the monitor; one message a key."""
    by_key: dict[str, list[int]] = {}
    for at, key in enumerate(scores.keys):
        by_key.setdefault(key, []).append(at)
    columns = list(scores.columns)
    return [
        monitor.add(job_id, scores.node, key, columns, [_point(scores, at) for at in places])
        for key, places in by_key.items()
    ]


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
    )


def _because(text: str) -> dict[str, Any] | None:
    found: dict[str, Any] | None = json.loads(text) if text else None
    return found
