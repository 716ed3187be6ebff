"""UNNEST, sliding windows, temporal and lookup joins, and expressions that give far more than they
read come out in portions, each row once, also after kills."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from engine_kit import Watcher
from statement_kit import Sql

from eddyline.engine.operators import join_side
from eddyline.errors import EddylineError

TIME = "ts TIMESTAMP(3), WATERMARK FOR ts AS ts"
WIDE = "x" * 50


def rows(count: int) -> list[Any]:
    return [
        {
            "k": n % 4,
            "i": n,
            "list": [f"{n}.{e}" for e in range(n % 5)],
            "ts": f"2026-01-01 00:00:{n // 10:02}.{n % 10}00",
        }
        for n in range(count)
    ]


VERSIONS = [
    {"k": n % 3, "v": f"{n} {WIDE}", "ts": f"2026-01-01 00:00:0{n % 10}"} for n in range(30)
]
QUERIES = {
    "unnest": "SELECT i, k, x FROM a CROSS JOIN UNNEST(a.list) AS u(x)",
    "outer unnest": "SELECT i, k, x, n FROM a LEFT JOIN UNNEST(a.list) WITH ORDINALITY AS u(x, n)"
    " ON TRUE",
    "unnest beside the collection": "SELECT i, a.list[1], x FROM a CROSS JOIN UNNEST(a.list)"
    " AS u(x)",
    "unnest of changes": "SELECT k, n, x FROM (SELECT k, COUNT(*) AS n, COLLECT(i) AS m FROM a"
    " GROUP BY k) CROSS JOIN UNNEST(m) AS u(x)",
    "hop": "SELECT i, k, window_end FROM TABLE(HOP(TABLE a, DESCRIPTOR(ts), INTERVAL '1' SECOND,"
    " INTERVAL '5' SECOND))",
    "temporal join": "SELECT a.i, a.k, b.v FROM a JOIN b FOR SYSTEM_TIME AS OF a.ts ON a.k = b.k",
    "temporal left join": "SELECT a.i, a.k, b.v FROM a LEFT JOIN b FOR SYSTEM_TIME AS OF a.ts"
    " ON a.k = b.k",
    "lookup join": "SELECT c.i, c.k, f.v FROM c JOIN f FOR SYSTEM_TIME AS OF c.pt ON c.k = f.k",
    "lookup left join": "SELECT c.i, c.k, f.v FROM c LEFT JOIN f FOR SYSTEM_TIME AS OF c.pt"
    " ON c.k = f.k",
}
DURABLE = [
    "unnest",
    "hop",
    "temporal left join",
    "lookup left join",
]


@pytest.fixture
def sql(tmp_path: Path) -> Iterator[Sql]:
    kit = Sql(tmp_path)
    kit.table("a", f"k INT, i INT, list ARRAY<STRING>, {TIME}", rows(60))
    kit.table("c", "k INT, i INT, pt AS PROCTIME()", rows(60))
    kit.table("b0", f"k INT, v STRING, {TIME}", list(VERSIONS))
    kit.execute(
        "CREATE VIEW b AS SELECT k, v, ts FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY k"
        " ORDER BY ts DESC) AS rn FROM b0) WHERE rn = 1"
    )
    path = tmp_path / "f.json"
    path.write_text("".join(json.dumps(v) + "\n" for v in VERSIONS))
    kit.execute(
        "CREATE TABLE f (k INT, v STRING) WITH ('connector' = 'filesystem',"
        f" 'path' = '{path}', 'format' = 'json')"
    )
    yield kit
    kit.close()


def run(sql: Sql, query: str, **more: Any) -> Watcher:
    """All changes of a query; the rows of a file are among its records."""
    records = 60 + len(VERSIONS) if " f FOR" in query else None
    return sql.run(query, records=records, **more)


@pytest.mark.parametrize("name", QUERIES)
def test_portions_give_what_the_whole_gives(
    sql: Sql, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = run(sql, QUERIES[name])
    assert whole.folded()
    monkeypatch.setattr(join_side, "PIECE_BYTES_MAX", 300)
    portions = run(sql, QUERIES[name])
    assert portions.folded() == whole.folded()
    assert portions.metrics.epochs > whole.metrics.epochs + 2  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", ["unnest", "hop", "temporal left join"])
def test_rows_keep_their_order(sql: Sql, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = run(sql, QUERIES[name])
    monkeypatch.setattr(join_side, "PIECE_BYTES_MAX", 300)
    assert run(sql, QUERIES[name]).changes == whole.changes


@pytest.mark.parametrize("name", DURABLE)
def test_rows_that_wait_are_state(
    sql: Sql, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A job that is killed between two portions goes on with the next one."""
    query = QUERIES[name]
    expected = run(sql, query).folded()
    monkeypatch.setattr(join_side, "PIECE_BYTES_MAX", 300)
    third = "TIMESTAMP(3)" if name == "hop" else "STRING"
    sql.table("o", f"i INT, k INT, x {third}", [])
    count = sum(expected.values())
    assert sql.insert_with_crashes("o", query, count, tmp_path / "job") > 2
    assert Counter(sql.rows("SELECT i, k, x FROM o")) == expected


