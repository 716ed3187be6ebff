"""One paragraph on the page: its text, forms, run and stop, and what it shows."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from nicegui import run, ui

from eddyline.errors import EddylineError
from eddyline.service.notes import Edited, ParagraphView, header
from eddyline.service.notes.edits import WIDTH_MAX
from eddyline.service.notes.forms import Form
from eddyline.service.notes.interpreters import PYTHON
from eddyline.service.notes.output import FAILURE, HTML
from eddyline.studio.editor import Editor, Language
from eddyline.studio.form_fields import FormFields
from eddyline.studio.markup import clock_time, duration, escape, moment, number, state, when
from eddyline.studio.notice import Notice
from eddyline.studio.result import ParagraphOutputs
from eddyline.studio.shell import Page, button, icon_button

SAVE_AFTER_S = 0.4
_BUSY = ("RUNNING", "PENDING")
_PLACE = re.compile(r"\(line (\d+), column (\d+)\)")
_LANGUAGES: dict[str, Language] = {"md": "Markdown", **dict.fromkeys(PYTHON, "Python")}


class Actions(Protocol):
    """What a paragraph asks of its note."""

    def edit(self, paragraph: str, **changes: Any) -> Edited:
        """Keep a text, title or params."""

    def fill(self, params: dict[str, Any]) -> None:
        """Keep values of the note's own forms."""

    def draw(self, paragraph: str, index: int, graph: dict[str, Any]) -> None:
        """Keep how an output is drawn."""

    def run(self, paragraph: str) -> None:
        """Begin to run it."""

    def cancel(self, paragraph: str) -> None:
        """End its run."""

    def move(self, paragraph: str, by: int) -> None:
        """Move it up or down."""

    def configure(self, paragraph: str, **changes: Any) -> None:
        """Change its layout, or whether it runs with all."""

    def clone(self, paragraph: str) -> None:
        """Put a copy behind it."""

    async def run_from(self, paragraph: str) -> None:
        """Run it and all that follow."""

    async def add(self, after: str | None, before: str | None = None) -> None:
        """Put a new one behind or before it."""

    async def take_out(self, paragraph: str) -> None:
        """Ask, and remove it."""

    async def look(self) -> None:
        """Show at once what changed."""


