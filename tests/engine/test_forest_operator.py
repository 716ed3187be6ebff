"""The forest as an operator: order, keys, memory and words, however rows are cut or lost."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from engine_kit import (
    COUNT,
    TS,
    Watcher,
    file_table,
    insert,
    iso,
    run,
    scan,
    select,
    sink_table,
    watermark,
    window_aggregate,
    write_lines,
)

from eddyline.anomaly.choices import Choices
from eddyline.anomaly.detector import DetectorOptions, Detectors, ForestOptions
from eddyline.clock import ManualClock
from eddyline.engine.operators import forest_models
from eddyline.errors import EddylineError
from eddyline.record import types as t
from eddyline.record.schema import Column, Schema
from eddyline.sql import physical as p
from eddyline.sql.physical import Window, WindowKind

ROWS = Schema.of(k=t.STRING, x=t.DOUBLE, ts=TS)
OPTIONS = {"number_of_trees": 10, "sub_sample_size": 12, "time_decay": 1000, "shingle_size": 1}
SECOND = Window(WindowKind.TUMBLE, 1_000)


def forest_over(node: p.Node, columns: tuple[str, ...], **more: Any) -> p.Forest:
    """A small forest, keyed by ``k``, that gives score, grade and explanation."""
    extra = (Column("score", t.DOUBLE), Column("grade", t.DOUBLE), Column("why", t.STRING))
    options: dict[str, Any] = {
        "partition_by": ("k",),
        **OPTIONS,
        "tolerance": 0.2,
        "seed": 7,
        "fill": None,
        "window_ms": 0,
        "time_column": "ts",
        "window_columns": (),
        "score": "score",
        "grade": "grade",
        "explanation": "why",
        "schema": Schema((*node.schema, *extra)),
    }
    return p.Forest(input=node, columns=columns, **{**options, **more})


def stream(path: Path, delay_ms: int = 5_000, rows: Schema = ROWS) -> p.Node:
    return watermark(scan(file_table(path / "in.json", rows)), "ts", delay_ms)


def records(seed: int = 1, count: int = 60, keys: str = "ab") -> list[dict[str, Any]]:
    """Two keys about 100, a step at the fiftieth row of the first, shuffled a little in time."""
    rng = np.random.default_rng(seed)
    rows = []
    for i in range(count):
        for k in keys:
            x = 400.0 if k == keys[0] and i == 50 else float(np.round(rng.normal(100, 3), 3))
            rows.append((i + rng.uniform(-2, 2), {"k": k, "x": x, "ts": iso(1000 + i)}))
    return [row for _, row in sorted(rows, key=lambda pair: pair[0])]


def reported_rows(watcher: Watcher) -> dict[str, list[Any]]:
    """What the listener heard, joined, a key's rows in order."""
    out: dict[str, list[Any]] = {}
    for points in watcher.scores:
        rows = zip(
            points.time_ms.tolist(),
            points.values.tolist(),
            points.score.tolist(),
            points.grade.tolist(),
            points.alert.tolist(),
            points.explanation,
            strict=True,
        )
        for key, row in zip(points.keys, rows, strict=True):
            out.setdefault(key, []).append(row)
    return out


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    write_lines(tmp_path / "in.json", records())
    return tmp_path


def rows_of(watcher: Watcher) -> list[tuple[Any, ...]]:
    return [row for _, row in watcher.changes]


def test_rows_are_scored_in_time_order_as_the_detectors_would(folder: Path) -> None:
    watcher = run(select(forest_over(stream(folder), ("x",))))
    rows = sorted(records(), key=lambda r: (r["ts"], r["k"]))
    forest_options = ForestOptions(10, 12, 1000, 1, seed=7)
    detectors = Detectors(DetectorOptions(forest_options, tolerance=0.2, timed=True), 1, "all")
    keys = np.array([int(r["k"] == "b") for r in rows], np.int64)
    times = np.array([np.datetime64(r["ts"][:23]) for r in rows], "datetime64[ms]")
    points = np.array([[r["x"]] for r in rows])
    expected = detectors.process(keys, points, times.astype(np.int64))
    got = {(k, ts): (score, grade) for k, _, ts, score, grade, _ in rows_of(watcher)}
    assert len(got) == len(rows)
    assert max(expected.grade) > 0.5
    for row, score, grade in zip(rows, expected.score, expected.grade, strict=True):
        assert got[row["k"], row["ts"].replace("T", " ")[:19]] == (score, grade)


