"""A forest holds so many keys: the one without rows for longest leaves, whatever happens."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from engine_kit import Watcher, insert, iso, run, select, sink_table, write_lines
from test_forest_operator import (
    Crash,
    counted,
    crashing,
    forest_over,
    reported_rows,
    rows_of,
    stream,
)

from eddyline.anomaly.detector import DetectorOptions, Detectors, ForestOptions
from eddyline.engine.operators import forest, forest_keys
from eddyline.sql import physical as p

# Of this size three models fit into one MiB.
SIZE = {"number_of_trees": 380, "sub_sample_size": 12}
MOST = 3
LITTLE = {"forest_memory_mib": 1}


@pytest.fixture(autouse=True)
def bounded(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """No keys beyond those that have a forest, but in the tests of these."""
    if "beyond" not in request.node.name:
        monkeypatch.setattr(forest, "JUDGED_MIB_MAX", 0)


def records(count: int = 240) -> list[dict[str, Any]]:
    """Six keys; which of them are busy changes, so that keys leave and come back."""
    rng = np.random.default_rng(3)
    rows = []
    for i in range(count):
        busy = [(i // 60 + 2 * j) % 6 for j in range(3)]
        key = busy[rng.integers(3)] if rng.random() < 0.9 else int(rng.integers(6))
        x = None if rng.random() < 0.05 else round(float(rng.normal(100 * (key + 1), 3)), 3)
        rows.append({"k": "abcdef"[key], "x": x, "ts": iso(1000 + i)})
    return rows


def plainly(rows: list[dict[str, Any]]) -> tuple[list[float], int]:
    """Scores by the plain rule: a detector a key, the one used longest ago thrown away."""
    forest = ForestOptions(**SIZE, time_decay=1000, seed=7)
    options = DetectorOptions(forest, tolerance=0.2, timed=True)
    held: dict[str, Detectors] = {}
    scores, left = [], 0
    for row in rows:
        if row["k"] not in held and len(held) == MOST:
            del held[next(iter(held))]
            left += 1
        one = held.pop(row["k"], None) or Detectors(options, 1, "all")
        held[row["k"]] = one
        if row["x"] is None:
            scores.append(0.0)
        else:
            at = np.array([np.datetime64(row["ts"][:23])], "datetime64[ms]").astype(np.int64)
            verdicts = one.process(np.zeros(1, np.int64), np.array([[row["x"]]]), None, at)
            scores.append(float(verdicts.expected[0, 0]))
    return scores, left


def usual(watcher: Watcher) -> list[float]:
    """The usual value of each point told, in order: it is of the key's model alone."""
    return [float(x) for points in watcher.scores for x in points.expected[:, 0]]


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_the_key_without_rows_for_longest_leaves(tmp_path: Path, size: int) -> None:
    rows = records()
    write_lines(tmp_path / "in.json", rows)
    watcher = run(select(forest_over(stream(tmp_path), ("x",), **SIZE)), batch_rows=size, **LITTLE)
    expected, left = plainly(rows)
    expected = [w for w, row in zip(expected, rows, strict=True) if row["x"] is not None]
    assert left > 10
    assert np.count_nonzero(~np.isnan(expected)) > 40
    np.testing.assert_array_equal(usual(watcher), expected)
    assert [k for points in watcher.scores for k in points.keys] == [
        row["k"] for row in rows if row["x"] is not None
    ]
    assert watcher.metrics.keys_dropped == left  # type: ignore[attr-defined]


def test_enough_room_lets_none_leave(tmp_path: Path) -> None:
    write_lines(tmp_path / "in.json", records())
    watcher = run(select(forest_over(stream(tmp_path), ("x",), **SIZE)))
    assert watcher.metrics.keys_dropped == 0  # type: ignore[attr-defined]


