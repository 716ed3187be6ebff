"""Counters of a running generator: what was sent, and what was acknowledged."""

from __future__ import annotations

import dataclasses
import threading
from collections import deque
from dataclasses import dataclass

from eddyline.clock import Clock

# The live rate looks back this far.
RATE_WINDOW_S = 2.0


@dataclass(frozen=True, slots=True)
class SendResult:
    """What became of the records handed to a target: nothing counts that was not acknowledged.

    ``failed`` records were given up, ``retried`` ones sent more than once before that was known.
    """

    accepted: int
    failed: int = 0
    error: str | None = None
    retried: int = 0


@dataclass(frozen=True, slots=True)
class Counters:
    """A snapshot; ``rate`` is accepted records a second over the last two seconds.

    ``slipped_ms`` is how far the plan was put off because the target could not keep the rate,
    ``latency_ms`` how long the last batch took until it was acknowledged. ``turns`` of the template
    and ``made`` records of it, before faults, are behind it: where a later run takes up with the
    same ``seed``. ``faults_missed`` is how many records a fault was meant for and could not change.
    """

    sent: int = 0
    accepted: int = 0
    failed: int = 0
    retried: int = 0
    bytes: int = 0
    slipped_ms: int = 0
    last_error: str | None = None
    started_ms: int | None = None
    elapsed_s: float = 0.0
    rate: float = 0.0
    running: bool = False
    latency_ms: float = 0.0
    turns: int = 0
    made: int = 0
    seed: int | None = None
    faults_missed: int = 0


class Meter:
    """Counters that one thread moves and any thread reads."""

    def __init__(self, clock: Clock, seed: int | None = None) -> None:
        self._clock = clock
        self._seed = seed
        self._lock = threading.Lock()
        self._now = Counters(seed=seed)
        self._start = 0.0
        self._marks: deque[tuple[float, int]] = deque([(0.0, 0)])
        self.last: SendResult | None = None

    def start(self) -> None:
        """Begin a run: from here on time counts."""
        with self._lock:
            self._start = self._clock.monotonic()
            self._marks = deque([(0.0, 0)])
            now_ms = self._clock.now_ms()
            self._now = Counters(started_ms=now_ms, running=True, seed=self._seed)

    def stop(self) -> None:
        """End a run: elapsed time and rate stand still, the rate as that of the whole run."""
        with self._lock:
            elapsed = self._elapsed()
            rate = self._now.accepted / elapsed if elapsed else 0.0
            self._now = dataclasses.replace(self._now, running=False, elapsed_s=elapsed, rate=rate)

    def add(
        self,
        sent: int,
        size: int,
        result: SendResult,
        turns: int | None = None,
        latency_ms: float = 0.0,
        made: int | None = None,
    ) -> None:
        """Count one batch of ``sent`` records and ``size`` bytes."""
        with self._lock:
            now = self._now
            self.last = result
            self._now = dataclasses.replace(
                now,
                sent=now.sent + sent,
                accepted=now.accepted + result.accepted,
                failed=now.failed + result.failed,
                retried=now.retried + result.retried,
                bytes=now.bytes + size,
                last_error=result.error or now.last_error,
                latency_ms=latency_ms,
                turns=now.turns if turns is None else turns,
                made=now.made if made is None else made,
            )
            self._mark()

    def slip(self, ms: int) -> None:
        """Count a delay of the whole plan."""
        with self._lock:
            self._now = dataclasses.replace(self._now, slipped_ms=self._now.slipped_ms + ms)

    def missed(self, count: int) -> None:
        """Remember how many records no fault could change so far."""
        if count != self._now.faults_missed:
            with self._lock:
                self._now = dataclasses.replace(self._now, faults_missed=count)

    def error(self, message: str) -> None:
        """Remember what went wrong last."""
        with self._lock:
            self._now = dataclasses.replace(self._now, last_error=message)

    def read(self) -> Counters:
        """The counters as they are now."""
        with self._lock:
            if not self._now.running:
                return self._now
            elapsed = self._elapsed()
            return dataclasses.replace(self._now, elapsed_s=elapsed, rate=self._rate(elapsed))

    def _elapsed(self) -> float:
        return self._clock.monotonic() - self._start

    def _mark(self) -> None:
        elapsed = self._elapsed()
        self._marks.append((elapsed, self._now.accepted))
        while len(self._marks) > 1 and self._marks[1][0] <= elapsed - RATE_WINDOW_S:
            self._marks.popleft()

    def _rate(self, elapsed: float) -> float:
        edge = max(0.0, elapsed - RATE_WINDOW_S)
        before = max((m for m in self._marks if m[0] <= edge), default=self._marks[0])
        span = min(elapsed, RATE_WINDOW_S)
        return (self._now.accepted - before[1]) / span if span > 0 else 0.0
