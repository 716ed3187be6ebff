"""The gate: nobody sees a page, a file or a websocket without a session."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from eddyline import studio
from eddyline.auth.rights import ACTIONS, GENERATOR_ONLY, Rights, action_of
from eddyline.auth.signin import SignIn
from eddyline.auth.users import Users
from eddyline.studio.gate import Gate

HOST = (b"host", b"127.0.0.1:8080")
PAGE = (b"accept", b"text/html")


class Behind:
    """What stands behind the gate; remembers who came through."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.received: list[str] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.seen.append(scope["path"])
        if scope["type"] == "websocket":
            while (message := await receive())["type"] != "websocket.disconnect":
                self.received.append(message["type"])
            self.received.append("disconnect")
            return
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"inside"})


class Answer:
    """What came back."""

    def __init__(self, sent: list[Any]) -> None:
        self.status = sent[0].get("status", sent[0].get("code"))
        self.headers = {k.decode(): v.decode() for k, v in sent[0].get("headers", [])}
        self.body = b"".join(m.get("body", b"") for m in sent)


class House:
    """A gate with users."""

    def __init__(self, path: Path) -> None:
        self.signin = SignIn(path)
        self.users = Users(path)
        self.behind = Behind()
        self.gate = Gate(self.behind, self.signin, recheck_s=0.05, rights=Rights(path))

    def ask(
        self,
        path: str,
        headers: Iterable[tuple[bytes, bytes]] = (),
        *,
        method: str = "GET",
        body: bytes = b"",
        kind: str = "http",
        arriving: Iterable[dict[str, Any]] = (),
    ) -> Answer:
        bare, _, query = path.partition("?")
        scope = {
            "type": kind, "method": method, "path": bare, "raw_path": bare.encode(),
            "query_string": query.encode(), "headers": [HOST, *headers], "scheme": "http",
            "server": ("127.0.0.1", 8080), "root_path": "",
        }  # fmt: skip
        sent: list[Any] = []
        waiting = [{"type": "http.request", "body": body, "more_body": False}, *arriving]

        async def receive() -> Any:
            return waiting.pop(0)

        async def send(message: Any) -> None:
            sent.append(message)

        async def run() -> None:
            await self.gate(scope, receive, send)

        if kind == "websocket":
            waiting.pop(0)
        asyncio.run(run())
        return Answer(sent or [{}])

    def session(self) -> tuple[bytes, bytes]:
        """The cookie of somebody who has used a link."""
        token = self.signin.link("http://x").split("token=")[1]
        cookie = self.ask(f"/signin?token={token}").headers["set-cookie"]
        return (b"cookie", cookie.split(";")[0].encode())


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


@pytest.mark.parametrize(
    "path", ["/", "/streams", "/notes/x", "/_nicegui/3/static/x.js", "/_nicegui_ws/socket.io/"]
)
def test_without_a_session_nothing_is_reached(house: House, path: str) -> None:
    assert house.ask(path).status == 401
    turned = house.ask(path, [PAGE])
    assert turned.status == 303
    assert turned.headers["location"] == f"/signin?next={path}"
    assert house.ask(path, method="POST").status == 401
    assert house.behind.seen == []


def test_a_websocket_without_a_session_is_closed(house: House) -> None:
    arriving = [{"type": "websocket.connect"}]
    assert house.ask("/_nicegui_ws/", kind="websocket", arriving=arriving).status == 1008
    assert house.behind.seen == []


def test_a_made_up_session_opens_nothing(house: House) -> None:
    assert house.ask("/", [(b"cookie", b"eddyline-session-8080=made-up")]).status == 401


def test_a_link_signs_in_once(house: House) -> None:
    token = house.signin.link("http://x").split("token=")[1]
    first = house.ask(f"/signin?token={token}&next=/notes")
    assert (first.status, first.headers["location"]) == (303, "/notes")
    cookie = first.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert house.ask(f"/signin?token={token}").status == 403
    assert house.ask("/", [(b"cookie", cookie.split(";")[0].encode())]).body == b"inside"


def test_a_session_of_another_port_is_not_ours(house: House) -> None:
    name, value = house.session()
    assert house.ask("/", [(name, value.replace(b"8080", b"9090"))]).status == 401


@pytest.mark.parametrize(
    "to", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)"]
)
def test_signing_in_leads_nowhere_else(house: House, to: str) -> None:
    from urllib.parse import quote

    token = house.signin.link("http://x").split("token=")[1]
    response = house.ask(f"/signin?token={token}&next={quote(to, safe='')}")
    assert response.headers["location"] == "/"


