"""A job's database is compacted in proportion to what was written, not with each commit."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from eddyline.engine import database
from eddyline.engine.database import Database
from eddyline.settings import Settings

ROWS = 300_000


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.duckdb"


def opened(path: Path) -> Database:
    return Database(path, Settings(data_dir=path.parent, worker_threads=1))


def log_bytes(path: Path) -> int:
    log = path.with_name(path.name + ".wal")
    return log.stat().st_size if log.exists() else 0


def change(db: Database, seed: int) -> None:
    """Change a thousand rows all over the table."""
    keys = np.random.default_rng(seed).choice(ROWS, 1000, replace=False)
    with db.transaction():
        sets = ", ".join(f"{c} = t.{c} + 1" for c in ("v", *(f"c{i}" for i in range(8))))
        sql = f"MERGE INTO t USING b ON t.k = b.k WHEN MATCHED THEN UPDATE SET {sets}"
        db.run(sql, b=pa.table({"k": keys}))


def filled(path: Path) -> Database:
    db = opened(path)
    with db.transaction():
        columns = ", ".join(f"0::BIGINT AS c{i}" for i in range(8))
        db.run(f"CREATE TABLE t AS SELECT range AS k, 0::BIGINT AS v, {columns} FROM range({ROWS})")
    db.run(f"CHECKPOINT {db._name}")
    return db


def test_a_commit_writes_what_it_changed(path: Path) -> None:
    db, before = filled(path), path.stat().st_mtime_ns
    try:
        sizes = [log_bytes(path)]
        for seed in range(5):
            change(db, seed)
            sizes.append(log_bytes(path))
        assert path.stat().st_mtime_ns == before, "the database itself was rewritten"
        assert all(0 < b - a < 1 << 20 for a, b in pairwise(sizes))
    finally:
        db.close()


def test_a_large_log_is_moved_into_the_database(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "LOG_BYTES_MIN", 1_000_000)
    monkeypatch.setattr(database, "LOG_SHARE", 1 << 40)
    db, sizes = filled(path), []
    try:
        for seed in range(12):
            change(db, seed)
            sizes.append(log_bytes(path))
        assert max(sizes) < 2_500_000
        assert min(sizes[1:]) < max(sizes), "it never was compacted"
    finally:
        db.close()
    again = opened(path)
    try:
        assert again.one("SELECT sum(v) FROM t") == 12_000
    finally:
        again.close()
