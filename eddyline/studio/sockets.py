"""Open websockets by session; each is closed when its session ends, in whatever process.

A page uses its websocket long after the request that opened it. So the session is checked again
for each message that arrives, and every ``RECHECK_S`` for silent sockets. Signing out in this
process closes the session's websockets at once. After the end of its session a websocket passes
nothing on in either direction.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

# For changes that other processes make: a password, a user that was removed.
RECHECK_S = 2.0
# The close code of a policy that was violated (RFC 6455).
CODE = 1008


class Sockets:
    """The open websockets; for one event loop."""

    def __init__(self, is_signed_in: Callable[[str], bool], recheck_s: float = RECHECK_S) -> None:
        self._is_signed_in = is_signed_in
        self._recheck_s = recheck_s
        self._open: dict[str, set[_Socket]] = {}
        self._watch: asyncio.Task[None] | None = None
        self._closing: set[asyncio.Task[None]] = set()

    async def serve(
        self, app: ASGIApp, session: str, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Run ``app`` on a websocket for as long as the session lasts."""
        socket = _Socket(receive, send)
        self._open.setdefault(session, set()).add(socket)
        if self._watch is None or self._watch.done():
            self._watch = asyncio.ensure_future(self._watch_sessions())

        async def receiving() -> Message:
            message = await socket.receive()
            if socket.ended or not self._is_signed_in(session):
                self.end(session)
                message = socket.disconnect()
            return message

        try:
            await app(scope, receiving, socket.send)
        finally:
            await socket.close()
            sockets = self._open.get(session, set())
            sockets.discard(socket)
            if not sockets:
                self._open.pop(session, None)

    def end(self, session: str) -> None:
        """The session is over: end its websockets."""
        for socket in self._open.get(session, ()):
            socket.end()
            # The browser hears of it now, not when the application has let go of the socket.
            closing = asyncio.ensure_future(socket.close())
            self._closing.add(closing)
            closing.add_done_callback(self._closing.discard)

    async def _watch_sessions(self) -> None:
        while self._open:
            await asyncio.sleep(self._recheck_s)
            for session in list(self._open):
                if not await asyncio.to_thread(self._is_signed_in, session):
                    self.end(session)


class _Socket:
    """One websocket between the server and the application behind the gate."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self._over = asyncio.Event()
        self._closed = False

    @property
    def ended(self) -> bool:
        """Whether its session is over."""
        return self._over.is_set()

    def end(self) -> None:
        """Pass on nothing more, and wake a pending ``receive``."""
        self._over.set()

    def disconnect(self) -> Message:
        """What the application receives when the session is over."""
        return {"type": "websocket.disconnect", "code": CODE}

    async def receive(self) -> Message:
        """The next message of the client, or a disconnect as soon as the session is over."""
        arriving = asyncio.ensure_future(self._receive())
        over = asyncio.ensure_future(self._over.wait())
        try:
            await asyncio.wait({arriving, over}, return_when=asyncio.FIRST_COMPLETED)
            return self.disconnect() if self.ended else arriving.result()
        finally:
            for task in (arriving, over):
                task.cancel()
            await asyncio.gather(arriving, over, return_exceptions=True)

    async def send(self, message: Message) -> None:
        """Pass a message on to the client, unless the session is over."""
        if self.ended:
            return
        self._closed = self._closed or message["type"] == "websocket.close"
        await self._send(message)

    async def close(self) -> None:
        """Close the connection of a session that is over."""
        if self.ended and not self._closed:
            self._closed = True
            with contextlib.suppress(OSError, RuntimeError):  # the client has gone already
                await self._send({"type": "websocket.close", "code": CODE})
