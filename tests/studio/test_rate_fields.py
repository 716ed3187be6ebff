"""A week of rates as people paste it."""

from __future__ import annotations

import pytest

from eddyline.errors import EddylineError
from eddyline.generator.pattern import Periodic, Ramp, Sine
from eddyline.generator.spec import GeneratorSpec
from eddyline.studio.rate_fields import RAMP, STEADY, WAVE, WEEK, shape_of, table_of, table_text

WEEK_TABLE = tuple(tuple(float(day * 24 + hour) for hour in range(24)) for day in range(7))


def test_a_table_is_read_as_it_was_written() -> None:
    assert table_of(table_text(WEEK_TABLE), "mean") == WEEK_TABLE


@pytest.mark.parametrize("gap", [",", ", ", "\t", "   "])
def test_numbers_may_stand_apart_in_any_way(gap: str) -> None:
    text = "\n\n".join(gap.join(f"{v:g}" for v in row) for row in WEEK_TABLE)
    assert table_of(text, "mean") == WEEK_TABLE


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the mean has 0 lines, not 7"),
        ("1 2 3\n" * 7, "line 1 of the mean has 3 numbers, not 24"),
        (("1 " * 24 + "\n") * 6 + "1 " * 23 + "x", "line 7 of the mean holds 'x', which is no"),
    ],
)
def test_what_is_no_table_says_where(text: str, message: str) -> None:
    with pytest.raises(EddylineError, match=message) as caught:
        table_of(text, "mean")
    assert caught.value.hint is not None


def test_a_spec_has_one_shape() -> None:
    def spec(**more: object) -> GeneratorSpec:
        return GeneratorSpec("x", "stream:s", **more)  # type: ignore[arg-type]

    assert shape_of(spec()) == STEADY
    assert shape_of(spec(ramp=Ramp(5, 5))) == RAMP
    assert shape_of(spec(sine=Sine(0.5, 5))) == WAVE
    assert shape_of(spec(periodic=Periodic(WEEK_TABLE))) == WEEK
