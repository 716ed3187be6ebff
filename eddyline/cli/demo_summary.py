"""What the demo has shown, as figures: whether it found what was put in, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
import numpy as np

from eddyline.service import lab

# Of the windows that were watched so many must have been scored; the machine may be busy.
SCORED_SHARE = 0.75


class DemoAlert(msgspec.Struct, frozen=True):
    """An alert of the demo: the window it began in (epoch ms), and what it says."""

    window_start_ms: int
    window_start: str
    score: float
    sentence: str
    expected: bool


class Latency(msgspec.Struct, frozen=True):
    """From a window's end to its score being here, over ``n`` windows."""

    p50: float | None
    p99: float | None
    n: int


class Summary(msgspec.Struct, frozen=True):
    """The demo in one object; ``as_expected`` is what the exit code says."""

    seed: int
    seconds: float
    records_in: int
    windows: int
    alerts: list[DemoAlert]
    burst: dict[str, Any] | None
    latency_ms: Latency
    as_expected: bool
    verdict: str


def alert_of(
    start_ms: int, score: float, sentence: str, burst: tuple[int, int] | None
) -> DemoAlert:
    """An alert, set beside the burst."""
    return DemoAlert(
        start_ms,
        instant(start_ms),
        round(score, 3),
        sentence,
        burst is not None and overlaps(start_ms, burst),
    )


def overlaps(start_ms: int, burst: tuple[int, int]) -> bool:
    """Whether a window overlaps the burst, or is the next one after it."""
    return burst[0] - lab.WINDOW_MS < start_ms < burst[1] + lab.WINDOW_MS


def verdict(
    alerts: Sequence[DemoAlert], burst: tuple[int, int] | None, windows: int, seconds: float
) -> tuple[bool, str]:
    """Whether the alerts are what was put in, and in words; silence alone proves nothing."""
    n = len(alerts)
    least = seconds * 1000 / lab.WINDOW_MS * SCORED_SHARE
    if windows < least:
        return False, f"only {windows} windows were scored where {least:.0f} or more should be"
    if burst is None:
        return n == 0, "no alert, as it should be" if n == 0 else f"{_alerts(n)} without a burst"
    hits = sum(a.expected for a in alerts)
    if (hits, n) == (1, 1):
        return True, "the burst was found, and nothing else"
    if hits == 0:
        others = f", but {_alerts(n)} elsewhere" if n else ""
        return False, f"the burst was not found{others}"
    return False, f"{n} alerts for one burst"


def _alerts(n: int) -> str:
    return f"{n} alert{'' if n == 1 else 's'}"


def latency(values: Sequence[float]) -> Latency:
    """Percentiles of latencies in ms."""
    if not values:
        return Latency(None, None, 0)
    p50, p99 = np.percentile(values, [50, 99])
    return Latency(round(float(p50), 1), round(float(p99), 1), len(values))


def told_burst(burst: tuple[int, int] | None) -> dict[str, Any] | None:
    """The burst as JSON values."""
    if burst is None:
        return None
    start, end = burst
    return {"start_ms": start, "end_ms": end, "start": instant(start), "end": instant(end)}


def instant(ms: int) -> str:
    """An instant as ISO 8601, UTC, to the millisecond."""
    text = datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{ms % 1000:03}Z"
