"""What the endpoint counts: ``/metrics`` for Prometheus, and the access log.

A worker counts in memory and writes its counts down once a second, so that any worker can add up
those of all workers. Services add figures of their own (``MetricsSource``).
"""

from __future__ import annotations

import asyncio
import json
import logging
import logging.handlers
import os
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from eddyline.aws.context import MetricsSource
from eddyline.aws.protocol import RequestRecord, Scope
from eddyline.clock import SYSTEM, Clock
from eddyline.settings import Settings

FOLDER = "metrics"
WRITE_S = 1.0
LOG_BYTES = 32 << 20
BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


class Counts(msgspec.Struct):
    """Of one operation: answers by error (empty: none), seconds, bytes, latencies by bucket."""

    answers: dict[str, int] = msgspec.field(default_factory=dict)
    seconds: float = 0.0
    bytes_in: int = 0
    bytes_out: int = 0
    buckets: list[int] = msgspec.field(default_factory=lambda: [0] * (len(BUCKETS_S) + 1))

    def add(self, other: Counts) -> None:
        """Take another worker's counts in."""
        for error, n in other.answers.items():
            self.answers[error] = self.answers.get(error, 0) + n
        self.seconds += other.seconds
        self.bytes_in += other.bytes_in
        self.bytes_out += other.bytes_out
        self.buckets = [a + b for a, b in zip(self.buckets, other.buckets, strict=True)]


class WorkerFigures(msgspec.Struct):
    """What a worker has counted, as it is written down."""

    requests: dict[str, Counts]
    # The figures of each service that has some.
    services: dict[str, msgspec.Raw] = {}


class Metrics:
    """The listener for the completed requests of this worker.

    sources: gives the figures of each service that runs, by its name.
    """

    def __init__(
        self,
        sources: Callable[[], Mapping[str, MetricsSource]],
        settings: Settings,
        number: int = 0,
        clock: Clock = SYSTEM,
    ) -> None:
        self._sources = sources
        self._clock = clock
        self._folder = settings.data_dir / FOLDER
        self._file = self._folder / f"api-{number}.json"
        self._counts: dict[str, Counts] = {}
        self._writing = False
        self._written = b""
        self._access = _access_log(settings) if settings.access_log else None

    def saw(self, scope: Scope, record: RequestRecord, seconds: float) -> None:
        """A request has been answered."""
        counts = self._counts.get(record.operation)
        if counts is None:
            counts = self._counts[record.operation] = Counts()
        error = record.error or ""
        counts.answers[error] = counts.answers.get(error, 0) + 1
        counts.seconds += seconds
        counts.bytes_in += record.bytes_in
        counts.bytes_out += record.bytes_out
        counts.buckets[_bucket(seconds)] += 1
        if not self._writing:
            self._writing = True
            asyncio.get_running_loop().call_later(WRITE_S, self._write_on)
        if self._access is not None:
            self._access.info("%s", self._line(scope, record, seconds))

    def _line(self, scope: Scope, record: RequestRecord, seconds: float) -> str:
        now = datetime.fromtimestamp(self._clock.now_ms() / 1000, UTC)
        fields = {
            "time": now.isoformat(timespec="milliseconds"),
            "request_id": record.request_id,
            "client": scope.client,
            "http": scope.http_version,
            "operation": record.operation or f"{scope.method} {scope.path[:100]}",
            "user": record.user,
            "status": record.status,
            "error": record.error,
            "bytes_in": record.bytes_in,
            "bytes_out": record.bytes_out,
            "ms": round(seconds * 1000, 3),
        }
        return json.dumps(fields, separators=(",", ":"))

    def _write_on(self) -> None:
        """Write, and again after a second: what a subscription sends is no request."""
        self._write()
        asyncio.get_running_loop().call_later(WRITE_S, self._write_on)

    def _write(self) -> None:
        written = msgspec.json.encode(self._written_now())
        if written == self._written:
            return
        aside = self._file.with_suffix(f".{os.getpid()}")
        try:
            self._folder.mkdir(exist_ok=True)
            aside.write_bytes(written)
            aside.replace(self._file)
            self._written = written
        except OSError:  # a full disk must not stop the service; the next second tries again
            logging.getLogger("eddyline.aws").warning("the counters could not be written")

    def page(self) -> bytes:
        """All counters in Prometheus' text format."""
        everybody = [self._written_now(), *self._others()]
        requests: dict[str, Counts] = {}
        for written in everybody:
            for operation, counts in written.requests.items():
                requests.setdefault(operation, Counts()).add(counts)
        lines = list(_of_requests(requests))
        for name, source in self._sources().items():
            lines += source.lines([w.services[name] for w in everybody if name in w.services])
        return ("\n".join(lines) + "\n").encode() + self._of_jobs()

    def _of_jobs(self) -> bytes:
        """The figures of jobs, which the server writes."""
        try:
            return (self._folder / "jobs.prom").read_bytes()
        except OSError:
            return b""

    def _written_now(self) -> WorkerFigures:
        encode = msgspec.json.encode
        sources = self._sources()
        figures = {name: msgspec.Raw(encode(s.figures())) for name, s in sources.items()}
        return WorkerFigures(self._counts, figures)

    def _others(self) -> Iterator[WorkerFigures]:
        for file in sorted(self._folder.glob("api-*.json")):
            if file != self._file:
                try:
                    yield msgspec.json.decode(file.read_bytes(), type=WorkerFigures)
                except (OSError, msgspec.DecodeError):
                    continue

    def close(self) -> None:
        """Write down what was counted."""
        if self._counts:
            self._write()


