"""The notes of a data directory: kept, edited, run and shown.

All writing goes through here, so that what is in memory is what is in ``meta.db``. A screen asks
what has changed since a version (``view``), at its own pace: a slow one costs nothing.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from eddyline.errors import EddylineError
from eddyline.service.events import JobFigures
from eddyline.service.notes import exports, zpln
from eddyline.service.notes.cron import parse as parse_cron
from eddyline.service.notes.edits import NoteEdits
from eddyline.service.notes.forms import Form
from eddyline.service.notes.interpreters import forms_of, interpreter_of, saved_as
from eddyline.service.notes.live import Live
from eddyline.service.notes.note import (
    ABORT,
    DEFAULT_NOTEBOOK,
    IMPORTED,
    PENDING,
    RUNNING,
    new_note,
    new_note_id,
    new_paragraph,
)
from eddyline.service.notes.output import Output, OutputTable
from eddyline.service.notes.runner import session_of
from eddyline.service.notes.schedules import Schedules
from eddyline.service.notes.search import Hits, search
from eddyline.service.notes.versions import VersionInfos, difference

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
    notebook: str = DEFAULT_NOTEBOOK


class ParagraphView(msgspec.Struct, frozen=True):
    """A paragraph as it stands.

    ``graphs``: by output, how Zeppelin draws it. ``params``: the values of its forms.
    runs_on_change: a choice in one of the forms runs it.
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
    code_hidden: bool = False
    output_hidden: bool = False
    width: int = 12
    forms: list[Form] = []
    runs_on_change: bool = True


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
    schedule: str = ""
    stored_cron: str = ""


NoteInfos = list[NoteInfo]
Texts = list[str]


