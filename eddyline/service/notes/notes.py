"""The notes of a data directory: kept, edited, run and shown.

All writing goes through here, so that what is in memory is what is in ``meta.db``. A screen asks
for what has changed since it last asked (``view``), at its own pace: a slow one costs nothing.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from eddyline.errors import EddylineError, nearest
from eddyline.service.events import JobFigures
from eddyline.service.notes import zpln
from eddyline.service.notes.interpreters import interpreter_of
from eddyline.service.notes.live import Live
from eddyline.service.notes.merge import merge
from eddyline.service.notes.note import (
    ABORT,
    IMPORTED,
    PENDING,
    READY,
    RUNNING,
    new_note,
    new_note_id,
    new_paragraph,
)
from eddyline.service.notes.output import Output
from eddyline.service.notes.runner import OpenNote, Runner, session_of
from eddyline.service.notes.store import NoteStore

if TYPE_CHECKING:
    from eddyline.service.services import Services

NAME_MAX = 200
CANCEL_S = 10.0


class NoteInfo(msgspec.Struct, frozen=True):
    """A note in a list."""

    id: str
    name: str
    paragraphs: int
    running: int
    modified_ms: int


class ParagraphView(msgspec.Struct, frozen=True):
    """A paragraph as it stands.

    ``graphs``: by output, how Zeppelin draws it. ``params``: the values of its forms.
    """

    id: str
    version: int
    title: str
    text: str
    interpreter: str
    status: str
    enabled: bool
    outputs: list[Output]
    graphs: list[dict[str, Any]]
    figures: JobFigures | None
    why: list[str]
    jobs: list[str]
    started_ms: int | None
    finished_ms: int | None
    params: dict[str, Any] = {}
    imported: bool = False


class Edited(msgspec.Struct, frozen=True):
    """A paragraph's text after an edit; ``conflict``: both versions of some lines are in it."""

    text: str
    conflict: bool


class NoteView(msgspec.Struct, frozen=True):
    """A note as it stands: the ids of all its paragraphs, and those that changed.

    not_run: the paragraphs that the last "run all" did not come to, with why_not_run.
    """

    id: str
    name: str
    version: int
    order: list[str]
    paragraphs: list[ParagraphView]
    round: bool
    params: dict[str, Any] = {}
    not_run: list[str] = []
    why_not_run: str = ""


NoteInfos = list[NoteInfo]
Texts = list[str]


