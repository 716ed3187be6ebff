"""The hash of a row's key: 64 bits, the same for equal keys, in every version.

Runs on disk are sorted by it, so it must never change. Two keys with one hash do no harm: their
rows are fetched together.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Hashes = npt.NDArray[np.uint64]

_NULL = np.uint64(0x9E3779B97F4A7C15)
_FACTOR = np.uint64(0x100000001B3)
_FIRST, _SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


def is_hashable(t: pa.DataType) -> bool:
    """Whether equal values of a type have equal hashes (an interval of 30 days is a month)."""
    return bool(
        pa.types.is_integer(t)
        or pa.types.is_boolean(t)
        or pa.types.is_floating(t)
        or pa.types.is_decimal128(t)
        or pa.types.is_timestamp(t)
        or pa.types.is_date(t)
        or pa.types.is_time(t)
        or _is_bytes(t)
    )


def are_comparable(left: pa.DataType, right: pa.DataType) -> bool:
    """Whether equal values of two types have equal hashes."""
    if left == right:
        return is_hashable(left)
    return bool(pa.types.is_integer(left) and pa.types.is_integer(right))


def key_hashes(rows: pa.Table, keys: Sequence[str]) -> Hashes:
    """One hash per row."""
    hashes = np.zeros(rows.num_rows, np.uint64)
    for key in keys:
        hashes = _mixed(hashes * _FACTOR + _column(rows[key]))
    return hashes


def _mixed(h: Hashes) -> Hashes:
    """Every bit of the result depends on every bit of the hash (the finalizer of splitmix64)."""
    h = (h ^ (h >> np.uint64(30))) * _FIRST
    h = (h ^ (h >> np.uint64(27))) * _SECOND
    return h ^ (h >> np.uint64(31))


def _column(column: pa.ChunkedArray) -> Hashes:
    values = column.combine_chunks()
    if isinstance(values, pa.ChunkedArray):  # of more bytes than one array may have
        return np.concatenate([_array(chunk) for chunk in values.chunks])
    return _array(values)


def _array(values: pa.Array) -> Hashes:
    t = values.type
    if not len(values):
        return np.zeros(0, np.uint64)
    if _is_bytes(t):
        hashes = _of_bytes(values)
    elif pa.types.is_decimal128(t):
        raw = np.frombuffer(values.buffers()[1], np.uint64)
        halves = raw[2 * values.offset : 2 * (values.offset + len(values))].reshape(-1, 2)
        hashes = halves[:, 0] + halves[:, 1] * _FIRST
    elif pa.types.is_floating(t):
        floats = pc.fill_null(values.cast(pa.float64()), 0.0).to_numpy() + 0.0  # no -0.0
        hashes = np.where(np.isnan(floats), np.nan, floats).view(np.uint64)
    else:
        if pa.types.is_date32(t) or pa.types.is_time32(t):
            values = values.cast(pa.int32())
        hashes = pc.fill_null(values.cast(pa.int64()), 0).to_numpy().view(np.uint64)
    if values.null_count:
        hashes = np.where(values.is_null().to_numpy(zero_copy_only=False), _NULL, hashes)
    return hashes


def _of_bytes(values: pa.Array) -> Hashes:
    """A polynomial over each value's bytes, and its length."""
    wide = pa.types.is_large_string(values.type) or pa.types.is_large_binary(values.type)
    _, offsets_buffer, data = values.buffers()
    offsets = np.frombuffer(offsets_buffer, np.int64 if wide else np.int32)
    offsets = offsets[values.offset : values.offset + len(values) + 1].astype(np.int64)
    lengths = np.diff(offsets)
    hashes = lengths.astype(np.uint64) * _SECOND
    filled = np.flatnonzero(lengths)
    if not len(filled):
        return hashes
    first, last = int(offsets[0]), int(offsets[-1])
    raw = np.frombuffer(data, np.uint8)[first:last]
    starts = (offsets[:-1][filled] - first).astype(np.int64)
    sizes = lengths[filled]
    powers = np.cumprod(np.full(int(sizes.max()), _FACTOR, np.uint64))
    places = np.arange(len(raw)) - np.repeat(starts, sizes)
    terms = (raw.astype(np.uint64) + np.uint64(1)) * powers[places]
    hashes[filled] += np.add.reduceat(terms, starts)
    return hashes


def _is_bytes(t: pa.DataType) -> bool:
    return bool(
        pa.types.is_string(t)
        or pa.types.is_binary(t)
        or pa.types.is_large_string(t)
        or pa.types.is_large_binary(t)
    )
