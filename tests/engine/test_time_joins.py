"""Window joins and interval joins against the plain rule, and window tables."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from engine_kit import (
    ROWTIME,
    TS,
    WINDOW,
    file_table,
    iso,
    run,
    scan,
    select,
    watermark,
    write_lines,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eddyline.record import types as t
from eddyline.record.schema import Column, Schema
from eddyline.sql import physical as p
from eddyline.sql.physical import Window, WindowKind

QUICK = settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
ROWS = Schema.of(k=t.STRING, v=t.INT, ts=TS)
# In order of time, so that nothing is late and both rules see all rows.
events = st.lists(
    st.tuples(st.sampled_from(["a", "b", None]), st.integers(0, 3), st.integers(0, 40)), max_size=9
).map(lambda rows: sorted(rows, key=lambda r: r[2]))
cuts = st.integers(1, 4)
# Joins that give columns of both sides.
TWO_SIDED = (p.JoinKind.INNER, p.JoinKind.LEFT, p.JoinKind.RIGHT, p.JoinKind.FULL)
Rows = list[tuple[Any, int, int]]


def source(path: Path, rows: Rows, name: str) -> p.Node:
    write_lines(path / name, [{"k": k, "v": v, "ts": iso(s)} for k, v, s in rows])
    return watermark(scan(file_table(path / name, ROWS, name)), "ts")


def widened(node: p.Node) -> p.WindowTable:
    columns = [*node.schema.columns, *(Column(n, TS) for n in WINDOW)]
    window = Window(WindowKind.TUMBLE, 10_000)
    return p.WindowTable(node, window, "ts", WINDOW, Schema(tuple(columns)))


def padded(kind: p.JoinKind, left: Rows, right: Rows, hits: list[tuple[int, int]]) -> Counter[Any]:
    out = Counter((left[i][:2], right[j][:2]) for i, j in hits)
    if kind in (p.JoinKind.LEFT, p.JoinKind.FULL):
        out.update((r[:2], None) for i, r in enumerate(left) if i not in {h[0] for h in hits})
    if kind in (p.JoinKind.RIGHT, p.JoinKind.FULL):
        out.update((None, r[:2]) for j, r in enumerate(right) if j not in {h[1] for h in hits})
    return out


def sides(folded: Counter[Any], width: int) -> Counter[Any]:
    """Output rows as pairs ((k, v) or None)."""
    out: Counter[Any] = Counter()
    for row, n in folded.items():
        left, right = row[:width], row[width:]
        pair = [None if side[2] is None else side[:2] for side in (left, right)]
        out[tuple(pair)] += n
    return out


@pytest.mark.parametrize("kind", TWO_SIDED)
@QUICK
@given(left=events, right=events, cut=cuts)
def test_window_join(kind: p.JoinKind, left: Rows, right: Rows, cut: int, tmp_path: Path) -> None:
    one, two = widened(source(tmp_path, left, "l")), widened(source(tmp_path, right, "r"))
    names = one.schema.names, tuple(n + "0" for n in two.schema.names)
    columns = [Column(n, s) for n, s in zip(sum(names, ()), one.schema.types * 2, strict=True)]
    node = p.WindowJoin(
        one, two, kind, WINDOW[:2], WINDOW[:2], ("k",), ("k",), None, *names, Schema(tuple(columns))
    )
    hits = [
        (i, j)
        for i, a in enumerate(left)
        for j, b in enumerate(right)
        if a[0] is not None and a[0] == b[0] and a[2] // 10 == b[2] // 10
    ]
    watcher = run(select(node), batch_rows=cut)
    assert all(kind == "+I" for kind, _ in watcher.changes)
    assert sides(watcher.folded(), 6) == padded(kind, left, right, hits)


@pytest.mark.parametrize("kind", [p.JoinKind.SEMI, p.JoinKind.ANTI])
@QUICK
@given(left=events, right=events, cut=cuts)
def test_window_semi_join(
    kind: p.JoinKind, left: Rows, right: Rows, cut: int, tmp_path: Path
) -> None:
    one, two = widened(source(tmp_path, left, "l")), widened(source(tmp_path, right, "r"))
    names = one.schema.names, tuple(n + "0" for n in two.schema.names)
    node = p.WindowJoin(
        one, two, kind, WINDOW[:2], WINDOW[:2], ("k",), ("k",), None, *names, one.schema
    )
    keys = {(k, s // 10) for k, _, s in right if k is not None}
    watcher = run(select(node), batch_rows=cut)
    assert all(kind == "+I" for kind, _ in watcher.changes)
    matched = kind is p.JoinKind.SEMI
    expected = Counter((k, v) for k, v, s in left if ((k, s // 10) in keys) is matched)
    rows: Counter[Any] = Counter()
    for row, n in watcher.folded().items():
        rows[row[:2]] += n
    assert rows == expected


@pytest.mark.parametrize("kind", TWO_SIDED)
@QUICK
@given(left=events, right=events, cut=cuts)
def test_interval_join(kind: p.JoinKind, left: Rows, right: Rows, cut: int, tmp_path: Path) -> None:
    one, two = source(tmp_path, left, "l"), source(tmp_path, right, "r")
    names = ("k", "v", "ts"), ("k0", "v0", "ts0")
    columns = [Column(n, s) for n, s in zip(sum(names, ()), one.schema.types * 2, strict=True)]
    node = p.IntervalJoin(
        one,
        two,
        kind,
        "ts",
        "ts",
        -3000,
        5000,
        ("k",),
        ("k",),
        None,
        *names,
        Schema(tuple(columns)),
    )
    hits = [
        (i, j)
        for i, a in enumerate(left)
        for j, b in enumerate(right)
        if a[0] is not None and a[0] == b[0] and a[2] - 3 <= b[2] <= a[2] + 5
    ]
    watcher = run(select(node), batch_rows=cut)
    assert all(kind == "+I" for kind, _ in watcher.changes)
    assert sides(watcher.folded(), 3) == padded(kind, left, right, hits)


def test_a_window_table_gives_a_row_once_per_window(tmp_path: Path) -> None:
    node = source(tmp_path, [("a", 1, 12)], "l")
    columns = [
        *node.schema.columns,
        *(Column(n, TS) for n in WINDOW[:2]),
        Column(WINDOW[2], ROWTIME),
    ]
    window = Window(WindowKind.CUMULATE, 30_000, 10_000)
    rows = run(select(p.WindowTable(node, window, "ts", WINDOW, Schema(tuple(columns))))).changes
    assert [row[3:5] for _, row in rows] == [
        ("1970-01-01 00:00:00", "1970-01-01 00:00:20"),
        ("1970-01-01 00:00:00", "1970-01-01 00:00:30"),
    ]
