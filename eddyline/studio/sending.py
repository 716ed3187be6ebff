"""What the generators get acknowledged, sampled once however many pages look."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, field

from eddyline.clock import Clock
from eddyline.service.generators import GeneratorInfo, Generators

SAMPLE_S = 0.9
HISTORY = 180


@dataclass(slots=True)
class SendingRate:
    """A generator and its last minutes: (epoch ms, accepted records a second, ms a batch)."""

    info: GeneratorInfo
    accepted: int
    started_ms: int | None
    at: float
    history: deque[tuple[int, float, float]] = field(default_factory=lambda: deque(maxlen=HISTORY))


class Sending:
    """Samples all generators when asked, at most about once a second."""

    def __init__(self, generators: Generators, clock: Clock) -> None:
        self._generators = generators
        self._clock = clock
        self._lock = threading.Lock()
        self._rates: dict[str, SendingRate] = {}

    def read(self) -> list[SendingRate]:
        """Every generator as it is now, by name; histories grow about once a second."""
        with self._lock:
            found = {info.id: self._one(info) for info in self._generators.list()}
            self._rates = found
            return list(found.values())

    def _one(self, info: GeneratorInfo) -> SendingRate:
        now, counters = self._clock.monotonic(), info.counters
        rate = SendingRate(info, counters.accepted, counters.started_ms, now)
        before = self._rates.get(info.id)
        if before is None:
            return rate
        rate.history = before.history
        if now - before.at < SAMPLE_S:
            rate.at, rate.accepted, rate.started_ms = before.at, before.accepted, before.started_ms
            return rate
        anew = before.started_ms != counters.started_ms
        came = counters.accepted - (0 if anew else before.accepted)
        accepted = max(0.0, came / (now - before.at))
        latency = counters.latency_ms if counters.running else 0.0
        rate.history.append((self._clock.now_ms(), accepted, latency))
        return rate
