"""CREATE, ALTER, SHOW and DESCRIBE: what the catalog holds afterwards, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from eddyline.errors import EddylineError
from eddyline.service.session import Session, catalog_of
from eddyline.service.statements import StatementAnswer, answer
from eddyline.settings import Settings
from eddyline.sql import statement as st
from eddyline.sql.parse import parse_script, statements
from eddyline.sql.planner import Planner

BASE = """
CREATE TABLE base (x INT, y STRING COMMENT 'it''s', z AS x + 1, ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '5' SECOND, PRIMARY KEY (x) NOT ENFORCED)
WITH ('connector' = 'blackhole');
CREATE TABLE parts (i INT, s STRING) PARTITIONED BY (s)
WITH ('connector' = 'filesystem', 'path' = '{folder}/parts', 'format' = 'json');
"""
NAME = "CREATE TABLE `default_catalog`.`default_database`."


@pytest.fixture
def session(tmp_path: Path) -> Session:
    def send(message: Any) -> bool:
        return True

    made = Session("s", Settings(data_dir=tmp_path, fsync=False), send)
    run(made, BASE.format(folder=tmp_path))
    return made


def run(session: Session, text: str) -> StatementAnswer:
    """Do all statements of a text; the last one's answer."""
    last = StatementAnswer()
    for statement in statements(text):
        last = answer(session, Planner(session.catalog, session.config), statement)
    return last


def definition(session: Session, name: str) -> str:
    text = run(session, f"SHOW CREATE TABLE {name}").text
    assert text is not None
    return " ".join(text.removeprefix(NAME).split())


@pytest.mark.parametrize(
    ("change", "lines"),
    [
        ("ADD (q STRING FIRST, r AS x * 2 COMMENT 'r' AFTER x)",
         "`q` STRING, `x` INT NOT NULL, `r` AS x * 2 COMMENT 'r', `y`"),
        ("ADD w DOUBLE", "`ts` TIMESTAMP(3), `w` DOUBLE, WATERMARK"),
        ("MODIFY x BIGINT COMMENT 'wide' AFTER y",
         "`y` STRING COMMENT 'it''s', `x` BIGINT NOT NULL COMMENT 'wide', `z`"),
        ("MODIFY WATERMARK FOR ts AS ts", "WATERMARK FOR `ts` AS ts,"),
        ("DROP y", "`x` INT NOT NULL, `z` AS x + 1"),
        ("DROP (y, z)", "`x` INT NOT NULL, `ts` TIMESTAMP(3)"),
        ("DROP WATERMARK", "`ts` TIMESTAMP(3), PRIMARY KEY"),
        ("DROP PRIMARY KEY", "ts - INTERVAL '5' SECOND ) WITH"),
        ("RENAME y TO q", "`q` STRING COMMENT 'it''s'"),
        ("SET ('a' = 'b')", "'connector' = 'blackhole', 'a' = 'b'"),
        ("ADD DISTRIBUTION BY HASH (x) INTO 3 BUCKETS", ") DISTRIBUTED BY HASH (x) INTO 3 BUCKETS"),
    ],
)  # fmt: skip
def test_alter_table(session: Session, change: str, lines: str) -> None:
    assert run(session, f"ALTER TABLE base {change}").text == "Alter table succeeded!"
    assert lines in definition(session, "base")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("ADD x INT", "table base has a column x already"),
        ("ADD WATERMARK FOR ts AS ts", "table base has a watermark already"),
        ("DROP x", "column x of table base is read by the computed column z"),
        ("DROP (x, z)", "column x of table base is read by the primary key"),
        ("DROP ts", "column ts of table base is read by the watermark"),
        ("RENAME x TO q", "column x of table base is read by the computed column z"),
        ("RENAME nope TO q", "table base has no column nope"),
        ("MODIFY x STRING", "+"),
        ("ADD PARTITION (y = '1')", "ALTER TABLE … ADD PARTITION is not supported yet"),
    ],
)
def test_alter_table_refuses(session: Session, change: str, message: str) -> None:
    before = definition(session, "base")
    with pytest.raises(EddylineError) as failure:
        run(session, f"ALTER TABLE base {change}")
    assert message in failure.value.message
    assert definition(session, "base") == before


