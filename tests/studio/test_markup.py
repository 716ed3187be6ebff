"""Numbers, times and small pieces of HTML, as they stand on the pages."""

from __future__ import annotations

import pytest

from eddyline.service.notes.output import OutputTable
from eddyline.studio import markup as m


@pytest.mark.parametrize(
    ("value", "shown"),
    [(None, "–"), (0, "0"), (12345, "12,345"), (0.25, "0.25"), (50.0, "50"), (49.94, "49.9"),
     (123.6, "124"), (-3.21, "-3.2")],
)  # fmt: skip
def test_number(value: float | None, shown: str) -> None:
    assert m.number(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"), [(400.0, "400"), (396.2084, "396.21"), (0.0213, "0.0213"), (-7.5, "-7.50")]
)
def test_figure(value: float, shown: str) -> None:
    assert m.figure(value) == shown


@pytest.mark.parametrize(
    ("count", "shown"),
    [
        (None, "–"),
        (0, "0 B"),
        (1536, "1.5 KiB"),
        (5 * 2**20, "5.0 MiB"),
        (3 * 2**40, "3,072.0 GiB"),
    ],
)
def test_size(count: int | None, shown: str) -> None:
    assert m.size(count) == shown


@pytest.mark.parametrize(
    ("ms", "shown"),
    [(0, "0 s"), (420, "0.4 s"), (5000, "5 s"), (12_300, "12 s"), (59_990, "1 min"),
     (185_000, "3 min 5 s"), (3_600_000, "1 h"), (7_440_000, "2 h 4 min"), (-5, "0 s")],
)  # fmt: skip
def test_duration(ms: float, shown: str) -> None:
    assert m.duration(ms) == shown


def test_moments_are_utc() -> None:
    assert m.moment(1_764_072_000_000) == "2025-11-25 12:00:00"
    assert m.clock_time(1_764_072_000_000) == "12:00:00"
    assert m.when(1_764_072_000_000, 1_764_072_900_000) == "12:00:00"
    assert m.when(1_764_072_000_000, 1_764_172_900_000) == "2025-11-25 12:00:00"


def test_ago() -> None:
    now = 1_764_072_000_000
    assert m.ago(now, now) == "just now"
    assert m.ago(now - 5_000, now) == "5 s ago"
    assert m.ago(now - 180_000, now) == "3 min ago"
    assert m.ago(now - 86_400_000, now) == "2025-11-24 12:00:00"


def test_a_state_says_its_word() -> None:
    assert m.state("RUNNING") == '<span class="state on">running</span>'
    assert m.state("ABORT") == '<span class="state ">stopped</span>'
    assert "&lt;b&gt;" in m.state("<B>")


def test_a_link_cannot_break_out() -> None:
    assert m.link('/x"onclick="y', "<i>") == '<a href="/x&quot;onclick=&quot;y">&lt;i&gt;</a>'


def test_grid_shows_the_newest_rows_as_text() -> None:
    table = OutputTable(
        ["name", "n"],
        [["old", "1"], ["<b>x</b>", "2"], [None, "3"]],
        ["STRING", "BIGINT NOT NULL"],
        3,
    )
    grid = m.grid(table, 2)
    assert "old" not in grid
    assert "&lt;b&gt;x&lt;/b&gt;" in grid
    assert '<td class="null">NULL</td>' in grid
    assert grid.count('<td class="num">') == 2


def test_numbers_of_a_stored_table_are_found_by_their_looks() -> None:
    table = OutputTable(["a", "b"], [["x", "-1.5"], ["1", "2E8"]], [], 2)
    assert m.grid(table, 9).count('<td class="num">') == 2


def test_spark_of_nothing_is_flat() -> None:
    assert "polyline" in m.spark([])
    assert "NaN" not in m.spark([0.0, 0.0])
