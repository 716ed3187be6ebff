"""The studio's gate: nobody sees a page, a file or a websocket of it without a session.

It stands before the pages' own framework, as plain ASGI, so that a page cannot forget it. The
sign-in page is plain HTML: it needs no websocket, which there is none of without a session.
"""

from __future__ import annotations

import asyncio
import html
import math
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import AbstractContextManager
from importlib import resources
from typing import Any, Protocol
from urllib.parse import parse_qs, quote, urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from eddyline.clock import SYSTEM
from eddyline.errors import EddylineError
from eddyline.studio.sockets import CODE, RECHECK_S, Sockets

COOKIE = "eddyline-session"
# A page puts the status of its answer here; its framework would answer 200.
STATUS = "eddyline.status"
# A request carries here which paths its user may open.
MAY_OPEN = "eddyline.may_open"
# And here who its user is.
USER = "eddyline.user"
# Where a user is led who may not open the overview.
FIRST_PAGES = ("/generator", "/streams", "/notes")
# What a browser may have before it has signed in.
OPEN = {"/theme.css": "text/css", "/shell.js": "text/javascript"}
_FORM_BYTES_MAX = 4096
# Nothing is loaded from, or sent to, another place. The pages' framework compiles its templates in
# the browser, so that inline scripts and eval cannot be forbidden.
_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; "
    "connect-src 'self'; worker-src 'self' blob:; object-src 'none'; base-uri 'self'; "
    "form-action 'self'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}


class SignInChecks(Protocol):
    """What the gate asks of whoever knows users, links and sessions."""

    def attempt(self, user: str, address: str) -> AbstractContextManager[float]:
        """To be held around ``sign_in``; gives how many seconds to wait before it."""

    def sign_in(self, user: str, password: str, address: str) -> str:
        """The session of a user who knows the password. Raises what is wrong."""

    def redeem(self, token: str) -> str | None:
        """The session of a one-time link's token; None if it is used up or wrong."""

    def check(self, session: str) -> str | None:
        """The user of a session; None if it is over."""

    def sign_out(self, session: str) -> None:
        """End a session."""


class UserRights(Protocol):
    """What the gate asks of whoever knows what users may do."""

    def may_open(self, user: str, path: str) -> bool:
        """Whether a user may open a path."""

    def allowed(self, user: str) -> frozenset[str]:
        """The actions that a user may perform."""


class AllRights:
    """The rights of users where nobody is kept from anything."""

    def may_open(self, user: str, path: str) -> bool:
        """Everybody may open everything."""
        return True

    def allowed(self, user: str) -> frozenset[str]:
        """No action is limited."""
        return frozenset()


