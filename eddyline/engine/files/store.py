"""A folder or bucket that files are listed in, read from and written to.

A written file appears whole or not at all: a local one is renamed into place after it is synced,
and an object of S3 exists once its upload has ended.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol
from urllib.parse import unquote, urlparse

from eddyline.errors import EddylineError
from eddyline.settings import Settings

Writer = Callable[[BinaryIO], None]
S3_SCHEMES = ("s3", "s3a", "s3n")
BUCKETS = "buckets"


@dataclass(frozen=True, slots=True)
class FileInfo:
    """One file. path: as positions name it. relative: below the root, with ``/`` between parts."""

    path: str
    relative: str
    size: int
    modified_ms: int


class FileStore(Protocol):
    """The files below one root."""

    @property
    def root(self) -> str: ...

    def exists(self) -> bool:
        """Whether there is a file or folder at the root."""

    def files(self) -> list[FileInfo]:
        """All visible files in the order of their paths; . and _ hide a name."""

    def open(self, path: str, offset: int) -> BinaryIO:
        """A file to read from a byte on."""

    def write(self, relative: str, write: Writer) -> None:
        """Make a file of what ``write`` puts into the file that it is given."""

    def remove(self, file: FileInfo) -> None:
        """Remove a file, if it is still there."""


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Errors of the file system as ours."""
    try:
        yield
    except OSError as error:
        message = f"file {str(path)[:200]} cannot be read: {error.strerror}"
        hint = "see that 'path' is right and that this user may read it"
        raise EddylineError("bad_file", message, hint=hint) from error


class LocalStore:
    """A file or folder of this machine."""

    def __init__(self, root: Path) -> None:
        self._root = root

    @property
    def root(self) -> str:
        return str(self._root)

    def exists(self) -> bool:
        with _reading(self._root):
            return self._root.exists()

    def files(self) -> list[FileInfo]:
        with _reading(self._root):
            if self._root.is_file():
                return [self._info(self._root)]
            if not self._root.is_dir():
                return []
            return [self._info(p) for p in sorted(self._root.rglob("*")) if self._is_visible(p)]

    def open(self, path: str, offset: int) -> BinaryIO:
        with _reading(Path(path)):
            file = Path(path).open("rb")  # noqa: SIM115 (the caller closes it)
            file.seek(offset)
            return file

    def write(self, relative: str, write: Writer) -> None:
        path = self._root / relative
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            hidden = path.with_name("." + path.name)
            with hidden.open("wb") as file:
                write(file)
                file.flush()
                os.fsync(file.fileno())
            hidden.replace(path)
        except OSError as e:
            msg = f"file {path} cannot be written: {e.strerror}"
            raise EddylineError("disk_full" if e.errno == 28 else "bad_file", msg) from e

    def remove(self, file: FileInfo) -> None:
        try:
            Path(file.path).unlink(missing_ok=True)
        except OSError as e:
            raise EddylineError("bad_file", f"{file.path} cannot be removed: {e.strerror}") from e

    def _is_visible(self, path: Path) -> bool:
        parts = path.relative_to(self._root).parts
        return path.is_file() and not any(p.startswith((".", "_")) for p in parts)

    def _info(self, path: Path) -> FileInfo:
        stat = path.stat()
        relative = path.relative_to(self._root).as_posix() if path != self._root else path.name
        return FileInfo(str(path), relative, stat.st_size, stat.st_mtime_ns // 1_000_000)


def store_of(text: str, settings: Settings) -> FileStore:
    """The store of a path: ``/a/b``, ``file:///a/b``, ``s3://bucket/a`` or ``s3a://bucket/a``.

    A bucket is one of the S3 endpoint that the settings or AWS_ENDPOINT_URL_S3 name; without one it
    is a folder of the data directory, where channels deliver to.

    Raises:
        EddylineError: ``invalid_argument`` for another scheme.
    """
    parts = urlparse(text)
    if parts.scheme in ("", "file"):
        return LocalStore(Path(unquote(parts.path) if parts.scheme else text))
    if parts.scheme in S3_SCHEMES and parts.netloc:
        endpoint = settings.s3_endpoint or os.environ.get("AWS_ENDPOINT_URL_S3", "")
        key = unquote(parts.path).strip("/")
        if endpoint:
            from eddyline.engine.files.s3 import S3Store

            return S3Store(parts.netloc, key, endpoint, settings.region)
        return LocalStore(settings.data_dir / BUCKETS / parts.netloc / key)
    hint = "write a path of this machine, 'file:///…', or 's3://bucket/…'"
    raise EddylineError("invalid_argument", f"path {text!r} cannot be read here", hint=hint)