def test_a_password_signs_in(house: House) -> None:
    house.users.add("ada", "correct horse battery")
    body = b"user=ada&password=correct+horse+battery"
    response = house.ask("/signin?next=/jobs", method="POST", body=body)
    assert (response.status, response.headers["location"]) == (303, "/jobs")


def test_a_wrong_one_does_not_and_its_page_shows_text_as_text(house: House) -> None:
    response = house.ask("/signin", method="POST", body=b"user=%22%3E%3Cscript%3E&password=x")
    assert response.status == 403
    assert b"User or password is wrong." in response.body
    assert b"<script>" not in response.body.replace(b'<script src="/shell.js"></script>', b"")


def test_a_form_is_bounded(house: House) -> None:
    assert house.ask("/signin", method="POST", body=b"x" * 5000).status == 413


def test_signing_out_ends_the_session(house: House) -> None:
    cookie = house.session()
    assert house.ask("/signout", [cookie]).body == b"inside"  # a GET changes nothing
    assert house.ask("/signout", [cookie], method="POST").status == 303
    assert house.ask("/", [cookie]).status == 401


class Tab:
    """An open websocket of a page; the test is its browser."""

    def __init__(self, house: House, cookie: tuple[bytes, bytes]) -> None:
        self.arriving: asyncio.Queue[Any] = asyncio.Queue()
        self.sent: list[Any] = []
        scope = {"type": "websocket", "path": "/ws", "headers": [HOST, cookie]}
        scope |= {"scheme": "ws", "server": ("127.0.0.1", 8080), "query_string": b""}
        self.arriving.put_nowait({"type": "websocket.connect"})
        self.ended = asyncio.ensure_future(house.gate(scope, self.arriving.get, self._send))

    async def _send(self, message: Any) -> None:
        self.sent.append(message)

    def say(self) -> None:
        self.arriving.put_nowait({"type": "websocket.receive"})


def by_sign_out(house: House, cookie: tuple[bytes, bytes]) -> None:
    house.signin.sign_out(cookie[1].split(b"=")[1].decode())


def by_password(house: House, cookie: tuple[bytes, bytes]) -> None:
    house.users.set_password("ada", "another horse battery")


def by_removal(house: House, cookie: tuple[bytes, bytes]) -> None:
    house.users.remove("ada")


def signed_in(house: House) -> tuple[bytes, bytes]:
    """The cookie of a user with a password."""
    house.users.add("ada", "correct horse battery")
    session = house.signin.sign_in("ada", "correct horse battery")
    return (b"cookie", b"eddyline-session-8080=" + session.encode())


@pytest.mark.parametrize("how", [by_sign_out, by_password, by_removal])
@pytest.mark.parametrize("silent", [False, True])
def test_a_websocket_ends_with_its_session(house: House, how: Any, silent: bool) -> None:
    cookie, other = signed_in(house), house.session()

    async def run() -> None:
        tab, stays = Tab(house, cookie), Tab(house, other)
        tab.say()
        while len(house.behind.received) < 3:
            await asyncio.sleep(0.01)
        how(house, cookie)  # as another process does it
        if not silent:
            tab.say()
        await asyncio.wait_for(tab.ended, 10)
        assert tab.sent == [{"type": "websocket.close", "code": 1008}]
        assert not stays.ended.done()
        stays.arriving.put_nowait({"type": "websocket.disconnect"})
        await stays.ended

    asyncio.run(run())
    assert house.behind.received.count("websocket.receive") == 1, "nothing of it came through later"


@pytest.mark.parametrize("how", [by_sign_out, by_password, by_removal])
@pytest.mark.parametrize("moment", ["it arrives", "it is checked", "another is worked on"])
def test_a_message_that_arrives_while_its_session_ends(house: House, how: Any, moment: str) -> None:
    """The session ends at exactly that moment, in another process, and nothing looks at silent
    sockets: the message must not come through."""
    house.gate._sockets._recheck_s = 1e6
    cookie, armed = signed_in(house), []

    def ends(now: str) -> None:
        if armed and moment == now:
            armed.clear()
            how(house, cookie)

    check = house.signin.check

    def checking(session: str) -> str | None:
        ends("it is checked")
        return check(session)

    class Working(list[str]):
        def append(self, kind: str) -> None:
            super().append(kind)
            if len(self) == 3:  # the application is at its second message
                ends("another is worked on")

    async def run() -> None:
        tab = Tab(house, cookie)
        tab.say()
        while len(house.behind.received) < 2:
            await asyncio.sleep(0)
        armed.append(True)
        if moment == "another is worked on":
            tab.say()
        else:
            ends("it arrives")
        tab.say()
        await asyncio.wait_for(tab.ended, 10)
        assert tab.sent == [{"type": "websocket.close", "code": 1008}]
        watch = house.gate._sockets._watch
        assert watch is not None
        watch.cancel()

    house.behind.received = Working()
    house.signin.check = checking  # type: ignore[method-assign]
    asyncio.run(run())
    came = 2 if moment == "another is worked on" else 1
    assert house.behind.received.count("websocket.receive") == came
    assert house.behind.received[-1] == "disconnect"


