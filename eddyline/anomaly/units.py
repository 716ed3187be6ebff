"""Columns in units of their own: requests, shares and bytes, each divided by how far it strays.

A random cut falls in a dimension in proportion to the length of its side, so the column with the
largest numbers rules a forest. The units are the standard deviations of a key's first rows and
never change again, because a tree must not hold points in different units. Until the units are
known, the first rows wait; then the forest takes them before the next row.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from eddyline.anomaly.forest import ForestBank, Scores
from eddyline.anomaly.kernel import Bools, Doubles, Int64s

# First rows of a key that set its units.
WINDOW = 32


@dataclass(frozen=True, slots=True)
class ForestInput:
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
        """Scores of the n rows, 0 for those that wait."""
        explained = np.append(np.zeros(self.held, np.bool_), explain[self.seen])
        scores = forests.score(self.keys, self.points, explained)
        n, d = len(self.seen), self.points.shape[1]
        score, high, low = np.zeros(n), np.zeros((n, d)), np.zeros((n, d))
        score[self.seen] = scores.score[self.held :]
        high[self.seen], low[self.seen] = scores.high[self.held :], scores.low[self.held :]
        return Scores(score, self.rows, high, low)


class Units:
    """scale (M, d): the unit of each key's columns, 0 while it is not known. rows (M,): rows of
    each key. first (M, d, WINDOW): its first rows."""

    def __init__(self, columns: int) -> None:
        self.scale = np.zeros((0, columns))
        self.rows: Int64s = np.zeros(0, np.int64)
        self.first = np.zeros((0, columns, WINDOW))

    def make_room(self, models: int) -> None:
        """Memory for keys 0 to ``models`` - 1."""
        more = models - len(self.scale)
        if more > 0:
            self.scale = np.concatenate([self.scale, np.zeros((more, *self.scale.shape[1:]))])
            self.rows = np.concatenate([self.rows, np.zeros(more, np.int64)])
            self.first = np.concatenate([self.first, np.zeros((more, *self.first.shape[1:]))])

    def forget(self, models: Int64s) -> None:
        """Make models as if they had seen no row."""
        self.scale[models], self.rows[models], self.first[models] = 0.0, 0, 0.0

    def plan(self, keys: Int64s, points: Doubles) -> ForestInput:
        """What the forest takes for rows, which are then learnt: keys (n,), points (n, d)."""
        rows = self.rows[keys] + places(keys)
        young = rows < WINDOW
        self.first[keys[young], :, rows[young]] = points[young]
        ripe = np.unique(keys[rows == WINDOW])
        first = [self._first(int(m)) for m in ripe]
        seen = (self.scale[keys, 0] > 0.0) & ~young
        all_keys = np.concatenate([np.repeat(ripe, WINDOW), keys[seen]]).astype(np.int64)
        all_points = np.concatenate([*first, points[seen]]) / self.scale[all_keys]
        np.maximum.at(self.rows, keys, rows + 1)
        return ForestInput(all_keys, all_points, len(ripe) * WINDOW, seen, rows)

    def _first(self, model: int) -> Doubles:
        """A key's first rows; they set its units."""
        first: Doubles = self.first[model].T
        spread, level = first.std(axis=0), np.abs(first).max(axis=0)
        self.scale[model] = np.where(spread > 1e-9 * level, spread, np.maximum(level, 1.0))
        return first


def places(keys: Int64s) -> Int64s:
    """How many rows of the same key stand before each row."""
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    starts = np.flatnonzero(np.diff(ordered, prepend=-1))
    counts = np.diff(np.append(starts, len(keys)))
    nth = np.empty(len(keys), np.int64)
    nth[order] = np.arange(len(keys)) - np.repeat(starts, counts)
    return nth
