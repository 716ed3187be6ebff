"""Tables that Python shows with ``z.show``: queries that go on after the paragraph's code is done.

A kernel runs one paragraph at a time. If it waited for a query over a stream, no further Python
could run; so the server runs the query in the note's session, and the paragraph is over when its
code and all its queries are.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from contextlib import suppress

import msgspec

from eddyline.errors import EddylineError
from eddyline.service import events as e
from eddyline.service.events import RunEvent
from eddyline.service.notes.output import HTML, filled
from eddyline.service.sessions import Sessions

OnEvent = Callable[[RunEvent], None]
_PASSED_ON = (e.TableSnapshot, e.Warning_, e.Text, e.Progress)


class ShowRequest(msgspec.Struct, frozen=True):
    """A query to be shown. template: how its newest row is shown, if not as a table.

    options: session options for this query alone.
    """

    query: str
    mode: str
    options: dict[str, str]
    refresh_ms: int
    template: str | None = None


class Shows:
    """The queries of one paragraph's run; ``code_ended`` says that its code is done."""

    def __init__(self, sessions: Sessions, session: str, run_id: str, on_event: OnEvent) -> None:
        self._sessions = sessions
        self._session = session
        self._run_id = run_id
        self._on_event = on_event
        self._lock = threading.Lock()
        self._running: set[str] = set()
        self._code_done = False
        self._end = e.RunFinished(run_id, "FINISHED")
        self.over = False

    def add(self, show: ShowRequest, index: int) -> None:
        """Run a query whose result stands at place ``index``. Raises as ``Sessions.submit``."""
        query_id = uuid.uuid4().hex
        with self._lock:
            self._running.add(query_id)

        def hear(event: RunEvent) -> None:
            self._hear(query_id, index, show.template, event)

        self._sessions.submit(
            self._session,
            show.query,
            hear,
            run_id=query_id,
            mode=show.mode,
            refresh_ms=show.refresh_ms,
            parameters=show.options,
        )

    def code_ended(self, end: e.RunFinished) -> None:
        """The paragraph's code is done; unless that went well, its queries end, too."""
        with self._lock:
            self._code_done = True
            if self._end.status == "FINISHED":
                self._end = end
        if end.status != "FINISHED":
            self._cancel_queries()
        self._finish_if_over()

    def cancel(self) -> bool:
        """End the queries; False if the code is still at work, which is to be interrupted."""
        with self._lock:
            if not self._code_done:
                return False
            self._end = e.RunFinished(self._run_id, "ABORT")
        self._cancel_queries()
        self._finish_if_over()
        return True

    def _hear(self, query_id: str, index: int, template: str | None, event: RunEvent) -> None:
        if template is not None and isinstance(event, e.TableSnapshot):
            text = filled(template, event.rows[-1] if event.rows else None)
            self._on_event(e.Shown(self._run_id, index, HTML, text))
        elif isinstance(event, _PASSED_ON):
            self._on_event(msgspec.structs.replace(event, run_id=self._run_id, index=index))
        elif isinstance(event, e.RunFinished):
            with self._lock:
                self._running.discard(query_id)
                if event.status == "ERROR" and self._end.status == "FINISHED":
                    self._end = msgspec.structs.replace(event, run_id=self._run_id)
            self._finish_if_over()

    def _cancel_queries(self) -> None:
        with self._lock:
            running = list(self._running)
        for query_id in running:
            with suppress(EddylineError):  # it has ended meanwhile
                self._sessions.cancel(query_id)

    def _finish_if_over(self) -> None:
        with self._lock:
            if self.over or self._running or not self._code_done:
                return
            self.over = True
        self._on_event(self._end)
