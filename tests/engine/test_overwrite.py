"""INSERT OVERWRITE of files, as Flink's batch mode does it (answers recorded from Flink 2.3.0)."""

from __future__ import annotations

from pathlib import Path

import pytest
from engine_kit import run

from eddyline.catalog.catalog import Catalog
from eddyline.errors import EddylineError
from eddyline.kernel.table import Table
from eddyline.kernel.tables import StatementSet
from eddyline.sql import statement as st
from eddyline.sql.options import SessionConfig
from eddyline.sql.parse import parse_script
from eddyline.sql.physical import Plan
from eddyline.sql.planner import Planner

BATCH = SessionConfig({"execution.runtime-mode": "BATCH"})
FILES = "WITH ('connector' = 'filesystem', 'format' = 'csv', 'path' = '{}')"
TABLES = {
    "t": "CREATE TABLE t (a INT, p STRING) " + FILES,
    "q": "CREATE TABLE q (a INT, p STRING) PARTITIONED BY (p) " + FILES,
    "q2": "CREATE TABLE q2 (a INT, p STRING, r INT) PARTITIONED BY (p, r) " + FILES,
}
FULL = {
    "t/one.csv": "1,x\n2,y\n", "t/sub/two.csv": "9,z\n", "t/_hidden": "9,z\n",
    "q/p=x/f.csv": "1\n", "q/p=y/f.csv": "2\n", "q/p=z/f.csv": "3\n",
    "q2/p=x/r=1/f.csv": "1\n", "q2/p=x/r=2/f.csv": "2\n", "q2/p=y/r=1/f.csv": "3\n",
}  # fmt: skip


class Crash(Exception):
    pass


@pytest.fixture
def catalog(tmp_path: Path) -> Catalog:
    for name, text in FULL.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    catalog = Catalog(None)
    ddl = [text.format(tmp_path / name) for name, text in TABLES.items()]
    for text in [*ddl, "CREATE TABLE pr (a INT, p STRING) WITH ('connector' = 'print')"]:
        (statement,) = parse_script(text)
        assert isinstance(statement, st.CreateTable)
        catalog.create_table(Planner(catalog).table(statement))
    return catalog


def planned(catalog: Catalog, text: str, config: SessionConfig = BATCH) -> Plan:
    (statement,) = parse_script(text)
    assert isinstance(statement, st.Insert)
    return Planner(catalog, config).insert(statement)


def files_in(folder: Path) -> dict[str, list[str]]:
    """Folder or hidden file to its lines."""
    out: dict[str, list[str]] = {}
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        shown = path if path.name.startswith("_") else path.parent
        out.setdefault(shown.relative_to(folder).as_posix(), []).extend(path.read_text().split())
    return out


@pytest.mark.parametrize(
    ("insert", "left"),
    [
        ("t VALUES (4, 'x')", {".": ["4,x"], "_hidden": ["9,z"]}),
        ("t SELECT a, p FROM t WHERE a > 100", {"_hidden": ["9,z"]}),
        ("t SELECT a + 10, p FROM t", {".": ["11,x", "12,y", "19,z"], "_hidden": ["9,z"]}),
        ("q VALUES (4, 'x')", {"p=x": ["4"], "p=y": ["2"], "p=z": ["3"]}),
        ("q PARTITION (p = 'y') SELECT 5", {"p=x": ["1"], "p=y": ["5"], "p=z": ["3"]}),
        ("q PARTITION (p = 'z') SELECT a FROM t WHERE a > 100",
         {"p=x": ["1"], "p=y": ["2"], "p=z": ["3"]}),
        ("q2 PARTITION (p = 'x') SELECT 7, 2",
         {"p=x/r=1": ["1"], "p=x/r=2": ["7"], "p=y/r=1": ["3"]}),
    ],
)  # fmt: skip
def test_rows_take_the_place_of_those_there(
    catalog: Catalog, insert: str, left: dict[str, list[str]], tmp_path: Path
) -> None:
    run(planned(catalog, f"INSERT OVERWRITE {insert}"), batch_rows=1, directory=tmp_path / "job")
    assert files_in(tmp_path / insert.split()[0]) == left


@pytest.mark.parametrize("moment", ["before commit", "after commit", "after delivery"])
@pytest.mark.parametrize("nth", range(4))
def test_a_crash_changes_nothing(catalog: Catalog, moment: str, nth: int, tmp_path: Path) -> None:
    plan, seen = planned(catalog, "INSERT OVERWRITE q SELECT a, 'y' FROM t"), 0

    def crash(now: str) -> None:
        nonlocal seen
        seen += now == moment
        if seen > nth:
            raise Crash

    before = files_in(tmp_path / "q")
    try:
        run(plan, batch_rows=1, directory=tmp_path / "job", crash=crash)
    except Crash:
        if moment != "after delivery":
            assert files_in(tmp_path / "q") == before
        run(plan, batch_rows=1, directory=tmp_path / "job", incarnation=2)
    assert files_in(tmp_path / "q") == {"p=x": ["1"], "p=y": ["1", "2", "9"], "p=z": ["3"]}


@pytest.mark.parametrize("moment", ["after commit", "after delivery"])
def test_a_crash_does_not_read_the_new_files(catalog: Catalog, moment: str, tmp_path: Path) -> None:
    plan = planned(catalog, "INSERT OVERWRITE t SELECT a + 10, p FROM t")
    job = tmp_path / "job"

    def crash(now: str) -> None:
        files = len(list((tmp_path / "t").glob("part-*")))
        if now == moment and (files or moment == "after commit"):
            raise Crash

    with pytest.raises(Crash):
        run(plan, directory=job, crash=crash)
    run(plan, directory=job, incarnation=2)
    assert files_in(tmp_path / "t") == {".": ["11,x", "12,y", "19,z"], "_hidden": ["9,z"]}


def test_a_failed_query_leaves_the_old_files(catalog: Catalog, tmp_path: Path) -> None:
    plan = planned(catalog, "INSERT OVERWRITE t SELECT 1 / (a - 2), p FROM t")
    with pytest.raises(EddylineError, match="division by zero"):
        run(plan, batch_rows=1, directory=tmp_path / "job")
    assert files_in(tmp_path / "t") == {".": ["1,x", "2,y"], "_hidden": ["9,z"], "sub": ["9,z"]}


@pytest.mark.parametrize(
    ("table", "config", "message"),
    [
        ("t", SessionConfig(), "INSERT OVERWRITE in streaming mode is not supported"),
        ("pr", BATCH, r"INSERT OVERWRITE of table pr \(connector 'print'\) is not supported"),
    ],
)
def test_what_cannot_be_replaced_is_refused(
    catalog: Catalog, table: str, config: SessionConfig, message: str
) -> None:
    with pytest.raises(EddylineError, match=message) as e:
        planned(catalog, f"INSERT OVERWRITE {table} VALUES (1, 'x')", config)
    assert e.value.code == "sql_unsupported"


def test_python_says_overwrite(monkeypatch: pytest.MonkeyPatch) -> None:
    messages: list[str] = []
    monkeypatch.setattr(
        "eddyline.kernel.inserts.run", lambda text, options=None: messages.append(text)
    )
    monkeypatch.setattr(
        "eddyline.kernel.tables.run", lambda text, options=None: messages.append(text)
    )
    Table("SELECT 1").execute_insert("t", overwrite=True)
    together = StatementSet()
    together.add_insert("t", Table("SELECT 2"), overwrite=True)
    together.execute()
    assert messages[0] == "INSERT OVERWRITE t SELECT 1"
    assert "INSERT OVERWRITE t SELECT 2;" in messages[1]
