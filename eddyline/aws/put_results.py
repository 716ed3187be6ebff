"""Results of puts, handed from the log's writer threads to the event loop in batches.

A writer thread commits a whole group of puts at once. Waking the event loop once for each put would
cost more than the puts, so all results that have arrived are delivered with one wake-up.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from weakref import WeakKeyDictionary

from eddyline.log import Placement


class PendingPut:
    """A put whose result is awaited; the log calls one of its two setters from a thread."""

    __slots__ = ("_results", "answer")

    def __init__(self, results: PutResults, answer: asyncio.Future[Placement]) -> None:
        self._results = results
        self.answer = answer

    def set_result(self, result: Placement, /) -> None:
        """The put is durable."""
        self._results.add(self, result)

    def set_exception(self, error: Exception, /) -> None:
        """Nothing of the put was stored."""
        self._results.add(self, error)

    def resolve(self, outcome: Placement | Exception) -> None:
        """Complete the future, unless its caller has gone. Called on the event loop."""
        if self.answer.done():
            return
        if isinstance(outcome, Exception):
            self.answer.set_exception(outcome)
        else:
            self.answer.set_result(outcome)


class PutResults:
    """The queue of results for one event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._arrived: deque[tuple[PendingPut, Placement | Exception]] = deque()
        self._scheduled = False

    def pending(self) -> PendingPut:
        """A new put to wait for."""
        return PendingPut(self, self._loop.create_future())

    def add(self, put: PendingPut, outcome: Placement | Exception) -> None:
        """Queue a put's outcome; may be called from any thread."""
        self._arrived.append((put, outcome))
        if not self._scheduled:
            self._scheduled = True
            with contextlib.suppress(RuntimeError):  # the event loop has ended
                self._loop.call_soon_threadsafe(self._deliver)

    def _deliver(self) -> None:
        # Cleared first, so that results that arrive during the loop below schedule another call.
        self._scheduled = False
        while self._arrived:
            put, outcome = self._arrived.popleft()
            put.resolve(outcome)


_by_loop: WeakKeyDictionary[asyncio.AbstractEventLoop, PutResults] = WeakKeyDictionary()


def put_results() -> PutResults:
    """The queue of the running event loop."""
    loop = asyncio.get_running_loop()
    results = _by_loop.get(loop)
    if results is None:
        results = _by_loop[loop] = PutResults(loop)
    return results
