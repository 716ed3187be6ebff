"""Folders and files of the data directory, which only their owner may read.

Whoever can read the directory can read every record, and sign in: the modes are set here, whatever
the process' umask is.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

FOLDER_MODE, FILE_MODE = 0o700, 0o600


def make_folder(path: Path) -> None:
    """Make a folder if it is not there, its parents too; take the rights of others away.

    Raises:
        OSError: it cannot be made.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        path.mkdir(FOLDER_MODE)
    tighten(path)


def tighten(path: Path) -> None:
    """Take the rights of others away from what an earlier version or another program made."""
    with contextlib.suppress(OSError):  # not ours, or a file system without rights
        mode = path.stat().st_mode & 0o777
        if mode & 0o077:
            path.chmod(mode & 0o700)


def write_once(path: Path, data: bytes) -> bytes:
    """What the file holds: ``data`` if this process was the one to make it.

    Raises:
        OSError: it can neither be read nor made.
    """
    with contextlib.suppress(FileNotFoundError):
        return path.read_bytes()
    aside = path.with_name(f"{path.name}-{os.getpid()}")
    file = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, FILE_MODE)
    try:
        os.write(file, data)
        os.fsync(file)
        with contextlib.suppress(FileExistsError):
            os.link(aside, path)
    finally:
        os.close(file)
        aside.unlink(missing_ok=True)
    return path.read_bytes()
