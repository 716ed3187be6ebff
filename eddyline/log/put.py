"""What is put: records by columns, their way to shards, and where they landed.

A record goes to the shard whose range holds the MD5 of its partition key, as in Kinesis. Hash
keys are kept as 16 big-endian bytes, whose order is the order of the numbers, so that one binary
search over a column routes a whole batch.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from operator import itemgetter
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from eddyline.errors import EddylineError
from eddyline.log.packed import Packed, from_arrow, pack
from eddyline.log.sequence import SequenceNumber, sequence_numbers
from eddyline.log.shard import HASH_KEYS, ShardInfo

try:  # without OpenSSL's set-up for each digest, which takes longer than the digest
    from _md5 import md5  # type: ignore[import-not-found]
except ImportError:  # a Python without it
    from hashlib import md5

# Arrow counts bytes of a column in 31 bits; half of it leaves room to join two.
BATCH_BYTES_MAX = 1 << 30
# About 10 MB, for all streams of a process.
DIGESTS_MAX = 50_000


@dataclass(slots=True)
class PutBatch:
    """n records: partition keys, payloads, and hash keys that override the keys' MD5."""

    keys: Sequence[str] | pa.StringArray
    data: Sequence[bytes] | pa.BinaryArray
    explicit_hash_keys: Sequence[int | None] | None = None

    def __len__(self) -> int:
        return len(self.data)


@dataclass(frozen=True, slots=True)
class Placement:
    """Where n records landed: shard (n,) and offset (n,), in the order they were given."""

    shard: npt.NDArray[np.int32]
    offset: npt.NDArray[np.int64]
    shards: tuple[ShardInfo, ...]

    def shard_ids(self) -> list[str]:
        """The shard's name of each record."""
        names = [s.shard_id for s in self.shards]
        return [names[i] for i in self.shard.tolist()]

    def sequence_numbers(self) -> list[SequenceNumber]:
        """The public number of each record."""
        used = np.unique(self.shard).tolist()
        if len(used) == 1:
            created_ms = self.shards[used[0]].created_ms
            return sequence_numbers(used[0], created_ms, self.offset.tolist())
        out = np.empty(len(self.shard), object)
        for index in used:
            where = self.shard == index
            created_ms = self.shards[index].created_ms
            out[where] = sequence_numbers(index, created_ms, self.offset[where].tolist())
        numbers: list[SequenceNumber] = out.tolist()
        return numbers


@dataclass(frozen=True, slots=True)
class ShardPut:
    """The records of a put that go to one shard; rows (n,) is where they stood in the put."""

    shard: int
    rows: npt.NDArray[np.int64]
    records: Packed


@dataclass(frozen=True, slots=True)
class ListPut:
    """A put of lists, with the hash key of each record; nothing in it can be refused any more."""

    keys: list[str]
    data: list[bytes]
    hashes: list[bytes]
    nbytes: int

    def __len__(self) -> int:
        return len(self.data)

    @staticmethod
    def joined(lots: list[ListPut]) -> ListPut:
        """All of them, one after the other."""
        keys, data, hashes = (
            list(chain.from_iterable(getattr(p, name) for p in lots))
            for name in ("keys", "data", "hashes")
        )
        return ListPut(keys, data, hashes, sum(p.nbytes for p in lots))


@dataclass(frozen=True, slots=True)
class ArrowPut:
    """A put as Arrow columns."""

    keys: pa.StringArray
    data: pa.BinaryArray
    explicit_hash_keys: Sequence[int | None] | None

    def __len__(self) -> int:
        return len(self.data)

    @property
    def nbytes(self) -> int:
        """Bytes it takes in memory."""
        return int(self.keys.nbytes + self.data.nbytes)


def prepared(batch: PutBatch) -> ListPut | ArrowPut:
    """The batch, checked: as lists where it came so, else as columns.

    Raises:
        EddylineError: as ``columns``; ``invalid_argument`` for an explicit hash key of more than
            128 bits.
    """
    _check(batch.explicit_hash_keys)
    return _listed(batch) or columns(batch)


def _listed(batch: PutBatch) -> ListPut | None:
    """Lists of texts and bytes; None for anything else, of which ``columns`` says what it is."""
    keys, data, explicit = batch.keys, batch.data, batch.explicit_hash_keys
    if not (isinstance(keys, list) and isinstance(data, list) and len(keys) == len(data) > 0):
        return None
    if explicit is not None and len(explicit) != len(keys):
        return None
    try:
        if explicit is None:
            hashes = [_digests[k] for k in keys]
        else:
            pairs = zip(keys, explicit, strict=True)
            hashes = [_digests[k] if e is None else _hash_bytes(e) for k, e in pairs]
    except (AttributeError, TypeError, UnicodeError):  # no texts
        return None
    nbytes = sum(map(len, data)) + sum(map(len, keys)) if set(map(type, data)) == _BYTES else -1
    return ListPut(keys, data, hashes, nbytes) if 0 <= nbytes <= BATCH_BYTES_MAX // 4 else None


