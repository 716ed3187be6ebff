"""What statements answer that change nothing: the answer says so, and warns of a difference."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from eddyline.service.session import Session
from eddyline.service.statements import StatementAnswer, answer
from eddyline.settings import Settings
from eddyline.sql.parse import parse_script
from eddyline.sql.planner import Planner

OPTIONS = "WITH ('connector' = 'datagen')"


@pytest.fixture
def session(tmp_path: Path) -> Session:
    def send(message: Any) -> bool:
        return True

    return Session("s", Settings(data_dir=tmp_path, fsync=False), send)


def run(session: Session, text: str) -> StatementAnswer:
    (statement,) = parse_script(text)
    return answer(session, Planner(session.catalog, session.config), statement)


def test_creating_what_is_there_says_that_nothing_was_changed(session: Session) -> None:
    assert run(session, f"CREATE TABLE t (n INT) {OPTIONS}").text == "Table has been created."
    again = run(session, f"CREATE TABLE IF NOT EXISTS t (n INT) {OPTIONS}")
    assert (again.text, again.warnings) == ("Table t exists already and is kept as it is.", ())
    other = run(session, f"CREATE TABLE IF NOT EXISTS t (n BIGINT) {OPTIONS}")
    assert other.text == "Table t exists already and is kept as it is."
    assert other.warnings[0].startswith("the existing table t differs from this statement")


def test_a_view_that_is_not_created_since_a_table_has_its_name(session: Session) -> None:
    """The click-through note once reported a view that it had not made."""
    run(session, f"CREATE TABLE clicks (n INT) {OPTIONS}")
    done = run(session, "CREATE VIEW IF NOT EXISTS clicks AS SELECT 1 AS n")
    assert done.text == "Table clicks exists already and is kept as it is."
    assert done.warnings == (
        "clicks is a table, so that the view of this statement does not exist; "
        "choose another name, or DROP TABLE clicks first",
    )
    kept = run(session, "CREATE TEMPORARY VIEW IF NOT EXISTS clicks AS SELECT 1 AS n")
    assert (kept.text, kept.warnings) == ("View has been created.", ())


@pytest.mark.parametrize("kind", ["TABLE", "VIEW", "DATABASE"])
def test_dropping_what_is_not_there_says_so(session: Session, kind: str) -> None:
    done = run(session, f"DROP {kind} IF EXISTS nosuch")
    assert done.text == f"There is no {kind.lower()} nosuch; nothing was dropped."


def test_a_database_twice(session: Session) -> None:
    assert run(session, "CREATE DATABASE d").text == "Database has been created."
    again = run(session, "CREATE DATABASE IF NOT EXISTS d")
    assert again.text == "Database d exists already and is kept as it is."
    assert run(session, "DROP DATABASE d").text == "Database has been removed."


def test_streams_are_listed(session: Session) -> None:
    session.streams.create("clicks", 2)
    session.streams.create("other", 1)
    listed = run(session, "SHOW STREAMS LIKE 'c%'")
    assert listed.columns == ("stream name", "status", "open shards", "records")
    assert [row[0] for row in listed.rows] == ["clicks"]
    assert listed.rows[0][2:] == ("2", "0")


def test_the_example_notes_views_stand_before_tables_of_the_same_name() -> None:
    from eddyline.service import lab

    for name in lab.example_notes():
        text = lab.note_bytes(name).decode()
        assert "CREATE VIEW" not in text
