"""``eddyline demo``: anomalies detected in a live clickstream, in terminal and browser."""

from __future__ import annotations

import secrets
import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from eddyline.cli.opening import DataDir, Json
from eddyline.cli.terminal import line, say
from eddyline.clock import SYSTEM
from eddyline.errors import EddylineError

if TYPE_CHECKING:
    from eddyline.cli.demo_run import DemoLocation, DemoRun, TimedPoint, Watcher
    from eddyline.cli.demo_summary import Summary
    from eddyline.service.anomalies import Alert

DRAW_S = 0.25
CHECK_S = 1.0


def demo(
    for_: Annotated[str | None, typer.Option("--for", help="End after 60s, 5m.")] = None,
    no_burst: Annotated[
        bool, typer.Option("--no-burst", help="Send no burst: nothing should be detected.")
    ] = False,
    seed: Annotated[int | None, typer.Option(help="When the burst comes.")] = None,
    replay: Annotated[
        Path | None, typer.Option(help="A web server's access log, in place of the lab.")
    ] = None,
    port: Annotated[
        int | None, typer.Option(help="Port of the studio; 0: a free one. Default: 8080.")
    ] = None,
    api_port: Annotated[
        int | None, typer.Option(help="Port of the AWS endpoint; 0: a free one. Default: 4567.")
    ] = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Watch anomalies being found in a live clickstream.

    Starts a server on a scratch directory with both labs: sensors averaged over a sliding minute,
    and the click-through rate of each second scored by a Random Cut Forest. At a time that the
    forest does not know, four times as many clicks arrive for six seconds. With --for it ends by
    itself, and the exit code is 0 only if the burst, and nothing else, raised an alert. With
    --replay it reads an access log as fast as it can instead: requests, errors, bytes and visitors
    of each ten minutes.

    Where another program listens on a default port, a free one is taken and printed. The scratch
    directory is removed at the end; --data-dir keeps everything in a directory of your own.

    \b
    Examples:
      eddyline demo
      eddyline demo --for 60s --json
      eddyline demo --for 60s --no-burst
      eddyline demo --port 9000 --data-dir lab
      eddyline demo --replay access.log --json
    """
    from eddyline.cli.demo_run import DemoLocation
    from eddyline.generator.spec import parse_duration

    if seed is not None and not 0 <= seed < 2**63:
        raise EddylineError("invalid_argument", f"seed is {seed}; it must be 0 or more")
    if replay is not None:
        from eddyline.cli.demo_replay import replay_demo

        with scratch(data_dir) as path, interruptible():
            where = DemoLocation(path, port, api_port, scratch=data_dir is None)
            replay_demo(replay, where, as_json, stay=for_ is None and sys.stderr.isatty())
        return
    for_s = None if for_ is None else parse_duration(for_)
    check_time(for_s)
    seed = secrets.randbelow(2**31) if seed is None else seed
    with scratch(data_dir) as path, interruptible():
        where = DemoLocation(path, port, api_port, scratch=data_dir is None)
        summary = Demo(where, seed, not no_burst, for_s, as_json).run()
    if not summary.as_expected:
        raise typer.Exit(1)


def check_time(for_s: float | None) -> None:
    """Refuse a time in which the forest cannot know what is ordinary."""
    from eddyline.service import lab

    if for_s is not None and for_s < lab.SHORTEST_S:
        msg = f"--for {for_s:g}s is too short: the forest needs {lab.WARM_UP_S:g} s to learn"
        hint = (
            f"what is ordinary, and the burst comes after that: --for {lab.SHORTEST_S:g}s or more"
        )
        raise EddylineError("invalid_argument", msg, hint=hint)


@contextmanager
def scratch(data_dir: Path | None) -> Iterator[Path]:
    """The directory that was named, or a new one that is removed afterwards."""
    if data_dir is not None:
        yield data_dir
        return
    path = Path(tempfile.mkdtemp(prefix="eddyline-demo-"))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


@contextmanager
def interruptible() -> Iterator[None]:
    """Let SIGTERM end the demo as Ctrl-C does, so that nothing is left behind."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


class Demo:
    """One run of the lab, shown as it goes."""

    def __init__(
        self, where: DemoLocation, seed: int, with_burst: bool, for_s: float | None, as_json: bool
    ) -> None:
        from eddyline.cli.demo_run import DemoRun

        self._run: DemoRun = DemoRun(where, seed, with_burst=with_burst)
        self._for_s = for_s
        self._as_json = as_json
        self._output: DemoOutput = JsonOutput() if as_json else live_output()

    def run(self) -> Summary:
        """From the start to the summary; Ctrl-C ends it, with what was seen so far."""
        began = SYSTEM.monotonic()
        say("starting the server")
        try:
            watcher = self._run.start(say)
            self._output.open(self._run, watcher)
            flowing = SYSTEM.monotonic()
            with suppress(KeyboardInterrupt):
                self._watch(flowing)
            self._output.close()
            now = SYSTEM.monotonic()
            return self._summary(watcher, now - began, now - flowing)
        finally:
            self._output.close()
            self._run.close()

    def _watch(self, began: float) -> None:
        pause, checked = threading.Event(), began
        while self._for_s is None or SYSTEM.monotonic() < began + self._for_s:
            now = SYSTEM.monotonic()
            self._output.draw(now - began)
            if now - checked >= CHECK_S:
                self._run.check()
                checked = now
            SYSTEM.wait(pause, DRAW_S)

    def _summary(self, watcher: Watcher, seconds: float, watched_s: float) -> Summary:
        from eddyline.cli import demo_summary as s

        burst = self._run.burst_ms()
        records = self._run.stop_sending()
        alerts = [
            s.alert_of(a.start_ms + 1 - 1000, a.peak_score, a.sentence, burst)
            for a in watcher.alerts.values()
        ]
        good, words = s.verdict(alerts, burst, len(watcher.windows), watched_s)
        summary = s.Summary(
            self._run.seed,
            round(seconds, 1),
            records,
            len(watcher.windows),
            alerts,
            s.told_burst(burst),
            s.latency([w.latency_ms for w in watcher.windows]),
            good,
            words,
        )
        self._output.end(summary)
        return summary


class DemoOutput:
    """How the demo is shown; this one prints lines, for a pipe or a log."""

    def __init__(self) -> None:
        self._run: DemoRun | None = None
        self._watcher: Watcher | None = None

    def open(self, run: DemoRun, watcher: Watcher) -> None:
        """Everything runs."""
        self._run, self._watcher = run, watcher
        watcher.on_alert = self._alert
        for text in run.greeting():
            say(text)

    def _alert(self, alert: Alert) -> None:
        say(sentence_of(alert))

    def draw(self, elapsed_s: float) -> None:
        """Show how it stands."""

    def close(self) -> None:
        """Leave the terminal as it was."""

    def end(self, summary: Summary) -> None:
        """The last words."""
        n = summary.latency_ms.n
        say(f"{summary.records_in:,} records, {summary.windows} windows, {summary.verdict}")
        if summary.burst is not None:
            start, end = summary.burst["start"][11:19], summary.burst["end"][11:19]
            say(f"the burst was sent from {start} to {end}")
        p50, p99 = summary.latency_ms.p50, summary.latency_ms.p99
        if p50 is not None:
            say(
                f"from a window's end to its score: p50 {p50:.0f} ms, p99 {p99:.0f} ms, {n} windows"
            )


class JsonOutput(DemoOutput):
    """One JSON object, at the end; alerts go to stderr as they come."""

    def end(self, summary: Summary) -> None:
        line(summary)


class LiveOutput(DemoOutput):
    """Tables that move, in a terminal."""

    def __init__(self) -> None:
        super().__init__()
        self._live: Any = None
        self._view: Any = None

    def open(self, run: DemoRun, watcher: Watcher) -> None:
        from rich.console import Console
        from rich.live import Live

        from eddyline.cli.demo_view import DemoView

        super().open(run, watcher)
        self._view = DemoView()
        watcher.on_point = self._point
        console = Console(highlight=False, stderr=True)
        self._live = Live(self._view, console=console, auto_refresh=False)
        self._live.start()

    def _point(self, seen: TimedPoint) -> None:
        from eddyline.cli.demo_view import ScoredWindow

        p = seen.point
        self._view.windows.append(
            ScoredWindow(p.time_ms + 1, p.values[0] or 0.0, p.score, p.grade, p.alert)
        )

    def _alert(self, alert: Alert) -> None:
        self._view.alerts.append(sentence_of(alert))

    def draw(self, elapsed_s: float) -> None:
        assert self._run is not None
        self._view.elapsed_s = elapsed_s
        self._view.rates = self._run.flow()
        self._live.update(self._view, refresh=True)

    def close(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None


def live_output() -> DemoOutput:
    """A live view where there is a terminal."""
    return LiveOutput() if sys.stderr.isatty() else DemoOutput()


def sentence_of(alert: Alert) -> str:
    """An alert in a line: when, where, what."""
    from eddyline.cli.demo_view import clock_text

    end_ms = alert.start_ms + 1
    when = f"{clock_text(end_ms - 1000)} to {clock_text(end_ms)}"
    return f"ANOMALY in click-stream, {when} UTC: {alert.sentence}"


def register(to: typer.Typer) -> None:
    """Add the command."""
    to.command("demo")(demo)
