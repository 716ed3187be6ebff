"""The monitor: points and alerts, each once."""

from __future__ import annotations

from pathlib import Path

import pytest

from eddyline.service import anomalies
from eddyline.service.anomalies import Anomalies, Monitor, Point

COLUMNS = ["rate"]


def point(time_ms: int, rate: float, alert: bool = False, grade: float = 0.0) -> Point:
    grade = grade or float(alert)
    return Point(
        time_ms, [rate], 2.0 + grade if grade else 0.7, grade, alert, [100.0], {"rate": {}}
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "monitor.db"


def test_points_and_an_alert_are_kept(path: Path) -> None:
    monitor, seen = Monitor(path, 60_000), Anomalies(path)
    alerts = monitor.add(
        "j", "forest", "/home", COLUMNS, [point(1000, 100), point(2000, 400, True)]
    )
    assert alerts.series == ["j/forest//home"]
    (series,) = seen.series()
    assert (series.points, series.alerts, series.last_ms, series.key) == (2, 1, 2000, "/home")
    (alert,) = seen.alerts()
    assert alerts.alerts == [alert.id]
    assert (
        alert.sentence == "/home: rate is too high: 400 where about 100 was expected (score 3.00)"
    )
    assert [p.time_ms for p in seen.points(series.series_id)] == [1000, 2000]
    assert [p.time_ms for p in seen.points(series.series_id, since_ms=1000)] == [2000]
    assert seen.points(series.series_id, limit=1)[0].time_ms == 2000


def share(**shares: float) -> dict[str, dict[str, str]]:
    return {name: {"ATTRIBUTION_SCORE": f"{part:.4f}"} for name, part in shares.items()}


def test_a_sentence_names_the_columns_that_are_off() -> None:
    columns = ["requests", "errors", "bytes"]
    why = share(requests=0.2, errors=1.1, bytes=0.9)
    odd = Point(0, [104, 0.13, 12345678.9], 2.2, 1, True, [100, 0.0101, 3.5e8], why)
    assert anomalies.sentence("", columns, odd) == (
        "errors is too high: 0.13 where about 0.0101 was expected; "
        "bytes is too low: 12,345,679 where about 350,000,000 was expected (score 2.20)"
    )
    assert anomalies.sentence("a|b", ["n"], Point(0, [999.97], 2, 1, True)) == (
        "a|b: n is 1000 (score 2.00)"
    )


def test_another_column_is_another_alert(path: Path) -> None:
    monitor, seen = Monitor(path, 60_000), Anomalies(path)
    columns = ["requests", "errors"]
    many, bad = share(requests=2.0, errors=0.1), share(requests=0.1, errors=2.0)
    odd = [(1000, many, True), (2000, bad, False), (3000, bad, True), (4000, bad, True)]
    points = [Point(at, [9, 9], 2.1, 0.9, alert, [1, 1], why) for at, why, alert in odd]
    monitor.add("j", "f", "", columns, points)
    assert [(a.start_ms, a.end_ms) for a in seen.alerts()] == [(3000, 4000), (1000, 2000)]


def test_scoring_again_after_a_restart_changes_nothing(path: Path) -> None:
    monitor, seen = Monitor(path, 0), Anomalies(path)
    points = [point(1000, 100), point(2000, 400, True)]
    monitor.add("j", "f", "", COLUMNS, points)
    alerts = monitor.add("j", "f", "", COLUMNS, [*points, point(3000, 100)])
    assert alerts.alerts == []
    assert len(seen.alerts()) == 1
    assert seen.series()[0].points == 3


def test_an_anomaly_that_goes_on_is_one_alert(path: Path) -> None:
    monitor, seen = Monitor(path, 5_000), Anomalies(path)
    monitor.add("j", "f", "", COLUMNS, [point(1000, 400, True), point(2000, 500, grade=0.9)])
    monitor.add("j", "f", "", COLUMNS, [point(6000, 450, True)])
    (alert,) = seen.alerts()
    assert (alert.start_ms, alert.end_ms) == (1000, 6000)
    monitor.add("j", "f", "", COLUMNS, [point(60_000, 450, True)])
    assert [a.start_ms for a in seen.alerts()] == [60_000, 1000]


def test_series_are_bounded(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(anomalies, "POINTS_KEPT", 50)
    monitor, seen = Monitor(path, 0), Anomalies(path)
    monitor.add("j", "f", "", COLUMNS, [point(n, 1.0) for n in range(1, 201)])
    (series,) = seen.series()
    assert series.points == 50
    assert [p.time_ms for p in seen.points(series.series_id)] == list(range(151, 201))


def test_whoever_subscribed_hears(path: Path) -> None:
    monitor, seen = Monitor(path, 0), Anomalies(path)
    received: list[object] = []
    end = seen.subscribe(received.append)
    alerts = monitor.add("j", "f", "", COLUMNS, [point(1, 1.0)])
    seen.tell(alerts)
    end()
    seen.tell(alerts)
    assert received == [alerts]


def test_a_removed_job_leaves_nothing(path: Path) -> None:
    monitor, seen = Monitor(path, 0), Anomalies(path)
    for job in ("a", "b"):
        monitor.add(job, "f", "", COLUMNS, [point(1, 9.0, True)])
    seen.remove("a")
    assert [s.job_id for s in seen.series()] == ["b"]
    assert [a.job_id for a in seen.alerts()] == ["b"]
    assert seen.points("a/f") == []


def test_points_of_one_moment_are_as_many(path: Path) -> None:
    monitor = Monitor(path, 1000)
    points = [
        Point(5_000, [float(n)], 1.0, float(n == 2), n == 2, nth=n) for n in range(3)
    ]  # fmt: skip
    assert monitor.add("job", "forest", "k", ["v"], points[:2]).alerts == []
    assert len(monitor.add("job", "forest", "k", ["v"], points[1:]).alerts) == 1
    assert monitor.add("job", "forest", "k", ["v"], points).alerts == []
    anomalies = Anomalies(path)
    assert anomalies.points(anomalies.series()[0].series_id) == points
    assert anomalies.series()[0].points == 3
