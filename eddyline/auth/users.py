"""Users and their access keys: who may sign in to the studio and call the API."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from pathlib import Path

from eddyline.auth import password as passwords
from eddyline.auth.store import AccessStore
from eddyline.clock import SYSTEM, Clock
from eddyline.errors import EddylineError, nearest

_NAME = re.compile(r"[A-Za-z0-9_.@+=,-]{1,64}\Z")
_KEY_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
KEYS_MAX = 20


@dataclass(frozen=True, slots=True)
class User:
    """A user; ``policy`` is an IAM document, None for one who may do everything."""

    name: str
    has_password: bool
    policy: str | None
    created_ms: int
    keys: int


@dataclass(frozen=True, slots=True)
class AccessKey:
    """An access key and whose it is."""

    key_id: str
    secret: str
    user: str
    created_ms: int
    active: bool = True


AccessKeys = list[AccessKey]  # within ``Users`` the word is one of its methods


class Users:
    """The users of a data directory."""

    def __init__(self, directory: Path, clock: Clock = SYSTEM) -> None:
        self._store = AccessStore(directory)
        self._clock = clock

    def add(self, name: str, password: str | None = None, policy: str | None = None) -> None:
        """A new user.

        Raises:
            EddylineError: ``already_exists``, ``invalid_argument``.
        """
        if not _NAME.match(name):
            msg = f"{name[:80]!r} is no name for a user"
            hint = "1 to 64 letters, digits and _.@+=,-"
            raise EddylineError("invalid_argument", msg, hint=hint)
        made = None if password is None else passwords.hashed(password)
        with self._store.write() as db:
            if db.execute("SELECT 1 FROM users WHERE name=?", (name,)).fetchone():
                msg = f"user {name} exists already"
                hint = "choose another name, or change this one: eddyline user passwd, policy"
                raise EddylineError("already_exists", msg, hint=hint)
            row = (name, made, policy, self._clock.now_ms())
            db.execute("INSERT INTO users VALUES (?, ?, ?, ?)", row)

    def list(self) -> list[User]:
        """All users, by name."""
        rows = self._store.read(
            "SELECT name, password IS NOT NULL, policy, created_ms, (SELECT count(*) FROM"
            " access_keys WHERE user=name) FROM users ORDER BY name"
        )
        return [User(str(n), bool(p), _text(d), _int(c), _int(k)) for n, p, d, c, k in rows]

    def remove(self, name: str) -> None:
        """Remove a user with keys and sessions. Raises ``not_found``."""
        self._check_known(name)
        with self._store.write() as db:
            db.execute("DELETE FROM sessions WHERE user=?", (name,))
            db.execute("DELETE FROM users WHERE name=?", (name,))
            # What IAM keeps of it: a later user of that name must not have its rights.
            db.execute("DELETE FROM entities WHERE kind='user' AND name=?", (name,))
            db.execute("DELETE FROM inline_policies WHERE kind='user' AND owner=?", (name,))
            db.execute("DELETE FROM attachments WHERE kind='user' AND owner=?", (name,))
            db.execute("DELETE FROM group_members WHERE user=?", (name,))

    def has_password(self, name: str) -> bool:
        """Whether a user can sign in with a password."""
        rows = self._store.read("SELECT password IS NOT NULL FROM users WHERE name=?", (name,))
        return bool(rows and rows[0][0])

    def set_password(self, name: str, password: str | None) -> None:
        """Change the password, None takes it away; whoever was signed in is signed out.

        Raises:
            EddylineError: ``not_found``, ``invalid_argument``.
        """
        self._check_known(name)
        made = None if password is None else passwords.hashed(password)
        with self._store.write() as db:
            db.execute("UPDATE users SET password=? WHERE name=?", (made, name))
            db.execute("DELETE FROM sessions WHERE user=?", (name,))

    def set_policy(self, name: str, policy: str | None) -> None:
        """Give a user an IAM document, or none. Raises ``not_found``."""
        self._check_known(name)
        with self._store.write() as db:
            db.execute("UPDATE users SET policy=? WHERE name=?", (policy, name))

    def policy(self, name: str) -> str | None:
        """A user's IAM document. Raises ``not_found``."""
        rows = self._store.read("SELECT policy FROM users WHERE name=?", (name,))
        if not rows:
            raise self._unknown(name)
        return _text(rows[0][0])

    def verify(self, name: str, password: str) -> bool:
        """Whether this is the user's password; takes as long for a user there is not."""
        rows = self._store.read("SELECT password FROM users WHERE name=?", (name,))
        if not rows or rows[0][0] is None:
            passwords.waste()
            return False
        return passwords.matches(password, str(rows[0][0]))

    def add_key(self, user: str) -> AccessKey:
        """A new access key; its secret is shown now and kept.

        Raises:
            EddylineError: ``not_found``, ``limit_exceeded``.
        """
        self._check_known(user)
        if len(self.access_keys(user)) >= KEYS_MAX:
            msg = f"user {user} has {KEYS_MAX} access keys"
            raise EddylineError("limit_exceeded", msg, hint="remove one: eddyline user key remove")
        key_id = "AKIA" + "".join(secrets.choice(_KEY_ALPHABET) for _ in range(16))
        made = AccessKey(key_id, secrets.token_urlsafe(30), user, self._clock.now_ms())
        with self._store.write() as db:
            row = (made.key_id, made.secret, made.user, made.created_ms)
            sql = "INSERT INTO access_keys (key_id, secret, user, created_ms) VALUES (?, ?, ?, ?)"
            db.execute(sql, row)
        return made

    def access_keys(self, user: str | None = None) -> AccessKeys:
        """All access keys, or one user's."""
        rows = self._store.read(
            "SELECT key_id, secret, user, created_ms, active FROM access_keys"
            " WHERE ?1 IS NULL OR user=?1 ORDER BY user, created_ms, key_id",
            (user,),
        )
        return [AccessKey(str(k), str(s), str(u), _int(c), bool(a)) for k, s, u, c, a in rows]

    def key(self, key_id: str) -> AccessKey | None:
        """The access key of that name."""
        sql = "SELECT key_id, secret, user, created_ms, active FROM access_keys WHERE key_id=?"
        for k, s, u, c, a in self._store.read(sql, (key_id,)):
            return AccessKey(str(k), str(s), str(u), _int(c), bool(a))
        return None

    def set_active(self, key_id: str, active: bool) -> None:
        """Let an access key be used, or not. Raises ``not_found``."""
        with self._store.write() as db:
            sql = "UPDATE access_keys SET active=? WHERE key_id=?"
            if not db.execute(sql, (active, key_id)).rowcount:
                raise _no_key(key_id)

    def remove_key(self, key_id: str) -> None:
        """Remove an access key. Raises ``not_found``."""
        with self._store.write() as db:
            gone = db.execute("DELETE FROM access_keys WHERE key_id=?", (key_id,)).rowcount
        if not gone:
            raise _no_key(key_id)

    def _check_known(self, name: str) -> None:
        if not self._store.read("SELECT 1 FROM users WHERE name=?", (name,)):
            raise self._unknown(name)

    def _unknown(self, name: str) -> EddylineError:
        like = nearest(name, [u.name for u in self.list()])
        hint = f"did you mean {' or '.join(like)}?" if like else "list them: eddyline user list"
        return EddylineError("not_found", f"user {name[:80]} does not exist", hint=hint)


def _no_key(key_id: str) -> EddylineError:
    msg = f"access key {key_id[:40]} does not exist"
    return EddylineError("not_found", msg, hint="list them: eddyline user key list")


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _int(value: object) -> int:
    assert isinstance(value, int)
    return value