class ParagraphBlock:
    """The elements of a paragraph; ``show`` brings them to what the note says."""

    def __init__(self, page: Page, actions: Actions, view: ParagraphView) -> None:
        self.id = view.id
        self._actions = actions
        self._page = page
        self._view = view
        self._saved = view.text
        self._typed = 0
        self._merged: Edited | None = None
        self._unfolded = False
        self._editing = not _reads(view)
        with ui.element("section").classes("panel paragraph") as self.element:
            self.element.props["aria-label"] = "Paragraph"
            with ui.element("div").classes("bar"):
                self._build_bar(view)
            self._editor_place = ui.element("div").classes("editor-frame bare")
            with self._editor_place:
                self._editor = self._made_editor(view)
            self._forms = FormFields(self._filled, self.run)
            self._notice = Notice()
            self._progress = ui.element("div").classes("progress").props("aria-hidden=true")
            self._stored = ui.element("div").classes("row-line stored")
            with self._stored:
                self._origin = ui.label().classes("muted small grow")
                self._fold = button("Show it", self._unfold, kind="quiet")
            self._results = ParagraphOutputs(lambda i, g: actions.draw(self.id, i, g))
            self._figures = ui.html("", sanitize=False).classes("figures")

    def _build_bar(self, view: ParagraphView) -> None:
        self._play = icon_button("play_arrow", "Run (Shift+Enter)", self.run).classes("play")
        self._halt = icon_button("stop", "Stop (Ctrl+.)", self.cancel).classes("halt")
        self._title = ui.element("input").classes("title")
        self._title.props["value"] = view.title
        self._title.props["placeholder"] = "Untitled"
        self._title.props["aria-label"] = "Title of the paragraph"
        self._title.on("change", self._titled, args=["target.value"], js_handler=_VALUE)
        self._title.on("keydown.shift.enter.prevent", self.run)
        self._kind = ui.label(view.interpreter).classes("kind")
        self._time = ui.label().classes("time")
        self._state = ui.html("", sanitize=False).classes("state-place")
        self._turn = icon_button("edit", "Write", self._turned)
        with icon_button("more_vert", "More").classes("more-menu"), ui.menu():
            self._build_menu()

    def _build_menu(self) -> None:
        ui.menu_item("Run all from here", self.run_from)
        ui.menu_item("Add a paragraph above", self._add_above)
        ui.menu_item("Add a paragraph below", self._add_below)
        ui.menu_item("Clone", self._cloned)
        ui.menu_item("Move up", lambda: self._moved(-1))
        ui.menu_item("Move down", lambda: self._moved(1))
        # The words say what the item does now, and are set with each view.
        self._code_item = _item("Hide the code", self._turn_code)
        self._output_item = _item("Hide the output", self._turn_output)
        self._enabled_item = _item("Leave out of Run all", self._turn_enabled)
        ui.menu_item("Wider", lambda: self._widened(1))
        ui.menu_item("Narrower", lambda: self._widened(-1))
        ui.menu_item("Delete", lambda: self._actions.take_out(self.id))

    def _made_editor(self, view: ParagraphView) -> Editor:
        keys: dict[str, Callable[[], Any]] = {
            "Shift-Enter": self.run,
            "Mod-Enter": self.run,
            "Alt-Enter": self._run_and_add,
            "Ctrl-.": self.cancel,
            "Ctrl-Alt-d": lambda: self._actions.take_out(self.id),
            "Ctrl-Alt-a": self._add_above,
            "Ctrl-Alt-b": self._add_below,
            "Ctrl-Alt-c": self._cloned,
            "Ctrl-Alt-k": lambda: self._moved(-1),
            "Ctrl-Alt-j": lambda: self._moved(1),
            "Ctrl-Alt-e": self._turn_code,
            "Ctrl-Alt-o": self._turn_output,
            "Ctrl-Alt-r": self._turn_enabled,
            "Ctrl-Alt-=": lambda: self._widened(1),
            "Ctrl-Alt--": lambda: self._widened(-1),
        }
        language = _LANGUAGES.get(view.interpreter, "SQL")
        return Editor(self._page, view.text, "Text of the paragraph", language, self._changed, keys)

    @property
    def busy(self) -> bool:
        return self._view.status in _BUSY

    # what is shown

    def show(self, view: ParagraphView, note_params: Mapping[str, Any]) -> None:
        """Bring the elements to what the note says now."""
        before, self._view = self._view, view
        # Changed in another window. While something here is not saved yet, the next save merges.
        if view.text != self._saved and self._editor.text == self._saved:
            self._editor.put(view.text)
            self._saved = view.text
        if view.title != before.title:
            self._title.props["value"] = view.title
        self._kind.set_text(view.interpreter)
        self._editor.speak(_LANGUAGES.get(view.interpreter, "SQL"))
        if _reads(view) and not _reads(before):
            self._editing = False
        busy = view.status in _BUSY
        self._play.set_visibility(not busy)
        self._halt.set_visibility(busy)
        self._progress.set_visibility(view.status == "RUNNING")
        self._state.set_content("" if view.status == "READY" else state(view.status))
        self._show_forms(view, note_params)
        self._results.show(view.outputs, view.graphs, appends(view.text))
        self._figures.set_content(figures_html(view))
        self._show_origin(view)
        if view.output_hidden:
            self._results.set_visibility(False)
        self._code_item.set_text("Show the code" if view.code_hidden else "Hide the code")
        self._output_item.set_text("Show the output" if view.output_hidden else "Hide the output")
        self._enabled_item.set_text("Leave out of Run all" if view.enabled else "Run with all")
        self.element.classes(remove=_WIDTHS, add=f"wide-{view.width}")
        self.element.classes(**{"remove" if view.enabled else "add": "left-out"})
        self._mark(view)
        self._lay_out()

    def _show_origin(self, view: ParagraphView) -> None:
        """Mark a result that came with an imported note, and fold it if it is long."""
        long = view.imported and is_long(view)
        self._stored.set_visibility(view.imported and bool(view.outputs) and not _reads(view))
        ended = "" if view.finished_ms is None else f", of {moment(view.finished_ms)} UTC"
        self._origin.set_text(f"Result of another run{ended}; it came with the note.")
        self._fold.set_visibility(long)
        self._fold.set_text("Hide it" if self._unfolded else "Show it")
        if long and not self._unfolded:
            self._results.set_visibility(False)

    def _unfold(self) -> None:
        self._unfolded = not self._unfolded
        self._results.set_visibility(self._unfolded)
        self._show_origin(self._view)

    def tick(self, now_ms: int) -> None:
        """Let the time of a run go on."""
        text = time_text(self._view, now_ms)
        if self._time.text != text:
            self._time.set_text(text)

    def _show_forms(self, view: ParagraphView, note_params: Mapping[str, Any]) -> None:
        self._forms.show(view.forms, view.params, note_params)

    def _mark(self, view: ParagraphView) -> None:
        failed = next((o.text for o in view.outputs if o.kind == FAILURE), None)
        place = _PLACE.search(failed.split("\n")[0]) if failed else None
        if failed and place and self._editor.text == view.text:
            self._editor.mark(int(place[1]), int(place[2]), failed.split("\n")[0])
        else:
            self._editor.unmark()

    def _lay_out(self) -> None:
        """A text to be read hides its source until somebody wants to write."""
        reads = _reads(self._view)
        self._turn.set_visibility(reads or (self._view.interpreter == "md" and self._editing))
        hidden = self._view.code_hidden and not self._editing
        self._editor_place.set_visibility((self._editing or not reads) and not hidden)

    def focus(self) -> None:
        """Begin to write."""
        self._editor.focus()

    def close(self) -> None:
        """It was removed."""
        self._editor.close()
        self.element.delete()

    # what is done

    def _turned(self) -> None:
        self._editing = not self._editing
        self._lay_out()

    async def run(self) -> None:
        """Keep the text and run it."""
        self._editing = False
        await self._attempt(self._run)
        self._show_merged()

    def _run(self) -> None:
        self._save()
        self._actions.run(self.id)

    async def cancel(self) -> None:
        """End its run."""
        await self._attempt(lambda: self._actions.cancel(self.id))

    async def run_from(self) -> None:
        """Keep the text and run this paragraph and all that follow."""
        await self.save()
        await self._actions.run_from(self.id)

    async def _run_and_add(self) -> None:
        await self.run()
        await self._add_below()

    async def _add_above(self) -> None:
        await self._actions.add(None, before=self.id)

    async def _add_below(self) -> None:
        await self._actions.add(self.id)

    async def _cloned(self) -> None:
        await self.save()
        await self._attempt(lambda: self._actions.clone(self.id))

    async def _turn_code(self) -> None:
        self._editing = False
        await self._configured(code_hidden=not self._view.code_hidden)

    async def _turn_output(self) -> None:
        await self._configured(output_hidden=not self._view.output_hidden)

    async def _turn_enabled(self) -> None:
        await self._configured(enabled=not self._view.enabled)

    async def _widened(self, by: int) -> None:
        await self._configured(width=min(WIDTH_MAX, max(1, self._view.width + by)))

    async def _configured(self, **changes: Any) -> None:
        await self._attempt(lambda: self._actions.configure(self.id, **changes))

    async def _moved(self, by: int) -> None:
        await self._attempt(lambda: self._actions.move(self.id, by))

    async def _attempt(self, work: Callable[[], object]) -> None:
        await self._notice.attempt(work)
        await self._actions.look()

    async def _changed(self, _: str) -> None:
        """Keep the text when the typing pauses."""
        self._typed += 1
        mine = self._typed
        self._editor.unmark()
        await asyncio.sleep(SAVE_AFTER_S)
        if mine == self._typed:
            await self.save()

    async def save(self) -> None:
        """Keep what was typed."""
        try:
            await run.io_bound(self._save)
        except EddylineError as error:
            self._notice.error(error)
        self._show_merged()

    def _save(self) -> None:
        text = self._editor.text
        if text == self._saved:
            return
        base, self._saved = self._saved, text
        edited = self._actions.edit(self.id, text=text, base=base)
        if edited.text != text:
            self._merged = edited

    def _show_merged(self) -> None:
        """Show what another window has written meanwhile, beside what was typed here."""
        edited, self._merged = self._merged, None
        if edited is None:
            return
        if self._editor.text == self._saved:
            self._editor.put(edited.text)
            self._saved = edited.text
        if edited.conflict:
            self._notice.say(
                "Another window changed the same lines. Both versions are in the text, this "
                "window's first: keep what you want."
            )
        else:
            self._notice.say("Another window changed this paragraph, too. Both changes are kept.")

    async def _titled(self, event: Any) -> None:
        title = str(event.args or "").strip()
        await self._attempt(lambda: self._actions.edit(self.id, title=title))

    async def _filled(self, form: Form, value: Any) -> None:
        if form.note_wide:
            await self._attempt(lambda: self._actions.fill({form.name: value}))
        else:
            await self._attempt(lambda: self._actions.edit(self.id, params={form.name: value}))
        if form.kind in ("select", "checkbox") and self._view.runs_on_change:
            await self.run()


