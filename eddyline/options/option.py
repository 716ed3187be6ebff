"""One option of a WITH clause as a typed row: readers get its value, never its text.

The rows drive the check of a table, its error messages, the reference page and the readers. A
value that passes the check is therefore understood by the reader.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

from eddyline.errors import EddylineError
from eddyline.options.duration import milliseconds

T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)

SESSION_MAX = 2**63 - 1


@dataclass(frozen=True, slots=True)
class OptionKind(Generic[T]):
    """How a text becomes a value. parse: raises ValueError. expected: for the error's hint."""

    name: str
    parse: Callable[[str], T]
    expected: str


# Python's own conversions would also take 1_000, digits of other scripts, nan and infinity.
_INTEGER = re.compile(r"\s*([+-]?[0-9]+)\s*")
_NUMBER = re.compile(r"\s*([+-]?[0-9]*\.?[0-9]+(?:[eE][+-]?[0-9]+)?)\s*")


def _matched(pattern: re.Pattern[str], text: str) -> str:
    match = pattern.fullmatch(text)
    if match is None:
        raise ValueError(text)
    return match[1]


def integer(low: int = -SESSION_MAX, high: int = SESSION_MAX) -> OptionKind[int]:
    """A whole number from ``low`` to ``high``."""

    def parse(text: str) -> int:
        value = int(_matched(_INTEGER, text))
        if not low <= value <= high:
            raise ValueError(text)
        return value

    bounds = "" if low == -SESSION_MAX else f" of at least {low}"
    bounds = bounds if high == SESSION_MAX else f" from {low} to {high}"
    return OptionKind("integer", parse, f"an integer{bounds}")


def number(low: float, high: float) -> OptionKind[float]:
    """A number from ``low`` to ``high``."""

    def parse(text: str) -> float:
        value = float(_matched(_NUMBER, text))
        if not low <= value <= high:
            raise ValueError(text)
        return value

    return OptionKind("number", parse, f"a number from {low:g} to {high:g}")


def choice(values: type[E]) -> OptionKind[E]:
    """One of an enumeration's values, in upper or lower case."""
    by_name = {v.value.upper(): v for v in values}

    def parse(text: str) -> E:
        value = by_name.get(text.strip().upper())
        if value is None:
            raise ValueError(text)
        return value

    names = [v.value for v in values]
    return OptionKind("|".join(names), parse, ", ".join(names))


def _boolean(text: str) -> bool:
    word = text.strip().lower()
    if word not in ("true", "false"):
        raise ValueError(text)
    return word == "true"


def _character(text: str) -> str:
    r"""One character, which may be written as ``\t`` or ``\u0001``."""
    plain = re.sub(r"\\u([0-9a-fA-F]{4})", lambda m: chr(int(m[1], 16)), text)
    plain = plain.replace("\\t", "\t").replace("\\\\", "\\")
    if len(plain) == 1 and ord(plain) < 128 and plain not in "\r\n":
        return plain
    raise ValueError(text)


_SIZES = {"": 1, "b": 1, "bytes": 1, "k": 10, "kb": 10, "kibibytes": 10, "m": 20, "mb": 20,
          "mebibytes": 20, "g": 30, "gb": 30, "gibibytes": 30, "t": 40, "tb": 40}  # fmt: skip


def _memory(text: str) -> int:
    match = re.fullmatch(r"\s*(\d+)\s*([A-Za-z]*)\s*", text)
    shift = _SIZES.get(match[2].lower()) if match else None
    if match is None or shift is None:
        raise ValueError(text)
    return int(match[1]) << (0 if shift == 1 else shift)


def _pattern(text: str) -> re.Pattern[str]:
    if not text.strip():
        raise ValueError(text)
    try:
        return re.compile(text)
    except re.error as error:
        raise ValueError(str(error)) from None


def _name(text: str) -> str:
    if not text.strip() or "\0" in text:
        raise ValueError(text)
    return text


def _file_name(text: str) -> str:
    if text.strip() in ("", ".", "..") or "/" in text or "\0" in text:
        raise ValueError(text)
    return text


def _names(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(";") if part.strip())


STRING: OptionKind[str] = OptionKind("string", str, "a text")
NAME: OptionKind[str] = OptionKind("string", _name, "a text that is not blank")
FILE_NAME: OptionKind[str] = OptionKind("string", _file_name, "a file's name, without a path")
BOOLEAN: OptionKind[bool] = OptionKind("boolean", _boolean, "true or false")
INTEGER = integer()
COUNT = integer(1)
DURATION: OptionKind[int] = OptionKind(
    "duration", milliseconds, "a duration, as in '10 s' or '5 min'"
)
MEMORY: OptionKind[int] = OptionKind("memory", _memory, "a size, as in '128 mb'")
CHARACTER: OptionKind[str] = OptionKind(
    "character", _character, r"one ASCII character, as in ';' or '\t'"
)
PATTERN: OptionKind[re.Pattern[str]] = OptionKind("pattern", _pattern, "a regular expression")
NAMES: OptionKind[tuple[str, ...]] = OptionKind("names", _names, "names, separated by ';'")


@dataclass(frozen=True, slots=True)
class Option(Generic[T]):
    """One option.

    name: a trailing ``*`` stands for any name with that prefix. aliases: other spellings. default:
    as text, None for none. extension: Flink has no such option. no_effect: why the option changes
    nothing here; a table that sets it gets a warning.
    """

    name: str
    kind: OptionKind[T]
    default: str | None
    meaning: str
    required: bool = False
    aliases: tuple[str, ...] = ()
    extension: bool = False
    no_effect: str | None = None

    @property
    def spellings(self) -> tuple[str, ...]:
        return (self.name, *self.aliases)

    def given(self, options: Mapping[str, str]) -> str | None:
        """The spelling that the options use, None if they do not have the option."""
        return next((n for n in self.spellings if n in options), None)

    def get(self, options: Mapping[str, str]) -> T | None:
        """The value or the default; None if there is neither.

        Raises:
            EddylineError: ``sql_semantic``, naming the option and what it may be.
        """
        key = self.given(options)
        text = self.default if key is None else options[key]
        return None if text is None else self.parse(key or self.name, text)

    def read(self, options: Mapping[str, str]) -> T:
        """The value of an option that is required or has a default; errors as ``get``."""
        value = self.get(options)
        if value is None:
            hint = f"add '{self.name}' = '…' to WITH (…). {self.meaning}"
            raise EddylineError("sql_semantic", f"the option '{self.name}' is missing", hint=hint)
        return value

    def parse(self, key: str, text: str) -> T:
        """The value of ``text``, written under ``key``; errors as ``get``."""
        try:
            return self.kind.parse(text)
        except (ValueError, OverflowError):
            hint = f"it must be {self.kind.expected}. {self.meaning}"
            raise EddylineError("sql_semantic", f"option '{key}' is '{text}'", hint=hint) from None


def without_effect(reason: str, *names: str) -> tuple[Option[str], ...]:
    """Options that are accepted with a warning: they change nothing here, for one reason."""
    return tuple(Option(name, STRING, None, reason, no_effect=reason) for name in names)
