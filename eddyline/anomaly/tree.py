"""One random cut tree in flat arrays: score a point, insert it, remove it.

A tree over at most S samples has leaves 0..S-1 and inner nodes S..2S-2. Each node keeps its
bounding box as 2W numbers, the highs and then the negated lows, so that "how far outside" is one
sum of ``max(0, point - box)`` and a union is one ``max``; a point is stored the same way, as
``[x, -x]``. ``span`` is the box's total side length. An inner node cuts at ``cut`` in dimension
``split``: values up to the cut go to child 0, above it to child 1.

Insertion and removal keep the tree distributed as if it had been drawn afresh over the samples
it holds (Guha, Mishra, Roy, Schrijvers: Robust Random Cut Forest Based Anomaly Detection on
Streams, ICML 2016). The score is the expected inverse depth at which a random cut would part
the point from the samples.
"""

from __future__ import annotations

from math import log2
from typing import NamedTuple

import numpy as np

from eddyline.anomaly.kernel import Int16s, Int64s, Singles, Width, inlined, kernel

# Places in ``Tree.head``.
ROOT, SIZE, FREE_LEAF, FREE_NODE, USED_LEAVES, USED_NODES = 0, 1, 2, 3, 4, 5
HEAD = 6


class Tree(NamedTuple):
    """Views of one tree's part of a forest's arrays; S samples, W padded dimensions."""

    box: Singles  # (2S-1, 2W)
    span: Singles  # (2S-1,)
    cut: Singles  # (S-1,) of inner node S+i
    split: Int16s  # (S-1,)
    child: Int16s  # (S-1, 2)
    parent: Int16s  # (2S-1,), -1 above the root; next free one on a free list
    mass: Int16s  # (S,) equal samples in a leaf
    head: Int16s  # (HEAD,)


@kernel
def uniform(rng: Int64s) -> float:
    """The next number in (0, 1) of a SplitMix64 sequence; ``rng`` (1,) holds its state."""
    state = np.uint64(rng[0]) + np.uint64(0x9E3779B97F4A7C15)
    rng[0] = np.int64(state)
    z = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z = z ^ (z >> np.uint64(31))
    return (np.float64(z >> np.uint64(12)) + 0.5) * 2.0**-52


@inlined
def outside(width: Width, box: Singles, node: int, point: Singles) -> np.float32:
    """How far the point sticks out of a node's box, summed over dimensions."""
    total = np.float32(0.0)
    for j in range(2 * len(width)):
        total += max(point[j] - box[node, j], np.float32(0.0))
    return total


@kernel
def score_point(width: Width, tree: Tree, point: Singles) -> float:
    """Expected inverse depth of the point, not normalised; 0 for an empty tree."""
    head, inner = tree.head, len(tree.mass)
    if head[SIZE] == 0:
        return 0.0
    node, depth, total, weight = int(head[ROOT]), 0, 0.0, 1.0
    while node >= inner:
        out = outside(width, tree.box, node, point)
        p = float(out / (tree.span[node] + out))
        total += weight * p / (depth + 1.0)
        weight *= 1.0 - p
        i = node - inner
        node = int(tree.child[i, int(point[tree.split[i]] > tree.cut[i])])
        depth += 1
    if outside(width, tree.box, node, point) > 0.0:
        return total + weight / (depth + 1.0)
    return total + weight * seen_score(depth, int(tree.mass[node]), int(head[SIZE]))


@kernel
def seen_score(depth: int, mass: int, size: int) -> float:
    """What is left of a point's score at a leaf that holds it: less, the more of its like."""
    return (1.0 - mass / (2.0 * size)) / (depth + log2(mass + 1.0))


@kernel
def insert(width: Width, tree: Tree, point: Singles, rng: Int64s) -> int:
    """Add the point; gives its leaf. Cuts drawn from ``rng`` decide where it parts."""
    head, inner = tree.head, len(tree.mass)
    head[SIZE] += 1
    if head[SIZE] == 1:
        leaf = _new_leaf(width, tree, point)
        head[ROOT], tree.parent[leaf] = leaf, -1
        return leaf
    node = int(head[ROOT])
    while True:
        out = outside(width, tree.box, node, point)
        if out > 0.0:
            draw = uniform(rng) * (float(tree.span[node]) + float(out))
            if node < inner or draw < float(out):
                break
            for j in range(2 * len(width)):
                tree.box[node, j] = max(tree.box[node, j], point[j])
            tree.span[node] = _span(width, tree.box, node)
        elif node < inner:
            tree.mass[node] += 1
            return node
        i = node - inner
        node = int(tree.child[i, int(point[tree.split[i]] > tree.cut[i])])
    return _part(width, tree, node, point, uniform(rng) * float(out))


