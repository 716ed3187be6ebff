"""Columns: how one tag of a template becomes ``n`` texts at once.

A template renders by column, never by record: each tag owns a :class:`Column`, and the columns
are joined at the end. A column takes its randomness as a matrix of uniform numbers, one row a
record, so a run with a seed gives the same records however they fall into batches.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Uniforms: TypeAlias = npt.NDArray[np.float64]
Integers: TypeAlias = npt.NDArray[np.int64]
# A pyarrow StringArray of n rows, or one text for all of them.
Texts: TypeAlias = Any


@dataclass(frozen=True, slots=True)
class At:
    """When and where in the run the rows of a batch are.

    ``now_ms`` and ``sim_ms`` are the epoch milliseconds of each row, shape (n,), not decreasing;
    ``first`` is the number of turns rendered before this batch; ``values`` holds what the
    template named, for this batch; ``origin_ms`` is when the run began, on the clock of ``sim_ms``.
    """

    now_ms: Integers
    sim_ms: Integers
    first: int = 0
    values: dict[str, Any] = field(default_factory=dict)
    origin_ms: int = 0

    @property
    def n(self) -> int:
        """Rows of the batch."""
        return len(self.now_ms)


class GeneratedColumn(Protocol):
    """A tag's values: ``slots`` uniform numbers a row in, one text per row out."""

    @property
    def slots(self) -> int:
        """Uniform numbers it needs a row."""

    @property
    def width(self) -> int:
        """Most bytes one of its texts may have: what bounds a batch."""

    def build(self, u: Uniforms, at: At) -> Texts:
        """The texts of ``at.n`` rows; ``u`` has shape (n, slots) and lies in [0, 1)."""


def bytes_of(text: str) -> int:
    """Length in UTF-8."""
    return len(text.encode("utf-8", "replace"))


def index(u: Uniforms, size: int) -> Integers:
    """Uniform numbers as positions 0 … size - 1."""
    return (u * size).astype(np.int64)


@dataclass(frozen=True, slots=True)
class SameText:
    """The same text in every row."""

    text: str
    slots: int = 0

    @property
    def width(self) -> int:
        return bytes_of(self.text)

    def build(self, u: Uniforms, at: At) -> Texts:
        return self.text


class Pick:
    """One of a table's texts, all equally likely or by weight."""

    slots = 1

    def __init__(self, table: Sequence[str], weights: Sequence[float] | None = None) -> None:
        self._table = pa.array(list(table), pa.string())
        self._size = len(table)
        self._edges = None if weights is None else np.cumsum(weights) / np.sum(weights)
        self.width = max(bytes_of(t) for t in table)

    def build(self, u: Uniforms, at: At) -> Texts:
        if self._edges is None:
            rows = index(u[:, 0], self._size)
        else:
            rows = np.searchsorted(self._edges, u[:, 0], side="right")
            # A last edge that rounds to less than 1 must not lead past the table.
            rows = np.minimum(rows, self._size - 1)
        return self._table.take(pa.array(rows))


@dataclass(frozen=True, slots=True)
class NumberRange:
    """Whole numbers ``low`` … ``low + count - 1``, each times ``step``."""

    low: int
    count: int
    step: float = 1
    slots: int = 1

    @property
    def width(self) -> int:
        return 26

    def build(self, u: Uniforms, at: At) -> Texts:
        values = index(u[:, 0], self.count) + self.low
        if self.step == 1:
            return pa.array(values).cast(pa.string())
        places = decimals(self.step)
        return pa.array(np.round(values * self.step, places)).cast(pa.string())


@dataclass(frozen=True, slots=True)
class Fixed:
    """Decimal numbers low … high with always ``places`` digits after the point."""

    low: float
    high: float
    places: int
    slots: int = 1

    @property
    def width(self) -> int:
        return 24 + self.places

    def build(self, u: Uniforms, at: At) -> Texts:
        unit = 10**self.places
        low = round(self.low * unit)
        scaled = low + index(u[:, 0], round(self.high * unit) - low + 1)
        whole, part = np.divmod(np.abs(scaled), unit)
        sign = pa.array(np.where(scaled < 0, "-", ""))
        if not self.places:
            return join(at.n, [sign, pa.array(whole).cast(pa.string())])
        point = [pa.array(whole).cast(pa.string()), ".", padded(part, self.places)]
        return join(at.n, [sign, *point])


