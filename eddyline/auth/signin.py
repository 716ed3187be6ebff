"""Signing in to the studio: by a link that works once, or by password; and sessions.

Whoever can read the terminal or the data directory owns the server, so a link made there needs no
user name. Tokens have 256 bits and are kept as hashes: a copy of the file signs nobody in.
"""

from __future__ import annotations

import secrets
from contextlib import AbstractContextManager
from hashlib import sha256
from pathlib import Path
from urllib.parse import quote

from eddyline.auth.attempts import Attempts, too_many
from eddyline.auth.store import AccessStore
from eddyline.auth.users import Users
from eddyline.clock import SYSTEM, Clock
from eddyline.errors import EddylineError

OWNER = "owner"
LINK_MS = 24 * 3_600_000
SESSION_MS = 30 * 24 * 3_600_000
# A session in use is extended once a day, not at each request.
PROLONG_MS = 24 * 3_600_000


class SignIn:
    """Links, passwords and sessions of the data directory ``path``."""

    def __init__(self, path: Path, clock: Clock = SYSTEM) -> None:
        self._store = AccessStore(path)
        self._users = Users(path, clock)
        self._clock = clock
        self._attempts = Attempts(clock)

    def link(self, address: str, user: str = OWNER) -> str:
        """The address with a token that signs in once, within a day, as a user or role."""
        token = secrets.token_urlsafe(32)
        now = self._clock.now_ms()
        with self._store.write() as db:
            db.execute("DELETE FROM links WHERE ends_ms<=?", (now,))
            db.execute("INSERT INTO links VALUES (?, ?, ?)", (_kept(token), user, now + LINK_MS))
        return f"{address.rstrip('/')}/signin?token={quote(token)}"

    def redeem(self, token: str) -> str | None:
        """The session of a link's token; None if it is used up, too old or wrong."""
        with self._store.write() as db:
            row = db.execute(
                "DELETE FROM links WHERE token=? AND ends_ms>? RETURNING user",
                (_kept(token), self._clock.now_ms()),
            ).fetchone()
        return None if row is None else self._begin(str(row[0]))

    def attempt(self, user: str, address: str) -> AbstractContextManager[float]:
        """A context around ``sign_in``; gives the number of seconds to wait before calling it.

        Raises:
            EddylineError: ``too_many_requests``.
        """
        return self._attempts.one(user, address)

    def sign_in(self, user: str, password: str, address: str = "") -> str:
        """The session of a user who knows the password.

        Raises:
            EddylineError: ``access_denied``, the same for a wrong user as for a wrong password;
                ``too_many_requests`` for a wrong password after too many others.
        """
        if self._users.verify(user, password):
            self._attempts.succeeded(address)
            return self._begin(user)
        wait_s = self._attempts.failed(user, address)
        if wait_s:
            raise too_many(wait_s)
        hint = "change it where the server runs: eddyline user passwd NAME"
        raise EddylineError("access_denied", "user or password is wrong", hint=hint)

    def check(self, session: str) -> str | None:
        """The user of a session; None if it is over."""
        sql = "SELECT user, ends_ms FROM sessions WHERE token=?"
        now = self._clock.now_ms()
        for user, ends_ms in self._store.read(sql, (_kept(session),)):
            assert isinstance(ends_ms, int)
            if ends_ms <= now:
                return None
            if ends_ms < now + SESSION_MS - PROLONG_MS:
                self._prolong(session, now)
            return str(user)
        return None

    def sign_out(self, session: str) -> None:
        """End a session."""
        with self._store.write() as db:
            db.execute("DELETE FROM sessions WHERE token=?", (_kept(session),))

    def _begin(self, user: str) -> str:
        token = secrets.token_urlsafe(32)
        now = self._clock.now_ms()
        with self._store.write() as db:
            db.execute("DELETE FROM sessions WHERE ends_ms<=?", (now,))
            row = (_kept(token), user, now + SESSION_MS)
            db.execute("INSERT INTO sessions VALUES (?, ?, ?)", row)
        return token

    def _prolong(self, session: str, now: int) -> None:
        with self._store.write() as db:
            row = (now + SESSION_MS, _kept(session))
            db.execute("UPDATE sessions SET ends_ms=? WHERE token=?", row)


def _kept(token: str) -> str:
    return sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