def columns(batch: PutBatch) -> ArrowPut:
    """The batch as Arrow columns.

    Raises:
        EddylineError: ``invalid_argument`` for what is not n strings and n byte strings,
            ``limit_exceeded`` above 1 GiB.
    """
    keys = _column(batch.keys, pa.string(), "keys")
    data = _column(batch.data, pa.binary(), "data")
    explicit = batch.explicit_hash_keys
    counts = {len(keys), len(data), len(data if explicit is None else explicit)}
    if len(counts) > 1:
        msg = f"a batch has {len(keys)} keys and {len(data)} payloads"
        raise EddylineError("invalid_argument", msg, hint="give one key for each payload")
    if keys.nbytes + data.nbytes > BATCH_BYTES_MAX:
        msg = f"a batch of {keys.nbytes + data.nbytes} bytes is too large"
        hint = f"put at most {BATCH_BYTES_MAX} bytes at once"
        raise EddylineError("limit_exceeded", msg, hint=hint)
    return ArrowPut(keys, data, explicit)


def _column(values: Any, kind: pa.DataType, what: str) -> Any:
    try:
        if isinstance(values, pa.ChunkedArray):
            values = values.combine_chunks()
        array = values if isinstance(values, pa.Array) else pa.array(values, kind)
        if array.type != kind:
            array = array.cast(kind)
    except (pa.ArrowException, UnicodeError, TypeError) as error:
        msg = f"the {what} of a batch cannot be stored: {error}"
        hint = "keys are text without lone surrogates, data are bytes"
        raise EddylineError("invalid_argument", msg, hint=hint) from None
    if array.null_count:
        msg = f"the {what} of a batch hold {array.null_count} nulls"
        raise EddylineError("invalid_argument", msg, hint="leave such records out")
    return array


class HashKeyRoutes:
    """The open shards of a stream, as a binary search over the space of hash keys."""

    def __init__(self, shards: tuple[ShardInfo, ...]) -> None:
        opened = sorted(
            (s for s in shards if s.closed_offset is None), key=lambda s: s.starting_hash_key
        )
        self.shards = shards
        self._indexes = np.array([s.index for s in opened], np.int32)
        self._firsts = [_hash_bytes(s.starting_hash_key) for s in opened]
        self._starts = np.array(self._firsts, "S16")

    def parts(self, put: ListPut | ArrowPut) -> list[ShardPut]:
        """The put cut by shard, each part in the put's order."""
        if isinstance(put, ListPut):
            return self._of_lists(put)
        return self._of_columns(put) if len(put) else []

    def _of_lists(self, put: ListPut) -> list[ShardPut]:
        """Lists are brought into the order of the shards before they are packed.

        A list is rearranged at a tenth of what it costs to rearrange bytes.
        """
        n = len(put)
        if n == 1 or len(self._indexes) == 1:
            only = bisect_right(self._firsts, put.hashes[0]) - 1
            return [ShardPut(int(self._indexes[only]), _counted(n), pack(put.keys, put.data))]
        order, bounds = self._order(put.hashes)
        moved = itemgetter(*order.tolist())
        return self._cut(pack(moved(put.keys), moved(put.data)), order, bounds)

    def _of_columns(self, put: ArrowPut) -> list[ShardPut]:
        if len(self._indexes) == 1:
            records = from_arrow(put.keys, put.data)
            return [ShardPut(int(self._indexes[0]), _counted(len(put)), records)]
        order, bounds = self._order(_hashes(put))
        taken = pa.array(order)
        return self._cut(from_arrow(put.keys.take(taken), put.data.take(taken)), order, bounds)

    def _order(self, hashes: list[bytes]) -> tuple[npt.NDArray[np.int64], list[int]]:
        """(n,) the records by shard, and where each shard's begin and end among them."""
        given = np.frombuffer(b"".join(hashes), "S16")
        place = np.searchsorted(self._starts, given, side="right") - 1
        order = np.argsort(place, kind="stable")
        bounds = np.searchsorted(place[order], np.arange(len(self._indexes) + 1))
        return order, bounds.tolist()

    def _cut(
        self, records: Packed, rows: npt.NDArray[np.int64], bounds: list[int]
    ) -> list[ShardPut]:
        """Parts of records that are in the order of the shards."""
        return [
            ShardPut(index, rows[a:b], records.cut(a, b))
            for index, a, b in zip(self._indexes.tolist(), bounds[:-1], bounds[1:], strict=True)
            if b > a
        ]


class _Digests(dict[str, bytes]):
    """The MD5 of partition keys lately seen: the same keys come again and again."""

    def __missing__(self, key: str) -> bytes:
        if len(self) >= DIGESTS_MAX:
            self.clear()
        digest: bytes = md5(key.encode()).digest()
        self[key] = digest
        return digest


_digests = _Digests()
_ONE = np.zeros(1, np.int64)
_BYTES = {bytes}


def _counted(n: int) -> npt.NDArray[np.int64]:
    return _ONE if n == 1 else np.arange(n, dtype=np.int64)


def _hash_bytes(hash_key: int) -> bytes:
    return hash_key.to_bytes(16, "big")


def _check(explicit: Sequence[int | None] | None) -> None:
    for hash_key in explicit or ():
        if hash_key is not None and not 0 <= hash_key < HASH_KEYS:
            msg = f"explicit hash key {hash_key} is outside the key space"
            raise EddylineError("invalid_argument", msg, hint="it must be below 2^128")


def _hashes(put: ArrowPut) -> list[bytes]:
    texts = put.keys.to_pylist()
    if put.explicit_hash_keys is None:
        return [_digests[k] for k in texts]
    return [
        _digests[k] if e is None else _hash_bytes(e)
        for k, e in zip(texts, put.explicit_hash_keys, strict=True)
    ]