@dataclass(frozen=True, slots=True)
class Chars:
    """``count`` characters, each from an alphabet of single-byte characters."""

    alphabet: str
    count: int

    @property
    def slots(self) -> int:
        return self.count

    @property
    def width(self) -> int:
        return self.count

    def build(self, u: Uniforms, at: At) -> Texts:
        table = np.frombuffer(self.alphabet.encode("ascii"), np.uint8)
        return from_matrix(table[index(u, len(table))])


class Joined:
    """Columns and constant texts one after the other."""

    def __init__(self, *parts: GeneratedColumn | str | Sequence[str]) -> None:
        self._parts = tuple(as_column(p) for p in parts)
        self.slots = sum(p.slots for p in self._parts)
        self.width = sum(p.width for p in self._parts)

    def build(self, u: Uniforms, at: At) -> Texts:
        return join(at.n, list(each(self._parts, u, at)))


class Either:
    """One of several columns, by row."""

    def __init__(self, *options: GeneratedColumn | str | Sequence[str]) -> None:
        self._options = tuple(as_column(o) for o in options)
        self.slots = 1 + sum(o.slots for o in self._options)
        self.width = max(o.width for o in self._options)

    def build(self, u: Uniforms, at: At) -> Texts:
        texts = [spread(t, at.n) for t in each(self._options, u[:, 1:], at)]
        return pc.choose(pa.array(index(u[:, 0], len(texts))), *texts)


class Mapped:
    """A column whose texts pass through an Arrow function; ``width`` if that lengthens them."""

    def __init__(
        self, inner: GeneratedColumn, change: Callable[[Any], Any], width: int | None = None
    ) -> None:
        self._inner = inner
        self._change = change
        self.slots = inner.slots
        self.width = inner.width if width is None else width

    def build(self, u: Uniforms, at: At) -> Texts:
        return self._change(spread(self._inner.build(u, at), at.n))


def as_column(part: GeneratedColumn | str | Sequence[str]) -> GeneratedColumn:
    """A constant, a table to pick from, or a column as it is."""
    if isinstance(part, str):
        return SameText(part)
    if isinstance(part, (list, tuple)):
        return Pick(part)
    return part  # type: ignore[return-value]


def each(columns: Sequence[GeneratedColumn], u: Uniforms, at: At) -> Any:
    """Build each column from its own share of the uniform numbers."""
    start = 0
    for column in columns:
        yield column.build(u[:, start : start + column.slots], at)
        start += column.slots


def spread(texts: Texts, n: int) -> Any:
    """One text for all as an array of ``n``."""
    return pa.repeat(texts, n) if isinstance(texts, str) else texts


def join(n: int, parts: list[Texts]) -> Any:
    """Texts side by side, as one StringArray of ``n`` rows."""
    merged: list[Texts] = []
    for part in parts:
        if isinstance(part, str) and merged and isinstance(merged[-1], str):
            merged[-1] += part
        else:
            merged.append(part)
    if all(isinstance(p, str) for p in merged):
        return pa.repeat("".join(merged), n)
    return pc.binary_join_element_wise(*merged, "")


def padded(values: Integers, width: int) -> Any:
    """Whole numbers as texts with leading zeros."""
    return pc.utf8_lpad(pa.array(values).cast(pa.string()), width, "0")


def from_matrix(matrix: npt.NDArray[np.uint8]) -> Any:
    """An ASCII byte matrix of shape (n, width) as a StringArray, without a loop."""
    n, width = matrix.shape
    offsets = np.arange(0, (n + 1) * width, width, dtype=np.int32) if width else np.zeros(n + 1)
    data = pa.py_buffer(np.ascontiguousarray(matrix))
    return pa.StringArray.from_buffers(n, pa.py_buffer(offsets.astype(np.int32)), data)


def decimals(step: float) -> int:
    """Digits after the point that a step such as 0.01 needs."""
    text = f"{step:.12f}".rstrip("0")
    return len(text.partition(".")[2])
