"""The demo at work: a server on a scratch directory, both labs on it, and what is seen of them.

Everything is as a user would have it: streams, generators and notes of a real server. Points and
alerts are taken from the server's monitor as they come; nothing here knows how a forest works,
and the forest does not know when the burst is.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eddyline.clock import SYSTEM
from eddyline.errors import EddylineError
from eddyline.service import lab
from eddyline.settings import load

if TYPE_CHECKING:
    from eddyline.generator.pattern import Burst
    from eddyline.server import Server
    from eddyline.service.anomalies import Alert, Point
    from eddyline.service.notes import NoteView
    from eddyline.service.services import Services

# A note's jobs run within this, on a busy machine, too.
READY_S = 60.0
# The first compilation of the forests is waited for this long; usually it takes a quarter of that.
COMPILE_S, COMPILE_USUAL_S, COMPILE_STEP_S = 120.0, 3.0, 10.0
SAY_S = 1.5
POLL_S = 0.1
RATE = "ctrpercent"


@dataclass(frozen=True, slots=True)
class DemoLocation:
    """Where a demo's server works. ``port`` and ``api_port``: None for the default, if free.

    ``scratch``: the directory is removed afterwards.
    """

    data_dir: Path
    port: int | None = None
    api_port: int | None = None
    scratch: bool = False

    @property
    def afterwards(self) -> str:
        """What becomes of the data, as the greeting says it."""
        if self.scratch:
            return "everything the demo made is removed then"
        return f"eddyline up --data-dir {self.data_dir} goes on with its streams, notes and jobs"


@dataclass(frozen=True, slots=True)
class TimedPoint:
    """A scored window: its point, and how long after the window's end it was here, ms."""

    point: Point
    latency_ms: float

    @property
    def start_ms(self) -> int:
        """Where the window begins; its point stands at its last millisecond."""
        return self.point.time_ms + 1 - lab.WINDOW_MS


@dataclass(slots=True)
class Watcher:
    """Takes the points and alerts of one series from the monitor, as they come."""

    services: Services
    column: str
    on_point: Callable[[TimedPoint], None] = lambda seen: None
    on_alert: Callable[[Alert], None] = lambda alert: None
    windows: list[TimedPoint] = field(default_factory=list)
    alerts: dict[int, Alert] = field(default_factory=dict)
    _series: str | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def on_message(self, message: Any) -> None:
        """Called when points are stored."""
        now_ms = SYSTEM.now_ms()
        with self._lock:
            if self._find() in message.series:
                self._take(now_ms)

    def _find(self) -> str | None:
        if self._series is None:
            for series in self.services.anomalies.series():
                if series.columns == [self.column]:
                    self._series = series.series_id
        return self._series

    def _take(self, now_ms: int) -> None:
        since = self.windows[-1].point.time_ms if self.windows else None
        assert self._series is not None
        for point in self.services.anomalies.points(self._series, since):
            self.windows.append(TimedPoint(point, now_ms - point.time_ms - 1))
            self.on_point(self.windows[-1])
        for alert in reversed(self.services.anomalies.alerts()):
            if alert.series_id == self._series:
                fresh = alert.id not in self.alerts
                self.alerts[alert.id] = alert
                if fresh:
                    self.on_alert(alert)


class DemoRun:
    """Starts all of it, and ends all of it."""

    def __init__(self, where: DemoLocation, seed: int, *, with_burst: bool) -> None:
        self.seed = seed
        self.burst: Burst | None = lab.burst(seed) if with_burst else None
        self._where = where
        self._server: Server | None = None
        self._unsubscribe: Callable[[], None] | None = None

    @property
    def server(self) -> Server:
        """The running server."""
        assert self._server is not None, "start comes first"
        return self._server

    @property
    def services(self) -> Services:
        """The services of the running server."""
        return self.server.services

    def start(self, say: Callable[[str], None]) -> Watcher:
        """Start server, streams, notes and senders; returns who watches the rate."""
        from eddyline.log import StreamMode

        self._server = started(self._where, say)
        services = self.services
        for name in lab.STREAMS:
            with suppress(EddylineError):  # a directory that was used before
                services.streams.create(name, None, StreamMode.ON_DEMAND)
        watcher = Watcher(services, RATE)
        self._unsubscribe = services.anomalies.subscribe(watcher.on_message)
        sensors = begin_note(services, lab.SENSOR_NOTE)
        wait_for_compilation(self.server, say)
        clicks = begin_note(services, lab.CLICK_NOTE)
        until_it_flows(services, sensors)
        until_it_flows(services, clicks)
        self._send()
        return watcher

    def _send(self) -> None:
        generators = self.services.generators
        for sender in lab.senders(self.seed, self.burst):
            with suppress(EddylineError):
                generators.remove(sender.name)
            generators.create(sender.name, sender.spec)
        for sender in lab.senders(self.seed, self.burst):
            generators.start(sender.name)

    def greeting(self) -> list[str]:
        """What a person needs to look at the demo with a browser or a client."""
        return self.server.greeting(self._where.afterwards)

    def burst_ms(self) -> tuple[int, int] | None:
        """From when to when more clicks are sent, epoch ms; None before the senders have begun."""
        if self.burst is None:
            return None
        begun = self.services.generators.get(lab.BURST_SENDER).started_ms
        if begun is None:
            return None
        start = begun + self.burst.start_s * 1000
        return round(start), round(start + self.burst.duration_s * 1000)

    def flow(self) -> dict[str, tuple[int, float]]:
        """Records acknowledged and a second, by sender; ended ones send none."""
        generators = self.services.generators.list()
        return {
            g.name: (g.counters.accepted, g.counters.rate if g.pid else 0.0) for g in generators
        }

    def check(self) -> None:
        """Raise what made a sender or a paragraph fail."""
        for generator in self.services.generators.list():
            if generator.actual == "FAILED":
                error = generator.error or {}
                msg = f"the generator {generator.name} failed: {error.get('message', '')}"
                raise EddylineError(error.get("code", "internal"), msg, hint=error.get("hint"))
        for note in self.services.notes.list():
            raise_failure(self.services.notes.view(note.id))

    def stop_sending(self) -> int:
        """Stop the senders; returns how many records were acknowledged in all."""
        names = [sender.name for sender in lab.senders(self.seed, self.burst)]
        stopped = [self.services.generators.stop(name) for name in names]
        return sum(g.counters.accepted for g in stopped)

    def close(self) -> None:
        """End everything."""
        if self._unsubscribe is not None:
            self._unsubscribe()
        if self._server is not None:
            self._server.stop()


