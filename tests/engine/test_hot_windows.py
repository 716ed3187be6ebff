"""Interval and window joins of a hot key come out in parts, each row once, also after kills."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from statement_kit import Sql

from eddyline.engine.operators import join_side
from eddyline.errors import EddylineError

COLUMNS = "k INT, {n} INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts"


def rows(name: str, count: int, keys: int) -> list[Any]:
    return [
        {"k": n % keys, name: n, "ts": f"2026-01-01 00:00:{n // 10:02}.{n % 10}00"}
        for n in range(count)
    ]


LEFT, RIGHT = rows("i", 60, 5), rows("j", 50, 4)
TUMBLE = "TABLE(TUMBLE(TABLE {}, DESCRIPTOR(ts), INTERVAL '4' SECOND))"
WINDOWED = (
    f"SELECT a.k, a.i, b.k AS k2, b.j FROM (SELECT * FROM {TUMBLE.format('a')}) a {{kind}} JOIN "
    f"(SELECT * FROM {TUMBLE.format('b')}) b ON a.k = b.k"
    " AND a.window_start = b.window_start AND a.window_end = b.window_end"
)
INTERVAL = (
    "SELECT a.k, a.i, b.k AS k2, b.j FROM a {kind} JOIN b ON a.k = b.k"
    " AND b.ts BETWEEN a.ts - INTERVAL '2' SECOND AND a.ts + INTERVAL '1' SECOND"
)
QUERIES = {
    f"{name} {kind or 'INNER'}": text.format(kind=kind)
    for name, text in (("interval", INTERVAL), ("window", WINDOWED))
    for kind in ("", "LEFT", "RIGHT", "FULL")
}
EXISTS = (
    f"SELECT a.k, a.i FROM (SELECT * FROM {TUMBLE.format('a')}) a WHERE {{}} EXISTS (SELECT 1 FROM "
    f"(SELECT * FROM {TUMBLE.format('b')}) b WHERE a.k = b.k"
    " AND a.window_start = b.window_start AND a.window_end = b.window_end)"
)
QUERIES |= {"window SEMI": EXISTS.format(""), "window ANTI": EXISTS.format("NOT")}


@pytest.fixture
def sql(tmp_path: Path) -> Iterator[Sql]:
    kit = Sql(tmp_path)
    kit.table("a", COLUMNS.format(n="i"), list(LEFT))
    kit.table("b", COLUMNS.format(n="j"), list(RIGHT))
    yield kit
    kit.close()


@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES)
def test_parts_give_what_the_whole_gives(
    sql: Sql, query: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = sql.run(query)
    assert whole.folded()
    monkeypatch.setattr(join_side, "PIECE_BYTES_MAX", 40)
    parts = sql.run(query)
    assert parts.folded() == whole.folded()
    more = parts.metrics.epochs - whole.metrics.epochs  # type: ignore[attr-defined]
    assert more > 3


@pytest.mark.parametrize("query", [QUERIES["interval FULL"], QUERIES["window FULL"]])
def test_rows_that_wait_are_state(
    sql: Sql, query: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A job that is killed between two parts goes on with the next one."""
    expected = sql.run(query).folded()
    monkeypatch.setattr(join_side, "PIECE_BYTES_MAX", 1_000)
    sql.table("o", "k INT, i INT, k2 INT, j INT", [])
    rows = sum(expected.values())
    assert sql.insert_with_crashes("o", query, rows, tmp_path / "job") > 2
    assert Counter(sql.rows("SELECT k, i, k2, j FROM o")) == expected


@pytest.mark.parametrize("query", [QUERIES["interval INNER"], QUERIES["window INNER"]])
def test_the_watermark_waits_for_the_last_part(
    sql: Sql, query: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What counts rows behind the join finds none of them late."""
    time = "a.window_time" if "TUMBLE" in query else "a.ts"
    shown = query.replace("SELECT a.k,", f"SELECT {time} AS ts, a.k,")
    counted = (
        "SELECT window_end, COUNT(*) FROM TABLE(TUMBLE(TABLE v, DESCRIPTOR(ts),"
        " INTERVAL '1' SECOND)) GROUP BY window_start, window_end"
    )
    sql.execute(f"CREATE VIEW v AS {shown}")
    whole = sql.run(counted)
    monkeypatch.setattr(join_side, "PIECE_BYTES_MAX", 400)
    parts = sql.run(counted)
    assert parts.folded() == whole.folded()
    assert parts.metrics.late == whole.metrics.late == 0  # type: ignore[attr-defined]


def test_one_row_with_too_many_partners_names_the_join(
    sql: Sql, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(join_side, "PIECE_BYTES_MAX", 10)
    monkeypatch.setattr("eddyline.engine.database.RESULT_SHARE", 1 << 20)  # 64 bytes
    with pytest.raises(EddylineError) as e:
        sql.run(QUERIES["window INNER"], worker_memory_mib=64)
    assert e.value.code == "limit_exceeded"
    assert "by the window join of (k, " in e.value.message
