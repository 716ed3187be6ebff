"""Keys and kinds of change, as Apache Flink 2.3.0's EXPLAIN CHANGELOG_MODE shows them."""

from __future__ import annotations

import re

import pytest

from eddyline.catalog.catalog import Catalog
from eddyline.errors import EddylineError
from eddyline.sql import statement as st
from eddyline.sql.options import SessionConfig
from eddyline.sql.parse import parse_script
from eddyline.sql.planner import Planner

TABLES = """
CREATE TABLE t (id INT, k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts)
  WITH ('connector' = 'datagen');
CREATE TABLE pk (id INT, k STRING, v INT, PRIMARY KEY (id) NOT ENFORCED)
  WITH ('connector' = 'datagen');
CREATE TABLE u1 (k STRING, c BIGINT, PRIMARY KEY (k) NOT ENFORCED) WITH ('connector' = 'blackhole');
CREATE TABLE u2 (k STRING, c BIGINT) WITH ('connector' = 'blackhole');
CREATE TABLE u3 (id INT, k STRING, PRIMARY KEY (id) NOT ENFORCED) WITH ('connector' = 'blackhole');
CREATE TABLE u4 (k STRING, v INT, c BIGINT, PRIMARY KEY (k) NOT ENFORCED)
  WITH ('connector' = 'blackhole');
CREATE TABLE u5 (k STRING, v INT, c BIGINT, PRIMARY KEY (k, v) NOT ENFORCED)
  WITH ('connector' = 'blackhole');
CREATE TABLE p1 (k STRING, c BIGINT, PRIMARY KEY (k) NOT ENFORCED) WITH ('connector' = 'print');
CREATE TABLE p3 (id INT, k STRING, PRIMARY KEY (id) NOT ENFORCED) WITH ('connector' = 'print');
"""
COUNTS = "(SELECT k, COUNT(*) AS c FROM t GROUP BY k)"
# Statements, and the modes of their groupings, joins, ranks and the like from the top down.
ACCEPTED = [
    ("SELECT k, COUNT(*) FROM t GROUP BY k", "[I,UA]"),
    ("INSERT INTO u1 SELECT k, COUNT(*) FROM t GROUP BY k", "[I,UA]"),
    ("INSERT INTO u2 SELECT k, COUNT(*) FROM t GROUP BY k", "[I,UA]"),
    ("INSERT INTO p1 SELECT k, COUNT(*) FROM t GROUP BY k", "[I,UB,UA]"),
    (f"INSERT INTO u1 SELECT k, c FROM {COUNTS} WHERE c > 3", "[I,UB,UA]"),
    (
        f"INSERT INTO u1 SELECT a.k, b.c FROM {COUNTS} a JOIN (SELECT k, MAX(v) + CAST(1 "
        "AS BIGINT) AS c FROM t GROUP BY k) b ON a.k = b.k",
        "[I,UA], [I,UA], [I,UA]",
    ),
    (
        "INSERT INTO u3 SELECT id, k FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY id "
        "ORDER BY ts DESC) AS rn FROM t) WHERE rn = 1",
        "[I,UA,D]",
    ),
    ("SELECT DISTINCT k FROM t", "[I,UA]"),
    (f"SELECT k, c FROM {COUNTS} WHERE c > 3", "[I,UB,UA]"),
    (f"SELECT c, COUNT(*) FROM {COUNTS} GROUP BY c", "[I,UA,D], [I,UB,UA]"),
    (
        "SELECT id, k FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY k ORDER BY v DESC) "
        "AS rn FROM t) WHERE rn <= 3",
        "[I,UA,D]",
    ),
    (
        "SELECT id, k FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY id ORDER BY ts "
        "DESC) AS rn FROM t) WHERE rn = 1",
        "[I,UA,D]",
    ),
    ("SELECT * FROM t LEFT JOIN pk ON t.id = pk.id", "[I,UA,D]"),
    (f"SELECT * FROM {COUNTS} a JOIN t ON a.k = t.k", "[I,UA], [I,UA]"),
    ("SELECT * FROM t WHERE k NOT IN (SELECT k FROM pk)", "[I,UA,D]"),
    (f"SELECT * FROM {COUNTS} ORDER BY c DESC LIMIT 3", "[I,UA,D], [I,UA]"),
    ("INSERT INTO u3 SELECT id, k FROM t", ""),
    ("INSERT INTO p3 SELECT id, k FROM t", ""),
    ("INSERT INTO u3 SELECT id, k FROM pk", ""),
    (
        "INSERT INTO u1 SELECT UPPER(k), COUNT(*) FROM t GROUP BY k ON CONFLICT DO DEDUPLICATE",
        "[I,UB,UA]",
    ),
    (
        "INSERT INTO u5 SELECT k, v, c FROM (SELECT k, COUNT(*) c, MAX(v) v FROM t GROUP BY k)",
        "[I,UB,UA]",
    ),
    ("INSERT INTO u1 SELECT CAST(id AS STRING), COUNT(*) FROM t GROUP BY id", "[I,UA]"),
    ("INSERT INTO u1 SELECT 'all', COUNT(*) FROM t", "[I,UB,UA]"),
    (
        "INSERT INTO u3 SELECT id, k FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY id "
        "ORDER BY v DESC) AS rn FROM t) WHERE rn = 1",
        "[I,UA,D]",
    ),
    ("INSERT INTO u1 SELECT DISTINCT k, CAST(1 AS BIGINT) FROM t", "[I,UA]"),
    ("INSERT INTO u3 SELECT a.id, b.k FROM pk a JOIN pk b ON a.id = b.id", "[I]"),
    ("INSERT INTO u3 SELECT a.id, b.k FROM pk a LEFT JOIN pk b ON a.id = b.id", "[I,UA,D]"),
    ("INSERT INTO u3 SELECT a.id, b.k FROM pk a JOIN pk b ON a.v = b.id", "[I]"),
    (
        "INSERT INTO u3 SELECT id, k FROM (SELECT id, MAX(k) AS k FROM t GROUP BY id) WHERE id > 3",
        "[I,UA]",
    ),
    (
        "INSERT INTO u3 SELECT id, k FROM (SELECT id, MAX(k) AS k FROM t GROUP BY id "
        "HAVING COUNT(*) > 3)",
        "[I,UB,UA]",
    ),
    (
        "INSERT INTO p3 SELECT CAST(c AS INT), k FROM (SELECT k, COUNT(*) c FROM t GROUP "
        "BY k) ON CONFLICT DO DEDUPLICATE",
        "[I,UB,UA]",
    ),
    ("SELECT id, RANK() OVER (PARTITION BY k ORDER BY ts) FROM t", "[I]"),
    ("SELECT k, (SELECT MAX(v) FROM pk) FROM t", "[I,UA,D], [I,UA]"),
    ("SELECT * FROM t FULL JOIN pk ON t.id = pk.id", "[I,UA,D]"),
    (f"SELECT c, k FROM {COUNTS} WHERE k = 'a'", "[I,UA]"),
    ("SELECT k, COUNT(*) FROM t GROUP BY k UNION ALL SELECT k, v FROM t", "[I,UA], [I,UA]"),
    ("SELECT UPPER(k), c FROM (SELECT k, COUNT(*) c FROM t GROUP BY k)", "[I,UA]"),
    ("SELECT c FROM (SELECT k, COUNT(*) c FROM t GROUP BY k)", "[I,UA]"),
    (
        "SELECT k, c, e FROM (SELECT k, COUNT(*) c, COLLECT(v) m FROM t GROUP BY k), "
        "UNNEST(m) AS u(e)",
        "[I,UA], [I,UA]",
    ),
    (
        "SELECT * FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY c ORDER BY k) AS rn "
        f"FROM {COUNTS}) WHERE rn <= 2",
        "[I,UA,D], [I,UB,UA]",
    ),
    (
        "SELECT * FROM (SELECT *, ROW_NUMBER() OVER (ORDER BY c DESC) AS rn FROM "
        f"{COUNTS}) WHERE rn <= 2",
        "[I,UA,D], [I,UA]",
    ),
    (
        "SELECT * FROM (SELECT k, SUM(v) s FROM t GROUP BY k) a LEFT JOIN (SELECT k, "
        "COUNT(*) c FROM t GROUP BY k) b ON a.k = b.k",
        "[I,UA,D], [I,UA], [I,UA]",
    ),
    (
        "SELECT * FROM (SELECT k, SUM(v) s FROM t GROUP BY k) a JOIN (SELECT k, COUNT(*) "
        "c FROM t GROUP BY k) b ON a.s = b.c",
        "[I,UB,UA], [I,UB,UA], [I,UB,UA]",
    ),
    ("SELECT * FROM (SELECT k, COUNT(*) c FROM t GROUP BY k) LIMIT 3", "[I,UA,D], [I,UB,UA]"),
    ("SELECT k, v FROM t WHERE EXISTS (SELECT 1 FROM pk WHERE pk.id = t.id)", "[I]"),
    ("SELECT k, SUM(v) OVER (PARTITION BY k ORDER BY v) FROM t", "[I,UA,D]"),
]
# Statements that Flink refuses, and the upsert key that it sees.
REFUSED = [
    ("INSERT INTO u1 SELECT UPPER(k), COUNT(*) FROM t GROUP BY k", ""),
    (
        "INSERT INTO u3 SELECT id, k FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY k "
        "ORDER BY v DESC) AS rn FROM t) WHERE rn <= 3",
        "",
    ),
    ("INSERT INTO u3 SELECT t.id, pk.k FROM t LEFT JOIN pk ON t.id = pk.id", ""),
    ("INSERT INTO u4 SELECT k, v, COUNT(*) FROM t GROUP BY k, v", "[k, v]"),
    ("INSERT INTO u1 SELECT CAST(k AS VARCHAR(10)), COUNT(*) FROM t GROUP BY k", ""),
    (
        "INSERT INTO u1 SELECT k, COUNT(*) FROM t GROUP BY k UNION ALL SELECT k, COUNT(*) "
        "FROM t GROUP BY k",
        "",
    ),
    (
        "INSERT INTO u3 SELECT id, k FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY id "
        "ORDER BY v DESC) AS rn FROM t) WHERE rn <= 2",
        "",
    ),
    (
        "INSERT INTO u5 SELECT k, CAST(rn AS INT), CAST(v AS BIGINT) FROM (SELECT *, "
        "ROW_NUMBER() OVER (PARTITION BY k ORDER BY v DESC) AS rn FROM t) WHERE rn <= 3",
        "",
    ),
    (f"INSERT INTO u1 SELECT k, c FROM {COUNTS} ORDER BY c LIMIT 3", ""),
    (
        "INSERT INTO p3 SELECT CAST(c AS INT), k FROM (SELECT k, COUNT(*) c FROM t GROUP BY k)",
        "[k]",
    ),
]
LEFT_OUT = ("Sink", "Result", "TableScan", "WatermarkAssigner", "Calc", "Values")


