"""What a statement may read and write: the role of its notebook or application decides.

A role that the directory does not know limits nothing; nor are notes outside of such a notebook
limited. The check is made where statements are prepared, so that SQL, Python, ``z.show`` and
resumed jobs pass it alike. Every worker makes it, so the rows are read without the modules that
manage notes and applications.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from eddyline.auth.entities import Entities, EntityKind
from eddyline.auth.grants import Grants
from eddyline.auth.policy import Effect, Policy, Request, allowed, parse
from eddyline.clock import Clock
from eddyline.errors import EddylineError
from eddyline.service.database import read
from eddyline.service.directory import DataDirectory
from eddyline.settings import Settings

if TYPE_CHECKING:
    from eddyline.catalog.table import CatalogTable
    from eddyline.engines.engine import Prepared

APPLICATION, NOTE = "application:", "note:"
READ_ACTIONS = ("kinesis:DescribeStream", "kinesis:GetRecords", "kinesis:GetShardIterator")
WRITE_ACTIONS = ("kinesis:DescribeStream", "kinesis:PutRecord", "kinesis:PutRecords")
# The action that is asked for, and the word for it.
_READS, _WRITES = ("kinesis:GetRecords", "read"), ("kinesis:PutRecords", "write to")


# A note's field with the name of its notebook.
NOTEBOOK = "eddylineNotebook"


class _ApplicationRole(msgspec.Struct):
    """What is read of an application."""

    name: str
    mode: str
    role: str
    note: str | None = None


class RoleCheck:
    """The check for the sessions of a data directory."""

    def __init__(self, directory: DataDirectory, settings: Settings, clock: Clock) -> None:
        self._directory = directory
        self._settings = settings
        self._clock = clock

    def check(self, session: str, prepared: Prepared) -> None:
        """Refuse a statement that the role of its session does not allow.

        Raises:
            EddylineError: ``access_denied`` naming the stream and the policy statement that would
                allow it.
        """
        role = role_of(self._directory, session)
        texts = role and role_policies(self._settings, self._directory.path, role, self._clock)
        if texts is None or role is None:
            return
        policies = [parse(text) for text in texts]
        for table in prepared.sinks:
            self._require(policies, role, table, *_WRITES, WRITE_ACTIONS)
        for table in prepared.sources:
            self._require(policies, role, table, *_READS, READ_ACTIONS)

    def _require(
        self,
        policies: list[Policy],
        role: str,
        table: CatalogTable,
        action: str,
        word: str,
        actions: tuple[str, ...],
    ) -> None:
        stream = table.options.get("stream.arn") or table.options.get("stream")
        if not stream or not table.options.get("connector", "").startswith("kinesis"):
            return
        stream = stream.rpartition("/")[2]
        arn = stream_arn(self._settings, stream)
        if allowed(policies, Request(role, action, arn)) is Effect.ALLOW:
            return
        statement = {"Effect": "Allow", "Action": list(actions), "Resource": arn}
        message = f"the role {role} may not {word} the stream {stream}"
        hint = f"add this statement to a policy of the role: {json.dumps(statement)}"
        raise EddylineError("access_denied", message, hint=hint)


def stream_arn(settings: Settings, stream: str) -> str:
    """The ARN of a local stream."""
    return f"arn:aws:kinesis:{settings.region}:{settings.account_id}:stream/{stream}"


def role_of(directory: DataDirectory, session: str) -> str | None:
    """The ARN of the role that limits a session; None for one that no role limits."""
    kind, _, name = session.partition(":")
    if f"{kind}:" not in (APPLICATION, NOTE):
        return None
    known = read(directory.meta, "SELECT 1 FROM sqlite_master WHERE name='applications'")
    rows = read(directory.meta, "SELECT document FROM applications") if known else []
    limited = [msgspec.json.decode(str(row[0]), type=_ApplicationRole) for row in rows]
    if f"{kind}:" == APPLICATION:
        return next((a.role or None for a in limited if a.name == name), None)
    notebooks = [a for a in limited if a.mode == "INTERACTIVE"]
    if not notebooks:
        return None
    sql = f"SELECT json_extract(fields, '$.{NOTEBOOK}') FROM notes WHERE note_id=?"
    of_note = [row[0] for row in read(directory.meta, sql, (name,))]
    return next((a.role or None for a in notebooks if a.note == name or a.name in of_note), None)


def role_policies(
    settings: Settings, path: Path, role: str, clock: Clock
) -> tuple[str, ...] | None:
    """The policies of a role by its ARN; None for a role that is not known here."""
    name = role.rpartition("/")[2]
    if Entities(path, clock).find(EntityKind.ROLE, name) is None:
        return None
    return Grants(path, settings.account_id, clock).policies_of(EntityKind.ROLE, name)
