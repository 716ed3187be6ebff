"""One memory limit for all jobs of a process; who needs more is named, the others go on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from statement_kit import Sql

from eddyline.engine.database import Database
from eddyline.errors import EddylineError
from eddyline.settings import Settings

MIB = 64


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path, worker_memory_mib=MIB, worker_threads=1)


def test_the_databases_of_a_process_share_one_limit_and_nothing_else(
    settings: Settings, tmp_path: Path
) -> None:
    one, two = Database(None, settings), Database(tmp_path / "two.duckdb", settings)
    one.run("CREATE TABLE t AS SELECT 1 AS x")
    two.run("CREATE TABLE t AS SELECT 2 AS x")
    assert (one.one("SELECT x FROM t"), two.one("SELECT x FROM t")) == (1, 2)
    limit = "SELECT current_setting('memory_limit')"
    assert one.one(limit) == two.one(limit) == "64.0 MiB"
    in_memory = "SELECT count(*) FROM duckdb_databases() WHERE NOT internal AND path IS NOT NULL"
    assert one.one(in_memory) == 1, "both are attached to one instance"
    one.close()
    assert two.one("SELECT x FROM t") == 2
    two.close()
    again = Database(tmp_path / "two.duckdb", settings)
    assert again.one("SELECT x FROM t") == 2
    again.close()
    again.close()


def test_a_state_in_use_is_a_conflict_and_harms_nobody(settings: Settings, tmp_path: Path) -> None:
    one = Database(tmp_path / "one.duckdb", settings)
    with pytest.raises(EddylineError) as e:
        Database(tmp_path / "one.duckdb", settings)
    assert e.value.code == "conflict"
    broken = tmp_path / "broken.duckdb"
    broken.write_bytes(b"no database" * 1000)
    with pytest.raises(EddylineError) as e:
        Database(broken, settings)
    assert e.value.code == "corrupt_data"
    assert one.one("SELECT 1") == 1
    one.close()


@pytest.fixture
def sql(tmp_path: Path) -> Iterator[Sql]:
    kit = Sql(tmp_path)
    yield kit
    kit.close()


def test_the_operator_that_needs_more_is_named_and_a_neighbour_goes_on(
    sql: Sql, settings: Settings
) -> None:
    sql.table("t", "k INT, v STRING", [{"k": i, "v": f"{i}"} for i in range(20)])
    neighbour = Database(None, Settings(data_dir=settings.data_dir, worker_threads=1))
    wide = "SELECT k, LISTAGG(REPEAT(v, 1900000) || REPEAT(v, 1900000)) AS texts FROM t GROUP BY k"
    with pytest.raises(EddylineError) as e:
        sql.run(wide, data_dir=settings.data_dir, worker_memory_mib=MIB)
    assert e.value.code == "limit_exceeded"
    assert "of (k, " in e.value.message
    assert "EDDYLINE_WORKER_MEMORY_MIB" in (e.value.hint or "")
    assert neighbour.one("SELECT 1") == 1
    neighbour.close()
    assert len(sql.rows("SELECT k FROM t", data_dir=settings.data_dir, worker_memory_mib=MIB)) == 20


def test_statements_reach_no_file_beyond_the_data_directory(
    settings: Settings, tmp_path: Path
) -> None:
    db = Database(tmp_path / "jobs.duckdb", settings)
    with pytest.raises(EddylineError):
        db.query("SELECT * FROM read_text('/etc/hostname')")
    with pytest.raises(EddylineError):
        db.run(f"ATTACH '{tmp_path.parent / 'elsewhere.duckdb'}' AS elsewhere")
    db.close()
