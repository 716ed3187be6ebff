"""One LMDB environment: its transactions, and what its errors mean.

LMDB's handle must not be closed during a transaction, and must be closed before the same file can
be opened again. So users are counted, and closing waits for the last one. A handle that LMDB
itself has given up (after a failed write of its own pages) is opened again for the next user.
"""

from __future__ import annotations

import contextlib
import errno
import os
import resource
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import lmdb

from eddyline.clock import SYSTEM
from eddyline.errors import EddylineError
from eddyline.log.reserve import unreal_lists
from eddyline.private import FILE_MODE, FOLDER_MODE
from eddyline.settings import Settings

READERS_MAX = 512
# How often a writer checks that its file is still the stream's.
LOOK_S = 0.05
# Finished read transactions kept for the next reader; each holds a slot of READERS_MAX.
SPARE_READERS = 4
DATA_FILE, LOCK_FILE = "data.mdb", "lock.mdb"
# What a repair keeps of the file that it has replaced.
DAMAGED_FILE = "damaged.mdb"
# A slot of 64 bytes per reader after a header; and the unit in which stat(2) counts blocks.
LOCK_BYTES = (READERS_MAX + 8) * 64
_BLOCK_BYTES = 512
_DAMAGE = (lmdb.CorruptedError, lmdb.PageNotFoundError, lmdb.InvalidError)
_FULL = (errno.ENOSPC, errno.EFBIG, errno.EDQUOT)
# LMDB reports a partial write as an input/output error. With less free space than this, or under a
# limit of file sizes, the cause was a full disk.
_SHORT_BYTES = 64 << 20


