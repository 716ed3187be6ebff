"""Random cut forests, one a key: a point is scored against its key's forest, then learnt.

The forest is that of ``RANDOM_CUT_FOREST``: T trees, each over a reservoir of S records; the
score is the mean over trees of the expected inverse depth, times log2(size + 1), and so at most
log2(S + 1); ordinary points score about 0.7 to 1.

Points are kept in single precision relative to the key's first point, so that a small change of
a large number is seen. Trees are walked outermost over chunks of rows, so that a tree stays in
the processor's first cache; the sum over trees has one order, hence scores do not depend on how
rows were cut into calls.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log2
from typing import NamedTuple

import numpy as np

from eddyline.anomaly.attribution import attribute_point
from eddyline.anomaly.kernel import Bools, Doubles, Int16s, Int64s, Singles, entry, kernel
from eddyline.anomaly.layout import (
    ROWS,
    Layout,
    aligned_zeros,
    padded,
    plant,
    reservoir_views,
    tree_views,
)
from eddyline.anomaly.options import ForestOptions, check_dimensions
from eddyline.anomaly.sampler import NEXT, add, exchange
from eddyline.anomaly.tree import SIZE, Tree, Walk, insert, remove, score_rows
from eddyline.errors import EddylineError

_CHUNK = 128
_FOUR, _EIGHT, _SIXTEEN = (0,) * 4, (0,) * 8, (0,) * 16
# Greater distances from the first point than this are cut: sums of squares stay finite.
_FAR = 1e34


class Block(NamedTuple):
    """Models side by side: B models, T trees; words as ``Layout`` has them."""

    singles: Singles  # (B, T, words)
    shorts: Int16s  # (B, T, words)
    longs: Int64s  # (B, T, words)
    seen: Int64s  # (B,) rows a model has taken
    origin: Doubles  # (B, d) its first point
    recent: Singles  # (B, k, d) its last points relative to the origin, newest last


class Work(NamedTuple):
    """Rows of one call in groups of a model each, and room for what comes out of them."""

    models: Int64s  # (g,) place of each group's model in the block
    starts: Int64s  # (g + 1,) first row of each group
    points: Doubles  # (n, d)
    explain: Bools  # (n,) rows whose attribution is wanted
    score: Doubles  # (n,)
    high: Doubles  # (n, d)
    low: Doubles  # (n, d)


@dataclass(frozen=True, slots=True)
class Scores:
    """score (n,): before the forest's first S rows are over, too. rows (n,): rows that the key
    had seen before. high, low (n, d): attribution of the rows that asked for it, else 0."""

    score: Doubles
    rows: Int64s
    high: Doubles
    low: Doubles


class Room(NamedTuple):
    """Scratch memory of ``advance``, which itself allocates nothing."""

    past: Singles  # (k + chunk, d) points with those before them
    points: Singles  # (chunk, 2 * width)
    total: Doubles  # (chunk,)
    share: Doubles  # (chunk, 2 * width)
    walk: Walk  # of a chunk


def room(shingle: int, columns: int) -> Room:
    """Scratch memory for points of this shape."""
    width = 2 * padded(shingle * columns)
    walk = Walk(
        np.zeros(_CHUNK, np.uint64),
        np.zeros(_CHUNK, np.uint64),
        np.zeros(_CHUNK, np.int64),
        np.zeros(_CHUNK),
        np.zeros(_CHUNK),
    )
    past = np.zeros((shingle + _CHUNK, columns), np.float32)
    points = np.zeros((_CHUNK, width), np.float32)
    return Room(past, points, np.zeros(_CHUNK), np.zeros((_CHUNK, width)), walk)


@entry
def advance(block: Block, work: Work, room: Room, samples: int, rate: float, seed: int) -> None:
    """Score and learn all rows of ``work``; rows of a model in order."""
    past, points, total, share, walk = room
    for g in range(len(work.models)):
        m = work.models[g]
        for first in range(work.starts[g], work.starts[g + 1], _CHUNK):
            count = min(_CHUNK, work.starts[g + 1] - first)
            _prepare(block, work, m, first, count, past, points)
            _grow(block, work, m, first, count, samples, rate, seed, points, total, share, walk)
            _finish(block, work, m, first, count, samples, total, share)


@kernel
def _prepare(
    block: Block,
    work: Work,
    m: int,
    first: int,
    count: int,
    past: Singles,
    points: Singles,
) -> None:
    """Rows to shingles ``[x, -x]`` relative to the model's first point."""
    k, d, w = block.recent.shape[1], block.recent.shape[2], points.shape[1] // 2
    if block.seen[m] == 0:
        for c in range(d):
            block.origin[m, c] = work.points[first, c]
    for lag in range(k):
        for c in range(d):
            past[lag, c] = block.recent[m, lag, c]
    for r in range(count):
        for c in range(d):
            far = work.points[first + r, c] - block.origin[m, c]
            past[k + r, c] = np.float32(min(max(far, -_FAR), _FAR))
        for lag in range(k):
            for c in range(d):
                value = past[r + 1 + lag, c]
                points[r, lag * d + c] = value
                points[r, w + lag * d + c] = -value
    for lag in range(k):
        for c in range(d):
            block.recent[m, lag, c] = past[count + lag, c]


