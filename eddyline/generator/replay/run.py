"""A running replay: a file's records in event order, with their gaps, into a target."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from eddyline.clock import SYSTEM, Clock
from eddyline.errors import EddylineError
from eddyline.generator.column import Uniforms
from eddyline.generator.counters import Counters, Meter, SendResult
from eddyline.generator.job import BATCH_RECORDS_MAX, TICK_S
from eddyline.generator.partition import compile_key
from eddyline.generator.replay.access_log import LINE, AccessLogReader
from eddyline.generator.replay.batch import Batch, Facts, Reader
from eddyline.generator.replay.delimited import DELIMITERS, CsvReader
from eddyline.generator.replay.ndjson import NdjsonReader
from eddyline.generator.replay.order import Disorder, in_order
from eddyline.generator.replay.parquet import MAGIC, ParquetReader
from eddyline.generator.replay.spec import ReplaySpec
from eddyline.generator.replay.text import Faults, open_input
from eddyline.generator.target import Target, with_newlines

SNIFF_BYTES = 65_536


class Replay:
    """Runs one :class:`ReplaySpec`; ``counters``, ``facts`` and ``faults`` may be read meanwhile.

    Raises on construction what is wrong with the spec or the file's form.
    """

    def __init__(self, spec: ReplaySpec, target: Target, clock: Clock = SYSTEM) -> None:
        spec.check()
        self.spec = spec
        self.disorder = Disorder()
        self._target = target
        self._clock = clock
        self._meter = Meter(clock)
        self._keys = compile_key(spec.partition_key, np.random.default_rng(0))
        path = Path(spec.path)
        self._source = open_input(path)
        try:
            self._reader = _reader(spec, self._source, path)
        except BaseException:
            self._source.close()
            raise

    @property
    def counters(self) -> Counters:
        """What was sent and acknowledged so far."""
        return self._meter.read()

    @property
    def facts(self) -> Facts:
        """Format, time field and columns, as found."""
        return self._reader.facts

    @property
    def faults(self) -> Faults:
        """Malformed lines so far."""
        return self._reader.faults

    def run(self, stop: threading.Event) -> Counters:
        """Send to the file's end, the limit or ``stop``; returns the final counters.

        Raises:
            EddylineError: ``bad_file`` where the file has no times and the spec needs them, or
                cannot be read on; what the target raises.
        """
        self._meter.start()
        try:
            self._run(stop)
        except EddylineError as error:
            self._meter.error(error.message)
            raise
        finally:
            self._meter.stop()
            self._source.close()
        return self.counters

    def _run(self, stop: threading.Event) -> None:
        start, start_ms = self._clock.monotonic(), self._clock.now_ms()
        first_ms: int | None = None
        for batch in in_order(self._limited(), self.disorder):
            if first_ms is None:
                first_ms = int(batch.ms[0])
                self._need_times()
            moved_s = (start_ms - first_ms) // 1000 if self.spec.time == "now" else 0
            if self.spec.speed is None:
                self._send_all(batch, moved_s, stop)
            else:
                due_s = (batch.ms - first_ms) / 1000 / self.spec.speed
                self._send_on_time(batch, start + due_s, moved_s, stop)
            if stop.is_set():
                return

    def _limited(self) -> Iterator[Batch]:
        left = self.spec.limit
        for batch in self._reader.batches():
            if left is None:
                yield batch
                continue
            yield batch.cut(0, min(left, len(batch)))
            left -= len(batch)
            if left <= 0:
                return

    def _need_times(self) -> None:
        if self.facts.style is not None or (self.spec.speed is None and self.spec.time == "keep"):
            return
        message = f"no event times were found in {self.spec.path}"
        hint = "name the field with --time-field, or replay with --speed max --time keep"
        raise EddylineError("bad_file", message, hint=hint)

    def _send_all(self, batch: Batch, moved_s: int, stop: threading.Event) -> None:
        for at in range(0, len(batch), BATCH_RECORDS_MAX):
            if stop.is_set():
                return
            self._send(batch.cut(at, min(at + BATCH_RECORDS_MAX, len(batch))), moved_s, stop)

    def _send_on_time(
        self, batch: Batch, due: Uniforms, moved_s: int, stop: threading.Event
    ) -> None:
        """Send each record once its instant (on the monotonic clock) has come."""
        at, earliest = 0, 0.0
        while at < len(batch) and not stop.is_set():
            now = self._clock.monotonic()
            if (ready := max(float(due[at]), earliest)) > now:
                self._clock.wait(stop, min(ready - now, 3600.0))
                continue
            # A late record may be due before its neighbour: the longest run that is due.
            to = at + int(np.searchsorted(np.maximum.accumulate(due[at:]), now, side="right"))
            to = min(max(to, at + 1), at + BATCH_RECORDS_MAX)
            self._send(batch.cut(at, to), moved_s, stop)
            earliest = now + TICK_S if to - at < BATCH_RECORDS_MAX else now
            at = to

    def _send(self, batch: Batch, moved_s: int, stop: threading.Event) -> None:
        data = batch.records(self.facts.style, moved_s)
        if self.spec.newline and self.spec.target.startswith(("stream:", "kinesis:")):
            data = with_newlines(data)
        size = pc.sum(pc.binary_length(data)).as_py() or 0
        try:
            result = self._target.send(self._keys(data), data, stop)
        except EddylineError as error:
            self._meter.add(len(data), size, SendResult(0, len(data), error.message))
            raise
        self._meter.add(len(data), size, result)


def _reader(spec: ReplaySpec, source: IO[bytes], path: Path) -> Reader:
    form = spec.format if spec.format != "auto" else sniff(source, path)
    if form == "access-log":
        return AccessLogReader(source, path)
    if form == "parquet":
        return ParquetReader(source, path, spec.time_field)
    if form == "csv":
        return CsvReader(source, path, spec.time_field)
    return NdjsonReader(source, path, spec.time_field)


def sniff(source: IO[bytes], path: Path) -> str:
    """The format of a file by its first lines. Raises ``bad_file`` where none is recognised."""
    try:
        head = source.read(SNIFF_BYTES)
        source.seek(0)
    except (EOFError, OSError) as error:
        raise EddylineError("bad_file", f"cannot read {path}: {error}") from error
    if head.startswith(MAGIC):
        return "parquet"
    lines = [
        line.decode("utf-8", "replace").strip()
        for line in head.removeprefix(b"\xef\xbb\xbf").splitlines()[:10]
    ]
    lines = [line for line in lines if line]
    if not lines:
        raise EddylineError("bad_file", f"{path} is empty")
    if any(line.startswith("{") for line in lines):
        return "ndjson"
    if pc.any(pc.match_substring_regex(pa.array(lines), LINE)).as_py():
        return "access-log"
    if any(d in lines[0] for d in DELIMITERS):
        return "csv"
    hint = "name it with --format ndjson, csv, parquet or access-log"
    raise EddylineError("bad_file", f"the format of {path} is not recognised", hint=hint)
