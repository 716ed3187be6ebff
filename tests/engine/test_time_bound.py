"""A row far after its arrival does not move the watermark; simulated time still does."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eddyline.engine.operators.time_bound import START_RUN, SWITCH_RUN, TimeBound
from eddyline.record.batch import MIN_WATERMARK

HOUR = 3_600_000
BOUND = 26 * HOUR
NOW = 1_800_000_000_000
FAR = 4_070_908_800_000  # 2099


def applied(times: list[int], arrivals: list[int] | None = None, cut: int = 10**9) -> list[int]:
    """The watermarks that count, None-like MIN where one does not, over batches of ``cut``."""
    bound = TimeBound(BOUND)
    arrivals = arrivals or [NOW + i for i in range(len(times))]
    out: list[int] = []
    for at in range(0, len(times), cut):
        w = np.array(times[at : at + cut], np.int64)
        a = np.array(arrivals[at : at + cut], np.int64)
        marks, held = bound.apply(w, a)
        assert held == int((marks == MIN_WATERMARK).sum())
        out += marks.tolist()
        saved = bound.save()
        bound = TimeBound(BOUND)
        bound.restore(saved)
    return out


@pytest.mark.parametrize("place", [0, 1, 5, 9])
def test_one_row_in_2099_does_not_count_wherever_it_comes(place: int) -> None:
    times = [NOW + 1000 * i for i in range(10)]
    times.insert(place, FAR)
    marks = applied(times)
    assert marks[place] == MIN_WATERMARK
    assert marks[:place] + marks[place + 1 :] == times[:place] + times[place + 1 :]


def test_local_times_count() -> None:
    times = [NOW + 14 * HOUR + i for i in range(5)]
    assert applied(times) == times


def test_simulated_time_counts_from_the_second_row_on() -> None:
    times = [FAR + 60_000 * i for i in range(50)]
    marks = applied(times)
    assert marks[: START_RUN - 1] == [MIN_WATERMARK] * (START_RUN - 1)
    assert marks[START_RUN - 1 :] == times[START_RUN - 1 :]


def test_simulated_time_may_begin_now_and_run_ahead() -> None:
    times = [NOW + 6 * HOUR * i for i in range(40)]
    assert applied(times) == times


def test_a_stream_with_other_rows_switches_after_a_long_run() -> None:
    times = [NOW] * 3 + [FAR + i for i in range(SWITCH_RUN + 5)]
    marks = applied(times)
    assert marks[3 : 3 + SWITCH_RUN - 1] == [MIN_WATERMARK] * (SWITCH_RUN - 1)
    assert marks[3 + SWITCH_RUN - 1 :] == times[3 + SWITCH_RUN - 1 :]


def test_rows_ahead_between_others_are_no_run() -> None:
    times = [NOW, FAR] * (2 * SWITCH_RUN)
    assert set(applied(times)) == {NOW, MIN_WATERMARK}


@given(
    st.lists(st.sampled_from([NOW, NOW + HOUR, FAR, FAR + HOUR, FAR + 40 * HOUR, 0]), min_size=1),
    st.integers(1, 5),
)
def test_batches_and_restarts_change_nothing(times: list[int], cut: int) -> None:
    assert applied(times) == applied(times, cut=cut)