def _bucket(seconds: float) -> int:
    for i, edge in enumerate(BUCKETS_S):
        if seconds <= edge:
            return i
    return len(BUCKETS_S)


def _access_log(settings: Settings) -> logging.Logger:
    path = Path(settings.data_dir) / "logs" / "access.log"
    path.parent.mkdir(parents=True, exist_ok=True)
    handler = logging.handlers.RotatingFileHandler(path, maxBytes=LOG_BYTES, backupCount=4)
    handler.setFormatter(logging.Formatter("%(message)s"))
    logger = logging.getLogger("eddyline.access")
    logger.handlers[:] = [handler]
    logger.propagate = False
    logger.setLevel(logging.INFO)
    return logger


def head(name: str, kind: str, words: str) -> Iterator[str]:
    """The two lines before the samples of a metric."""
    yield f"# HELP {name} {words}"
    yield f"# TYPE {name} {kind}"


def _of_requests(totals: dict[str, Counts]) -> Iterator[str]:
    rows = sorted(totals.items())
    yield from head("eddyline_requests_total", "counter", "Requests by operation and error.")
    for operation, counts in rows:
        for error, n in sorted(counts.answers.items()):
            yield f'eddyline_requests_total{{operation="{operation}",error="{error}"}} {n}'
    for way in ("in", "out"):
        name = f"eddyline_request_bytes_{way}_total"
        yield from head(name, "counter", f"Bytes of bodies that went {way}.")
        for operation, counts in rows:
            yield f'{name}{{operation="{operation}"}} {getattr(counts, f"bytes_{way}")}'
    yield from head("eddyline_request_seconds", "histogram", "Time from request to answer.")
    for operation, counts in rows:
        total = 0
        for edge, n in zip([*map(str, BUCKETS_S), "+Inf"], counts.buckets, strict=True):
            total += n
            label = f'operation="{operation}",le="{edge}"'
            yield f"eddyline_request_seconds_bucket{{{label}}} {total}"
        yield f'eddyline_request_seconds_sum{{operation="{operation}"}} {counts.seconds:.6f}'
        yield f'eddyline_request_seconds_count{{operation="{operation}"}} {total}'
