"""A forest as few small arrays, and back: what follows from the rest is left out.

Boxes, spans and parents follow from the leaves and the topology; a sample that many trees hold
is kept once, and of overlapping shingles each row once. Kept are the cuts, the topology with its
node numbers and free lists, the reservoirs and the random states: a tree depends on its history,
so one built again from its samples would be another tree.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from eddyline.anomaly.forest import Block, ForestBank
from eddyline.anomaly.kernel import Bools, Int16s, Int64s, Singles, entry
from eddyline.anomaly.layout import ROWS, Layout, tree_views
from eddyline.anomaly.options import ForestOptions
from eddyline.anomaly.state import Arrays
from eddyline.anomaly.tree import FREE_LEAF, FREE_NODE, HEAD, ROOT, SIZE, USED_LEAVES, fit_box

# A model's number above a row's in one integer; rows of one key stay below this.
_MODEL_BITS = 44


def saved(bank: ForestBank) -> tuple[dict[str, Any], Arrays]:
    """Header and arrays of a bank, for ``state.pack``."""
    o = bank.options
    names = ("number_of_trees", "sub_sample_size", "time_decay", "shingle_size", "seed")
    options = {name: getattr(o, name) for name in names}
    arrays: Arrays = {}
    for i, block in enumerate(bank.blocks):
        for name, array in _block_arrays(bank.layout, block).items():
            arrays[f"{i}.{name}"] = array
    return {"forest": options, "columns": bank.layout.columns, "blocks": len(bank.blocks)}, arrays


def restored(header: dict[str, Any], arrays: Arrays) -> ForestBank:
    """The bank that ``saved`` was given."""
    bank = ForestBank(ForestOptions(**header["forest"]), header["columns"])
    bank.make_room(header["blocks"] * bank.layout.block_models)
    for i, block in enumerate(bank.blocks):
        parts = {n.split(".", 1)[1]: a for n, a in arrays.items() if n.startswith(f"{i}.")}
        _fill_block(bank.layout, block, parts)
    return bank


def _sections(lay: Layout, n: int) -> dict[str, slice]:
    """Words of the parts that are kept as they are, while a tree holds up to ``n`` samples.

    ``cut`` and ``weight`` lie among the float32 words, the others among the int16 words.
    """
    s, inner = lay.samples, max(n - 1, 0)
    cut, child, free = (2 * s - 1) * (2 * lay.width + 1), s - 1, 3 * (s - 1)
    mass = free + 2 * s - 1
    return {
        "cut": slice(cut, cut + inner),
        "weight": slice(cut + s - 1, cut + s - 1 + n),
        "split": slice(0, inner),
        "child": slice(child, child + 2 * inner),
        "free_leaf": slice(free, free + n),
        "free_node": slice(free + s, free + s + inner),
        "mass": slice(mass, mass + n),
        "sample": slice(mass + s, mass + s + n),
        "head": slice(mass + 2 * s, mass + 2 * s + HEAD),
    }


def _words(block: Block, name: str) -> npt.NDArray[Any]:
    return block.singles if name in ("cut", "weight") else block.shorts


def _block_arrays(lay: Layout, block: Block) -> Arrays:
    """The kept parts of one block's models."""
    m = int(np.flatnonzero(block.seen)[-1]) + 1 if block.seen.any() else 0
    n = int(min(max(block.seen.max() - lay.shingle + 1, 0), lay.samples))
    kept = _sections(lay, n)
    arrays: Arrays = {name: _words(block, name)[:m, :, where] for name, where in kept.items()}
    free = np.zeros((m, lay.trees, 2 * lay.samples - 1), np.int16)
    for i in range(m):
        free_chains(lay.width, block.singles[i], block.shorts[i], lay.samples, free[i])
    arrays["free_leaf"] = free[:, :, :n]
    arrays["free_node"] = free[:, :, lay.samples : lay.samples + max(n - 1, 0)]
    arrays["tree"] = block.longs[:m, :, :ROWS]
    arrays["seen"], arrays["origin"] = block.seen[:m], block.origin[:m]
    arrays["recent"] = block.recent[:m]
    return arrays | _samples(lay, block, arrays["mass"] > 0)


