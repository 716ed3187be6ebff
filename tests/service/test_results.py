"""Results: a changelog folded for a screen, and values printed as Flink prints them."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eddyline.errors import EddylineError
from eddyline.record.batch import Batch, ChangeKind
from eddyline.record.schema import Schema
from eddyline.record.types import (
    BIGINT,
    BOOLEAN,
    BYTES_TYPE,
    DOUBLE,
    INT,
    STRING,
    array,
    decimal,
    timestamp,
    timestamp_ltz,
)
from eddyline.service.printing import Printer
from eddyline.service.results import ResultView

SCHEMA = Schema.of(k=STRING, n=BIGINT)
PLUS, MINUS = ChangeKind.UPDATE_AFTER, ChangeKind.UPDATE_BEFORE


def batch(rows: list[tuple[str, int]], kinds: list[int] | None = None) -> Batch:
    keys, numbers = [r[0] for r in rows], [r[1] for r in rows]
    table = pa.table({"k": keys, "n": numbers}, schema=SCHEMA.arrow())
    return Batch(table, None if kinds is None else np.array(kinds, np.int8))


def view(mode: str = "update", keep: int = 3, insert_only: bool = False) -> ResultView:
    return ResultView(Printer(SCHEMA), mode, keep, insert_only)


def test_values_are_printed_as_flink_prints_them() -> None:
    schema = Schema.of(
        d=DOUBLE,
        b=BOOLEAN,
        i=INT,
        c=decimal(10, 2),
        t=timestamp(3),
        z=timestamp_ltz(3),
        a=array(STRING),
        x=BYTES_TYPE,
    )
    moment = dt.datetime(2023, 8, 29, 12, 55, 29, 999_000)  # noqa: DTZ001
    values = [
        (100.83333333333333, True, 1, Decimal("1.50"), moment, moment, ["a", None], b"\x01\xff"),
        (120.0, False, None, None, None, None, None, None),
        (1e7, None, -5, Decimal("-0.01"), moment, moment, [], b""),
    ]
    columns = list(zip(*values, strict=True))
    table = pa.table(dict(zip(schema.names, columns, strict=True)), schema=schema.arrow())
    first, second, third = Printer(schema, "Europe/Berlin").rows(table)
    at, local = "2023-08-29 12:55:29.999", "2023-08-29 14:55:29.999"
    assert first == ("100.83333333333333", "TRUE", "1", "1.50", at, local, "[a, NULL]", "x'01ff'")
    assert second == ("120.0", "FALSE", *[None] * 6)
    assert third == ("1.0E7", None, "-5", "-0.01", at, local, "[]", "x''")


def test_update_keeps_what_is_and_sorts_by_the_first_column() -> None:
    shown = view()
    shown.apply(batch([("b", 1), ("a", 1)], [0, 0]))
    shown.apply(batch([("b", 1), ("b", 2)], [MINUS, PLUS]))
    assert shown.snapshot() == ([("a", "1"), ("b", "2")], 2, 0)
    shown.apply(batch([("a", 1)], [ChangeKind.DELETE]))
    assert shown.snapshot() == ([("b", "2")], 1, 0)


def test_equal_rows_are_taken_back_one_by_one() -> None:
    shown = view()
    shown.apply(batch([("a", 1), ("a", 1)], [0, 0]))
    shown.apply(batch([("a", 1)], [MINUS]))
    assert shown.snapshot() == ([("a", "1")], 1, 0)


def test_only_the_newest_rows_are_kept_and_the_others_counted() -> None:
    shown = view(insert_only=True)
    shown.apply(batch([(f"{n:03}", n) for n in range(100)]))
    shown.apply(batch([("zz", 0)]))
    assert shown.snapshot() == ([("098", "98"), ("099", "99"), ("zz", "0")], 101, 98)
    assert not shown.fresh
    shown.apply(batch([("zzz", 0)]))
    assert shown.fresh
    assert [r[0] for r in shown.snapshot()[0]] == ["099", "zz", "zzz"]


def test_a_group_that_was_forgotten_comes_back_as_the_newest() -> None:
    shown = view(keep=2)
    shown.apply(batch([("a", 1), ("b", 1), ("c", 1)], [0, 0, 0]))
    shown.apply(batch([("a", 1), ("a", 2)], [MINUS, PLUS]))
    assert shown.snapshot() == ([("a", "2"), ("c", "1")], 3, 1)


def test_single_is_the_newest_row() -> None:
    shown = view("single")
    shown.apply(batch([("a", 1), ("a", 1), ("a", 2)], [0, MINUS, PLUS]))
    assert shown.snapshot()[0] == [("a", "2")]


def test_append_refuses_to_take_rows_back() -> None:
    shown = view("append")
    shown.apply(batch([("b", 1), ("a", 1)]))
    assert shown.snapshot()[0] == [("b", "1"), ("a", "1")]
    with pytest.raises(EddylineError, match="takes rows back"):
        shown.apply(batch([("b", 1)], [ChangeKind.DELETE]))


def test_a_mode_that_is_none_is_refused() -> None:
    with pytest.raises(EddylineError, match="none of update, append, single"):
        view("sideways")


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 2), st.booleans()), max_size=40))
def test_update_equals_a_multiset(changes: list[tuple[str, int, bool]]) -> None:
    shown, expected = view(keep=1000), Counter[tuple[str, str]]()
    for key, number, adds in changes:
        row = (key, str(number))
        if adds or expected[row] > 0:
            expected[row] += 1 if adds else -1
            shown.apply(batch([(key, number)], [0 if adds else 3]))
    rows, count, skipped = shown.snapshot()
    assert Counter(rows) == +expected
    assert (count, skipped) == (expected.total(), 0)
