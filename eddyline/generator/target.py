"""Where records go: a local stream, a Kinesis endpoint, a file, standard output."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from eddyline.clock import SYSTEM, Clock
from eddyline.errors import EddylineError
from eddyline.generator.counters import SendResult
from eddyline.generator.spec import GeneratorSpec, parse_target

# Errors after which further sending is of no use.
FATAL = frozenset({"not_found", "access_denied", "invalid_argument", "conflict"})
# What a record of a stream may hold, unless the stream says otherwise.
RECORD_KIB = 1024


class Target(Protocol):
    """Takes batches of records and returns what became of them."""

    def send(self, keys: Any, data: Any, stop: threading.Event) -> SendResult:
        """Send records: partition keys (StringArray) and data (BinaryArray) of equal length.

        Returns when the fate of every record is known, or ``stop`` is set.

        Raises:
            EddylineError: one of ``FATAL``, when the target can take nothing more.
        """

    def close(self) -> None:
        """Close connections and files."""


@dataclass(slots=True)
class Flight:
    """A batch on its way: its records, their bytes, and its result.

    ``turns`` and ``made`` are how many turns and records of the run are behind it; None where more
    batches of the same turns follow.
    """

    records: int
    size: int
    turns: int | None
    made: int | None
    begun_s: float
    result: SendResult | Future[SendResult] | None = None

    @property
    def done(self) -> bool:
        """Whether the result is known."""
        return not isinstance(self.result, Future) or self.result.done()

    def outcome(self) -> SendResult:
        """The result, waited for. Raises what ``send`` raises."""
        result = self.result
        assert result is not None
        return result.result() if isinstance(result, Future) else result


def begin(target: Target, keys: Any, data: Any) -> Future[SendResult] | None:
    """Start to send where the target can do so without waiting; else None."""
    start = getattr(target, "begin", None)
    return start(keys, data) if start is not None else None


@dataclass(frozen=True, slots=True)
class RecordEncoding:
    """What is done to every record last: a newline, compression."""

    newline: bool = False
    gzip: bool = False

    def apply(self, data: Any) -> Any:
        """Records (BinaryArray) in the form they are sent in."""
        if self.newline:
            data = with_newlines(data)
        if self.gzip:
            import gzip

            packed = [gzip.compress(r, 6, mtime=0) for r in data.to_pylist()]
            data = pa.array(packed, pa.binary())
        return data


class AppendableStream(Protocol):
    """What a generator needs of a local stream (``eddyline.log``)."""

    def put(self, batch: Any) -> Future[Any]:
        """Append a batch; the future resolves when it is durable."""

    def attributes(self) -> dict[str, Any]:
        """What is kept with the stream; ``max_record_kib`` is how long a record may be."""


class StreamOpener(Protocol):
    """What a generator needs of the log's store."""

    def open(self, name: str) -> Any:
        """The stream of that name; raises ``not_found``."""


class Destination(Protocol):
    """The part of a spec that names where records go."""

    @property
    def target(self) -> str: ...
    @property
    def endpoint(self) -> str | None: ...
    @property
    def region(self) -> str | None: ...
    @property
    def retries(self) -> bool: ...


class LocalStream:
    """A stream of the log in this process: accepted means durable."""

    def __init__(self, stream: AppendableStream) -> None:
        self._stream = stream

    def send(self, keys: Any, data: Any, stop: threading.Event) -> SendResult:
        return self.begin(keys, data).result()

    def begin(self, keys: Any, data: Any) -> Future[SendResult]:
        """As ``send``, without waiting. Records above the stream's limit are given up."""
        from eddyline.log import PutBatch

        sent, refusal = len(data), None
        lengths = pc.binary_length(data)
        if (longest := pc.max(lengths).as_py() or 0) > RECORD_KIB << 10:
            limit = int(self._stream.attributes().get("max_record_kib", RECORD_KIB)) << 10
            if longest > limit:
                fits = pc.less_equal(lengths, limit)
                keys, data = keys.filter(fits), data.filter(fits)
                refusal = (
                    f"a record of {longest:,} bytes is too large: the stream takes {limit:,}, "
                    "which UpdateMaxRecordSize raises"
                )
        done: Future[SendResult] = Future()
        if not len(data):
            done.set_result(SendResult(0, sent, refusal))
            return done

        def put(placed: Future[Any]) -> None:
            error = placed.exception()
            if error is None:
                done.set_result(SendResult(len(data), sent - len(data), refusal))
            elif isinstance(error, EddylineError) and error.code not in FATAL:
                done.set_result(SendResult(0, sent, error.message))
            else:
                done.set_exception(error)

        try:
            self._stream.put(PutBatch(keys, data)).add_done_callback(put)
        except EddylineError as error:
            if error.code in FATAL:
                raise
            done.set_result(SendResult(0, sent, error.message))
        return done

    def close(self) -> None:
        """The store owns the stream."""


