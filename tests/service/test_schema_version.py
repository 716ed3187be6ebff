"""SQLite files of earlier versions are brought up to date; those of later ones are refused."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from eddyline.clock import SYSTEM
from eddyline.errors import EddylineError
from eddyline.schema_version import upgrade
from eddyline.service.directory import DataDirectory
from eddyline.service.jobs import JobContext, JobStore

STEPS = (
    "CREATE TABLE IF NOT EXISTS a (n INTEGER)",
    "ALTER TABLE a ADD COLUMN m INTEGER; INSERT INTO a VALUES (7, 8)",
)


def version(db: sqlite3.Connection, part: str) -> int:
    sql = "SELECT version FROM schema_versions WHERE part = ?"
    return int(db.execute(sql, (part,)).fetchone()[0])


@pytest.mark.parametrize("first", [0, 1, 2], ids=["empty", "unnumbered", "version 1"])
def test_each_step_is_taken_once_from_each_earlier_version(first: int) -> None:
    db = sqlite3.connect(":memory:", isolation_level=None)
    if first == 1:
        db.execute("CREATE TABLE a (n INTEGER)")
    if first == 2:
        upgrade(db, "a", STEPS[:1])
        assert version(db, "a") == 1
    for _ in range(2):
        upgrade(db, "a", STEPS)
    assert version(db, "a") == 2
    assert db.execute("SELECT * FROM a").fetchall() == [(7, 8)]
    upgrade(db, "b", ("CREATE TABLE b (n INTEGER)",))
    assert (version(db, "a"), version(db, "b")) == (2, 1)
    db.close()


def test_tables_of_a_later_version_are_refused() -> None:
    db = sqlite3.connect(":memory:", isolation_level=None)
    upgrade(db, "a", STEPS)
    with pytest.raises(EddylineError, match="the tables of a were written by a newer") as refused:
        upgrade(db, "a", STEPS[:1])
    assert refused.value.code == "newer_format"
    db.close()


def test_failures_of_a_job_can_be_kept_in_a_directory_of_0_1_0(tmp_path: Path) -> None:
    directory = DataDirectory(tmp_path)
    directory.prepare()
    store = JobStore(directory, SYSTEM)
    context = JobContext("default_database", {}, [])
    made = {"session": "s", "run_id": "r", "index": 0, "sql": "INSERT", "context": context}
    job_id = store.create(name="kept", **made)  # type: ignore[arg-type]
    with sqlite3.connect(directory.meta) as db:  # as 0.1.0 left it
        db.executescript("DROP TABLE job_failures; DROP TABLE schema_versions")
    db.close()
    store = JobStore(directory, SYSTEM)
    store.reached(job_id, "FAILED", {"code": "internal", "message": "it broke"})
    assert [f.error["message"] for f in store.failures(job_id)] == ["it broke"]
    assert store.get("kept").actual == "FAILED"