class Notes:
    """Notes by id or name. Every method may be called from any thread.

    Those that take a note's or paragraph's id raise ``not_found``.
    """

    def __init__(self, services: Services) -> None:
        self._clock = services.clock
        self._services = services
        self._store = NoteStore(services.directory.meta)
        self._runner = Runner(services, self._store)
        self._moved = self._runner.moved
        self._open: dict[str, OpenNote] = {}
        for row in self._store.runs():
            opened = self._opened(row.note_id)
            self._runner.take_up(opened, opened.lives[row.paragraph_id], row)

    # notes

    def list(self) -> NoteInfos:
        """All notes, by name."""
        return [
            NoteInfo(row.id, row.name, row.paragraphs, self._running(row.id), row.modified_ms)
            for row in self._store.rows()
        ]

    def _running(self, note_id: str) -> int:
        opened = self._open.get(note_id)
        return opened.running if opened else 0

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

    def create(self, name: str, texts: Texts | None = None, titles: Texts | None = None) -> str:
        """A new note with paragraphs of these texts; returns its id.

        Raises:
            EddylineError: ``already_exists`` or ``invalid_argument`` for its name.
        """
        note = new_note(_named(name))
        now_ms = self._clock.now_ms()
        titles = titles or [""] * len(texts or [])
        note.paragraphs = [
            new_paragraph(text, now_ms, title)
            for text, title in zip(texts or ["%flink.ssql\n"], titles or [""], strict=True)
        ]
        self._store.save(note, now_ms)
        return note.id

    def import_bytes(self, data: bytes, file: str = "the note", name: str | None = None) -> str:
        """Keep a ``.zpln`` file's note; returns its id.

        It gets another id or name if its own is taken.

        Raises:
            EddylineError: ``bad_file``.
        """
        now_ms = self._clock.now_ms()
        note = zpln.read(data, file, now_ms)
        with self._moved:
            rows = self._store.rows()
            if note.id in {row.id for row in rows}:
                note.fields["id"] = new_note_id()
            note.fields["name"] = _free(name or note.name, {row.name for row in rows})
            for paragraph in note.paragraphs:
                if paragraph.status in (RUNNING, PENDING):  # not here
                    paragraph.fields["status"] = ABORT
                if paragraph.messages:
                    paragraph.fields[IMPORTED] = True
            self._store.save(note, now_ms)
        return note.id

    def import_file(self, path: Path, name: str | None = None) -> str:
        """Keep the note of a file; returns its id. Raises ``not_found`` or ``bad_file``."""
        return self.import_bytes(read_file(path), path.name, name)

    def export(self, note: str) -> bytes:
        """The note as a ``.zpln`` file."""
        with self._moved:
            opened = self._opened(self.find(note))
            for live in opened.lives.values():
                if live.run_id is not None:
                    live.keep()
            return zpln.write(opened.note)

    def file_name(self, note: str) -> str:
        """What Zeppelin would call the note's file."""
        return zpln.file_name(self._opened(self.find(note)).note)

    def rename(self, note: str, name: str) -> None:
        """Give a note another name. Raises ``already_exists`` or ``invalid_argument``."""
        with self._moved:
            opened = self._opened(self.find(note))
            before, opened.note.fields["name"] = opened.note.name, _named(name)
            try:
                self._save(opened)
            except EddylineError:
                opened.note.fields["name"] = before
                raise

    def duplicate(self, note: str, name: str | None = None) -> str:
        """A copy with its results; returns its id."""
        found = self._opened(self.find(note)).note
        return self.import_bytes(self.export(note), found.name, name or f"{found.name} copy")

    def remove(self, note: str) -> None:
        """Stop what runs of a note and forget it."""
        note_id = self.find(note)
        opened = self._opened(note_id)
        self._runner.cancel_all(opened)
        self._runner.wait_ended(opened, CANCEL_S)
        self._services.kernels.close(note_id)
        self._services.sessions.close(session_of(note_id))
        with self._moved:
            self._open.pop(note_id, None)
            self._store.remove(note_id)

    # paragraphs

    def add(self, note: str, text: str = "%flink.ssql\n", after: str | None = None) -> str:
        """A new paragraph behind ``after``, or as the last one; returns its id."""
        with self._moved:
            opened = self._opened(self.find(note))
            paragraphs = opened.note.paragraphs
            at = len(paragraphs) if after is None else self._index(opened, after) + 1
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
            found = opened.note.paragraphs.pop(at)
            opened.note.paragraphs.insert(max(0, at + by), found)
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

    def restart_python(self, note: str) -> None:
        """End the note's Python; its variables are lost, the next Python paragraph starts it."""
        self._services.kernels.close(self.find(note))

    # running

    def run(self, note: str, paragraph: str) -> None:
        """Begin to run a paragraph. Raises ``conflict`` or ``limit_exceeded``."""
        self._runner.run(*self._life(note, paragraph))

    def run_all(self, note: str, since: str | None = None) -> None:
        """Begin to run all paragraphs in order, or those from ``since`` on. Raises ``conflict``."""
        self._runner.run_all(self._opened(self.find(note)), since)

    def cancel(self, note: str, paragraph: str | None = None) -> None:
        """End the run of a paragraph, or of all."""
        if paragraph is None:
            self._runner.cancel_all(self._opened(self.find(note)))
        else:
            self._runner.cancel(*self._life(note, paragraph))

    def view(self, note: str, since: int = 0) -> NoteView:
        """The note as it stands, with the paragraphs that changed after version ``since``."""
        with self._moved:
            opened = self._opened(self.find(note))
            lives = [opened.lives[p.id] for p in opened.note.paragraphs]
            group = opened.note.group
            return NoteView(
                opened.note.id,
                opened.note.name,
                max([opened.revision, *(live.version for live in lives)]),
                [live.paragraph.id for live in lives],
                [_view(live, group) for live in lives if live.version > since],
                opened.round is not None,
                dict(opened.note.params),
                list(opened.not_run),
                opened.why_not_run,
            )

    # inside

    def _opened(self, note_id: str) -> OpenNote:
        with self._moved:
            found = self._open.get(note_id)
            if found is None:
                note = self._store.load(note_id)
                if note is None:
                    raise EddylineError("not_found", f"there is no note {note_id}")
                found = self._open[note_id] = OpenNote(note)
                found.revision = self._runner.next_version()
                for paragraph in note.paragraphs:
                    self._runner.touch(found.adopt(paragraph))
            return found

    def _life(self, note: str, paragraph: str) -> tuple[OpenNote, Live]:
        opened = self._opened(self.find(note))
        live = opened.lives.get(paragraph)
        if live is None:
            raise _no_paragraph(opened, paragraph)
        return opened, live

    def _index(self, opened: OpenNote, paragraph: str) -> int:
        for index, found in enumerate(opened.note.paragraphs):
            if found.id == paragraph:
                return index
        raise _no_paragraph(opened, paragraph)

    def _save(self, opened: OpenNote) -> None:
        """Keep a note whose paragraphs or fields changed."""
        self._store.save(opened.note, self._clock.now_ms())
        opened.revision = self._runner.next_version()


def read_file(path: Path) -> bytes:
    """A file's bytes. Raises ``not_found`` or ``bad_file``."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise EddylineError("not_found", f"there is no file {path}") from None
    except OSError as error:
        raise EddylineError("bad_file", f"cannot read {path}: {error.strerror}") from None


def _view(live: Live, group: str) -> ParagraphView:
    paragraph, outputs = live.paragraph, live.outputs
    return ParagraphView(
        paragraph.id,
        live.version,
        paragraph.title,
        paragraph.text,
        interpreter_of(paragraph.text, group),
        live.status,
        paragraph.enabled,
        outputs,
        [paragraph.graph(index) for index in range(len(outputs))],
        live.figures,
        live.why,
        live.jobs,
        live.started_ms,
        live.finished_ms,
        dict(paragraph.params),
        bool(paragraph.fields.get(IMPORTED)),
    )


def _no_paragraph(opened: OpenNote, paragraph: str) -> EddylineError:
    msg = f"note {opened.note.name} has no paragraph {paragraph}"
    return EddylineError("not_found", msg, hint="it may have been removed in another window")


def _named(name: str) -> str:
    name = name.strip()
    if not 1 <= len(name) <= NAME_MAX:
        msg = f"a note's name has 1 to {NAME_MAX} characters"
        raise EddylineError("invalid_argument", msg)
    return name


def _free(name: str, taken: set[str]) -> str:
    """The name, or the name with a number that is not taken yet."""
    name = _named(name[:NAME_MAX])
    if name not in taken:
        return name
    return next(n for i in range(2, len(taken) + 3) if (n := f"{name} {i}") not in taken)
