"""Walks over expressions as they were written; queries inside them are left alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass, replace
from typing import Any, cast

from eddyline.sql import syntax as s

_QUERIES = (s.InQuery, s.Exists, s.ScalarQuery)


def mapped(e: s.Expression, change: Callable[[s.Expression], s.Expression | None]) -> s.Expression:
    """The expression with each part for which ``change`` gives another one replaced by that."""
    return cast(s.Expression, _mapped(e, change))


def parts(e: s.Expression) -> Iterator[s.Expression]:
    """The expression and all expressions in it, outer ones first."""
    children: list[s.Expression] = []

    def seen(part: s.Expression) -> None:
        children.append(part)

    mapped(e, seen)
    yield from children


def holds_query(e: s.Expression) -> bool:
    """Whether a subquery stands in the expression."""
    return any(isinstance(part, _QUERIES) for part in parts(e))


def conjuncts(e: s.Expression | None) -> list[s.Expression]:
    """What AND joins at the top."""
    if e is None:
        return []
    if isinstance(e, s.Binary) and e.op == "AND":
        return [*conjuncts(e.left), *conjuncts(e.right)]
    return [e]


def conjunction(conditions: list[s.Expression]) -> s.Expression | None:
    """The conditions joined by AND; None of none."""
    joined: s.Expression | None = None
    for c in conditions:
        joined = c if joined is None else s.Binary("AND", joined, c, c.span)
    return joined


def _mapped(value: Any, change: Callable[[s.Expression], s.Expression | None]) -> Any:
    if isinstance(value, tuple):
        return tuple(_mapped(v, change) for v in value)
    if not is_dataclass(value) or isinstance(value, type | s.Query | s.TableArgument):
        return value
    if isinstance(value, s.Expression):
        changed = change(value)
        if changed is not None:
            return changed
    below = {f.name: getattr(value, f.name) for f in fields(value)}
    made = {
        n: _mapped(v, change) for n, v in below.items() if isinstance(v, tuple) or is_dataclass(v)
    }
    differing = {n: v for n, v in made.items() if v is not below[n]}
    return replace(value, **differing) if differing else value