def planner(*, requires: bool = True) -> Planner:
    catalog = Catalog(None)
    for statement in parse_script(TABLES):
        assert isinstance(statement, st.CreateTable)
        catalog.create_table(Planner(catalog).table(statement))
    key = "table.exec.sink.require-on-conflict"
    return Planner(catalog, SessionConfig({key: str(requires).lower()}))


def explained(text: str, *, requires: bool = True) -> list[tuple[str, str]]:
    """The nodes of a plan with their modes, from the top down."""
    (statement,) = parse_script(f"EXPLAIN CHANGELOG_MODE {text}")
    assert isinstance(statement, st.Explain)
    lines = planner(requires=requires).explain(statement).splitlines()
    matches = (re.search(r"(\w+)\(.*  (\[[A-Z,]+\])$", line) for line in lines)
    return [(match[1], match[2]) for match in matches if match]


@pytest.mark.parametrize(("text", "modes"), ACCEPTED)
def test_modes_are_flinks(text: str, modes: str) -> None:
    assert ", ".join(m for name, m in explained(text) if name not in LEFT_OUT) == modes


@pytest.mark.parametrize(("text", "key"), REFUSED)
def test_changes_by_another_key_are_refused(text: str, key: str) -> None:
    with pytest.raises(EddylineError) as refused:
        explained(text)
    own = f"by {key.strip('[]')}," if key else "by no column that it gives,"
    assert own in refused.value.message
    assert "ON CONFLICT DO DEDUPLICATE" in str(refused.value.hint)
    assert explained(f"{text} ON CONFLICT DO DEDUPLICATE")
    assert explained(text, requires=False)
