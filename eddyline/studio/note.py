"""One note: its paragraphs, run one by one or all at once, with live results."""

from __future__ import annotations

from functools import partial
from typing import Any

from nicegui import run, ui

from eddyline.errors import EddylineError
from eddyline.service.notes import Edited, NoteView
from eddyline.studio.context import StudioContext
from eddyline.studio.markup import escape, moment, plural
from eddyline.studio.note_versions import VersionsDialog
from eddyline.studio.notice import Notice
from eddyline.studio.paragraph import ParagraphBlock
from eddyline.studio.shell import (
    Page,
    ask,
    button,
    confirm,
    empty,
    every,
    icon_button,
    mark_missing,
    page,
    user_of_page,
)

_KEYS = (
    ("Shift Enter", "Run the paragraph"),
    ("Ctrl .", "Stop the paragraph"),
    ("Esc", "Leave the text"),
    ("r", "Run all paragraphs"),
    (".", "Stop all paragraphs"),
    ("a", "Add a paragraph at the end"),
    ("Alt Enter", "Run, and add a paragraph below"),
    ("Ctrl Alt A / B", "Add a paragraph above / below"),
    ("Ctrl Alt C", "Clone the paragraph"),
    ("Ctrl Alt K / J", "Move the paragraph up / down"),
    ("Ctrl Alt D", "Delete the paragraph"),
    ("Ctrl Alt E / O", "Hide or show its code / output"),
    ("Ctrl Alt R", "Leave it out of Run all, or not"),
    ("Ctrl Alt + / -", "Wider / narrower"),
)
EXPORTS = {
    "zpln": "Zeppelin note (.zpln)",
    "ipynb": "Jupyter notebook (.ipynb)",
    "sql": "SQL script (.sql)",
    "py": "Python program (.py)",
    "html": "Report (.html)",
}


def register(context: StudioContext) -> None:
    """Add the page."""

    @ui.page("/notes/{note_id}")
    async def note(note_id: str, paragraph: str | None = None) -> None:
        try:
            known_id = await run.io_bound(context.services.notes.find, note_id)
            view = context.services.notes.view(str(known_id))
        except EddylineError as error:
            mark_missing()
            with page("notes", "No such note", crumb=("/notes", "Notes")):
                Notice().error(error)
            return
        context.services.sessions.expect()
        with page("notes", view.name, crumb=("/notes", "Notes"), keys=_KEYS) as built:
            NotePage(context, built, view.id, paragraph)


