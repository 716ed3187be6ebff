"""Where reading begins by sequence numbers: one for each shard that has one.

A shard without a number is read from its oldest record, unless a shard with a number came from it
by a split or a merge: all of its records are older than that number, so they are passed over.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping


def ancestors(shards: Iterable[int], parents: Mapping[int, tuple[int, ...]]) -> set[int]:
    """The shards that these came from, directly or not."""
    above: set[int] = set()
    waiting = list(shards)
    while waiting:
        for parent in parents.get(waiting.pop(), ()):
            if parent not in above:
                above.add(parent)
                waiting.append(parent)
    return above