class Gate:
    """Lets requests with a session through to ``app``; answers ``/signin`` and ``/signout``.

    rights: which paths a user may open; what a page shows of the others depends on it, too. A page
    stays open after the request for it, so a user who loses a right is signed out.
    """

    def __init__(
        self,
        app: ASGIApp,
        signin: SignInChecks,
        recheck_s: float = RECHECK_S,
        rights: UserRights | None = None,
    ) -> None:
        self._app = app
        self._signin = signin
        self._rights = rights or AllRights()
        self._recheck_s = recheck_s
        # When the rights of a session's user were last read, and what they were.
        self._allowed: dict[str, tuple[float, frozenset[str]]] = {}
        self._sockets = Sockets(self._is_signed_in, recheck_s)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._websocket(scope, receive, send)
        else:
            await self._request(scope, receive, _with_headers(scope, send))

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        session = _session(scope)
        if session is None or not self._is_signed_in(session):
            await receive()
            await send({"type": "websocket.close", "code": CODE})
            return
        await self._sockets.serve(self._app, session, scope, receive, send)

    def _is_signed_in(self, session: str) -> bool:
        """Whether a session lasts and its user still has every right that it was seen with."""
        user = self._signin.check(session)
        if user is None:
            self._allowed.pop(session, None)
            return False
        now = SYSTEM.monotonic()
        read_at, before = self._allowed.get(session, (-math.inf, frozenset()))
        if now - read_at < self._recheck_s:
            return True
        allowed = self._rights.allowed(user)
        if before - allowed:
            self._allowed.pop(session, None)
            self._signin.sign_out(session)
            return False
        self._allowed[session] = (now, allowed)
        return True

    async def _request(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        path = request.url.path
        if path in OPEN:
            await file(path)(scope, receive, send)
        elif path == "/signin":
            await (await self._sign_in(request))(scope, receive, send)
        elif path == "/signout" and request.method == "POST":
            await self._sign_out(request)(scope, receive, send)
        elif (user := self._user(scope)) is not None:
            await self._by_right(user, scope["path"])(scope, receive, send)
        else:
            await _turned_away(request)(scope, receive, send)

    def _by_right(self, user: str, path: str) -> ASGIApp:
        """The page for a user who may open it; else the first page that the user may open."""

        def may_open(other: str) -> bool:
            return self._rights.may_open(user, other)

        async def inside(scope: Scope, receive: Receive, send: Send) -> None:
            scope[MAY_OPEN] = may_open
            scope[USER] = user
            await self._app(scope, receive, send)

        if may_open(path):
            return inside
        if path == "/":
            return _to(next((p for p in FIRST_PAGES if may_open(p)), "/anomalies"))
        return forbidden_page(user)

    def _user(self, scope: Scope) -> str | None:
        session = _session(scope)
        return self._signin.check(session) if session else None

    async def _sign_in(self, request: Request) -> Response:
        to = _inside(request.query_params.get("next", "/"))
        if request.method == "POST":
            return await self._by_password(request, to)
        token = request.query_params.get("token")
        if token is None:
            return sign_in_page(to) if self._user(request.scope) is None else _to(to)
        session = self._signin.redeem(token)
        if session is None:
            words = (
                "This link has been used or is too old. The newest one is where the server runs."
            )
            return sign_in_page(to, words, 403)
        return _signed_in(request, session, to)

    async def _by_password(self, request: Request, to: str) -> Response:
        body = b""
        async for chunk in request.stream():
            body += chunk
            if len(body) > _FORM_BYTES_MAX:
                return PlainTextResponse("too large", 413)
        form = parse_qs(body.decode("utf-8", "replace"))
        user, password = form.get("user", [""])[0], form.get("password", [""])[0]
        address = request.client.host if request.client else ""
        try:
            with self._signin.attempt(user, address) as wait_s:
                await asyncio.sleep(wait_s)
                # Checking a password is slow on purpose; the pages go on meanwhile.
                session = await asyncio.to_thread(self._signin.sign_in, user, password, address)
        except EddylineError as error:
            words = f"{error.message[0].upper()}{error.message[1:]}."
            if error.code == "too_many_requests":
                words = f"{words} Please {error.hint}."
            return sign_in_page(to, words, error.status, user)
        return _signed_in(request, session, to)

    def _sign_out(self, request: Request) -> Response:
        session = request.cookies.get(cookie_name(request))
        if session:
            self._signin.sign_out(session)
            self._sockets.end(session)
        response = RedirectResponse("/signin", 303)
        response.delete_cookie(cookie_name(request))
        return response


def _session(scope: Scope) -> str | None:
    """The session that a request's cookie names."""
    request = Request({**scope, "type": "http"})
    return request.cookies.get(cookie_name(request))


def cookie_name(request: Request) -> str:
    """The session's cookie: browsers keep cookies a host, so that each port needs its own."""
    return f"{COOKIE}-{request.url.port or 80}"


Message = MutableMapping[str, Any]


def _with_headers(scope: Scope, send: Send) -> Callable[[Message], Awaitable[None]]:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            known = {name.lower() for name, _ in message["headers"]}
            added = [(k.lower().encode(), v.encode()) for k, v in _HEADERS.items()]
            extra = [pair for pair in added if pair[0] not in known]
            status = scope.get(STATUS, message["status"])
            message = {**message, "status": status, "headers": [*message["headers"], *extra]}
        await send(message)

    return sending


def _inside(path: str) -> str:
    """The path, if it is one of ours: a link must not lead elsewhere after signing in."""
    parts = urlsplit(path)
    good = path.startswith("/") and not path.startswith("//") and "\\" not in path
    return path if good and not parts.netloc and not parts.scheme else "/"


def _to(path: str) -> Response:
    return RedirectResponse(path, 303)


def _signed_in(request: Request, session: str, to: str) -> Response:
    response = _to(to)
    name, secure = cookie_name(request), request.url.scheme == "https"
    response.set_cookie(name, session, httponly=True, samesite="lax", secure=secure, path="/")
    return response


def _turned_away(request: Request) -> Response:
    page = request.method == "GET" and "text/html" in request.headers.get("accept", "")
    if not page:
        return PlainTextResponse("sign in first", 401)
    query = f"?{request.url.query}" if request.url.query else ""
    return _to(f"/signin?next={quote(request.url.path + query)}")


def file(path: str) -> Response:
    """One of the open files."""
    data = resources.files("eddyline.studio").joinpath(path.lstrip("/")).read_bytes()
    return Response(data, media_type=OPEN[path], headers={"Cache-Control": "no-cache"})


LOGO = (
    '<svg width="24" height="24" viewBox="0 0 24 24" fill="none" stroke="currentColor" '
    'stroke-width="2" stroke-linecap="round" aria-hidden="true"><path d="M2 7c4 0 5 3 9 3s5-6 '
    '11-6"/><path d="M2 13c4 0 6 3 10 3a4.5 4.5 0 1 0-4-6.500"/><path d="M2 19c5 0 8 2 20 1"/>'
    "</svg>"
)
FAVICON = LOGO.replace("currentColor", "#1f97a4").replace(
    "<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1
)
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Sign in · Eddyline</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:image/svg+xml,{icon}">
<link rel="stylesheet" href="/theme.css"><script src="/shell.js"></script></head>
<body><main class="sign-in"><form method="post" action="/signin?next={to}">
<div class="brand">{logo}<span>Eddyline</span></div>
<h1>Sign in</h1>{words}
<p class="muted small">Open the link that <code>eddyline up</code> printed when it started;
it signs in once. Or use a name and password made with <code>eddyline user add</code>.</p>
<label>User<input name="user" value="{user}" autocomplete="username" required></label>
<label>Password<input name="password" type="password" autocomplete="current-password"
required></label><button>Sign in</button></form></main></body></html>"""


_FORBIDDEN = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Not allowed · Eddyline</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:image/svg+xml,{icon}">
<link rel="stylesheet" href="/theme.css"><script src="/shell.js"></script></head>
<body><main class="sign-in"><form method="post" action="/signout">
<div class="brand">{logo}<span>Eddyline</span></div>
<h1>Not allowed</h1>
<p>The policy of user {user} does not allow this page. Whoever runs the server can change it with
<code>eddyline user policy</code>.</p>
<p><a href="/">Go to what is allowed</a></p>
<button>Sign in as somebody else</button></form></main></body></html>"""


def forbidden_page(user: str) -> Response:
    """The page for somebody whose policy does not allow the one that was requested."""
    shown = _FORBIDDEN.format(user=html.escape(user), logo=LOGO, icon=quote(FAVICON))
    return HTMLResponse(shown, 403)


def sign_in_page(to: str, words: str = "", status: int = 200, user: str = "") -> Response:
    """The page with the form, and what went wrong."""
    notice = f'<div class="notice" role="alert">{html.escape(words)}</div>' if words else ""
    shown = _PAGE.format(
        to=quote(to), words=notice, user=html.escape(user), logo=LOGO, icon=quote(FAVICON)
    )
    return HTMLResponse(shown, status)
