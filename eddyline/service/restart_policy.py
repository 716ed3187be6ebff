"""Restart strategies of a job, with Flink's option names: which failures are retried, and when.

Without a strategy in the session's options a job follows Flink's default, exponential delay, with
one difference: a failure that the same input would cause again (a record that does not fit, a
value that cannot be computed) ends the job at once, because every retry would meet it again. So
does any failure that keeps a job from finishing the same micro-batch ``SAME_PLACE_MAX`` times. A
strategy that is set applies to every failure.
"""

from __future__ import annotations

import zlib
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from eddyline.errors import ERRORS, Domain, EddylineError
from eddyline.sql.options import SessionConfig

PREFIX = "restart-strategy"
TYPE = f"{PREFIX}.type"
# A fault that comes again before any further micro-batch is complete is not tried more often.
SAME_PLACE_MAX = 3


@dataclass(slots=True)
class RestartPolicy:
    """Decides after each failure of one job: seconds to wait, or None when the job has failed.

    ``delay``: the strategy that was chosen. ``explicit``: whether the options name it.
    """

    delay: Callable[[float], float | None]
    explicit: bool
    _place: int = -1
    _same: int = 0

    def next_s(self, error: EddylineError, now_s: float, epoch: int) -> float | None:
        """Seconds until the next attempt after ``error`` at ``epoch``; None: no further one."""
        self._same = self._same + 1 if epoch == self._place else 1
        self._place = epoch
        if not self.explicit:
            domain = ERRORS[error.code].domain
            if domain is Domain.USER:
                return None
            if domain is Domain.INTERNAL and self._same > SAME_PLACE_MAX:
                return None
        return self.delay(now_s)


@dataclass(slots=True)
class _Exponential:
    initial_s: float
    max_s: float
    multiplier: float
    reset_s: float
    jitter: float
    attempts_max: int | None
    chance: np.random.Generator
    _next_s: float = 0.0
    _attempts: int = 0
    _last: float = float("-inf")

    def __call__(self, now_s: float) -> float | None:
        if now_s - self._last > self.reset_s + self._next_s:
            self._next_s, self._attempts = self.initial_s, 0
        self._last = now_s
        self._attempts += 1
        if self.attempts_max is not None and self._attempts > self.attempts_max:
            return None
        wait_s, self._next_s = self._next_s, min(self.max_s, self._next_s * self.multiplier)
        return wait_s * (1 + float(self.chance.uniform(-self.jitter, self.jitter)))


@dataclass(slots=True)
class _Fixed:
    attempts: int
    delay_s: float

    def __call__(self, now_s: float) -> float | None:
        self.attempts -= 1
        return self.delay_s if self.attempts >= 0 else None


@dataclass(slots=True)
class _Rate:
    failures_max: int
    interval_s: float
    delay_s: float
    _failures: deque[float] = field(default_factory=deque)

    def __call__(self, now_s: float) -> float | None:
        self._failures.append(now_s)
        while now_s - self._failures[0] > self.interval_s:
            self._failures.popleft()
        return self.delay_s if len(self._failures) <= self.failures_max else None


def restart_policy(config: SessionConfig, job_id: str) -> RestartPolicy:
    """The policy that a session's options describe; ``job_id`` seeds the jitter of pauses."""
    chosen = config.value(TYPE)
    kind = _NAMES[chosen or "exponential-delay"]
    return RestartPolicy(_MAKERS[kind](config, job_id), bool(chosen))


def _exponential(config: SessionConfig, job_id: str) -> _Exponential:
    name = f"{PREFIX}.exponential-delay"
    return _Exponential(
        initial_s=config.seconds(f"{name}.initial-backoff"),
        max_s=config.seconds(f"{name}.max-backoff"),
        multiplier=config.value(f"{name}.backoff-multiplier"),
        reset_s=config.seconds(f"{name}.reset-backoff-threshold"),
        jitter=config.value(f"{name}.jitter-factor"),
        attempts_max=config.value(f"{name}.attempts-before-reset-backoff"),
        chance=np.random.default_rng(zlib.crc32(job_id.encode())),
    )


def _fixed(config: SessionConfig, job_id: str) -> _Fixed:
    name = f"{PREFIX}.fixed-delay"
    return _Fixed(config.value(f"{name}.attempts"), config.seconds(f"{name}.delay"))


def _rate(config: SessionConfig, job_id: str) -> _Rate:
    name = f"{PREFIX}.failure-rate"
    return _Rate(
        config.value(f"{name}.max-failures-per-interval"),
        config.seconds(f"{name}.failure-rate-interval"),
        config.seconds(f"{name}.delay"),
    )


_NAMES = {
    "none": "none",
    "off": "none",
    "disable": "none",
    "exponential-delay": "exponential-delay",
    "exponentialdelay": "exponential-delay",
    "fixed-delay": "fixed-delay",
    "fixeddelay": "fixed-delay",
    "failure-rate": "failure-rate",
    "failurerate": "failure-rate",
}
_MAKERS: dict[str, Callable[[SessionConfig, str], Callable[[float], float | None]]] = {
    "none": lambda config, job_id: lambda now_s: None,
    "exponential-delay": _exponential,
    "fixed-delay": _fixed,
    "failure-rate": _rate,
}
