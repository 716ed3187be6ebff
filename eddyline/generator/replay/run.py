"""A running replay: a file's records in event order, with their gaps, into a target."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO, NoReturn

import msgspec
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
from eddyline.generator.replay.batch import Facts, RecordReader, ReplayBatch
from eddyline.generator.replay.delimited import ALB, CsvReader, DelimitedLayout, is_delimited
from eddyline.generator.replay.line_log import NAMES, LineLogReader, form_of
from eddyline.generator.replay.ndjson import NdjsonReader
from eddyline.generator.replay.order import Disorder, in_order
from eddyline.generator.replay.parquet import MAGIC, ParquetReader
from eddyline.generator.replay.source import SNIFF_BYTES, TORN, open_input
from eddyline.generator.replay.spec import FORMATS, ReplaySpec
from eddyline.generator.replay.text import BadLines
from eddyline.generator.replay.time_pattern import time_pattern
from eddyline.generator.target import Target, with_newlines

# How a line of a load balancer's log begins.
_ALB = r"^(https?|h2|grpcs|wss?) \d{4}-\d\d-\d\dT[\d:.]+Z \S+ \S+:\d+ "


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
        self._source = open_input(path, spec.encoding)
        try:
            self._reader = reader_of(spec, self._source, path)
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
    def faults(self) -> BadLines:
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
        if first_ms is None and self.spec.limit != 0:
            self._nothing()

    def _nothing(self) -> NoReturn:
        """Nothing could be read of a file that is not empty, which is no success."""
        faults = self.faults
        if faults.named:
            first = faults.named[0]
            why = f"{faults.count:,} lines were left out; line {first.line}: {first.reason}"
        else:
            why = "it has no records"
        message = f"nothing could be read from {self.spec.path} as {self.facts.format}"
        hint = f"name another format with --format: {', '.join(FORMATS[1:])}"
        raise EddylineError("bad_file", message, detail=why, hint=hint)

    def _limited(self) -> Iterator[ReplayBatch]:
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

    def _send_all(self, batch: ReplayBatch, moved_s: int, stop: threading.Event) -> None:
        for at in range(0, len(batch), BATCH_RECORDS_MAX):
            if stop.is_set():
                return
            self._send(batch.cut(at, min(at + BATCH_RECORDS_MAX, len(batch))), moved_s, stop)

    def _send_on_time(
        self, batch: ReplayBatch, due: Uniforms, moved_s: int, stop: threading.Event
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

    def _send(self, batch: ReplayBatch, moved_s: int, stop: threading.Event) -> None:
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


def reader_of(spec: ReplaySpec, source: IO[bytes], path: Path) -> RecordReader:
    """The reader of a file's format. Raises ``bad_file`` where none is recognised."""
    form = spec.format if spec.format != "auto" else sniff(source, path, spec)
    pattern = None if spec.time_format is None else time_pattern(spec.time_format)
    if form == "access-log":
        return AccessLogReader(source, path)
    if form == "parquet":
        return ParquetReader(source, path, spec.time_field, pattern)
    if form in NAMES:
        lines = _head(source, path)
        layout = form_of(lines, form)
        if layout is None:
            raise EddylineError("bad_file", f"no line of {path} is one of {form}")
        return LineLogReader(source, path, layout, spec.date)
    if form in ("csv", "w3c", "alb"):
        return CsvReader(source, path, spec.time_field, pattern, _layout(spec, form, source))
    if form == "json":
        source = _one_per_line(source, path)
    return NdjsonReader(source, path, spec.time_field, pattern)


def _layout(spec: ReplaySpec, form: str, source: IO[bytes]) -> DelimitedLayout:
    if form == "w3c":
        head = source.peek(SNIFF_BYTES)  # type: ignore[attr-defined]
        rows = [line for line in head.splitlines() if line and not line.startswith(b"#")]
        delimiter = "\t" if rows and b"\t" in rows[0] else " "
        return DelimitedLayout(delimiter, absent="-", date_and_time=True, format="w3c")
    if form == "alb":
        return DelimitedLayout(" ", names=ALB, absent="-", format="alb")
    return DelimitedLayout(spec.delimiter, spec.decimal, spec.header, spec.columns)


# CloudTrail's files are one object with the events in a list of this name.
_WRAPPER = "Records"


def _one_per_line(source: IO[bytes], path: Path) -> IO[bytes]:
    """A JSON list, or objects over several lines, as one object per line."""
    import io

    text = source.read()
    try:
        values = msgspec.json.decode(text)
        if isinstance(values, dict) and list(values) == [_WRAPPER]:
            values = values[_WRAPPER]
        rows = values if isinstance(values, list) else [values]
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise EddylineError("bad_file", f"{path} is no JSON: {error}") from None
    return io.BytesIO(b"\n".join(msgspec.json.encode(row) for row in rows))


def _head(source: IO[bytes], path: Path) -> list[str]:
    """The first lines that are not blank. Raises ``bad_file`` for an empty file."""
    try:
        head = source.peek(SNIFF_BYTES)  # type: ignore[attr-defined]
    except TORN as error:
        raise EddylineError("bad_file", f"cannot read {path}: {error}") from error
    rows = head.removeprefix(b"\xef\xbb\xbf").splitlines()
    if len(head) >= SNIFF_BYTES and len(rows) > 1:
        rows.pop()  # cut off in its middle
    lines = [row.decode("utf-8", "replace").rstrip() for row in rows[:50]]
    lines = [line for line in lines if line]
    if not lines:
        raise EddylineError("bad_file", f"{path} is empty")
    return lines


def sniff(source: IO[bytes], path: Path, spec: ReplaySpec | None = None) -> str:
    """The format of a file by its first lines. Raises ``bad_file`` where none is recognised."""
    lines = _head(source, path)
    head = source.peek(SNIFF_BYTES)  # type: ignore[attr-defined]
    if head.startswith(MAGIC):
        return "parquet"
    if lines[0].lstrip().startswith("[") and lines[0].lstrip()[1:2] in ("", "{", " "):
        return "json"
    if lines[0].strip() == "{" or lines[0].lstrip().startswith(f'{{"{_WRAPPER}":['):
        return "json"
    if any(line.lstrip().startswith("{") for line in lines[:10]):
        return "ndjson"
    if any(line.startswith("#Fields:") for line in lines):
        return "w3c"
    sample = pa.array(lines)
    if pc.any(pc.match_substring_regex(sample, LINE)).as_py():
        return "access-log"
    if pc.any(pc.match_substring_regex(sample, _ALB)).as_py():
        return "alb"
    given = spec is not None and (spec.delimiter or spec.columns or spec.header is not None)
    if not given and (form := form_of(lines)) is not None:
        return form.name
    if given or is_delimited(lines):
        return "csv"
    hint = f"name it with --format: {', '.join(FORMATS[1:])}"
    raise EddylineError("bad_file", f"the format of {path} is not recognised", hint=hint)
