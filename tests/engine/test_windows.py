"""Windows against the plain rule, row by row, however the rows are cut."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from engine_kit import (
    COUNT,
    TS,
    aggregate,
    file_table,
    iso,
    plain,
    run,
    scan,
    select,
    watermark,
    window_aggregate,
    write_lines,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eddyline.engine.operators.windows import WindowGrid
from eddyline.errors import EddylineError
from eddyline.record import types as t
from eddyline.record.schema import Schema
from eddyline.sql import physical as p
from eddyline.sql.physical import Window, WindowKind

ROWS = Schema.of(k=t.STRING, v=t.INT, ts=TS)
DELAY = 3
QUICK = settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
events = st.lists(
    st.tuples(st.sampled_from("ab"), st.integers(0, 9), st.integers(-30, 60)), max_size=25
)
cuts = st.integers(1, 9)

Row = tuple[str, int, int]


def aligned(window: Window, time: int) -> list[tuple[int, int]]:
    """Windows (start, end), seconds, that hold a time: by search, not by arithmetic."""
    size, step = window.size_ms // 1000, (window.slide_ms or window.size_ms) // 1000
    sessions = []
    for end in range(time - 200, time + 201):
        if window.kind is WindowKind.CUMULATE:
            start = (end - 1) // size * size
            if end % step == 0 and start <= time < end:
                sessions.append((start, end))
        elif end % step == 0 and end - size <= time < end:
            sessions.append((end - size, end))
    return sessions


def expected(window: Window, rows: list[Row]) -> tuple[Counter[Any], int]:
    """Flink's rule: a row counts for a window unless it has fired before the row came."""
    out: dict[tuple[str, int, int], list[int]] = {}
    mark, late = -(10**9), 0
    for key, value, time in rows:
        taken = 0
        for start, end in aligned(window, time):
            if mark < end * 1000 - 1:
                out.setdefault((key, start, end), []).append(value)
                taken += 1
        late += not taken
        mark = max(mark, (time - DELAY) * 1000)
    folded: Counter[Any] = Counter()
    for (key, start, end), values in out.items():
        folded[(key, len(values), sum(values), *stamps(start, end))] += 1
    return folded, late


def sessions(gap: int, rows: list[Row]) -> tuple[list[list[Any]], int]:
    """The session rule, row by row: key, start, end and values of each, and the late rows."""
    live: list[list[Any]] = []
    done: list[list[Any]] = []
    mark, late = -(10**9), 0
    for key, value, time in rows:
        done += [s for s in live if s[2] * 1000 - 1 <= mark]
        live = [s for s in live if s[2] * 1000 - 1 > mark]
        near = [s for s in live if s[0] == key and s[1] <= time + gap and time <= s[2]]
        if not near and (time + gap) * 1000 - 1 <= mark:
            late += 1
        else:
            live = [s for s in live if s not in near]
            start, end = (
                min([time, *(s[1] for s in near)]),
                max([time + gap, *(s[2] for s in near)]),
            )
            live.append([key, start, end, [value, *(v for s in near for v in s[3])]])
        mark = max(mark, (time - DELAY) * 1000)
    return done + live, late


def stamps(start: int, end: int) -> tuple[str, str, str]:
    spelt = [iso(s).replace("T", " ") for s in (start, end, end - 0.001)]
    return tuple(
        s.removesuffix(".000") + ("000" if "." in s.removesuffix(".000") else "") for s in spelt
    )  # type: ignore[return-value]


def got(path: Path, window: Window, rows: list[Row], cut: int) -> tuple[Counter[Any], int]:
    file = path / "rows.json"
    write_lines(file, [{"k": k, "v": v, "ts": iso(s)} for k, v, s in rows])
    source = watermark(scan(file_table(file, ROWS)), "ts", DELAY * 1000)
    total = aggregate("SUM", "s", t.INT, '"v"')
    watcher = run(
        select(window_aggregate(source, window, "ts", ("k",), (COUNT, total))), batch_rows=cut
    )
    late: int = watcher.metrics.late  # type: ignore[attr-defined]
    return watcher.folded(), late


WINDOWS = {
    "tumble": Window(WindowKind.TUMBLE, 10_000),
    "hop": Window(WindowKind.HOP, 20_000, 5_000),
    "cumulate": Window(WindowKind.CUMULATE, 20_000, 5_000),
}


