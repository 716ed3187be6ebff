"""What a rule of casting sees: the value's text, both types, and how to cast what is inside."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from eddyline.functions.registry import CallContext
from eddyline.record.types import DataType, Root, duckdb_type


@dataclass(frozen=True, slots=True)
class Cast:
    """One cast: ``text`` of type ``source`` becomes ``target``; ``attempt`` is TRY_CAST."""

    text: str
    source: DataType
    target: DataType
    context: CallContext
    attempt: bool
    any: Callable[[str, DataType, DataType, CallContext, bool], str]

    @property
    def to(self) -> str:
        """The target as DuckDB calls it."""
        return duckdb_type(self.target)

    def inner(self, text: str, source: DataType, target: DataType) -> str:
        """A value inside this one."""
        return self.any(text, source, target, self.context, self.attempt)

    def with_text(self, text: str) -> Cast:
        """The same cast of another text."""
        return replace(self, text=text)


Convert = Callable[[Cast], str]


def same(c: Cast) -> str:
    """DuckDB's own cast, if one is needed at all."""
    return c.text if duckdb_type(c.source) == c.to else f"CAST({c.text} AS {c.to})"


def clipped(text: str, target: DataType) -> str:
    """Text cut to the length of CHAR(n) or VARCHAR(n); CHAR(n) is padded with blanks."""
    if target.precision >= 2**31 - 1:
        return text
    cut = f"left({text}, {target.precision})"
    return f"rpad({cut}, {target.precision}, ' ')" if target.root is Root.CHAR else cut
