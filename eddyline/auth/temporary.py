"""Temporary credentials: keys of an assumed role or of a user, which end by themselves."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path

from eddyline.auth.store import AccessStore
from eddyline.clock import SYSTEM, Clock

PREFIX = "ASIA"
# Before a user's name where else a role's stands; no role's name has a slash.
USER = "user/"
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
# Ended keys are kept this long, so that their use is refused as expired and not as unknown.
KEPT_MS = 24 * 3600 * 1000


@dataclass(frozen=True, slots=True)
class TemporaryKey:
    """A key of a role's session, or of a user's (``USER`` and the name in place of the role).

    policy: a document that limits the session further.
    """

    key_id: str
    secret: str
    token: str
    role: str
    session: str
    policy: str | None
    ends_ms: int


class TemporaryKeys:
    """The temporary keys of a data directory."""

    def __init__(self, directory: Path, clock: Clock = SYSTEM) -> None:
        self._store = AccessStore(directory)
        self._clock = clock

    def create(self, role: str, session: str, seconds: int, policy: str | None) -> TemporaryKey:
        """New credentials for a role (its name)."""
        now_ms = self._clock.now_ms()
        key = TemporaryKey(
            PREFIX + "".join(secrets.choice(_LETTERS) for _ in range(16)),
            secrets.token_urlsafe(30),
            secrets.token_urlsafe(120),
            role,
            session,
            policy,
            now_ms + seconds * 1000,
        )
        row = (key.key_id, key.secret, key.token, role, session, policy, key.ends_ms)
        with self._store.write() as db:
            db.execute("DELETE FROM temporary_keys WHERE ends_ms < ?", (now_ms - KEPT_MS,))
            db.execute("INSERT INTO temporary_keys VALUES (?, ?, ?, ?, ?, ?, ?)", row)
        return key

    def create_for_user(self, user: str, session: str, seconds: int) -> TemporaryKey:
        """New credentials with a user's rights, whatever these are when the key is used."""
        return self.create(USER + user, session, seconds, None)

    def get(self, key_id: str) -> TemporaryKey | None:
        """The key of that name, ended or not."""
        sql = "SELECT key_id, secret, token, role, session, policy, ends_ms FROM temporary_keys"
        for k, s, t, r, n, p, e in self._store.read(sql + " WHERE key_id=?", (key_id,)):
            document = None if p is None else str(p)
            return TemporaryKey(str(k), str(s), str(t), str(r), str(n), document, int(str(e)))
        return None
