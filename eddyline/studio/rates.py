"""Records and bytes per second of every stream, sampled once for all pages that show them.

While no page shows them nothing is sampled. The history covers the last minutes; a time that was
not sampled is a gap in it, marked by a point without values.
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, field

from eddyline.errors import EddylineError
from eddyline.service.services import Services

SAMPLE_S = 0.9
HISTORY = 120
# Between samples that are further apart than this, nobody knows how the rate was.
GAP_S = 4.0
Point = tuple[int, float | None, float | None]


@dataclass(slots=True)
class StreamRate:
    """A stream's figures and their last minutes; rates are per second."""

    name: str
    status: str
    mode: str
    shards: int
    records_kept: int
    bytes_kept: int
    records_total: int
    bytes_total: int
    retention_hours: int
    created_ms: int
    at: float
    records_s: float = 0.0
    bytes_s: float = 0.0
    history: deque[Point] = field(default_factory=lambda: deque(maxlen=HISTORY))


def rounded(value: float | None, digits: int | None = None) -> float | None:
    """A value for a chart; a gap stays one."""
    return None if value is None else round(value, digits)


class Rates:
    """Samples the streams when asked, at most about once a second."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._clock = services.clock
        self._lock = threading.Lock()
        self._rates: dict[str, StreamRate] = {}
        self._sampled = float("-inf")

    def read(self) -> dict[str, StreamRate]:
        """Every stream by name, as last sampled."""
        with self._lock:
            now = self._clock.monotonic()
            if now - self._sampled >= SAMPLE_S:
                self._sampled = now
                self._rates = self._sample(now)
            return self._rates

    def fresh(self) -> dict[str, StreamRate]:
        """The same, sampled now: after a stream was created or deleted."""
        with self._lock:
            self._sampled = float("-inf")
        return self.read()

    def _sample(self, now: float) -> dict[str, StreamRate]:
        rates = {}
        for info in sorted(self._services.streams.list(), key=lambda s: s.name):
            try:
                rates[info.name] = self._one(info.name, now)
            except EddylineError:  # deleted between the list and the look
                continue
        return rates

    def _one(self, name: str, now: float) -> StreamRate:
        stream = self._services.streams.open(name)
        info, figures = stream.info(), stream.figures()
        rate = StreamRate(
            name,
            str(info.status),
            str(info.mode),
            sum(s.closed_offset is None for s in info.shards),
            figures.records_kept,
            figures.bytes_kept,
            figures.records_total,
            figures.bytes_total,
            info.retention_hours,
            info.created_ms,
            now,
        )
        before = self._rates.get(name)
        if before is not None and before.created_ms == rate.created_ms:
            seconds = max(1e-3, now - before.at)
            rate.records_s = (rate.records_total - before.records_total) / seconds
            rate.bytes_s = (rate.bytes_total - before.bytes_total) / seconds
            rate.history = before.history
            now_ms = self._clock.now_ms()
            if seconds > GAP_S:
                rate.history.append((now_ms, None, None))
            else:
                rate.history.append((now_ms, rate.records_s, rate.bytes_s))
        return rate
