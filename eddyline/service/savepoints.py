"""Savepoints: named copies of a stopped job's state, from which another job can start.

A savepoint is a folder of ``savepoints/`` in the data directory: the job's state without rows that
were delivered already, and ``savepoint.json``. It is a copy, so the job it was taken of may go on,
and several jobs may start from it. A job that starts from a savepoint is a new one with its own
place in its sinks.
"""

from __future__ import annotations

import re
import shutil
import tarfile
from pathlib import Path

import msgspec

from eddyline.clock import Clock
from eddyline.errors import EddylineError, nearest
from eddyline.service.directory import DataDirectory
from eddyline.service.jobs import STOPPED, JobInfo
from eddyline.settings import Settings

FILE = "savepoint.json"
# What belongs to the job itself and not to its state.
_NOT_COPIED = shutil.ignore_patterns("spill", "dead_letters.db*")
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,128}")


class SavepointInfo(msgspec.Struct, frozen=True):
    """A savepoint: its name, the job it was taken of and that job's statement, when, how large."""

    name: str
    job_id: str
    job_name: str | None
    sql: str
    created_ms: int
    size_bytes: int = 0


SavepointInfos = list[SavepointInfo]


class Savepoints:
    """The savepoints of a data directory."""

    def __init__(self, directory: DataDirectory, settings: Settings, clock: Clock) -> None:
        self._jobs = directory
        self._path = directory.path / "savepoints"
        self._settings = settings
        self._clock = clock

    def take(self, job: JobInfo, name: str | None = None) -> SavepointInfo:
        """Copy a stopped job's state.

        Raises:
            EddylineError: ``conflict`` for a job that has not stopped, ``already_exists``
                for a name that is taken, ``invalid_argument`` for one that cannot be a folder's.
        """
        from eddyline.engine.state import JobState

        source = self._jobs.job(job.job_id)
        if job.actual != STOPPED or not source.exists():
            message = f"job {job.name or job.job_id} is {job.actual.lower()}: it has no savepoint"
            raise EddylineError("conflict", message, hint="STOP JOB … WITH SAVEPOINT takes one")
        now_ms = self._clock.now_ms()
        name = name or f"{job.name or job.job_id}-{now_ms}"
        target = self._folder(name)
        if target.exists():
            raise _taken(name)
        info = SavepointInfo(name, job.job_id, job.name, job.sql, now_ms)
        unfinished = self._path / f".{name}"
        shutil.rmtree(unfinished, ignore_errors=True)
        shutil.copytree(source, unfinished, ignore=_NOT_COPIED)
        state = JobState(unfinished, self._settings)
        try:
            state.detach()
        finally:
            state.close()
        (unfinished / FILE).write_bytes(msgspec.json.encode(info))
        unfinished.rename(target)
        return self.get(name)

    def list(self) -> SavepointInfos:
        """All savepoints, oldest first."""
        files = self._path.glob(f"[!.]*/{FILE}") if self._path.exists() else ()
        infos = [_read(file) for file in files]
        return sorted(infos, key=lambda info: (info.created_ms, info.name))

    def get(self, name: str) -> SavepointInfo:
        """One savepoint, by name or by its folder's path. Raises ``not_found``."""
        for info in self.list():
            if name == info.name or Path(name) == self._path / info.name:
                return info
        near = nearest(name, [info.name for info in self.list()])
        hint = f"did you mean {near[0]}?" if near else "eddyline job savepoints lists them"
        raise EddylineError("not_found", f"there is no savepoint {name}", hint=hint)

    def folder(self, name: str) -> Path:
        """Where a savepoint lies. Raises ``not_found``."""
        return self._path / self.get(name).name

    def statement(self, name: str) -> str:
        """The statement to restore a savepoint with: one that begins a job, and nothing else.

        The file of an imported savepoint may come from anybody, so its text is not trusted.

        Raises:
            EddylineError: ``not_found``; ``bad_file`` for any other text.
        """
        info = self.get(name)
        _check_statement(info.sql, f"savepoint {name}")
        return info.sql

    def restore(self, name: str, job_id: str) -> None:
        """Give a new job the state of a savepoint. Raises ``not_found``."""
        info = self.get(name)
        target = self._jobs.job(job_id)
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(self._path / info.name, target, ignore=shutil.ignore_patterns(FILE))

    def copy(self, name: str, new: str) -> SavepointInfo:
        """Copy a savepoint under another name.

        Raises:
            EddylineError: ``not_found``; ``already_exists`` or ``invalid_argument`` for the name.
        """
        source, info, target = self.folder(name), self.get(name), self._folder(new)
        if target.exists():
            raise _taken(new)
        unfinished = self._path / f".{new}"
        shutil.rmtree(unfinished, ignore_errors=True)
        shutil.copytree(source, unfinished)
        renamed = msgspec.structs.replace(info, name=new, size_bytes=0)
        (unfinished / FILE).write_bytes(msgspec.json.encode(renamed))
        unfinished.rename(target)
        return self.get(new)

    def export(self, name: str, file: Path) -> SavepointInfo:
        """Write a savepoint into a file (tar, gzip) that ``take_in`` reads, on any machine.

        Raises:
            EddylineError: ``not_found``; ``already_exists`` if the file is there; ``bad_file`` if
                it cannot be written.
        """
        info = self.get(name)
        try:
            with tarfile.open(file, "x:gz") as archive:
                for path in sorted((self._path / info.name).iterdir()):
                    archive.add(path, path.name)
        except FileExistsError:
            raise EddylineError("already_exists", f"there is a file {file} already") from None
        except OSError as error:
            message = f"the savepoint cannot be written to {file}: {error.strerror}"
            raise EddylineError("bad_file", message) from error
        return info

    def take_in(self, file: Path, name: str | None = None) -> SavepointInfo:
        """Make a savepoint of a file that ``export`` wrote, under its old name or another.

        Raises:
            EddylineError: ``bad_file`` for anything else; ``already_exists`` for a name that is
                taken.
        """
        unfinished = self._path / f".import-{file.name}"
        shutil.rmtree(unfinished, ignore_errors=True)
        try:
            unfinished.mkdir(mode=0o700, parents=True)
            with tarfile.open(file, "r:gz") as archive:
                archive.extractall(unfinished, filter="data")
            info = msgspec.json.decode((unfinished / FILE).read_bytes(), type=SavepointInfo)
            _check_statement(info.sql, str(file))
            target = self._folder(name or info.name)
            if target.exists():
                raise _taken(target.name)
            info = msgspec.structs.replace(info, name=target.name)
            (unfinished / FILE).write_bytes(msgspec.json.encode(info))
            unfinished.rename(target)
        except (OSError, EOFError, tarfile.TarError, msgspec.MsgspecError) as error:
            message = f"{file} is no savepoint that was exported"
            raise EddylineError("bad_file", message, detail=str(error)) from error
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
        return self.get(target.name)

    def remove(self, name: str) -> None:
        """Delete a savepoint; jobs that started from it are not touched. Raises ``not_found``."""
        shutil.rmtree(self._path / self.get(name).name)

    def _folder(self, name: str) -> Path:
        if not _NAME.fullmatch(name) or name.startswith("."):
            message = f"a savepoint cannot be named {name!r}"
            hint = "use letters, digits, dots, dashes and underscores"
            raise EddylineError("invalid_argument", message, hint=hint)
        self._path.mkdir(mode=0o700, parents=True, exist_ok=True)
        return self._path / name


def _taken(name: str) -> EddylineError:
    message = f"there is a savepoint {name} already"
    return EddylineError("already_exists", message, hint="give it another name")


def _check_statement(sql: str, where: str) -> None:
    """Refuse a text that is more than one INSERT, statement set or CREATE TABLE ... AS."""
    from eddyline.sql import statement as s
    from eddyline.sql.parse import parse_script

    statements = parse_script(sql)
    begins_job = len(statements) == 1 and (
        isinstance(statements[0], s.Insert | s.StatementSet)
        or (isinstance(statements[0], s.CreateTable) and statements[0].query is not None)
    )
    if not begins_job:
        message = f"{where} has another text than a job's statement: {' '.join(sql.split())[:80]}"
        hint = "only what eddyline job export wrote can be imported and restored"
        raise EddylineError("bad_file", message, hint=hint)


def _read(file: Path) -> SavepointInfo:
    info = msgspec.json.decode(file.read_bytes(), type=SavepointInfo)
    size = sum(f.stat().st_size for f in file.parent.iterdir() if f.is_file())
    return msgspec.structs.replace(info, size_bytes=size)
