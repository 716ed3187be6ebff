"""Columns in units of their own: requests and shares and bytes, each divided by how far it strays.

A random cut falls in a dimension in proportion to the length of its side, so the column of the
largest numbers rules a forest. The units are the standard deviations of a key's first rows and
never change again: a tree must not hold points in different units. Until they are known the
forest waits; then it takes those first rows, which ``usual`` still holds, before the next one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from eddyline.anomaly.forest import ForestBank, Scores
from eddyline.anomaly.kernel import Bools, Doubles, Int64s
from eddyline.anomaly.usual import WINDOW, Usual


@dataclass(frozen=True, slots=True)
class Plan:
    """What a forest is to take for n rows: held rows first, then those of the n it may see.

    keys (h + s,), points (h + s, d): in units. held: h. seen (n,): which rows are among them. rows
    (n,): rows the key had before.
    """

    keys: Int64s
    points: Doubles
    held: int
    seen: Bools
    rows: Int64s

    def score(self, forests: ForestBank, explain: Bools) -> Scores:
        """Scores of the n rows, 0 for those that the forest waits with."""
        wanted = np.append(np.zeros(self.held, np.bool_), explain[self.seen])
        found = forests.score(self.keys, self.points, wanted)
        n, d = len(self.seen), self.points.shape[1]
        score, high, low = np.zeros(n), np.zeros((n, d)), np.zeros((n, d))
        score[self.seen] = found.score[self.held :]
        high[self.seen], low[self.seen] = found.high[self.held :], found.low[self.held :]
        return Scores(score, self.rows, high, low)


class Units:
    """scale (M, d): the unit of each key's columns, 0 where it is not known yet."""

    def __init__(self, columns: int) -> None:
        self.scale = np.zeros((0, columns))

    def plan(self, usual: Usual, keys: Int64s, points: Doubles) -> Plan:
        """Before ``usual`` learns the rows: keys (n,), points (n, d)."""
        missing = len(usual.rows) - len(self.scale)
        self.scale = np.concatenate([self.scale, np.zeros((missing, points.shape[1]))])
        rows = usual.rows[keys] + _nth(keys)
        ripe = np.unique(keys[rows == WINDOW])
        first = [self._first(usual, int(m), points[keys == m]) for m in ripe]
        seen = (self.scale[keys, 0] > 0.0) & ~(np.isin(keys, ripe) & (rows < WINDOW))
        all_keys = np.concatenate([np.repeat(ripe, WINDOW), keys[seen]]).astype(np.int64)
        all_points = np.concatenate([*first, points[seen]]) / self.scale[all_keys]
        return Plan(all_keys, all_points, len(ripe) * WINDOW, seen, rows)

    def _first(self, usual: Usual, model: int, come: Doubles) -> Doubles:
        """A key's first rows, those held and those that come now; they set its units."""
        have = int(usual.rows[model])
        held = usual.ring[model, :, :have].T
        first = np.concatenate([held, come[: WINDOW - have]])
        spread, level = first.std(axis=0), np.abs(first).max(axis=0)
        self.scale[model] = np.where(spread > 1e-9 * level, spread, np.maximum(level, 1.0))
        return first


def _nth(keys: Int64s) -> Int64s:
    """How many rows of the same key stand before each row."""
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    starts = np.flatnonzero(np.diff(ordered, prepend=-1))
    counts = np.diff(np.append(starts, len(keys)))
    nth = np.empty(len(keys), np.int64)
    nth[order] = np.arange(len(keys)) - np.repeat(starts, counts)
    return nth
