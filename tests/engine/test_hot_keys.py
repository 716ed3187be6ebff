"""A join whose result is far larger than its input comes out in parts, each row once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from statement_kit import Sql

from eddyline.engine import database
from eddyline.engine.operators import join_side
from eddyline.errors import EddylineError

LEFT = [{"k": n % 3, "i": n} for n in range(60)]
RIGHT = [{"k": n % 4, "j": n} for n in range(50)]
QUERY = "SELECT a.k, a.i, b.k AS k2, b.j FROM a {kind} JOIN b ON a.k = b.k"


@pytest.fixture
def sql(tmp_path: Path) -> Iterator[Sql]:
    kit = Sql(tmp_path)
    kit.table("a", "k INT, i INT", list(LEFT))
    kit.table("b", "k INT, j INT", list(RIGHT))
    yield kit
    kit.close()


def expected(kind: str) -> Counter[tuple[Any, ...]]:
    rows = [(x["k"], x["i"], y["k"], y["j"]) for x in LEFT for y in RIGHT if x["k"] == y["k"]]
    met = {r[0] for r in rows}
    if kind in ("LEFT", "FULL"):
        rows += [(x["k"], x["i"], None, None) for x in LEFT if x["k"] not in met]
    if kind in ("RIGHT", "FULL"):
        rows += [(None, None, y["k"], y["j"]) for y in RIGHT if y["k"] not in met]
    return Counter(rows)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["", "LEFT", "RIGHT", "FULL"])
def test_parts_give_what_the_whole_gives(
    sql: Sql, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = sql.run(QUERY.format(kind=kind))
    assert whole.folded() == expected(kind)
    monkeypatch.setattr(join_side, "PIECE_BYTES_MAX", 3_000)
    parts = sql.run(QUERY.format(kind=kind))
    assert parts.folded() == expected(kind)
    assert parts.metrics.epochs > whole.metrics.epochs + 5  # type: ignore[attr-defined]


def test_rows_that_wait_are_state(
    sql: Sql, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A job that is killed between two parts goes on with the next one."""
    monkeypatch.setattr(join_side, "PIECE_BYTES_MAX", 2_000)
    sql.table("o", "k INT, i INT, k2 INT, j INT", [])
    rows = sum(expected("").values())
    assert sql.insert_with_crashes("o", QUERY.format(kind=""), rows, tmp_path / "job") > 2
    assert Counter(sql.rows("SELECT k, i, k2, j FROM o")) == expected("")


def test_one_row_with_too_many_matches_names_the_join(
    sql: Sql, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(join_side, "PIECE_BYTES_MAX", 10_000)
    monkeypatch.setattr(database, "RESULT_SHARE", 2048)  # 32 KiB
    sql.table("c", "k INT, w STRING", [{"k": 1, "w": "x" * 2_000}] * 20)
    sql.table("d", "k INT", [{"k": 1}])
    with pytest.raises(EddylineError) as e:
        sql.run("SELECT d.k, w FROM c JOIN d ON d.k = c.k", worker_memory_mib=64)
    assert e.value.code == "limit_exceeded"
    assert "for the matches of one row" in e.value.message
    assert "by the join of (k, " in e.value.message
    assert "in SELECT d.k, w FROM c" in e.value.message
