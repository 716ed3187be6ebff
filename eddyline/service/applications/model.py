"""What an application is: its record, its versions, operations and snapshots, as messages."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from eddyline.errors import EddylineError

INTERACTIVE, STREAMING, SQL = "INTERACTIVE", "STREAMING", "SQL"
READY, STARTING, RUNNING, STOPPING = "READY", "STARTING", "RUNNING", "STOPPING"
UPDATING, DELETING, FORCE_STOPPING = "UPDATING", "DELETING", "FORCE_STOPPING"
IN_PROGRESS, SUCCESSFUL, FAILED = "IN_PROGRESS", "SUCCESSFUL", "FAILED"
# What begins when a restart of the server finds an application in one of these.
UNSETTLED = {
    STARTING: READY,
    STOPPING: READY,
    FORCE_STOPPING: READY,
    UPDATING: RUNNING,
    DELETING: READY,
}
SKIP_RESTORE = "SKIP_RESTORE_FROM_SNAPSHOT"
LATEST_SNAPSHOT = "RESTORE_FROM_LATEST_SNAPSHOT"
CUSTOM_SNAPSHOT = "RESTORE_FROM_CUSTOM_SNAPSHOT"

# Of an application of SQL-1_0, which is kept and described, and does not start.
DIALECT_LATER = "applications in the dialect of SQL-1_0 do not run here yet"
DIALECT_INSTEAD = "write the statements in Flink's SQL and create a STREAMING application"

_NAME = re.compile(r"[a-zA-Z0-9_.-]{1,128}")
Document = dict[str, Any]


class Application(msgspec.Struct, frozen=True):
    """An application. ``configuration`` and ``run`` are documents in AWS's form.

    note: the id of the note that holds the code. error: why the last start failed. database: where
    its tables are, and role: the ARN of the role that limits it.
    """

    name: str
    mode: str
    runtime: str
    role: str
    status: str
    version: int
    created_ms: int
    updated_ms: int
    description: str = ""
    configuration: Document = {}
    run: Document = {}
    tags: dict[str, str] = {}
    log_streams: dict[str, str] = {}
    note: str | None = None
    error: str | None = None
    maintenance: str = "06:00"


class Version(msgspec.Struct, frozen=True):
    """One version: the application as it was, and when it became so."""

    version: int
    application: Application


class Operation(msgspec.Struct, frozen=True):
    """Something that was done to an application, with the versions before and after."""

    id: str
    operation: str
    status: str
    started_ms: int
    ended_ms: int | None = None
    version_from: int = 0
    version_to: int = 0
    error: str | None = None


class Snapshot(msgspec.Struct, frozen=True):
    """A snapshot: the savepoint of each job, by the number of its statement."""

    name: str
    status: str
    version: int
    created_ms: int
    runtime: str
    savepoints: dict[str, str] = {}


Applications = list[Application]
Versions = list[Version]
Operations = list[Operation]
Snapshots = list[Snapshot]


def code_of(application: Application) -> str | None:
    """The text of an application's code; None if it has none."""
    code = application.configuration.get("ApplicationCodeConfiguration") or {}
    text = (code.get("CodeContent") or {}).get("TextContent")
    return None if text is None else str(text)


def snapshots_enabled(application: Application) -> bool:
    """Whether stops leave snapshots; so they do unless it is switched off."""
    given = application.configuration.get("ApplicationSnapshotConfiguration") or {}
    return bool(given.get("SnapshotsEnabled", application.mode == STREAMING))


def check_name(name: str) -> None:
    """Refuse a name that AWS would not take. Raises ``invalid_argument``."""
    if not _NAME.fullmatch(name):
        message = f"{name[:80]!r} is no name for an application"
        hint = "1 to 128 letters, digits and _.-"
        raise EddylineError("invalid_argument", message, hint=hint)
