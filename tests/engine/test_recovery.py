"""A crash at any moment changes nothing in the result: state, positions and rows are one."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from engine_kit import (
    TS,
    Watcher,
    file_table,
    group,
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
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eddyline.engine.layout import layout_of
from eddyline.engine.state import STATE_FILE, JobState
from eddyline.errors import EddylineError
from eddyline.record import types as t
from eddyline.record.schema import Column, Schema
from eddyline.settings import Settings
from eddyline.sql import physical as p
from eddyline.sql.physical import Window, WindowKind

ROWS = Schema.of(k=t.STRING, v=t.INT, ts=TS)
TUMBLE = Window(WindowKind.TUMBLE, 10_000)
SESSION = Window(WindowKind.SESSION, 4_000)
MOMENTS = ("before commit", "after commit", "after delivery")
events = st.lists(
    st.tuples(st.sampled_from("ab"), st.integers(0, 9), st.integers(0, 60)),
    min_size=3,
    max_size=15,
)


class Crash(BaseException):
    """Not an Exception, as a kill is not."""


class CrashAt:
    """Raises at the given moments, each counted over all epochs of a run."""

    def __init__(self, moment: str, nth: int) -> None:
        self._moment, self._left = moment, nth

    def __call__(self, moment: str) -> None:
        if moment == self._moment:
            self._left -= 1
            if self._left < 0:
                raise Crash


def windows(path: Path, window: Window) -> p.WindowAggregate:
    source = watermark(scan(file_table(path / "in.json", ROWS)), "ts", 2000)
    return window_aggregate(source, window, "ts", ("k",))


def into_files(node: p.Node, folder: Path) -> p.Plan:
    table = sink_table(node.schema, connector="filesystem", path=str(folder))
    return insert(node, table)


def lines(folder: Path) -> Counter[str]:
    return Counter(
        line for f in sorted(folder.glob("part-*")) for line in f.read_text().splitlines()
    )


def put(path: Path, rows: list[tuple[str, int, int]]) -> None:
    write_lines(path / "in.json", [{"k": k, "v": v, "ts": iso(s)} for k, v, s in rows])


def with_crashes(plan: p.Plan, state: Path, crashes: list[tuple[str, int]], cut: int) -> None:
    for n, crash in enumerate(crashes):
        try:
            run(plan, directory=state, batch_rows=cut, crash=CrashAt(*crash), incarnation=n + 1)
        except Crash:
            continue
        return
    run(plan, directory=state, batch_rows=cut, incarnation=len(crashes) + 1)


@pytest.mark.parametrize("window", [TUMBLE, SESSION], ids=["tumble", "session"])
@settings(
    max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    rows=events,
    cut=st.integers(1, 6),
    crashes=st.lists(st.tuples(st.sampled_from(MOMENTS), st.integers(0, 4)), max_size=3),
)
def test_each_row_is_written_once_whenever_it_crashes(
    window: Window,
    rows: list[tuple[str, int, int]],
    cut: int,
    crashes: list[tuple[str, int]],
    tmp_path: Path,
) -> None:
    for name in ("calm", "stormy", "s1", "s2"):
        shutil.rmtree(tmp_path / name, ignore_errors=True)
    put(tmp_path, rows)
    node = windows(tmp_path, window)
    run(into_files(node, tmp_path / "calm"), directory=tmp_path / "s1", batch_rows=100)
    with_crashes(into_files(node, tmp_path / "stormy"), tmp_path / "s2", crashes, cut)
    assert lines(tmp_path / "stormy") == lines(tmp_path / "calm")


@pytest.mark.parametrize("moment", MOMENTS)
def test_groups_survive(moment: str, tmp_path: Path) -> None:
    put(tmp_path, [("a", 1, 1), ("b", 2, 2), ("a", 3, 3), ("b", 4, 4)])
    plan = select(group(scan(file_table(tmp_path / "in.json", ROWS)), ("k",)))
    watcher = Watcher()
    with pytest.raises(Crash):
        run(plan, directory=tmp_path / "s", batch_rows=2, crash=CrashAt(moment, 0), watcher=watcher)
    run(plan, directory=tmp_path / "s", batch_rows=2, incarnation=2, watcher=watcher)
    last = dict(row for kind, row in watcher.changes if kind in ("+I", "+U"))
    assert last == {"a": 2, "b": 2}


def test_a_finished_job_has_nothing_more_to_say(tmp_path: Path) -> None:
    put(tmp_path, [("a", 1, 1)])
    plan = into_files(windows(tmp_path, TUMBLE), tmp_path / "out")
    run(plan, directory=tmp_path / "s")
    before = lines(tmp_path / "out")
    run(plan, directory=tmp_path / "s", incarnation=2)
    assert sum(before.values()) == 1
    assert lines(tmp_path / "out") == before


def test_another_statement_is_refused_and_harms_nothing(tmp_path: Path) -> None:
    put(tmp_path, [("a", 1, 1), ("a", 1, 15)])
    run(into_files(windows(tmp_path, TUMBLE), tmp_path / "out"), directory=tmp_path / "s")
    state = (tmp_path / "s" / STATE_FILE).read_bytes()
    other = into_files(windows(tmp_path, Window(WindowKind.TUMBLE, 5_000)), tmp_path / "out")
    with pytest.raises(EddylineError, match="WindowAggregate2 belongs to has other window") as e:
        run(other, directory=tmp_path / "s", incarnation=2)
    assert e.value.code == "state_mismatch"
    assert "--from-positions" in (e.value.hint or "")
    assert (tmp_path / "s" / STATE_FILE).read_bytes() == state


def test_an_older_incarnation_is_refused(tmp_path: Path) -> None:
    put(tmp_path, [("a", 1, 1)])
    plan = into_files(windows(tmp_path, TUMBLE), tmp_path / "out")
    run(plan, directory=tmp_path / "s", incarnation=3)
    with pytest.raises(EddylineError) as e:
        run(plan, directory=tmp_path / "s", incarnation=2)
    assert e.value.code == "conflict"


def test_a_bad_record_fails_with_its_place_or_is_put_aside(tmp_path: Path) -> None:
    good = {"k": "a", "v": 1, "ts": iso(1)}
    write_lines(tmp_path / "in.json", [good, {**good, "ts": "2023-08-29T12:54:35Z"}, good])
    schema = Schema((*ROWS.columns[:1], Column("ts", TS)))

    def rows(**options: str) -> Any:
        return run(select(scan(file_table(tmp_path / "in.json", schema, **options))))

    with pytest.raises(EddylineError) as e:
        rows()
    assert e.value.code == "bad_record"
    assert "line 2" in e.value.message
    assert "column ts" in e.value.message
    assert "2023-08-29T12:54:35Z" in e.value.message
    assert "json.ignore-parse-errors" in (e.value.hint or "")
    ignored = rows(**{"json.ignore-parse-errors": "true"})
    assert [row[1] is None for _, row in ignored.changes] == [False, True, False]
    aside = rows(**{"bad-records": "dead-letter"})
    assert len(aside.changes) == 2
    assert aside.metrics.bad_records == 1


def test_a_crash_while_a_state_is_taken_over_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = JobState(tmp_path, Settings())
    root = p.Values((), ROWS)
    with state.db.transaction():
        state.create(layout_of(root), 1)
    run_it = state.db.run

    def dies(*arguments: Any, **views: Any) -> None:
        run_it(*arguments, **views)
        raise RuntimeError("killed")

    monkeypatch.setattr(state.db, "run", dies)
    with pytest.raises(RuntimeError, match="killed"):
        state.resume(root, 2, same_statement=True, empty=False)
    state.close()
    again = JobState(tmp_path, Settings())
    assert again.resume(root, 3, same_statement=True, empty=False) == ["Values0"]
    assert again.progress().epoch == 0
    with pytest.raises(EddylineError, match="started again elsewhere"):
        again.resume(root, 2, same_statement=True, empty=False)
    again.close()
