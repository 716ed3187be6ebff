"""Where records rest: durable streams of blocks over LMDB, readable by many processes.

The names below are loaded at first use, so that a command that needs no stream does not wait for
pyarrow and LMDB.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from eddyline.log.keys import EpochMark
    from eddyline.log.put import Placement, PutBatch
    from eddyline.log.reader import Damage, Slice
    from eddyline.log.reshard import Resharding
    from eddyline.log.shard import ShardInfo, StreamCounters, StreamInfo, StreamMode, StreamStatus
    from eddyline.log.store import LogStore
    from eddyline.log.stream import Stream

_HOMES = {
    "Damage": "reader",
    "EpochMark": "keys",
    "LogStore": "store",
    "Placement": "put",
    "PutBatch": "put",
    "Resharding": "reshard",
    "ShardInfo": "shard",
    "Slice": "reader",
    "Stream": "stream",
    "StreamCounters": "shard",
    "StreamInfo": "shard",
    "StreamMode": "shard",
    "StreamStatus": "shard",
}

__all__ = [
    "Damage",
    "EpochMark",
    "LogStore",
    "Placement",
    "PutBatch",
    "Resharding",
    "ShardInfo",
    "Slice",
    "Stream",
    "StreamCounters",
    "StreamInfo",
    "StreamMode",
    "StreamStatus",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
