"""The list of notes: write one, bring one in, and the examples to begin with."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from nicegui import ui

from eddyline.service.notes import NoteInfo
from eddyline.service.notes.search import Hit, Hits
from eddyline.studio import lab
from eddyline.studio.context import StudioContext
from eddyline.studio.listing import Listing
from eddyline.studio.markup import ago, escape, link, number, plural, state
from eddyline.studio.notice import Notice
from eddyline.studio.shell import (
    ask,
    button,
    confirm,
    empty,
    every,
    heading,
    icon_button,
    labelled,
    page,
)
from eddyline.studio.uploads import upload

# A single imported note opens after this long, in which further files may come.
OPEN_AFTER_S = 0.6
_KEYS = (("n", "New note"), ("i", "Import a note"))
_COLUMNS = (
    ("Note", "wide"),
    ("State", ""),
    ("Paragraphs", "num"),
    ("Changed (UTC)", "num narrow-hidden"),
)
_WORDS = {
    lab.SENSORS: "Readings averaged by status over a sliding minute, written to a stream.",
    lab.CLICKS: "Clicks per hundred impressions, each second; a forest finds what is unusual.",
}


@dataclass(frozen=True, slots=True)
class NotesData:
    """The notes and the time."""

    notes: list[NoteInfo]
    now_ms: int


def register(context: StudioContext) -> None:
    """Add the page."""

    @ui.page("/notes")
    def notes() -> None:
        context.services.sessions.expect()
        with page("notes", "Notes", keys=_KEYS) as built:
            shown = NotesPage(context)
            with built.actions:
                button("Import", shown.pick, icon="file_upload", key="i")
                button("New note", shown.create, kind="main", icon="add", key="n")


class NotesPage:
    """The page's list."""

    def __init__(self, context: StudioContext) -> None:
        self._services = context.services
        self._notes = context.services.notes
        self._notice = Notice()
        self._names: dict[str, str] = {}
        self._imported = 0
        self.pick = upload(
            self._came, ".zpln,.json,application/json", self._rejected, several=True, drop=True
        )
        with (
            empty(
                "No notes yet",
                "A note holds Flink SQL in paragraphs and shows their results live. Write one, "
                "import a Zeppelin note (drop the .zpln file here), or begin with an example.",
            ) as self._empty,
            ui.element("div").classes("row-line"),
        ):
            button("New note", self.create, kind="main")
            button("Import a note", self.pick)
        self._search = labelled(ui.input("Search all notes", on_change=self._searched))
        self._search.props("clearable debounce=300 type=search").classes("field wide-field")
        self._hits = ui.html("", sanitize=False).props('aria-live="polite"')
        self._listing = Listing(_COLUMNS, "Notes", self._actions)
        self._drop_hint = ui.label("Drop .zpln files anywhere on this page to import them.")
        self._drop_hint.classes("muted small")
        with ui.element("section").classes("stack"):
            heading("Examples")
            with ui.element("div").classes("columns"):
                for name in lab.LABS:
                    self._example(name)
        self._refresh = every(1.0, self._pull, self._show)

    def _example(self, name: str) -> None:
        with ui.element("div").classes("panel"):
            heading(name, 3)
            ui.label(_WORDS[name]).classes("muted")
            with ui.element("div").classes("row-line"):
                button(
                    "Set up the lab",
                    lambda: self._set_up(name),
                    hint="Its streams, its generators, its note",
                )
                button("Only the note", lambda: self._only_note(name), kind="quiet")

    def _pull(self) -> NotesData:
        return NotesData(self._notes.list(), self._services.clock.now_ms())

    def _show(self, seen: NotesData) -> None:
        self._names = {note.id: note.name for note in seen.notes}
        self._empty.set_visibility(not seen.notes)
        self._listing.set_visibility(bool(seen.notes))
        self._drop_hint.set_visibility(bool(seen.notes))
        self._search.set_visibility(bool(seen.notes))
        self._listing.show({note.id: _cells(note, seen.now_ms) for note in seen.notes})

    def _actions(self, note_id: str) -> None:
        icon_button("file_download", "Export it", lambda: self._export(note_id))
        icon_button("content_copy", "Duplicate it", lambda: self._duplicate(note_id))
        icon_button("delete", "Delete it", lambda: self._remove(note_id))

    async def _searched(self, event: Any) -> None:
        words = str(event.value or "").strip()
        hits = await self._notice.attempt(self._notes.search, words) if words else []
        self._hits.set_content(hits_html(hits or [], words))

    async def create(self) -> None:
        """Ask for a name and open a new note."""
        name = await ask("New note", "Name", "", "Create")
        if name is not None:
            note = await self._notice.attempt(self._notes.create, name)
            if note is not None:
                ui.navigate.to(f"/notes/{note}")

    async def _came(self, file: str, data: bytes) -> None:
        note = await self._notice.attempt(self._notes.import_bytes, data, file)
        if note is None:
            return
        self._imported += 1
        await self._refresh.now()
        self._notice.say(f"{self._names.get(note, file)} is imported.")
        await asyncio.sleep(OPEN_AFTER_S)
        if self._imported == 1:  # of several files none is more important than the others
            ui.navigate.to(f"/notes/{note}")
        self._imported = max(0, self._imported - 1)

    def _rejected(self) -> None:
        self._notice.say("That file was not taken: a note is a .zpln or .json file below 32 MiB.")

    async def _set_up(self, name: str) -> None:
        note = await self._notice.attempt(lab.set_up, self._services, name)
        if note is not None:
            ui.navigate.to(f"/notes/{note}")

    async def _only_note(self, name: str) -> None:
        note = await self._notice.attempt(lab.bring_note, self._services, name)
        if note is not None:
            ui.navigate.to(f"/notes/{note}")

    async def _export(self, note_id: str) -> None:
        data = await self._notice.attempt(self._notes.export, note_id)
        if data is not None:
            ui.download.content(data, self._notes.file_name(note_id))

    async def _duplicate(self, note_id: str) -> None:
        await self._notice.attempt(self._notes.duplicate, note_id)
        await self._refresh.now()

    async def _remove(self, note_id: str) -> None:
        words = "Its paragraphs and results are gone for good, and what runs of it is stopped."
        name = self._names.get(note_id, "")
        if await confirm(f"Delete the note {name}?", words, "Delete the note"):
            await self._notice.attempt(self._notes.remove, note_id)
            await self._refresh.now()


def hits_html(hits: Hits, words: str) -> str:
    """The paragraphs that hold the words, each a link to its place."""
    if not words:
        return ""
    if not hits:
        return f'<p class="muted">No note holds {escape(words)}.</p>'
    rows = "".join(f"<li>{_hit(hit)}</li>" for hit in hits)
    return f'<ul class="hits">{rows}</ul>'


def _hit(hit: Hit) -> str:
    if hit.paragraph is None:
        return link(f"/notes/{hit.note_id}", hit.note)
    place = link(f"/notes/{hit.note_id}?paragraph={hit.paragraph}", f"{hit.note}, {hit.number}")
    return f'{place} <code class="muted">{escape(hit.text[:160])}</code>'


def _cells(note: NoteInfo, now_ms: int) -> list[str]:
    running = f'<span class="small muted">{plural(note.running, "paragraph")}</span>'
    return [
        link(f"/notes/{note.id}", note.name),
        state("RUNNING") + " " + running if note.running else "",
        number(note.paragraphs),
        escape(ago(note.modified_ms, now_ms)),
    ]
