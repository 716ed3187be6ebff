"""The demonstration on a real web server's log: requests, errors, bytes and visitors, scored.

The log is replayed into a stream as fast as it can be read, its times kept; the note "Web log"
makes four numbers of each ten minutes and has a forest judge them. What it finds is printed, and
stays in the studio until Ctrl-C.
"""

from __future__ import annotations

import json
import threading
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eddyline.cli.demo_run import (
    DemoLocation,
    begin_note,
    started,
    until_it_flows,
    wait_for_compilation,
)
from eddyline.cli.demo_summary import instant
from eddyline.cli.terminal import line, say, table
from eddyline.clock import SYSTEM
from eddyline.errors import EddylineError
from eddyline.service import lab

if TYPE_CHECKING:
    from eddyline.generator.counters import SendResult
    from eddyline.generator.target import Target
    from eddyline.server import Server
    from eddyline.service.anomalies import Point
    from eddyline.service.services import Services

COLUMNS = ["requests", "error_percent", "mebibytes", "visitors"]
WINDOW_MS = 600_000
# Windows that were late are not waited for longer than this.
QUIET_S = 20.0
READ_S = 600.0
POLL_S = 0.1
# Decimals of a usual value: a count's law expects a billionth where there was never any.
USUAL_DIGITS = 6
NAMES = {"requests": "requests", "error_percent": "errors", "mebibytes": "bytes sent",
         "visitors": "visitors"}  # fmt: skip


def replay_demo(log: Path, where: DemoLocation, as_json: bool, stay: bool) -> None:
    """Replay an access log and tell which ten minutes of it are out of the ordinary.

    Raises:
        EddylineError: for a file that is none, and what the replay or the note met.
    """
    check(log)
    say("starting the server")
    server = started(where, say)
    try:
        if not as_json:
            for text in server.greeting(where.afterwards):
                say(text)
        sent, windows = replayed(server, log)
        points = read(server.services, windows - 1)
        tell(points, sent, as_json)
        if stay and not as_json:
            say("the studio shows all of it until Ctrl-C")
            _until_interrupted()
    finally:
        server.stop()


def check(log: Path) -> None:
    """See that it is an access log, before anything is started. Raises ``bad_file``."""
    from eddyline.generator.replay.run import sniff
    from eddyline.generator.replay.source import open_input

    with open_input(log) as source:
        form = sniff(source, log)
    if form != "access-log":
        hint = "a web server's log in combined log format is needed; eddyline replay takes others"
        raise EddylineError("bad_file", f"{log} is {form}, no access log", hint=hint)


class Counting:
    """A target that counts the ten minutes in which something was sent, on the way."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self.windows: set[str] = set()

    def send(self, keys: Any, data: Any, stop: threading.Event) -> SendResult:
        """Send; a record's window is its time up to the tens of minutes."""
        import pyarrow as pa
        import pyarrow.compute as pc

        windows = pc.extract_regex(data.cast(pa.string()), r'"time":"(?P<window>[^"]{15})')
        self.windows.update(pc.unique(windows.field("window").drop_null()).to_pylist())
        return self._target.send(keys, data, stop)

    def close(self) -> None:
        """Close the target."""
        self._target.close()


def replayed(server: Server, log: Path) -> tuple[int, int]:
    """Run the note and put the whole log into its stream; returns its records and windows."""
    from eddyline.cli.replay import tell_findings
    from eddyline.generator.replay.run import Replay
    from eddyline.generator.replay.spec import ReplaySpec
    from eddyline.generator.target import open_target
    from eddyline.log import StreamMode

    services = server.services
    for name in (lab.WEB_STREAM, lab.WEB_ANOMALY_STREAM):
        with suppress(EddylineError):
            services.streams.create(name, 1, StreamMode.PROVISIONED)
    wait_for_compilation(server, say)
    until_it_flows(services, begin_note(services, lab.WEB_NOTE))
    spec = ReplaySpec(str(log), f"stream:{lab.WEB_STREAM}", speed=None, format="access-log")
    with closing(Counting(open_target(spec, lambda: services.streams))) as target:
        running = Replay(spec, target)
        counters = running.run(threading.Event())
    tell_findings(running)
    return counters.accepted, len(target.windows)


