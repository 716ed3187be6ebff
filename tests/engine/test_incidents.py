"""Episodes' events and incidents over many keys, in the rows of DETECT_ANOMALIES."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from statement_kit import Sql

COUNTRIES, PAGES, BINS, AT = "abcd", 10, 230, 200
START = np.datetime64("2026-03-02T10:00:00")
CALL = (
    "FROM TABLE(DETECT_ANOMALIES(TABLE t PARTITION BY country, page, columns => DESCRIPTOR(n), "
    "number_of_trees => 2, sub_sample_size => 10, false_alarms => '0.5/10000 rows'))"
)


def when(nth: int) -> str:
    return str(START + nth * np.timedelta64(60, "s")).replace("T", " ")


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[tuple[Any, ...]]]:
    """Forty keys; from one minute on those of countries a and b fall by 40 %, for ten minutes."""
    rng = np.random.default_rng(4)
    records: list[Any] = []
    for nth in range(BINS):
        for country in COUNTRIES:
            for page in range(PAGES):
                level = 400 * (0.6 if country in "ab" and AT <= nth < AT + 10 else 1.0)
                n = int(rng.poisson(level))
                records.append({"country": country, "page": f"/{page}", "n": n, "ts": when(nth)})
    sql = Sql(tmp_path_factory.mktemp("incidents"))
    columns = "country STRING, page STRING, n INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts"
    sql.table("t", columns, records)
    yield [
        sql.rows(f"SELECT country, page, ts, anomaly_event, anomaly_incident, n {CALL}"),
        sql.rows(
            f"SELECT country, page, ts, anomaly_event, anomaly_incident, n {CALL}",
            batch_rows_max=37,
        ),
    ]  # type: ignore[misc]
    sql.close()


def test_many_keys_at_once_are_one_incident(rows: list[list[tuple[Any, ...]]]) -> None:
    incidents = [json.loads(row[4]) for row in rows[0] if row[4] is not None]
    assert {one["id"] for one in incidents} == {1}
    newest = max(incidents, key=lambda one: one["keys"])
    assert 18 <= newest["keys"] <= 22
    assert newest["of"] == 40
    assert -0.45 < newest["change"] < -0.35
    assert {k: sorted(v) for k, v in newest["explained_by"].items()} == {"country": ["a", "b"]}
    assert (newest["column"], newest["direction"]) == ("n", "low")
    assert f"{newest['keys']} of 40 keys fell by " in newest["sentence"]
    assert " at 13:2" in newest["sentence"]
    assert {row[0] for row in rows[0] if row[4] is not None} == {"a", "b"}


def test_an_episode_begins_and_ends_once(rows: list[list[tuple[Any, ...]]]) -> None:
    by_key: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for country, page, ts, event, _, _ in sorted(rows[0], key=lambda row: str(row[2])):
        if event is not None:
            by_key.setdefault((country, page), []).append((str(ts), event))
    fell = {key: events for key, events in by_key.items() if key[0] in "ab"}
    assert len(fell) >= 18
    for of_key in fell.values():
        events = [event for _, event in of_key]
        assert events[0] == "begin"
        assert events.count("begin") - events.count("end") in (0, 1)
        assert "update" not in events[:1]
    ended = [events for events in fell.values() if events[-1][1] == "end"]
    assert len(ended) >= len(fell) // 2


def test_batches_change_neither_events_nor_incidents(rows: list[list[tuple[Any, ...]]]) -> None:
    assert sorted(map(str, rows[0])) == sorted(map(str, rows[1]))


def test_a_crash_changes_no_event_and_no_incident(
    rows: list[list[tuple[Any, ...]]], tmp_path: Path
) -> None:
    sql = Sql(tmp_path)
    records = [
        {"country": c, "page": p, "n": n, "ts": str(ts)}
        for c, p, ts, _, _, n in sorted(rows[0], key=lambda row: str(row[2]))
    ]
    columns = "country STRING, page STRING, n INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts"
    sql.table("t", columns, list(records))
    sql.table("o", "c STRING, p STRING, ts STRING, e STRING, i STRING", [])
    query = f"SELECT country, page, CAST(ts AS STRING), anomaly_event, anomaly_incident {CALL}"
    crashes = sql.insert_with_crashes("o", query, len(records), tmp_path / "job")
    after_crash = sql.rows("SELECT c, p, e, i FROM o WHERE e IS NOT NULL")
    sql.close()
    assert crashes >= 0
    expected = [(c, p, e, i) for c, p, _, e, i, _ in rows[0] if e is not None]
    assert sorted(map(str, after_crash)) == sorted(map(str, expected))


def test_rows_of_windows_without_rows_say_so(tmp_path: Path) -> None:
    sql = Sql(tmp_path)
    records: list[Any] = [
        {"k": "x", "note": "seen", "ts": when(nth)} for nth in range(40) if nth != 20
    ]
    sql.table("c", "k STRING, note STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts", records)
    sql.execute("""CREATE VIEW counted AS
      SELECT window_start, window_end, window_time, k, MAX(note) AS note, COUNT(*) AS n
      FROM TABLE(TUMBLE(TABLE c, DESCRIPTOR(ts), INTERVAL '1' MINUTE))
      GROUP BY window_start, window_end, window_time, k""")
    query = """SELECT window_start, n, note, anomaly_filled FROM TABLE(DETECT_ANOMALIES(
      TABLE counted PARTITION BY k, columns => DESCRIPTOR(n), fill => 0, number_of_trees => 2,
      sub_sample_size => 10))"""
    rows = sql.rows(query)
    sql.close()
    assert len(rows) == 40
    assert [(str(row[0]), *row[1:]) for row in rows if row[3]] == [
        ("2026-03-02 10:20:00", 0, None, True)
    ]
    assert {row[1:] for row in rows if not row[3]} == {(1, "seen", False)}
