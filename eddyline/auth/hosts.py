"""Which requests a server may answer at all: no page elsewhere may reach a server on loopback.

A page on the web can send requests to 127.0.0.1, under a foreign Origin, or through a name of its
own that suddenly points here (DNS rebinding). So the Host must be a name of this server, and an
Origin, which browsers add to whatever a page sends, must be the server's own.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from eddyline.settings import Settings

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_LOOPBACK_NAMES = ("localhost",)
_FOREIGN = ("cross-site", "same-site")


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach an address; a name counts if it is ``localhost``."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower().rstrip(".") in _LOOPBACK_NAMES


class HostRules:
    """The names a server answers to."""

    def __init__(self, settings: Settings) -> None:
        self._own = settings.host.strip("[]").lower()
        self._loopback = is_loopback(settings.host)
        given = [h.strip().lower() for h in settings.allow_host.split(",") if h.strip()]
        self._all = "*" in given
        self._names = frozenset(h for h in given if not h.startswith("."))
        self._knows = lru_cache(64)(self.knows)
        self._below = tuple(h for h in given if h.startswith("."))

    def knows(self, host: str) -> bool:
        """Whether a Host header names this server, whatever its port."""
        name = host_name(host)
        if not name:
            return False
        if self._all or name == self._own or name in self._names or name.endswith(self._below):
            return True
        if is_loopback(name) or name.endswith(".localhost"):
            return True
        # A number is no name that could be made to point here.
        return not self._loopback and _is_number(name)

    def refusal(self, headers: Mapping[str, str], *, pages: bool) -> str | None:
        """Why a request is not answered; None if it may be.

        ``pages``: the server shows pages, so that requests from its own are welcome. Without it
        whatever a browser sends is refused.
        """
        host = headers.get("host", "")
        origin, site = headers.get("origin", ""), headers.get("sec-fetch-site", "")
        if not self._knows(host):
            return f"this server is not {host[:100]!r}; start it with --allow-host to be that, too"
        if not pages:
            return "pages in a browser may not call this endpoint" if origin or site else None
        if origin and not _same(origin, host):
            return f"pages of {origin[:100]!r} may not call this server"
        if site in _FOREIGN and headers.get("sec-fetch-mode", "") not in ("navigate", ""):
            return "pages of other sites may not call this server"
        return None


def host_name(host: str) -> str:
    """The name in a Host header, without port and brackets; empty if there is none."""
    try:
        parts = urlsplit(f"//{host}")
        _ = parts.port
    except ValueError:
        return ""
    if parts.username is not None or parts.path or parts.query or parts.fragment:
        return ""
    return (parts.hostname or "").rstrip(".")


def _is_number(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _same(origin: str, host: str) -> bool:
    try:
        parts = urlsplit(origin)
        given = urlsplit(f"//{host}")
        port = parts.port or {"http": 80, "https": 443}[parts.scheme]
        here = given.port or {"http": 80, "https": 443}[parts.scheme]
    except (ValueError, KeyError):
        return False
    return (parts.hostname, port) == (given.hostname, here)


class HostGuard:
    """Stands before the studio; what it refuses never reaches ``app``."""

    def __init__(self, app: App, settings: Settings) -> None:
        self._app = app
        self._rules = HostRules(settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        why = self._rules.refusal(headers_of(scope), pages=True)
        if why is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008})
        else:
            await _refuse(send, why)


def headers_of(scope: Scope) -> dict[str, str]:
    """The headers of an ASGI request, with HTTP/2's authority as the Host that it stands for."""
    headers = {k.decode("latin-1"): v.decode("latin-1") for k, v in scope["headers"]}
    headers.setdefault("host", headers.get(":authority", ""))
    return headers


async def _refuse(send: Send, why: str) -> None:
    body = f"{why}\n".encode()
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
    ]
    await send({"type": "http.response.start", "status": 403, "headers": headers})
    await send({"type": "http.response.body", "body": body})
