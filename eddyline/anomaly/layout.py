"""Where a forest's numbers lie: three flat arrays for many models, cut into views in the kernel.

A call with thirty arrays would cost more than a point's score, and an object a tree more memory
than a small tree; so a block of models is one float32, one int16 and one int64 array of shape
(models, trees, words). The arrays are zeroed by the system page by page on first touch, hence a
model costs no memory before it is used.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from eddyline.anomaly.kernel import Int16s, Int64s, Singles, kernel
from eddyline.anomaly.sampler import CLOCK, NEXT, Reservoir
from eddyline.anomaly.tree import FREE_LEAF, FREE_NODE, HEAD, ROOT, Tree

# The words of a tree in the int64 array: random state, clock, then the row each leaf holds.
RNG = 0
ROWS = 1 + CLOCK
_BLOCK_BYTES = 1 << 26
# float32 words in a line of the processor's cache: a box that lies across two costs twice.
_LINE = 16


@dataclass(frozen=True, slots=True)
class Layout:
    """Sizes of a forest: T trees, S samples, d columns, shingle k, W padded dimensions."""

    trees: int
    samples: int
    columns: int
    shingle: int

    @property
    def dimensions(self) -> int:
        """Columns times shingle."""
        return self.columns * self.shingle

    @property
    def width(self) -> int:
        """Dimensions, padded."""
        return padded(self.dimensions)

    @property
    def words(self) -> tuple[int, int, int]:
        """float32, int16 and int64 words of one tree."""
        s = self.samples
        singles = (2 * s - 1) * (2 * self.width + 1) + (s - 1) + s
        shorts = 3 * (s - 1) + (2 * s - 1) + 2 * s + HEAD
        return -(-singles // _LINE) * _LINE, shorts, ROWS + s

    @property
    def model_bytes(self) -> int:
        """Memory of one full model."""
        singles, shorts, longs = self.words
        return self.trees * (4 * singles + 2 * shorts + 8 * longs)

    @property
    def block_models(self) -> int:
        """Models in one block."""
        return max(1, min(1024, _BLOCK_BYTES // self.model_bytes))


def padded(dimensions: int) -> int:
    """Dimensions so that a box's sides are one group of four or eight, or groups of sixteen."""
    if dimensions <= 4:
        return 2 if dimensions <= 2 else 4
    return (dimensions + 7) // 8 * 8


def aligned_zeros(shape: tuple[int, ...]) -> Singles:
    """float32 zeros, untouched by the processor yet, that begin with a line of its cache."""
    size = math.prod(shape)
    raw = np.zeros(size + _LINE, np.float32)
    at = -(raw.ctypes.data // 4) % _LINE
    return raw[at : at + size].reshape(shape)


@kernel
def tree_views(width: int, singles: Singles, shorts: Int16s, s: int) -> Tree:
    """One tree of ``s`` samples out of its words."""
    sides = 2 * width
    a = (2 * s - 1) * sides
    b = a + 2 * s - 1
    c = 3 * (s - 1)
    d = c + 2 * s - 1
    return Tree(
        singles[:a].reshape((2 * s - 1, sides)),
        singles[a:b],
        singles[b : b + s - 1],
        shorts[: s - 1],
        shorts[s - 1 : c].reshape((s - 1, 2)),
        shorts[c:d],
        shorts[d : d + s],
        shorts[d + 2 * s : d + 2 * s + HEAD],
    )


@kernel
def reservoir_views(
    width: int, singles: Singles, shorts: Int16s, longs: Int64s, s: int
) -> Reservoir:
    """The sampler of the tree of ``s`` samples out of the same words."""
    return Reservoir(
        singles[(2 * s - 1) * (2 * width + 1) + s - 1 :][:s],
        shorts[len(shorts) - HEAD - s : len(shorts) - HEAD],
        longs[RNG + 1 : RNG + 1 + CLOCK],
        longs[RNG : RNG + 1],
    )


@kernel
def plant(tree: Tree, reservoir: Reservoir, seed: int, number: int, first_row: int) -> None:
    """Make zeroed words an empty tree, its random sequence that of ``seed`` and its number."""
    tree.head[ROOT] = -1
    tree.head[FREE_LEAF] = -1
    tree.head[FREE_NODE] = -1
    mixed = _mixed(_mixed(np.uint64(seed)) + np.uint64(number))
    reservoir.rng[0] = np.int64(mixed)
    reservoir.clock[NEXT] = first_row


@kernel
def _mixed(word: np.uint64) -> np.uint64:
    """A word in which each bit depends on all of the given one (SplitMix64's last step)."""
    word = word + np.uint64(0x9E3779B97F4A7C15)
    word = (word ^ (word >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    word = (word ^ (word >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return word ^ (word >> np.uint64(31))
