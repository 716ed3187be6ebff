"""Memory has room for the models of so many keys; the others rest on disk, and nobody sees it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from engine_kit import TS, insert, iso, run, select, sink_table, write_lines
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
from eddyline.engine.keyed import versions
from eddyline.engine.keyed.hashes import Hashes
from eddyline.engine.keyed.versions import KeyedVersions
from eddyline.engine.operators import forest_models
from eddyline.record import types as t
from eddyline.record.schema import Schema
from eddyline.sql import physical as p

# Of this size two models fit into one MiB.
SIZE = {"number_of_trees": 380, "sub_sample_size": 12}
LITTLE = {"forest_memory_mib": 1}


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


def lines(folder: Path) -> list[str]:
    parts = sorted(folder.glob("part-*"))
    return sorted(line for part in parts for line in part.read_text().splitlines())


def one_model_each(node: p.Forest, rows: list[dict[str, Any]]) -> list[float]:
    """The usual value of each row that has one, by a detector of its own for each key."""
    forest = ForestOptions(**SIZE, time_decay=1000, seed=7)
    options = DetectorOptions(forest, tolerance=0.2, timed=True)
    held: dict[str, Detectors] = {}
    usual = []
    for row in rows:
        if row["x"] is not None:
            one = held.setdefault(row["k"], Detectors(options, 1, "all"))
            at = np.array([np.datetime64(row["ts"][:23])], "datetime64[ms]").astype(np.int64)
            verdicts = one.process(np.zeros(1, np.int64), np.array([[row["x"]]]), at)
            usual.append(float(verdicts.expected[0, 0]))
    return usual


@pytest.mark.parametrize("size", [1, 7, 1000])
@pytest.mark.parametrize("columns", [("x",), ("x", "y")])
def test_keys_without_room_in_memory_have_the_same_verdicts(
    tmp_path: Path, size: int, columns: tuple[str, ...]
) -> None:
    count = 100 if size == 1 else 240
    rows = [{**row, "y": i % 7} for i, row in enumerate(records(count))]
    write_lines(tmp_path / "in.json", rows)
    given = Schema.of(k=t.STRING, x=t.DOUBLE, y=t.DOUBLE, ts=TS)
    node = forest_over(stream(tmp_path, rows=given), columns, **SIZE)
    few, all_ = (run(select(node), batch_rows=size, **more) for more in (LITTLE, {}))
    assert rows_of(few) == rows_of(all_)
    assert str(reported_rows(few)) == str(reported_rows(all_))  # NaN where a column has no value
    assert size == 1 or any(row[2] > 0 for points in reported_rows(few).values() for row in points)
    if columns == ("x",):
        usual = [float(x) for points in few.scores for x in points.expected[:, 0]]
        np.testing.assert_array_equal(usual, one_model_each(node, rows))


def test_keys_at_rest_are_on_disk_while_the_query_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_lines(tmp_path / "in.json", records())
    most = []
    settle = KeyedVersions.settle

    def watched(self: KeyedVersions) -> None:
        settle(self)
        most.append(self.num_rows)

    monkeypatch.setattr(KeyedVersions, "settle", watched)
    data = tmp_path / "data"
    run(
        select(forest_over(stream(tmp_path), ("x",), **SIZE)), batch_rows=7, data_dir=data, **LITTLE
    )
    assert max(most) == 6
    assert not list(data.glob("spill-*"))
    most.clear()
    run(select(forest_over(stream(tmp_path), ("x",), **SIZE)), batch_rows=7)
    assert set(most) == {0}


@pytest.mark.parametrize("moment", ["before commit", "after commit"])
@pytest.mark.parametrize("snapshot", [25, 20_000])
@pytest.mark.parametrize("fill", [None, 0.0])
def test_a_crash_changes_no_verdict(
    tmp_path: Path,
    moment: str,
    snapshot: int,
    fill: float | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(forest_models, "SNAPSHOT_POINTS", snapshot)
    monkeypatch.setattr(forest_models, "SNAPSHOT_ROWS_A_KEY", 1)
    write_lines(tmp_path / "in.json", records())
    window = {} if fill is None else {"fill": fill, "window_ms": 60_000}
    node = forest_over(stream(tmp_path), ("x",), **SIZE, **window)

    def plan(name: str) -> p.Plan:
        path = str(tmp_path / name)
        return insert(node, sink_table(node.schema, connector="filesystem", path=path))

    run(plan("straight"), batch_rows=9, directory=tmp_path / "job-1")
    again = {"batch_rows": 9, "directory": tmp_path / "job-2", **LITTLE}
    for incarnation, nth in enumerate((4, 6, 3, 5), 1):
        with pytest.raises(Crash):
            run(plan("again"), incarnation=incarnation, crash=crashing(moment, nth), **again)
    run(plan("again"), incarnation=5, **again)
    assert len(lines(tmp_path / "again")) >= 240
    assert lines(tmp_path / "again") == lines(tmp_path / "straight")


def test_a_restart_with_less_memory_changes_no_verdict(tmp_path: Path) -> None:
    write_lines(tmp_path / "in.json", records())
    node = forest_over(stream(tmp_path), ("x",), **SIZE)
    outs = {}
    for name, later in (("same", {}), ("less", LITTLE)):
        sink = sink_table(node.schema, connector="filesystem", path=str(tmp_path / name))
        kept = {"batch_rows": 9, "directory": tmp_path / f"job-{name}"}
        with pytest.raises(Crash):
            run(insert(node, sink), crash=crashing("after commit", 12), **kept)
        run(insert(node, sink), incarnation=2, **kept, **later)
        outs[name] = lines(tmp_path / name)
    assert len(outs["same"]) == 240
    assert outs["less"] == outs["same"]


def test_keys_with_one_hash_rest_and_return_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_lines(tmp_path / "in.json", records())
    plan = select(forest_over(stream(tmp_path), ("x",), **SIZE))
    usual = rows_of(run(plan, batch_rows=7))

    def two(keys: list[str]) -> Hashes:
        return np.array([ord(key[0]) % 2 for key in keys], np.uint64)

    monkeypatch.setattr(forest_models, "text_hashes", two)
    monkeypatch.setattr(versions, "text_hashes", two)
    assert rows_of(run(plan, batch_rows=7, **LITTLE)) == usual


@pytest.mark.parametrize("size", [5, 1000])
def test_windows_of_a_key_at_rest_are_filled(tmp_path: Path, size: int) -> None:
    """a is silent from second 10 to 40; four keys, of which memory has room for fewer."""
    there = {"a": {*range(10), *range(40, 50)}, "d": set(range(20, 50))}
    rows = [
        {"k": k, "x": 1.0, "ts": iso(s)}
        for s in range(50)
        for k in "abcd"
        if s in there.get(k, range(50))
    ]
    write_lines(tmp_path / "in.json", rows)
    watcher = run(select(counted(tmp_path, fill=0.0, **SIZE)), batch_rows=size, **LITTLE)
    reported = reported_rows(watcher)
    zeros = {k: [row[0] // 1000 for row in rows if row[1] == [0.0]] for k, rows in reported.items()}
    assert zeros == {"a": list(range(10, 40)), "b": [], "c": [], "d": []}
    assert len(rows_of(watcher)) == sum(len(rows) for rows in reported.values())
