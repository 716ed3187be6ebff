"""A generator's last minutes, by its reports."""

from __future__ import annotations

from eddyline.clock import ManualClock
from eddyline.generator.counters import Counters
from eddyline.service.sending import POINTS_MAX, History

STARTED = 1_764_000_000_000


def test_a_point_a_second_whoever_looks() -> None:
    clock = ManualClock()
    history = History(clock)
    for report in range(41):  # four a second
        counters = Counters(accepted=25 * report, started_ms=STARTED, latency_ms=2.0)
        history.add(counters)
        clock.advance(250)
    assert [round(rate, 6) for _, rate, _ in history.points] == [100.0] * 10
    assert {ms for _, _, ms in history.points} == {2.0}


def test_another_run_begins_at_nothing_and_the_past_is_bounded() -> None:
    clock = ManualClock()
    history = History(clock)
    history.add(Counters(accepted=1000, started_ms=STARTED))
    for second in range(POINTS_MAX + 50):
        clock.advance(1000)
        history.add(Counters(accepted=10 * second, started_ms=STARTED + 1))
    assert len(history.points) == POINTS_MAX
    assert {rate for _, rate, _ in history.points} == {10.0}
