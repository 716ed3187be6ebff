"""COMPILE PLAN and EXECUTE PLAN: statements with the tables they use, in a file.

A compiled plan holds an INSERT or a statement set as it was written, with the tables, views and
options as they were when it was compiled; executing it does not look at the catalog, whatever has
become of it since.
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlparse

import msgspec

from eddyline.errors import EddylineError
from eddyline.service.jobs import JobContext

FORMAT, VERSION = "eddyline-plan", 1


class CompiledInsert(msgspec.Struct, frozen=True):
    """One INSERT or statement set: its text, and what planning it again needs."""

    sql: str
    context: JobContext


class CompiledPlan(msgspec.Struct, frozen=True):
    """The contents of a plan's file."""

    format: str
    version: int
    inserts: list[CompiledInsert]


def _file(path: str) -> Path:
    """The file of a path: ``/a/b`` or ``file:///a/b``.

    Raises:
        EddylineError: ``invalid_argument`` for another scheme.
    """
    parts = urlparse(path)
    if parts.scheme not in ("", "file"):
        hint = "write a path of this machine, for example /a/plan.json"
        raise EddylineError("invalid_argument", f"a plan cannot be at {path!r}", hint=hint)
    return Path(unquote(parts.path) if parts.scheme else path)


def write_plan(path: str, inserts: list[CompiledInsert], *, force: bool) -> None:
    """Write a plan's file; ``force`` replaces one that exists.

    Raises:
        EddylineError: ``already_exists``; ``bad_file`` for a path that cannot be written.
    """
    file = _file(path)
    if file.exists() and not force:
        hint = "remove it, or SET 'table.plan.force-recompile' = 'true'"
        raise EddylineError("already_exists", f"the plan {file} exists already", hint=hint)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        text = msgspec.json.encode(CompiledPlan(FORMAT, VERSION, inserts))
        file.write_bytes(msgspec.json.format(text))
    except OSError as error:
        msg = f"the plan {file} cannot be written: {error.strerror}"
        raise EddylineError("bad_file", msg) from error


def plan_exists(path: str) -> bool:
    """Whether there is a file at a plan's path."""
    return _file(path).exists()


def read_plan(path: str) -> list[CompiledInsert]:
    """The INSERTs of a plan's file.

    Raises:
        EddylineError: ``not_found``; ``bad_file`` for a file that is no such plan, for example
            one that Flink compiled; ``newer_format``.
    """
    file = _file(path)
    plan = _decoded(file)
    if plan.format != FORMAT:
        raise _no_plan(file)
    if plan.version > VERSION:
        msg = f"the plan {file} was written by a newer Eddyline"
        raise EddylineError("newer_format", msg, hint="compile it again here")
    return plan.inserts


def _decoded(file: Path) -> CompiledPlan:
    try:
        return msgspec.json.decode(file.read_bytes(), type=CompiledPlan)
    except FileNotFoundError:
        hint = "COMPILE PLAN writes one"
        raise EddylineError("not_found", f"there is no plan {file}", hint=hint) from None
    except OSError as error:
        raise EddylineError(
            "bad_file", f"the plan {file} cannot be read: {error.strerror}"
        ) from error
    except msgspec.DecodeError:
        raise _no_plan(file) from None


def _no_plan(file: Path) -> EddylineError:
    hint = "compile the statement here with COMPILE PLAN; a plan of Flink cannot be executed"
    return EddylineError("bad_file", f"{file} is not a plan of Eddyline", hint=hint)
