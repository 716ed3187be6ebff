"""Roles, groups and the users that were made through IAM: names, ids, paths, tags, trust.

An IAM user is also a row of ``users``. Unlike one that the command line made, it may do only what
its policies allow, as in AWS.
"""

from __future__ import annotations

import json
import re
import secrets
import sqlite3
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from eddyline.auth.store import AccessStore
from eddyline.auth.trust import check_trust
from eddyline.clock import SYSTEM, Clock
from eddyline.errors import EddylineError

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_NAME = re.compile(r"[\w+=,.@-]{1,128}\Z", re.ASCII)
SESSION_S = 3600
TAGS_MAX = 50


class EntityKind(StrEnum):
    """What an entity is; the value is the word in its ARN."""

    USER = "user"
    ROLE = "role"
    GROUP = "group"


_ID_PREFIXES = {EntityKind.USER: "AIDA", EntityKind.ROLE: "AROA", EntityKind.GROUP: "AGPA"}


@dataclass(frozen=True, slots=True)
class Entity:
    """A user, role or group. ``trust``: who may assume a role, a document."""

    kind: EntityKind
    name: str
    id: str
    path: str
    created_ms: int
    trust: str | None = None
    description: str | None = None
    session_s: int = SESSION_S
    tags: dict[str, str] = field(default_factory=dict)

    def arn(self, account: str) -> str:
        """Its ARN in an account."""
        return f"arn:aws:iam::{account}:{self.kind}{self.path}{self.name}"