@kernel
def _grow(
    block: Block,
    work: Work,
    m: int,
    first: int,
    count: int,
    samples: int,
    rate: float,
    seed: int,
    points: Singles,
    total: Doubles,
    share: Doubles,
    walk: Walk,
) -> None:
    """Take each tree over the rows of a chunk: score up to the next row it learns, learn it."""
    k, real = block.recent.shape[1], block.recent.shape[1] * block.recent.shape[2]
    row, width = block.seen[m], points.shape[1] // 2
    for i in range(count):
        total[i] = 0.0
        if work.explain[first + i]:
            for j in range(2 * width):
                share[i, j] = 0.0
    for t in range(block.singles.shape[1]):
        tree = tree_views(width, block.singles[m, t], block.shorts[m, t], samples)
        reservoir = reservoir_views(
            width, block.singles[m, t], block.shorts[m, t], block.longs[m, t], samples
        )
        if row == 0:
            plant(tree, reservoir, seed, t, k - 1)
        at = row
        while at < row + count:
            stop = min(row + count, reservoir.clock[NEXT] + 1)
            _score_run(
                tree, points, work.explain, at - row, stop - row, first, real, walk, total, share
            )
            if reservoir.clock[NEXT] + 1 == stop:
                size = int(tree.head[SIZE])
                if size == samples:
                    remove(tree, int(reservoir.leaf[0]))
                leaf = insert(tree, points[stop - 1 - row], reservoir.rng)
                if size < samples:
                    add(reservoir, size, leaf, stop - 1, rate)
                else:
                    exchange(reservoir, leaf, stop - 1, rate)
                block.longs[m, t, ROWS + leaf] = stop - 1
            at = stop


@kernel
def _score_run(
    tree: Tree,
    points: Singles,
    explain: Bools,
    begin: int,
    stop: int,
    first: int,
    real: int,
    walk: Walk,
    total: Doubles,
    share: Doubles,
) -> None:
    """Score rows ``begin`` to ``stop`` of a chunk, between which the tree does not change."""
    if points.shape[1] == 4:
        score_rows(_FOUR, tree, points, begin, stop, walk, total)
    elif points.shape[1] == 8:
        score_rows(_EIGHT, tree, points, begin, stop, walk, total)
    else:
        score_rows(_SIXTEEN, tree, points, begin, stop, walk, total)
    for i in range(begin, stop):
        if explain[first + i]:
            attribute_point(tree, points[i], real, share[i])


@kernel
def _finish(
    block: Block,
    work: Work,
    m: int,
    first: int,
    count: int,
    samples: int,
    total: Doubles,
    share: Doubles,
) -> None:
    """Means over trees, normalised, to the caller's rows; the model has seen them."""
    k, d, w = block.recent.shape[1], block.recent.shape[2], share.shape[1] // 2
    trees = block.singles.shape[1]
    for i in range(count):
        size = min(max(block.seen[m] + i - (k - 1), 0), samples)
        scale = log2(size + 1.0) / trees
        work.score[first + i] = total[i] * scale
        if work.explain[first + i]:
            for j in range(k * d):
                work.high[first + i, j % d] += share[i, j] * scale
                work.low[first + i, j % d] += share[i, w + j] * scale
    block.seen[m] += count


