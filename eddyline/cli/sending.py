"""A generator or a replay run by the command itself: live counters on stderr, a summary at its end.

The work is done in a thread; the command's own thread draws and receives Ctrl-C, which stops the
work after the batch under way, so that the last counters are true.
"""

from __future__ import annotations

import dataclasses
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any, Protocol

import typer

from eddyline.cli.terminal import line, say
from eddyline.clock import SYSTEM
from eddyline.errors import EddylineError

if TYPE_CHECKING:
    from eddyline.generator.counters import Counters
    from eddyline.generator.target import Target

# Options of every command that sends.
To = Annotated[
    list[str],
    typer.Option("--to", help="stream:NAME, kinesis:NAME, kafka:TOPIC, file:PATH or -."),
]
EndAfter = Annotated[int | None, typer.Option(help="End after so many records.")]
Endpoint = Annotated[
    str | None, typer.Option(help="URL of a Kinesis endpoint that holds the stream.")
]
Region = Annotated[str | None, typer.Option(help="The endpoint's region.")]
Key = Annotated[str, typer.Option(help="Partition key: random, field:NAME or fixed:TEXT.")]
Newline = Annotated[bool, typer.Option("--newline", help="End records of a stream in a newline.")]

DRAW_S = 0.25
TELL_S = 1.0
STOP_S = 30.0


class Sends(Protocol):
    """What can be run here: a ``Generator`` or a ``Replay``."""

    @property
    def counters(self) -> Counters:
        """What was sent and acknowledged so far."""

    def run(self, stop: threading.Event) -> Counters:
        """Send until the end or ``stop``."""


@contextmanager
def target_of(spec: Any, data_dir: Path | None) -> Iterator[Target]:
    """The open target of a spec; a local stream through the log, whether a server runs or not."""
    with targets_of(spec, data_dir) as opened:
        yield opened.target


@dataclass(frozen=True, slots=True)
class OpenTargets:
    """The open targets of a spec: its own, that of its labels, and a way to open more."""

    target: Target
    labels: Target | None
    more: Callable[[str], Target]


@contextmanager
def targets_of(spec: Any, data_dir: Path | None) -> Iterator[OpenTargets]:
    """The open targets of a spec; all are closed at the end."""
    from contextlib import closing
    from functools import cache

    from eddyline.cli.opening import streams
    from eddyline.generator.target import open_labels, open_target

    with ExitStack() as opened:
        log = cache(lambda: opened.enter_context(streams(data_dir)))
        target = opened.enter_context(closing(open_target(spec, log)))
        labels = open_labels(spec, log) if getattr(spec, "labels", None) else None
        if labels is not None:
            opened.enter_context(closing(labels))

        def more(text: str) -> Target:
            return opened.enter_context(closing(open_target(replace(spec, target=text), log)))

        yield OpenTargets(target, labels, more)


def only_target(to: list[str], named: dict[str, str] | None = None) -> str:
    """The one target among those given; ``NAME=TARGET`` goes into ``named`` where that is allowed.

    Raises:
        EddylineError: ``invalid_argument`` for none, for several, or for a name given twice.
    """
    own: list[str] = []
    for text in to:
        name, equals, target = text.partition("=")
        if named is None or not equals or not name.isidentifier():
            own.append(text)
        elif named.setdefault(name, target) != target:
            raise EddylineError("invalid_argument", f"--to {name}=… is given twice")
    if len(own) == 1:
        return own[0]
    words = f"--to names {len(own)} targets: {', '.join(own)}" if own else "--to names no target"
    hint = (
        "records go to one target; give the others a name, as in --to clicks=stream:clicks, and "
        'send to it with {{record.next({"to":"clicks"})}}'
    )
    raise EddylineError("invalid_argument", words, hint=None if named is None else hint)


def remote(target: str, endpoint: str | None) -> str:
    """``stream:NAME`` behind an endpoint is a stream of that endpoint, not of the directory."""
    if endpoint is None:
        return target
    kind, _, name = target.partition(":")
    if kind == "kafka":
        return target
    if kind not in ("stream", "kinesis"):
        msg = f"--endpoint needs a stream as its target, not {target}"
        raise EddylineError("invalid_argument", msg, hint="--to stream:NAME --endpoint URL")
    return f"kinesis:{name}"


