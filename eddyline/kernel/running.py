"""Statements that the kernel runs in its note's session, through the server's control socket."""

from __future__ import annotations

import os
import queue
import time
import uuid
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from eddyline.errors import EddylineError
from eddyline.service import events as e
from eddyline.service.remote import Remote
from eddyline.settings import load

SESSION_VARIABLE = "_EDDYLINE_SESSION"
REFRESH_MS = 500
WAIT_S = 0.2


@cache
def remote() -> Remote:
    """The services of the server that started this kernel."""
    return Remote(load(data_dir=Path(os.environ["EDDYLINE_DATA_DIR"])))


class StatementError(Exception):
    """What a statement met, in the words that the studio shows."""


class RunningText:
    """One text at work; ``events`` gives what it reports until it is over."""

    def __init__(
        self,
        text: str,
        *,
        changelog: bool = False,
        mode: str = "update",
        options: dict[str, str] | None = None,
    ) -> None:
        self._queue: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._sessions = remote().sessions
        self.run_id = uuid.uuid4().hex
        self.over = False
        # Set for an INSERT's job, which goes on when nobody listens any longer.
        self.kept = False
        self._sessions.submit(
            os.environ[SESSION_VARIABLE],
            text,
            self._keep,
            run_id=self.run_id,
            mode=mode,
            refresh_ms=REFRESH_MS,
            parameters=options,
            changelog=changelog,
        )

    def _keep(self, event: Any) -> bool:
        """Keep an event; False after the last, which ends the thread that brings them."""
        self._queue.put(event)
        return not isinstance(event, e.RunFinished)

    def events(self) -> Iterator[Any]:
        """Events in order; an interrupt cancels the run.

        Raises:
            StatementError: what the statement met.
        """
        try:
            while not self.over:
                event = self._next()
                if event is None:
                    continue
                self._note(event)
                yield event
        except KeyboardInterrupt:
            self.cancel()
            raise
        except GeneratorExit:
            if not self.kept:
                self.cancel()
            raise

    def wait(self, timeout_ms: int | None = None) -> None:
        """Until the run is over.

        Raises:
            StatementError: what the statement met.
            TimeoutError: it is not over after ``timeout_ms``; it goes on.
        """
        end = None if timeout_ms is None else time.monotonic() + timeout_ms / 1000
        while not self.over:
            if end is not None and time.monotonic() >= end:
                msg = f"the statement is not over after {timeout_ms} ms; it goes on"
                raise TimeoutError(msg)
            try:
                event = self._next()
            except KeyboardInterrupt:
                self.cancel()
                raise
            self._note(event)

    def _note(self, event: Any) -> None:
        """Keep in mind the end of the run.

        Raises:
            StatementError: what the statement met.
        """
        if isinstance(event, e.RunFinished):
            self.over = True
            if event.error_text:
                raise StatementError(event.error_text)

    def _next(self) -> Any:
        try:
            return self._queue.get(timeout=WAIT_S)
        except queue.Empty:
            return None

    def cancel(self) -> None:
        """End the run, if it is not over."""
        if not self.over:
            with suppress(EddylineError):
                self._sessions.cancel(self.run_id)