@pytest.mark.parametrize("size", [1, 7, 50])
def test_no_cut_of_batches_changes_a_score(folder: Path, size: int) -> None:
    plan = select(forest_over(stream(folder), ("x",)))
    whole, cut = run(plan), run(plan, batch_rows=size)
    assert sorted(rows_of(cut)) == sorted(rows_of(whole))
    assert reported_rows(cut) == reported_rows(whole)


def test_one_alert_with_its_reason_is_told(folder: Path) -> None:
    watcher = run(select(forest_over(stream(folder), ("x",))))
    reported = reported_rows(watcher)
    alerts = [(key, row) for key, rows in reported.items() for row in rows if row[4]]
    assert len(alerts) == 1
    key, (time_ms, value, score, grade, _, why) = alerts[0]
    assert (key, time_ms, value) == ("a", 1_050_000, [400.0])
    assert score > 1.5
    assert grade > 0
    reason = json.loads(why)["x"]
    assert reason["DIRECTION"] == "HIGH"
    assert float(reason["ATTRIBUTION_SCORE"]) == pytest.approx(score, abs=1e-3)
    calm = [row for rows in reported.values() for row in rows if row[3] == 0.0]
    assert all(row[5] == "" for row in calm)


def test_a_row_with_null_passes_unjudged(tmp_path: Path) -> None:
    rows = records()
    for at in (5, 70, 71):
        rows[at]["x"] = None
    write_lines(tmp_path / "in.json", rows)
    watcher = run(select(forest_over(stream(tmp_path), ("x",))))
    judged = rows_of(watcher)
    assert len(judged) == len(rows)
    unjudged = [row for row in judged if row[1] is None]
    assert [(row[3], row[4], row[5]) for row in unjudged] == [(0.0, 0.0, None)] * 3
    without = [row for row in rows if row["x"] is not None]
    write_lines(tmp_path / "in.json", without)
    clean = run(select(forest_over(stream(tmp_path), ("x",))))
    assert sorted(rows_of(clean)) == sorted(row for row in judged if row[1] is not None)
    assert reported_rows(clean) == reported_rows(watcher)


class Crash(BaseException):
    """Not an Exception, as a kill is not."""


def crashing(moment: str, nth: int) -> Any:
    left = nth

    def hook(name: str) -> None:
        nonlocal left
        left -= name == moment
        if left < 0:
            raise Crash

    return hook


@pytest.mark.parametrize("moment", ["before commit", "after commit", "after delivery"])
@pytest.mark.parametrize("snapshot", [25, 20_000])
def test_a_crash_changes_no_score(
    folder: Path, moment: str, snapshot: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forest_models, "SNAPSHOT_POINTS", snapshot)
    node = forest_over(stream(folder), ("x",))

    def plan(name: str) -> p.Plan:
        path = str(folder / name)
        return insert(node, sink_table(node.schema, connector="filesystem", path=path))

    def lines(name: str) -> list[str]:
        parts = sorted((folder / name).glob("part-*"))
        return sorted(line for part in parts for line in part.read_text().splitlines())

    run(plan("straight"), batch_rows=9, directory=folder / "job-straight")
    watcher, incarnation, name = Watcher(), 1, f"{moment}-{snapshot}"
    for nth in (1, 4, 0, 3):
        hook = crashing(moment, nth)
        directory = folder / f"job-{name}"
        with pytest.raises(Crash):
            run(
                plan(name),
                batch_rows=9,
                directory=directory,
                incarnation=incarnation,
                watcher=watcher,
                crash=hook,
            )
        incarnation += 1
    run(plan(name), batch_rows=9, directory=directory, incarnation=incarnation, watcher=watcher)
    assert lines(name) == lines("straight")
    reported = {
        key: sorted({row[0] for row in rows}) for key, rows in reported_rows(watcher).items()
    }
    times = list(range(1_000_000, 1_060_000, 1000))
    assert reported == {"a": times, "b": times}


