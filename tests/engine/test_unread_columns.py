"""Queries that read no payload column of their table still get one row per record."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from statement_kit import Sql

from eddyline.errors import EddylineError

ARRIVAL = "arrival TIMESTAMP(3) METADATA FROM 'timestamp' VIRTUAL"
WATERMARK = "WATERMARK FOR arrival AS arrival"
WINDOW = "TABLE(TUMBLE(TABLE t, DESCRIPTOR(arrival), INTERVAL '1' HOUR))"
TABLES = {
    "json": (f"page STRING, {ARRIVAL}, {WATERMARK}", ['{"page":"a"}', "{}"]),
    "json of metadata alone": (f"{ARRIVAL}, {WATERMARK}", ['{"page":"a"}', "{}"]),
    "json with a row": (f"r ROW<a INT>, {ARRIVAL}, {WATERMARK}", ['{"r":{"a":1}}', "{}"]),
    "csv": (f"page STRING, ms INT, {ARRIVAL}, {WATERMARK}", ["a,1", "b,2"]),
    "csv of metadata alone": (f"{ARRIVAL}, {WATERMARK}", ["a,1", "b,2"]),
    "raw": (f"line STRING, {ARRIVAL}, {WATERMARK}", ["a", "b"]),
}


@pytest.fixture
def sql(tmp_path: Path) -> Iterator[Sql]:
    kit = Sql(tmp_path)
    yield kit
    kit.close()


@pytest.mark.parametrize("kind", TABLES)
def test_metadata_constants_and_counts(kind: str, sql: Sql) -> None:
    columns, records = TABLES[kind]
    sql.table("t", columns, list(records), format=kind.split()[0])
    arrivals = sql.rows("SELECT arrival FROM t")
    assert len(arrivals) == 2
    assert all(arrival is not None for (arrival,) in arrivals)
    assert sql.rows("SELECT 1 FROM t") == [(1,), (1,)]
    counted = f"SELECT COUNT(*) FROM {WINDOW} GROUP BY window_start, window_end"
    assert sum(n for (n,) in sql.rows(counted)) == 2
    assert sql.run("SELECT COUNT(*) FROM t").folded() == {(2,): 1}
    joined = "SELECT COUNT(*) FROM t AS a CROSS JOIN t AS b"
    assert sql.run(joined).folded() == {(4,): 1}


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ("[1]", "it is a JSON array, not an object"),
        ('{"page":', "it is not JSON"),
        ("", "it is empty"),
        (b"\xff", "it is not UTF-8"),
    ],
)
def test_a_bad_record_is_noticed_although_no_column_is_read(
    record: str | bytes, reason: str, sql: Sql
) -> None:
    sql.table("t", TABLES["json"][0], ['{"page":"a"}', record, "{}"])
    with pytest.raises(EddylineError, match=reason):
        sql.rows("SELECT arrival FROM t")
    skipping = "/*+ OPTIONS('json.ignore-parse-errors'='true') */"
    assert len(sql.rows(f"SELECT arrival FROM t {skipping}")) == 2
