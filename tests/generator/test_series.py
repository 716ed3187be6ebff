"""Values that walk, trend and follow seasons, for each key."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from eddyline.errors import EddylineError
from eddyline.generator.template import compile_template

START_MS = 1_767_571_200_000  # Monday, 2026-01-05T00:00:00Z
HOUR_MS = 3_600_000


def values(arguments: dict[str, Any], n: int = 2000, step_ms: int = 60_000) -> Any:
    """Of one tag, a record each ``step_ms``."""
    template = compile_template("{{series.value(" + json.dumps(arguments) + ")}}")
    assert template.warnings == ()
    now = START_MS + np.arange(n) * step_ms
    records = template.rendering(np.random.default_rng(3)).records(n, now, now)
    assert max(map(len, records.to_pylist())) <= template.record_bytes_max
    return np.array([float(r) for r in records.to_pylist()])


def test_a_day_has_its_peak() -> None:
    daily = values({"base": 20, "daily": {"swing": 5, "peak": "15:00"}, "precision": 1e-6}, 1440)
    assert daily.max() == pytest.approx(25, abs=0.001)
    assert daily.argmax() == 15 * 60
    assert daily.argmin() == 3 * 60
    assert daily.mean() == pytest.approx(20, abs=0.01)


def test_a_day_follows_its_zone() -> None:
    tokyo = {"daily": {"swing": 1, "peak": 12}, "zone": "Asia/Tokyo", "precision": 1e-6}
    assert values(tokyo, 1440).argmax() == 3 * 60


def test_a_week_has_a_number_for_each_day() -> None:
    week = values({"weekly": [0, 0, 0, 0, 0, 10, 20], "precision": 0.01}, 7 * 24, HOUR_MS)
    noons = week[12::24]
    assert noons.tolist() == [0, 0, 0, 0, 0, 10, 20]
    # From Sunday's noon the line leads to Monday's.
    assert week[7 * 24 - 1] == pytest.approx(20 * (1 - 11 / 24), abs=0.1)
    peak = {"weekly": {"swing": 3, "peak": "Saturday"}, "precision": 1e-6}
    assert values(peak, 7 * 24, HOUR_MS).argmax() == 5 * 24 + 12


def test_seasons_of_ones_own_add_up() -> None:
    seasons = [{"swing": 1, "period": "10m"}, {"swing": 2, "period": "4m", "peak": "1m"}]
    drawn = values({"season": seasons, "precision": 0.0001}, 400, 10_000)
    seconds = START_MS / 1000 + np.arange(400) * 10
    minute = 2 * np.pi * seconds / 60
    expected = np.cos(minute / 10) + 2 * np.cos((minute - 2 * np.pi) / 4)
    assert drawn == pytest.approx(expected, abs=0.001)


def test_a_trend_rises_from_the_runs_begin_or_a_date() -> None:
    assert values({"base": 1, "trend": 24}, 3, HOUR_MS).tolist() == [1, 2, 3]
    assert values({"trend": {"by": -2, "per": "1h"}}, 3, HOUR_MS).tolist() == [0, -2, -4]
    dated = {"trend": {"by": 1, "per": "1d", "from": "2026-01-01T00:00:00Z"}}
    assert values(dated, 1).tolist() == [4]


@pytest.mark.parametrize(
    ("law", "deviation"),
    [("normal", 2), ("uniform", 2 / np.sqrt(3)), ("laplace", 2 * np.sqrt(2)), ("exponential", 2)],
)
def test_noise_has_its_law(law: str, deviation: float) -> None:
    drawn = values({"noise": {"law": law, "size": 2}, "precision": 0.0001}, 40_000)
    assert drawn.std() == pytest.approx(deviation, rel=0.03)
    assert drawn.mean() == pytest.approx(2 if law == "exponential" else 0, abs=0.06)


def test_students_noise_has_heavy_tails() -> None:
    drawn = values({"noise": {"law": "student", "size": 1, "freedom": 3}}, 40_000)
    # A Student variable of three degrees passes 5.84 in one of a hundred cases, in both tails.
    assert np.mean(np.abs(drawn) > 5.84) == pytest.approx(0.01, abs=0.002)


def keyed(arguments: dict[str, Any], keys: int, n: int, method: str = "series.walk") -> Any:
    """Rows (key, value) of a walk per key."""
    text = f"{{{{k = random.number({keys - 1})}}}},{{{{{method}({json.dumps(arguments)})}}}}"
    now = np.full(n, START_MS)
    records = compile_template(text).rendering(np.random.default_rng(7)).records(n, now, now)
    return np.array([r.decode().split(",") for r in records.to_pylist()]).astype(float)


def test_each_key_walks_by_itself() -> None:
    rows = keyed({"start": 50, "step": 1, "key": "k", "precision": 0.0001}, 5, 20_000)
    for key in range(5):
        walk = rows[rows[:, 0] == key, 1]
        assert walk[0] == 50
        steps = np.diff(walk)
        assert steps.std() == pytest.approx(1, rel=0.05)
        assert abs(np.corrcoef(steps[1:], steps[:-1])[0, 1]) < 0.06


def test_a_walk_stays_within_its_bounds() -> None:
    rows = keyed({"min": 0, "max": 10, "step": 3, "precision": 0.1}, 1, 20_000)
    assert rows[0, 1] == 5
    assert rows[:, 1].min() >= 0
    assert rows[:, 1].max() <= 10
    counts, _ = np.histogram(rows[:, 1], 5, (0, 10))
    assert counts.min() > 3000  # reflected, it visits every part alike


def test_a_walk_returns_where_it_reverts() -> None:
    free = keyed({"start": 0, "step": 1}, 1, 20_000)[:, 1]
    held = keyed({"start": 0, "step": 1, "revert": 0.1}, 1, 20_000)[:, 1]
    assert held.std() == pytest.approx(1 / np.sqrt(1 - 0.9**2), rel=0.1)
    assert free.std() > 5 * held.std()


def test_keys_have_levels_of_their_own() -> None:
    arguments = {"base": 100, "deviation": 10, "key": "k", "precision": 0.01}
    rows = keyed(arguments, 200, 5_000, "series.value")
    levels = {key: set(rows[rows[:, 0] == key, 1]) for key in range(200)}
    assert all(len(level) == 1 for level in levels.values())
    spread = np.array([next(iter(level)) for level in levels.values()])
    assert spread.std() == pytest.approx(10, rel=0.2)


def test_records_do_not_depend_on_how_they_are_asked_for() -> None:
    text = '{{set k = random.number(3)}}{{series.walk({"start":1,"step":1,"key":"k"})}}'
    template, now = compile_template(text), np.full(1000, START_MS)
    whole = template.rendering(np.random.default_rng(1)).records(1000, now, now).to_pylist()
    rendering, parts = template.rendering(np.random.default_rng(1)), []
    for n in (1, 9, 490, 500):
        parts += rendering.records(n, now[:n], now[:n]).to_pylist()
    assert parts == whole


def test_a_later_run_walks_on() -> None:
    text = (
        '{{set k = random.number(3)}}{{series.walk({"start":1,"step":1,"key":"k"})}} '
        '{{series.value({"trend":1})}} {{session.id}}'
    )
    now = START_MS + np.arange(1000) * HOUR_MS

    def rendered(first: int, begun_ms: int | None = None) -> list[bytes]:
        rendering = compile_template(text).rendering(np.random.default_rng(1), first, begun_ms)
        records: list[bytes] = rendering.records(1000 - first, now[first:], now[first:]).to_pylist()
        return records

    assert rendered(400, START_MS) == rendered(0)[400:]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ('{"noise":{"law":"cauchy"}}', "laws are normal"),
        ('{"daily":[1,2]}', "one for each hour"),
        ('{"weekly":{"swing":1,"peak":"Caturday"}}', "no weekday"),
        ('{"daily":{"swing":1,"peak":"25:00"}}', "no time of day"),
        ('{"season":{"swing":1,"period":"1 parsec"}}', "no duration"),
        ('{"season":5}', "write an object"),
        ('{"key":"sensor"}', "no value is named sensor"),
        ('{"deviation":5}', "needs a key"),
        ('{"min":5,"max":1}', "below min"),
        ('{"walk":{"steps":1}}', "walk has no steps"),
        ('{"zone":"Moon"}', "no zone"),
        ('{"basis":1}', "did you mean base"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_told(arguments: str, words: str) -> None:
    with pytest.raises(EddylineError) as caught:
        compile_template("{{series.value(" + arguments + ")}}")
    assert words in f"{caught.value.message} {caught.value.hint}"


def test_a_walk_begins_within_its_bounds() -> None:
    with pytest.raises(EddylineError, match="start is 100; it must be between 0 and 10"):
        compile_template('{{series.walk({"start":100,"min":0,"max":10})}}')
