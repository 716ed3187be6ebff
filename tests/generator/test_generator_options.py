"""The short texts of a command line: what they mean, and that mistakes are told."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eddyline.errors import EddylineError
from eddyline.generator import options
from eddyline.generator.pattern import Burst, Periodic, Ramp, Sine
from eddyline.generator.spec import FAULTS, Fault, GeneratorSpec, Simulated

DAY_MS = 86_400_000
YEAR_MS = 1_577_836_800_000


@pytest.mark.parametrize(
    ("parse", "text", "meant"),
    [
        (options.parse_ramp, "1000:1m", Ramp(1000, 60)),
        (options.parse_sine, "0.5:10m", Sine(0.5, 600)),
        (options.parse_burst, "30s:10s:0", Burst(30, 10, 0)),
        (options.parse_clock, "2020-01-01", Simulated(YEAR_MS)),
        (options.parse_clock, "2020-01-01@max", Simulated(YEAR_MS, None, None)),
        (
            options.parse_clock,
            "2020-01-01..2020-01-02@60x",
            Simulated(YEAR_MS, YEAR_MS + DAY_MS, 60),
        ),
        (options.parse_fault, "drop:0.5", Fault("drop", 0.5)),
        (
            options.parse_fault,
            "outlier:0.01:field=t:factor=-3:start=5s:for=1m",
            Fault("outlier", 0.01, "t", -3, start_s=5, duration_s=60),
        ),
        (options.parse_fault, "late:1:delay=2s", Fault("late", 1, delay_s=2)),
    ],
)
def test_what_is_meant(parse: Callable[[str], Any], text: str, meant: Any) -> None:
    assert parse(text) == meant


@pytest.mark.parametrize(
    ("parse", "text"),
    [
        (options.parse_ramp, "1000"),
        (options.parse_ramp, "a:1s"),
        (options.parse_sine, "0.5:soon"),
        (options.parse_burst, "1s:1s"),
        (options.parse_clock, "yesterday"),
        (options.parse_clock, "2020-01-01..never"),
        (options.parse_clock, "2020-01-01@quick"),
        (options.parse_fault, "drop"),
        (options.parse_fault, "burn:1"),
        (options.parse_fault, "drop:often"),
        (options.parse_fault, "drop:1:colour=red"),
    ],
)
def test_mistakes_say_how_it_is_written(parse: Callable[[str], Any], text: str) -> None:
    with pytest.raises(EddylineError) as caught:
        parse(text)
    assert caught.value.code == "invalid_argument"
    assert caught.value.hint


def test_a_week_is_read_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "week.json"
    rows = [[float(h) for h in range(24)] for _ in range(7)]
    path.write_text(json.dumps({"mean": rows, "smooth": False}))
    week = options.read_week(str(path))
    assert week == Periodic(tuple(map(tuple, rows)), (), False)
    GeneratorSpec("a", "-", periodic=week).check()
    path.write_text(json.dumps(rows))
    assert options.read_week(str(path)).mean == week.mean


@pytest.mark.parametrize("text", ["", "5", "{}", '{"mean": 1}', '{"mean": [["a"]]}', '{"men": []}'])
def test_a_file_that_is_no_week_is_told(tmp_path: Path, text: str) -> None:
    path = tmp_path / "week.json"
    path.write_text(text)
    with pytest.raises(EddylineError) as caught:
        options.read_week(str(path))
    assert caught.value.code == "bad_file"
    with pytest.raises(EddylineError, match="no file"):
        options.read_week(str(tmp_path / "none"))


def test_a_spec_survives_json() -> None:
    import msgspec

    spec = GeneratorSpec(
        "a", "-", ramp=Ramp(1, 2), simulated=Simulated(1, 2, None), faults=(Fault("drop", 0.5),),
        bursts=(Burst(1, 2, 3),), arrivals="poisson", labels="file:x", gzip=True,
    )  # fmt: skip
    assert msgspec.json.decode(msgspec.json.encode(spec), type=GeneratorSpec) == spec
    old = b'{"template":"a","target":"-","rate":5.0}'
    assert msgspec.json.decode(old, type=GeneratorSpec).rate == 5


@given(
    st.builds(
        Fault,
        st.sampled_from(FAULTS),
        st.floats(0, 1).map(lambda v: round(v, 6)),
        st.none() | st.sampled_from(["t", "current_temperature"]),
        st.floats(-1000, 1000).map(lambda v: round(v, 6)),
        st.integers(0, 10**9).map(lambda ms: ms / 1000),
        st.integers(0, 10**9).map(lambda ms: ms / 1000),
        st.none() | st.integers(0, 10**9).map(lambda ms: ms / 1000),
    )
)
def test_a_fault_is_read_as_it_was_written(fault: Fault) -> None:
    assert options.parse_fault(options.fault_text(fault)) == fault


@given(
    st.integers(0, 4 * 10**12), st.none() | st.just(5 * 10**12), st.sampled_from([None, 0.5, 60])
)
def test_a_clock_is_read_as_it_was_written(
    start: int, end: int | None, speed: float | None
) -> None:
    clock = Simulated(start, end, speed)
    assert options.parse_clock(options.clock_text(clock)) == clock


def test_a_whole_day_is_written_as_a_day() -> None:
    clock = Simulated(YEAR_MS, YEAR_MS + 7 * DAY_MS, 3600)
    assert options.clock_text(clock) == "2020-01-01..2020-01-08@3600x"
    assert options.fault_text(Fault("drop", 0.01)) == "drop:0.01"