def _item(words: str, act: Callable[[], Any]) -> ui.label:
    """A line of a menu whose words change; returns them."""
    with ui.menu_item(on_click=act), ui.item_section():
        return ui.label(words)


_WIDTHS = " ".join(f"wide-{width}" for width in range(1, WIDTH_MAX + 1))
_VALUE = "(event) => emit(event.target.value)"
LONG_ROWS, LONG_CHARACTERS = 12, 2_000


def is_long(view: ParagraphView) -> bool:
    """Whether the results would push the next paragraph off the screen."""
    rows = sum(len(o.table.rows) for o in view.outputs if o.table is not None)
    return rows > LONG_ROWS or sum(len(o.text) for o in view.outputs) > LONG_CHARACTERS


def _reads(view: ParagraphView) -> bool:
    """Whether there is something to read in place of the source."""
    shown = any(output.kind == HTML for output in view.outputs)
    return view.interpreter == "md" and shown and view.status == "FINISHED"


def appends(text: str) -> bool:
    """Whether a paragraph shows the rows that came, the newest of which is looked for."""
    try:
        return header.parse(text).properties.get("type") == "append"
    except EddylineError:
        return False


def time_text(view: ParagraphView, now_ms: int) -> str:
    """How long it runs or ran, and when it ended."""
    if view.started_ms is None:
        return ""
    if view.status == "RUNNING":
        return f"for {duration(now_ms - view.started_ms)}"
    if view.finished_ms is None or view.status not in ("FINISHED", "ERROR", "ABORT"):
        return ""
    took = duration(view.finished_ms - view.started_ms)
    return f"{took}, ended {when(view.finished_ms, now_ms)} UTC"


