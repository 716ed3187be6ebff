"""The watermark over many shards, against the plain rule, row by row."""

from __future__ import annotations

import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from engine_kit import Watcher
from hypothesis import given, settings
from hypothesis import strategies as st
from statement_kit import Sql

from eddyline.engine.operators.assign_watermark import AssignWatermark
from eddyline.record.batch import MAX_WATERMARK, MIN_WATERMARK
from tests.process_kit import until

SHARDS = 5


def plain(
    w: list[int], shard: list[int], arrivals: list[int], known: dict[int, int], idle: dict[int, int]
) -> tuple[list[int], dict[int, int]]:
    """After each row: the least of the shards' greatest watermarks so far; an idle shard counts
    from the first row on that arrived together with its first one.

    idle: the shards, and when the next of their records arrives that is not among the rows.
    """
    greatest = {s: known.get(s, MIN_WATERMARK) for s in range(SHARDS)}
    wakes = dict(idle)
    for at, s in reversed(list(zip(arrivals, shard, strict=True))):
        if s in wakes:
            wakes[s] = at
    asleep = set(idle)
    out = []
    for value, s, now in zip(w, shard, arrivals, strict=True):
        greatest[s] = max(greatest[s], value)
        asleep -= {i for i in asleep if wakes[i] <= now}
        out.append(min((g for i, g in greatest.items() if i not in asleep), default=MAX_WATERMARK))
    return out, {s: g for s, g in greatest.items() if s in shard}


@settings(max_examples=200, deadline=None)
@given(
    rows=st.lists(
        st.tuples(st.integers(0, 30), st.integers(0, SHARDS - 1), st.integers(0, 2)),
        min_size=1,
        max_size=30,
    ),
    known=st.dictionaries(st.integers(0, SHARDS - 1), st.integers(0, 20)),
    idle=st.dictionaries(st.integers(0, SHARDS - 1), st.integers(0, 40)),
)
def test_the_merge_is_the_plain_rule(
    rows: list[tuple[int, int, int]], known: dict[int, int], idle: dict[int, int]
) -> None:
    w, shard = [r[0] for r in rows], [r[1] for r in rows]
    arrivals = np.cumsum([r[2] for r in rows]).tolist()
    op: Any = AssignWatermark.__new__(AssignWatermark)
    op.scan = SimpleNamespace(
        was_idle=lambda s: s in idle,
        woken=lambda until: [(s, at) for s, at in idle.items() if s not in shard and at <= until],
        active=lambda: [s for s in range(SHARDS) if s not in idle],
    )
    op._shards = dict(known)
    merged = op._merge(np.array(w), np.array(shard, np.int32), np.array(arrivals))
    expected, greatest = plain(w, shard, arrivals, known, idle)
    assert merged.tolist() == expected
    assert {s: op._shards[s] for s in greatest} == greatest


@pytest.mark.parametrize("batch_rows", [1, 1000])
def test_rows_of_one_put_are_not_late_because_of_shards_that_were_idle(
    tmp_path: Path, batch_rows: int
) -> None:
    """All of a put's rows for the first shard are read before those for the second."""
    sql = Sql(tmp_path)
    sql.table("s", "v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts", [], shards=2)
    plan, watcher = sql.plan(
        "SELECT window_start, COUNT(*) FROM TABLE(TUMBLE(TABLE s, DESCRIPTOR(ts),"
        " INTERVAL '5' SECOND)) GROUP BY window_start, window_end"
    ), Watcher()  # fmt: skip
    job = sql.job(plan, watcher, idle_timeout_ms=20, batch_rows_max=batch_rows)

    def feed() -> None:
        until(lambda: job.metrics().shards and all(s.idle for s in job.metrics().shards), "idle")
        stamps = [f"2026-01-01 00:00:{second:02d}" for second in range(40)]
        sql.put("s", [{"v": 1, "ts": ts} for ts in stamps])
        until(lambda: job.metrics().rows_in == 40, "all is read")
        job.end_input()

    feeder = threading.Thread(target=feed)
    feeder.start()
    job.run(threading.Event())
    feeder.join()
    assert [row[1] for _, row in watcher.changes] == [5] * 8
    assert job.metrics().late == 0
    sql.close()