def started(where: DemoLocation, say: Callable[[str], None]) -> Server:
    """A server on the requested ports; where a default port is taken, on a free one.

    Raises:
        EddylineError: ``port_in_use`` for a port that was asked for by number.
    """
    from eddyline.server import Server

    settings = load(data_dir=where.data_dir, port=where.port, api_port=where.api_port)
    port, api_port = settings.port, settings.api_port
    if where.port is None:
        port = free_instead(settings.host, port, "the studio", say)
    if where.api_port is None:
        api_port = free_instead(settings.host, api_port, "the AWS endpoint", say)
    server = Server(replace(settings, port=port, api_port=api_port))
    server.start()
    return server


def free_instead(host: str, port: int, what: str, say: Callable[[str], None]) -> int:
    """The port, or a free one where another program listens on it."""
    from eddyline.service.directory import check_port, free_port

    try:
        check_port(host, port, "--port")
    except EddylineError as error:
        if error.code != "port_in_use":
            raise
        free = free_port(host)
        say(f"port {port} is in use by another program; {what} is on port {free}")
        return free
    return port


def wait_for_compilation(server: Server, say: Callable[[str], None]) -> None:
    """Wait until the forests' machine code is there, and say why if it takes time."""
    if server.warmed.wait(SAY_S):
        return
    say(
        "preparing the anomaly detector for this machine; this happens once and takes about "
        f"{COMPILE_USUAL_S:g} s, more on a busy machine"
    )
    began = SYSTEM.monotonic()
    while not server.warmed.wait(COMPILE_STEP_S):
        elapsed_s = SYSTEM.monotonic() - began
        if elapsed_s >= COMPILE_S:
            return
        say(f"still preparing, {elapsed_s:.0f} s so far")


def begin_note(services: Services, name: str) -> str:
    """Bring a note and run all of it; returns its id."""
    note_id = services.notes.import_bytes(lab.note_bytes(name), name)
    services.notes.run_all(note_id)
    return note_id


def until_it_flows(services: Services, note_id: str) -> None:
    """Wait until a note's statements run. Raises what a paragraph met."""
    end = SYSTEM.monotonic() + READY_S
    pause = threading.Event()
    while True:
        view = services.notes.view(note_id)
        raise_failure(view)
        if not view.round and _flows(services, view):
            return
        if SYSTEM.monotonic() >= end:
            msg = f"the note {view.name} does not run within {READY_S:g} s"
            raise EddylineError("internal", msg, hint="is the machine very busy?")
        SYSTEM.wait(pause, POLL_S)


def _flows(services: Services, view: NoteView) -> bool:
    """Whether everything is over or at work: jobs run, and queries have said what they read."""
    states = {job.job_id: job.actual for job in services.jobs.list()}
    for paragraph in view.paragraphs:
        if paragraph.status == "PENDING":
            return False
        if paragraph.status == "RUNNING" and paragraph.figures is None:
            return False
        if any(states.get(job) != "RUNNING" for job in paragraph.jobs):
            return False
    return True


def raise_failure(view: NoteView) -> None:
    """Raise what a paragraph of the note met."""
    for number, paragraph in enumerate(view.paragraphs, 1):
        if paragraph.status != "ERROR":
            continue
        texts = [o.text for o in paragraph.outputs if o.kind == "ERROR"]
        msg = f"note {view.name}, paragraph {number}: {texts[0].strip() if texts else 'failed'}"
        raise EddylineError("internal", msg, hint="please report this with the output above")
