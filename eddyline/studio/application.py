"""One application: its jobs with their operators, snapshots, versions, and what was done to it."""

from __future__ import annotations

import json
from dataclasses import dataclass

from nicegui import run, ui

from eddyline.errors import EddylineError
from eddyline.service.applications.model import (
    CUSTOM_SNAPSHOT,
    DIALECT_INSTEAD,
    DIALECT_LATER,
    READY,
    RUNNING,
    SKIP_RESTORE,
    SQL,
    Application,
    Operation,
    Operations,
    Snapshots,
    Versions,
    code_of,
)
from eddyline.service.jobs import JobInfo, JobInfos
from eddyline.studio.applications import delete
from eddyline.studio.context import StudioContext
from eddyline.studio.jobs import title_of
from eddyline.studio.listing import Listing
from eddyline.studio.markup import escape, link, moment, number, state, when
from eddyline.studio.notebook import facts_html
from eddyline.studio.notice import Notice
from eddyline.studio.operator_graph import graph_html
from eddyline.studio.shell import (
    Page,
    ask,
    button,
    confirm,
    every,
    heading,
    icon_button,
    mark_missing,
    page,
)

_JOBS = (
    ("Job", "wide"),
    ("State", ""),
    ("Rows in", "num"),
    ("Rows out", "num"),
    ("Restarts", "num narrow-hidden"),
    ("State rows", "num narrow-hidden"),
)
_SNAPSHOTS = (
    ("Snapshot", "wide"),
    ("State", "narrow-hidden"),
    ("Version", "num narrow-hidden"),
    ("Taken (UTC)", "num"),
)
_VERSIONS = (("Version", ""), ("Changed (UTC)", "num"), ("Runtime", "wide"))
_OPERATIONS = (("When (UTC)", ""), ("Operation", ""), ("Outcome", ""), ("Why it failed", "wide"))
OPERATIONS_SHOWN = 20


@dataclass(frozen=True, slots=True)
class _ApplicationData:
    application: Application
    jobs: JobInfos
    snapshots: Snapshots
    versions: Versions
    operations: Operations
    now_ms: int


def register(context: StudioContext) -> None:
    """Add the page."""

    @ui.page("/applications/{name}")
    async def application(name: str) -> None:
        crumb = ("/applications", "Applications")
        try:
            await run.io_bound(context.services.applications.get, name)
        except EddylineError as error:
            mark_missing()
            with page("applications", "No such application", crumb=crumb):
                Notice().error(error)
            return
        with page("applications", name, crumb=crumb) as built:
            ApplicationPage(context, built, name)