def read(services: Services, windows: int) -> list[Point]:
    """All scored windows: so many, or fewer where records came too late for theirs."""
    pause, end = threading.Event(), SYSTEM.monotonic() + READ_S
    points: list[Point] = []
    since = SYSTEM.monotonic()
    while SYSTEM.monotonic() < end:
        SYSTEM.wait(pause, POLL_S)
        for job in services.jobs.list():
            if job.error is not None and job.actual == "FAILED":
                raise EddylineError(job.error["code"], job.error["message"])
        now = _points(services)
        if len(now) != len(points):
            points, since = now, SYSTEM.monotonic()
        if len(points) >= windows or (points and SYSTEM.monotonic() - since >= QUIET_S):
            return points
    raise EddylineError("internal", f"the log was not read within {READ_S:g} s")


def _points(services: Services) -> list[Point]:
    for series in services.anomalies.series():
        if series.columns == COLUMNS:
            return list(services.anomalies.points(series.series_id, limit=20_000))
    return []


def tell(points: list[Point], sent: int, as_json: bool) -> None:
    """The windows in which an alert begins, each with its reasons; then all in one sentence.

    Windows after it that lie in the same episode have a grade, too, but no alert of their own.
    """
    flagged = [p for p in points if p.alert]
    if as_json:
        for point in flagged:
            line(entry(point))
    elif flagged:
        names = ["ten minutes from (UTC)", *COLUMNS, "score", "grade", "because of"]
        table(names, [_cells(point) for point in flagged])
    n = len(flagged)
    words = f"{sent:,} records, {len(points)} windows of ten minutes with requests, {n} unusual"
    say(words + "; the newest window stays open until later records come")


def entry(point: Point) -> dict[str, Any]:
    """A window with an alert, as JSON values."""
    from eddyline.service.anomalies import sentence

    start_ms = point.time_ms + 1 - WINDOW_MS
    expected = [None if x is None else round(x, USUAL_DIGITS) for x in point.expected or ()]
    usual = dict(zip(COLUMNS, expected, strict=True)) if expected else None
    return {
        "window_start": instant(start_ms),
        "window_end": instant(start_ms + WINDOW_MS),
        **dict(zip(COLUMNS, point.values, strict=True)),
        "usual": usual,
        "score": round(point.score, 3),
        "grade": round(point.grade, 3),
        "alert": point.alert,
        "sentence": sentence("", COLUMNS, point),
        "reasons": point.explanation,
    }


def _cells(point: Point) -> list[str]:
    start = instant(point.time_ms + 1 - WINDOW_MS)[:16].replace("T", " ")
    requests, errors, size, visitors = point.values
    numbers = [f"{requests:.0f}", f"{errors:.1f}", f"{size:.2f}", f"{visitors:.0f}"]
    return [start, *numbers, f"{point.score:.2f}", f"{point.grade:.2f}", because(point)]


def because(point: Point) -> str:
    """The columns that weigh most, with their directions: "errors HIGH, visitors HIGH"."""
    reasons = point.explanation or {}
    weights = {k: float(v["ATTRIBUTION_SCORE"]) for k, v in reasons.items()}
    whole = sum(weights.values()) or 1.0
    chief = sorted((k for k in weights if weights[k] > 0.2 * whole), key=lambda k: -weights[k])
    words = [f"{NAMES.get(k, k)} {reasons[k].get('DIRECTION', '')}".strip() for k in chief]
    return ", ".join(words) or json.dumps(reasons)


def _until_interrupted() -> None:
    with suppress(KeyboardInterrupt):
        forever = threading.Event()
        while not forever.wait(3600):
            pass
