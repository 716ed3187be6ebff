"""The watermark over many shards, against the plain rule, row by row."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from eddyline.engine.operators.assign_watermark import AssignWatermark
from eddyline.record.batch import MAX_WATERMARK, MIN_WATERMARK

SHARDS = 5


def plain(
    w: list[int], shard: list[int], known: dict[int, int], idle: set[int]
) -> tuple[list[int], dict[int, int]]:
    """After each row: the least of the shards' greatest watermarks so far; an idle shard counts
    from its first row on."""
    greatest = {s: known.get(s, MIN_WATERMARK) for s in range(SHARDS)}
    asleep = set(idle)
    out = []
    for value, s in zip(w, shard, strict=True):
        greatest[s] = max(greatest[s], value)
        asleep.discard(s)
        out.append(min((g for i, g in greatest.items() if i not in asleep), default=MAX_WATERMARK))
    return out, {s: g for s, g in greatest.items() if s in shard}


@settings(max_examples=200, deadline=None)
@given(
    rows=st.lists(
        st.tuples(st.integers(0, 30), st.integers(0, SHARDS - 1)), min_size=1, max_size=30
    ),
    known=st.dictionaries(st.integers(0, SHARDS - 1), st.integers(0, 20)),
    idle=st.sets(st.integers(0, SHARDS - 1)),
)
def test_the_merge_is_the_plain_rule(
    rows: list[tuple[int, int]], known: dict[int, int], idle: set[int]
) -> None:
    w, shard = [r[0] for r in rows], [r[1] for r in rows]
    op: Any = AssignWatermark.__new__(AssignWatermark)
    op.scan = SimpleNamespace(
        was_idle=lambda s: s in idle,
        active=lambda: [s for s in range(SHARDS) if s not in idle],
    )
    op._shards = dict(known)
    merged = op._merge(np.array(w), np.array(shard, np.int32))
    expected, greatest = plain(w, shard, known, idle)
    assert merged.tolist() == expected
    assert {s: op._shards[s] for s in greatest} == greatest
