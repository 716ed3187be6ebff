"""All notebooks: a note with a status and a role, which says what it reads and writes."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from nicegui import ui

from eddyline.service.applications import permissions
from eddyline.service.applications.model import INTERACTIVE, READY, RUNNING, Application
from eddyline.service.notes import from_stream
from eddyline.service.services import Services
from eddyline.service.stream_sample import SAMPLE_RECORDS, newest
from eddyline.studio.context import StudioContext
from eddyline.studio.listing import Listing
from eddyline.studio.markup import escape, link, state, when
from eddyline.studio.notice import Notice
from eddyline.studio.shell import (
    button,
    confirm,
    empty,
    every,
    heading,
    icon_button,
    labelled,
    page,
)

_COLUMNS = (
    ("Notebook", "wide"),
    ("State", ""),
    ("Note", "narrow-hidden"),
    ("Role", "narrow-hidden"),
    ("Changed (UTC)", "num narrow-hidden"),
)
NO_STREAM = ""


@dataclass(frozen=True, slots=True)
class _Seen:
    rows: list[Application]
    notes: dict[str, str]
    now_ms: int


def register(context: StudioContext) -> None:
    """Add the page."""

    @ui.page("/notebooks")
    def notebooks() -> None:
        with page("notebooks", "Notebooks", keys=(("n", "New notebook"),)) as built:
            shown = NotebooksPage(context)
            with built.actions:
                button("New notebook", shown.create, kind="main", icon="add", key="n")


class NotebooksPage:
    """The page's list, and the dialog that makes a notebook."""

    def __init__(self, context: StudioContext) -> None:
        self._services = context.services
        self._region = context.settings.region
        self._states: dict[str, str] = {}
        self._notice = Notice()
        with empty(
            "No notebooks yet",
            "A notebook is a note with a role of its own: it reads and writes only the streams "
            "that are ticked. Scripts make notebooks too, with CreateApplication in INTERACTIVE "
            "mode.",
        ) as self._empty:
            button("New notebook", self.create, kind="main")
        self._listing = Listing(_COLUMNS, "Notebooks", self._actions)
        self._refresh = every(2.0, self._pull, self._show)

    def _pull(self) -> _Seen:
        rows = [a for a in self._services.applications.list() if a.mode == INTERACTIVE]
        notes = {note.id: note.name for note in self._services.notes.list()}
        return _Seen(rows, notes, self._services.clock.now_ms())

    def _show(self, seen: _Seen) -> None:
        self._states = {a.name: a.status for a in seen.rows}
        self._empty.set_visibility(not seen.rows)
        self._listing.set_visibility(bool(seen.rows))
        self._listing.show({a.name: _cells(a, seen) for a in seen.rows})

    def _actions(self, name: str) -> Callable[[], None]:
        start = icon_button("play_arrow", "Start it", lambda: self._started(name))
        stop = icon_button("stop", "Stop it", lambda: self._stopped(name))
        icon_button("delete", "Delete it", lambda: self._delete(name))

        def update() -> None:
            start.set_visibility(self._states.get(name) == READY)
            stop.set_visibility(self._states.get(name) == RUNNING)

        return update

    async def create(self) -> None:
        """Ask for a name and streams."""
        streams = sorted(self._services.streams.names())
        with ui.dialog() as dialog, ui.card().classes("dialog"):
            heading("New notebook")
            name = labelled(ui.input("Name")).props("autofocus autocomplete=off")
            sources = {NO_STREAM: "None, an empty note"} | {s: s for s in streams}
            source = labelled(ui.select(sources, value=NO_STREAM, label="Process data of"))
            destinations = labelled(ui.select(streams, label="May write to", multiple=True))
            destinations.props("use-chips")
            with ui.element("div").classes("row-line end"):
                button("Cancel", lambda: dialog.submit(None))
                button("Create", lambda: dialog.submit(True), kind="main")
        answer = await dialog
        typed = str(name.value or "").strip(), str(source.value or ""), destinations.value or []
        if not dialog.is_deleted:
            dialog.delete()
        if answer and await self._notice.does(make, self._services, self._region, *typed):
            ui.navigate.to(f"/notebooks/{typed[0]}")

    async def _started(self, name: str) -> None:
        await self._notice.attempt(self._services.applications.start, name)
        await self._refresh.now()

    async def _stopped(self, name: str) -> None:
        await self._notice.attempt(self._services.applications.stop, name)
        await self._refresh.now()

    async def _delete(self, name: str) -> None:
        if await delete(self._services, self._notice, name):
            await self._refresh.now()


async def delete(services: Services, notice: Notice, name: str) -> bool:
    """Ask, and delete a notebook; whether it is done."""
    words = "Its note stays, without limits to what it reads and writes."
    if not await confirm(f"Delete notebook {name}?", words, "Delete the notebook"):
        return False
    return await notice.does(permissions.remove_notebook, services, name)


def make(
    services: Services, region: str, name: str, source: str, destinations: list[str]
) -> Application:
    """A notebook about a stream, or an empty one, which is started at once."""
    note = None
    if source:
        samples = [record.data for record in newest(services.streams, source, SAMPLE_RECORDS)]
        draft = from_stream.draft(source, region, from_stream.infer(samples))
        paragraphs = [
            {"text": text, "title": title, "config": {"title": bool(title)}}
            for text, title in zip(draft.texts, draft.titles, strict=True)
        ]
        note = json.dumps({"name": name, "paragraphs": paragraphs})
    sources = [source] if source else []
    made = permissions.create_notebook(services, name, sources, destinations, note)
    services.applications.start(name)
    return made


def _cells(application: Application, seen: _Seen) -> list[str]:
    note = application.note
    name = seen.notes.get(note) if note is not None else None
    role = application.role.rpartition("/")[2]
    return [
        link(f"/notebooks/{application.name}", application.name),
        state(application.status),
        link(f"/notes/{note}", name) if name is not None else "–",
        escape(role) or "none, no limits",
        when(application.updated_ms, seen.now_ms),
    ]