@pytest.mark.parametrize("size", [7, 1000])
def test_keys_beyond_those_with_a_forest_are_judged_by_their_columns(
    tmp_path: Path, size: int
) -> None:
    rows = records()
    write_lines(tmp_path / "in.json", rows)
    node = forest_over(stream(tmp_path), ("x",), **SIZE)
    few, all_ = (run(select(node), batch_rows=size, **more) for more in (LITTLE, {}))
    assert few.metrics.keys_dropped == 0  # type: ignore[attr-defined]
    np.testing.assert_array_equal(usual(few), usual(all_))
    first = list(dict.fromkeys(row["k"] for row in rows))[:MOST]
    scores: dict[str, list[tuple[float, float]]] = {}
    for one, other in zip(few.scores, all_.scores, strict=True):
        for key, a, b in zip(one.keys, one.score.tolist(), other.score.tolist(), strict=True):
            scores.setdefault(key, []).append((a, b))
    assert len(scores) == 6
    for key, scores_of_key in scores.items():
        assert any(b for _, b in scores_of_key)
        assert all(a == (b if key in first else 0.0) for a, b in scores_of_key)


@pytest.mark.parametrize("moment", ["before commit", "after commit"])
@pytest.mark.parametrize("snapshot", [25, 20_000])
def test_a_crash_changes_neither_who_leaves_nor_a_score(
    tmp_path: Path, moment: str, snapshot: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forest, "SNAPSHOT_POINTS", snapshot)
    monkeypatch.setattr(forest_keys, "_SEEN_ROWS", snapshot)
    write_lines(tmp_path / "in.json", records())
    node = forest_over(stream(tmp_path), ("x",), **SIZE)

    def plan(name: str) -> p.Plan:
        path = str(tmp_path / name)
        return insert(node, sink_table(node.schema, connector="filesystem", path=path))

    def lines(name: str) -> list[str]:
        parts = sorted((tmp_path / name).glob("part-*"))
        return sorted(line for part in parts for line in part.read_text().splitlines())

    run(plan("straight"), batch_rows=9, directory=tmp_path / "job-1", **LITTLE)
    again = {"batch_rows": 9, "directory": tmp_path / "job-2", **LITTLE}
    for incarnation, nth in enumerate((4, 6, 3, 5), 1):
        with pytest.raises(Crash):
            run(plan("again"), incarnation=incarnation, crash=crashing(moment, nth), **again)
    run(plan("again"), incarnation=5, **again)
    assert len(lines("again")) == 240
    assert lines("again") == lines("straight")


def test_a_crash_changes_no_verdict_of_keys_beyond_those_with_a_forest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forest, "SNAPSHOT_POINTS", 25)
    write_lines(tmp_path / "in.json", records())
    node = forest_over(stream(tmp_path), ("x",), **SIZE)
    outs = {}
    for name, moments in (("straight", ()), ("again", (4, 6, 3))):
        path = str(tmp_path / name)
        plan = insert(node, sink_table(node.schema, connector="filesystem", path=path))
        again = {"batch_rows": 9, "directory": tmp_path / f"job-{name}", **LITTLE}
        for incarnation, nth in enumerate(moments, 1):
            crash = crashing("after commit", nth)
            with pytest.raises(Crash):
                run(plan, incarnation=incarnation, crash=crash, **again)
        run(plan, incarnation=len(moments) + 1, **again)
        parts = sorted((tmp_path / name).glob("part-*"))
        outs[name] = sorted(line for part in parts for line in part.read_text().splitlines())
    assert len(outs["straight"]) == 240
    assert outs["again"] == outs["straight"]


@pytest.mark.parametrize("size", [5, 1000])
def test_windows_of_a_key_that_left_are_filled_no_more(tmp_path: Path, size: int) -> None:
    """d comes at second 20 and takes the place of a, silent since 10, which comes back at 40."""
    there = {"a": {*range(10), *range(40, 50)}, "d": set(range(20, 50))}
    rows = [
        {"k": k, "x": 1.0, "ts": iso(s)}
        for s in range(50)
        for k in "abcd"
        if s in there.get(k, range(35))
    ]
    write_lines(tmp_path / "in.json", rows)
    watcher = run(select(counted(tmp_path, fill=0.0, **SIZE)), batch_rows=size, **LITTLE)
    reported = reported_rows(watcher)
    zeros = {k: [row[0] // 1000 for row in rows if row[1] == [0.0]] for k, rows in reported.items()}
    assert zeros["a"] == list(range(10, 20))
    assert zeros["d"] == []
    assert sorted(zeros["b"] + zeros["c"]) == sorted([*range(35, 40), *range(35, 50)])
    assert len(rows_of(watcher)) == sum(len(rows) for rows in reported.values())