class Sending:
    """Runs one sender to its end and reports its progress."""

    def __init__(self, sender: Sends, *, as_json: bool, to_stdout: bool) -> None:
        self._sender = sender
        self._as_json = as_json
        # Where the records themselves go to stdout, figures must not.
        self._out: IO[str] = sys.stderr if to_stdout else sys.stdout
        self._stop = threading.Event()
        self._over = threading.Event()
        self._error: BaseException | None = None
        self._drawn = False

    def run(self) -> Counters:
        """Send to the end.

        Raises:
            EddylineError: what made it fail, or ``conflict`` when records were given up.
            KeyboardInterrupt: once it has been stopped by Ctrl-C.
        """
        before = signal.signal(signal.SIGTERM, signal.default_int_handler)
        thread = threading.Thread(target=self._work, name="sending", daemon=True)
        thread.start()
        interrupted = False
        try:
            self._watch()
        except KeyboardInterrupt:
            interrupted = True
            self._stop.set()
            thread.join(STOP_S)
        finally:
            signal.signal(signal.SIGTERM, before)
        return self._finish(interrupted)

    def _work(self) -> None:
        try:
            self._sender.run(self._stop)
        except BaseException as error:
            self._error = error
        finally:
            self._over.set()

    def _watch(self) -> None:
        reported_at = SYSTEM.monotonic()
        while not self._over.wait(DRAW_S):
            if self._as_json:
                if SYSTEM.monotonic() - reported_at >= TELL_S:
                    reported_at += TELL_S
                    self._tell(done=False)
            elif sys.stderr.isatty():
                self._draw()

    def _draw(self) -> None:
        self._drawn = True
        sys.stderr.write(f"\r\x1b[2K{words_of(self._sender.counters)}")
        sys.stderr.flush()

    def _finish(self, interrupted: bool) -> Counters:
        if self._drawn:
            sys.stderr.write("\r\x1b[2K")
        if isinstance(self._error, BrokenPipeError):
            # Whoever read the records has seen enough, as `head`: that is no failure.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(0)
        counters = self._sender.counters
        if self._as_json:
            self._tell(done=True)
        else:
            say(words_of(counters))
        if self._error is not None:
            raise self._error
        if interrupted:
            raise KeyboardInterrupt
        if counters.failed:
            msg = f"{counters.failed:,} records were given up"
            raise EddylineError("conflict", msg, detail=counters.last_error)
        return counters

    def _tell(self, *, done: bool) -> None:
        line(figures(self._sender.counters) | {"done": done}, self._out)


def figures(counters: Counters) -> dict[str, Any]:
    """Counters as JSON values, times and rates rounded."""
    values = dataclasses.asdict(counters)
    values.pop("running", None)
    return {k: round(v, 3) if isinstance(v, float) else v for k, v in values.items()}


def words_of(counters: Counters) -> str:
    """Counters in one line: what was really taken, how fast, and what was not."""
    parts = [f"{counters.accepted:,} accepted", f"{counters.rate:,.1f} a second"]
    parts.append(f"{_size(counters.bytes)} in {counters.elapsed_s:,.1f} s")
    if counters.retried:
        parts.append(f"{counters.retried:,} sent again")
    if counters.failed:
        parts.append(f"{counters.failed:,} given up")
    if counters.faults_missed:
        parts.append(f"{counters.faults_missed:,} faults could not be made")
    if counters.slipped_ms:
        parts.append(f"{counters.slipped_ms / 1000:,.1f} s behind the plan")
    if counters.last_error:
        parts.append(f"last error: {counters.last_error}")
    return ", ".join(parts)


def _size(count: int) -> str:
    for unit, size in (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
        if count >= size:
            return f"{count / size:,.1f} {unit}"
    return f"{count} bytes"


def positive(name: str, text: str | None, parse: Callable[[str], float]) -> float | None:
    """A duration that was given, above zero. Raises ``invalid_argument``."""
    if text is None:
        return None
    values = parse(text)
    if values <= 0:
        raise EddylineError("invalid_argument", f"{name} is {text}; it must be above 0")
    return values
