"""One notebook: its note, its state, and the streams that its role lets it read and write."""

from __future__ import annotations

from dataclasses import dataclass

from nicegui import run, ui

from eddyline.errors import EddylineError
from eddyline.service.applications.model import READY, RUNNING, Application
from eddyline.service.applications.permissions import Permissions, permissions_of, set_permissions
from eddyline.studio.context import StudioContext
from eddyline.studio.markup import escape, link, state, when
from eddyline.studio.notebooks import delete
from eddyline.studio.notice import Notice
from eddyline.studio.shell import Page, button, every, heading, mark_missing, may_open, page

NO_ROLE = (
    "No role limits this notebook: its note reads and writes every stream. A notebook that is made "
    "on the page of notebooks has a role of its own."
)
UNKNOWN_ROLE = "The role {role} is not known here, so the notebook has no limits."
FOREIGN_ROLE = "The role {role} was made elsewhere; its policies are changed with IAM (aws iam)."


@dataclass(frozen=True, slots=True)
class _NotebookData:
    application: Application
    notes: list[tuple[str, str]]
    now_ms: int


def register(context: StudioContext) -> None:
    """Add the page."""

    @ui.page("/notebooks/{name}")
    async def notebook(name: str) -> None:
        crumb = ("/notebooks", "Notebooks")
        try:
            await run.io_bound(context.services.applications.get, name)
        except EddylineError as error:
            mark_missing()
            with page("notebooks", "No such notebook", crumb=crumb):
                Notice().error(error)
            return
        with page("notebooks", name, crumb=crumb) as built:
            NotebookPage(context, built, name)


class NotebookPage:
    """The page of a notebook."""

    def __init__(self, context: StudioContext, built: Page, name: str) -> None:
        self._services = context.services
        self._name = name
        self._ticks: dict[str, tuple[ui.checkbox, ui.checkbox]] = {}
        with built.actions:
            self._state = ui.html("", sanitize=False)
            self._start = button("Start", self._started, kind="main", icon="play_arrow")
            self._stop = button("Stop", self._stopped, icon="stop")
            button("Delete", self._deleted, kind="side danger")
        self._notice = Notice()
        self._facts = ui.html("", sanitize=False)
        with ui.element("section").classes("stack"):
            heading("Notes")
            self._notes = ui.html("", sanitize=False)
        with ui.element("section").classes("stack") as self._streams_place:
            heading("Streams that it may use")
        self._build_streams()
        self._refresh = every(1.0, self._pull, self._show)

    def _build_streams(self) -> None:
        """The streams with what is allowed, as it stands when the page is opened."""
        streams = sorted(self._services.streams.names())
        application = self._services.applications.get(self._name)
        allowed = permissions_of(self._services, application, streams)
        with self._streams_place:
            words = _words(allowed)
            if words:
                ui.label(words).props("role=paragraph").classes("muted")
            if not allowed.limited:
                return
            if not streams:
                ui.label("There are no streams yet.").classes("muted")
                return
            may_change = allowed.own and may_open("/users")
            with ui.element("div").classes("list-frame"), ui.element("table").classes("list"):
                self._build_rows(streams, allowed, may_change)
            if may_change:
                with ui.element("div").classes("row-line"):
                    button("Save the permissions", self._saved, kind="main")

    def _build_rows(self, streams: list[str], allowed: Permissions, may_change: bool) -> None:
        with ui.element("thead"), ui.element("tr"):
            for words in ("Stream", "Reads", "Writes"):
                ui.html(words, sanitize=False, tag="th").props("scope=col")
        with ui.element("tbody"):
            for stream in streams:
                with ui.element("tr"):
                    cell = link(f"/streams/{stream}", stream)
                    ui.html(cell, sanitize=False, tag="td").classes("wide")
                    ticks = []
                    for word, names in (("Reads", allowed.reads), ("Writes", allowed.writes)):
                        with ui.element("td"):
                            tick = ui.checkbox(value=stream in names).props("dense")
                            tick.props["aria-label"] = f"{word} {stream}"
                            tick.set_enabled(may_change)
                            ticks.append(tick)
                    self._ticks[stream] = (ticks[0], ticks[1])

    def _pull(self) -> _NotebookData:
        application = self._services.applications.get(self._name)
        notes = [
            (note.id, note.name)
            for note in self._services.notes.list()
            if note.id == application.note or note.notebook == application.name
        ]
        return _NotebookData(application, notes, self._services.clock.now_ms())

    def _show(self, seen: _NotebookData) -> None:
        application = seen.application
        self._state.set_content(state(application.status))
        self._start.set_visibility(application.status == READY)
        self._stop.set_visibility(application.status == RUNNING)
        self._facts.set_content(facts_html(application, seen.now_ms))
        rows = "".join(f"<li>{link(f'/notes/{id}', name)}</li>" for id, name in seen.notes)
        self._notes.set_content(f"<ul>{rows}</ul>" if rows else "Its note was deleted.")

    async def _started(self) -> None:
        await self._notice.attempt(self._services.applications.start, self._name)
        await self._refresh.now()

    async def _stopped(self) -> None:
        await self._notice.attempt(self._services.applications.stop, self._name)
        await self._refresh.now()

    async def _deleted(self) -> None:
        if await delete(self._services, self._notice, self._name):
            ui.navigate.to("/notebooks")

    async def _saved(self) -> None:
        reads = [stream for stream, (read, _) in self._ticks.items() if read.value]
        writes = [stream for stream, (_, write) in self._ticks.items() if write.value]
        work = (set_permissions, self._services, self._name, reads, writes)
        if await self._notice.does(*work):
            self._notice.say("The permissions are saved; statements that start now follow them.")


def _words(allowed: Permissions) -> str:
    """What limits the notebook, where the streams cannot be ticked."""
    if not allowed.role:
        return NO_ROLE
    if not allowed.limited:
        return UNKNOWN_ROLE.format(role=allowed.role)
    return "" if allowed.own else FOREIGN_ROLE.format(role=allowed.role)


def facts_html(application: Application, now_ms: int) -> str:
    """What is known of an application, as a list of terms and values."""
    pairs = [
        ("Runtime", application.runtime),
        ("Role", application.role.rpartition("/")[2] or "none"),
        ("Version", str(application.version)),
        ("Created (UTC)", when(application.created_ms, now_ms)),
        ("Changed (UTC)", when(application.updated_ms, now_ms)),
    ]
    rows = "".join(f"<div><dt>{term}</dt><dd>{escape(value)}</dd></div>" for term, value in pairs)
    return f'<dl class="facts">{rows}</dl>'
