"""A turn of a template: the values it names and the records it makes of them.

Most templates make one record per turn. ``{{record.next}}`` begins another, which may come only
with a chance and go to another output; all records of a turn share its named values, its sequence
numbers and its instant.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from eddyline.generator.column import At, GeneratedColumn, Integers, Texts, Uniforms, spread

# A run that takes up another renders so many of its turns again, so that walks and sessions go on.
REPLAYED_TURNS_MAX = 500_000


@dataclass(frozen=True, slots=True)
class Reference:
    """A named value, written once more."""

    name: str
    width: int
    slots: int = 0

    def build(self, u: Uniforms, at: At) -> Texts:
        return at.values[self.name]


@dataclass(frozen=True, slots=True)
class TurnRecord:
    """One record of a turn, made with a chance; ``to`` names its output, ``""`` the run's own."""

    column: GeneratedColumn
    chance: float = 1.0
    to: str = ""


class Turn:
    """Values first, each under its name, then the parts; shares out the uniform numbers."""

    def __init__(
        self, values: Sequence[tuple[str, GeneratedColumn]], parts: Sequence[TurnRecord]
    ) -> None:
        self._values = tuple(values)
        self._parts = tuple(parts)
        self._chances = np.array([p.chance for p in parts])
        self._drawn = int((self._chances < 1).sum())
        columns = [c for _, c in values] + [p.column for p in parts]
        self.slots = self._drawn + sum(c.slots for c in columns)
        self.width = max(p.column.width for p in parts)
        # What bounds a rendering step: everything that is built for a turn.
        self.turn_width = sum(c.width for c in columns)
        # The run's own target first, then those that parts name.
        self.outputs = tuple(dict.fromkeys(["", *(p.to for p in parts)]))
        self._routes = np.array([self.outputs.index(p.to) for p in parts], np.int8)
        self.stateful = any(getattr(c, "stateful", False) for _, c in values)

    @property
    def single(self) -> bool:
        """Whether every turn makes exactly one record."""
        return len(self._parts) == 1

    @property
    def records(self) -> int:
        """Most records a turn makes."""
        return len(self._parts)

    def kept(self, u: Uniforms) -> Any:
        """Which parts each turn makes, shape (n, parts)."""
        kept = np.ones((len(u), len(self._parts)), np.bool_)
        kept[:, self._chances < 1] = u[:, : self._drawn] < self._chances[self._chances < 1]
        return kept

    def build(self, u: Uniforms, at: At) -> tuple[Any, Any]:
        """The records of ``at.n`` turns in order (StringArray), and the output of each (int8)."""
        place = self.build_values(u, at)
        texts = []
        for part in self._parts:
            share = u[:, place : place + part.column.slots]
            texts.append(spread(part.column.build(share, at), at.n))
            place += part.column.slots
        if self.single:
            return texts[0], np.full(at.n, self._routes[0], np.int8)
        kept = self.kept(u).ravel()
        order = np.arange(at.n * len(texts)).reshape(len(texts), at.n).T.ravel()
        routes = np.tile(self._routes, at.n)[kept]
        return pa.concat_arrays(texts).take(pa.array(order[kept])), routes

    def build_values(self, u: Uniforms, at: At) -> int:
        """Build what is named and shared; returns where the parts' uniform numbers begin."""
        place = self._drawn
        for name, column in self._values:
            at.values[name] = column.build(u[:, place : place + column.slots], at)
            place += column.slots
        return place


class Rendering:
    """Records of one run, one after the other: keeps what a turn has made beyond the request.

    The same seed gives the same records however they are requested. ``first`` turns were rendered
    by an earlier run, which this one takes up; ``origin_ms`` is when that began, else the run
    begins with its first record.
    """

    def __init__(
        self,
        turn: Turn,
        rng: np.random.Generator,
        step: int,
        first: int = 0,
        origin_ms: int | None = None,
    ) -> None:
        self._turn = turn
        self._rng = rng
        self._step = step
        self._first = first
        self._origin_ms = origin_ms
        if first:  # one number of the generator for each uniform
            replayed = min(first, REPLAYED_TURNS_MAX) if turn.stateful else 0
            rng.bit_generator.advance((first - replayed) * turn.slots)  # type: ignore[attr-defined]
            self._replay(replayed)
        self._u = np.empty((0, turn.slots))
        self._texts = pa.array([], pa.string())
        self._routes = np.empty(0, np.int8)

    @property
    def turns(self) -> int:
        """Turns rendered so far, those of an earlier run included."""
        return self._first

    def begin(self, first: int) -> None:
        """Count turns from ``first``, without drawing what came before."""
        self._first = first

    def records(self, n: int, now_ms: Integers, sim_ms: Integers) -> Any:
        """The next ``n`` records as a BinaryArray; instants have shape (n,)."""
        return self.routed(n, now_ms, sim_ms)[0]

    def routed(self, n: int, now_ms: Integers, sim_ms: Integers) -> tuple[Any, Any]:
        """As ``records``, and the place of each record's output in ``turn.outputs``, shape (n,)."""
        texts, routes = [self._texts], [self._routes]
        have = len(self._texts)
        while have < n:
            built = self._build(now_ms[have:], sim_ms[have:])
            texts.append(built[0])
            routes.append(built[1])
            have += len(built[0])
        joined = texts[-1] if len(texts[0]) == 0 and len(texts) == 2 else pa.concat_arrays(texts)
        places = routes[-1] if len(routes[0]) == 0 and len(routes) == 2 else np.concatenate(routes)
        self._texts, self._routes = joined.slice(n), places[n:]
        return joined.slice(0, n).cast(pa.binary()), places[:n]

    def _build(self, now_ms: Integers, sim_ms: Integers) -> tuple[Any, Any]:
        """Turns for at most that many records, and at least one."""
        most = min(self._step, len(now_ms))
        if len(self._u) < most:
            fresh = self._rng.random((most - len(self._u), self._turn.slots))
            self._u = np.concatenate([self._u, fresh]) if len(self._u) else fresh
        u = self._u[:most]
        starts = np.arange(most)
        if not self._turn.single:
            counts = self._turn.kept(u).sum(axis=1)
            starts = np.cumsum(counts) - counts
            u = u[: int(np.searchsorted(starts, most))]
            starts = starts[: len(u)]
        self._u = self._u[len(u) :]
        if self._origin_ms is None:
            self._origin_ms = int(sim_ms[0])
        at = At(now_ms[starts], sim_ms[starts], self._first, origin_ms=self._origin_ms)
        self._first += len(u)
        return self._turn.build(u, at)

    def _replay(self, turns: int) -> None:
        """Build the named and shared values of the last turns again, for what they remember."""
        for first in range(self._first - turns, self._first, self._step):
            n = min(self._step, self._first - first)
            never = np.zeros(n, np.int64)
            self._turn.build_values(
                self._rng.random((n, self._turn.slots)), At(never, never, first)
            )
