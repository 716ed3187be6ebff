"""``eddyline note run FILE`` without a server: a note of every kind of paragraph, to its end."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from eddyline.auth.rights import Rights
from tests.cli.command import Command

ORDERS = """DROP TABLE IF EXISTS orders;
CREATE TABLE orders (id BIGINT, buyer STRING, placed TIMESTAMP(3),
  WATERMARK FOR placed AS placed - INTERVAL '1' SECOND)
WITH ('connector' = 'datagen', 'number-of-rows' = '40', 'rows-per-second' = '4000',
  'fields.id.kind' = 'sequence', 'fields.id.start' = '1', 'fields.id.end' = '40');"""
INSERTS = """CREATE TABLE IF NOT EXISTS gone (id BIGINT) WITH ('connector' = 'blackhole');
INSERT INTO gone SELECT id FROM orders; INSERT INTO gone SELECT id FROM orders;"""
PYTHON = """
columns = 'COUNT(*) AS n'
for table in ['orders']:
    st_env.execute_sql('SELECT {0} FROM {1}'.format(columns, table)).print()
import os
print(os.environ['AWS_ENDPOINT_URL'].startswith('http://127.0.0.1'))
"""
NOTE = [
    "%md\n# Orders of ${who=everybody}",
    "%flink.conf\nexecution.checkpointing.interval 5000",
    f"%flink.ssql\n{ORDERS}",
    "%flink.ssql(type=update, refreshInterval=900, parallelism=2)\nSELECT SUM(id) AS s FROM orders",
    "%flink.ssql(type=single, template=<b>{0}</b> orders)\nSELECT COUNT(*) FROM orders",
    "% flink.ssql(type=append)\nSELECT id FROM orders WHERE id > ${least=39}",
    '%flink\nstenv.registerFunction("RANDOM_CUT_FOREST", new com.example.Forest())',
    f"%flink.ssql(runAsOne=true, jobName=both)\n{INSERTS}",
    "%flink.bsql\nSELECT MAX(id) AS m FROM orders;",
    f"%flink.pyflink\n{PYTHON}",
    "%ipyflink\nsum(range(5))",
    "/* only a comment */",
]


def run(note: list[str], directory: Path) -> tuple[int, list[dict[str, Any]]]:
    file = directory / "note.zpln"
    file.write_text(json.dumps({"name": "n", "paragraphs": [{"text": text} for text in note]}))
    done = Command(directory / "data")("note", "run", str(file), "--json")
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.timeout(180)
def test_every_kind_of_paragraph_runs_to_its_end(tmp_path: Path) -> None:
    code, lines = run(NOTE, tmp_path)
    ends = {x["paragraph"]: x["status"] for x in lines if "status" in x}
    assert ends == {i + 1: "FINISHED" for i in range(len(NOTE))}, lines
    assert code == 0
    rows = [(x["paragraph"], x["row"]) for x in lines if "row" in x]
    assert rows == [(4, {"s": 820}), (6, {"id": 40}), (9, {"m": 40})]
    texts = {x["paragraph"]: x["text"] for x in lines if "text" in x}
    assert texts[5] == "<b>40</b> orders"
    assert texts[10].endswith(
        "|                   40 |\n+----+----------------------+\n3 rows in set\nTrue\n"
    )
    assert texts[11] == "10"


def test_a_command_without_a_server_makes_private_files(tmp_path: Path) -> None:
    done = Command(tmp_path / "data")(
        "sql", "-e", "CREATE VIEW v AS SELECT 1 AS a; SELECT * FROM v"
    )
    assert done.returncode == 0, done.stderr
    made = [path for path in (tmp_path / "data").rglob("*") if path.is_file()]
    assert any(path.name == "meta.db" for path in made)
    assert [path.name for path in made if path.stat().st_mode & 0o077] == []


def test_what_did_not_run_is_named(tmp_path: Path) -> None:
    note = [
        "%flink.ssql\nSELECT 1 AS a;\nSELECT x FROM y;\nSELECT 2 AS b;",
        "%flink.ssql\nSELECT 3",
    ]
    code, lines = run(note, tmp_path)
    assert code == 1
    assert [x["row"] for x in lines if "row" in x] == [{"a": 1}]
    assert lines[-1] == {"paragraph": 2, "status": "NOT_RUN", "why": "paragraph 1 failed"}


def test_a_note_is_scheduled_and_exported_by_its_ending(tmp_path: Path) -> None:
    command = Command(tmp_path / "data")
    assert command.here("note", "import", "example:Sensors").returncode == 0
    done = command.here("note", "schedule", "Sensors", "0 0 12 * * ?", "--json")
    assert json.loads(done.stdout)["next_ms"] % 86_400_000 == 12 * 3_600_000
    wrong = command.here("note", "schedule", "Sensors", "now and then")
    assert wrong.returncode == 1
    assert "is no schedule" in wrong.stderr
    for name, begins in (("a.html", "<!doctype html>"), ("a.sql", "-- Sensors"), ("a.zpln", "{")):
        assert command.here("note", "export", "Sensors", str(tmp_path / name)).returncode == 0
        assert (tmp_path / name).read_text().startswith(begins)


def test_a_user_for_the_generator_alone(tmp_path: Path) -> None:
    command = Command(tmp_path / "data")
    command.here("user", "add", "ann", "--no-password", "--generator-only")
    shown = command.here("user", "list").stdout
    assert "what its policy allows" in shown
    rights = Rights(tmp_path / "data")
    assert rights.may_open("ann", "/generator")
    assert not rights.may_open("ann", "/notes")
