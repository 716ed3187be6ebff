"""INSERT jobs: what they should do, what they do, and the processes that do it."""

from __future__ import annotations

import re
from collections.abc import Callable

from nicegui import ui

from eddyline.service.jobs import RUNNING, JobInfo, JobInfos
from eddyline.service.session_info import SessionInfos
from eddyline.studio.context import StudioContext
from eddyline.studio.listing import Listing
from eddyline.studio.markup import duration, escape, link, number, state, when
from eddyline.studio.notice import Notice
from eddyline.studio.shell import button, confirm, empty, every, heading, icon_button, page

_COLUMNS = (
    ("Job", "wide"),
    ("State", ""),
    ("Rows in", "num"),
    ("Rows out", "num"),
    ("Late", "num narrow-hidden"),
    ("Watermark (UTC)", "num narrow-hidden"),
    ("Behind", "num narrow-hidden"),
    ("Restarts", "num"),
    ("Since (UTC)", "num narrow-hidden"),
)


JobsData = tuple[JobInfos, SessionInfos, dict[str, str], int]
_INTO = re.compile(r"\s*INSERT\s+INTO\s+([\w.`]+)", re.IGNORECASE)


def register(context: StudioContext) -> None:
    """Add the page."""

    @ui.page("/jobs")
    def jobs() -> None:
        with page("jobs", "Jobs"):
            JobLists(context)


class JobLists:
    """The page's lists."""

    def __init__(self, context: StudioContext) -> None:
        self._services = context.services
        self._running: set[str] = set()
        self._notice = Notice()
        with empty(
            "No jobs yet",
            "An INSERT in a note becomes a job: it keeps its state on disk and goes on by itself "
            "when a process or the machine is restarted.",
        ) as self._empty:
            button("Open the notes", lambda: ui.navigate.to("/notes"), kind="main")
        self._listing = Listing(_COLUMNS, "Jobs", self._actions)
        with ui.element("section").classes("stack") as self._workers:
            heading("Worker processes")
            columns = (("Session", ""), ("State", ""), ("Process", "num"), ("Memory", "num"),
                       ("Runs", "num"))  # fmt: skip
            self._sessions = Listing(columns, "Worker processes")
        every(1.0, self._pull, self._show)

    def _pull(self) -> JobsData:
        services = self._services
        names = {f"note:{note.id}": note.name for note in services.notes.list()}
        now_ms = services.clock.now_ms()
        return services.jobs.list(), services.sessions.list(), names, now_ms

    def _show(self, data: JobsData) -> None:
        jobs, sessions, names, now_ms = data
        self._running = {job.job_id for job in jobs if job.desired == RUNNING}
        self._empty.set_visibility(not jobs)
        self._listing.set_visibility(bool(jobs))
        newest = sorted(jobs, key=lambda j: -j.created_ms)
        self._listing.show({job.job_id: job_cells(job, now_ms, names) for job in newest})
        working = [s for s in sessions if s.pid is not None]
        self._workers.set_visibility(bool(working))
        self._sessions.show(
            {
                s.name: [
                    _session(s.name, names),
                    state(s.state.upper()),
                    str(s.pid),
                    f"{number(s.rss_mib)} MiB",
                    str(len(s.runs)),
                ]
                for s in working
            }
        )

    def _actions(self, job_id: str) -> Callable[[], None]:
        stop = icon_button("stop", "Stop the job; its state stays", lambda: self._stop(job_id))
        icon_button("delete", "Remove the job and its state", lambda: self._remove(job_id))

        def update() -> None:
            stop.set_enabled(job_id in self._running)

        return update

    async def _stop(self, job_id: str) -> None:
        await self._notice.attempt(self._services.jobs.stop, job_id)

    async def _remove(self, job_id: str) -> None:
        words = "Its state is gone for good: the same INSERT starts over."
        if await confirm("Remove this job?", words, "Remove the job"):
            await self._notice.attempt(self._services.jobs.remove, job_id)


def job_cells(job: JobInfo, now_ms: int, names: dict[str, str] | None = None) -> list[str]:
    """A job's cells, in the order of the list's columns."""
    figures = job.figures
    watermark = figures.watermark_ms if figures else None
    sql = " ".join(job.sql.split())
    where = f" · {_session(job.session, names)}" if names is not None else ""
    job_cell = f'<div class="strong clip">{link(f"/jobs/{job.job_id}", title_of(job))}{where}</div>'
    job_cell += f'<div class="small muted clip sql" title="{escape(sql)}">{escape(sql)}</div>'
    if job.error:
        job_cell += f'<div class="notice">{escape(job.error.get("message", ""))}</div>'
    return [
        job_cell,
        state(job.actual),
        number(figures.rows_in if figures else None),
        number(figures.rows_out if figures else None),
        number(figures.late if figures else None),
        "–" if watermark is None else when(watermark, now_ms),
        duration(figures.behind_ms) if figures and figures.behind_ms is not None else "–",
        str(job.restarts),
        when(job.created_ms, now_ms),
    ]


def title_of(job: JobInfo) -> str:
    """A job's name; without one where it writes to."""
    into = _INTO.match(job.sql)
    return job.name or (f"into {into[1]}" if into else job.job_id)


def _session(name: str, names: dict[str, str] | None) -> str:
    note = (names or {}).get(name)
    return link(f"/notes/{name.removeprefix('note:')}", note) if note else escape(name)
