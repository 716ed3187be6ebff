"""The notes that are open in this process, and every change of their texts and settings.

All writing goes through here, so that what is in memory is what is in ``meta.db``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from eddyline.errors import EddylineError, nearest
from eddyline.service.notes.live import Live
from eddyline.service.notes.merge import merge
from eddyline.service.notes.note import READY, copy_of, new_paragraph
from eddyline.service.notes.runner import OpenNote, Runner
from eddyline.service.notes.store import NoteStore
from eddyline.service.notes.versions import Versions

if TYPE_CHECKING:
    from eddyline.service.services import Services

# Zeppelin's grid has this many columns, and a paragraph is at least one of them wide.
WIDTH_MAX = 12


class Edited(msgspec.Struct, frozen=True):
    """A paragraph's text after an edit; ``conflict``: both versions of some lines are in it."""

    text: str
    conflict: bool


class NoteEdits:
    """Opens notes and changes them. Every method may be called from any thread.

    Those that take a note's or paragraph's id raise ``not_found``.
    """

    def __init__(self, services: Services) -> None:
        self._clock = services.clock
        self._services = services
        self._store = NoteStore(services.directory.meta)
        self._runner = Runner(services, self._store)
        self._moved = self._runner.moved
        self._open: dict[str, OpenNote] = {}
        self._versions = Versions(services.directory.meta)

    def find(self, note: str) -> str:
        """The id of a note, given its id or name."""
        if note in self._open:
            return note
        rows = self._store.rows()
        for row in rows:
            if note in (row.id, row.name):
                return row.id
        near = nearest(note, [row.name for row in rows])
        hint = f"did you mean {near[0]}?" if near else "eddyline note list shows them all"
        raise EddylineError("not_found", f"there is no note {note}", hint=hint)

    def add(
        self,
        note: str,
        text: str = "%flink.ssql\n",
        after: str | None = None,
        before: str | None = None,
    ) -> str:
        """A new paragraph behind ``after``, before ``before``, or as the last one; its id."""
        with self._moved:
            opened = self._opened(self.find(note))
            paragraphs = opened.note.paragraphs
            at = len(paragraphs) if after is None else self._index(opened, after) + 1
            at = at if before is None else self._index(opened, before)
            paragraph = new_paragraph(text, self._clock.now_ms())
            paragraphs.insert(at, paragraph)
            self._runner.touch(opened.adopt(paragraph))
            self._save(opened)
        return paragraph.id

    def edit(
        self,
        note: str,
        paragraph: str,
        text: str | None = None,
        title: str | None = None,
        params: dict[str, Any] | None = None,
        base: str | None = None,
    ) -> Edited:
        """Change a paragraph's text, its title, the values of its forms; None leaves one as is.

        base: the text that the writer began with. If another window has changed it since, both
        changes are merged, so that neither is lost.
        """
        edited = Edited("", False)
        with self._moved:
            opened, live = self._life(note, paragraph)
            if text is not None:
                now = live.paragraph.text
                if base is not None and now not in (base, text):
                    merged = merge(base, text, now)
                    edited = Edited(merged.text, merged.conflict)
                else:
                    edited = Edited(text, False)
                live.paragraph.text = edited.text
            if title is not None:
                live.paragraph.title = title
            if params is not None:
                live.paragraph.params.update(params)
            self._runner.touch(live)
            self._store.save_paragraph(opened.note.id, live.paragraph, live.run_id)
        return edited

    def fill(self, note: str, params: dict[str, Any]) -> None:
        """Change the values of the note-wide forms."""
        with self._moved:
            opened = self._opened(self.find(note))
            opened.note.params.update(params)
            self._save(opened)

    def draw(self, note: str, paragraph: str, index: int, graph: dict[str, Any]) -> None:
        """Keep how an output is drawn."""
        with self._moved:
            opened, live = self._life(note, paragraph)
            live.paragraph.set_graph(index, graph)
            self._runner.touch(live)
            self._store.save_paragraph(opened.note.id, live.paragraph, live.run_id)

    def move(self, note: str, paragraph: str, by: int) -> None:
        """Move a paragraph up (negative) or down by so many places."""
        with self._moved:
            opened = self._opened(self.find(note))
            at = self._index(opened, paragraph)
            moved = opened.note.paragraphs.pop(at)
            opened.note.paragraphs.insert(max(0, at + by), moved)
            self._save(opened)

    def take_out(self, note: str, paragraph: str) -> None:
        """Stop a paragraph and remove it."""
        opened, live = self._life(note, paragraph)
        self._runner.cancel(opened, live)
        with self._moved:
            del opened.note.paragraphs[self._index(opened, paragraph)]
            del opened.lives[paragraph]
            self._save(opened)

    def clear(self, note: str) -> None:
        """Forget the results of all paragraphs that do not run."""
        with self._moved:
            opened = self._opened(self.find(note))
            for live in opened.lives.values():
                if not live.busy:
                    live.paragraph.fields.pop("results", None)
                    live.paragraph.fields["status"] = READY
                    live.load()
                    self._runner.touch(live)
            self._save(opened)

    def configure(
        self,
        note: str,
        paragraph: str,
        *,
        code_hidden: bool | None = None,
        output_hidden: bool | None = None,
        width: int | None = None,
        enabled: bool | None = None,
    ) -> None:
        """Change how a paragraph is laid out and whether it runs with all; None leaves one as is.

        width: in twelfths of the page.

        Raises:
            EddylineError: ``invalid_argument`` for a width out of range.
        """
        if width is not None and not 1 <= width <= WIDTH_MAX:
            msg = f"a paragraph is 1 to {WIDTH_MAX} columns wide, not {width}"
            raise EddylineError("invalid_argument", msg, hint=f"{WIDTH_MAX} is the whole page")
        with self._moved:
            opened, live = self._life(note, paragraph)
            changes = {
                "editorHide": code_hidden,
                "tableHide": output_hidden,
                "colWidth": None if width is None else float(width),
                "enabled": enabled,
            }
            live.paragraph.config.update({k: v for k, v in changes.items() if v is not None})
            self._runner.touch(live)
            self._store.save_paragraph(opened.note.id, live.paragraph, live.run_id)

    def clone(self, note: str, paragraph: str) -> str:
        """A copy of a paragraph behind it, without its results; returns its id."""
        with self._moved:
            opened, live = self._life(note, paragraph)
            at = self._index(opened, paragraph)
            copy = copy_of(live.paragraph, self._clock.now_ms())
            opened.note.paragraphs.insert(at + 1, copy)
            self._runner.touch(opened.adopt(copy))
            self._save(opened)
        return copy.id

    # inside

    def _opened(self, note_id: str) -> OpenNote:
        with self._moved:
            opened = self._open.get(note_id)
            if opened is None:
                note = self._store.load(note_id)
                if note is None:
                    raise EddylineError("not_found", f"there is no note {note_id}")
                opened = self._open[note_id] = OpenNote(note)
                opened.revision = self._runner.next_version()
                for paragraph in note.paragraphs:
                    self._runner.touch(opened.adopt(paragraph))
            return opened

    def _life(self, note: str, paragraph: str) -> tuple[OpenNote, Live]:
        opened = self._opened(self.find(note))
        live = opened.lives.get(paragraph)
        if live is None:
            raise _no_paragraph(opened, paragraph)
        return opened, live

    def _index(self, opened: OpenNote, paragraph: str) -> int:
        for index, other in enumerate(opened.note.paragraphs):
            if other.id == paragraph:
                return index
        raise _no_paragraph(opened, paragraph)

    def _save(self, opened: OpenNote) -> None:
        """Keep a note whose paragraphs or fields changed."""
        self._store.save(opened.note, self._clock.now_ms())
        opened.revision = self._runner.next_version()


def _no_paragraph(opened: OpenNote, paragraph: str) -> EddylineError:
    msg = f"note {opened.note.name} has no paragraph {paragraph}"
    return EddylineError("not_found", msg, hint="it may have been removed in another window")
