"""ML_DETECT_ANOMALIES(…) OVER (…), as Confluent's Flink spells it, over the detector."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from engine_kit import Watcher
from statement_kit import Sql

from eddyline.errors import EddylineError

COLUMNS = (
    "k STRING, v DOUBLE, s STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '1' SECOND"
)
WINDOW = "OVER (PARTITION BY k ORDER BY ts RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)"
JUMP = 150


def readings() -> list[dict[str, Any]]:
    """Two keys of noise; one of them jumps once."""
    noise = random.Random(1)
    rows = []
    for minute in range(200):
        at = f"2026-01-01 {minute // 60:02d}:{minute % 60:02d}:00"
        for key in "ab":
            jump = 80 if (minute, key) == (JUMP, "a") else 0
            rows.append({"k": key, "v": 100 + noise.gauss(0, 3) + jump, "s": "x", "ts": at})
    return rows


@pytest.fixture
def sql(tmp_path: Path) -> Iterator[Sql]:
    made = Sql(tmp_path)
    made.table("t", COLUMNS, list(readings()))
    yield made
    made.close()


def call(settings: str = "'minTrainingSize' VALUE 40, 'confidencePercentage' VALUE 99.9") -> str:
    return f"ML_DETECT_ANOMALIES(v, ts, JSON_OBJECT({settings})) {WINDOW}"


def query(columns: str, settings: str | None = None) -> str:
    detection = call() if settings is None else call(settings)
    return f"SELECT {columns} FROM (SELECT k, ts, v, {detection} AS anomaly FROM t)"


def test_a_jump_is_found_with_confluents_fields(sql: Sql) -> None:
    fields = (
        "k, anomaly.`timestamp`, anomaly.actual_value, anomaly.forecast_value, "
        "anomaly.lower_bound, anomaly.upper_bound, anomaly.is_anomaly, anomaly[6], anomaly.rmse, "
        "anomaly.aic"
    )
    rows = sql.rows(query(fields))
    assert len(rows) == 400
    (odd,) = [row for row in rows if row[6]]
    key, at, actual, forecast, lower, upper, _, sixth, rmse, aic = odd
    assert (key, str(at), sixth, rmse, aic) == ("a", "2026-01-01 02:30:00", True, None, None)
    assert actual > 170
    assert 80 < lower < forecast < upper < 120
    early = [row for row in rows if row[6] is None]
    assert len(early) >= 2 * 39
    assert all(row[3:6] == (None, None, None) and row[2] is not None for row in early)


def test_rows_one_by_one_give_the_same(sql: Sql) -> None:
    text = query("k, ts, anomaly.is_anomaly, anomaly.upper_bound")
    assert sql.rows(text, batch_rows_max=1) == sql.rows(text)


def test_a_restarted_job_judges_as_one_that_ran_on(sql: Sql, tmp_path: Path) -> None:
    sql.table("judged", "k STRING, ts TIMESTAMP(3), odd BOOLEAN, upper_bound DOUBLE", [])
    text = query("k, ts, anomaly.is_anomaly, anomaly.upper_bound")
    expected = sorted(sql.rows(text), key=str)
    state = tmp_path / "state"
    stop_when(sql, f"INSERT INTO judged {text}", state, 1, len(expected) // 2)
    stop_when(sql, f"INSERT INTO judged {text}", state, 2, len(expected))
    sql.run(f"INSERT INTO judged {text}", directory=state, incarnation=3, records=0)
    sql._counts["judged"] = len(expected)
    assert sorted(sql.rows("SELECT * FROM judged"), key=str) == expected


def stop_when(sql: Sql, text: str, directory: Path, incarnation: int, position: int) -> None:
    """Run a job over few rows at a time until it has read so many; then stop it."""
    stop = threading.Event()
    job = sql.job(
        sql.plan(text), Watcher(), directory=directory, incarnation=incarnation, batch_rows_max=50
    )

    def watch() -> None:
        while not stop.wait(0.002):
            if any(s.position >= position for s in job.metrics().shards):
                stop.set()

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        assert job.run(stop) == "stopped"
    finally:
        stop.set()
        watcher.join()


def test_settings_change_the_result(sql: Sql) -> None:
    def judged(settings: str) -> tuple[int, int]:
        rows = sql.rows(query("anomaly.is_anomaly", settings))
        return sum(row[0] is not None for row in rows), sum(row[0] is True for row in rows)

    early, _ = judged("'minTrainingSize' VALUE 40")
    late, _ = judged("'minTrainingSize' VALUE 150")
    assert late == 2 * 51 < early
    _, few = judged("'minTrainingSize' VALUE 40, 'confidencePercentage' VALUE 99.99")
    _, many = judged("'minTrainingSize' VALUE 40, 'confidencePercentage' VALUE 90")
    assert few < many


def test_a_window_without_keys_and_settings(sql: Sql) -> None:
    rows = sql.rows(
        "SELECT anomaly.is_anomaly FROM (SELECT ML_DETECT_ANOMALIES(v, ts) OVER (ORDER BY ts "
        "ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS anomaly FROM t)"
    )
    assert sum(row[0] is None for row in rows) >= 127


def test_windows_of_a_grouping_are_judged(sql: Sql) -> None:
    rows = sql.rows(
        "SELECT k, window_time, anomaly.actual_value FROM (SELECT k, window_time, "
        "ML_DETECT_ANOMALIES(CAST(top AS DOUBLE), window_time, JSON_OBJECT('minTrainingSize' VALUE "
        "8)) OVER (PARTITION BY k ORDER BY window_time RANGE BETWEEN UNBOUNDED PRECEDING AND "
        "CURRENT ROW) AS anomaly FROM (SELECT k, window_start, window_end, window_time, MAX(v) AS "
        "top FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '5' MINUTE)) GROUP BY k, "
        "window_start, window_end, window_time))"
    )
    assert len(rows) == 80


def test_what_arima_needs_is_passed_over_with_a_warning(sql: Sql) -> None:
    plan = sql.plan(query("k", "'p' VALUE 1, 'd' VALUE 1, 'enableStl' VALUE FALSE"))
    assert plan.warnings == (
        "p, d, enableStl change nothing: the detector learns its seasons by itself",
    )
    plan = sql.plan(query("k", "'confidencePercentage' VALUE 75"))
    assert plan.warnings == ("confidencePercentage below 90 counts as 90",)


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        (call("'minTrainingsize' VALUE 9"), "no setting minTrainingsize"),
        (call("'minTrainingSize' VALUE 0"), "minTrainingSize must be"),
        (call("'minTrainingSize' VALUE 'x'"), "minTrainingSize must be"),
        (call("'confidencePercentage' VALUE 100"), "between 0 and 100"),
        (call("'minTrainingSize' VALUE v"), "must be constants"),
        (f"ML_DETECT_ANOMALIES(s, ts) {WINDOW}", "judges numbers"),
        (f"ML_DETECT_ANOMALIES(v, k) {WINDOW}", "the time of ML_DETECT_ANOMALIES"),
        (f"ML_DETECT_ANOMALIES(v) {WINDOW}", "takes a value, a time"),
        (f"ML_DETECT_ANOMALIES(v, ts, 'x') {WINDOW}", "must be JSON_OBJECT"),
        ("ML_DETECT_ANOMALIES(v, ts)", "needs OVER"),
        ("ML_DETECT_ANOMALIES(v, ts) OVER (ORDER BY v)", "in order of a row time"),
        ("ML_DETECT_ANOMALIES(v, ts) OVER (ORDER BY ts DESC)", "in order of a row time"),
    ],
)
def test_what_cannot_be_is_refused(sql: Sql, expression: str, message: str) -> None:
    with pytest.raises(EddylineError) as refused:
        sql.plan(f"SELECT {expression} AS anomaly FROM t")
    assert message in refused.value.message


def test_rows_that_are_taken_back_are_refused(sql: Sql) -> None:
    sql.table("changes", COLUMNS, [], format="debezium-json")
    with pytest.raises(EddylineError, match="taken back"):
        sql.plan("SELECT ML_DETECT_ANOMALIES(v, ts) OVER (ORDER BY ts) AS a FROM changes")


def test_a_row_has_so_many_places(sql: Sql) -> None:
    with pytest.raises(EddylineError) as refused:
        sql.plan(f"SELECT ({call()})[9] AS anomaly FROM t")
    assert "a place from 1 to 8" in str(refused.value.hint)
