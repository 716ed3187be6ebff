"""A page's refresh: fetch data in a thread, render it, wait for the browser's acknowledgement.

A slow browser or a hidden tab is sent nothing more until it answers, so that its cost is bounded
and nothing behind the page waits for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar

from nicegui import background_tasks, context, run, ui

from eddyline.service.child import described
from eddyline.studio.notice import Notice

T = TypeVar("T")
# A browser that does not answer for this long is asked again.
ANSWER_S = 10.0


class Refresh(Generic[T]):
    """Shows what ``pull`` finds: at once, then every so many seconds while somebody looks."""

    def __init__(
        self, seconds: float, pull: Callable[[], T], show: Callable[[T], None], notice: Notice
    ) -> None:
        self._pull = pull
        self._show = show
        self._notice = notice
        self._client = context.client
        self._looking = asyncio.Lock()
        self._asking = False
        self._hidden = False
        self._failing = False
        ui.timer(seconds, self._tick, immediate=True)

    def first(self) -> None:
        """Show what there is while the page is being built, so that it does not jump later."""
        try:
            self._show(self._pull())
        except Exception as failure:
            self._failed(failure)

    async def now(self) -> None:
        """Look and show, whoever looks; one look at a time, so that none overtakes another."""
        async with self._looking:
            try:
                pulled = await run.io_bound(self._pull)
                if pulled is None:  # the server is stopping
                    return
                self._show(pulled)
            except Exception as failure:
                self._failed(failure)
                return
        if self._failing:
            self._failing = False
            self._notice.clear()

    def _failed(self, failure: Exception) -> None:
        self._failing = True
        self._notice.error(described(failure))

    async def _tick(self) -> None:
        if self._asking:
            return
        if not self._hidden:
            await self.now()
        self._asking = True
        background_tasks.create(self._ask(), name="page-shown")

    async def _ask(self) -> None:
        """Wait until the browser has shown all that was sent, and hear whether anybody looks."""
        try:
            script = "return document.visibilityState"
            self._hidden = await self._client.run_javascript(script, timeout=ANSWER_S) == "hidden"
        except TimeoutError:
            pass
        finally:
            self._asking = False
