"""Moment's published token table, each token against dates known by hand."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eddyline.generator.iso import parse_iso
from eddyline.generator.moment import TOKENS, compile_format


def ms(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def written(token: str, at: str, *, utc: bool = True) -> str:
    rendered: str = compile_format(token).render(np.array([ms(at)]), utc=utc)[0].as_py()
    return rendered


@contextmanager
def zone(name: str) -> Iterator[None]:
    before = os.environ.get("TZ")
    os.environ["TZ"] = name
    time.tzset()
    try:
        yield
    finally:
        if before is None:
            del os.environ["TZ"]
        else:
            os.environ["TZ"] = before
        time.tzset()


A = "2024-02-05T14:03:09.047"  # a Monday in a leap year
B = "2021-01-01T00:30:00"  # a Friday in week 53 of ISO year 2020
# https://momentjs.com/docs/#/displaying/format/
TABLE = [
    ("M", A, "2"), ("Mo", A, "2nd"), ("MM", A, "02"), ("MMM", A, "Feb"), ("MMMM", A, "February"),
    ("Q", A, "1"), ("Qo", A, "1st"), ("D", A, "5"), ("Do", A, "5th"), ("DD", A, "05"),
    ("DDD", A, "36"), ("DDDo", A, "36th"), ("DDDD", A, "036"), ("d", A, "1"), ("do", A, "1st"),
    ("dd", A, "Mo"), ("ddd", A, "Mon"), ("dddd", A, "Monday"), ("e", A, "1"), ("E", A, "1"),
    ("E", "2024-02-04", "7"), ("w", A, "6"), ("wo", A, "6th"), ("ww", A, "06"), ("W", A, "6"),
    ("Wo", A, "6th"), ("WW", A, "06"), ("W", B, "53"), ("w", B, "1"), ("GGGG", B, "2020"),
    ("GG", B, "20"), ("gggg", B, "2021"), ("gg", B, "21"), ("YY", A, "24"), ("YYYY", A, "2024"),
    ("Y", A, "2024"), ("YYYYY", A, "02024"), ("YYYYYY", A, "+002024"), ("A", A, "PM"),
    ("a", A, "pm"), ("A", B, "AM"), ("a", B, "am"), ("H", A, "14"), ("HH", B, "00"),
    ("h", A, "2"), ("hh", A, "02"), ("h", B, "12"), ("k", A, "14"), ("kk", B, "24"),
    ("m", A, "3"), ("mm", A, "03"), ("s", A, "9"), ("ss", A, "09"), ("S", A, "0"),
    ("SS", A, "04"), ("SSS", A, "047"), ("SSSSSS", A, "047000"), ("SSSSSSSSS", A, "047000000"),
    ("z", A, "UTC"), ("zz", A, "Coordinated Universal Time"), ("Z", A, "+00:00"),
    ("ZZ", A, "+0000"), ("X", A, "1707141789"), ("x", A, "1707141789047"),
    ("hmm", A, "203"), ("hmmss", A, "20309"), ("Hmm", A, "1403"), ("Hmmss", A, "140309"),
    ("LT", A, "2:03 PM"), ("LTS", A, "2:03:09 PM"), ("L", A, "02/05/2024"), ("l", A, "2/5/2024"),
    ("LL", A, "February 5, 2024"), ("ll", A, "Feb 5, 2024"),
    ("LLL", A, "February 5, 2024 2:03 PM"), ("lll", A, "Feb 5, 2024 2:03 PM"),
    ("LLLL", A, "Monday, February 5, 2024 2:03 PM"), ("llll", A, "Mon, Feb 5, 2024 2:03 PM"),
    ("[at] H", A, "at 14"), ("YYYY-MM-DDTHH:mm:ss.SSS", A, "2024-02-05T14:03:09.047"),
    ("hA", A, "2PM"), ("[YYYY]", A, "YYYY"), ("\\Y", A, "Y"), ("GGGG-[W]WW-E", B, "2020-W53-5"),
]  # fmt: skip


@pytest.mark.parametrize(("token", "at", "expected"), TABLE)
def test_token(token: str, at: str, expected: str) -> None:
    assert written(token, at) == expected


def test_every_token_stands_in_the_table() -> None:
    tested = {token for token, _, _ in TABLE}
    tested |= {"S" * k for k in range(1, 10)} | {"ggggg", "GGGGG"}
    assert set(TOKENS) <= tested


@pytest.mark.parametrize(
    ("day", "nth"),
    [(1, "1st"), (2, "2nd"), (3, "3rd"), (4, "4th"), (11, "11th"), (12, "12th"), (13, "13th"),
     (21, "21st"), (22, "22nd"), (23, "23rd"), (31, "31st")],
)  # fmt: skip
def test_ordinals(day: int, nth: str) -> None:
    assert written("Do", f"2024-01-{day:02}") == nth


def test_local_time_follows_the_zone_and_its_summer_time() -> None:
    with zone("Europe/Berlin"):
        assert written("HH:mm Z", "2024-01-15T12:00:00", utc=False) == "13:00 +01:00"
        assert written("HH:mm ZZ", "2024-07-15T12:00:00", utc=False) == "14:00 +0200"
        both = np.array([ms("2024-03-31T00:59:59"), ms("2024-03-31T01:00:00")])
        texts = compile_format("HH:mm:ss Z").render(both, utc=False).to_pylist()
        assert texts == ["01:59:59 +01:00", "03:00:00 +02:00"]
    with zone("America/St_Johns"):
        assert written("Z", "2024-01-15T12:00:00", utc=False) == "-03:30"


INSTANTS = st.integers(ms("1900-01-01"), ms("2199-12-31"))


@settings(max_examples=200, deadline=None)
@given(st.lists(INSTANTS, min_size=1, max_size=20))
def test_dates_agree_with_the_standard_library(instants: list[int]) -> None:
    form = compile_format("YYYY-MM-DD[T]HH:mm:ss.SSS DDDD E GGGG WW")
    texts = form.render(np.array(instants), utc=True).to_pylist()
    for at, text in zip(instants, texts, strict=True):
        when = datetime.fromtimestamp(at // 1000, UTC)
        iso = when.isocalendar()
        expected = f"{when:%Y-%m-%dT%H:%M:%S}.{at % 1000:03} {when:%j} {iso.weekday}"
        assert text == f"{expected} {iso.year:04} {iso.week:02}"


@settings(max_examples=50, deadline=None)
@given(st.lists(INSTANTS, min_size=1, max_size=30), st.text(max_size=20))
def test_sorted_rendering_says_the_same(instants: list[int], text: str) -> None:
    form = compile_format(text.encode("utf-8", "ignore").decode() + "YYYY x")
    at = np.sort(np.array(instants))
    quick = form.render_sorted(at, utc=True)
    quick = [quick] * len(at) if isinstance(quick, str) else quick.to_pylist()
    assert quick == form.render(at, utc=True).to_pylist()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2020-01-01", "2020-01-01T00:00:00"),
        ("2020-01", "2020-01-01T00:00:00"),
        ("2020-02-29T12:30", "2020-02-29T12:30:00"),
        ("2020-02-29 12:30:15.250Z", "2020-02-29T12:30:15.250"),
        ("2020-02-29T12:30:15+02:00", "2020-02-29T10:30:15"),
        ("0001-01-01", "0001-01-01T00:00:00"),
        ("1600-12-31", "1600-12-31T00:00:00"),
        ("9999-12-31", "9999-12-31T00:00:00"),
    ],
)
def test_iso_dates_are_read(text: str, expected: str) -> None:
    assert parse_iso(text) == ms(expected)


def test_an_iso_date_may_lie_in_the_year_0() -> None:
    days = np.datetime64("0000-02-29", "D").astype(np.int64)
    assert parse_iso("0000-02-29") == int(days) * 86_400_000


@pytest.mark.parametrize("text", ["", "yesterday", "2021-02-29", "2020-13-01", "2020-01-01T25:00"])
def test_what_is_no_date_is_none(text: str) -> None:
    assert parse_iso(text) is None
