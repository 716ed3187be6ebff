"""What the tests of the log share: a store with small blocks, puts and reads in plain Python."""

from __future__ import annotations

import struct
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import lmdb

from eddyline.clock import SYSTEM, Clock
from eddyline.log import LogStore, Placement, PutBatch, Stream
from eddyline.log.keys import BLOCK_KEY_BYTES
from eddyline.settings import Settings

QUICK = {"stream_delay_ms": 0, "map_gib": 1, "disk_free_mib_min": 0}
HOME = Path(__file__).parents[2]


def settings(**changes: Any) -> Settings:
    return Settings(**{**QUICK, "fsync": False, **changes})


def store_at(path: Path, clock: Clock = SYSTEM, **changes: Any) -> LogStore:
    return LogStore(path, settings(**changes), clock)


def put(stream: Stream, data: Iterable[bytes], key: str = "k") -> Placement:
    payloads = list(data)
    return stream.put(PutBatch([key] * len(payloads), payloads)).result(30)


def read_all(stream: Stream, shard: int = 0, **limits: int) -> list[bytes]:
    """Every record of a shard that can be read."""
    out: list[bytes] = []
    offset, end = stream.bounds(shard)
    while offset < end:
        got = stream.read(shard, offset, **limits)
        assert got.next_offset > offset
        out += got.data.to_pylist()
        offset = got.next_offset
    return out


def child(code: str, *args: object) -> subprocess.Popen[bytes]:
    """A process that runs ``code`` with ``args`` as sys.argv[1:]."""
    command = [sys.executable, "-c", code, *map(str, args)]
    return subprocess.Popen(command, cwd=HOME, stdout=subprocess.PIPE)


def end(process: subprocess.Popen[bytes]) -> None:
    """kill -9."""
    process.kill()
    process.wait(30)
    if process.stdout is not None:
        process.stdout.close()


def blocks(folder: Path, shard: int = 0) -> list[tuple[bytes, bytes]]:
    """(key, bytes) of all blocks of a shard; nobody may have the stream open here."""
    with lmdb.open(str(folder), create=False, readonly=True) as env, env.begin() as txn:
        prefix = b"b" + struct.pack(">I", shard)
        items = [(k, v) for k, v in txn.cursor() if k.startswith(prefix)]
    assert all(len(k) == BLOCK_KEY_BYTES for k, _ in items)
    return items


def folders(root: Path) -> list[str]:
    """What lies among the streams, those and whatever was left behind."""
    return sorted(p.name for p in (root / "streams").iterdir() if p.is_dir())


def overwrite(folder: Path, key: bytes, value: bytes | None) -> None:
    """Put other bytes in the place of a stored value, or none."""
    with lmdb.open(str(folder), create=False) as env, env.begin(write=True) as txn:
        if value is None:
            txn.delete(key)
        else:
            txn.put(key, value)