@pytest.mark.parametrize(
    ("table", "lines"),
    [
        ("(w AS x * 2) LIKE base", "`ts` TIMESTAMP(3), `w` AS x * 2, WATERMARK FOR `ts`"),
        ("(q INT) LIKE base (EXCLUDING GENERATED EXCLUDING WATERMARKS EXCLUDING CONSTRAINTS)",
         "`x` INT NOT NULL, `y` STRING COMMENT 'it''s', `ts` TIMESTAMP(3), `q` INT )"),
        ("WITH ('connector' = 'print') LIKE base", "'connector' = 'print' )"),
        ("(z AS x + 5) LIKE base (OVERWRITING GENERATED)", "`z` AS x + 5"),
        ("(WATERMARK FOR ts AS ts) LIKE base (OVERWRITING WATERMARKS)", "FOR `ts` AS ts,"),
        ("WITH ('connector' = 'print') AS SELECT i, s FROM parts", "( `i` INT, `s` STRING )"),
        ("(s, i) AS SELECT i, s FROM parts", "( `s` STRING, `i` INT )"),
        ("(j AS i + 1, i BIGINT, k STRING) AS SELECT i, s FROM parts",
         "( `j` AS i + 1, `k` STRING, `i` BIGINT, `s` STRING )"),
    ],
)  # fmt: skip
def test_tables_like_others(session: Session, table: str, lines: str) -> None:
    run(session, f"CREATE TABLE made {table}")
    assert lines in definition(session, "made")


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("(x BIGINT) LIKE base", "column x is in the table that this one is LIKE"),
        ("(z AS x + 5) LIKE base", "both this table and the one it is LIKE define column z"),
        ("LIKE base (OVERWRITING PARTITIONS)", "PARTITIONS cannot be OVERWRITING"),
        ("(i STRING) AS SELECT i FROM parts", "column i is STRING here, and INT in the query"),
        ("(a, b) AS SELECT i FROM parts", "the names in parentheses are not the query's columns"),
    ],
)
def test_tables_like_others_refuse(session: Session, table: str, message: str) -> None:
    with pytest.raises(EddylineError, match=message):
        run(session, f"CREATE TABLE made {table}")


def test_catalogs_hold_their_own_databases_and_tables(session: Session) -> None:
    run(session, "CREATE CATALOG c COMMENT 'x' WITH ('type' = 'generic_in_memory')")
    run(session, "USE CATALOG c; CREATE TABLE t (i INT) WITH ('connector' = 'datagen')")
    assert run(session, "SHOW TABLES").rows == (("t",),)
    assert run(session, "SHOW CURRENT DATABASE").text == "current database: default"
    run(session, "CREATE VIEW v AS SELECT i FROM t; USE CATALOG default_catalog")
    (query,) = parse_script("SELECT i FROM c.`default`.v")
    assert isinstance(query, st.Query)
    assert Planner(session.catalog).query(query).root.schema.names == ("i",)
    session.catalog.use_catalog("c")
    again = catalog_of(session.context())
    assert (again.current_catalog, again.current_database) == ("c", "default")
    with pytest.raises(EddylineError, match="catalog c is the current one"):
        run(session, "DROP CATALOG c")
    run(session, "USE CATALOG default_catalog; DROP CATALOG c")
    assert run(session, "SHOW CATALOGS").rows == (("default_catalog",),)


def test_hive_is_awss_name_of_the_default_catalog(session: Session) -> None:
    run(session, "CREATE DATABASE d; CREATE TABLE d.g (i INT) WITH ('connector' = 'datagen')")
    assert run(session, "SHOW TABLES IN hive.d").rows == (("g",),)
    assert run(session, "USE CATALOG hive; USE d; DESCRIBE hive.d.g").rows
    assert "default_catalog" in run(session, "SHOW CURRENT CATALOG").text
    run(session, "CREATE CATALOG hive WITH ('type' = 'generic_in_memory'); USE CATALOG hive")
    assert run(session, "SHOW DATABASES").rows == (("default",),)


@pytest.mark.parametrize(
    ("statement", "rows"),
    [
        ("SHOW TABLES LIKE 'B%'", ()),
        ("SHOW TABLES ILIKE 'B%'", (("base",),)),
        ("SHOW TABLES NOT LIKE 'b%'", (("parts",),)),
        ("SHOW TABLES FROM default_catalog.default_database LIKE 'par_s'", (("parts",),)),
        ("SHOW COLUMNS IN base LIKE 't%'", (("ts", "TIMESTAMP(3)"),)),
        ("SHOW FULL MODULES", (("core", "true"),)),
        ("SHOW MODELS", ()),
        ("SHOW JARS", ()),
        ("SHOW PARTITIONS parts", (("s=a",), ("s=b",))),
        ("SHOW PARTITIONS parts PARTITION (s = 'b')", (("s=b",),)),
        ("DESC CATALOG default_catalog",
         (("name", "default_catalog"), ("type", "generic_in_memory"), ("comment", None))),
        ("DESCRIBE FUNCTION btrim", (("is system function", "true"), ("is temporary", "false"))),
    ],
)  # fmt: skip
def test_looking_around(session: Session, statement: str, rows: Any, tmp_path: Path) -> None:
    for part in ("s=b", "s=a"):
        (tmp_path / "parts" / part).mkdir(parents=True)
        (tmp_path / "parts" / part / "rows.json").write_text("{}")
    assert run(session, statement).rows == rows


