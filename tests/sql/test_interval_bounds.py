"""The bounds of interval joins, to the millisecond, for every way to write them."""

from __future__ import annotations

import pytest
from sql_kit import plan

from eddyline.sql import physical as p

S = "INTERVAL '1' SECOND"


def interval(on: str) -> p.IntervalJoin | None:
    """The interval join of a condition; None if it is another join."""
    node: p.Node | None = plan(f"SELECT l.site FROM clicks AS l JOIN clicks AS r ON {on}").root
    while node is not None and not isinstance(node, p.IntervalJoin):
        node = getattr(node, "input", None)
    return node


@pytest.mark.parametrize(
    ("on", "bounds"),
    [
        (f"r.arrival >= l.arrival AND r.arrival <= l.arrival + {S}", (0, 1000)),
        (f"r.arrival > l.arrival AND r.arrival < l.arrival + {S}", (1, 999)),
        (f"l.arrival <= r.arrival AND l.arrival + {S} >= r.arrival", (0, 1000)),
        (f"l.arrival < r.arrival AND l.arrival + {S} > r.arrival", (1, 999)),
        (f"r.arrival BETWEEN l.arrival - {S} AND l.arrival + {S}", (-1000, 1000)),
        (f"r.arrival - {S} BETWEEN l.arrival - {S} AND l.arrival + {S}", (0, 2000)),
        (f"r.arrival + {S} >= l.arrival AND r.arrival <= l.arrival", (-1000, 0)),
        ("r.arrival = l.arrival", (0, 0)),
        (f"r.arrival = l.arrival + {S}", (1000, 1000)),
        # The narrowest of several bounds holds.
        (f"r.arrival >= l.arrival AND r.arrival > l.arrival AND r.arrival <= l.arrival + {S} "
         f"AND r.arrival < l.arrival + {S} AND r.arrival >= l.arrival - {S}", (1, 999)),
    ],
)  # fmt: skip
def test_bounds(on: str, bounds: tuple[int, int]) -> None:
    node = interval(on)
    assert node is not None
    assert (node.lower_ms, node.upper_ms) == bounds
    assert node.condition is None


@pytest.mark.parametrize(
    "on",
    [
        "r.arrival >= l.arrival",
        f"r.arrival <= l.arrival + {S}",
        f"l.arrival >= l.arrival AND l.arrival <= l.arrival + {S} AND l.site = r.site",
        f"r.arrival <> l.arrival AND r.arrival <= l.arrival + {S}",
        f"NOT (r.arrival BETWEEN l.arrival AND l.arrival + {S})",
        f"r.arrival >= l.arrival OR r.arrival <= l.arrival + {S}",
        f"r.arrival >= l.arrival + {S} AND r.arrival < l.arrival + {S}",
    ],
)
def test_other_conditions_make_no_interval(on: str) -> None:
    assert interval(on) is None


def test_what_is_no_bound_stays_a_condition() -> None:
    node = interval(
        f"r.arrival BETWEEN l.arrival AND l.arrival + {S} AND CHAR_LENGTH(l.site) < "
        "CHAR_LENGTH(r.site)"
    )
    assert node is not None
    assert (node.lower_ms, node.upper_ms) == (0, 1000)
    assert node.condition is not None
    assert "<" in node.condition
