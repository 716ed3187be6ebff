"""What is written in SQL for DETECT_ANOMALIES reaches the detector and changes the verdicts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from statement_kit import Sql

from eddyline.anomaly.choices import CHOICES, Choices, live_from_ms
from eddyline.anomaly.column.row import LEVEL
from eddyline.anomaly.detector import DetectorOptions, Detectors, ForestOptions, Verdicts
from eddyline.anomaly.reasons import reason
from eddyline.errors import EddylineError
from eddyline.sql.bind.forests import DETAILS, EXPLANATION, GRADE, SCORE

HOUR_MS = 3_600_000
START = np.datetime64("2026-03-09T00:00", "ms")  # a Monday; Berlin's clocks change on day 20
DAYS = 23
# A Wednesday as quiet as a Sunday is last; the jump of both columns is before.
JUMP = 19 * 24 + 14
FOREST = {"number_of_trees": 5, "sub_sample_size": 24, "time_decay": 100, "shingle_size": 1}
VERDICT = (
    "anomaly_grade, anomaly_verdict, anomaly_probability, anomaly_expected, anomaly_lower, "
    "anomaly_upper, anomaly_reason, anomaly_attribution, anomaly_episode"
)


def points() -> Any:
    """Clicks and impressions by the hour, busy by day and calm on Sundays."""
    rng = np.random.default_rng(1)
    hour, day = np.arange(DAYS * 24) % 24, np.arange(DAYS * 24) // 24
    mean = 2000 + 1800 * np.cos(2 * np.pi * (hour - 15) / 24)
    mean *= np.where((day % 7 == 6) | (day == DAYS - 1), 0.3, 1.0)
    mean[JUMP] *= 2.0
    shown = rng.poisson(mean)
    return np.column_stack([rng.binomial(shown, 0.1), shown]).astype(float)


@pytest.fixture(scope="module")
def sql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sql]:
    kit = Sql(tmp_path_factory.mktemp("options"))
    times = START + np.arange(DAYS * 24) * np.timedelta64(HOUR_MS, "ms")
    rows: list[Any] = [
        {"n": n, "m": m, "ts": str(at).replace("T", " ")}
        for at, (n, m) in zip(times, points().tolist(), strict=True)
    ]
    kit.table("counted", "n DOUBLE, m DOUBLE, ts TIMESTAMP(3), WATERMARK FOR ts AS ts", rows)
    yield kit
    kit.close()


def stated(sql: Sql, **options: object) -> list[tuple[Any, ...]]:
    """Score and verdict of each row, in order, with options as SQL has them."""
    given = {**FOREST, "seed": 3, **options}
    text = ", ".join(
        f"{k} => '{v}'" if isinstance(v, str) else f"{k} => {v}" for k, v in given.items()
    )
    rows = sql.rows(
        f"SELECT ts, anomaly_score, {VERDICT} FROM TABLE(DETECT_ANOMALIES("
        f"TABLE counted, columns => DESCRIPTOR(n, m), {text}))"
    )
    return [row[1:] for row in sorted(rows, key=lambda row: row[0])]


def direct(**options: object) -> Any:
    """(score, grade, expected value of the leading column) of each row, from the detector."""
    forest = {**FOREST, "seed": 3}
    forest |= {k: v for k, v in options.items() if k in forest}
    texts = {k: v for k, v in options.items() if k in Choices.__dataclass_fields__}
    more = {k: v for k, v in options.items() if k in ("tolerance", "false_alarms")}
    detectors = Detectors(
        DetectorOptions(
            ForestOptions(**forest),  # type: ignore[arg-type]
            normalize=True,
            timed=True,
            choices=Choices(**texts),  # type: ignore[arg-type]
            **more,  # type: ignore[arg-type]
        ),
        2,
        columns=("n", "m"),
        early=True,
    )
    n = DAYS * 24
    times = START.astype(np.int64) + np.arange(n) * HOUR_MS
    v = detectors.process(np.zeros(n, np.int64), points(), times)
    return np.column_stack([v.score, v.grade, v.expected[np.arange(n), v.lead]])


OPTIONS: list[tuple[str, object]] = [
    ("false_alarms", "30/week"),
    ("season", "none"),
    ("shares", "n/m"),
    ("laws", "n:real"),
    ("minimum_change", "n:500,m:5000"),
    ("time_zone", "Europe/Berlin"),
    ("holidays", "2026-03-31"),
    ("live_from", "2026-03-29 00:00"),
    ("tolerance", 2.0),
    ("number_of_trees", 9),
    ("sub_sample_size", 40),
    ("time_decay", 30),
    ("shingle_size", 3),
    ("seed", 4),
]


@pytest.fixture(scope="module")
def usual(sql: Sql) -> list[tuple[Any, ...]]:
    return stated(sql)


def test_every_option_is_here() -> None:
    named = {name for name, _ in OPTIONS}
    assert {c.name for c in CHOICES} <= named
    assert set(ForestOptions.__dataclass_fields__) <= named


@pytest.mark.parametrize(("name", "value"), OPTIONS, ids=[name for name, _ in OPTIONS])
def test_an_option_changes_the_verdicts_as_the_detector_has_them(
    sql: Sql, usual: list[tuple[Any, ...]], name: str, value: object
) -> None:
    rows = stated(sql, **{name: value})
    first = 0 if name in ForestOptions.__dataclass_fields__ else 1  # those change the score, too
    assert [r[first:] for r in rows] != [r[first:] for r in usual]
    got = np.array([(r[0], r[1], r[4]) for r in rows], float)
    np.testing.assert_array_equal(got, direct(**{name: value}))


def test_rows_before_live_from_only_teach(sql: Sql, usual: list[tuple[Any, ...]]) -> None:
    """The jump is at hour 470: before the time it is no alert, and later verdicts are the same."""
    live = (JUMP + 3) // 24 * 24 + 24
    rows = stated(sql, live_from=str(START + live * np.timedelta64(HOUR_MS, "ms")))
    assert [r[2] for r in usual[:live]].count("anomalous") > 0
    assert {(r[1], r[2], r[7]) for r in rows[:live]} == {
        (0.0, "learning", "learning: history, before live_from")
    }
    assert {(r[3], r[9]) for r in rows[:live]} == {(None, None)}
    assert [r[:9] for r in rows[live:]] == [r[:9] for r in usual[live:]]


@pytest.mark.parametrize(
    ("text", "zone", "hour"),
    [
        ("2026-03-29 00:00", "", 480),
        ("2026-03-29T02:00+02:00", "", 480),
        ("2026-03-29 00:00", "Europe/Berlin", 479),
        ("2026-03-29", "", 480),
    ],
)
def test_live_from_is_a_time_in_the_zone_of_the_day(text: str, zone: str, hour: int) -> None:
    choices = Choices(live_from=text, time_zone=zone)
    assert live_from_ms(choices) == START.astype(np.int64) + hour * HOUR_MS


def test_live_from_refuses_what_is_no_time(sql: Sql) -> None:
    with pytest.raises(EddylineError, match="live_from is not understood: 'soon'"):
        stated(sql, live_from="soon")


def test_every_column_of_the_function_is_documented() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "detection.md").read_text()
    rows = [line for line in page.splitlines() if line.startswith("| `anomaly_")]
    documented = {
        name for row in rows for name in re.findall(r"`(anomaly_\w+)`", row.split("|")[1])
    }
    assert documented == {SCORE, GRADE, EXPLANATION, *DETAILS}


@pytest.mark.parametrize(
    ("side", "words"), [(-1.0, "too low over several rows, though not in"), (1.0, "too high: 103")]
)
def test_the_reason_of_several_rows_names_their_side(side: float, words: str) -> None:
    one = np.ones((1, 1))
    fields: dict[str, Any] = dict.fromkeys(Verdicts.__dataclass_fields__, np.zeros(1))
    fields |= {"grade": np.ones(1), "verdict": np.array([2]), "lead": np.array([0])}
    fields |= {"kind": np.array([LEVEL]), "side": np.array([side]), "expected": 100 * one}
    assert words in reason(["n"], np.array([103.0]), Verdicts(**fields), 0)
