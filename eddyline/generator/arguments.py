"""A tag's arguments: JSON where they parse as JSON, else the raw text.

One argument is what public templates pass; several, parted by commas, are taken as well. A
method reads them by position or, when one object is passed, by name.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn, Protocol

from eddyline.errors import EddylineError, Span, nearest
from eddyline.generator.folder import Folder

NUMBER_MAX = 2**53
LENGTH_MAX = 100_000
DEPTH_MAX = 100


class TemplateScope(Protocol):
    """What the tags of one template share."""

    def shared(self, name: str, make: Callable[[], Any]) -> Any:
        """The thing of that name, made by whoever asks first, built before any other column."""

    @property
    def files(self) -> Folder:
        """The files that lists are read from."""

    def tag(self, text: str, caller: Arguments) -> Any:
        """The column of a tag's text, without braces. Raises ``template_error``."""

    def value(self, name: str, caller: Arguments) -> Any:
        """The column of a value that was named before. Raises ``template_error``."""


@dataclass(frozen=True, slots=True)
class Arguments:
    """The values passed to one tag, and where the tag stands, for errors."""

    tag: str
    values: tuple[Any, ...]
    span: Span | None = None
    source: str | None = None
    scope: TemplateScope | None = None

    def fail(self, message: str, hint: str | None = None) -> NoReturn:
        """Raise ``template_error`` that points at this tag."""
        where = {"span": self.span, "source": self.source}
        raise EddylineError("template_error", f"{self.tag}: {message}", hint=hint, **where)  # type: ignore[arg-type]

    def first(self, default: Any = None) -> Any:
        """The first argument as it is."""
        return self.values[0] if self.values else default

    def named(self, *names: str) -> dict[str, Any]:
        """Arguments by name: from one object, by position, or by position with an object of options
        behind them. Null counts as absent.

        An unknown name is passed over, as in the public generator, unless it is close to one.
        """
        if len(self.values) == 1 and isinstance(self.values[0], dict):
            given = self.values[0]
            for name in given:
                if name not in names and (near := nearest(name, list(names))):
                    self.fail(f"unknown argument {name}", f"did you mean {' or '.join(near)}?")
        else:
            options = self.options(names)
            values = self.values[:-1] if options else self.values
            given = dict(zip(names, values, strict=False)) | options
        return {k: v for k, v in given.items() if k in names and v is not None}

    def options(self, names: Iterable[str]) -> dict[str, Any]:
        """The last argument if it is an object with one of these names in it; else an empty one."""
        last = self.values[-1] if self.values else None
        return last if isinstance(last, dict) and any(n in last for n in names) else {}

    def number(
        self,
        given: dict[str, Any],
        name: str,
        default: float,
        low: float = -NUMBER_MAX,
        high: float = NUMBER_MAX,
    ) -> float:
        """A number within its range; a number written as a text is taken too."""
        value = given.get(name, default)
        if isinstance(value, str):
            value = _read_number(value, value)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            self.fail(f"{name} must be a number, not {shown(value)}")
        if not low <= value <= high:
            self.fail(f"{name} is {shown(value)}; it must be between {low:g} and {high:g}")
        return value

    def whole(
        self, given: dict[str, Any], name: str, default: int, low: int, high: int = LENGTH_MAX
    ) -> int:
        """A whole number within its range."""
        value = self.number(given, name, default, low, high)
        if value != int(value):
            self.fail(f"{name} must be a whole number, not {shown(value)}")
        return int(value)

    def size(self, value: Any, name: str, default: int, low: int = 0) -> tuple[int, int]:
        """A count, or the two ends of ``{"min":…,"max":…}``: the least and the most."""
        if not isinstance(value, dict):
            count = self.whole({} if value is None else {name: value}, name, default, low)
            return count, count
        least = self.whole(value, "min", low, low)
        most = self.whole(value, "max", max(least, default), low)
        if most < least:
            self.fail(f"{name}: max {most} is below min {least}")
        return least, most

    def flag(self, *names: str) -> bool:
        """Whether one of these names is true, or the first argument by position."""
        first = self.first()
        given = [first.get(n) for n in names] if isinstance(first, dict) else [first]
        return True in given

    def text(self, default: str) -> str:
        """The first argument as a text."""
        return default if self.first() is None else text_of(self.first())

    def items(self, value: Any, name: str, default: Sequence[Any]) -> list[Any]:
        """A list that is not empty."""
        if value is None:
            return list(default)
        if not isinstance(value, list):
            hint = 'write a JSON list with double quotes, as in ["a","b"]'
            self.fail(f"{name} must be a list, not {shown(value)}", hint)
        if not value:
            self.fail(f"{name} is an empty list", "give at least one element")
        return value


def parse_values(text: str) -> tuple[Any, ...]:
    """The text between a tag's parentheses as values."""
    flat = _clean(text.replace("\r", "").replace("\n", "").strip())
    if not flat:
        return ()
    whole = _json(flat)
    if whole is not _FAILED:
        return (whole,)
    several = _json(f"[{flat}]")
    if several is not _FAILED:
        return tuple(several)
    return (flat,)


def _clean(value: Any, depth: int = 0) -> Any:
    """A value whose texts can all be written as UTF-8: a half of a surrogate pair becomes ``?``.

    Raises RecursionError for one that is nested too deeply to be meant.
    """
    if depth > DEPTH_MAX:
        raise RecursionError
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, list):
        return [_clean(v, depth + 1) for v in value]
    if isinstance(value, dict):
        return {_clean(k): _clean(v, depth + 1) for k, v in value.items()}
    return value


def is_json(text: str) -> bool:
    """Whether ``text`` parses as one or several JSON values."""
    flat = text.replace("\r", "").replace("\n", "")
    return _json(flat) is not _FAILED or _json(f"[{flat}]") is not _FAILED


def text_of(value: Any) -> str:
    """A value as JavaScript would put it into a text; objects and arrays as JSON."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e21:
        return str(int(value))
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def shown(value: Any) -> str:
    """A value as an error message quotes it: JSON, cut when long."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 40 else text[:37] + "..."


_FAILED = object()


def _json(text: str) -> Any:
    try:
        return _clean(json.loads(text, parse_constant=_no_constant))
    except (ValueError, RecursionError):
        return _FAILED


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _read_number(text: str, default: Any) -> Any:
    value = _json(text)
    return value if isinstance(value, (int, float)) else default
