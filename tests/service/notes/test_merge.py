"""Two windows in one paragraph: whatever was typed in either is in the merged text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eddyline.service.notes.merge import merge

BASE = "%flink.ssql\nSELECT a\nFROM t\nWHERE a > 1"


@pytest.mark.parametrize(
    ("mine", "theirs", "text"),
    [
        (BASE, BASE.replace("a > 1", "a > 2"), BASE.replace("a > 1", "a > 2")),
        (BASE.replace("SELECT a", "SELECT b"), BASE, BASE.replace("SELECT a", "SELECT b")),
        (
            BASE.replace("SELECT a", "SELECT b"),
            BASE.replace("a > 1", "a > 2"),
            BASE.replace("SELECT a", "SELECT b").replace("a > 1", "a > 2"),
        ),
        (BASE + "\nLIMIT 1", "-- top\n" + BASE, "-- top\n" + BASE + "\nLIMIT 1"),
        (BASE + "\nLIMIT 1", BASE + "\nLIMIT 1", BASE + "\nLIMIT 1"),
    ],
)
def test_changes_of_different_lines_are_put_together(mine: str, theirs: str, text: str) -> None:
    merged = merge(BASE, mine, theirs)
    assert (merged.text, merged.conflict) == (text, False)


def test_changes_of_the_same_line_are_both_kept() -> None:
    merged = merge(BASE, BASE.replace("a > 1", "a > 2"), BASE.replace("a > 1", "a > 3"))
    assert merged.conflict
    assert merged.text.endswith("WHERE a > 2\nWHERE a > 3")


def test_both_append() -> None:
    merged = merge("a", "a\nmine", "a\ntheirs")
    assert (merged.text, merged.conflict) == ("a\nmine\ntheirs", True)


LINES = st.lists(st.sampled_from("abcde"), max_size=6)


@given(LINES, LINES, LINES)
def test_no_new_line_of_either_side_is_lost(
    base: list[str], mine: list[str], theirs: list[str]
) -> None:
    mine = [f"{line}!" if n % 2 else line for n, line in enumerate(mine)]
    theirs = [f"{line}?" if n % 3 else line for n, line in enumerate(theirs)]
    merged = merge("\n".join(base), "\n".join(mine), "\n".join(theirs)).text.split("\n")
    assert {line for line in (*mine, *theirs) if line not in base} <= set(merged)


@given(LINES, LINES)
def test_one_sided_changes_give_that_side(base: list[str], mine: list[str]) -> None:
    before, after = "\n".join(base), "\n".join(mine)
    assert merge(before, after, before).text == after
    assert merge(before, before, after).text == after