class Entities:
    """The entities of a data directory."""

    def __init__(self, directory: Path, clock: Clock = SYSTEM) -> None:
        self._store = AccessStore(directory)
        self._clock = clock

    def create(
        self,
        kind: EntityKind,
        name: str,
        path: str = "/",
        *,
        trust: str | None = None,
        description: str | None = None,
        session_s: int = SESSION_S,
        tags: dict[str, str] | None = None,
    ) -> Entity:
        """A new entity; a user gets no rights.

        Raises:
            EddylineError: ``already_exists``, ``invalid_argument``, ``malformed_policy``.
        """
        if not _NAME.match(name):
            msg = f"{name[:80]!r} is no name for a {kind}"
            raise EddylineError("invalid_argument", msg, hint="letters, digits and _+=,.@-")
        if trust is not None:
            check_trust(trust)
        entity = Entity(
            kind, name, new_id(_ID_PREFIXES[kind]), path, self._clock.now_ms(), trust,
            description, session_s, tags or {},
        )  # fmt: skip
        with self._store.write() as db:
            if self._taken(db, kind, name):
                msg = f"{kind.value.capitalize()} with name {name} already exists."
                raise EddylineError("already_exists", msg)
            if kind is EntityKind.USER:
                row = (name, None, None, entity.created_ms)
                db.execute("INSERT INTO users VALUES (?, ?, ?, ?)", row)
            values = (
                kind.value, name, entity.id, path, entity.created_ms, trust, description,
                session_s, json.dumps(entity.tags),
            )  # fmt: skip
            db.execute("INSERT INTO entities VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", values)
        return entity

    def _taken(self, db: sqlite3.Connection, kind: EntityKind, name: str) -> bool:
        sql = "SELECT 1 FROM entities WHERE kind=? AND name=? COLLATE NOCASE"
        taken = db.execute(sql, (kind.value, name)).fetchone() is not None
        if kind is EntityKind.USER and not taken:
            sql = "SELECT 1 FROM users WHERE name=? COLLATE NOCASE"
            return db.execute(sql, (name,)).fetchone() is not None
        return taken

    def find(self, kind: EntityKind, name: str) -> Entity | None:
        """The entity of that name; a user of the command line is one too."""
        return next(iter(self._read(kind, name)), None)

    def get(self, kind: EntityKind, name: str) -> Entity:
        """The entity of that name. Raises ``not_found``."""
        entity = self.find(kind, name)
        if entity is None:
            raise no_entity(kind, name)
        return entity

    def all(self, kind: EntityKind, path_prefix: str = "/") -> list[Entity]:
        """All entities of a kind below a path, by name."""
        return [e for e in self._read(kind, None) if e.path.startswith(path_prefix)]

    def _read(self, kind: EntityKind, name: str | None) -> list[Entity]:
        rows = self._store.read(
            "SELECT name, id, path, created_ms, trust, description, session_s, tags FROM entities"
            " WHERE kind=?1 AND (?2 IS NULL OR name=?2 COLLATE NOCASE)",
            (kind.value, name),
        )
        entities = [
            Entity(
                kind, str(n), str(i), str(p), int(str(c)), _text(t), _text(d), int(str(s)),
                json.loads(str(tags)),
            )
            for n, i, p, c, t, d, s, tags in rows
        ]  # fmt: skip
        if kind is EntityKind.USER:
            known = {e.name for e in entities}
            rows = self._store.read(
                "SELECT name, created_ms FROM users WHERE ?1 IS NULL OR name=?1 COLLATE NOCASE",
                (name,),
            )
            entities += [
                Entity(kind, str(n), _id_of(str(n)), "/", int(str(c)))
                for n, c in rows
                if str(n) not in known
            ]
        return sorted(entities, key=lambda e: e.name)

    def is_managed(self, user: str) -> bool:
        """Whether a user was made through IAM, so that only policies give it rights."""
        sql = "SELECT 1 FROM entities WHERE kind='user' AND name=?"
        return bool(self._store.read(sql, (user,)))

    def update(
        self,
        kind: EntityKind,
        name: str,
        *,
        trust: str | None = None,
        description: str | None = None,
        session_s: int | None = None,
    ) -> Entity:
        """Change what is given. Raises ``not_found``, ``malformed_policy``."""
        entity = self.get(kind, name)
        if trust is not None:
            check_trust(trust)
        with self._store.write() as db:
            db.execute(
                "UPDATE entities SET trust=coalesce(?, trust),"
                " description=coalesce(?, description), session_s=coalesce(?, session_s)"
                " WHERE kind=? AND name=?",
                (trust, description, session_s, kind.value, entity.name),
            )
        return self.get(kind, name)

    def rename(
        self, kind: EntityKind, name: str, new_name: str | None = None, path: str | None = None
    ) -> None:
        """Change name and path; policies, keys and memberships follow, sessions end.

        Raises:
            EddylineError: ``not_found``, ``already_exists``, ``invalid_argument``.
        """
        entity = self.get(kind, name)
        new_name = new_name or entity.name
        if not _NAME.match(new_name):
            msg = f"{new_name[:80]!r} is no name for a {kind}"
            raise EddylineError("invalid_argument", msg, hint="letters, digits and _+=,.@-")
        with self._store.write() as db:
            if new_name.lower() != entity.name.lower() and self._taken(db, kind, new_name):
                msg = f"{kind.value.capitalize()} with name {new_name} already exists."
                raise EddylineError("already_exists", msg)
            db.execute("PRAGMA defer_foreign_keys=ON")
            arguments = {"kind": kind.value, "old": entity.name, "new": new_name, "path": path}
            for sql in (*_RENAMED, *_RENAMED_OF[kind]):
                db.execute(sql, arguments)

    def change_tags(
        self, kind: EntityKind, name: str, added: dict[str, str], removed: list[str]
    ) -> None:
        """Add and remove tags. Raises ``not_found``, ``limit_exceeded``."""
        entity = self.get(kind, name)
        tags = {k: v for k, v in {**entity.tags, **added}.items() if k not in removed}
        if len(tags) > TAGS_MAX:
            msg = f"a {kind} may have at most {TAGS_MAX} tags"
            raise EddylineError("limit_exceeded", msg)
        with self._store.write() as db:
            sql = "UPDATE entities SET tags=? WHERE kind=? AND name=?"
            if not db.execute(sql, (json.dumps(tags), kind.value, entity.name)).rowcount:
                msg = f"{kind} {name} was not made through IAM and has no tags"
                raise EddylineError("invalid_argument", msg)

    def delete(self, kind: EntityKind, name: str) -> None:
        """Delete an entity that has nothing left.

        Raises:
            EddylineError: ``not_found``; ``conflict`` naming what must be removed first.
        """
        entity = self.get(kind, name)
        with self._store.write() as db:
            for sql, what in _LEFT[kind]:
                if db.execute(sql, (entity.name,)).fetchone():
                    msg = f"Cannot delete entity, must {what} first."
                    raise EddylineError("conflict", msg)
            db.execute("DELETE FROM entities WHERE kind=? AND name=?", (kind.value, entity.name))
            if kind is EntityKind.USER:
                db.execute("DELETE FROM sessions WHERE user=?", (entity.name,))
                db.execute("DELETE FROM users WHERE name=?", (entity.name,))

    # groups

    def join(self, group: str, user: str) -> None:
        """Make a user a member of a group. Raises ``not_found``."""
        row = (self.get(EntityKind.GROUP, group).name, self.get(EntityKind.USER, user).name)
        with self._store.write() as db:
            db.execute("INSERT OR IGNORE INTO group_members VALUES (?, ?)", row)

    def leave(self, group: str, user: str) -> None:
        """End a membership. Raises ``not_found``."""
        row = (self.get(EntityKind.GROUP, group).name, self.get(EntityKind.USER, user).name)
        with self._store.write() as db:
            db.execute("DELETE FROM group_members WHERE group_name=? AND user=?", row)

    def members(self, group: str) -> list[Entity]:
        """The users of a group. Raises ``not_found``."""
        name = self.get(EntityKind.GROUP, group).name
        sql = "SELECT user FROM group_members WHERE group_name=? ORDER BY user"
        return [self.get(EntityKind.USER, str(u)) for (u,) in self._store.read(sql, (name,))]

    def groups_of(self, user: str) -> list[Entity]:
        """The groups of a user. Raises ``not_found``."""
        name = self.get(EntityKind.USER, user).name
        sql = "SELECT group_name FROM group_members WHERE user=? ORDER BY group_name"
        return [self.get(EntityKind.GROUP, str(g)) for (g,) in self._store.read(sql, (name,))]