@pytest.mark.parametrize(
    "source",
    [
        "SELECT a.ts, x FROM a CROSS JOIN UNNEST(a.list) AS u(x)",
        "SELECT a.ts, b.v FROM a LEFT JOIN b FOR SYSTEM_TIME AS OF a.ts ON a.k = b.k",
        "SELECT a.ts, f.v FROM (SELECT *, PROCTIME() AS pt FROM a) a LEFT JOIN f"
        " FOR SYSTEM_TIME AS OF a.pt ON a.k = f.k",
    ],
)
def test_the_watermark_waits_for_the_last_portion(
    sql: Sql, source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What counts rows behind the operator finds none of them late."""
    sql.execute(f"CREATE VIEW v AS {source}")
    counted = (
        "SELECT window_end, COUNT(*) FROM TABLE(TUMBLE(TABLE v, DESCRIPTOR(ts),"
        " INTERVAL '1' SECOND)) GROUP BY window_start, window_end"
    )
    records = 60 + len(VERSIONS) if "JOIN f" in source else None
    whole = sql.run(counted, records=records)
    monkeypatch.setattr(join_side, "PIECE_BYTES_MAX", 300)
    portions = sql.run(counted, records=records)
    assert portions.folded() == whole.folded()
    late = [w.metrics.late for w in (whole, portions)]  # type: ignore[attr-defined]
    assert late == [0, 0]


LARGE = {
    "unnest": ("elements", "SELECT text, x FROM big CROSS JOIN UNNEST(big.list) AS u(x)"),
    "lookup join": (
        "matches",
        "SELECT b.text, f.v FROM big b JOIN f FOR SYSTEM_TIME AS OF b.pt ON b.k = f.k",
    ),
    "window table": (
        "windows",
        "SELECT text, window_end FROM TABLE(HOP(TABLE big, DESCRIPTOR(ts), INTERVAL '1' SECOND,"
        " INTERVAL '50' SECOND))",
    ),
}


@pytest.mark.parametrize("name", LARGE)
def test_one_row_that_gives_too_much_names_the_operator(
    sql: Sql, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("eddyline.engine.database.RESULT_SHARE", 1 << 16)  # 1 KiB
    monkeypatch.setattr(join_side, "PIECE_BYTES_MAX", 1 << 9)
    row = {"k": 1, "text": WIDE * 3, "list": list(range(50)), "ts": "2026-01-01 00:00:00"}
    columns = f"k INT, text STRING, list ARRAY<INT>, pt AS PROCTIME(), {TIME}"
    sql.table("big", columns, [row])
    what, query = LARGE[name]
    records = 1 + len(VERSIONS) if name == "lookup join" else 1
    with pytest.raises(EddylineError) as e:
        sql.run(query, records=records, worker_memory_mib=64)
    assert e.value.code == "limit_exceeded"
    assert f"for the {what} of one row" in e.value.message
    assert f"by the {name} of (" in e.value.message


def test_a_collection_is_not_repeated_beside_each_of_its_elements(sql: Sql) -> None:
    """5,000 elements of 100 bytes would be 2.5 GB."""
    elements = [f"{n:0100}" for n in range(5_000)]
    sql.table("big", "id INT, list ARRAY<STRING>", [{"id": 1, "list": elements}])
    query = "SELECT id, x FROM big CROSS JOIN UNNEST(big.list) AS u(x)"
    assert [x for _, x in sql.rows(query, worker_memory_mib=64)] == elements


LARGE_VALUES = "SELECT i, k, REPEAT('x', i * 15) AS x FROM a WHERE i % 7 <> 3"


@pytest.fixture
def large_values(monkeypatch: pytest.MonkeyPatch) -> Counter[tuple[Any, ...]]:
    """4 KiB are allowed for 51 values of up to 885 characters; the rows of ``LARGE_VALUES``."""
    monkeypatch.setattr("eddyline.engine.database.RESULT_SHARE", 1 << 18)
    return Counter((i, i % 4, "x" * i * 15) for i in range(60) if i % 7 != 3)


def test_large_values_are_computed_in_portions(
    sql: Sql, large_values: Counter[tuple[Any, ...]]
) -> None:
    result = sql.run(LARGE_VALUES)
    assert list(result.folded()) == list(large_values), "they keep their order"
    assert result.metrics.filtered == 9  # type: ignore[attr-defined]
    assert result.metrics.epochs > 5  # type: ignore[attr-defined]
    counted = (
        f"SELECT window_end, COUNT(*), MAX(CHAR_LENGTH(x)) FROM TABLE(TUMBLE(TABLE ("
        f"{LARGE_VALUES.replace('SELECT', 'SELECT ts,')}), DESCRIPTOR(ts), INTERVAL '1' SECOND)) "
        "GROUP BY window_start, window_end"
    )
    windows = sql.run(counted)
    assert windows.metrics.late == 0  # type: ignore[attr-defined]
    assert sum(row[1] for _, row in windows.changes) == len(large_values)


def test_rows_whose_large_values_wait_are_state(
    sql: Sql, tmp_path: Path, large_values: Counter[tuple[Any, ...]]
) -> None:
    sql.table("o", "i INT, k INT, x STRING", [])
    rows = len(large_values)
    assert sql.insert_with_crashes("o", LARGE_VALUES, rows, tmp_path / "job") > 1
    assert Counter(sql.rows("SELECT i, k, x FROM o")) == large_values