def _samples(lay: Layout, block: Block, used: Bools) -> Arrays:
    """Each row that a leaf refers to once, and which row each used leaf refers to."""
    (m, _, n), k, d = used.shape, lay.shingle, lay.columns
    rows = block.longs[:m, :, ROWS : ROWS + n] + (np.arange(m) << _MODEL_BITS)[:, None, None]
    distinct, first, refers = np.unique(rows[used], return_index=True, return_inverse=True)
    at = tuple(axis[first] for axis in np.nonzero(used))
    boxes = block.singles[:, :, : (2 * lay.samples - 1) * 2 * lay.width]
    boxes = boxes.reshape(*boxes.shape[:2], -1, 2 * lay.width)
    points = boxes[at][:, : lay.dimensions]
    needed = np.unique(distinct[:, None] - np.arange(k))
    table = np.zeros((len(needed), d), np.float32)
    for lag in range(k):
        where = np.searchsorted(needed, distinct - (k - 1 - lag))
        table[where] = points[:, lag * d : (lag + 1) * d]
    kind = np.uint16 if len(needed) <= 2**16 else np.uint32
    which = np.searchsorted(needed, distinct)[refers].astype(kind)
    return {"rows": np.diff(needed, prepend=0), "table": table, "which": which}


def _fill_block(lay: Layout, block: Block, arrays: Arrays) -> None:
    m, n = arrays["seen"].shape[0], arrays["mass"].shape[2]
    for name, where in _sections(lay, n).items():
        _words(block, name)[:m, :, where] = arrays[name]
    block.longs[:m, :, :ROWS] = arrays["tree"]
    block.seen[:m], block.origin[:m] = arrays["seen"], arrays["origin"]
    block.recent[:m] = arrays["recent"]
    rows, which, k, d = np.cumsum(arrays["rows"]), arrays["which"], lay.shingle, lay.columns
    used = arrays["mass"] > 0
    held = np.zeros(used.shape, np.int64)
    held[used] = rows[which] & ((1 << _MODEL_BITS) - 1)
    block.longs[:m, :, ROWS : ROWS + n] = held
    points = np.zeros((len(which), lay.width), np.float32)
    for lag in range(k):  # a shingle's rows follow one another in the table
        points[:, lag * d : (lag + 1) * d] = arrays["table"][which.astype(np.int64) - (k - 1 - lag)]
    ends = np.cumsum(used.sum(axis=(1, 2)))
    order = np.empty(2 * lay.samples, np.int64)
    for i in range(m):
        mine = points[(ends[i - 1] if i else 0) : ends[i]]
        regrow(lay.width, block.singles[i], block.shorts[i], lay.samples, mine, order)


@entry
def free_chains(width: int, singles: Singles, shorts: Int16s, s: int, free: Int16s) -> None:
    """Of a model's trees, the links of nodes that are on a free list; other links follow."""
    for t in range(singles.shape[0]):
        tree = tree_views(width, singles[t], shorts[t], s)
        if tree.head[USED_LEAVES] == 0:  # not planted yet: its zeros are no list
            continue
        for head in (FREE_LEAF, FREE_NODE):
            node = int(tree.head[head])
            while node >= 0:
                free[t, node] = tree.parent[node]
                node = int(tree.parent[node])


@entry
def regrow(
    width: int, singles: Singles, shorts: Int16s, s: int, points: Singles, order: Int64s
) -> None:
    """Boxes, spans and parents of a model's trees out of their leaves' points (x, in order).

    order (2 * s,): scratch memory.
    """
    at, w = 0, width
    for t in range(singles.shape[0]):
        tree = tree_views(width, singles[t], shorts[t], s)
        for leaf in range(s):
            if tree.mass[leaf] > 0:
                for j in range(w):
                    tree.box[leaf, j], tree.box[leaf, w + j] = points[at, j], -points[at, j]
                at += 1
        if tree.head[SIZE] == 0:
            continue
        order[0], count, done = tree.head[ROOT], 1, 0
        tree.parent[order[0]] = -1
        while done < count:  # parents before their children
            node = order[done]
            done += 1
            if node >= s:
                for side in range(2):
                    below = tree.child[node - s, side]
                    tree.parent[below], order[count] = node, below
                    count += 1
        for i in range(count - 1, -1, -1):
            if order[i] >= s:
                fit_box(tree, int(order[i]))