def _left(kind: EntityKind) -> tuple[tuple[str, str], ...]:
    return (
        (f"SELECT 1 FROM attachments WHERE kind='{kind}' AND owner=?", "detach all policies"),
        (f"SELECT 1 FROM inline_policies WHERE kind='{kind}' AND owner=?", "delete policies"),
    )


_RENAMED = (
    "UPDATE entities SET name=:new, path=coalesce(:path, path) WHERE kind=:kind AND name=:old",
    "UPDATE inline_policies SET owner=:new WHERE kind=:kind AND owner=:old",
    "UPDATE attachments SET owner=:new WHERE kind=:kind AND owner=:old",
)
_RENAMED_OF: dict[EntityKind, tuple[str, ...]] = {
    EntityKind.USER: (
        "UPDATE users SET name=:new WHERE name=:old",
        "UPDATE access_keys SET user=:new WHERE user=:old",
        "UPDATE group_members SET user=:new WHERE user=:old",
        "DELETE FROM sessions WHERE user=:old",
        "DELETE FROM links WHERE user=:old",
    ),
    EntityKind.GROUP: ("UPDATE group_members SET group_name=:new WHERE group_name=:old",),
    EntityKind.ROLE: (),
}
# What keeps an entity from being deleted, and what AWS says of it.
_LEFT: dict[EntityKind, tuple[tuple[str, str], ...]] = {
    EntityKind.ROLE: _left(EntityKind.ROLE),
    EntityKind.USER: (
        ("SELECT 1 FROM access_keys WHERE user=?", "delete access keys"),
        ("SELECT 1 FROM group_members WHERE user=?", "remove users from group"),
        *_left(EntityKind.USER),
    ),
    EntityKind.GROUP: (
        ("SELECT 1 FROM group_members WHERE group_name=?", "remove users from group"),
        *_left(EntityKind.GROUP),
    ),
}


def no_entity(kind: EntityKind, name: str) -> EddylineError:
    """There is no entity of that name, in AWS's words."""
    msg = f"The {kind} with name {name} cannot be found."
    return EddylineError("not_found", msg)


def new_id(prefix: str) -> str:
    """A unique id as IAM has them."""
    return prefix + "".join(secrets.choice(_LETTERS) for _ in range(17))


def _id_of(user: str) -> str:
    """The id of a user that the command line made: always the same for its name."""
    from hashlib import sha256

    digest = sha256(user.encode()).digest()
    return "AIDA" + "".join(_LETTERS[b % 32] for b in digest[:17])


def _text(value: object) -> str | None:
    return None if value is None else str(value)
