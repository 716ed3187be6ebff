"""What is stored of channels and queues: read as it was written, cleared when they are gone."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from eddyline.aws.kinesis.channels.store import Channel, Channels
from eddyline.aws.kinesis.context import KinesisContext
from eddyline.aws.kinesis.queues.store import Queue, Queues
from eddyline.clock import ManualClock
from eddyline.log import LogStore
from eddyline.settings import Settings

NOW_MS = 1_764_000_000_000
COMMON: dict[str, Any] = {
    "id": "i1",
    "name": "n1",
    "stream": "s",
    "stream_id": "x",
    "stream_created_ms": 1,
    "created_ms": 2,
    "active_ms": 3,
    "updating_ms": 0,
    "gone_ms": None,
    "tags": {"a": "b"},
    "policy": None,
}
OWN: dict[str, dict[str, Any]] = {
    "queue": {"visibility_s": 30, "receives_max": 6, "start": "LATEST", "start_ms": 4},
    "channel": {
        "role": "r",
        "record_format": "JSON",
        "freshness_s": 300,
        "destination": {"StorageConfiguration": {}},
        "logging": {},
        "encryption": None,
        "failed": None,
    },
}


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW_MS)


@pytest.fixture
def context(tmp_path: Path, clock: ManualClock) -> Iterator[KinesisContext]:
    settings = Settings(data_dir=tmp_path, fsync=False)
    with closing(LogStore(tmp_path, settings, clock)) as store:
        yield KinesisContext(store, settings)


def written(folder: Path, noun: str) -> None:
    """A file of this version's format, by hand."""
    with closing(sqlite3.connect(folder / f"{noun}s.db")) as db:
        db.execute(f"CREATE TABLE {noun} (id TEXT PRIMARY KEY, name TEXT UNIQUE, facts TEXT)")
        db.execute(
            f"CREATE TABLE place ({noun} TEXT, shard INTEGER, next INTEGER, "
            f"PRIMARY KEY ({noun}, shard))"
        )
        facts = json.dumps({**COMMON, **OWN[noun]})
        db.execute(f"INSERT INTO {noun} VALUES ('i1', 'n1', ?)", (facts,))
        db.execute("INSERT INTO place VALUES ('i1', 0, 5)")
        db.execute("PRAGMA user_version = 1")
        db.commit()


def test_a_stored_channel_is_read_and_delivers_on(context: KinesisContext, tmp_path: Path) -> None:
    written(tmp_path, "channel")
    channels = Channels(context)
    assert channels.all() == [Channel(**COMMON, **OWN["channel"])]
    assert channels.positions("i1") == {0: 5}
    channels.advance("i1", 0, 9)
    assert channels.positions("i1") == {0: 9}
    failed = channels.change("i1", failed="no bucket")
    assert failed is not None
    assert (failed.status(NOW_MS), failed.status(2)) == ("FAILED", "CREATING")


def test_a_stored_queue_is_read_and_changed(context: KinesisContext, tmp_path: Path) -> None:
    written(tmp_path, "queue")
    queues = Queues(context)
    assert queues.get("i1") == Queue(**COMMON, **OWN["queue"])
    changed = queues.change("i1", visibility_s=5, updating_ms=NOW_MS + 1)
    assert changed is not None
    assert (changed.visibility_s, changed.status(NOW_MS)) == (5, "UPDATING")
    assert queues.get("i1") == changed
    assert queues.change("i2", visibility_s=5) is None


def test_a_name_is_free_again_once_its_queue_is_gone(
    context: KinesisContext, clock: ManualClock
) -> None:
    queues = Queues(context)
    queue = Queue(**COMMON, **OWN["queue"])
    other = Queue(**{**COMMON, "id": "i2"}, **OWN["queue"])
    assert queues.add(queue, {0: 5})
    queues.change("i1", gone_ms=NOW_MS + 10)
    assert not queues.add(other, {0: 7})
    assert [q.status(NOW_MS) for q in queues.all()] == ["DELETING"]
    clock.advance(10)
    assert queues.all() == []
    assert queues.add(other, {0: 7})
    with closing(sqlite3.connect(context.settings.data_dir / "queues.db")) as db:
        assert db.execute("SELECT * FROM place").fetchall() == [("i2", 0, 7)]
