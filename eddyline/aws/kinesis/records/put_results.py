"""What the log's threads tell, brought onto the loop: all that came meanwhile in one call.

The log tells a whole group of puts at once. To call the loop for each of them would cost it more
than the puts.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from weakref import WeakKeyDictionary

from eddyline.log import Placed


class Letter:
    """One answer that is waited for; the log's side of it."""

    __slots__ = ("_box", "answer")

    def __init__(self, box: Mailbox, answer: asyncio.Future[Placed]) -> None:
        self._box = box
        self.answer = answer

    def set_result(self, result: Placed, /) -> None:
        """The put is durable."""
        self._box.put(self, result)

    def set_exception(self, error: Exception, /) -> None:
        """Nothing of the put was stored."""
        self._box.put(self, error)

    def open(self, told: Placed | Exception) -> None:
        """Hand it to who waits, unless they have gone; on the loop."""
        if self.answer.done():
            return
        if isinstance(told, Exception):
            self.answer.set_exception(told)
        else:
            self.answer.set_result(told)


class Mailbox:
    """A loop's letters."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._came: deque[tuple[Letter, Placed | Exception]] = deque()
        self._called = False

    def letter(self) -> Letter:
        """A new one to be waited for."""
        return Letter(self, self._loop.create_future())

    def put(self, letter: Letter, told: Placed | Exception) -> None:
        """From any thread."""
        self._came.append((letter, told))
        if not self._called:
            self._called = True
            with contextlib.suppress(RuntimeError):  # the loop has ended
                self._loop.call_soon_threadsafe(self._empty)

    def _empty(self) -> None:
        # First, so that what comes while these are read calls again.
        self._called = False
        while self._came:
            letter, told = self._came.popleft()
            letter.open(told)


_boxes: WeakKeyDictionary[asyncio.AbstractEventLoop, Mailbox] = WeakKeyDictionary()


def mailbox() -> Mailbox:
    """The one of the running loop."""
    loop = asyncio.get_running_loop()
    found = _boxes.get(loop)
    if found is None:
        found = _boxes[loop] = Mailbox(loop)
    return found