@kernel
def remove(width: Width, tree: Tree, leaf: int) -> None:
    """Take one sample out of a leaf; the boxes above shrink as far as it held them out."""
    head, inner = tree.head, len(tree.mass)
    head[SIZE] -= 1
    if tree.mass[leaf] > 1:
        tree.mass[leaf] -= 1
        return
    tree.mass[leaf] = 0
    gone = int(tree.parent[leaf])
    tree.parent[leaf], head[FREE_LEAF] = head[FREE_LEAF], leaf
    if gone < 0:
        head[ROOT] = -1
        return
    i = gone - inner
    sibling = int(tree.child[i, 1] if tree.child[i, 0] == leaf else tree.child[i, 0])
    over = int(tree.parent[gone])
    tree.parent[sibling] = over
    _hang(tree, over, gone, sibling)
    tree.parent[gone], head[FREE_NODE] = head[FREE_NODE], gone
    while over >= 0 and fit_box(width, tree, over):
        over = int(tree.parent[over])


@kernel
def _part(width: Width, tree: Tree, node: int, point: Singles, draw: float) -> int:
    """Put a new inner node over ``node``, with the point's new leaf at its other side.

    ``draw`` lies in [0, how far the point sticks out): it chooses dimension and place of the cut.
    """
    inner, w, j, gap = len(tree.mass), len(width), 0, 1.0
    for k in range(2 * w):
        reach = float(max(point[k] - tree.box[node, k], np.float32(0.0)))
        if reach > 0.0:
            j, gap = k, reach
            if draw < gap:
                break
            draw -= gap
    leaf, above = _new_leaf(width, tree, point), _new_node(tree)
    i, high = above - inner, j < w
    low_end, high_end = tree.box[node, j], point[j]
    if not high:  # the low sides are stored negated
        low_end, high_end = -high_end, -low_end
    share = min(max(draw / gap, 0.0), 1.0)
    value = np.float32(float(low_end) + (float(high_end) - float(low_end)) * share)
    tree.cut[i] = low_end if value >= high_end else value
    tree.split[i] = j if high else j - w
    tree.child[i, 0] = node if high else leaf
    tree.child[i, 1] = leaf if high else node
    over = int(tree.parent[node])
    tree.parent[above], tree.parent[node], tree.parent[leaf] = over, above, above
    _hang(tree, over, node, above)
    for k in range(2 * w):
        tree.box[above, k] = max(tree.box[node, k], point[k])
    tree.span[above] = _span(width, tree.box, above)
    return leaf


@kernel
def _hang(tree: Tree, over: int, old: int, new: int) -> None:
    """Make ``new`` the child of ``over`` where ``old`` was; ``over`` -1 stands for the root."""
    if over < 0:
        tree.head[ROOT] = new
        return
    i = over - len(tree.mass)
    side = 0 if tree.child[i, 0] == old else 1
    tree.child[i, side] = new


@kernel
def fit_box(width: Width, tree: Tree, node: int) -> bool:
    """Fit a node's box to its children's; False if it fitted already."""
    i, changed = node - len(tree.mass), False
    left, right = int(tree.child[i, 0]), int(tree.child[i, 1])
    for j in range(2 * len(width)):
        side = max(tree.box[left, j], tree.box[right, j])
        changed |= side != tree.box[node, j]
        tree.box[node, j] = side
    tree.span[node] = _span(width, tree.box, node)
    return changed


@kernel
def _span(width: Width, box: Singles, node: int) -> np.float32:
    """Total side length of a node's box."""
    total = np.float32(0.0)
    for j in range(len(width)):
        total += box[node, j] + box[node, j + len(width)]
    return total


@kernel
def _new_leaf(width: Width, tree: Tree, point: Singles) -> int:
    """A leaf that holds the point once."""
    head = tree.head
    leaf = int(head[FREE_LEAF])
    if leaf >= 0:
        head[FREE_LEAF] = tree.parent[leaf]
    else:
        leaf = int(head[USED_LEAVES])
        head[USED_LEAVES] += 1
    tree.mass[leaf], tree.span[leaf] = 1, 0.0
    for j in range(2 * len(width)):
        tree.box[leaf, j] = point[j]
    return leaf


@kernel
def _new_node(tree: Tree) -> int:
    """An inner node without content."""
    head = tree.head
    node = int(head[FREE_NODE])
    if node >= 0:
        head[FREE_NODE] = tree.parent[node]
    else:
        node = len(tree.mass) + int(head[USED_NODES])
        head[USED_NODES] += 1
    return node
