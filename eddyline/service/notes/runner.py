"""Paragraphs at work: one, or all in order, with up to ten at once; and cancelled.

A streaming statement never ends by itself, so that "run all" goes on once it works: a DDL is
waited for, a SELECT or INSERT only until its first sign of life. A paragraph that fails ends the
round.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from eddyline.clock import Clock
from eddyline.errors import EddylineError
from eddyline.service.child import described, in_thread
from eddyline.service.events import (
    STOPPED_WITH_SERVER,
    FormMade,
    RunEvent,
    RunFinished,
    TableSnapshot,
)
from eddyline.service.jobs import RUNNING as WANTED
from eddyline.service.notes.forms import NOTE_WIDE
from eddyline.service.notes.interpreters import ParagraphTask, python_of, task_of
from eddyline.service.notes.live import SAVE_MS, Live
from eddyline.service.notes.note import ABORT, ERROR, FINISHED, PENDING, RUNNING, Note, Paragraph
from eddyline.service.notes.output import HTML, WARNING, Output
from eddyline.service.notes.store import NoteStore, RunRow

if TYPE_CHECKING:
    from eddyline.service.services import Services

AT_ONCE_MAX = 10
_NUDGE_S = 1.0


@dataclass(slots=True)
class OpenNote:
    """A note in memory, with the life of its paragraphs; ``revision`` grows with its structure."""

    note: Note
    lives: dict[str, Live] = field(default_factory=dict)
    revision: int = 0
    round: threading.Event | None = None  # set: the running "run all" is to end
    # The paragraphs that the last "run all" did not come to, and why.
    not_run: list[str] = field(default_factory=list)
    why_not_run: str = ""

    @property
    def running(self) -> int:
        return sum(live.status == RUNNING for live in self.lives.values())

    def adopt(self, paragraph: Paragraph) -> Live:
        """Give a paragraph a life, showing what it keeps."""
        live = self.lives[paragraph.id] = Live(paragraph)
        live.load()
        return live


class Runner:
    """Runs paragraphs; ``moved`` guards all open notes and tells of every change."""

    def __init__(self, services: Services, store: NoteStore) -> None:
        self._services = services
        self._clock: Clock = services.clock
        self._store = store
        self.moved = threading.Condition(threading.RLock())
        self._version = 0

    def touch(self, live: Live) -> None:
        """Something of a paragraph changed."""
        live.version = self.next_version()
        self.moved.notify_all()

    def next_version(self) -> int:
        """A number larger than all before."""
        self._version += 1
        return self._version

    # one paragraph

    def run(self, opened: OpenNote, live: Live, user: str | None = None) -> None:
        """Begin to run a paragraph for a user.

        Raises:
            EddylineError: ``conflict`` if it runs, ``limit_exceeded`` if too many do.
        """
        with self.moved:
            if live.status == RUNNING:
                raise EddylineError("conflict", "the paragraph runs already", hint="stop it first")
            if opened.running >= AT_ONCE_MAX:
                msg = f"{AT_ONCE_MAX} paragraphs of this note are running"
                raise EddylineError("limit_exceeded", msg, hint="stop one of them first")
            live.user = user
            run_id = self._begin(opened, live)
        if run_id is not None:
            self._submit(opened, live, run_id)

    def _begin(self, opened: OpenNote, live: Live) -> str | None:
        """Set a paragraph to running; the run's id if there is SQL to be run."""
        now_ms = self._clock.now_ms()
        try:
            task = self._task(live.paragraph, opened.note)
        except Exception as failure:
            live.begin(None, live.task, now_ms)
            live.parts = {}
            live.end(ERROR, now_ms, described(failure).pretty())
            self._save(opened, live)
            return None
        run_id = uuid.uuid4().hex if task.runs else None
        live.begin(run_id, task, now_ms)
        if run_id is None:
            if task.html is not None:
                live.parts[0] = [Output(HTML, task.html)]
            live.end(FINISHED, now_ms)
        self._save(opened, live)
        return run_id

    def _task(self, paragraph: Paragraph, note: Note) -> ParagraphTask:
        python = python_of(paragraph, note)
        if python is not None and self._services.kernels.available():
            return python
        return task_of(paragraph, note)

    def _submit(self, opened: OpenNote, live: Live, run_id: str) -> None:
        task, notebook = live.task, opened.note.notebook
        self._services.sessions.join(session_of(opened.note.id), f"notebook:{notebook}")
        if task.python is not None:
            parameters = {"note": opened.note.params, "paragraph": live.paragraph.params}
            self._services.kernels.submit(
                notebook, session_of(opened.note.id), task.python, parameters, run_id,
                self._listener(opened, live), live.user,
            )  # fmt: skip
            return
        try:
            if task.shell is not None:
                self._services.shells.submit(
                    session_of(opened.note.id), task.shell, run_id, self._listener(opened, live)
                )
                return
            assert task.sql is not None
            self._services.sessions.submit(
                session_of(opened.note.id),
                task.sql,
                self._listener(opened, live),
                run_id=run_id,
                mode=task.mode,
                refresh_ms=task.refresh_ms,
                job_name=task.job_name,
                parameters=task.options,
                start=task.start,
            )
        except EddylineError as error:
            self._hear(opened, live, RunFinished(run_id, ERROR, error.as_dict(), error.pretty()))

    def _listener(self, opened: OpenNote, live: Live) -> Callable[[RunEvent], None]:
        return lambda event: self._hear(opened, live, event)

    def _hear(self, opened: OpenNote, live: Live, event: RunEvent) -> None:
        now_ms = self._clock.now_ms()
        with self.moved:
            if live.run_id != event.run_id:  # of a run that was given up
                return
            live.hear(event, now_ms)
            if isinstance(event, FormMade) and event.form.get(NOTE_WIDE):
                opened.note.made_forms[str(event.form["name"])] = event.form
            if isinstance(event, RunFinished):
                self._save(opened, live)
            elif isinstance(event, TableSnapshot) and now_ms - live.saved_ms >= SAVE_MS:
                live.keep()
                self._save(opened, live, durable=False)
            else:
                self.touch(live)

    def _save(self, opened: OpenNote, live: Live, *, durable: bool = True) -> None:
        live.saved_ms = self._clock.now_ms()
        note_id = opened.note.id
        self._store.save_paragraph(note_id, live.paragraph, live.run_id, durable=durable)
        self.touch(live)

    # all paragraphs

    def run_all(self, opened: OpenNote, since: str | None = None, user: str | None = None) -> None:
        """Begin to run all enabled paragraphs that do not run, in order; ``since`` that one.

        Raises:
            EddylineError: ``conflict`` if such a round is under way.
        """
        with self.moved:
            if opened.round is not None:
                hint = "stop it first"
                raise EddylineError("conflict", "all paragraphs are being run already", hint=hint)
            ended = opened.round = threading.Event()
            opened.not_run, opened.why_not_run = [], ""
            paragraphs = opened.note.paragraphs
            ids = [p.id for p in paragraphs]
            first = ids.index(since) if since in ids else 0
            waiting = [opened.lives[p.id] for p in paragraphs[first:] if p.enabled]
            waiting = [live for live in waiting if not live.busy]
            for live in waiting:
                live.wait()
                live.user = user
                self.touch(live)
        in_thread("note-round", self._round, opened, waiting, ended)

    def _round(self, opened: OpenNote, waiting: list[Live], ended: threading.Event) -> None:
        last = None
        try:
            for live in waiting:
                last = live
                if not self._one(opened, live, ended):
                    break
        finally:
            with self.moved:
                left = [live for live in waiting if live.status == PENDING]
                for live in left:
                    live.rest()
                    self.touch(live)
                opened.not_run = [live.paragraph.id for live in left]
                opened.why_not_run = _why(opened, last, ended) if left else ""
                opened.revision = self.next_version()
                opened.round = None
                self.moved.notify_all()

    def _one(self, opened: OpenNote, live: Live, ended: threading.Event) -> bool:
        """Run one of a round; False if the round ends with it."""
        with self.moved:
            self._until(lambda: ended.is_set() or opened.running < AT_ONCE_MAX)
            if ended.is_set():
                return False
            if live.status != PENDING:  # cancelled or removed while it waited
                return True
            run_id = self._begin(opened, live)
        if run_id is not None:
            self._submit(opened, live, run_id)
        with self.moved:
            self._until(lambda: ended.is_set() or not live.busy or live.under_way)
            return not ended.is_set() and live.status not in (ERROR, ABORT)

    def _until(self, holds: Callable[[], bool]) -> None:
        while not self.moved.wait_for(holds, _NUDGE_S):
            pass

    # the end

    def cancel(self, opened: OpenNote, live: Live) -> None:
        """End a paragraph's run; nothing happens if it does not run."""
        with self.moved:
            if live.status == PENDING:
                live.rest()
                self.touch(live)
            run_id = live.run_id
        if run_id is None:
            return
        if self._services.kernels.cancel(run_id) or self._services.shells.cancel(run_id):
            return
        try:
            self._services.sessions.cancel(run_id)
        except EddylineError:  # its worker knows nothing of it any more
            self._hear(opened, live, RunFinished(run_id, ABORT))

    def cancel_all(self, opened: OpenNote) -> None:
        """End the round and all runs."""
        with self.moved:
            if opened.round is not None:
                opened.round.set()
            self.moved.notify_all()
        for live in list(opened.lives.values()):
            self.cancel(opened, live)

    def wait_ended(self, opened: OpenNote, wait_s: float) -> None:
        """Wait until nothing of a note runs, or the time is over."""
        with self.moved:
            self.moved.wait_for(lambda: not any(v.busy for v in opened.lives.values()), wait_s)

    # after a restart of the server

    def take_up(self, opened: OpenNote, live: Live, row: RunRow) -> None:
        """Settle a paragraph that ran when the last server ended.

        Its INSERT goes on by itself and is watched again; a SELECT ended with its server.
        """
        jobs = self._services.jobs.list() if row.run_id else []
        resumed = [j for j in jobs if j.run_id == row.run_id and j.desired == WANTED]
        with self.moved:
            if resumed and row.run_id:
                live.resume(row.run_id)
                live.jobs = [job.job_id for job in resumed]
                listener = self._listener(opened, live)
                if self._services.sessions.watch(row.run_id, listener):
                    self._save(opened, live)
                return  # else it goes on with the next server
            if live.status == PENDING:
                live.rest()
            elif live.status == RUNNING:
                live.parts.setdefault(0, []).append(Output(WARNING, STOPPED_WITH_SERVER))
                live.end(ABORT, self._clock.now_ms())
            live.run_id = None
            self._save(opened, live)


def _why(opened: OpenNote, last: Live | None, ended: threading.Event) -> str:
    """Why a round ended before its last paragraph."""
    if ended.is_set() or last is None:
        return "the run was stopped"
    ids = [p.id for p in opened.note.paragraphs]
    number = ids.index(last.paragraph.id) + 1 if last.paragraph.id in ids else 0
    how = "failed" if last.status == ERROR else "was stopped"
    return f"paragraph {number} {how}" if number else f"a paragraph that was removed {how}"


def session_of(note_id: str) -> str:
    """The session in which a note's paragraphs run."""
    return f"note:{note_id}"