def figures_html(view: ParagraphView) -> str:
    """A running statement's figures, why it shows nothing, and its jobs."""
    parts = []
    if view.status == "RUNNING" and view.why and not _shows_rows(view):
        because = "".join(f"<li>{escape(reason)}</li>" for reason in dict.fromkeys(view.why))
        parts.append(f'<div class="why"><span>Nothing to show yet:</span><ul>{because}</ul></div>')
    words = _figure_words(view) if view.status == "RUNNING" else []
    if view.jobs:
        count = len(view.jobs)
        words.append(f'<a href="/jobs">{"a job" if count == 1 else f"{count} jobs"}</a>')
    if words:
        parts.append(f'<div class="muted small">{" · ".join(words)}</div>')
    return "".join(parts)


def _shows_rows(view: ParagraphView) -> bool:
    written = view.figures is not None and view.figures.rows_out > 0
    return written or any(o.table is not None and o.table.rows for o in view.outputs)


def _figure_words(view: ParagraphView) -> list[str]:
    figures = view.figures
    if figures is None:
        return []
    words = [f"{number(figures.rows_in)} rows in", f"{number(figures.rows_out)} out"]
    if figures.late:
        words.append(f"{number(figures.late)} late")
    if figures.watermark_ms is not None:
        words.append(f"watermark {clock_time(figures.watermark_ms)} UTC")
    if figures.latency_ms is not None:
        words.append(f"latency {number(round(figures.latency_ms, 1))} ms")
    return words