def windows(path: Path) -> p.WindowAggregate:
    return window_aggregate(stream(path, 1_000), SECOND, "ts", ("k",), (COUNT,))


def counted(path: Path, **more: Any) -> p.Forest:
    node = windows(path)
    columns = ("window_start", "window_end", "window_time")
    options = {"time_column": "window_time", "window_columns": columns, "window_ms": 1_000}
    return forest_over(node, ("n",), **options, **more)


def clicks(path: Path, silent: range, rate: int = 5, seconds: int = 60) -> None:
    rows = []
    for s in range(seconds):
        for k, there in (("page", s not in silent), ("clock", True)):
            rows += [{"k": k, "x": 1.0, "ts": iso(s + i / rate)} for i in range(rate) if there]
    write_lines(path / "in.json", rows)


@pytest.mark.parametrize("size", [7, 1000])
def test_silence_is_seen_when_windows_are_filled(tmp_path: Path, size: int) -> None:
    clicks(tmp_path, silent=range(40, 45), rate=20)  # fewer a second may end by chance
    watcher = run(select(counted(tmp_path, fill=0.0)), batch_rows=size)
    reported = reported_rows(watcher)
    assert len(reported["page"]) == len(reported["clock"]) == 60
    zeros = [row for row in reported["page"] if row[1] == [0.0]]
    assert [row[0] for row in zeros] == [s * 1000 + 999 for s in range(40, 45)]
    assert [row[4] for row in zeros] == [True, False, False, False, False]
    assert json.loads(zeros[0][5])["n"]["DIRECTION"] == "LOW"
    assert not any(row[4] for row in reported["clock"])
    assert sum(row[4] for row in reported["page"]) == 1
    filled = [row for row in rows_of(watcher) if row[1] == 0]
    assert filled[0][:5] == (
        "page",
        0,
        "1970-01-01 00:00:40",
        "1970-01-01 00:00:41",
        "1970-01-01 00:00:40.999000",
    )


def test_silence_is_not_seen_without_filling(tmp_path: Path) -> None:
    clicks(tmp_path, silent=range(40, 45))
    reported = reported_rows(run(select(counted(tmp_path))))
    assert len(reported["page"]) == 55
    assert not any(row[4] for row in reported["page"])


def test_an_option_out_of_range_is_named(folder: Path) -> None:
    node = replace(forest_over(stream(folder), ("x",)), number_of_trees=1001)
    with pytest.raises(EddylineError, match="number_of_trees is 1001") as caught:
        run(select(node))
    assert caught.value.code == "invalid_argument"


def test_now_is_the_time_of_the_first_start(folder: Path) -> None:
    """A job that goes on later still tells of the rows since its first start."""
    node = forest_over(stream(folder), ("x",), choices=Choices(live_from="now"))
    sink = sink_table(node.schema, connector="filesystem", path=str(folder / "out"))
    kept = {"batch_rows": 9, "directory": folder / "job"}
    with pytest.raises(Crash):
        run(
            insert(node, sink),
            crash=crashing("after commit", 1),
            clock=ManualClock(1_045_000),
            **kept,
        )
    watcher = run(insert(node, sink), incarnation=2, clock=ManualClock(9_000_000), **kept)
    alerts = [row for rows in reported_rows(watcher).values() for row in rows if row[4]]
    assert [row[0] for row in alerts] == [1_050_000]
    later = run(select(node), clock=ManualClock(1_055_000))
    assert not [row for rows in reported_rows(later).values() for row in rows if row[3] > 0]
