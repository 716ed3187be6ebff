"""A running generator: renders what is due, sends it, counts what was acknowledged."""

from __future__ import annotations

import secrets
import threading
from collections import deque
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa

from eddyline.clock import SYSTEM, Clock
from eddyline.errors import EddylineError
from eddyline.generator.counters import Counters, Meter, SendResult
from eddyline.generator.fault import DueRecords, Faults, check_fields
from eddyline.generator.folder import NO_FILES, Folder
from eddyline.generator.partition import compile_key
from eddyline.generator.rate import Schedule
from eddyline.generator.spec import GeneratorSpec
from eddyline.generator.target import Flight, RecordEncoding, Target, begin, contents
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
# A record that leaves later than this carries the instant at which it leaves, not that of the plan.
LATE_MS = 250


class Generator:
    """Runs one :class:`GeneratorSpec` against a target; ``counters`` may be read at any time.

    ``labels`` takes what was done wrong on purpose, ``open_output`` opens the targets that the
    template's ``record.next`` names, ``files`` are the lists it may read. Raises on construction
    what is wrong with the spec or its template, before anything is sent.
    """

    def __init__(
        self,
        spec: GeneratorSpec,
        target: Target,
        clock: Clock = SYSTEM,
        labels: Target | None = None,
        *,
        open_output: Callable[[str], Target] | None = None,
        files: Folder = NO_FILES,
    ) -> None:
        spec.check()
        self.spec = spec
        template = compile_template(spec.template, files)
        self.warnings = template.warnings
        self.seed = secrets.randbits(63) if spec.seed is None else spec.seed
        records, keys, faults, plan = np.random.SeedSequence(self.seed).spawn(4)
        origin_ms = spec.begun_ms if spec.simulated is None else spec.simulated.start_ms
        drawn = np.random.default_rng(records)
        self._records = template.rendering(drawn, spec.first_turn, origin_ms)
        check_fields(spec.faults, template)
        named = outputs_of(spec, template.outputs[1:])
        self._targets = [target, *(self._opened(open_output, text) for text in named)]
        self._keys = compile_key(spec.partition_key, np.random.default_rng(keys))
        self._faults = None
        if spec.faults or (labels is not None and spec.bursts):
            self._faults = Faults(spec.faults, spec.bursts, np.random.default_rng(faults))
        self._plan_seed = int(plan.generate_state(1)[0])
        self._labels = labels
        self._clock = clock
        self._meter = Meter(clock, self.seed)
        self._forms = [
            RecordEncoding(spec.newline and text.startswith(STREAMS), spec.gzip)
            for text in (spec.target, *named)
        ]
        by_bytes = BATCH_BYTES_MAX // max(1, template.record_bytes_max)
        self._batch_max = max(1, min(BATCH_RECORDS_MAX, by_bytes))
        self._flights: deque[Flight] = deque()
        self._made = spec.first_record

    @staticmethod
    def _opened(open_output: Callable[[str], Target] | None, text: str) -> Target:
        if open_output is None:
            message = f"the template sends records to {text}, which cannot be opened here"
            raise EddylineError("invalid_argument", message)
        return open_output(text)

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
            at_ms = np.clip((due_s / speed + slipped_s) * 1000, last_ms - LATE_MS, last_ms)
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
        held, routes = self._faults.release(np.inf if until_s is None else until_s)
        if held:
            self._hand_over(pa.array(held, pa.binary()), np.array(routes, np.int8), stop)

    def _send(self, due_s: Any, now_ms: Any, first: int, stop: threading.Event) -> None:
        clock = self.spec.simulated
        sim_ms = now_ms
        if clock is not None:
            sim_ms = clock.start_ms + np.floor(due_s * 1000 + 1e-6).astype(np.int64)
        data, routes = self._records.routed(len(due_s), now_ms, sim_ms)
        self._made += len(data)
        if self._faults is not None:
            batch = DueRecords(data, routes, due_s, now_ms, self.spec.first_record + first)
            data, routes, labels = self._faults.apply(batch)
            self._meter.missed(self._faults.missed)
            if self._labels is not None and len(labels):
                self._labels.send(pa.repeat("labels", len(labels)), labels, stop)
        if len(data):
            self._hand_over(data, routes, stop)

    def _hand_over(self, data: Any, routes: Any, stop: threading.Event) -> None:
        """Give each target its records; the last batch carries how far the run has come."""
        if len(self._targets) == 1:
            self._to_target(0, data, self._records.turns, stop)
        else:
            places = np.unique(routes).tolist()
            for place in places:
                rows = pa.array(np.flatnonzero(routes == place))
                turns = self._records.turns if place == places[-1] else None
                self._to_target(place, data.take(rows), turns, stop)
        last = self._meter.last
        if last is not None and last.error and not last.accepted:
            self._clock.wait(stop, 0.5)

    def _to_target(self, place: int, data: Any, turns: int | None, stop: threading.Event) -> None:
        target = self._targets[place]
        n, keys = len(data), self._keys(data)
        data = self._forms[place].apply(data)
        size, begun_s = len(contents(data)), self._clock.monotonic()
        flight = Flight(n, size, turns, None if turns is None else self._made, begun_s)
        try:
            begun = begin(target, keys, data)
            flight.result = begun if begun is not None else target.send(keys, data, stop)
        except EddylineError as error:
            self._meter.add(n, flight.size, SendResult(0, n, error.message))
            raise
        self._flights.append(flight)
        self._land(FLIGHTS_MAX if begun is not None else 0)

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


def outputs_of(spec: GeneratorSpec, names: tuple[str, ...]) -> list[str]:
    """The targets of the outputs that a template names, as texts such as ``stream:clicks``.

    A name is one that the spec gives a target to, or a stream where the spec's own target is one.

    Raises:
        EddylineError: ``invalid_argument`` for a name without a target, or a target without a name.
    """
    given: Mapping[str, str] = dict(spec.outputs)
    for name in given:
        if name not in names:
            message = f"the template sends nothing to {name}"
            hint = f'name the output in it: {{{{record.next({{"to":"{name}"}})}}}}'
            raise EddylineError("invalid_argument", message, hint=hint)
    return [given[name] if name in given else _own_output(spec, name) for name in names]


def _own_output(spec: GeneratorSpec, name: str) -> str:
    kind, _, stream = name.partition(":")
    own = spec.target.partition(":")[0]
    if kind == "stream" and stream and own in ("stream", "kinesis"):
        return f"{own}:{stream}"  # beside the run's own stream, wherever that is
    message = f"the template sends records to {name}, which has no target"
    hint = f"add --to {name}=stream:NAME" if ":" not in name else "write stream:NAME"
    raise EddylineError("invalid_argument", message, hint=hint)


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