class ForestBank:
    """Forests of one shape, one a key, made when a key is first seen.

    Keys are dense numbers the caller gives, 0, 1, 2, …; a key's scores depend on its own rows
    and the seed alone, not on its number or on other keys.
    """

    def __init__(self, options: ForestOptions, columns: int) -> None:
        """Raises EddylineError ``invalid_argument`` for options out of range."""
        options.validate()
        check_dimensions(columns)
        self.options = options
        self.layout = Layout(
            options.number_of_trees, options.sub_sample_size, columns, options.shingle_size
        )
        self.blocks: list[Block] = []
        self._room = room(options.shingle_size, columns)

    def score(self, keys: Int64s, points: Doubles, explain: Bools | None = None) -> Scores:
        """Score rows, then learn them, in order. keys (n,), points (n, d), explain (n,).

        Raises:
            EddylineError: ``invalid_argument`` for a shape that does not fit or a value that is
                not finite; nothing has been learnt then.
        """
        keys, points = self.checked(keys, points)
        n, d = points.shape
        explained = np.zeros(n, np.bool_) if explain is None else explain
        order = np.argsort(keys, kind="stable")
        keys, points, explained = keys[order], points[order], explained[order]
        score, high, low = np.zeros(n), np.zeros((n, d)), np.zeros((n, d))
        edges = np.flatnonzero(np.diff(keys, prepend=-1))
        models, starts = keys[edges], np.append(edges, n)
        self.make_room(int(keys[-1]) + 1 if n else 0)
        rows = np.zeros(n, np.int64)
        per = self.layout.block_models
        for b in np.unique(models // per).tolist():
            a, z = np.searchsorted(models, (b * per, (b + 1) * per))
            work = Work(
                models[a:z] - b * per, starts[a : z + 1], points, explained, score, high, low
            )
            self._count(self.blocks[b], work, rows)
            self._advance(self.blocks[b], work)
        back = np.empty(n, np.int64)
        back[order] = np.arange(n)
        return Scores(score[back], rows[back], high[back], low[back])

    def _advance(self, block: Block, work: Work) -> None:
        o = self.options
        advance(block, work, self._room, o.sub_sample_size, 1.0 / o.time_decay, o.seed)

    def _count(self, block: Block, work: Work, rows: Int64s) -> None:
        """Which row of its key each row is, from 0."""
        counts = np.diff(work.starts)
        first, last = work.starts[0], work.starts[-1]
        base = np.repeat(block.seen[work.models] - work.starts[:-1], counts)
        rows[first:last] = base + np.arange(first, last)

    def make_room(self, models: int) -> None:
        """Have blocks for keys 0 to ``models`` - 1."""
        lay = self.layout
        per, (singles, shorts, longs) = lay.block_models, lay.words
        while len(self.blocks) * per < models:
            block = Block(
                aligned_zeros((per, lay.trees, singles)),
                np.zeros((per, lay.trees, shorts), np.int16),
                np.zeros((per, lay.trees, longs), np.int64),
                np.zeros(per, np.int64),
                np.zeros((per, lay.columns)),
                np.zeros((per, lay.shingle, lay.columns), np.float32),
            )
            self.blocks.append(block)

    def forget(self, models: Int64s) -> None:
        """Make models, as far as they have a place, as if they had seen no row."""
        per = self.layout.block_models
        for model in models.tolist():
            if model // per < len(self.blocks):
                for array in self.blocks[model // per]:
                    array[model % per] = 0

    def checked(self, keys: Int64s, points: Doubles) -> tuple[Int64s, Doubles]:
        """Keys (n,) and points (n, d) as contiguous arrays of the right type.

        Raises:
            EddylineError: ``invalid_argument`` for a wrong shape or a value that is not finite.
        """
        columns = self.layout.columns
        keys = np.ascontiguousarray(keys, np.int64)
        points = np.ascontiguousarray(points, np.float64)
        if points.ndim != 2 or keys.shape != points.shape[:1] or points.shape[1] != columns:
            msg = f"keys {keys.shape} and points {points.shape} do not fit {columns} columns"
            raise EddylineError(
                "invalid_argument", msg, hint="one key and one point of d values a row"
            )
        if len(keys) and keys.min() < 0:
            raise EddylineError("invalid_argument", f"key {keys.min()} is negative")
        whole = np.isfinite(points).all(axis=1)
        if not whole.all():
            row = int(np.argmin(whole))
            msg = f"row {row} holds {points[row].tolist()}; a forest takes finite numbers only"
            hint = "filter such rows out or give them a value (COALESCE)"
            raise EddylineError("invalid_argument", msg, hint=hint)
        return keys, points
