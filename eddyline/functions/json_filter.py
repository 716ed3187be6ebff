"""Conditions in paths of JSON: ``[?(@.price < 10 && @.name == 'x')]``."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Protocol

from eddyline.functions.json_text import Number

Condition = Callable[[Any], bool]
Operand = Callable[[Any], Any]


class PathSyntaxError(Exception):
    """A text that is no path."""


class NoValueError(Exception):
    """A path that leads nowhere."""


class _PathQuery(Protocol):
    def value(self, document: Any) -> Any: ...


_MISSING = object()
_LITERAL = re.compile(
    r"""(?P<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|'(?P<single>[^']*)'|"(?P<double>[^"]*)\""""
    r"""|(?P<word>true|false|null)\b|/(?P<pattern>(?:[^/\\]|\\.)*)/(?P<flags>i?)"""
)
_PATH = re.compile(r"@(?:\.\.?[\w*]+(?:\(\))?|\['[^']*'\]|\[\"[^\"]*\"\]|\[-?\d+\]|\[\*\])*")
_OPERATOR = re.compile(r"==|!=|<=|>=|=~|<|>|\b(?:in|nin|contains|size|empty)\b", re.IGNORECASE)
_WORDS: dict[str, Any] = {"true": True, "false": False, "null": None}


def condition(text: str, at: int, read: Callable[[str], _PathQuery]) -> tuple[Condition, int]:
    """The condition behind ``[?(``, and where the path goes on behind its ``)]``.

    Raises:
        PathSyntaxError: if there is none.
    """
    reader = _ConditionReader(text, at, read)
    kept = reader.either()
    reader.expect(")")
    reader.expect("]")
    return kept, reader.at


class _ConditionReader:
    """Reads one condition, from left to right."""

    def __init__(self, text: str, at: int, read: Callable[[str], _PathQuery]) -> None:
        self._text = text
        self._read = read
        self.at = at

    def expect(self, sign: str) -> None:
        if not self._takes(sign):
            raise PathSyntaxError(self._text)

    def either(self) -> Condition:
        first = self._both()
        while self._takes("||"):
            first = _or(first, self._both())
        return first

    def _both(self) -> Condition:
        first = self._one()
        while self._takes("&&"):
            first = _and(first, self._one())
        return first

    def _one(self) -> Condition:
        if self._takes("!"):
            kept = self._one()
            return lambda value: not kept(value)
        if self._takes("("):
            kept = self.either()
            self.expect(")")
            return kept
        left = self._operand()
        match = self._match(_OPERATOR)
        if match is None:
            return lambda value: left(value) is not _MISSING
        compare, right = _COMPARED[match[0].lower()], self._operand()
        return lambda value: compare(left(value), right(value))

    def _operand(self) -> Operand:
        if self._takes("["):
            items = [self._operand()]
            while self._takes(","):
                items.append(self._operand())
            self.expect("]")
            return lambda value: [item(value) for item in items]
        match = self._match(_PATH)
        if match:
            return _at(self._read("$" + match[0][1:]))
        match = self._match(_LITERAL)
        if match is None:
            raise PathSyntaxError(self._text)
        constant = _constant(match)
        return lambda value: constant

    def _takes(self, sign: str) -> bool:
        self._skip()
        taken = self._text.startswith(sign, self.at)
        self.at += len(sign) if taken else 0
        return taken

    def _match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        self._skip()
        match = pattern.match(self._text, self.at)
        if match and match[0]:
            self.at = match.end()
            return match
        return None

    def _skip(self) -> None:
        while self._text[self.at : self.at + 1].isspace():
            self.at += 1


def _constant(match: re.Match[str]) -> Any:
    if match["number"]:
        return Number(match["number"])
    if match["pattern"] is not None:
        return re.compile(match["pattern"], re.IGNORECASE if match["flags"] else 0)
    if match["word"]:
        return _WORDS[match["word"]]
    return match["single"] if match["single"] is not None else match["double"]


def _at(path: _PathQuery) -> Operand:
    def value(held: Any) -> Any:
        try:
            return path.value(held)
        except NoValueError:
            return _MISSING

    return value


def _or(first: Condition, second: Condition) -> Condition:
    return lambda value: first(value) or second(value)


def _and(first: Condition, second: Condition) -> Condition:
    return lambda value: first(value) and second(value)


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, Number) and isinstance(b, Number):
        return Decimal(a) == Decimal(b)
    if isinstance(a, Number) or isinstance(b, Number) or type(a) is not type(b):
        return False
    return bool(a == b)


def _ordered(holds: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    """A comparison of two numbers or two texts; of anything else it is false."""

    def compare(a: Any, b: Any) -> bool:
        if isinstance(a, Number) and isinstance(b, Number):
            return holds(Decimal(a), Decimal(b))
        texts = type(a) is str and type(b) is str
        return texts and holds(a, b)

    return compare


def _matches(a: Any, b: Any) -> bool:
    if isinstance(a, re.Pattern):
        a, b = b, a
    return isinstance(b, re.Pattern) and isinstance(a, str) and b.fullmatch(a) is not None


def _within(a: Any, b: Any) -> bool:
    return isinstance(b, list) and any(_same(a, item) for item in b)


def _contains(a: Any, b: Any) -> bool:
    if type(a) is str and type(b) is str:
        return b in a
    return _within(b, a)


def _sized(a: Any, b: Any) -> bool:
    known = isinstance(a, str | list) and not isinstance(a, Number)
    return known and isinstance(b, Number) and len(a) == Decimal(b)


def _empty(a: Any, b: Any) -> bool:
    known = isinstance(a, str | list) and not isinstance(a, Number)
    return known and (not a) == (b is True)


_COMPARED: dict[str, Callable[[Any, Any], bool]] = {
    "==": _same,
    "!=": lambda a, b: not _same(a, b),
    "<": _ordered(lambda a, b: a < b),
    "<=": _ordered(lambda a, b: a <= b),
    ">": _ordered(lambda a, b: a > b),
    ">=": _ordered(lambda a, b: a >= b),
    "=~": _matches,
    "in": _within,
    "nin": lambda a, b: not _within(a, b),
    "contains": _contains,
    "size": _sized,
    "empty": _empty,
}