class Notes(NoteEdits):
    """Notes by id or name. Every method may be called from any thread.

    Those that take a note's or paragraph's id raise ``not_found``.
    """

    def __init__(self, services: Services) -> None:
        super().__init__(services)
        self.schedules = Schedules(self._clock, self._store.schedules, self._run_by_schedule)
        for row in self._store.runs():
            opened = self._opened(row.note_id)
            self._runner.take_up(opened, opened.lives[row.paragraph_id], row)

    # notes

    def list(self) -> NoteInfos:
        """All notes, by name."""
        return [
            NoteInfo(
                row.id, row.name, row.paragraphs, self._running(row.id), row.modified_ms,
                row.notebook,
            )
            for row in self._store.rows()
        ]  # fmt: skip

    def _running(self, note_id: str) -> int:
        opened = self._open.get(note_id)
        return opened.running if opened else 0

    def create(
        self,
        name: str,
        texts: Texts | None = None,
        titles: Texts | None = None,
        notebook: str = DEFAULT_NOTEBOOK,
    ) -> str:
        """A new note with paragraphs of these texts in a notebook; returns its id.

        Raises:
            EddylineError: ``already_exists`` or ``invalid_argument`` for its name.
        """
        note = new_note(_named(name))
        note.notebook = notebook
        now_ms = self._clock.now_ms()
        titles = titles or [""] * len(texts or [])
        note.paragraphs = [
            new_paragraph(text, now_ms, title)
            for text, title in zip(texts or ["%flink.ssql\n"], titles or [""], strict=True)
        ]
        self._store.save(note, now_ms)
        return note.id

    def import_bytes(
        self,
        data: bytes,
        file: str = "the note",
        name: str | None = None,
        notebook: str = DEFAULT_NOTEBOOK,
    ) -> str:
        """Keep a ``.zpln`` file's note in a notebook; returns its id.

        It gets another id or name if its own is taken.

        Raises:
            EddylineError: ``bad_file``.
        """
        now_ms = self._clock.now_ms()
        note = zpln.read(data, file, now_ms)
        note.notebook = notebook
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

    def export(self, note: str, kind: str = "zpln") -> bytes:
        """The note as a file: zpln, ipynb, sql, py or html. Raises ``invalid_argument``."""
        with self._moved:
            opened = self._opened(self.find(note))
            for live in opened.lives.values():
                if live.run_id is not None:
                    live.keep()
            return exports.file_of(opened.note, kind)

    def file_name(self, note: str, kind: str = "zpln") -> str:
        """What Zeppelin would call the note's file; the same with another ending."""
        return zpln.file_name(self._opened(self.find(note)).note).removesuffix("zpln") + kind

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
        original = self._opened(self.find(note)).note
        name = name or f"{original.name} copy"
        return self.import_bytes(self.export(note), original.name, name, original.notebook)

    def remove(self, note: str) -> None:
        """Stop what runs of a note and forget it."""
        note_id = self.find(note)
        opened = self._opened(note_id)
        self._runner.cancel_all(opened)
        self._runner.wait_ended(opened, CANCEL_S)
        self._services.sessions.close(session_of(note_id))
        notebook = opened.note.notebook
        with self._moved:
            self._open.pop(note_id, None)
            self._store.remove(note_id)
            self._versions.remove(note_id)
            shared = any(row.notebook == notebook for row in self._store.rows())
        if not shared:
            self._services.kernels.close(notebook)

    def saved_table(self, note: str, name: str) -> OutputTable:
        """The table that a paragraph with ``saveAs=name`` shows, of the note or its notebook.

        Raises:
            EddylineError: ``not_found`` if there is none, or it has not run yet.
        """
        with self._moved:
            here = self._opened(self.find(note))
            rows = [row for row in self._store.rows() if row.notebook == here.note.notebook]
            others = [self._opened(row.id) for row in rows if row.id != here.note.id]
            for opened in (here, *others):
                for paragraph in opened.note.paragraphs:
                    if saved_as(paragraph.text) != name:
                        continue
                    for output in opened.lives[paragraph.id].outputs:
                        if output.table is not None:
                            return output.table
        msg = f"no paragraph has saved a table as {name}"
        hint = f"run one that begins with %flink.ssql(saveAs={name})"
        raise EddylineError("not_found", msg, hint=hint)

    # schedules

    def schedule(self, note: str, cron: str) -> int | None:
        """Run a note at the times of a cron expression, or no longer if it is empty.

        Returns the next time in epoch ms, None if there is none. Raises ``invalid_argument``.
        """
        cron = cron.strip()
        following = parse_cron(cron).after(self._clock.now_ms()) if cron else None
        with self._moved:
            opened = self._opened(self.find(note))
            opened.note.schedule = cron
            self._save(opened)
        self.schedules.changed()
        return following

    def _run_by_schedule(self, note_id: str) -> None:
        """Run a note whose time has come, unless it is being run."""
        with self._moved:
            if self._opened(note_id).round is not None:
                return
        self.run_all(note_id)

    # versions

    def versions(self, note: str) -> VersionInfos:
        """The kept versions of a note, the newest first."""
        return self._versions.list(self.find(note))

    def keep_version(self, note: str, message: str = "") -> int | None:
        """Keep the note as it is; returns the version's number, None if nothing has changed."""
        with self._moved:
            opened = self._opened(self.find(note))
            return self._versions.keep(opened.note, message, self._clock.now_ms())

    def compare(self, note: str, number: int) -> str:
        """What has changed since a version, as a unified diff; empty if nothing has."""
        with self._moved:
            opened = self._opened(self.find(note))
            return difference(self._versions.load(opened.note.id, number), opened.note)

    def restore(self, note: str, number: int) -> None:
        """Bring a note back to a version; how it is now is kept as a version, too.

        Results of paragraphs whose text is the same stay. Raises ``conflict`` while it runs.
        """
        with self._moved:
            opened = self._opened(self.find(note))
            if any(live.busy for live in opened.lives.values()):
                msg = "the note is running"
                raise EddylineError("conflict", msg, hint="stop it before an older version")
            version = self._versions.load(opened.note.id, number)
            self.keep_version(opened.note.id, f"before version {number} was restored")
            known = {p.id: p for p in opened.note.paragraphs}
            for paragraph in version.paragraphs:
                now = known.get(paragraph.id)
                if now is not None and now.text == paragraph.text:
                    paragraph.fields = {**now.fields, **paragraph.fields}
            fields = {**version.fields, "id": opened.note.id, "name": opened.note.name}
            opened.note.fields, opened.note.paragraphs = fields, version.paragraphs
            opened.lives = {}
            for paragraph in version.paragraphs:
                self._runner.touch(opened.adopt(paragraph))
            self._save(opened)

    def search(self, words: str) -> Hits:
        """The paragraphs whose text or title, or whose note's name, holds ``words``."""
        notes = (self._opened(row.id).note for row in self._store.rows())
        return search(notes, words)

    def restart_python(self, note: str) -> None:
        """End the Python of the note's notebook; the next Python paragraph starts it again.

        The variables of all notes of the notebook are lost.
        """
        self._services.kernels.close(self._opened(self.find(note)).note.notebook)

    # running

    def run(self, note: str, paragraph: str, user: str | None = None) -> None:
        """Begin to run a paragraph for a user. Raises ``conflict`` or ``limit_exceeded``."""
        self._runner.run(*self._life(note, paragraph), user)

    def run_all(self, note: str, since: str | None = None, user: str | None = None) -> None:
        """Begin to run all paragraphs in order, or those from ``since`` on. Raises ``conflict``."""
        self.keep_version(note, "before a run")
        self._runner.run_all(self._opened(self.find(note)), since, user)

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
                opened.note.schedule,
                opened.note.stored_cron,
            )


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
        paragraph.editor_hidden,
        paragraph.output_hidden,
        paragraph.width,
        forms_of(paragraph),
        paragraph.runs_on_change,
    )


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
