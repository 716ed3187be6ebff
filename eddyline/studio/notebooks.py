"""All notebooks: a note with a status and a role, which says what it reads and writes."""

from __future__ import annotations

import json

from nicegui import ui

from eddyline.service.applications import permissions
from eddyline.service.applications.model import INTERACTIVE, Application
from eddyline.service.notes import from_stream
from eddyline.service.services import Services
from eddyline.service.stream_sample import SAMPLE_RECORDS, newest
from eddyline.studio.application_list import ApplicationList, ApplicationRow
from eddyline.studio.context import StudioContext
from eddyline.studio.markup import escape, link, state, when
from eddyline.studio.notice import Notice
from eddyline.studio.shell import (
    button,
    confirm,
    empty,
    heading,
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
        self._notice = Notice()
        with empty(
            "No notebooks yet",
            "A notebook is a note with a role of its own: it reads and writes only the streams "
            "that are ticked. Scripts make notebooks too, with CreateApplication in INTERACTIVE "
            "mode.",
        ) as nothing:
            button("New notebook", self.create, kind="main")
        ApplicationList(
            self._services, _COLUMNS, "Notebooks", self._look, delete, self._notice, nothing
        )

    def _look(self) -> dict[str, ApplicationRow]:
        now_ms = self._services.clock.now_ms()
        notes = {note.id: note.name for note in self._services.notes.list()}
        rows = (a for a in self._services.applications.list() if a.mode == INTERACTIVE)
        return {a.name: ApplicationRow(a.status, _cells(a, notes, now_ms)) for a in rows}

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


def _cells(application: Application, notes: dict[str, str], now_ms: int) -> list[str]:
    note = application.note
    name = notes.get(note) if note is not None else None
    role = application.role.rpartition("/")[2]
    return [
        link(f"/notebooks/{application.name}", application.name),
        state(application.status),
        link(f"/notes/{note}", name) if name is not None else "–",
        escape(role) or "none, no limits",
        when(application.updated_ms, now_ms),
    ]
