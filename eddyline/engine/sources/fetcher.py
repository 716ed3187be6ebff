"""A thread that reads another server for a source, a few answers ahead of its polls."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from eddyline.errors import EddylineError

# Answers that were fetched and not yet polled.
ANSWERS_MAX = 8
JOIN_S = 5.0
A = TypeVar("A")


class Fetcher(Generic[A]):
    """Runs ``fetch`` in a thread from the first ``take`` on; ``fetch`` calls ``put`` until
    ``stop`` is set. An error that it raises comes out of a later ``take``."""

    def __init__(self, name: str, fetch: Callable[[], None]) -> None:
        self.stop = threading.Event()
        self.notify: Callable[[], None] = lambda: None
        self._name = name
        self._fetch = fetch
        self._answers: queue.Queue[A | EddylineError] = queue.Queue(ANSWERS_MAX)
        self._thread: threading.Thread | None = None

    def take(self) -> A | None:
        """The next answer, None if there is none yet. Raises what ``fetch`` raised."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
            self._thread.start()
        try:
            answer = self._answers.get_nowait()
        except queue.Empty:
            return None
        if isinstance(answer, EddylineError):
            raise answer
        return answer

    def put(self, answer: A | EddylineError) -> None:
        """Queue an answer, when there is room; called by ``fetch``."""
        while not self.stop.is_set():
            try:
                self._answers.put(answer, timeout=0.2)
            except queue.Full:
                continue
            self.notify()
            return

    def close(self) -> None:
        """End the thread."""
        self.stop.set()
        if self._thread is not None:
            self._thread.join(JOIN_S)

    def _run(self) -> None:
        try:
            self._fetch()
        except EddylineError as error:
            self.put(error)
