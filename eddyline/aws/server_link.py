"""How a worker of the endpoint calls the server: over its control socket, with limits.

A call has a time limit. At most ``CALLS_MAX`` calls of one worker are under way; further ones wait
a little for their turn and are then refused, so that a slow server cannot occupy all of a worker's
threads.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from eddyline.auth.signin import OWNER, SignIn
from eddyline.aws.errors import AwsError
from eddyline.errors import EddylineError
from eddyline.service.control import Component
from eddyline.service.directory import DataDirectory

CALLS_MAX = 8
TURN_S = 5.0
CALL_S = 30.0
# What passes by itself, so that a client may try again.
_UNAVAILABLE = ("not_running", "timed_out", "busy")


class ServerLink:
    """The server of a data directory, as its workers see it."""

    def __init__(
        self,
        path: Path,
        calls_max: int = CALLS_MAX,
        turn_s: float = TURN_S,
        call_s: float = CALL_S,
    ) -> None:
        self._directory = DataDirectory(path)
        self._call_s = call_s
        self._turns = threading.BoundedSemaphore(calls_max)
        self._turn_s = turn_s

    def component(self, name: str, kind: type) -> Any:
        """A component of the server; its methods raise as they do there.

        They also raise AwsError ``ServiceUnavailable`` if there is no server, no turn, or no answer
        in time.
        """
        return _LimitedComponent(Component(self._directory, name, kind, self._call_s), self)

    def call(self, function: Callable[..., Any], *given: Any, **named: Any) -> Any:
        """Call the server within the limits."""
        if not self._turns.acquire(timeout=self._turn_s):
            message = "the server is busy with other calls; try again"
            raise AwsError("ServiceUnavailable", message)
        try:
            return function(*given, **named)
        except EddylineError as error:
            if error.code in _UNAVAILABLE:
                raise AwsError("ServiceUnavailable", error.message) from None
            raise
        finally:
            self._turns.release()

    def studio_link(self, user: str = OWNER) -> str:
        """The studio's address with a token that signs a user or role in once.

        Raises:
            AwsError: ``ServiceUnavailable`` for a server without a studio.
        """
        holder = self._directory.holder() or {}
        port = holder.get("port")
        if not port:
            raise AwsError("ServiceUnavailable", "the server runs without its studio")
        host = holder.get("host") or "127.0.0.1"
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, host)
        scheme = "https" if holder.get("tls") else "http"
        return SignIn(self._directory.path).link(f"{scheme}://{host}:{port}", user)


class _LimitedComponent:
    """A component whose calls have limits."""

    def __init__(self, component: Component, link: ServerLink) -> None:
        self._component = component
        self._link = link

    def __getattr__(self, name: str) -> Callable[..., Any]:
        function = getattr(self._component, name)
        return lambda *given, **named: self._link.call(function, *given, **named)
