"""The column names that are written in an expression."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import fields, is_dataclass, replace
from typing import Any

from eddyline.sql import syntax as s


def names_of(part: object) -> Iterator[s.Name]:
    """All names in an expression, from left to right."""
    if isinstance(part, s.Name):
        yield part
    elif isinstance(part, tuple):
        for item in part:
            yield from names_of(item)
    elif is_dataclass(part):
        for f in fields(part):
            yield from names_of(getattr(part, f.name))


def names_in(part: object) -> set[str]:
    """The first parts of all names in an expression."""
    return {name.parts[0] for name in names_of(part)}


def without_qualifier(part: Any, qualifiers: Collection[str]) -> Any:
    """The expression with ``a.x`` as ``x`` for each qualifier ``a``."""
    if isinstance(part, s.Name):
        if len(part.parts) > 1 and part.parts[0] in qualifiers:
            return replace(part, parts=part.parts[1:], spans=part.spans[1:])
        return part
    if isinstance(part, tuple):
        return tuple(without_qualifier(item, qualifiers) for item in part)
    if is_dataclass(part) and not isinstance(part, type):
        changed = {
            f.name: without_qualifier(getattr(part, f.name), qualifiers) for f in fields(part)
        }
        return replace(part, **changed)
    return part
