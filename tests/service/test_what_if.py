"""Other options replayed over the points that are kept of a series."""

from __future__ import annotations

import numpy as np
import pytest

from eddyline.errors import EddylineError
from eddyline.service.anomalies import Point
from eddyline.service.what_if import what_if

AT = 400


def points(value: float = 135.0) -> list[Point]:
    x = np.random.default_rng(1).normal(100, 3, 500)
    x[AT] = value
    return [
        Point(60_000 * i, [None if i == 7 else float(v)], 1.0, 0.0, i == 9, nth=i)
        for i, v in enumerate(x)
    ]


def test_other_options_stand_beside_the_alerts_as_they_were() -> None:
    outlook = what_if(["n"], points(), {"false_alarms": "10/10000 rows", "season": ""})
    assert outlook.now == [60_000 * 9]
    assert 60_000 * AT in outlook.then
    assert len(outlook.points) == 499
    assert len(outlook.words) == len(outlook.then)
    assert any("n is too high: 135 where about" in words for words in outlook.words)
    judged = next(p for p in outlook.points if p.nth == AT)
    assert (judged.alert, judged.grade > 0) == (True, True)
    assert judged.upper is not None
    assert judged.upper[0] is not None
    assert judged.upper[0] < 135
    assert "1 alert as it runs" in outlook.sentence


def test_a_rate_of_false_alarms_decides_what_is_found() -> None:
    def raises_alert(rate: str) -> bool:
        return 60_000 * AT in what_if(["n"], points(117.0), {"false_alarms": rate}).then

    assert raises_alert("10/10000 rows")
    assert not raises_alert("0.001/10000 rows")


@pytest.mark.parametrize(
    ("options", "words"),
    [({"season": "year"}, "season is not understood"), ({"trees": "5"}, "no option trees")],
)
def test_an_option_that_is_not_understood(options: dict[str, str], words: str) -> None:
    with pytest.raises(EddylineError, match=words):
        what_if(["n"], points(), options)


def test_nothing_to_replay_is_said() -> None:
    with pytest.raises(EddylineError, match="the series has no points"):
        what_if(["n"], [], {})
