"""Signing in: links that work once, passwords, sessions that end."""

from __future__ import annotations

import contextlib
import stat
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from eddyline.auth.attempts import (
    FIRST_S,
    FREE,
    IN_HAND_MAX,
    KEYS_MAX,
    LONGEST_S,
    WINDOW_S,
    Attempts,
)
from eddyline.auth.signin import LINK_MS, OWNER, SESSION_MS, SignIn
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


def guess(signin: SignIn, user: str, password: str, address: str = "10.0.0.1") -> tuple[str, float]:
    """(the session or the error's code, how long the attempt had to wait)."""
    try:
        with signin.attempt(user, address) as wait_s:
            return signin.sign_in(user, password, address), wait_s
    except EddylineError as error:
        return error.code, 0.0


def test_guessing_is_slowed_down_and_the_owner_is_never_locked_out(tmp_path: Path) -> None:
    clock = ManualClock()
    Users(tmp_path, clock).add("ann", "correct horse")
    signin = SignIn(tmp_path, clock)
    codes = [guess(signin, "ann", "no")[0] for _ in range(FREE + 10)]
    assert codes == ["access_denied"] * (FREE - 1) + ["too_many_requests"] * 11
    for address, longest in (("10.0.0.1", LONGEST_S), ("10.0.0.2", LONGEST_S)):
        session, wait_s = guess(signin, "ann", "correct horse", address)
        assert signin.check(session) == "ann"
        assert 0 < wait_s <= longest
    assert guess(signin, "bob", "no", "10.0.0.3") == ("access_denied", 0.0), "others do not wait"
    clock.advance(round(WINDOW_S * 1000))
    assert guess(signin, "ann", "correct horse", "10.0.0.4")[1] == 0.0


def test_names_are_guarded_against_many_addresses_and_addresses_against_many_names(
    tmp_path: Path,
) -> None:
    attempts = Attempts(ManualClock())
    for n in range(FREE):
        attempts.failed("ann", f"10.0.0.{n}")
        attempts.failed(f"user{n}", "10.1.0.0")
    for user, address in (("ann", "10.9.0.0"), ("new", "10.1.0.0")):
        with attempts.one(user, address) as wait_s:
            assert wait_s == FIRST_S
    for n in range(3 * KEYS_MAX):
        attempts.failed(f"made-up {n}", f"made-up {n}")
    assert len(attempts._failures) <= KEYS_MAX + 1


def test_guesses_that_come_together_are_refused(tmp_path: Path) -> None:
    attempts = Attempts(ManualClock())
    with contextlib.ExitStack() as held:
        for _ in range(IN_HAND_MAX):
            held.enter_context(attempts.one("ann", "10.0.0.1"))
        with pytest.raises(EddylineError, match="too many") as caught:
            held.enter_context(attempts.one("ann", "10.0.0.1"))
        assert caught.value.code == "too_many_requests"
        held.enter_context(attempts.one("ann", "10.0.0.2"))
    for _ in range(FREE):
        attempts.failed("ann", "10.0.0.1")
    with attempts.one("ann", "10.0.0.1"), pytest.raises(EddylineError, match="too many"):
        attempts.one("ann", "10.0.0.1").__enter__()


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
