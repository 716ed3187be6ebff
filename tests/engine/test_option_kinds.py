"""The kinds of options: which texts are values of them, and which values."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import pytest

from eddyline.errors import EddylineError
from eddyline.options.option import (
    BOOLEAN,
    CHARACTER,
    COUNT,
    INTEGER,
    MEMORY,
    NAME,
    NAMES,
    PATTERN,
    SESSION_MAX,
    Option,
    choice,
    integer,
    number,
)


class Size(StrEnum):
    SMALL = "Small"
    LARGE = "large"


UNITS = {
    0: ("", "b", "bytes"),
    10: ("k", "kb", "kibibytes"),
    20: ("m", "mb", "mebibytes"),
    30: ("g", "gb", "gibibytes"),
    40: ("t", "tb"),
}


@pytest.mark.parametrize(("unit", "bits"), [(u, b) for b, units in UNITS.items() for u in units])
def test_every_unit_of_a_size(unit: str, bits: int) -> None:
    assert MEMORY.parse(f" 3 {unit.upper()}") == 3 << bits


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (INTEGER, " -5 ", -5), (INTEGER, "+7", 7), (INTEGER, str(SESSION_MAX), SESSION_MAX),
        (COUNT, "1", 1), (integer(0, 3), "3", 3), (integer(0, 3), "0", 0),
        (number(0, 1), "0", 0.0), (number(0, 1), "1", 1.0), (number(0, 1), ".5", 0.5),
        (number(0, 10), "1e1", 10.0),
        (BOOLEAN, " TRUE ", True), (BOOLEAN, "false", False),
        (CHARACTER, ";", ";"), (CHARACTER, "\\t", "\t"), (CHARACTER, "\\u0001", "\x01"),
        (CHARACTER, "\\u0041", "A"), 
        (choice(Size), " small ", Size.SMALL),
        (CHARACTER, "\\\\", "\\"), (CHARACTER, "\x7f", "\x7f"),
        (MEMORY, "2", 2), (MEMORY, "2 b", 2), (MEMORY, "2k", 2048), (MEMORY, "1 mb", 1 << 20),
        (MEMORY, "3 GibiBytes", 3 << 30), (MEMORY, "1t", 1 << 40),
        (NAME, " a", " a"), (NAMES, "a; b;;", ("a", "b")),
    ],
)  # fmt: skip
def test_a_text_is_this_value(kind: Any, text: str, value: object) -> None:
    assert kind.parse(text) == value


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (INTEGER, ""), (INTEGER, "1_0"), (INTEGER, "1.0"), (INTEGER, str(SESSION_MAX + 1)),
        (INTEGER, str(-SESSION_MAX - 1)), (COUNT, "0"), (integer(0, 3), "4"), (integer(0, 3), "-1"),
        (number(0, 1), "1.1"), (number(0, 1), "-0.1"), (number(0, 1), "nan"), (number(0, 1), "1_0"),
        (BOOLEAN, "yes"), (CHARACTER, "ab"), (CHARACTER, ""), (CHARACTER, "\n"), (CHARACTER, "\r"),
        (choice(Size), "medium"), (choice(Size), ""),
        (CHARACTER, "\u0080"), (MEMORY, "-1"), (MEMORY, "1 x"), (MEMORY, "kb"), (PATTERN, "["),
        (NAME, " "), (NAME, "a\0"),
    ],
)  # fmt: skip
def test_a_text_is_no_value(kind: Any, text: str) -> None:
    with pytest.raises(ValueError):
        kind.parse(text)


def test_the_hint_says_the_bounds() -> None:
    assert integer(1).expected == "an integer of at least 1"
    assert integer(1, 3).expected == "an integer from 1 to 3"
    assert INTEGER.expected == "an integer"


def test_an_option_is_found_by_its_spellings() -> None:
    option = Option("new", INTEGER, "5", "A number.", aliases=("old",))
    assert [option.given(o) for o in ({"old": "1"}, {"new": "1"}, {})] == ["old", "new", None]
    assert [option.read(o) for o in ({"old": "1"}, {"new": "2"}, {})] == [1, 2, 5]
    needed = Option("n", INTEGER, None, "A number.")
    assert needed.get({}) is None
    with pytest.raises(EddylineError, match="'n' is missing"):
        needed.read({})


def test_a_wrong_value_is_named_as_it_was_written() -> None:
    option = Option("new", INTEGER, "x", "A number.", aliases=("old",))
    for options, words in (({"old": "y"}, "'old' is 'y'"), ({}, "'new' is 'x'")):
        with pytest.raises(EddylineError, match=words):
            option.read(options)
