"""A turn of a template: the values it names and the records it makes of them.

Most templates make one record a turn. ``{{record.next}}`` begins another, which may come only with
a chance; all records of a turn share its named values, its sequence numbers and its instant.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from eddyline.generator.column import At, Column, Integers, Texts, Uniforms, spread


@dataclass(frozen=True, slots=True)
class Reference:
    """A named value, written once more."""

    name: str
    width: int
    slots: int = 0

    def build(self, u: Uniforms, at: At) -> Texts:
        return at.values[self.name]


@dataclass(frozen=True, slots=True)
class Part:
    """One record of a turn, made with a chance."""

    column: Column
    chance: float = 1.0


class Turn:
    """Values first, each under its name, then the parts; shares out the uniform numbers."""

    def __init__(self, values: Sequence[tuple[str, Column]], parts: Sequence[Part]) -> None:
        self._values = tuple(values)
        self._parts = tuple(parts)
        self._chances = np.array([p.chance for p in parts])
        self._drawn = int((self._chances < 1).sum())
        columns = [c for _, c in values] + [p.column for p in parts]
        self.slots = self._drawn + sum(c.slots for c in columns)
        self.width = max(p.column.width for p in parts)
        # What bounds a rendering step: everything that is built for a turn.
        self.turn_width = sum(c.width for c in columns)

    @property
    def single(self) -> bool:
        """Whether every turn makes exactly one record."""
        return len(self._parts) == 1

    @property
    def records(self) -> int:
        """Most records a turn makes."""
        return len(self._parts)

    def made(self, u: Uniforms) -> Any:
        """Which parts each turn makes, shape (n, parts)."""
        kept = np.ones((len(u), len(self._parts)), np.bool_)
        kept[:, self._chances < 1] = u[:, : self._drawn] < self._chances[self._chances < 1]
        return kept

    def build(self, u: Uniforms, at: At) -> Any:
        """The records of ``at.n`` turns in order, as a StringArray."""
        place = self._drawn
        for name, column in self._values:
            at.values[name] = column.build(u[:, place : place + column.slots], at)
            place += column.slots
        texts = []
        for part in self._parts:
            share = u[:, place : place + part.column.slots]
            texts.append(spread(part.column.build(share, at), at.n))
            place += part.column.slots
        if self.single:
            return texts[0]
        kept = self.made(u).ravel()
        order = np.arange(at.n * len(texts)).reshape(len(texts), at.n).T.ravel()
        return pa.concat_arrays(texts).take(pa.array(order[kept]))


class Rendering:
    """Records of one run, one after the other: keeps what a turn has made beyond what was asked.

    The same seed gives the same records however they are asked for. ``first`` turns were rendered
    by an earlier run, which this one takes up.
    """

    def __init__(self, turn: Turn, rng: np.random.Generator, step: int, first: int = 0) -> None:
        self._turn = turn
        self._rng = rng
        self._step = step
        self._first = first
        if first:  # one number of the generator for each uniform
            rng.bit_generator.advance(first * turn.slots)  # type: ignore[attr-defined]
        self._u = np.empty((0, turn.slots))
        self._made = pa.array([], pa.string())

    @property
    def turns(self) -> int:
        """Turns rendered so far, those of an earlier run included."""
        return self._first

    def begin(self, first: int) -> None:
        """Count turns from ``first``, without drawing what came before."""
        self._first = first

    def records(self, n: int, now_ms: Integers, sim_ms: Integers) -> Any:
        """The next ``n`` records as a BinaryArray; instants have shape (n,)."""
        out = [self._made.slice(0, n)] if len(self._made) else []
        self._made = self._made.slice(n)
        have = sum(map(len, out))
        while have < n:
            out.append(self._build(now_ms[have:], sim_ms[have:]))
            have += len(out[-1])
        if not out:
            return pa.array([], pa.binary())
        texts = out[0] if len(out) == 1 else pa.concat_arrays(out)
        if have > n:
            texts, self._made = texts.slice(0, n), texts.slice(n)
        return texts.cast(pa.binary())

    def _build(self, now_ms: Integers, sim_ms: Integers) -> Any:
        """Turns for at most that many records, and at least one."""
        most = min(self._step, len(now_ms))
        if len(self._u) < most:
            fresh = self._rng.random((most - len(self._u), self._turn.slots))
            self._u = np.concatenate([self._u, fresh]) if len(self._u) else fresh
        u = self._u[:most]
        starts = np.arange(most)
        if not self._turn.single:
            counts = self._turn.made(u).sum(axis=1)
            starts = np.cumsum(counts) - counts
            u = u[: int(np.searchsorted(starts, most))]
            starts = starts[: len(u)]
        self._u = self._u[len(u) :]
        at = At(now_ms[starts], sim_ms[starts], self._first)
        self._first += len(u)
        return self._turn.build(u, at)