@pytest.mark.parametrize("name", WINDOWS)
@QUICK
@given(rows=events, cut=cuts)
def test_any_cut_gives_the_rows_of_the_plain_rule(
    name: str, rows: list[Row], cut: int, tmp_path: Path
) -> None:
    assert got(tmp_path, WINDOWS[name], rows, cut) == expected(WINDOWS[name], rows)


@QUICK
@given(rows=events, cut=cuts)
def test_any_cut_gives_the_same_sessions(rows: list[Row], cut: int, tmp_path: Path) -> None:
    window = Window(WindowKind.SESSION, 6_000)
    merged, late = sessions(6, rows)
    folded = Counter((s[0], len(s[3]), sum(s[3]), *stamps(s[1], s[2])) for s in merged)
    assert got(tmp_path, window, rows, cut) == (folded, late)


@QUICK
@given(rows=events, cut=cuts)
def test_any_cut_gives_the_same_rows_of_sessions(rows: list[Row], cut: int, tmp_path: Path) -> None:
    write_lines(tmp_path / "in.json", [{"k": k, "v": v, "ts": iso(s)} for k, v, s in rows])
    source = watermark(scan(file_table(tmp_path / "in.json", ROWS)), "ts", DELAY * 1000)
    names = ("window_start", "window_end", "window_time")
    bounds = dict.fromkeys(names, t.timestamp(3))
    schema = Schema.of(**{c.name: c.type for c in source.schema}, **bounds)
    node = p.SessionTable(source, 6_000, "ts", ("k",), names, schema)
    watcher = run(select(node), batch_rows=cut)
    merged, late = sessions(6, rows)
    expected = Counter((s[0], v, *stamps(s[1], s[2])) for s in merged for v in s[3])
    shown = Counter((row[0], row[1], *row[-3:]) for row in watcher.folded().elements())
    assert (shown, watcher.metrics.late) == (expected, late)  # type: ignore[attr-defined]


@given(time=st.integers(-(10**7), 10**7), offset=st.integers(-5, 5))
def test_grid_arithmetic_holds_before_1970(time: int, offset: int) -> None:
    import numpy as np

    grid = WindowGrid(Window(WindowKind.HOP, 40, 10, offset))
    first, last = (int(a[0]) for a in grid.ends(np.array([time])))
    assert first - 10 <= time < first
    assert last - 40 <= time < last
    assert (first - offset) % 10 == 0


def test_windows_come_in_order_of_end_and_key(tmp_path: Path) -> None:
    rows = [("b", 1, 1), ("a", 1, 2), ("b", 1, 11), ("a", 1, 12)]
    file = tmp_path / "rows.json"
    write_lines(file, [{"k": k, "v": v, "ts": iso(s)} for k, v, s in rows])
    node = window_aggregate(
        watermark(scan(file_table(file, ROWS)), "ts"), WINDOWS["tumble"], "ts", ("k",)
    )
    changes = run(select(node)).changes
    assert [row[0] for _, row in changes] == ["a", "b", "a", "b"]
    assert [row[3] for _, row in changes] == [plain(c) for c in ["1970-01-01 00:00:10"] * 2] + [
        "1970-01-01 00:00:20"
    ] * 2


def test_a_null_row_time_fails_the_job(tmp_path: Path) -> None:
    file = tmp_path / "rows.json"
    write_lines(file, [{"k": "a", "v": 1, "ts": None}])
    node = window_aggregate(
        watermark(scan(file_table(file, ROWS)), "ts"), WINDOWS["tumble"], "ts", ("k",)
    )
    with pytest.raises(EddylineError, match="row time ts is NULL") as e:
        run(select(node))
    assert e.value.code == "sql_runtime"
    assert e.value.hint


def test_distinct_and_filter_in_windows(tmp_path: Path) -> None:
    file = tmp_path / "rows.json"
    values = [1, 1, 2, 2, 3]
    write_lines(file, [{"k": "a", "v": v, "ts": iso(i)} for i, v in enumerate(values)])
    calls = (
        aggregate("COUNT", "d", t.BIGINT, '"v"', distinct=True),
        aggregate("SUM", "s", t.INT, '"v"', distinct=True, filter='"v" > 1'),
        aggregate("COUNT", "f", t.BIGINT, filter='"v" = 2'),
    )
    source = watermark(scan(file_table(file, ROWS)), "ts")
    for cut in (1, 2, 100):
        watcher = run(
            select(window_aggregate(source, WINDOWS["tumble"], "ts", (), calls)), batch_rows=cut
        )
        assert [row[:3] for _, row in watcher.changes] == [(3, 5, 2)]