class LinesTarget:
    """A file or pipe: one record per line, accepted once the system has taken it."""

    def __init__(self, out: IO[bytes], *, owned: bool) -> None:
        self._out = out
        self._owned = owned

    def send(self, keys: Any, data: Any, stop: threading.Event) -> SendResult:
        try:
            self._out.write(memoryview(contents(with_newlines(data))))
            self._out.flush()
        except BrokenPipeError:
            if not self._owned:  # whoever reads our output has seen enough
                raise
            raise EddylineError("conflict", "the reader of the pipe went away") from None
        except OSError as error:
            raise EddylineError("disk_full", f"cannot write: {error.strerror}") from error
        return SendResult(len(data))

    def close(self) -> None:
        if self._owned:
            self._out.close()


def open_target(
    spec: Destination, streams: Callable[[], StreamOpener] | None = None, clock: Clock = SYSTEM
) -> Target:
    """The target that ``spec`` names. ``streams`` opens the log's store, and is called only if
    needed.

    Raises:
        EddylineError: ``not_found`` for a stream or directory that does not exist,
            ``invalid_argument`` for a target that is none.
    """
    kind, name = parse_target(spec.target)
    if kind == "kinesis":
        from eddyline.generator.kinesis import KinesisStream

        return KinesisStream(name, spec.endpoint, spec.region, retries=spec.retries, clock=clock)
    if kind == "kafka":
        from eddyline.generator.kafka import KafkaTopic

        return KafkaTopic(name, spec.endpoint, retries=spec.retries)
    if kind == "file":
        return open_file(name)
    if kind == "stdout":
        return LinesTarget(sys.stdout.buffer, owned=False)
    if streams is None:
        raise EddylineError("invalid_argument", "no data directory is open for a local stream")
    return LocalStream(open_stream(streams(), name))


def open_labels(
    spec: GeneratorSpec, streams: Callable[[], StreamOpener] | None = None, clock: Clock = SYSTEM
) -> Target | None:
    """The target of a spec's labels, if it has one. Raises as ``open_target``."""
    if spec.labels is None:
        return None
    return open_target(replace(spec, target=spec.labels), streams, clock)


def open_stream(streams: StreamOpener, name: str) -> Any:
    """A local stream, or ``not_found`` with the command that makes it."""
    try:
        return streams.open(name)
    except EddylineError as error:
        if error.code != "not_found":
            raise
        hint = f"eddyline stream create {name}"
        raise EddylineError("not_found", f"there is no stream {name}", hint=hint) from error


def open_file(path: str) -> LinesTarget:
    """A file to append lines to; written compressed if its name ends in .gz."""
    try:
        if path.endswith(".gz"):
            import gzip

            return LinesTarget(gzip.open(path, "ab"), owned=True)  # type: ignore[arg-type]
        return LinesTarget(Path(path).open("ab"), owned=True)
    except FileNotFoundError:
        parent = Path(path).parent
        message = f"cannot write {path}: there is no directory {parent}"
        raise EddylineError("not_found", message, hint=f"mkdir -p {parent}") from None
    except OSError as error:
        message = f"cannot write {path}: {error.strerror}"
        raise EddylineError("access_denied", message) from error


def with_newlines(data: Any) -> Any:
    """Records (BinaryArray) with a newline after each."""
    return pc.binary_join_element_wise(data, b"\n", b"")


def contents(data: Any) -> Any:
    """The values of a BinaryArray as one buffer."""
    _, offsets, values = data.buffers()
    if values is None or len(data) == 0:
        return pa.py_buffer(b"")
    bounds = memoryview(offsets).cast("i")
    start, end = bounds[data.offset], bounds[data.offset + len(data)]
    return values.slice(start, end - start)