class LmdbEnvironment:
    """The environment in a folder; safe for many threads."""

    def __init__(self, folder: Path, settings: Settings) -> None:
        self.folder = folder
        self._settings = settings
        self._users = 0
        self._broken = False
        # Set once LMDB finds its own pages damaged; whoever opens the stream then repairs it.
        self.damaged = False
        self._turn = threading.Condition()
        self._look_at = 0.0
        self._inode = _inode(folder / DATA_FILE)
        self._lmdb: Any = self._open()

    def _open(self) -> Any:
        with translated(f"stream {self.folder.name}"), unreal_lists():
            _allocate_lock_file(self.folder)
            environment = lmdb.open(
                str(self.folder),
                map_size=self._settings.map_gib << 30,
                max_readers=READERS_MAX,
                max_spare_txns=SPARE_READERS,
                sync=self._settings.fsync,
                metasync=self._settings.fsync,
                meminit=False,
                create=False,
                mode=FILE_MODE,
            )
        try:
            self._check_length(environment)
        except EddylineError:
            environment.close()
            raise
        return environment

    def _check_length(self, environment: Any) -> None:
        """Refuse a truncated file: reading a mapped page beyond its end raises SIGBUS."""
        expected = (environment.info()["last_pgno"] + 1) * environment.stat()["psize"]
        path = self.folder / DATA_FILE
        length = path.stat().st_size
        # Before the first commit the file is shorter than its two meta pages say.
        if length < expected and environment.info()["last_txnid"] > 0:
            msg = f"stream {self.folder.name}: {path} has {length} of its {expected} bytes"
            hint = "restore the stream from a backup, or delete it"
            raise EddylineError("corrupt_data", msg, hint=hint)

    @contextmanager
    def use(self) -> Iterator[Any]:
        """LMDB's handle; it stays open within the context."""
        with self._turn:
            if self._broken:
                self._reopen()
            if self._lmdb is None:
                raise StreamDeleted(self.folder.name)
            self._users += 1
            handle = self._lmdb
        try:
            yield handle
        except lmdb.PanicError:
            self._broken = True
            raise
        except _DAMAGE:
            self.damaged = True
            raise
        finally:
            with self._turn:
                self._users -= 1
                self._turn.notify_all()

    def _reopen(self) -> None:
        self._turn.wait_for(lambda: self._users == 0)
        if self._broken and self._lmdb is not None:
            self._lmdb.close()
            self._lmdb = self._open()
        self._broken = False

    @contextmanager
    def read(self) -> Iterator[Any]:
        """A short read transaction; values are views that become invalid at its end."""
        with translated(f"stream {self.folder.name}"), self.use() as handle:  # noqa: SIM117
            with handle.begin(buffers=True) as txn:
                yield txn

    @contextmanager
    def write(self) -> Iterator[Any]:
        """A write transaction; durable once this has been left without an error."""
        what = f"stream {self.folder.name}"
        with translated(what, self.folder), self.use() as handle:  # noqa: SIM117
            with handle.begin(write=True, buffers=True) as txn:
                self._check_in_place()
                yield txn

    def _check_in_place(self) -> None:
        """Refuse to write where nobody will read: into a file that was repaired and replaced.

        The file is looked at now and then: a system call for each commit costs too much. A repair
        waits for that (``repair.FENCE_S``).
        """
        now = SYSTEM.monotonic()
        if now < self._look_at:
            return
        self._look_at = now + LOOK_S
        if _inode(self.folder / DATA_FILE) not in (self._inode, None):
            if _inode(self.folder / DAMAGED_FILE) != self._inode:
                raise StreamDeleted(self.folder.name)  # another stream has the name now
            msg = f"stream {self.folder.name} has been repaired meanwhile"
            raise EddylineError("corrupt_data", msg, hint="try again")

    def last_transaction(self) -> int:
        """The number of the newest commit, of any process, that readers see."""
        with self.read() as txn:
            return int(txn.id())

    def settle(self, key: bytes) -> bool:
        """Make a killed process' unannounced commit visible; True if there was one.

        LMDB announces a commit to readers after it is on disk. If a process is killed between the
        two, readers see its commit only after the next one. This makes one, which writes the value
        of ``key`` unchanged.
        """
        with self.use() as handle:
            written = int(handle.info()["last_txnid"])
        if written <= self.last_transaction():
            return False
        with self.write() as txn:
            txn.put(key, bytes(txn.get(key) or b""))
        return True

    def clear_dead_readers(self) -> int:
        """Free the slots of killed readers; gives how many there were."""
        with self.use() as handle:
            return int(handle.reader_check())

    def free_bytes(self) -> int:
        """Free space on the disk."""
        with translated(f"stream {self.folder.name}"):
            status = os.statvfs(self.folder)
        return status.f_bavail * status.f_frsize

    def close(self) -> None:
        """Wait for the last user, then close."""
        with self._turn:
            self._turn.wait_for(lambda: self._users == 0)
            if self._lmdb is not None:
                self._lmdb.close()
                self._lmdb = None


def _inode(path: Path) -> int | None:
    """The file's number; None if there is none."""
    try:
        return path.stat().st_ino
    except FileNotFoundError:
        return None


def check_reserve(folder: Path, settings: Settings) -> None:
    """Raise ``disk_full`` if the disk has less free space than streams must leave."""
    status = os.statvfs(folder)
    free, least = status.f_bavail * status.f_frsize, settings.disk_free_mib_min << 20
    if free < least:
        raise reserved(free, least)


def reserved(free: int, least: int) -> EddylineError:
    """The error of a write that would use the disk's reserve; both arguments in bytes."""
    msg = f"the disk has {free >> 20} MiB left; streams keep {least >> 20} MiB free"
    hint = "free space, or lower EDDYLINE_DISK_FREE_MIB_MIN"
    return EddylineError("disk_full", msg, hint=hint)


