"""A bounded cache of decoded blocks, for readers that read on in small steps.

The last block read is kept per shard. Without a bound, a process that reads a thousand streams
would hold a gigabyte.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass

from eddyline.log.block import RecordBlock

CACHE_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class _CachedBlock:
    key: bytes
    crc: int
    block: RecordBlock
    size: int


class BlockCache:
    """The last block of each shard, the longest unused ones let go first."""

    def __init__(self, limit: int = CACHE_BYTES) -> None:
        self._limit = limit
        self._size = 0
        self._held: OrderedDict[tuple[int, int], _CachedBlock] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, owner: object, shard: int, key: bytes, crc: int) -> RecordBlock | None:
        """The block under that key, if it has still the same checksum."""
        with self._lock:
            held = self._held.get((id(owner), shard))
            if held is None or held.key != key or held.crc != crc:
                return None
            self._held.move_to_end((id(owner), shard))
            return held.block

    def put(self, owner: object, shard: int, key: bytes, crc: int, block: RecordBlock) -> None:
        """Keep a block in place of the shard's last one."""
        held = _CachedBlock(key, crc, block, block.size)
        with self._lock:
            self._drop((id(owner), shard))
            self._held[id(owner), shard] = held
            self._size += held.size
            while self._size > self._limit and self._held:
                self._drop(next(iter(self._held)))

    def forget(self, owner: object) -> None:
        """Let go of all blocks of a stream that is closed."""
        with self._lock:
            for place in [p for p in self._held if p[0] == id(owner)]:
                self._drop(place)

    @property
    def size(self) -> int:
        """Bytes held."""
        return self._size

    def _drop(self, place: tuple[int, int]) -> None:
        held = self._held.pop(place, None)
        if held is not None:
            self._size -= held.size


BLOCKS = BlockCache()
