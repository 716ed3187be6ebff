"""A file, or standard input, as bytes: unpacked by its first bytes, and as UTF-8.

Compressions are recognised by their magic numbers, never by the name. A text that is not UTF-8 is
read as UTF-16 where it begins with its mark, else as Windows-1252, which holds Latin-1's letters.
"""

from __future__ import annotations

import bz2
import codecs
import gzip
import io
import lzma
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from eddyline.errors import EddylineError

STDIN = "-"
SNIFF_BYTES = 65_536
_ZSTD = b"\x28\xb5\x2f\xfd"
_XZ = b"\xfd7zXZ\x00"
_MAGIC = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", _XZ: "xz", _ZSTD: "zstd", b"PK\x03\x04": "zip"}
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
# What reading a torn or foreign file raises.
TORN = (OSError, EOFError, ValueError, zipfile.BadZipFile, lzma.LZMAError, zlib.error)


def open_input(path: Path, encoding: str | None = None) -> IO[bytes]:
    """The bytes of a file, unpacked and as UTF-8; ``-`` is standard input.

    Raises:
        EddylineError: ``not_found``, ``bad_file``.
    """
    raw = _opened(path)
    try:
        head = raw.peek(SNIFF_BYTES)
        packing = next((name for magic, name in _MAGIC.items() if head.startswith(magic)), None)
        source = raw if packing is None else _buffered(_unpacked(raw, packing, path), raw)
        head = source.peek(SNIFF_BYTES)
    except TORN as error:
        raw.close()
        raise EddylineError("bad_file", f"cannot read {path}: {error}") from error
    except EddylineError:
        raw.close()
        raise
    name = encoding or _encoding(head)
    if name is None:
        return source
    try:
        decoder = codecs.getincrementaldecoder(name)("replace")
    except LookupError:
        source.close()
        hint = "as in --encoding latin-1 or utf-16"
        raise EddylineError(
            "invalid_argument", f"no encoding is called {name!r}", hint=hint
        ) from None
    return _buffered(_Transcoded(source, decoder))


def _opened(path: Path) -> Any:
    if str(path) == STDIN:
        return open(0, "rb", buffering=SNIFF_BYTES, closefd=False)
    try:
        return path.open("rb", buffering=SNIFF_BYTES)
    except FileNotFoundError:
        message = f"there is no file {path}"
        raise EddylineError("not_found", message, hint="check the path") from None
    except OSError as error:
        raise EddylineError("bad_file", f"cannot read {path}: {error.strerror}") from error


def _unpacked(raw: Any, packing: str, path: Path) -> Any:
    plain: dict[str, Callable[[Any], Any]] = {
        "gzip": gzip.open,
        "bzip2": bz2.open,
        "xz": lzma.open,
        "zstd": _zstd,
    }
    if packing in plain:
        return plain[packing](raw)
    whole: Any = raw if raw.seekable() else io.BytesIO(raw.read())
    archive = zipfile.ZipFile(whole)
    names = [
        i.filename for i in archive.infolist() if not i.is_dir() and not _is_litter(i.filename)
    ]
    if len(names) != 1:
        message = f"{path} holds {len(names)} files; one is replayed at a time"
        raise EddylineError("bad_file", message, hint=f"unpack one of {', '.join(names[:5])}")
    return archive.open(names[0])


def _is_litter(name: str) -> bool:
    """Whether it is what macOS puts beside the files of an archive."""
    return name.startswith("__MACOSX/") or name.rsplit("/", 1)[-1] == ".DS_Store"


def _zstd(raw: Any) -> Any:
    import pyarrow as pa

    return pa.CompressedInputStream(pa.PythonFile(raw, "r"), "zstd")


class _Readable(io.RawIOBase):
    """Any object with ``read(n)`` as a raw stream."""

    def __init__(self, inner: Any, owned: tuple[Any, ...]) -> None:
        self._inner = inner
        self._owned = owned

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._inner.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        if not self.closed:
            for stream in (self._inner, *self._owned):
                stream.close()
        super().close()


class _Transcoded:
    """A stream in another encoding, as UTF-8."""

    def __init__(self, inner: io.BufferedReader, decoder: codecs.IncrementalDecoder) -> None:
        self._inner = inner
        self._decoder = decoder
        self._rest = b""

    def read(self, n: int) -> bytes:
        while not self._rest:
            data = self._inner.read(n)
            self._rest = self._decoder.decode(data, final=not data).encode()
            if not data:
                break
        out, self._rest = self._rest[:n], self._rest[n:]
        return out

    def close(self) -> None:
        self._inner.close()


def _buffered(inner: Any, *owned: Any) -> io.BufferedReader:
    """A buffered stream of what ``inner`` reads; ``owned`` is closed with it."""
    return io.BufferedReader(_Readable(inner, owned), SNIFF_BYTES)


def _encoding(head: bytes) -> str | None:
    """The encoding of a text by its first bytes; None for UTF-8 and for what is no text."""
    if head.startswith(_UTF16):
        return "utf-16"
    if b"\x00" in head:
        return None
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return "cp1252"
    return None
