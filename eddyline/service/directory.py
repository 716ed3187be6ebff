"""A data directory: its layout, its format version, and the lock that only one server holds.

The lock is an ``flock``. The kernel releases it when its process ends in whatever way, so no
stale file ever has to be removed by hand. Ports are test-bound without SO_REUSEPORT first,
because two servers that share a port would raise no error and answer alternately.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import socket
import tempfile
from pathlib import Path
from typing import IO, Any

from eddyline.errors import EddylineError
from eddyline.private import FILE_MODE, make_folder

FORMAT = 1
# A file that is deleted when a server starts on a full disk.
RESERVE, RESERVE_BYTES = "reserve", 4 << 20
RESERVE_TIMES = 4
# The longest path a Unix socket may have is 104 bytes on macOS, 108 on Linux.
SOCKET_PATH_MAX = 100


class DataDirectory:
    """The paths below ``<data_dir>``; makes the directory, refuses a newer format, locks it."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self._lock: IO[str] | None = None
        # Whether the disk was full when the directory was locked; then the reserve is gone.
        self.is_full = False

    @property
    def meta(self) -> Path:
        """SQLite: catalog, jobs, notes, generators, users."""
        return self.path / "meta.db"

    @property
    def monitor(self) -> Path:
        """SQLite: scored points and alerts."""
        return self.path / "monitor.db"

    @property
    def jobs(self) -> Path:
        """One directory per job."""
        return self.path / "jobs"

    def has_streams(self) -> bool:
        """Whether there is a stream, or what is left of one; told without loading the log."""
        with contextlib.suppress(OSError), os.scandir(self.path / "streams") as entries:
            return any(entries)
        return False

    def job(self, job_id: str) -> Path:
        """Where one job keeps its state."""
        return self.jobs / job_id

    def prepare(self) -> None:
        """Make the directory if it is not there, and see that we can read what is in it.

        Raises:
            EddylineError: ``newer_format``, ``access_denied`` or ``disk_full``.
        """
        try:
            for folder in (self.path, self.jobs, self.path / "templates", self.path / "logs"):
                make_folder(folder)
            self._check_format()
        except OSError as error:
            raise _unusable(self.path, error) from error

    def _check_format(self) -> None:
        file = self.path / "format"
        text = file.read_text().strip() if file.exists() else ""
        if not text:  # a new directory, or one whose disk was full when it was made
            file.write_text(f"{FORMAT}\n")
            return
        if not text.isdigit():
            msg = f"{file} holds {text[:40]!r}, which is no format version"
            hint = "is this a data directory of Eddyline? Give another one with --data-dir"
            raise EddylineError("corrupt_data", msg, hint=hint)
        if int(text) > FORMAT:
            msg = f"{self.path} was written by a newer Eddyline (format {text}, ours is {FORMAT})"
            raise EddylineError("newer_format", msg, hint="upgrade: pip install -U eddyline")

    def lock(self, **facts: Any) -> None:
        """Take the directory for this process; ``facts`` (ports) are for those who come later.

        Raises:
            EddylineError: ``directory_locked``, naming the process that holds it.
        """
        descriptor = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, FILE_MODE)
        file = os.fdopen(descriptor, "r+")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.close()
            raise self._locked() from None
        self._lock = file
        self.is_full = self._make_room()
        # A server that was killed leaves its socket: nobody is to take it for ours.
        self.socket_path().unlink(missing_ok=True)
        self.note(**facts)

    def note(self, **facts: Any) -> None:
        """Write into the lock file who holds it and where it listens."""
        assert self._lock is not None, "only the holder of the lock writes into it"
        text = json.dumps({"pid": os.getpid(), **facts})
        with contextlib.suppress(OSError):  # a full disk; the lock itself needs no room
            os.pwrite(self._lock.fileno(), text.encode(), 0)
            os.ftruncate(self._lock.fileno(), len(text))

    def _make_room(self) -> bool:
        """Delete the reserve if the disk is full, so that the server can start; True if it is full.

        SQLite needs a little free space even for reading.
        """
        if _free_bytes(self.path) >= RESERVE_BYTES:
            return False
        (self.path / RESERVE).unlink(missing_ok=True)
        return True

    def keep_reserve(self) -> None:
        """Create the reserve if it is missing and there is plenty of free space."""
        path = self.path / RESERVE
        if path.exists() or _free_bytes(self.path) < RESERVE_TIMES * RESERVE_BYTES:
            return
        with contextlib.suppress(OSError):
            path.write_bytes(bytes(RESERVE_BYTES))

    def unlock(self) -> None:
        """Let the directory go."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def holder(self) -> dict[str, Any] | None:
        """What the process that holds the lock wrote about itself; None if there is none."""
        try:
            with (self.path / "lock").open("r") as file:
                try:
                    fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
                except OSError:
                    with contextlib.suppress(ValueError):
                        holder: dict[str, Any] = json.load(file)
                        return holder
                    return {}
        except FileNotFoundError:
            pass
        return None

    def _locked(self) -> EddylineError:
        pid = (self.holder() or {}).get("pid")
        who = f"process {pid}" if pid else "another process"
        msg = f"the data directory {self.path} is in use by {who}"
        hint = "stop that one first, or give another directory with --data-dir"
        return EddylineError("directory_locked", msg, hint=hint)

    def new_socket_path(self) -> Path:
        """Where the holder of the lock puts its control socket.

        A path too long for a socket is replaced by one in a private temporary directory, which
        ``control.path`` then names.
        """
        path, pointer = self.path / "control.sock", self.path / "control.path"
        pointer.unlink(missing_ok=True)
        if len(os.fsencode(path)) > SOCKET_PATH_MAX:
            path = Path(tempfile.mkdtemp(prefix="eddyline-")) / "control.sock"
            pointer.write_text(str(path))
        path.unlink(missing_ok=True)
        return path

    def socket_path(self) -> Path:
        """Where the control socket of a running server is."""
        pointer = self.path / "control.path"
        with contextlib.suppress(FileNotFoundError):
            return Path(pointer.read_text())
        return self.path / "control.sock"


def _free_bytes(path: Path) -> int:
    status = os.statvfs(path)
    return status.f_bavail * status.f_frsize


def check_port(host: str, port: int, option: str) -> None:
    """See that a port is free; 0 always is.

    Raises:
        EddylineError: ``port_in_use`` or ``invalid_argument`` for an address that is not ours.
    """
    if port == 0:
        return
    try:
        with _bound(host, port):
            pass
    except PermissionError:
        msg = f"port {port} may be used by the system's administrator only"
        raise EddylineError("access_denied", msg, hint=f"{option} 1024 or more") from None
    except OSError as error:
        if error.errno in _IN_USE:
            msg = f"port {port} on {host} is in use by another program"
            hint = f"choose another one with {option}, or stop that program"
            raise EddylineError("port_in_use", msg, hint=hint) from None
        msg = f"cannot listen on {host}: {error.strerror}"
        raise EddylineError("invalid_argument", msg, hint="--host 127.0.0.1") from None


def free_port(host: str) -> int:
    """A port nobody listens on just now."""
    with _bound(host, 0) as bound:
        port: int = bound.getsockname()[1]
        return port


_IN_USE = (48, 98)  # EADDRINUSE of macOS and Linux


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
        bound.listen(1)
    except OSError:
        bound.close()
        raise
    return bound


def _unusable(path: Path, error: OSError) -> EddylineError:
    if error.errno == 28:
        return EddylineError("disk_full", f"no room for the data directory {path}")
    msg = f"cannot use {path} as a data directory: {error.strerror}"
    return EddylineError("access_denied", msg, hint="give another one with --data-dir")
