"""Episodes, incidents, feedback and rules to mute, as the monitor keeps them."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from eddyline.errors import EddylineError
from eddyline.service.alert_rules import Mute
from eddyline.service.anomalies import Anomalies, Monitor, Point

COLUMNS = ["rate"]
SERIES = "j/f/k"


def point(time_ms: int, rarity: float | None = 0.5, **more: Any) -> Point:
    alert = more.get("event") == "begin"
    grade = 0.8 if alert else more.pop("grade", 0.0)
    return Point(
        time_ms, [200.0], 1.0, grade, alert, [100.0], {"rate": {"ATTRIBUTION_SCORE": "1"}},
        lower=[80.0], upper=[120.0], rarity=rarity, **more,
    )  # fmt: skip


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "monitor.db"


def test_an_episode_grows_and_ends(path: Path) -> None:
    monitor, seen = Monitor(path, 0), Anomalies(path)
    monitor.add("j", "f", "k", COLUMNS, [point(1000, 4.0, event="begin"), point(2000)])
    (alert,) = seen.alerts()
    assert (alert.ended_ms, alert.updates) == (None, [])
    more = [point(3000, 6.0, event="update", reason="it is worse", grade=0.9),
            point(4000, event="end")]  # fmt: skip
    assert monitor.add("j", "f", "k", COLUMNS, more).alerts == []
    (alert,) = seen.alerts()
    assert alert.ended_ms == 4000
    assert alert.updates == [{"at_ms": 3000, "reason": "it is worse"}]


def test_alerts_of_an_incident_know_it(path: Path) -> None:
    monitor, seen = Monitor(path, 0), Anomalies(path)
    facts = {
        "id": 1, "start_ms": 1000, "column": "rate", "direction": "low", "keys": 2, "of": 9,
        "change": -0.4, "explained_by": {"page": ["/a"]}, "sentence": "2 of 9 keys fell",
    }  # fmt: skip
    for key, keys in (("a", 2), ("b", 5)):
        incident_json = json.dumps({**facts, "keys": keys})
        monitor.add(
            "j", "f", key, COLUMNS, [point(1000, 4.0, event="begin", incident=incident_json)]
        )
    (incident,) = seen.incidents()
    assert (incident.keys, incident.of, incident.explained_by) == (5, 9, {"page": ["/a"]})
    assert {alert.incident_id for alert in seen.alerts()} == {incident.id}
    seen.remove("j")
    assert seen.incidents() == []


def test_what_was_said_to_be_normal_is_no_alert_from_then_on(path: Path) -> None:
    monitor, seen = Monitor(path, 0), Anomalies(path)
    monitor.add("j", "f", "k", COLUMNS, [point(1000, 4.0, event="begin"), point(2000)])
    word = seen.say(SERIES, 1000, False, 77)
    assert (word.acts_from_ms, word.rarity, word.said_ms) == (2000, 4.0, 77)
    assert seen.alerts() == []
    alerts = monitor.add("j", "f", "k", COLUMNS, [point(3000, 4.2, event="begin")])
    assert alerts.alerts == []
    (muted, _) = seen.alerts(muted=True)
    assert muted.muted == "a point as rare as this was said to be normal"
    alerts = monitor.add("j", "f", "k", COLUMNS, [point(4000, 6.0, event="begin")])
    assert len(alerts.alerts) == 1
    assert [w.id for w in seen.feedback(SERIES)] == [word.id]


def test_feedback_acts_on_points_from_its_time_on(path: Path) -> None:
    monitor, seen = Monitor(path, 0), Anomalies(path)
    monitor.add("j", "f", "k", COLUMNS, [point(1000, 4.0, event="begin")])
    seen.say(SERIES, 1000, False, 0, acts_from_ms=5000)
    assert len(monitor.add("j", "f", "k", COLUMNS, [point(4999, 4.0, event="begin")]).alerts) == 1
    assert not monitor.add("j", "f", "k", COLUMNS, [point(5000, 4.0, event="begin")]).alerts


def test_what_was_said_to_be_an_anomaly_is_an_alert_from_then_on(path: Path) -> None:
    monitor, seen = Monitor(path, 0), Anomalies(path)
    monitor.add("j", "f", "k", COLUMNS, [point(1000, 2.5), point(2000)])
    assert seen.alerts() == []
    seen.say(SERIES, 1000, True, 0)
    assert not monitor.add("j", "f", "k", COLUMNS, [point(3000, 2.4)]).alerts
    assert len(monitor.add("j", "f", "k", COLUMNS, [point(4000, 2.6)]).alerts) == 1
    assert not monitor.add("j", "f", "other", COLUMNS, [point(4000, 2.6)]).alerts


@pytest.mark.parametrize(
    ("rule", "muted"),
    [
        (Mute(0, key="k"), True),
        (Mute(0, key="x"), False),
        (Mute(0, column="rate"), True),
        (Mute(0, column="errors"), False),
        (Mute(0, from_ms=900, until_ms=1100), True),
        (Mute(0, until_ms=1000), False),
        (Mute(0, job_id="j"), True),
        (Mute(0, job_id="i"), False),
    ],
)
def test_rules_mute_by_key_column_and_time(path: Path, rule: Mute, muted: bool) -> None:
    monitor, seen = Monitor(path, 0), Anomalies(path)
    kept = seen.mute(rule, 5)
    assert seen.mutes() == [kept]
    alerts = monitor.add("j", "f", "k", COLUMNS, [point(1000, 4.0, event="begin")])
    assert bool(alerts.alerts) is not muted
    assert bool(seen.alerts()) is not muted
    assert len(seen.alerts(muted=True)) == 1
    seen.unmute(kept.id)
    assert len(seen.alerts()) == 1
    assert seen.mutes() == []


def test_a_rule_mutes_what_is_there_already(path: Path) -> None:
    monitor, seen = Monitor(path, 0), Anomalies(path)
    monitor.add("j", "f", "k", COLUMNS, [point(1000, 4.0, event="begin")])
    rule = seen.mute(Mute(0, key="k"), 5)
    (alert,) = seen.alerts(muted=True)
    assert alert.muted == rule.sentence == f"muted by rule {rule.id}: key k"
    assert seen.alerts() == []


def test_what_cannot_be_said(path: Path) -> None:
    monitor, seen = Monitor(path, 0), Anomalies(path)
    monitor.add("j", "f", "k", COLUMNS, [point(1000, None)])
    with pytest.raises(EddylineError, match="there is no point of j/f/k at 7"):
        seen.say(SERIES, 7, True, 0)
    with pytest.raises(EddylineError, match="still being learnt"):
        seen.say(SERIES, 1000, True, 0)
    with pytest.raises(EddylineError, match="ends before it begins"):
        seen.mute(Mute(0, from_ms=5, until_ms=5), 0)
    with pytest.raises(EddylineError, match="there is no rule 3"):
        seen.unmute(3)


def test_a_sentence_over_several_rows_tells_their_mean(path: Path) -> None:
    monitor, seen = Monitor(path, 0), Anomalies(path)
    calm = [
        Point(i, [100.0], 1.0, 0.0, False, [100.0], nth=i, lower=[80.0], upper=[120.0])
        for i in range(20)
    ]
    high = [
        Point(20 + i, [112.0], 1.0, 0.0, False, [100.0], nth=20 + i, lower=[80.0], upper=[120.0])
        for i in range(5)
    ]
    begin = Point(25, [113.0], 1.0, 0.8, True, [100.0], nth=25, lower=[80.0], upper=[120.0], side=1)
    monitor.add("j", "f", "k", COLUMNS, [*calm, *high, begin])
    (alert,) = seen.alerts()
    assert alert.sentence == (
        "k: rate is too high over 6 rows: 112.2 on average where about 100 was expected"
    )


def test_an_older_monitor_goes_on(path: Path) -> None:
    """Its tables get what is new, and its alerts stay."""
    from eddyline.service import anomalies

    with sqlite3.connect(path) as db:
        db.executescript(anomalies._SCHEMA)
        db.execute("INSERT INTO alerts VALUES (1, 'j/f/k', 'j', 'k', 1, 2, 3.0, 0.5, 'old', NULL)")
    db.close()
    (alert,) = Anomalies(path).alerts()
    assert (alert.sentence, alert.ended_ms, alert.muted) == ("old", None, None)
