"""No name that a user gives a column collides with one of the planner's or the engine's own.

Every statement is run with harmless names, then with each internal name and with names that
differ in case only; the rows must be the same.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from statement_kit import Sql

import eddyline

# Names without a dollar sign that statements of the engine and the formats use.
PLAIN = {
    "b", "c", "d", "e", "f", "i", "j", "k", "l", "n", "o", "p", "r", "s", "t", "v", "w", "z",
    "c0", "c1", "s0", "kind", "text0", "exists0", "key", "data", "seq", "epoch", "sink", "one",
    "items", "new", "old", "model", "nth", "line", "rowid", "row", "window_start", "window_end",
    "window_time", "EXPR$0",
}  # fmt: skip
_QUOTED = re.compile(r'"([$?-][$A-Za-z0-9_{}.-]*)"')


def internal_names() -> list[str]:
    """All names that begin with ``$`` in the sources of the planner, the engine and the formats."""
    names = set(PLAIN)
    root = Path(eddyline.__file__).parent
    for folder in ("engine", "sql", "record", "functions"):
        for path in (root / folder).rglob("*.py"):
            names |= {m[1] for m in _QUOTED.finditer(path.read_text())}
    shown = {re.sub(r"\{[^}]*\}", "0", n) for n in names}
    return sorted(n for n in shown if n.strip("$-?") and "{" not in n)


TIME = "ts TIMESTAMP(3), WATERMARK FOR ts AS ts"
TUMBLED = "TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '5' SECOND))"
SESSIONS = "TABLE(SESSION(TABLE t PARTITION BY {keys}, DESCRIPTOR(ts), INTERVAL '5' SECOND))"
NEAR = "u.ts BETWEEN t.ts - INTERVAL '1' SECOND AND t.ts + INTERVAL '1' SECOND"
# {keys}, {values}: names of the columns by commas; {sums}: SUM(v) AS v of each value; {k}, {v}: one
# of each; {equal}: t's keys are u's.
QUERIES = (
    "SELECT {values}, {keys} FROM t WHERE {v} > 0",
    "SELECT {keys}, {sums}, COUNT(DISTINCT {v}), MIN({v}) FROM t GROUP BY {keys}",
    "SELECT {v}, COUNT(DISTINCT {k}), MAX({k}) FROM "
    "(SELECT {k}, COUNT(*) AS {v} FROM t GROUP BY {k}) GROUP BY {v}",
    "SELECT t.*, u.* FROM t FULL JOIN u ON {equal} AND t.{v} <= u.{v}",
    "SELECT {keys}, {values} FROM t WHERE {v} NOT IN (SELECT {v} FROM u)",
    "SELECT {keys}, {values} FROM t INTERSECT SELECT {keys}, {values} FROM u",
    "SELECT {values}, {keys} FROM t UNION ALL SELECT {values}, {keys} FROM u",
    "SELECT DISTINCT {keys}, {values} FROM t",
    "SELECT {keys}, {sums}, COUNT(DISTINCT {v}) FROM " + TUMBLED + " "
    "GROUP BY {keys}, window_start, window_end",
    "SELECT {keys}, {sums} FROM " + SESSIONS + " GROUP BY {keys}, window_start, window_end",
    "SELECT {keys}, {values} FROM " + SESSIONS,
    "SELECT {keys}, {sums} FROM t GROUP BY {keys}, TUMBLE(ts, INTERVAL '5' SECOND)",
    "SELECT t.*, u.* FROM t LEFT JOIN u ON {equal} AND " + NEAR,
    "SELECT {keys}, {values} FROM TABLE(RANDOM_CUT_FOREST("
    "input => TABLE numbers PARTITION BY {keys}, columns => DESCRIPTOR({v})))",
)
ROWS = [(1, 1, 1), (2, 2, 2), (1, 3, 4), (1, 1, 11), (None, 0, 12)]
OTHERS = [(1, 1, 1), (9, 9, 3), (2, 5, 2)]


def results(directory: Path, keys: list[str], values: list[str]) -> list[object]:
    """What each query gives with these names of the columns."""
    sql = Sql(directory)
    iso = {"json.timestamp-format.standard": "ISO-8601"}
    columns = ", ".join(f"`{n}` INT" for n in [*keys, *values])
    for table, rows in (("t", ROWS), ("u", OTHERS)):
        records = [
            {
                **dict.fromkeys(keys, k),
                **dict.fromkeys(values, v),
                "ts": f"2026-01-01T00:00:{s:02d}.000",
            }
            for k, v, s in rows
        ]
        sql.table(table, f"{columns}, {TIME}", list(records), **iso)
    by = "PARTITIONED BY (" + ", ".join(f"`{k}`" for k in keys) + ")"
    sql.table("o", columns, [], partitioned_by=by)
    parts = {
        "keys": ", ".join(f"`{k}`" for k in keys),
        "values": ", ".join(f"`{v}`" for v in values),
        "sums": ", ".join(f"SUM(`{v}`) AS `{v}`" for v in values),
        "equal": " AND ".join(f"t.`{k}` = u.`{k}`" for k in keys),
        "k": f"`{keys[0]}`",
        "v": f"`{values[0]}`",
    }
    sql.execute("CREATE VIEW numbers AS SELECT {keys}, {values} FROM t".format(**parts))
    try:
        out: list[object] = [
            sorted(map(str, sql.run(q.format(**parts)).folded().items())) for q in QUERIES
        ]
        insert = "INSERT INTO o SELECT {keys}, {values} FROM t".format(**parts)
        sql.run(insert, directory=directory / "job")
        with sql.store.open("o").snapshot() as snapshot:
            data = snapshot.read(0, 0, 1000, 1 << 20).data.to_pylist()
        records = [json.loads(d) for d in data]
        assert all(list(r) == [*keys, *values] for r in records)
        out.append([list(r.values()) for r in records])
    finally:
        sql.close()
    return out


def test_internal_names_are_found() -> None:
    assert {"$kind", "$shard", "$wm", "$n", "$end", "$rows", "$v"} <= set(internal_names())


def test_a_users_names_change_nothing(tmp_path: Path) -> None:
    names = [n for n in internal_names() if not n.startswith("window_")]
    names += ["id", "ID", "Id", "$KIND", "_$kind"]
    half = len(names) // 2
    width = len(names) - half
    harmless = [f"first{i}" for i in range(half)], [f"second{i}" for i in range(width)]
    expected = results(tmp_path / "harmless", *harmless)
    assert results(tmp_path / "names", names[:half], names[half:]) == expected
