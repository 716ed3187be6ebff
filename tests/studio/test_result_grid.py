"""A result's table: order, filter, downloads."""

from __future__ import annotations

import csv
import io

from eddyline.service.notes.output import OutputTable
from eddyline.studio.result_grid import arranged, count_text, delimited, head_html

TABLE = OutputTable(
    ["n", "page"],
    [["10", "/b"], ["9", "/a"], [None, "/c"], ["-1.5", None], ["NaN", "/B"]],
    ["DOUBLE", "STRING"],
    7,
    2,
)


def column(order: tuple[int, bool] | None, index: int, words: str = "") -> list[str | None]:
    return [row[index] for row in arranged(TABLE, False, order, words)]


def test_numbers_sort_as_numbers_and_null_comes_last() -> None:
    assert column((0, False), 0) == ["-1.5", "9", "10", "NaN", None]
    assert column((0, True), 0) == ["NaN", "10", "9", "-1.5", None]
    assert column((1, False), 1) == ["/B", "/a", "/b", "/c", None]
    assert column(None, 0) == [row[0] for row in TABLE.rows]
    assert arranged(TABLE, True, None, "")[0] == TABLE.rows[-1]


def test_a_filter_looks_into_every_cell() -> None:
    assert column(None, 1, "/b") == ["/b", "/B"]
    assert column(None, 0, "-1") == ["-1.5"]
    assert count_text(TABLE, 2, "/b") == "7 rows, the newest 5 kept, 2 with “/b”"
    assert count_text(TABLE, 5, "") == "7 rows, the newest 5 kept"


def test_downloads_hold_all_rows_whatever_is_in_them() -> None:
    rows = [["a,b", 'say "x"'], [None, "two\nlines"], ["tab\there", ""]]
    for delimiter in (",", "\t"):
        text = delimited(["one", "two"], rows, delimiter).decode()
        read = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
        assert read == [["one", "two"], *[["" if c is None else c for c in r] for r in rows]]


def test_the_header_says_how_it_is_sorted_and_escapes_names() -> None:
    head = head_html(["a<b", "c"], [True, False], (0, True))
    assert 'aria-sort="descending"' in head
    assert "a&lt;b" in head
    assert head.count("<button") == 2
    assert head.count("aria-sort") == 1