class ApplicationPage:
    """The page of an application."""

    def __init__(self, context: StudioContext, built: Page, name: str) -> None:
        self._services = context.services
        self._name = name
        self._version = 0
        with built.actions:
            self._state = ui.html("", sanitize=False)
            self._start = button("Start", self._started, kind="main", icon="play_arrow")
            self._start.props["title"] = "From its newest snapshot, if there is one"
            self._start_over = button("Start over", self._started_over, hint="With empty state")
            self._stop = button("Stop", self._stopped, icon="stop", hint="With a snapshot")
            self._take = button("Take a snapshot", self._taken, icon="photo_camera")
            self._back = button("Roll back", self._rolled_back, hint="To the version before")
            button("Delete", self._deleted, kind="side danger")
        self._notice = Notice()
        self._error = ui.html("", sanitize=False)
        self._facts = ui.html("", sanitize=False)
        self._build_lists()
        self._refresh = every(1.0, self._pull, self._show)

    def _build_lists(self) -> None:
        with ui.element("section").classes("stack") as self._jobs_place:
            heading("Jobs")
            self._jobs = Listing(_JOBS, "Jobs")
            self._graphs = ui.html("", sanitize=False)
        with ui.element("section").classes("stack") as self._snapshots_place:
            heading("Snapshots")
            self._snapshots = Listing(_SNAPSHOTS, "Snapshots", self._snapshot_actions)
        with ui.element("section").classes("stack"):
            heading("Versions")
            self._versions = Listing(_VERSIONS, "Versions")
        with ui.element("section").classes("stack"):
            heading("Log")
            self._operations = Listing(_OPERATIONS, "Log")
        with ui.element("section").classes("stack"):
            heading("Code")
            self._code = ui.html("", sanitize=False)

    def _snapshot_actions(self, snapshot: str) -> None:
        icon_button("restore", "Start from it", lambda: self._restored(snapshot))
        icon_button("delete", "Delete it", lambda: self._forgotten(snapshot))

    def _pull(self) -> _ApplicationData:
        applications, name = self._services.applications, self._name
        return _ApplicationData(
            applications.get(name),
            applications.jobs(name),
            applications.snapshots(name),
            applications.versions(name),
            applications.operations(name)[:OPERATIONS_SHOWN],
            self._services.clock.now_ms(),
        )

    def _show(self, seen: _ApplicationData) -> None:
        application, now_ms = seen.application, seen.now_ms
        self._version = application.version
        ready, runs = application.status == READY, application.status == RUNNING
        _put(self._state, state(application.status))
        for element, visible in (
            (self._start, ready and application.mode != SQL),
            (self._start_over, ready and bool(seen.snapshots)),
            (self._stop, runs),
            (self._take, runs),
            (self._back, (ready or runs) and application.version > 1),
        ):
            element.set_visibility(visible)
        error = escape(application.error or "")
        if application.mode == SQL:
            error = escape(f"A{DIALECT_LATER[1:]}: {DIALECT_INSTEAD}.")
        _put(self._error, f'<div class="notice">{error}</div>' if error else "")
        _put(self._facts, facts_html(application, now_ms))
        _put(self._code, f'<pre class="ddl">{escape(_code(application))}</pre>')
        self._jobs_place.set_visibility(bool(seen.jobs))
        self._jobs.show({job.job_id: _job(job) for job in seen.jobs})
        _put(self._graphs, "".join(_graph(job) for job in seen.jobs))
        self._snapshots_place.set_visibility(bool(seen.snapshots))
        self._snapshots.show(
            {
                s.name: [
                    f'<div class="strong clip">{escape(s.name)}</div>',
                    state(s.status),
                    str(s.version),
                    when(s.created_ms, now_ms),
                ]
                for s in seen.snapshots
            }
        )
        self._versions.show(
            {
                str(v.version): [
                    str(v.version),
                    moment(v.application.updated_ms),
                    escape(v.application.runtime),
                ]
                for v in seen.versions
            }
        )
        self._operations.show({o.id: _operation(o, now_ms) for o in seen.operations})

    # what is done

    async def _started(self) -> None:
        await self._notice.attempt(self._services.applications.start, self._name)
        await self._refresh.now()

    async def _started_over(self) -> None:
        await self._start_with({"ApplicationRestoreType": SKIP_RESTORE})

    async def _restored(self, snapshot: str) -> None:
        await self._start_with(
            {"ApplicationRestoreType": CUSTOM_SNAPSHOT, "SnapshotName": snapshot}
        )

    async def _start_with(self, restore: dict[str, str]) -> None:
        run_configuration = {"ApplicationRestoreConfiguration": restore}
        start = self._services.applications.start
        await self._notice.attempt(start, self._name, run_configuration)
        await self._refresh.now()

    async def _stopped(self) -> None:
        await self._notice.attempt(self._services.applications.stop, self._name)
        await self._refresh.now()

    async def _taken(self) -> None:
        snapshot = await ask("Take a snapshot", "Name", "", "Take it")
        if snapshot:
            take = self._services.applications.take_snapshot
            await self._notice.does(take, self._name, snapshot)
            await self._refresh.now()

    async def _forgotten(self, snapshot: str) -> None:
        words = "The application cannot be started from it any more."
        if await confirm(f"Delete snapshot {snapshot}?", words, "Delete the snapshot"):
            forget = self._services.applications.delete_snapshot
            await self._notice.does(forget, self._name, snapshot)
            await self._refresh.now()

    async def _rolled_back(self) -> None:
        words = "Its configuration becomes that of the version before, as a new version."
        if await confirm(f"Roll back {self._name}?", words, "Roll back"):
            rollback = self._services.applications.rollback
            await self._notice.attempt(rollback, self._name, self._version)
            await self._refresh.now()

    async def _deleted(self) -> None:
        if await delete(self._services, self._notice, self._name):
            ui.navigate.to("/applications")


def _put(element: ui.html, content: str) -> None:
    if element.content != content:
        element.set_content(content)


def _code(application: Application) -> str:
    """SQL as it is, and of a note the texts of its paragraphs."""
    text = code_of(application) or "no code"
    if not text.lstrip().startswith("{"):
        return text
    try:
        paragraphs = json.loads(text).get("paragraphs") or []
    except ValueError:
        return text
    return "\n\n".join(str(paragraph.get("text") or "") for paragraph in paragraphs)


def _job(job: JobInfo) -> list[str]:
    figures = job.figures
    state_rows = figures.state_rows if figures is not None else None
    return [
        link(f"/jobs/{job.job_id}", title_of(job)),
        state(job.actual),
        "–" if figures is None else number(figures.rows_in),
        "–" if figures is None else number(figures.rows_out),
        str(job.restarts),
        "–" if state_rows is None else number(state_rows),
    ]


def _graph(job: JobInfo) -> str:
    operators = job.figures.operators if job.figures is not None else []
    return graph_html(operators)


def _operation(operation: Operation, now_ms: int) -> list[str]:
    return [
        when(operation.started_ms, now_ms),
        escape(operation.operation),
        state(operation.status),
        escape(operation.error or "") or "–",
    ]
