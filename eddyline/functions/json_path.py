"""Paths of JSON that lead to several values: ``[*]``, ``..``, slices, filters and functions.

DuckDB reads a path to one value (keys and places). Every other path is read here and means what it
means in Flink: it gives an array of all that it leads to, which may be empty, and what is missing
before its first indefinite step is an error.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any

from eddyline.functions.json_filter import Condition, NoValueError, PathSyntaxError, condition
from eddyline.functions.json_text import Number, number, written


@dataclass(frozen=True, slots=True)
class PathStep:
    """One step of a path.

    definite: it leads to one value at most. values: those it leads to from a value; ``required``
    says that a missing one is an error.
    """

    definite: bool
    values: Callable[[Any, bool], Iterator[Any]]


@dataclass(frozen=True, slots=True)
class Path:
    """A path that was read. function: what ``.length()`` and its like make of the values."""

    steps: tuple[PathStep, ...]
    function: Callable[[Any], Any] | None = None

    @property
    def definite(self) -> bool:
        return all(step.definite for step in self.steps)

    def value(self, document: Any) -> Any:
        """What the path leads to; of an indefinite path the list of all values.

        Raises:
            NoValueError: when it leads nowhere.
        """
        values, definite = [document], True
        for step in self.steps:
            values = [v for held in values for v in step.values(held, definite)]
            definite = definite and step.definite
        if definite and not values:
            raise NoValueError
        value = values[0] if definite else values
        return value if self.function is None else self.function(value)


def _key(name: str) -> PathStep:
    def values(held: Any, required: bool) -> Iterator[Any]:
        if isinstance(held, dict) and name in held:
            yield held[name]
        elif required:
            raise NoValueError

    return PathStep(True, values)


def _keys(names: tuple[str, ...], last: bool) -> PathStep:
    """Several keys: at the end of a path an object of those that are there."""

    def values(held: Any, required: bool) -> Iterator[Any]:
        if not isinstance(held, dict):
            if required:
                raise NoValueError
            return
        known = [name for name in names if name in held]
        if last:
            yield {name: held[name] for name in known}
        else:
            yield from (held[name] for name in known)

    return PathStep(last, values)


def _items(held: Any, required: bool) -> list[Any]:
    if isinstance(held, list):
        return held
    if required:
        raise NoValueError
    return []


def _places(places: tuple[int, ...]) -> PathStep:
    def values(held: Any, required: bool) -> Iterator[Any]:
        items = _items(held, required)
        for place in places:
            if -len(items) <= place < len(items):
                yield items[place]

    return PathStep(len(places) == 1, values)


def _slice(first: int | None, after: int | None) -> PathStep:
    return PathStep(False, lambda held, required: iter(_items(held, required)[first:after]))


def _every(held: Any, required: bool) -> Iterator[Any]:
    yield from held.values() if isinstance(held, dict) else held if isinstance(held, list) else ()


def _below(held: Any, required: bool) -> Iterator[Any]:
    """The value and all within it, outer ones first."""
    yield held
    for value in _every(held, False):
        if isinstance(value, dict | list):
            yield from _below(value, False)


def _filter(kept: Condition) -> PathStep:
    def values(held: Any, required: bool) -> Iterator[Any]:
        if isinstance(held, dict):
            if kept(held):
                yield held
        else:
            yield from (v for v in _items(held, required) if kept(v))

    return PathStep(False, values)


def _length(value: Any) -> Any:
    if not isinstance(value, list | dict):
        raise NoValueError
    return Number(str(len(value)))


def _folded(fold: Callable[[list[Decimal]], Decimal]) -> Callable[[Any], Any]:
    def folded(value: Any) -> Any:
        numbers = [Decimal(v) for v in _items(value, True) if isinstance(v, Number)]
        if not numbers:
            raise NoValueError
        return Number(str(float(fold(numbers))))

    return folded


def _names(value: Any) -> Any:
    if not isinstance(value, dict):
        raise NoValueError
    return list(value)


_FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "length": _length,
    "size": _length,
    "keys": _names,
    "sum": _folded(lambda numbers: sum(numbers, Decimal(0))),
    "min": _folded(min),
    "max": _folded(max),
    "avg": _folded(lambda numbers: sum(numbers, Decimal(0)) / len(numbers)),
}
_QUOTED = r"'[^']*'|\"[^\"]*\""
_SPELLINGS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("function", re.compile(r"\.(\w+)\(\)$")),
    ("scan", re.compile(r"\.\.(?=[\[*\w\"'])")),
    ("every", re.compile(r"\.?\[\s*\*\s*\]|\.\*|\*")),
    ("keys", re.compile(rf"\.?\[\s*((?:{_QUOTED})(?:\s*,\s*(?:{_QUOTED}))*)\s*\]|\.(\"[^\"]*\")")),
    ("slice", re.compile(r"\.?\[\s*(-?\d*)\s*:\s*(-?\d*)\s*\]")),
    ("places", re.compile(r"\.?\[\s*(-?\d+(?:\s*,\s*-?\d+)*)\s*\]")),
    ("key", re.compile(r"\.?([^.\[\]\s\"'*?@()]+)")),
)
_FILTER = re.compile(r"\.?\[\?\(")
_IN_QUOTES = re.compile(_QUOTED)


@lru_cache(maxsize=256)
def read(text: str) -> Path:
    """The path that ``text`` spells.

    Raises:
        PathSyntaxError: if it spells none.
    """
    steps: list[PathStep] = []
    if not text.startswith("$"):
        raise PathSyntaxError(text)
    at = 1
    while at < len(text):
        opening = _FILTER.match(text, at)
        if opening:
            kept, at = condition(text, opening.end(), read)
            steps.append(_filter(kept))
            continue
        kind, match = _spelling(text, at)
        at = match.end()
        if kind == "function":
            if match[1] not in _FUNCTIONS:
                raise PathSyntaxError(text)
            return Path(tuple(steps), _FUNCTIONS[match[1]])
        steps.append(_step(kind, match, at == len(text)))
    return Path(tuple(steps))


def _spelling(text: str, at: int) -> tuple[str, re.Match[str]]:
    """What kind of step begins at a place, and its parts."""
    for kind, pattern in _SPELLINGS:
        match = pattern.match(text, at)
        if match:
            return kind, match
    raise PathSyntaxError(text)


def _step(kind: str, match: re.Match[str], last: bool) -> PathStep:
    if kind == "scan":
        return PathStep(False, _below)
    if kind == "every":
        return PathStep(False, _every)
    if kind == "key":
        return _key(match[1])
    if kind == "slice":
        return _slice(*(int(bound) if bound else None for bound in (match[1], match[2])))
    if kind == "places":
        return _places(tuple(int(place) for place in match[1].split(",")))
    names = tuple(name[1:-1] for name in _IN_QUOTES.findall(match[1] or match[2]))
    return _key(names[0]) if len(names) == 1 else _keys(names, last)


def _value_at(document: str, path: str, lax: bool) -> Any:
    """What a path leads to in a text; None if nowhere, or if the text is no JSON."""
    steps = read(path)
    try:
        return steps.value(json.loads(document, parse_float=_number, parse_int=_number))
    except NoValueError:
        return [] if lax and not steps.definite else None
    except (ValueError, RecursionError):
        return None


def _number(text: str) -> Number:
    return Number(number(text))


def scalar(document: str, path: str, lax: bool) -> str | None:
    """The one value at a path, as JSON_VALUE gives it."""
    value = _value_at(document, path, lax)
    if value is None or isinstance(value, list | dict):
        return None
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def nested(document: str, path: str, lax: bool) -> str | None:
    """The object or array at a path, as JSON_QUERY gives it."""
    value = _value_at(document, path, lax)
    return written(value) if isinstance(value, list | dict) else None


def whole(document: str, path: str, lax: bool) -> str | None:
    """Any value at a path, as JSON."""
    value = _value_at(document, path, lax)
    return None if value is None else written(value)
