"""Requests that pages elsewhere could send are refused, whatever name they come under."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from typing import Any

import pytest

from eddyline.auth.hosts import HostGuard, HostRules, is_loopback
from eddyline.settings import Settings

LOCAL = Settings()


@pytest.mark.parametrize(
    ("host", "known"),
    [
        ("127.0.0.1:8080", True),
        ("127.0.0.1", True),
        ("127.1.2.3:80", True),
        ("localhost:8080", True),
        ("LOCALHOST.", True),
        ("studio.localhost:8080", True),
        ("[::1]:8080", True),
        ("evil.example:8080", False),
        ("127.0.0.1.evil.example", False),
        ("localhost.evil.example", False),
        ("evil.example#localhost", False),
        ("localhost@evil.example", False),
        ("192.168.1.7:8080", False),
        ("", False),
        ("[", False),
        ("localhost:port", False),
    ],
)
def test_a_server_on_loopback_answers_to_loopback_names(host: str, known: bool) -> None:
    assert HostRules(LOCAL).knows(host) is known


def test_further_names_are_allowed_by_a_setting() -> None:
    rules = HostRules(Settings(allow_host="eddyline, .lab.example"))
    assert rules.knows("eddyline:4567")
    assert rules.knows("a.lab.example")
    assert not rules.knows("lab.example.org")
    assert HostRules(Settings(allow_host="*")).knows("whatever.example")


def test_on_another_address_numbers_are_known_and_names_must_be_given() -> None:
    rules = HostRules(Settings(host="0.0.0.0"))
    assert rules.knows("192.168.1.7:8080")
    assert rules.knows("[fe80::1]:8080")
    assert not rules.knows("evil.example")


def refused(pages: bool, **headers: str) -> bool:
    given = {k.replace("_", "-"): v for k, v in headers.items()}
    return HostRules(LOCAL).refusal(given, pages=pages) is not None


def test_the_studio_answers_its_own_pages_only() -> None:
    here = "127.0.0.1:8080"
    assert not refused(True, host=here)
    assert not refused(
        True, host=here, origin="http://127.0.0.1:8080", sec_fetch_site="same-origin"
    )
    assert not refused(True, host="localhost", origin="http://localhost:80")
    assert not refused(True, host=here, sec_fetch_site="cross-site", sec_fetch_mode="navigate")
    assert refused(True, host=here, origin="http://127.0.0.1:9999")
    assert refused(True, host=here, origin="http://localhost:8080")
    assert refused(True, host=here, origin="https://evil.example")
    assert refused(True, host=here, origin="null")
    assert refused(True, host=here, sec_fetch_site="cross-site", sec_fetch_mode="no-cors")
    assert refused(True, host="evil.example:8080", origin="http://evil.example:8080")


def test_the_api_answers_no_browser() -> None:
    assert not refused(False, host="127.0.0.1:4567")
    assert not refused(False, host="127.0.0.1:4567", sec_fetch_mode="cors")  # as Node's fetch does
    assert refused(False, host="127.0.0.1:4567", origin="http://127.0.0.1:4567")
    assert refused(False, host="127.0.0.1:4567", sec_fetch_site="none")
    assert refused(False, host="evil.example:4567")


@pytest.mark.parametrize(
    ("host", "loop"),
    [
        *[(host, True) for host in ("127.0.0.1", "::1", "[::1]", "localhost")],
        *[(host, False) for host in ("0.0.0.0", "::", "10.0.0.1", "example.org")],
    ],
)
def test_loopback(host: str, loop: bool) -> None:
    assert is_loopback(host) is loop


def through_guard(kind: str, host: str) -> list[MutableMapping[str, Any]]:
    sent: list[MutableMapping[str, Any]] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        sent.append({"type": "reached"})

    async def receive() -> dict[str, Any]:
        return {"type": "http.request"}

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    scope = {"type": kind, "headers": [(b"host", host.encode())]}
    asyncio.run(HostGuard(app, LOCAL)(scope, receive, send))
    return sent


def test_the_guard_stands_before_pages_and_websockets() -> None:
    assert through_guard("http", "localhost") == [{"type": "reached"}]
    assert through_guard("websocket", "localhost") == [{"type": "reached"}]
    first, body = through_guard("http", "evil.example")
    assert first["status"] == 403
    assert b"--allow-host" in body["body"]
    assert through_guard("websocket", "evil.example") == [{"type": "websocket.close", "code": 1008}]