def test_views_and_databases_are_altered(session: Session) -> None:
    run(session, "CREATE VIEW a AS SELECT 1 AS x; ALTER VIEW a RENAME TO b")
    run(session, "ALTER VIEW b AS SELECT 'q' AS y, 2 AS z")
    assert [name for name, _ in run(session, "DESCRIBE b").rows] == ["y", "z"]
    run(session, "CREATE DATABASE d WITH ('k' = 'v'); ALTER DATABASE d SET ('a' = 'b')")
    options = run(session, "DESCRIBE DATABASE EXTENDED d").rows
    assert options[2:] == (("option:a", "b"), ("option:k", "v"))


def refused() -> Iterator[tuple[str, str]]:
    """Statements that cannot be supported, and what they must say to do instead."""
    yield "LOAD MODULE hive", "core"
    yield "CREATE MATERIALIZED TABLE m AS SELECT 1", "CREATE TABLE … AS SELECT"
    yield "CREATE FUNCTION f AS 'a.B' LANGUAGE JAVA", "LANGUAGE PYTHON"
    yield "CREATE MODEL m INPUT (x INT) OUTPUT (y INT) WITH ('a' = 'b')", "model"
    yield "CREATE CATALOG h WITH ('type' = 'hive')", "generic_in_memory"
    yield "TRUNCATE TABLE base", "delete the stream"
    yield "DELETE FROM base", "view"
    yield "CALL p()", "procedures"
    yield "SHOW PROCEDURES", "SHOW FUNCTIONS"
    yield "DESCRIBE JOB 'x'", "SHOW JOBS"


@pytest.mark.parametrize(("statement", "hint"), list(refused()))
def test_what_cannot_be_supported_is_refused_by_name(
    session: Session, statement: str, hint: str
) -> None:
    with pytest.raises(EddylineError) as failure:
        run(session, statement)
    assert failure.value.code == "sql_unsupported"
    assert hint in (failure.value.hint or "")


@pytest.mark.parametrize(
    ("insert", "columns"),
    [
        ("INSERT INTO parts PARTITION (s = 'q') SELECT 1", ("i", "s")),
        ("INSERT INTO parts PARTITION (s = 'q') (i) SELECT 1", ("i", "s")),
        ("EXECUTE INSERT INTO parts SELECT 1, 'a'", ("i", "s")),
        ("INSERT INTO base (x) SELECT 1 ON CONFLICT DO DEDUPLICATE", ("x", "y", "ts")),
    ],
)
def test_inserts(session: Session, insert: str, columns: tuple[str, ...]) -> None:
    (statement,) = parse_script(insert)
    assert isinstance(statement, st.Insert)
    assert Planner(session.catalog).insert(statement).root.schema.names == columns


@pytest.mark.parametrize(
    ("insert", "message"),
    [
        ("INSERT INTO parts PARTITION (i = 1) SELECT 'a'", "i is no partition column"),
        ("INSERT INTO parts PARTITION (s = 'a') (s) SELECT 'a'", "column s is filled twice"),
        ("INSERT OVERWRITE parts SELECT 1, 'a'", "INSERT OVERWRITE in streaming mode is not supp"),
    ],
)
def test_inserts_refuse(session: Session, insert: str, message: str) -> None:
    (statement,) = parse_script(insert)
    assert isinstance(statement, st.Insert)
    with pytest.raises(EddylineError, match=message):
        Planner(session.catalog).insert(statement)


def test_explain_of_a_set_ends_at_the_end_of_the_set(session: Session) -> None:
    inserts = (
        "INSERT INTO parts SELECT CASE WHEN i = 1 THEN 2 END, s FROM parts "
        "WHERE i = CASE i WHEN 1 THEN 2 END; INSERT INTO parts SELECT i, s FROM parts;"
    )
    first, second = parse_script(f"EXPLAIN STATEMENT SET BEGIN {inserts} END; SELECT 1")
    assert isinstance(first, st.Explain)
    assert Planner(session.catalog).explain(first).count("Sink(") == 2
    assert isinstance(second, st.Query)
    (json,) = parse_script("EXPLAIN JSON_EXECUTION_PLAN SELECT i FROM parts")
    assert isinstance(json, st.Explain)
    assert '"type": "Source: TableScan"' in Planner(session.catalog).explain(json)
