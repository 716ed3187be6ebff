"""Other shards for the same keys: split, merge, and both together to reach a number.

A shard is never changed or removed: it is closed at its newest record, and its range of hash keys
goes to younger shards that name it as their parent. A key's history is read
from the parents first and then from the children: a child's number is higher, and its records do
not arrive before its parents' newest.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from functools import reduce

from eddyline.errors import EddylineError
from eddyline.log.keys import Head
from eddyline.log.shard import HASH_KEYS, ShardInfo

# All a stream ever had; each takes some 200 bytes of its description.
SHARDS_EVER_MAX = 50_000


class Resharding:
    """The shards of a stream while they are rearranged, in one transaction."""

    def __init__(self, shards: Sequence[ShardInfo], heads: Sequence[Head], now_ms: int) -> None:
        self._shards = list(shards)
        self._heads = list(heads)
        self._now_ms = now_ms

    @property
    def shards(self) -> tuple[ShardInfo, ...]:
        """All shards as they are now, closed ones too."""
        return tuple(self._shards)

    @property
    def heads(self) -> list[Head]:
        """Their heads."""
        return self._heads

    def open(self) -> list[ShardInfo]:
        """The open shards, by their ranges."""
        return sorted(
            (s for s in self._shards if s.closed_offset is None), key=lambda s: s.starting_hash_key
        )

    def split(self, index: int, starting_hash_key: int | None = None) -> tuple[int, int]:
        """Two shards for one; the second begins at that hash key, or in the middle.

        Raises:
            EddylineError: ``invalid_argument`` for a key that leaves one of them empty,
                ``not_found`` and ``conflict`` for a shard that is not there or closed.
        """
        shard = self._open_shard(index)
        low, high = shard.starting_hash_key, shard.ending_hash_key
        middle = (low + high) // 2 + 1 if starting_hash_key is None else starting_hash_key
        if not low < middle <= high:
            msg = f"{shard.shard_id} cannot be split at hash key {middle}"
            raise EddylineError("invalid_argument", msg, hint=f"give one from {low + 1} to {high}")
        self._close(shard)
        return (
            self._add(low, middle - 1, shard),
            self._add(middle, high, shard),
        )

    def merge(self, index: int, adjacent: int) -> int:
        """One shard for two whose ranges touch.

        Raises:
            EddylineError: ``invalid_argument`` when they do not, ``not_found`` and ``conflict``
                for a shard that is not there or closed.
        """
        shard, other = self._open_shard(index), self._open_shard(adjacent)
        lower, upper = sorted((shard, other), key=lambda s: s.starting_hash_key)
        if lower.ending_hash_key + 1 != upper.starting_hash_key:
            msg = f"{shard.shard_id} and {other.shard_id} are not adjacent"
            hint = "merge shards whose ranges of hash keys touch"
            raise EddylineError("invalid_argument", msg, hint=hint)
        self._close(shard)
        self._close(other)
        return self._add(lower.starting_hash_key, upper.ending_hash_key, shard, other)

    def scale(self, count: int) -> None:
        """Split and merge until ``count`` open shards share the keys evenly.

        Shards that only come to be on the way are closed, empty, and stay in the lineage.
        """
        width = HASH_KEYS // count
        ends = [*(width * i for i in range(1, count)), HASH_KEYS]
        opened = deque(self.open())
        for end in ends:
            pieces: list[int] = []
            while opened and opened[0].starting_hash_key < end:
                shard = opened.popleft()
                index = shard.index
                if shard.ending_hash_key >= end:
                    index, behind = self.split(index, end)
                    opened.appendleft(self._shards[behind])
                pieces.append(index)
            reduce(self.merge, pieces)

    def _open_shard(self, index: int) -> ShardInfo:
        if not 0 <= index < len(self._shards):
            msg = f"there is no shard {index}"
            raise EddylineError("not_found", msg, hint=f"there are {len(self._shards)}, from 0")
        shard = self._shards[index]
        if shard.closed_offset is not None:
            hint = "choose an open shard; its children have its keys now"
            raise EddylineError("conflict", f"{shard.shard_id} is closed", hint=hint)
        return shard

    def _close(self, shard: ShardInfo) -> None:
        end = self._heads[shard.index].next_offset
        self._shards[shard.index] = replace(shard, closed_offset=end)

    def _add(self, low: int, high: int, *parents: ShardInfo) -> int:
        """A shard behind its parents: in number, in creation and in arrival."""
        index = len(self._shards)
        if index >= SHARDS_EVER_MAX:
            msg = f"the stream has had {index} shards, and can have no more"
            raise EddylineError("limit_exceeded", msg, hint="make a new stream")
        created_ms = max(self._now_ms, *(p.created_ms + 1 for p in parents), 0)
        adjacent = parents[1].index if len(parents) > 1 else None
        self._shards.append(ShardInfo(index, low, high, created_ms, parents[0].index, adjacent))
        self._heads.append(Head(last_ms=max(self._heads[p.index].last_ms for p in parents)))
        return index