def test_signing_out_here_ends_every_tab_at_once(house: House) -> None:
    house.gate._sockets._recheck_s = 1e6
    cookie = house.session()

    async def run() -> None:
        tabs = [Tab(house, cookie) for _ in range(3)]
        while len(house.behind.received) < 3:
            await asyncio.sleep(0.01)
        scope = {
            "type": "http", "method": "POST", "path": "/signout", "headers": [HOST, cookie],
            "scheme": "http", "server": ("127.0.0.1", 8080), "query_string": b"",
        }  # fmt: skip

        async def ignore(message: Any) -> None:
            pass

        await house.gate(scope, asyncio.Queue().get, ignore)
        await asyncio.wait_for(asyncio.gather(*(t.ended for t in tabs)), 10)
        watch = house.gate._sockets._watch
        assert watch is not None
        watch.cancel()

    asyncio.run(run())


def test_wrong_passwords_are_slowed_down_with_429(house: House) -> None:
    house.users.add("ada", "correct horse battery")

    def attempt(password: str) -> int:
        body = f"user=ada&password={password}".encode()
        return int(house.ask("/signin", method="POST", body=body).status)

    assert [attempt("wrong") for _ in range(6)] == [403] * 4 + [429] * 2
    assert attempt("correct+horse+battery") == 303, "the owner is not locked out"


def test_a_user_for_the_generator_reaches_nothing_else(house: House) -> None:
    cookie = signed_in(house)
    for path in ACTIONS:
        assert house.ask(path, [PAGE, cookie]).body == b"inside", "no policy, no limit"
    house.users.set_policy("ada", GENERATOR_ONLY)
    assert house.ask("/generator", [PAGE, cookie]).body == b"inside"
    assert house.ask("/_nicegui/x.js", [cookie]).body == b"inside"
    first = house.ask("/", [PAGE, cookie])
    assert (first.status, first.headers["location"]) == (303, "/generator")
    for path in (*ACTIONS, "/notes/2EYT7Q6R8", "//notes", "/streams/clicks"):
        if path not in ("/", "/generator"):
            answer = house.ask(path, [PAGE, cookie])
            assert answer.status == 403, path
            assert b"policy of user ada" in answer.body
    statement = '{"Effect": "Allow", "Action": "*", "Resource": "*"}'
    house.users.set_policy("ada", f'{{"Statement": {statement}}}')
    assert house.ask("/notes", [PAGE, cookie]).body == b"inside"


def test_who_loses_a_right_is_signed_out_of_open_pages(house: House) -> None:
    cookie = signed_in(house)
    house.users.set_policy("ada", None)

    async def run() -> None:
        tab = Tab(house, cookie)
        while not house.behind.received:
            await asyncio.sleep(0.01)
        house.users.set_policy("ada", GENERATOR_ONLY)
        await asyncio.wait_for(tab.ended, 10)

    asyncio.run(run())
    answer = house.ask("/generator", [PAGE, cookie])
    assert (answer.status, answer.headers["location"]) == (303, "/signin?next=/generator")


def test_every_answer_says_what_a_page_may_do(house: House) -> None:
    for path in ("/", "/signin", "/theme.css"):
        headers = house.ask(path, [PAGE, house.session()]).headers
        assert headers["x-frame-options"] == "DENY"
        assert headers["x-content-type-options"] == "nosniff"
        assert "default-src 'self'" in headers["content-security-policy"]


def test_every_page_needs_a_right() -> None:
    folder = Path(studio.__file__).parent
    pages = [
        p for f in folder.glob("*.py") for p in re.findall(r'@ui\.page\("(/[^"]*)"', f.read_text())
    ]
    assert len(pages) >= 14
    assert [page for page in pages if action_of(page) is None] == []
