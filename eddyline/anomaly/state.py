"""Named arrays as compact bytes, and back: the wrapping of saved forests.

Little-endian throughout:

    magic "EDYF" | version u16 | length of the header u32 | header: JSON | planes | crc32 of both

The header lists the arrays. An array is stored byte plane by byte plane (all first bytes, then
all second bytes, …), each plane deflated where that pays: high bytes of small integers and
exponents of floats shrink to little, low bytes are random and are not tried.
"""

from __future__ import annotations

import json
import math
import struct
import zlib
from typing import Any

import numpy as np
import numpy.typing as npt

from eddyline.errors import EddylineError

MAGIC = b"EDYF"
VERSION = 1
_HEAD = struct.Struct("<4sHI")
_CRC = struct.Struct("<I")
_LEVEL = 1
_SAMPLE = 2048

Arrays = dict[str, npt.NDArray[Any]]


def pack(header: dict[str, Any], arrays: Arrays) -> bytes:
    """Header and named arrays as bytes."""
    planes: list[bytes] = []
    table = []
    for name, array in arrays.items():
        size = array.dtype.itemsize
        raw = np.ascontiguousarray(array).reshape(-1).view(np.uint8).reshape(-1, size)
        packed = [_deflated(raw[:, i].tobytes()) for i in range(size)]
        sizes = [len(p) if small else -len(p) for p, small in packed]
        table.append([name, array.dtype.str, list(array.shape), sizes])
        planes += [p for p, _ in packed]
    head = json.dumps({**header, "arrays": table}, separators=(",", ":")).encode()
    body = b"".join([head, *planes])
    return _HEAD.pack(MAGIC, VERSION, len(head)) + body + _CRC.pack(zlib.crc32(body))


def _deflated(plane: bytes) -> tuple[bytes, bool]:
    """The plane, smaller if a look at its beginning promises that; and whether it is."""
    if len(zlib.compress(plane[:_SAMPLE], _LEVEL)) > 0.9 * len(plane[:_SAMPLE]):
        return plane, False
    small = zlib.compress(plane, _LEVEL)
    return (small, True) if len(small) < len(plane) else (plane, False)


def unpack(state: bytes) -> tuple[dict[str, Any], Arrays]:
    """What ``pack`` was given.

    Raises:
        EddylineError: ``newer_format`` if a later version wrote it, ``corrupt_data`` if it is cut
            short, changed, or not a forest's state at all.
    """
    if len(state) < _HEAD.size:
        raise _corrupt("is cut short")
    magic, version, length = _HEAD.unpack_from(state)
    if magic != MAGIC:
        raise _corrupt("does not begin as one")
    if version > VERSION:
        msg = f"the saved forest has format {version}; this Eddyline reads up to {VERSION}"
        raise EddylineError("newer_format", msg, hint="use the Eddyline that wrote it, or newer")
    at = _HEAD.size + length
    whole = zlib.crc32(memoryview(state)[_HEAD.size : -_CRC.size])
    if len(state) < at + _CRC.size or _CRC.unpack(state[-_CRC.size :])[0] != whole:
        raise _corrupt("fails its checksum")
    header = json.loads(state[_HEAD.size : at])
    arrays: Arrays = {}
    for name, dtype, shape, sizes in header.pop("arrays"):
        raw = np.empty((math.prod(shape), len(sizes)), np.uint8)
        for i, size in enumerate(sizes):
            plane = state[at : at + abs(size)]
            plane = zlib.decompress(plane) if size > 0 else plane
            raw[:, i] = np.frombuffer(plane, np.uint8)
            at += abs(size)
        arrays[name] = raw.reshape(-1).view(np.dtype(dtype)).reshape(shape)
    return header, arrays


def _corrupt(how: str) -> EddylineError:
    hint = "restore a backup, or drop the state and let the forest learn anew"
    return EddylineError("corrupt_data", f"the saved forest {how}", hint=hint)
