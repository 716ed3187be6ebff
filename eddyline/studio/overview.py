"""The start page: what runs, what was found, and for an empty directory how to begin."""

from __future__ import annotations

from dataclasses import dataclass

from nicegui import ui

from eddyline.service.anomalies import Alerts
from eddyline.service.generators import GeneratorInfos
from eddyline.service.jobs import JobInfos
from eddyline.service.notes import NoteInfo
from eddyline.service.session_info import SessionInfos
from eddyline.studio import lab
from eddyline.studio.alerts import alert_rows
from eddyline.studio.context import StudioContext
from eddyline.studio.jobs import job_cells
from eddyline.studio.listing import Listing
from eddyline.studio.markup import escape, link, number, plural, size, spark
from eddyline.studio.notice import Notice
from eddyline.studio.rates import StreamRate
from eddyline.studio.shell import button, empty, every, heading, page

HOUR_MS = 3_600_000
STREAMS_SHOWN = 6
_RUNNING = ("RUNNING", "STARTING", "RESTARTING")


@dataclass(frozen=True, slots=True)
class OverviewData:
    """Everything at a glance."""

    streams: dict[str, StreamRate]
    generators: GeneratorInfos
    notes: list[NoteInfo]
    jobs: JobInfos
    sessions: SessionInfos
    alerts: Alerts
    now_ms: int


def register(context: StudioContext) -> None:
    """Add the page."""

    @ui.page("/")
    def overview() -> None:
        with page("overview", "Overview"):
            Overview(context)


class Overview:
    """The page's tiles and lists."""

    def __init__(self, context: StudioContext) -> None:
        self._context = context
        self._notice = Notice()
        with ui.element("div").classes("stack") as self._begin:
            self._first_steps()
        self._tiles = ui.html("", sanitize=False).classes("tiles three")
        with ui.element("div").classes("columns") as self._lists:
            with ui.element("section").classes("stack"):
                heading("Newest anomalies")
                self._alerts = ui.html("", sanitize=False).classes("panel rows")
            with ui.element("section").classes("stack"):
                heading("Running jobs")
                self._no_jobs = ui.html(_NO_JOBS, sanitize=False).classes("panel muted small")
                self._jobs = Listing(
                    (("Job", "wide"), ("State", ""), ("Rows in", "num"), ("Rows out", "num")),
                    "Jobs",
                )
                heading("Streams")
                columns = (("Stream", "wide"), ("Records/s", "num"), ("Last two minutes", "num"))
                self._streams = Listing(columns, "Streams")
        every(1.0, self._pull, self._show)

    def _first_steps(self) -> None:
        with (
            empty(
                "Nothing flows here yet",
                "Create a stream and send records into it, or let us set up a lab: its streams, "
                "its generators and a note that finds the anomalies.",
            ),
            ui.element("div").classes("row-line"),
        ):
            for name in lab.LABS:
                button(f"Set up: {name}", lambda name=name: self._set_up(name), kind="main").mark(
                    name
                )
            button("Create a stream", lambda: ui.navigate.to("/streams?new=1"))

    async def _set_up(self, name: str) -> None:
        note = await self._notice.attempt(lab.set_up, self._context.services, name)
        if note is not None:
            ui.navigate.to(f"/notes/{note}")

    def _pull(self) -> OverviewData:
        services = self._context.services
        return OverviewData(
            self._context.rates.read(),
            services.generators.list(),
            services.notes.list(),
            services.jobs.list(),
            services.sessions.list(),
            services.anomalies.alerts(8),
            services.clock.now_ms(),
        )

    def _show(self, s: OverviewData) -> None:
        bare = not (s.streams or s.generators or s.notes or s.jobs)
        self._begin.set_visibility(bare)
        self._lists.set_visibility(not bare)
        self._tiles.set_visibility(not bare)
        self._tiles.set_content("".join(_tiles(s)))
        self._alerts.set_content(alert_rows(s.alerts, s.now_ms) or _NO_ALERTS)
        busiest = sorted(s.streams.values(), key=lambda r: (-r.records_s, r.name))[:STREAMS_SHOWN]
        self._streams.show({rate.name: _stream_cells(rate) for rate in busiest})
        running = [job for job in s.jobs if job.actual in _RUNNING]
        self._no_jobs.set_visibility(not running)
        self._jobs.set_visibility(bool(running))
        self._jobs.show({job.job_id: job_cells(job, s.now_ms)[:4] for job in running})


_NO_ALERTS = (
    '<p class="muted small">None yet. A statement with <code>RANDOM_CUT_FOREST</code> or '
    "<code>DETECT_ANOMALIES</code> puts them here.</p>"
)
_NO_JOBS = "<p>None. An <code>INSERT</code> in a note becomes a job that goes on by itself.</p>"


def _stream_cells(rate: StreamRate) -> list[str]:
    history = [records or 0.0 for _, records, _ in rate.history]
    name = link(f"/streams/{rate.name}", rate.name)
    return [name, number(round(rate.records_s, 1)), spark(history)]


def _tiles(s: OverviewData) -> list[str]:
    rates = s.streams.values()
    sending = [g for g in s.generators if g.actual in _RUNNING]
    busy = sum(note.running for note in s.notes)
    jobs = [job for job in s.jobs if job.actual in _RUNNING]
    workers = [w for w in s.sessions if w.pid is not None]
    recent = [a for a in s.alerts if a.end_ms > s.now_ms - HOUR_MS]
    newest = s.alerts[0].sentence if s.alerts else ""
    return [
        _tile("/streams", number(sum(r.records_s for r in rates)), "records/s",
              f"{plural(len(s.streams), 'stream')}, {size(sum(r.bytes_kept for r in rates))}"),
        _tile("/generator", str(len(sending)), "generators sending", _generators_line(s)),
        _tile("/notes", str(busy), "paragraphs running", plural(len(s.notes), "note")),
        _tile("/jobs", str(len(jobs)), "jobs running",
              plural(sum(j.restarts for j in jobs), "restart")),
        _tile("/anomalies", str(len(recent)), "anomalies this hour", newest),
        _tile("/jobs", str(len(workers)), "worker processes",
              f"{number(sum(w.rss_mib for w in workers))} MiB"),
    ]  # fmt: skip


def _generators_line(s: OverviewData) -> str:
    """What the generators send, and how many do so no more since the server was restarted."""
    rate = sum(g.counters.rate for g in s.generators if g.actual in _RUNNING)
    ended = sum(g.ended_with_server for g in s.generators)
    mention = f"; {ended} stopped with the server" if ended else ""
    return f"{number(rate)} records/s accepted{mention}"


def _tile(href: str, figure: str, name: str, small: str) -> str:
    return (
        f'<a class="tile" href="{href}"><div class="figure">{escape(figure)}</div>'
        f'<div class="name">{escape(name)}</div><div class="small" title="{escape(small)}">'
        f"{escape(small)}</div></a>"
    )
