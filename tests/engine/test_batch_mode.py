"""The batch mode: bounded input is read to its end, and only the rows that remain are given."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest
from engine_kit import Watcher

from eddyline.catalog.catalog import Catalog
from eddyline.clock import SYSTEM
from eddyline.engine.job import Job, JobSpec
from eddyline.errors import EddylineError
from eddyline.log import LogStore
from eddyline.settings import Settings
from eddyline.sql import statement as st
from eddyline.sql.options import SessionConfig
from eddyline.sql.parse import parse_script
from eddyline.sql.planner import Planner

BATCH = SessionConfig({"execution.runtime-mode": "BATCH"})
ROWS = [(1, "a", 10), (2, "b", 20), (3, "a", None), (4, None, 7)]


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    folder = tmp_path_factory.mktemp("files")
    lines = (json.dumps(dict(zip(("id", "k", "v"), row, strict=True))) for row in ROWS)
    (folder / "ev.json").write_text("\n".join(lines))
    (folder / "nothing.json").write_text("")
    catalog = Catalog(None)
    for name in ("ev", "nothing"):
        options = f"'connector' = 'filesystem', 'path' = '{folder}/{name}.json', 'format' = 'json'"
        ddl = f"CREATE TABLE {name} (id INT, k STRING, v INT) WITH ({options})"
        (statement,) = parse_script(ddl)
        assert isinstance(statement, st.CreateTable)
        catalog.create_table(Planner(catalog).table(statement))
    (endless,) = parse_script("CREATE TABLE endless (i INT) WITH ('connector' = 'datagen')")
    assert isinstance(endless, st.CreateTable)
    catalog.create_table(Planner(catalog).table(endless))
    return catalog


@pytest.mark.parametrize(
    ("query", "rows"),
    [
        ("SELECT k, COUNT(*), SUM(v) FROM ev GROUP BY k ORDER BY k",
         [(None, 1, 7), ("a", 2, 10), ("b", 1, 20)]),
        ("SELECT id FROM ev ORDER BY v DESC", [(2,), (1,), (4,), (3,)]),
        ("SELECT COUNT(*), SUM(v), MAX(k), COUNT(DISTINCT k) FROM nothing", [(0, None, None, 0)]),
        ("SELECT COUNT(*), SUM(v) FILTER (WHERE v > 10) FROM ev", [(4, 20)]),
        ("SELECT COUNT(*) AS c FROM nothing HAVING COUNT(*) > 0", []),
        ("SELECT k, COUNT(*) FROM nothing GROUP BY k", []),
        ("SELECT e.id, n.id FROM ev e LEFT JOIN ev n ON e.v > n.v AND n.k = 'a' ORDER BY 1",
         [(1, None), (2, 1), (3, None), (4, None)]),
        ("SELECT k FROM ev EXCEPT ALL SELECT 'a'", [("b",), ("a",), (None,)]),
    ],
)  # fmt: skip
def test_only_final_rows_are_given(
    catalog: Catalog, query: str, rows: list[tuple[object, ...]], tmp_path: Path
) -> None:
    (statement,) = parse_script(query)
    assert isinstance(statement, st.Query)
    plan = Planner(catalog, BATCH).query(statement)
    assert plan.insert_only
    watcher = Watcher()
    settings = Settings(fsync=False, batch_rows_max=2)
    store = LogStore(tmp_path, settings, SYSTEM)
    job = Job(
        JobSpec(plan, "job", 1, None),
        streams=store,
        settings=settings,
        clock=SYSTEM,
        listener=watcher,
    )
    job.run(threading.Event())
    store.close()
    assert {kind for kind, _ in watcher.changes} <= {"+I"}
    given = [row for _, row in watcher.changes]
    if "ORDER BY" in query:
        assert given == rows
    else:
        assert sorted(given, key=repr) == sorted(rows, key=repr)


def test_a_table_without_an_end_is_refused(catalog: Catalog) -> None:
    (statement,) = parse_script("SELECT i FROM endless")
    assert isinstance(statement, st.Query)
    with pytest.raises(EddylineError, match="table endless has no end"):
        Planner(catalog, BATCH).query(statement)
