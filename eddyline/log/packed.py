"""Records on their way into a block: offsets and bytes, as they will lie there.

Writing needs no Arrow: a list of texts becomes one text and its lengths, and several lots of
records become one by moving their offsets.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Int32s = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Packed:
    """n records: offsets int32 (n + 1,) from 0, and the bytes of keys and payloads behind them."""

    key_offsets: Int32s
    keys: bytes | memoryview
    data_offsets: Int32s
    data: bytes | memoryview

    def __len__(self) -> int:
        return len(self.key_offsets) - 1

    @property
    def payload(self) -> int:
        """Bytes of keys and payloads."""
        return len(self.keys) + len(self.data)

    def cut(self, start: int, stop: int) -> Packed:
        """The records from ``start`` up to ``stop``; their bytes are not copied."""
        return Packed(
            *_cut(self.key_offsets, self.keys, start, stop),
            *_cut(self.data_offsets, self.data, start, stop),
        )


def _cut(
    offsets: Int32s, values: bytes | memoryview, start: int, stop: int
) -> tuple[Int32s, memoryview]:
    low, high = int(offsets[start]), int(offsets[stop])
    cut = offsets[start : stop + 1]
    return (cut - low if low else cut), memoryview(values)[low:high]


def pack(keys: Sequence[str], data: Sequence[bytes]) -> Packed:
    """n texts and n payloads."""
    n = len(keys)
    text = "".join(keys)
    raw = text.encode()
    if len(raw) == len(text):
        key_lengths = np.fromiter(map(len, keys), np.int32, n)
    else:
        key_lengths = np.fromiter((len(k.encode()) for k in keys), np.int32, n)
    data_lengths = np.fromiter(map(len, data), np.int32, n)
    return Packed(_ends(key_lengths), raw, _ends(data_lengths), b"".join(data))


def _ends(lengths: Int32s) -> Int32s:
    out = np.empty(len(lengths) + 1, np.int32)
    out[0] = 0
    np.cumsum(lengths, out=out[1:])
    return out


def from_arrow(keys: pa.StringArray, data: pa.BinaryArray) -> Packed:
    """n records of two columns, whose bytes are not copied."""
    return Packed(*_parts(keys), *_parts(data))


def _parts(array: pa.Array) -> tuple[Int32s, memoryview]:
    whole, data = offsets(array), array.buffers()[2]
    low, high = int(whole[0]), int(whole[-1])
    body = memoryview(data)[low:high] if data is not None else memoryview(b"")
    return (whole - low if low else whole), body


def offsets(array: pa.Array) -> Int32s:
    """int32 (n + 1,) as they lie in the array's buffer."""
    buffer = array.buffers()[1]
    if buffer is None or not len(array):
        return np.zeros(1, np.int32)
    return np.frombuffer(buffer, np.int32)[array.offset : array.offset + len(array) + 1]


def join(lots: list[Packed]) -> Packed:
    """All of them, one after the other."""
    if len(lots) == 1:
        return lots[0]
    return Packed(
        _joined([p.key_offsets for p in lots]),
        b"".join([p.keys for p in lots]),
        _joined([p.data_offsets for p in lots]),
        b"".join([p.data for p in lots]),
    )


def _joined(lots: list[Int32s]) -> Int32s:
    out = np.empty(sum(map(len, lots)) - len(lots) + 1, np.int32)
    out[0] = at = base = 0
    for offsets in lots:
        n = len(offsets) - 1
        np.add(offsets[1:], base, out=out[at + 1 : at + 1 + n])
        at += n
        base += int(offsets[-1])
    return out