def _allocate_lock_file(folder: Path) -> None:
    """Give LMDB's lock file its blocks before LMDB maps it.

    LMDB writes into the mapped file, where a block that the disk cannot provide ends the process
    with SIGBUS; allocated here, a full disk is an error like any other.
    """
    path = folder / LOCK_FILE
    with contextlib.suppress(FileNotFoundError):
        if path.stat().st_blocks * _BLOCK_BYTES >= LOCK_BYTES:
            return
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, FILE_MODE)
    try:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(file, 0, LOCK_BYTES)
        elif os.fstat(file).st_size == 0:
            os.write(file, bytes(LOCK_BYTES))
    finally:
        os.close(file)


def make(folder: Path, settings: Settings, fill: Callable[[Any], None]) -> None:
    """Make an environment in a new folder with what ``fill`` writes into it; durable on return."""
    with translated(f"stream {folder.name}"), unreal_lists():
        folder.mkdir(FOLDER_MODE, parents=True)
        check_reserve(folder, settings)
        _allocate_lock_file(folder)
        env = lmdb.open(
            str(folder),
            map_size=settings.map_gib << 30,
            max_readers=READERS_MAX,
            meminit=False,
            mode=FILE_MODE,
        )
        try:
            fill(env)
        finally:
            env.close()


@contextmanager
def translated(what: str, folder: Path | None = None) -> Iterator[None]:
    """Translate errors of LMDB and the system; ``what`` names the object in the message.

    folder: the folder that was written to, if any.
    """
    try:
        yield
    except (lmdb.Error, OSError) as error:
        raise _meaning(error, what, folder) from error


def _meaning(error: Exception, what: str, folder: Path | None) -> EddylineError:
    text = str(error)
    full = _is_full(error, text) or (folder is not None and _is_short(error, text, folder))
    if isinstance(error, lmdb.MapFullError) or full:
        hint = "free space, shorten the stream's retention or raise EDDYLINE_MAP_GIB"
        msg = f"{what}: there is no room to write; nothing was stored"
        return EddylineError("disk_full", msg, detail=text, hint=hint)
    if isinstance(error, FileNotFoundError):
        hint = "it was deleted, or its folder was moved away"
        return EddylineError("not_found", f"{what} is not there any more", hint=hint)
    if isinstance(error, lmdb.VersionMismatchError):
        hint = "upgrade: pip install -U eddyline lmdb"
        return EddylineError("newer_format", f"{what} has a newer file format", hint=hint)
    if isinstance(error, _DAMAGE):
        hint = "restore the stream from a backup, or delete it"
        return EddylineError("corrupt_data", f"{what} is damaged", detail=text, hint=hint)
    if isinstance(error, PermissionError | lmdb.ReadonlyError):
        hint = "give this user the right to read and write the data directory"
        return EddylineError("access_denied", f"{what} may not be opened: {text}", hint=hint)
    if isinstance(error, lmdb.ReadersFullError):
        hint = f"at most {READERS_MAX} reads can run on one stream at a time"
        return EddylineError("limit_exceeded", f"{what} has too many readers", hint=hint)
    hint = "look at the disk and the system's log"
    return EddylineError("internal", f"{what}: the disk refused: {text}", hint=hint)


def _is_full(error: Exception, text: str) -> bool:
    if isinstance(error, OSError):
        return error.errno in _FULL
    return any(os.strerror(code) in text for code in _FULL)


def _is_short(error: Exception, text: str, folder: Path) -> bool:
    """Whether a write failed because it no longer fitted."""
    if not isinstance(error, lmdb.Error) or os.strerror(errno.EIO) not in text:
        return False
    limit, _ = resource.getrlimit(resource.RLIMIT_FSIZE)
    status = os.statvfs(folder)
    return limit != resource.RLIM_INFINITY or status.f_bavail * status.f_frsize < _SHORT_BYTES


class StreamDeleted(EddylineError):
    """The error of a handle whose stream was deleted or closed."""

    def __init__(self, stream: str) -> None:
        hint = "list the streams; create it again, or open the one that took its name"
        super().__init__("not_found", f"stream {stream} was deleted or closed", hint=hint)
        self.stream = stream
