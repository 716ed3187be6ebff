"""A running generator: renders what is due, sends it, counts what was acknowledged."""

from __future__ import annotations

import threading
from collections import deque
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa

from eddyline.clock import SYSTEM, Clock
from eddyline.errors import EddylineError
from eddyline.generator.counters import Counters, Meter, SendResult
from eddyline.generator.fault import Faults
from eddyline.generator.partition import compile_key
from eddyline.generator.rate import Schedule
from eddyline.generator.spec import GeneratorSpec
from eddyline.generator.target import Flight, Form, Target, begin, contents
from eddyline.generator.template import compile_template

# Records due within a tick leave together; slower rates send each record at its own instant.
TICK_S = 0.010
BATCH_RECORDS_MAX = 10_000
BATCH_BYTES_MAX = 4 * 1024 * 1024
# Batches a local stream makes durable while the next is rendered.
FLIGHTS_MAX = 3
STREAMS = ("stream:", "kinesis:", "kafka:")
# After a stall this much is caught up; beyond it the plan is put off.
CATCH_UP_S = 5.0


class Generator:
    """Runs one :class:`GeneratorSpec` against a target; ``counters`` may be read at any time.

    ``labels`` takes what was done wrong on purpose. Raises on construction what is wrong with the
    spec or its template, before anything is sent.
    """

    def __init__(
        self,
        spec: GeneratorSpec,
        target: Target,
        clock: Clock = SYSTEM,
        labels: Target | None = None,
    ) -> None:
        spec.check()
        self.spec = spec
        template = compile_template(spec.template)
        records, keys, faults, plan = np.random.SeedSequence(spec.seed).spawn(4)
        self._records = template.rendering(np.random.default_rng(records), spec.first_turn)
        self._keys = compile_key(spec.partition_key, np.random.default_rng(keys))
        self._faults = None
        if spec.faults or (labels is not None and spec.bursts):
            self._faults = Faults(spec.faults, spec.bursts, np.random.default_rng(faults))
        self._plan_seed = int(plan.generate_state(1)[0])
        self._target = target
        self._labels = labels
        self._clock = clock
        self._meter = Meter(clock)
        self._form = Form(spec.newline and spec.target.startswith(STREAMS), spec.gzip)
        by_bytes = BATCH_BYTES_MAX // max(1, template.record_bytes_max)
        self._batch_max = max(1, min(BATCH_RECORDS_MAX, by_bytes))
        self._flights: deque[Flight] = deque()
        self._made = spec.first_record

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
            start_ms = self._clock.now_ms()
            plan = self.spec.plan(start_ms, self._plan_seed)
            if plan is None or not self.spec.timed:
                self._run_unbounded(plan, stop)
            else:
                self._run_on_time(plan, start_ms, stop)
            self._land(0)
        except EddylineError as error:
            self._meter.error(error.message)
            raise
        finally:
            self._meter.stop()
        return self.counters

    def _left(self, sent: int) -> int | None:
        limit = self.spec.limit()
        return None if limit is None else limit - self.spec.first_record - sent

    def _run_unbounded(self, plan: Schedule | None, stop: threading.Event) -> None:
        start = self._clock.monotonic()
        duration, left, sent = self.spec.duration_s, self._left(0), 0
        while not stop.is_set() and (left is None or sent < left):
            elapsed = self._clock.monotonic() - start
            if duration is not None and elapsed >= duration:
                break
            n = self._batch_max if left is None else min(self._batch_max, left - sent)
            now_ms = np.full(n, self._clock.now_ms(), np.int64)
            due = np.full(n, elapsed) if plan is None else plan.due_s(sent, n)
            due, now_ms = self._before_end(due, now_ms)
            if not len(due):
                break
            self._send(due, now_ms, sent, stop)
            sent += len(due)
        self._send_held(None, stop)

    def _run_on_time(self, plan: Schedule, start_ms: int, stop: threading.Event) -> None:
        """``plan`` counts its own seconds, ``speed`` of which pass in one of the clock's."""
        start, speed = self._clock.monotonic(), self.spec.speed
        left, sent, slipped_s, earliest = self._left(0), 0, 0.0, 0.0
        while not stop.is_set() and (left is None or sent < left):
            elapsed = self._clock.monotonic() - start - slipped_s
            self._send_held(elapsed * speed, stop)
            next_due = float(plan.due_s(sent, 1)[0]) / speed
            if self.spec.duration_s is not None and next_due >= self.spec.duration_s:
                break
            if (ready := max(next_due, earliest)) > elapsed:
                self._land(0)
                self._clock.wait(stop, min(ready - elapsed, self._until_release(elapsed), 3600.0))
                continue
            late_s = elapsed - next_due - CATCH_UP_S
            if late_s > 0:
                slipped_s += late_s
                self._meter.slip(round(late_s * 1000))
                elapsed -= late_s
            due = plan.count(elapsed * speed)
            n = min(due if left is None else min(due, left), sent + self._batch_max) - sent
            due_s, last_ms = plan.due_s(sent, max(1, n)), (elapsed + slipped_s) * 1000
            at_ms = np.minimum((due_s / speed + slipped_s) * 1000, last_ms)
            due_s, now_ms = self._before_end(
                due_s, start_ms + np.floor(at_ms + 1e-6).astype(np.int64)
            )
            if not len(due_s):
                break
            self._send(due_s, now_ms, sent, stop)
            sent += len(due_s)
            # A full batch is a backlog: the next one follows at once.
            earliest = elapsed + TICK_S if n < self._batch_max else elapsed
        while not stop.is_set() and self._faults and self._faults.next_release_s is not None:
            elapsed = self._clock.monotonic() - start - slipped_s
            self._clock.wait(stop, min(self._until_release(elapsed), 3600.0))
            self._send_held((self._clock.monotonic() - start - slipped_s) * speed, stop)

    def _before_end(self, due_s: Any, now_ms: Any) -> tuple[Any, Any]:
        """Only what is due before the run's and the simulated clock's end."""
        ends = []
        if self.spec.duration_s is not None and self.spec.timed:
            ends.append(self.spec.duration_s * self.spec.speed)
        if self.spec.simulated is not None and self.spec.simulated.end_ms is not None:
            ends.append((self.spec.simulated.end_ms - self.spec.simulated.start_ms) / 1000)
        if not ends:
            return due_s, now_ms
        n = int(np.searchsorted(due_s, min(ends), side="left"))
        return due_s[:n], now_ms[:n]

    def _until_release(self, elapsed: float) -> float:
        at = self._faults.next_release_s if self._faults is not None else None
        return 3600.0 if at is None else max(0.001, at / self.spec.speed - elapsed)

    def _send_held(self, until_s: float | None, stop: threading.Event) -> None:
        """Send the records held back until then, or all (None)."""
        if self._faults is None or self._faults.next_release_s is None:
            return
        found = self._faults.release(np.inf if until_s is None else until_s)
        if found:
            self._hand_over(pa.array(found, pa.binary()), stop)

    def _send(self, due_s: Any, now_ms: Any, first: int, stop: threading.Event) -> None:
        clock = self.spec.simulated
        sim_ms = now_ms
        if clock is not None:
            sim_ms = clock.start_ms + np.floor(due_s * 1000 + 1e-6).astype(np.int64)
        data = self._records.records(len(due_s), now_ms, sim_ms)
        self._made += len(data)
        if self._faults is not None:
            data, told = self._faults.apply(data, due_s, now_ms, self.spec.first_record + first)
            if self._labels is not None and len(told):
                self._labels.send(pa.repeat("labels", len(told)), told, stop)
        if len(data):
            self._hand_over(data, stop)

    def _hand_over(self, data: Any, stop: threading.Event) -> None:
        n, keys = len(data), self._keys(data)
        data = self._form.apply(data)
        size, begun_s = len(contents(data)), self._clock.monotonic()
        flight = Flight(n, size, self._records.turns, self._made, begun_s)
        try:
            begun = begin(self._target, keys, data)
            flight.result = begun if begun is not None else self._target.send(keys, data, stop)
        except EddylineError as error:
            self._meter.add(n, flight.size, SendResult(0, n, error.message))
            raise
        self._flights.append(flight)
        self._land(FLIGHTS_MAX if begun is not None else 0)
        last = self._meter.last
        if last is not None and last.error and not last.accepted:
            self._clock.wait(stop, 0.5)

    def _land(self, most: int) -> None:
        """Count the batches that are done, and wait for others until ``most`` are under way."""
        while self._flights and (len(self._flights) > most or self._flights[0].done):
            flight = self._flights.popleft()
            add = partial(self._meter.add, flight.records, flight.size)
            try:
                result = flight.outcome()
                took_ms = (self._clock.monotonic() - flight.begun_s) * 1000
                add(result, flight.turns, took_ms, flight.made)
            except EddylineError as error:
                failed = SendResult(0, flight.records, error.message)
                add(failed, flight.turns, made=flight.made)
                raise


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
