"""A running generator: renders what is due, sends it, counts what was acknowledged."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np

from eddyline.clock import SYSTEM, Clock
from eddyline.errors import EddylineError
from eddyline.generator.counters import Counters, Meter, SendResult
from eddyline.generator.partition import compile_key
from eddyline.generator.rate import Schedule
from eddyline.generator.spec import GeneratorSpec
from eddyline.generator.target import Target, contents, with_newlines
from eddyline.generator.template import compile_template

# Records due within a tick leave together; slower rates send each record at its own instant.
TICK_S = 0.010
BATCH_RECORDS_MAX = 10_000
BATCH_BYTES_MAX = 4 * 1024 * 1024
# After a stall this much is caught up; beyond it the plan is put off.
CATCH_UP_S = 5.0


class Generator:
    """Runs one :class:`GeneratorSpec` against a target; ``counters`` may be read at any time.

    Raises on construction what is wrong with the spec or its template, before anything is sent.
    """

    def __init__(self, spec: GeneratorSpec, target: Target, clock: Clock = SYSTEM) -> None:
        spec.check()
        self.spec = spec
        self._template = compile_template(spec.template)
        records, keys = np.random.SeedSequence(spec.seed).spawn(2)
        self._rng = np.random.default_rng(records)
        self._keys = compile_key(spec.partition_key, np.random.default_rng(keys))
        self._target = target
        self._clock = clock
        self._meter = Meter(clock)
        by_bytes = BATCH_BYTES_MAX // max(1, self._template.record_bytes_max)
        self._batch_max = max(1, min(BATCH_RECORDS_MAX, by_bytes))

    @property
    def counters(self) -> Counters:
        """What was sent and acknowledged so far."""
        return self._meter.read()

    def run(self, stop: threading.Event) -> Counters:
        """Send until the total, the duration or ``stop``; returns the final counters.

        Raises:
            EddylineError: when the target can take nothing more.
        """
        self._meter.start()
        try:
            schedule = self.spec.schedule()
            if schedule is None:
                self._run_unbounded(stop)
            else:
                self._run_on_time(schedule, stop)
        except EddylineError as error:
            self._meter.error(error.message)
            raise
        finally:
            self._meter.stop()
        return self.counters

    def _run_unbounded(self, stop: threading.Event) -> None:
        start = self._clock.monotonic()
        limit, duration = self.spec.limit(), self.spec.duration_s
        sent = 0
        while not stop.is_set() and (limit is None or sent < limit):
            if duration is not None and self._clock.monotonic() - start >= duration:
                break
            n = self._batch_max if limit is None else min(self._batch_max, limit - sent)
            self._send(n, self._clock.now_ms(), sent, stop)
            sent += n

    def _run_on_time(self, schedule: Schedule, stop: threading.Event) -> None:
        start, start_ms = self._clock.monotonic(), self._clock.now_ms()
        limit, sent, slipped_s, earliest = self.spec.limit(), 0, 0.0, 0.0
        while not stop.is_set() and (limit is None or sent < limit):
            elapsed = self._clock.monotonic() - start - slipped_s
            next_due = float(schedule.due_s(sent, 1)[0])
            if (ready := max(next_due, earliest)) > elapsed:
                self._clock.wait(stop, min(ready - elapsed, 3600.0))
                continue
            late_s = elapsed - next_due - CATCH_UP_S
            if late_s > 0:
                slipped_s += late_s
                self._meter.slip(round(late_s * 1000))
                elapsed -= late_s
            due = schedule.count(elapsed) if limit is None else min(schedule.count(elapsed), limit)
            n = min(due - sent, self._batch_max)
            due_ms = (schedule.due_s(sent, n) + slipped_s) * 1000
            self._send(n, start_ms + np.floor(due_ms + 1e-6).astype(np.int64), sent, stop)
            sent += n
            # A full batch is a backlog: the next one follows at once.
            earliest = elapsed + TICK_S if n < self._batch_max else elapsed

    def _send(self, n: int, now_ms: Any, first: int, stop: threading.Event) -> None:
        data = self._template.render(n, self._rng, now_ms, first=first)
        if self.spec.newline and self.spec.target.startswith(("stream:", "kinesis:")):
            data = with_newlines(data)
        size = len(contents(data))
        try:
            result = self._target.send(self._keys(data), data, stop)
        except EddylineError as error:
            self._meter.add(n, size, SendResult(0, n, error.message))
            raise
        self._meter.add(n, size, result)
        if result.error and not result.accepted:
            self._clock.wait(stop, 0.5)


class GeneratorThread:
    """A generator in a thread of its own: start it, stop it, read its counters."""

    def __init__(self, generator: Generator, name: str = "generator") -> None:
        self.generator = generator
        self.error: EddylineError | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    @property
    def counters(self) -> Counters:
        """Live counters; ``running`` is true to what runs."""
        return self.generator.counters

    @property
    def running(self) -> bool:
        """Whether the thread still works."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def stop(self, timeout_s: float = 10.0) -> Counters:
        """Stop after the batch under way; returns the final counters."""
        self._stop.set()
        self._thread.join(timeout_s)
        return self.counters

    def join(self, timeout_s: float | None = None) -> Counters:
        """Wait for the end by itself."""
        self._thread.join(timeout_s)
        return self.counters

    def _run(self) -> None:
        try:
            self.generator.run(self._stop)
        except EddylineError as error:
            self.error = error
