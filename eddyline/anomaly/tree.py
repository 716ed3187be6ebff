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

from eddyline.anomaly.kernel import Doubles, Group, Int16s, Int64s, Singles, UInt64s, kernel

# Places in ``Tree.head``.
ROOT, SIZE, FREE_LEAF, FREE_NODE, USED_LEAVES, USED_NODES = 0, 1, 2, 3, 4, 5
HEAD = 6
# Unsigned places spare a test for places counted from the end.
_1, _2, _3 = np.uint64(1), np.uint64(2), np.uint64(3)


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


@kernel
def outside(box: Singles, node: int, point: Singles) -> np.float32:
    """How far the point sticks out of a node's box, summed over dimensions."""
    zero = np.float32(0.0)
    a, b, c, d, n = zero, zero, zero, zero, np.uint64(node)
    for j in range(0, box.shape[1], 4):
        a += max(point[j] - box[n, j], zero)
        b += max(point[j + 1] - box[n, j + 1], zero)
        c += max(point[j + 2] - box[n, j + 2], zero)
        d += max(point[j + 3] - box[n, j + 3], zero)
    return (a + b) + (c + d)


class Walk(NamedTuple):
    """Where the points of a chunk are on their way down one tree; n points."""

    node: UInt64s  # (n,)
    live: UInt64s  # (n,) points not yet at a leaf
    depth: Int64s  # (n,)
    weight: Doubles  # (n,) the chance not to have been parted yet
    score: Doubles  # (n,)


@kernel
def score_rows(
    group: Group, tree: Tree, points: Singles, first: int, stop: int, walk: Walk, total: Doubles
) -> None:
    """Add to ``total`` (n,) the scores, not normalised, of points (n, 2W) ``first`` to ``stop``.

    ``group``: a tuple as long as the sides that are taken at once, which divides 2W; its length
    is a constant to the compiler. All points go down level by level, so that the processor need
    not wait for the memory of one.
    """
    box, span, cut, split, child = tree.box, tree.span, tree.cut, tree.split, tree.child
    node, live, weight, score = walk.node, walk.live, walk.weight, walk.score
    inner, zero, count, depth = np.uint64(len(tree.mass)), np.float32(0.0), 0, 0
    size, root = int(tree.head[SIZE]), np.uint64(tree.head[ROOT])
    if size == 0:
        return
    for r in range(first, stop):
        node[r], weight[r], score[r], walk.depth[r] = root, 1.0, 0.0, 0
        live[r - first] = np.uint64(r)
    if root >= inner:
        count = stop - first
    while count > 0:
        kept, share = 0, 1.0 / (depth + 1.0)
        depth += 1
        for at in range(count):
            r = live[at]
            n = node[r]
            out = zero
            for begin in range(0, box.shape[1], len(group)):
                a, b, c, d = zero, zero, zero, zero  # sums side by side become one instruction
                for k in range(0, len(group), 4):
                    j = np.uint64(begin + k)
                    a += max(points[r, j] - box[n, j], zero)
                    b += max(points[r, j + _1] - box[n, j + _1], zero)
                    c += max(points[r, j + _2] - box[n, j + _2], zero)
                    d += max(points[r, j + _3] - box[n, j + _3], zero)
                out += (a + b) + (c + d)
            part = weight[r] * float(out / (span[n] + out))
            score[r] += part * share
            weight[r] -= part
            i = n - inner
            side = np.uint64(points[r, np.uint64(split[i])] > cut[i])
            below = np.uint64(child[i, side])
            node[r], walk.depth[r], live[kept] = below, depth, r
            kept += int(below >= inner)
        count = kept
    for r in range(first, stop):
        rest = 1.0 / (walk.depth[r] + 1.0)
        if outside(box, node[r], points[r]) == zero:
            rest = seen_score(walk.depth[r], tree.mass[node[r]], size)
        total[r] += score[r] + weight[r] * rest


@kernel
def seen_score(depth: int, mass: int, size: int) -> float:
    """What is left of a point's score at a leaf that holds it: less, the more of its like."""
    return (1.0 - mass / (2.0 * size)) / (depth + log2(mass + 1.0))


@kernel
def insert(tree: Tree, point: Singles, rng: Int64s) -> int:
    """Add the point; gives its leaf. Cuts drawn from ``rng`` decide where it parts."""
    head, inner = tree.head, len(tree.mass)
    head[SIZE] += 1
    if head[SIZE] == 1:
        leaf = _new_leaf(tree, point)
        head[ROOT], tree.parent[leaf] = leaf, -1
        return leaf
    node = int(head[ROOT])
    while True:
        out = outside(tree.box, node, point)
        if out > 0.0:
            draw = uniform(rng) * (float(tree.span[node]) + float(out))
            if node < inner or draw < float(out):
                break
            for j in range(tree.box.shape[1]):
                tree.box[node, j] = max(tree.box[node, j], point[j])
            tree.span[node] = _span(tree.box, node)
        elif node < inner:
            tree.mass[node] += 1
            return node
        i = node - inner
        node = int(tree.child[i, int(point[tree.split[i]] > tree.cut[i])])
    return _part(tree, node, point, uniform(rng) * float(out))


@kernel
def remove(tree: Tree, leaf: int) -> None:
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
    while over >= 0 and fit_box(tree, over):
        over = int(tree.parent[over])


@kernel
def _part(tree: Tree, node: int, point: Singles, draw: float) -> int:
    """Put a new inner node over ``node``, with the point's new leaf at its other side.

    ``draw`` lies in [0, how far the point sticks out): it chooses dimension and place of the cut.
    """
    inner, w, j, gap = len(tree.mass), tree.box.shape[1] // 2, 0, 1.0
    for k in range(2 * w):
        reach = float(max(point[k] - tree.box[node, k], np.float32(0.0)))
        if reach > 0.0:
            j, gap = k, reach
            if draw < gap:
                break
            draw -= gap
    leaf, above = _new_leaf(tree, point), _new_node(tree)
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
    tree.span[above] = _span(tree.box, above)
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
def fit_box(tree: Tree, node: int) -> bool:
    """Fit a node's box to its children's; False if it fitted already."""
    i, changed = node - len(tree.mass), False
    left, right = int(tree.child[i, 0]), int(tree.child[i, 1])
    for j in range(tree.box.shape[1]):
        side = max(tree.box[left, j], tree.box[right, j])
        changed |= side != tree.box[node, j]
        tree.box[node, j] = side
    tree.span[node] = _span(tree.box, node)
    return changed


@kernel
def _span(box: Singles, node: int) -> np.float32:
    """Total side length of a node's box."""
    total = np.float32(0.0)
    w = box.shape[1] // 2
    for j in range(w):
        total += box[node, j] + box[node, j + w]
    return total


@kernel
def _new_leaf(tree: Tree, point: Singles) -> int:
    """A leaf that holds the point once."""
    head = tree.head
    leaf = int(head[FREE_LEAF])
    if leaf >= 0:
        head[FREE_LEAF] = tree.parent[leaf]
    else:
        leaf = int(head[USED_LEAVES])
        head[USED_LEAVES] += 1
    tree.mass[leaf], tree.span[leaf] = 1, 0.0
    for j in range(tree.box.shape[1]):
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
