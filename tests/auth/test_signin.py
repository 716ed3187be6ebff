"""Signing in: links that work once, passwords, sessions that end."""

from __future__ import annotations

import stat
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from eddyline.auth.signin import FAILURES_MAX, LINK_MS, OWNER, SESSION_MS, SignIn
from eddyline.auth.store import FILE
from eddyline.auth.users import Users
from eddyline.clock import ManualClock
from eddyline.errors import EddylineError


def token_of(link: str) -> str:
    return parse_qs(urlsplit(link).query)["token"][0]


def test_a_link_signs_in_once(tmp_path: Path) -> None:
    signin = SignIn(tmp_path)
    link = signin.link("http://127.0.0.1:8080/")
    assert link.startswith("http://127.0.0.1:8080/signin?token=")
    session = signin.redeem(token_of(link))
    assert session is not None
    assert signin.check(session) == OWNER
    assert signin.redeem(token_of(link)) is None


def test_a_link_is_good_for_a_day_and_for_another_process(tmp_path: Path) -> None:
    clock = ManualClock()
    early, late = (token_of(SignIn(tmp_path, clock).link("http://h")) for _ in range(2))
    clock.advance(LINK_MS - 1)
    assert SignIn(tmp_path, clock).redeem(early) is not None
    clock.advance(1)
    assert SignIn(tmp_path, clock).redeem(late) is None


def test_made_up_tokens_open_nothing(tmp_path: Path) -> None:
    signin = SignIn(tmp_path)
    assert signin.redeem("x") is None
    assert signin.check("x") is None
    assert signin.check("\ud800") is None


def test_a_session_ends(tmp_path: Path) -> None:
    clock = ManualClock()
    signin = SignIn(tmp_path, clock)
    session = signin.redeem(token_of(signin.link("http://h")))
    assert session is not None
    clock.advance(SESSION_MS // 2)
    assert signin.check(session) == OWNER  # and is prolonged by it
    clock.advance(SESSION_MS - 1)
    assert signin.check(session) == OWNER
    signin.sign_out(session)
    assert signin.check(session) is None
    other = signin.redeem(token_of(signin.link("http://h")))
    assert other is not None
    clock.advance(SESSION_MS)
    assert signin.check(other) is None


def test_a_password_signs_in(tmp_path: Path) -> None:
    Users(tmp_path).add("ann", "correct horse")
    signin = SignIn(tmp_path)
    assert signin.check(signin.sign_in("ann", "correct horse")) == "ann"
    for user, password in (("ann", "wrong horse"), ("bob", "correct horse"), ("", "")):
        with pytest.raises(EddylineError, match="user or password is wrong") as caught:
            signin.sign_in(user, password)
        assert caught.value.code == "access_denied"


def test_guessing_is_slowed_down(tmp_path: Path) -> None:
    clock = ManualClock()
    Users(tmp_path, clock).add("ann", "correct horse")
    signin = SignIn(tmp_path, clock)
    for _ in range(FAILURES_MAX):
        with pytest.raises(EddylineError, match="wrong"):
            signin.sign_in("ann", "no")
    with pytest.raises(EddylineError, match="too many") as caught:
        signin.sign_in("ann", "correct horse")
    assert caught.value.code == "limit_exceeded"
    clock.advance(60_000)
    assert signin.sign_in("ann", "correct horse")


def test_a_changed_password_and_a_removed_user_end_sessions(tmp_path: Path) -> None:
    users, signin = Users(tmp_path), SignIn(tmp_path)
    users.add("ann", "correct horse")
    session = signin.sign_in("ann", "correct horse")
    users.set_password("ann", "another horse")
    assert signin.check(session) is None
    session = signin.sign_in("ann", "another horse")
    users.remove("ann")
    assert signin.check(session) is None
    with pytest.raises(EddylineError, match="wrong"):
        signin.sign_in("ann", "another horse")


def test_nobody_else_can_read_the_file_and_no_token_is_in_it(tmp_path: Path) -> None:
    signin = SignIn(tmp_path)
    Users(tmp_path).add("ann", "correct horse")
    token = token_of(signin.link("http://h"))
    session = signin.sign_in("ann", "correct horse")
    files = sorted(tmp_path.glob(FILE + "*"))
    assert files
    for file in files:
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        for secret in (token, session, "correct horse"):
            assert secret.encode() not in file.read_bytes()


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"no database at all" * 100)
    with pytest.raises(EddylineError, match="damaged") as caught:
        SignIn(tmp_path).check("x")
    assert caught.value.code == "corrupt_data"
