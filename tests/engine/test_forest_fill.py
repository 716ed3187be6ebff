"""Windows without rows, against the plain rule, however time advances."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from engine_kit import TS
from hypothesis import given
from hypothesis import strategies as st

from eddyline.engine.operators.forest_fill import Gaps
from eddyline.record import types as t
from eddyline.record.batch import MAX_WATERMARK
from eddyline.record.schema import Schema
from eddyline.sql import physical as p

BELOW = Schema.of(k=t.STRING, x=t.DOUBLE, rt=TS)
WIDTH = 10
SHIFT = 3  # windows need not be aligned to the epoch


def node(window_columns: tuple[str, ...]) -> p.Forest:
    source = p.Values((), BELOW)
    columns = (("x",), ("k",), 100, 10, 1000, 1, 0.0, 1, 0.0, WIDTH, "rt", window_columns)
    return p.Forest(source, *columns, "score", None, None, BELOW)


def at(window: int) -> int:
    """The last millisecond of a window."""
    return (window + 1) * WIDTH - 1 + SHIFT


steps = st.lists(
    st.tuples(
        st.integers(0, 4),  # how far the watermark goes, in windows
        st.frozensets(st.tuples(st.integers(0, 2), st.integers(0, 3)), max_size=4),
    ),
    min_size=1,
    max_size=8,
)


@given(steps=steps, ends=st.booleans())
def test_each_missing_window_of_a_known_key_is_given_once(
    steps: list[tuple[int, frozenset[tuple[int, int]]]], ends: bool
) -> None:
    gaps = Gaps(node(("rt",)), BELOW)
    dense: dict[int, int] = {}
    seen: set[tuple[int, int]] = set()
    got: list[tuple[int, int]] = []
    mark = -4  # windows before 1970 as well
    for advance, filled in steps:
        rows = sorted({(mark + 1 + w, k) for k, w in filled if w < advance})
        mark += advance
        models = np.array([dense.setdefault(k, len(dense)) for _, k in rows], np.int64)
        times = np.array([at(w) for w, _ in rows], np.int64)
        seen |= {(int(m), w) for m, (w, _) in zip(models, rows, strict=True)}
        if len(rows):
            gaps.learn(pa.table({"rt": pa.array(times * 1000).cast(pa.timestamp("us"))}), times)
        who, when = gaps.missing(models, times, at(mark))
        got += [(int(m), (int(w) - SHIFT + 1) // WIDTH - 1) for m, w in zip(who, when, strict=True)]
    if ends:
        assert not len(gaps.missing(None, None, MAX_WATERMARK)[0])
    want = {
        (m, w)
        for m in dense.values()
        for w in range(min(v for k, v in seen if k == m), mark + 1)
        if (m, w) not in seen
    }
    assert sorted(got) == sorted(want)


def test_a_raw_time_falls_into_its_window() -> None:
    gaps = Gaps(node(()), BELOW)
    times = np.array([0, 9, 10, 25], np.int64)
    gaps.learn(pa.table({"rt": pa.array(times * 1000).cast(pa.timestamp("us"))}), times)
    who, when = gaps.missing(np.zeros(4, np.int64), times, 49)
    assert (who.tolist(), when.tolist()) == ([0, 0], [39, 49])


def test_a_long_silence_is_bounded() -> None:
    gaps = Gaps(node(("rt",)), BELOW)
    times = np.array([9], np.int64)
    gaps.learn(pa.table({"rt": pa.array(times * 1000).cast(pa.timestamp("us"))}), times)
    _, when = gaps.missing(np.zeros(1, np.int64), times, 10**9)
    assert len(when) == 100_000
    assert when[-1] == 10**9 - 1
