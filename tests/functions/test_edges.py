"""Unusual calls of every function give what a real Flink gave."""

from __future__ import annotations

import math

import pytest

from eddyline.functions.edges import EDGES, Edge
from tests.functions.functions_kit import answer, bound, calculator, printed

NAMES = sorted(EDGES)


@pytest.mark.parametrize("name", NAMES)
def test_unusual_calls_give_what_flink_gave(name: str) -> None:
    plain = [e for e in EDGES[name] if not e.fails]
    expressions = [bound(e.call, zone=e.zone) for e in plain]
    for edge, expression in zip(plain, expressions, strict=True):
        assert str(expression.type) == edge.type, edge.call
    texts = [printed(x, e.zone) for e, x in zip(plain, expressions, strict=True)]
    values = calculator().row(texts) if texts else ()
    wrong = [(e.call, e.value, v) for e, v in zip(plain, values, strict=True) if not same(e, v)]
    assert not wrong


@pytest.mark.parametrize("name", [n for n in NAMES if any(e.fails for e in EDGES[n])])
def test_calls_that_fail_in_flink_fail_with_a_sentence(name: str) -> None:
    for edge in EDGES[name]:
        if edge.fails:
            result = answer(edge.call, edge.zone)
            assert result.error is not None, edge.call
            assert "Error:" not in result.error, edge.call


def same(edge: Edge, value: str | None) -> bool:
    """Equal; floating-point numbers to twelve digits."""
    if value == edge.value or value is None or edge.value is None:
        return value == edge.value
    if edge.type.split(" ")[0] not in ("DOUBLE", "FLOAT"):
        return False
    return math.isclose(float(value), float(edge.value), rel_tol=1e-12)
