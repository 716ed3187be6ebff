"""Records of a key and a value, each in a format of its own, as Kafka's are.

Both travel as one payload: the key's length, the key, whether there is a value, the value.
"""

from __future__ import annotations

import struct
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from eddyline.record.formats.format import BadField, Decoded, Decoder
from eddyline.record.schema import Schema

_NO_KEY = 0xFFFFFFFF
_LENGTH = struct.Struct(">I")


def framed(key: bytes | None, value: bytes | None) -> bytes:
    """A key and a value as one payload; None for one that is not there."""
    length = _LENGTH.pack(_NO_KEY if key is None else len(key))
    return b"".join((length, key or b"", b"\0" if value is None else b"\1", value or b""))


def unframed(payload: bytes) -> tuple[bytes | None, bytes | None]:
    """What ``framed`` put together."""
    (length,) = _LENGTH.unpack_from(payload)
    start = _LENGTH.size
    key = None if length == _NO_KEY else payload[start : start + length]
    at = start + (0 if length == _NO_KEY else length)
    return key, payload[at + 1 :] if payload[at] else None


class KeyedDecoder:
    """Columns of the key from the key, all others from the value; no value leaves them NULL."""

    def __init__(
        self, schema: Schema, keys: dict[str, str], key: Decoder | None, value: Decoder
    ) -> None:
        """keys: column to its name in the key. key: None if no column of the key is read."""
        self._schema = schema
        self._keys = keys
        self._key = key
        self._value = value

    def decode(self, payload: pa.BinaryArray) -> Decoded:
        """The rows of the payloads, in order."""
        pairs = [unframed(p) for p in payload.to_pylist()]
        values = [v for _, v in pairs]
        decoded, origin = _decoded(self._value, values)
        tables = {"value": decoded}
        errors = list(decoded.errors)
        if self._key is not None:
            own, _ = _decoded(self._key, [k for k, _ in pairs])
            tables["key"] = replace(own, table=own.table.take(pa.array(origin)))
            errors += [replace(e, column=self._column(e.column)) for e in own.errors]
        columns = [
            tables["key"].table[self._keys[c.name]]
            if c.name in self._keys and "key" in tables
            else decoded.table[c.name]
            for c in self._schema
        ]
        table = pa.table(columns, names=list(self._schema.names))
        whole = len(origin) == len(pairs) and decoded.origin is None
        return Decoded(
            table, tuple(errors), decoded.kinds, None if whole else origin, decoded.metadata
        )

    def _column(self, name: str | None) -> str | None:
        return next((c for c, own in self._keys.items() if own == name), name)


def _decoded(decoder: Decoder, data: list[bytes | None]) -> tuple[Decoded, npt.NDArray[np.int64]]:
    """What is there decoded, NULL for what is not, and the place in ``data`` of each row."""
    there = np.array([i for i, d in enumerate(data) if d is not None], np.int64)
    decoded = decoder.decode(pa.array([d for d in data if d is not None], pa.binary()))
    errors = tuple(BadField(int(there[e.row]), e.column, e.text, e.reason) for e in decoded.errors)
    own = there if decoded.origin is None else there[decoded.origin]
    if len(there) == len(data):
        return replace(decoded, errors=errors), own
    missing = np.array([i for i, d in enumerate(data) if d is None], np.int64)
    order = np.argsort(np.concatenate([own, missing]), kind="stable")
    rows = pa.array([int(i) if i < len(own) else None for i in order], pa.int64())
    kinds = decoded.kinds
    if kinds is not None:
        kinds = np.concatenate([kinds, np.zeros(len(missing), np.int8)])[order]
    metadata = {name: values.take(rows) for name, values in decoded.metadata.items()}
    table = decoded.table.take(rows)
    return (
        replace(decoded, table=table, errors=errors, kinds=kinds, metadata=metadata),
        np.concatenate([own, missing])[order],
    )
