"""Which dimensions make a point unusual: the score, split by dimension and direction.

At each node the chance that a random cut parts the point from the box is a sum over the sides it
sticks out of; the score collects that chance, so it can be split in the same proportions. What a
leaf that holds the point gives is nobody's fault and is spread evenly.
"""

from __future__ import annotations

import numpy as np

from eddyline.anomaly.kernel import Doubles, Singles, kernel
from eddyline.anomaly.tree import ROOT, SIZE, Tree, outside, seen_score


@kernel
def attribute_point(tree: Tree, point: Singles, real: int, share: Doubles) -> None:
    """Add the point's score, not normalised, to ``share`` (2W,): highs, then lows.

    Of the W dimensions the first ``real`` are no padding.
    """
    head, inner, w = tree.head, len(tree.mass), tree.box.shape[1] // 2
    if head[SIZE] == 0:
        return
    node, depth, weight = int(head[ROOT]), 0, 1.0
    while node >= inner:
        out = outside(tree.box, node, point)
        if out > 0.0:
            part = weight * float(out / (tree.span[node] + out))
            _spread(tree.box, node, point, part / (depth + 1.0) / float(out), share)
            weight -= part
        i = node - inner
        node = int(tree.child[i, int(point[tree.split[i]] > tree.cut[i])])
        depth += 1
    out = outside(tree.box, node, point)
    if out > 0.0:
        _spread(tree.box, node, point, weight / (depth + 1.0) / float(out), share)
        return
    rest = weight * seen_score(depth, int(tree.mass[node]), int(head[SIZE]))
    for j in range(real):
        share[j] += rest / (2.0 * real)
        share[w + j] += rest / (2.0 * real)


@kernel
def _spread(box: Singles, node: int, point: Singles, factor: float, share: Doubles) -> None:
    """Give each side of a box that the point sticks out of its part."""
    for j in range(box.shape[1]):
        share[j] += factor * max(point[j] - box[node, j], np.float32(0.0))
