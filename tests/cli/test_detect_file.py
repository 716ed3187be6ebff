"""What ``eddyline detect`` reads out of a file: times, header, separators; and what is odd."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from eddyline.cli.detect_file import load, measures
from eddyline.cli.detect_time import (
    length,
    oddities,
    time_column,
    times_of,
    unit_of,
    written,
    zone_shown,
)
from eddyline.errors import EddylineError

START = 1_767_225_600  # 2026-01-01, in seconds


@pytest.mark.parametrize(
    ("unit", "per_second"),
    [("seconds", 1), ("milliseconds", 10**3), ("microseconds", 10**6), ("nanoseconds", 10**9)],
)
def test_numbers_are_times_by_their_magnitude(unit: str, per_second: int) -> None:
    values = [(START + 60 * i) * per_second for i in range(20)]
    table = pa.table({"ts": values, "n": [5.0] * 20})
    assert time_column(table) == "ts"
    assert unit_of(table["ts"]) == unit
    assert times_of(table, "ts").tolist() == [(START + 60 * i) * 1000 for i in range(20)]
    assert measures(table, None, "ts") == (["n"], [])


def test_decimal_seconds_keep_their_milliseconds() -> None:
    table = pa.table({"time": [START + 0.25, START + 1.5]})
    assert times_of(table, "time").tolist() == [START * 1000 + 250, START * 1000 + 1500]


@pytest.mark.parametrize(
    ("name", "values", "is_time"),
    [
        ("rx", [1e9, 1e9 + 1, 1e9 - 1], False),  # a measure of that size goes up and down
        ("rx", [START, START + 60, START + 120], True),  # the first column, and it rises
        ("event_time_ms", [START * 1000, START * 1000 - 5], True),
        ("ts", [1, 2, 3], False),
    ],
)
def test_what_is_taken_for_times_unnamed(name: str, values: list[float], is_time: bool) -> None:
    assert (time_column(pa.table({name: values})) == name) is is_time


def test_numbers_of_no_one_unit_are_refused() -> None:
    with pytest.raises(EddylineError, match="no times of the years 1971 to 2200 in one unit"):
        times_of(pa.table({"t": [START, START * 1000]}), "t")


def test_a_file_without_a_header_line(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("2026-01-01 00:00:00,a,5\n2026-01-01 00:01:00,b,7\n")
    table = load(path)
    assert table.column_names == ["column_1", "column_2", "column_3"]
    assert table["column_3"].to_pylist() == [5, 7]
    assert time_column(table) == "column_1"


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ('at,n\na,"1,234"\nb,999\nc,\nd,"-1,234,567.5"\n', [1234.0, 999.0, None, -1234567.5]),
        ("at;n\na;1.234,5\nb;999\nc;12.000\nd;3,25\n", [1234.5, 999.0, 12000.0, 3.25]),
        ("at;n\na;1 234\nb;999\nc;1\nd;12 345 678\n", [1234.0, 999.0, 1.0, 12345678.0]),
        ("at,n\na,1'234.5\nb,999\nc,1\nd,2\n", [1234.5, 999.0, 1.0, 2.0]),
    ],
)
def test_thousands_separators(tmp_path: Path, text: str, numbers: list[float | None]) -> None:
    path = tmp_path / "a.csv"
    path.write_text(text)
    assert load(path)["n"].to_pylist() == numbers


@pytest.mark.parametrize("cell", ["1,23", "1,234,5", "x1,234", "12.34.56"])
def test_text_that_only_looks_like_numbers_stays_text(tmp_path: Path, cell: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(f'at,n\na,"1,234"\nb,"{cell}"\n')
    assert load(path)["n"].to_pylist() == ["1,234", cell]


def test_gaps_disorder_and_equal_times_are_counted_with_the_first_place() -> None:
    minutes = [0, 1, 2, 3, 3, 9, 10, 8, 11, 12, 13, 14]
    times = (np.array(minutes) * 60 + START) * 1000
    assert list(oddities(np.zeros(12, np.int64), times)) == [
        "1 row is earlier than the row before in the same series: the first is row 8, "
        "2026-01-01 00:08:00",
        "1 row has the time of an earlier row in the same series: the first is row 5, "
        "2026-01-01 00:03:00",
        "1 gap between rows that are 1 min apart: the first is after row 5, "
        "2026-01-01 00:03:00, and 5 min long",
    ]


def test_series_of_equal_times_and_irregular_rows_are_not_odd() -> None:
    times = np.repeat(np.arange(20) * 60_000, 2)
    assert not list(oddities(np.tile([0, 1], 20).astype(np.int64), times))
    bursts = np.cumsum(np.arange(20) * 1000)
    assert not list(oddities(np.zeros(20, np.int64), bursts))


@pytest.mark.parametrize(
    ("ms", "text"), [(0, "0 ms"), (250, "250 ms"), (90_000, "1.5 min"), (86_400_000, "1 d")]
)
def test_lengths_of_time_as_text(ms: int, text: str) -> None:
    assert length(ms) == text


@pytest.mark.parametrize("text", ["31.12.2026 23:59", "2026/12/31 23:59:00", "2026-12-31T23:59Z"])
def test_dates_that_can_be_read_in_one_way_only(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(f"n,when\n1,{text}\n")
    table = load(path)
    assert time_column(table) == "when"
    assert written(int(times_of(table, "when")[0])) == "2026-12-31 23:59:00"


def test_days_are_times_and_ambiguous_dates_are_text(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("day,other,n\n2026-01-01,01/02/2026,1\n2026-01-02,01/03/2026,2\n")
    table = load(path)
    assert time_column(table) == "day"
    assert table["other"].to_pylist() == ["01/02/2026", "01/03/2026"]


def test_instants_are_written_in_a_zone_and_wall_times_as_they_are() -> None:
    instants = pa.chunked_array([[START]])
    assert written(START * 1000, zone_shown(instants, "")) == "2026-01-01 00:00:00+00:00"
    berlin = zone_shown(instants, "Europe/Berlin")
    assert written(START * 1000, berlin) == "2026-01-01 01:00:00+01:00"
    wall = pa.chunked_array([pa.array([START * 1000], pa.timestamp("ms"))])
    assert zone_shown(wall, "Europe/Berlin") is None


def test_times_are_no_measure_even_if_there_are_several_or_some_are_absent() -> None:
    n = [1.0, 2.0, 3.0]
    table = pa.table({"start_ts": [START, START + 9, START + 3], "end_ts": [START + 1] * 3, "n": n})
    assert time_column(table) is None
    assert measures(table, None) == (["n"], ["start_ts", "end_ts"])
    table = pa.table({"ts": [START, None, START + 60], "n": n})
    assert time_column(table) is None
    assert measures(table, None) == (["n"], ["ts"])
