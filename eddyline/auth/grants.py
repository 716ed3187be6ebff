"""Policies of users, roles and groups: inline documents, managed policies and their versions.

``policies_of`` gives every document that applies to a principal; the policy engine decides.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

from eddyline.auth.entities import TAGS_MAX, Entities, EntityKind, new_id
from eddyline.auth.managed import AWS_MANAGED, AWS_PREFIX
from eddyline.auth.store import AccessStore
from eddyline.auth.trust import check_document
from eddyline.clock import SYSTEM, Clock
from eddyline.errors import EddylineError

VERSIONS_MAX = 5


@dataclass(frozen=True, slots=True)
class ManagedPolicy:
    """A managed policy; its documents are versions."""

    arn: str
    name: str
    id: str
    path: str
    description: str | None
    created_ms: int
    updated_ms: int
    default_version: int
    tags: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PolicyVersion:
    """One version of a managed policy."""

    version: int
    document: str
    created_ms: int
    is_default: bool


class Grants:
    """The policies of a data directory."""

    def __init__(self, directory: Path, account: str, clock: Clock = SYSTEM) -> None:
        self._store = AccessStore(directory)
        self._entities = Entities(directory, clock)
        self._account = account
        self._clock = clock

    # inline policies

    def put(self, kind: EntityKind, owner: str, name: str, document: str) -> None:
        """Give an entity an inline policy. Raises ``not_found``, ``malformed_policy``."""
        check_document(document)
        row = (kind.value, self._entities.get(kind, owner).name, name, document)
        with self._store.write() as db:
            db.execute("INSERT OR REPLACE INTO inline_policies VALUES (?, ?, ?, ?)", row)

    def inline(self, kind: EntityKind, owner: str) -> dict[str, str]:
        """Inline documents by name. Raises ``not_found``."""
        name = self._entities.get(kind, owner).name
        sql = "SELECT name, document FROM inline_policies WHERE kind=? AND owner=? ORDER BY name"
        return {str(n): str(d) for n, d in self._store.read(sql, (kind.value, name))}

    def remove(self, kind: EntityKind, owner: str, name: str) -> None:
        """Remove an inline policy. Raises ``not_found``."""
        entity = self._entities.get(kind, owner)
        with self._store.write() as db:
            sql = "DELETE FROM inline_policies WHERE kind=? AND owner=? AND name=?"
            if not db.execute(sql, (kind.value, entity.name, name)).rowcount:
                msg = f"The {kind} policy with name {name} cannot be found."
                raise EddylineError("not_found", msg)

    # managed policies

    def create(
        self,
        name: str,
        document: str,
        path: str = "/",
        description: str | None = None,
        tags: dict[str, str] | None = None,
    ) -> ManagedPolicy:
        """A new managed policy with version 1. Raises ``already_exists``, ``malformed_policy``."""
        check_document(document)
        arn = f"arn:aws:iam::{self._account}:policy{path}{name}"
        now_ms = self._clock.now_ms()
        with self._store.write() as db:
            if db.execute("SELECT 1 FROM managed_policies WHERE arn=?", (arn,)).fetchone():
                msg = f"A policy called {name} already exists. Duplicate names are not allowed."
                raise EddylineError("already_exists", msg)
            row = (arn, name, new_id("ANPA"), path, description, now_ms, now_ms, 1, 1)
            db.execute(
                "INSERT INTO managed_policies VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (*row, json.dumps(tags or {})),
            )
            db.execute("INSERT INTO policy_versions VALUES (?, 1, ?, ?)", (arn, document, now_ms))
        return self.get(arn)

    def get(self, arn: str) -> ManagedPolicy:
        """A managed policy, AWS's included. Raises ``not_found``."""
        for policy in self._policies(arn):
            return policy
        msg = f"Policy {arn} does not exist or is not attachable."
        raise EddylineError("not_found", msg)

    def all(self, scope: str = "All") -> list[ManagedPolicy]:
        """Managed policies of the account (``Local``), of ``AWS``, or ``All``."""
        own = self._policies(None)
        return [p for p in own if scope == "All" or _is_aws(p.arn) is (scope == "AWS")]

    def _policies(self, arn: str | None) -> list[ManagedPolicy]:
        rows = self._store.read(
            "SELECT arn, name, id, path, description, created_ms, updated_ms, default_version, tags"
            " FROM managed_policies WHERE ?1 IS NULL OR arn=?1 ORDER BY arn",
            (arn,),
        )
        own = [
            ManagedPolicy(
                str(a), str(n), str(i), str(p), None if d is None else str(d), int(str(c)),
                int(str(u)), int(str(v)), json.loads(str(t)),
            )
            for a, n, i, p, d, c, u, v, t in rows
        ]  # fmt: skip
        return own + [
            ManagedPolicy(a, a.rpartition("/")[2], "ANPA" + _padded(a), _path(a), None, 0, 0, 1)
            for a in AWS_MANAGED
            if arn in (None, a)
        ]

    def delete(self, arn: str) -> None:
        """Delete a managed policy. Raises ``not_found``, ``conflict`` while it is attached."""
        self._own(arn)
        with self._store.write() as db:
            if db.execute("SELECT 1 FROM attachments WHERE arn=?", (arn,)).fetchone():
                msg = "Cannot delete a policy attached to entities."
                raise EddylineError("conflict", msg)
            sql = "SELECT count(*) FROM policy_versions WHERE arn=?"
            if db.execute(sql, (arn,)).fetchone()[0] > 1:
                msg = "This policy has more than one version. Before you delete a policy, you must"
                msg += " delete the policy's versions. The default version is deleted with it."
                raise EddylineError("conflict", msg)
            db.execute("DELETE FROM policy_versions WHERE arn=?", (arn,))
            db.execute("DELETE FROM managed_policies WHERE arn=?", (arn,))

    def versions(self, arn: str) -> list[PolicyVersion]:
        """A policy's versions, newest first. Raises ``not_found``."""
        policy = self.get(arn)
        if _is_aws(arn):
            return [PolicyVersion(1, json.dumps(AWS_MANAGED[arn]), 0, True)]
        sql = "SELECT version, document, created_ms FROM policy_versions WHERE arn=?"
        rows = self._store.read(sql + " ORDER BY version DESC", (arn,))
        return [
            PolicyVersion(int(str(v)), str(d), int(str(c)), int(str(v)) == policy.default_version)
            for v, d, c in rows
        ]

    def add_version(self, arn: str, document: str, make_default: bool) -> PolicyVersion:
        """A new version. Raises ``not_found``, ``malformed_policy``, ``limit_exceeded``."""
        check_document(document)
        self._own(arn)
        if len(self.versions(arn)) >= VERSIONS_MAX:
            msg = f"A managed policy can have up to {VERSIONS_MAX} versions. Before you create a"
            raise EddylineError("limit_exceeded", msg + " new version, you must delete one.")
        now_ms = self._clock.now_ms()
        with self._store.write() as db:
            version = db.execute(
                "UPDATE managed_policies SET last_version = last_version + 1, updated_ms=?,"
                " default_version = CASE WHEN ? THEN last_version + 1 ELSE default_version END"
                " WHERE arn=? RETURNING last_version",
                (now_ms, make_default, arn),
            ).fetchone()[0]
            row = (arn, version, document, now_ms)
            db.execute("INSERT INTO policy_versions VALUES (?, ?, ?, ?)", row)
        return PolicyVersion(version, document, now_ms, make_default)

    def version(self, arn: str, version: int) -> PolicyVersion:
        """One version. Raises ``not_found``."""
        for row in self.versions(arn):
            if row.version == version:
                return row
        raise EddylineError("not_found", f"Policy {arn} version v{version} does not exist.")

    def delete_version(self, arn: str, version: int) -> None:
        """Delete a version that is not the default. Raises ``not_found``, ``conflict``."""
        self._own(arn)
        if self.version(arn, version).is_default:
            raise EddylineError("conflict", "Cannot delete the default version of a policy.")
        with self._store.write() as db:
            sql = "DELETE FROM policy_versions WHERE arn=? AND version=?"
            db.execute(sql, (arn, version))

    def set_default(self, arn: str, version: int) -> None:
        """Make a version the default. Raises ``not_found``."""
        self._own(arn)
        self.version(arn, version)
        with self._store.write() as db:
            sql = "UPDATE managed_policies SET default_version=?, updated_ms=? WHERE arn=?"
            db.execute(sql, (version, self._clock.now_ms(), arn))

    def _own(self, arn: str) -> None:
        """Check that a policy is the account's. Raises ``not_found``, ``access_denied``."""
        self.get(arn)
        if _is_aws(arn):
            msg = f"{arn} is a policy of AWS, which cannot be changed"
            raise EddylineError("access_denied", msg)

    def change_tags(self, arn: str, added: dict[str, str], removed: list[str]) -> None:
        """Add and remove a policy's tags. Raises ``not_found``, ``limit_exceeded``."""
        self._own(arn)
        tags = {**self.get(arn).tags, **added}
        tags = {key: value for key, value in tags.items() if key not in removed}
        if len(tags) > TAGS_MAX:
            raise EddylineError("limit_exceeded", f"a policy may have at most {TAGS_MAX} tags")
        with self._store.write() as db:
            sql = "UPDATE managed_policies SET tags=? WHERE arn=?"
            db.execute(sql, (json.dumps(tags), arn))

    # attachments

    def attach(self, kind: EntityKind, owner: str, arn: str) -> None:
        """Attach a managed policy. Raises ``not_found``."""
        row = (kind.value, self._entities.get(kind, owner).name, self.get(arn).arn)
        with self._store.write() as db:
            db.execute("INSERT OR IGNORE INTO attachments VALUES (?, ?, ?)", row)

    def detach(self, kind: EntityKind, owner: str, arn: str) -> None:
        """Detach a managed policy. Raises ``not_found``."""
        entity = self._entities.get(kind, owner)
        with self._store.write() as db:
            sql = "DELETE FROM attachments WHERE kind=? AND owner=? AND arn=?"
            if not db.execute(sql, (kind.value, entity.name, arn)).rowcount:
                raise EddylineError("not_found", f"Policy {arn} was not found.")

    def attached(self, kind: EntityKind, owner: str) -> list[ManagedPolicy]:
        """The managed policies of an entity, by ARN. Raises ``not_found``."""
        name = self._entities.get(kind, owner).name
        sql = "SELECT arn FROM attachments WHERE kind=? AND owner=? ORDER BY arn"
        return [self.get(str(a)) for (a,) in self._store.read(sql, (kind.value, name))]

    def attachments(self, arn: str) -> list[tuple[EntityKind, str]]:
        """The entities that have a managed policy. Raises ``not_found``."""
        self.get(arn)
        sql = "SELECT kind, owner FROM attachments WHERE arn=? ORDER BY kind, owner"
        return [(EntityKind(str(k)), str(o)) for k, o in self._store.read(sql, (arn,))]

    # together

    def policies_of(self, kind: EntityKind, name: str) -> tuple[str, ...]:
        """Every document that applies to a user, role or group."""
        owners = [(kind, name)]
        if kind is EntityKind.USER:
            owners += [(EntityKind.GROUP, group.name) for group in self._entities.groups_of(name)]
        documents: list[str] = []
        for owner in owners:
            documents += self.inline(*owner).values()
            for policy in self.attached(*owner):
                documents.append(self.version(policy.arn, policy.default_version).document)
        return tuple(documents)


def _is_aws(arn: str) -> bool:
    return arn.startswith(AWS_PREFIX)


def _path(arn: str) -> str:
    path = arn[len(AWS_PREFIX) - 1 :].rpartition("/")[0]
    return f"{path}/"


def _padded(arn: str) -> str:
    from hashlib import sha256

    return sha256(arn.encode()).hexdigest()[:17].upper()
