"""Anomalies in words and as a chart."""

from __future__ import annotations

from eddyline.service.anomalies import Alert, Point, SeriesInfo
from eddyline.studio import alerts as a
from eddyline.studio import series_chart
from eddyline.studio.anomalies import points_table

NOW = 1_764_072_000_000
WHY = {
    "errors": {"DIRECTION": "HIGH", "STRENGTH": "0.9000", "ATTRIBUTION_SCORE": "2.0000"},
    "requests": {"DIRECTION": "LOW", "STRENGTH": "0.3000", "ATTRIBUTION_SCORE": "0.5000"},
    "bytes": {"DIRECTION": "LOW", "STRENGTH": "0.3000", "ATTRIBUTION_SCORE": "0.0100"},
}
SERIES = SeriesInfo("job/forest/<k>", "job", "forest", "<k>", ["rate"], NOW, 3, 1)


def alert(**changes: object) -> Alert:
    facts: dict[str, object] = {
        "id": 1, "series_id": SERIES.series_id, "job_id": "job", "key": "<k>", "start_ms": NOW,
        "end_ms": NOW + 5000, "peak_score": 3.1, "grade": 0.9, "sentence": "<k>: rate is 400",
        "explanation": WHY,
    }  # fmt: skip
    return Alert(**(facts | changes))  # type: ignore[arg-type]


def point(at: int, value: float, grade: float = 0.0) -> Point:
    expected = [100.0] if grade else None
    return Point(NOW + at * 1000, [value], 1.0 + grade, grade, grade > 0, expected, WHY)


def test_reasons_name_the_columns_that_bear_the_score() -> None:
    assert a.reasons(WHY) == "errors above the ordinary (80 %), requests below it (20 %)"
    assert a.reasons({"rate": {"DIRECTION": "HIGH", "ATTRIBUTION_SCORE": "3.1"}}) == (
        "rate above the ordinary"
    )


def test_reasons_of_nothing_are_no_words() -> None:
    assert a.reasons(None) == ""
    assert a.reasons({"rate": {"ATTRIBUTION_SCORE": "much"}}) == ""
    assert a.reasons({"rate": "?"}) == ""


def test_a_row_says_when_what_and_how_sure_and_leads_there() -> None:
    rows = a.alert_rows([alert()], NOW + 60_000)
    assert "12:00:00" in rows
    assert "strong, 5 s long" in rows
    assert "&lt;k&gt;: rate is 400" in rows
    assert "<k>" not in rows
    assert f'href="/anomalies?series=job%2Fforest%2F%3Ck%3E&amp;at={NOW}"' in rows


def test_a_weak_anomaly_of_one_point() -> None:
    rows = a.alert_rows([alert(grade=0.1, end_ms=NOW, explanation=None)], NOW)
    assert "slight</span>" in rows


def test_the_chart_marks_points_and_spans() -> None:
    points = [point(0, 100), point(1, 400, 0.9), point(2, 101)]
    options = series_chart.options(SERIES, points, [alert(start_ms=NOW + 1000, end_ms=NOW + 1000)])
    by_name = {s["name"]: s for s in options["series"]}
    assert by_name["anomalous"]["data"] == [[NOW + 1000, 400.0]]
    assert by_name["rate, expected"]["data"] == [
        [NOW, None],
        [NOW + 1000, 100.0],
        [NOW + 2000, None],
    ]
    (band,) = by_name["rate"]["markArea"]["data"]
    assert (band[0]["xAxis"], band[1]["xAxis"]) == (NOW + 500, NOW + 1500)
    assert [p[1] for p in by_name["score"]["data"]] == [1.0, 1.9, 1.0]


def test_spans_elsewhere_are_not_drawn() -> None:
    points = [point(0, 1), point(1, 1)]
    assert series_chart.bands([alert(start_ms=NOW - 9000, end_ms=NOW - 8000)], points) == []
    assert series_chart.bands([alert()], []) == []


def test_a_series_without_points_draws() -> None:
    assert series_chart.options(SERIES, [], [])["series"]


def test_the_table_has_the_newest_first_and_explains_what_is_odd() -> None:
    table = points_table(["rate"], [point(0, 100), point(1, 400, 0.5)], 10)
    first, second = table.split("<tr")[2:]
    assert "400" in first
    assert "odd-one" in first
    assert "clear: errors above the ordinary" in first
    assert "odd-one" not in second


def test_the_alert_of_a_failed_job_leads_to_the_jobs() -> None:
    failed = alert(series_id="failed-job/abc", sentence="job hot has failed: division by zero")
    row = a.alert_rows([failed], NOW)
    assert 'href="/jobs"' in row
    assert "job failed" in row
    assert "division by zero" in row
    assert "grade" not in row