class NotePage:
    """The page of a note, and what its paragraphs may ask of it."""

    def __init__(
        self, context: StudioContext, built: Page, note_id: str, paragraph: str | None = None
    ) -> None:
        self._services = context.services
        self._notes = context.services.notes
        self._page = built
        self._id = note_id
        self._version = 0
        self._name = ""
        self._order: list[str] = []
        self._blocks: dict[str, ParagraphBlock] = {}
        self._fresh = paragraph  # to be written in once it is shown
        self._not_run = ""
        self._cron = ""
        self._user = user_of_page()
        with built.actions:
            self._build_actions()
        self._notice = Notice()
        with empty("An empty note", "A paragraph holds SQL, or words after %md.") as self._empty:
            button("Add a paragraph", lambda: self.add(None), kind="main")
        self._place = ui.element("div").classes("paragraphs")
        self._end = button("Add a paragraph", lambda: self.add(None), icon="add", key="a")
        self._refresh = every(0.5, self._pull, self._show)

    def _build_actions(self) -> None:
        self._facts = ui.label().classes("muted small")
        self._run_all = button("Run all", self._run_every, kind="main", icon="play_arrow", key="r")
        self._stop_all = button("Stop all", self._cancel_every, icon="stop", key=".")
        with button("Export", icon="file_download", hint="Save as a file"), ui.menu():
            for kind, words in EXPORTS.items():
                ui.menu_item(words, partial(self._export, kind))
        with icon_button("more_vert", "More about the note"), ui.menu():
            ui.menu_item("Rename", self._rename)
            ui.menu_item("Duplicate", self._duplicate)
            ui.menu_item("Schedule", self._ask_schedule)
            ui.menu_item("Stop the schedule", self._end_schedule)
            ui.menu_item("Keep a version", self._keep_version)
            ui.menu_item("Versions", self._show_versions)
            ui.menu_item("Clear the results", self._clear)
            ui.menu_item("Restart Python", self._restart_python)
            ui.menu_item("Delete the note", self._remove)

    # what is shown

    def _pull(self) -> tuple[NoteView, int]:
        return self._notes.view(self._id, self._version), self._services.clock.now_ms()

    def _show(self, seen: tuple[NoteView, int]) -> None:
        view, now_ms = seen
        self._version = max(self._version, view.version)
        if view.name != self._name:
            self._name = view.name
            self._page.heading.set_content(escape(view.name))
            ui.page_title(f"{view.name} · Eddyline")
        for changed in view.paragraphs:
            self._show_one(changed, view)
        if view.order != self._order:
            self._arrange(view.order)
        for block in self._blocks.values():
            block.tick(now_ms)
        self._show_not_run(view)
        busy = [b for b in self._blocks.values() if b.busy]
        self._stop_all.set_enabled(bool(busy) or view.round)
        self._run_all.set_enabled(not view.round and bool(self._blocks))
        self._cron = view.schedule or view.stored_cron
        running = f", {len(busy)} running" if busy else ""
        running += f", runs at {view.schedule}" if view.schedule else ""
        self._facts.set_text(plural(len(view.order), "paragraph") + running)
        self._empty.set_visibility(not view.order)
        self._end.set_visibility(bool(view.order))

    def _show_not_run(self, view: NoteView) -> None:
        """Name the paragraphs that the last "run all" did not come to."""
        numbers = [view.order.index(p) + 1 for p in view.not_run if p in view.order]
        shown = ", ".join(map(str, numbers))
        if shown == self._not_run:
            return
        self._not_run = shown
        if numbers:
            one = len(numbers) == 1
            word = "Paragraph" if one else "Paragraphs"
            self._notice.say(f"{word} {shown} did not run: {view.why_not_run}.")
        else:
            self._notice.clear()

    def _show_one(self, changed: Any, view: NoteView) -> None:
        block = self._blocks.get(changed.id)
        if block is None:
            with self._place:
                block = self._blocks[changed.id] = ParagraphBlock(self._page, self, changed)
        block.show(changed, view.params)

    def _arrange(self, order: list[str]) -> None:
        for gone in [id for id in self._blocks if id not in order]:
            self._blocks.pop(gone).close()
        for index, id in enumerate(order):
            element = self._blocks[id].element
            if self._place.default_slot.children.index(element) != index:
                element.move(target_index=index)
        self._order = order
        if self._fresh in self._blocks:
            self._blocks[self._fresh].focus()
            self._fresh = None

    async def look(self) -> None:
        """Show at once what changed."""
        await self._refresh.now()

    # what paragraphs ask for

    def edit(self, paragraph: str, **changes: Any) -> Edited:
        """Keep a text, title or params."""
        return self._notes.edit(self._id, paragraph, **changes)

    def fill(self, params: dict[str, Any]) -> None:
        """Keep values of the note's own forms."""
        self._notes.fill(self._id, params)

    def draw(self, paragraph: str, index: int, graph: dict[str, Any]) -> None:
        """Keep how an output is drawn."""
        self._notes.draw(self._id, paragraph, index, graph)

    def run(self, paragraph: str) -> None:
        """Begin to run it."""
        self._notes.run(self._id, paragraph, self._user)

    def cancel(self, paragraph: str) -> None:
        """End its run."""
        self._notes.cancel(self._id, paragraph)

    def move(self, paragraph: str, by: int) -> None:
        """Move it up or down."""
        self._notes.move(self._id, paragraph, by)

    def configure(self, paragraph: str, **changes: Any) -> None:
        """Change its layout, or whether it runs with all."""
        self._notes.configure(self._id, paragraph, **changes)

    def clone(self, paragraph: str) -> None:
        """Put a copy behind it."""
        self._notes.clone(self._id, paragraph)

    async def run_from(self, paragraph: str) -> None:
        """Run it and all that follow."""
        await self._notice.attempt(self._notes.run_all, self._id, paragraph, self._user)
        await self.look()

    async def add(self, after: str | None, before: str | None = None) -> None:
        """Put a new paragraph behind or before another, or at the end, and begin to write in it."""
        text = "%flink.ssql\n"
        self._fresh = await self._notice.attempt(self._notes.add, self._id, text, after, before)
        await self.look()

    async def take_out(self, paragraph: str) -> None:
        """Ask, and remove it."""
        words = "Its text and results are gone, and what runs of it is stopped."
        if await confirm("Delete this paragraph?", words, "Delete it"):
            await self._notice.attempt(self._notes.take_out, self._id, paragraph)
            await self.look()

    # what is done with the note

    async def _run_every(self) -> None:
        for block in self._blocks.values():
            await block.save()
        await self._notice.attempt(self._notes.run_all, self._id, None, self._user)
        await self.look()

    async def _cancel_every(self) -> None:
        await self._notice.attempt(self._notes.cancel, self._id)
        await self.look()

    async def _export(self, kind: str) -> None:
        data = await self._notice.attempt(self._notes.export, self._id, kind)
        if data is not None:
            ui.download.content(data, self._notes.file_name(self._id, kind))

    async def _ask_schedule(self) -> None:
        title = "Run all paragraphs at the times of a cron expression (UTC)"
        cron = await ask(title, "Such as 0 0/5 * * * ?", self._cron, "Schedule it")
        if cron is None:
            return
        following = await self._notice.attempt(self._notes.schedule, self._id, cron)
        if following is not None:
            self._notice.say(f"It runs next at {moment(following)} UTC, while the server runs.")
        await self.look()

    async def _end_schedule(self) -> None:
        if await self._notice.does(self._notes.schedule, self._id, ""):
            self._notice.say("The note runs only when somebody runs it.")
        await self.look()

    async def _keep_version(self) -> None:
        message = await ask("Keep a version", "What it is", "", "Keep it")
        if message is None:
            return
        if await self._notice.does(self._notes.keep_version, self._id, message):
            self._notice.say("The note as it is now is among its versions.")

    async def _show_versions(self) -> None:
        await VersionsDialog(self._notes, self._id, self._notice).show()
        await self.look()

    async def _rename(self) -> None:
        name = await ask("Rename the note", "Name", self._name, "Rename")
        if name is not None:
            await self._notice.attempt(self._notes.rename, self._id, name)
            await self.look()

    async def _duplicate(self) -> None:
        copy = await self._notice.attempt(self._notes.duplicate, self._id)
        if copy is not None:
            ui.navigate.to(f"/notes/{copy}")

    async def _clear(self) -> None:
        await self._notice.attempt(self._notes.clear, self._id)
        await self.look()

    async def _restart_python(self) -> None:
        if await self._notice.does(self._notes.restart_python, self._id):
            self._notice.say(
                "Python is restarted: its variables are gone, for all notes of the notebook."
            )

    async def _remove(self) -> None:
        words = "Its paragraphs and results are gone for good, and what runs of it is stopped."
        if not await confirm(f"Delete the note {self._name}?", words, "Delete the note"):
            return
        if await self._notice.does(self._notes.remove, self._id):
            ui.navigate.to("/notes")
