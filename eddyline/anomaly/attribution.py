"""Which dimensions make a point unusual: the score, split by dimension and direction.

At each node the chance that a random cut parts the point from the box is a sum over the sides it
sticks out of; the score collects that chance, so it can be split in the same proportions. What a
leaf that holds the point gives is nobody's fault and is spread evenly.
"""

from __future__ import annotations

import numpy as np

from eddyline.anomaly.kernel import Doubles, Singles, Width, kernel
from eddyline.anomaly.tree import ROOT, SIZE, Tree, outside, seen_score


@kernel
def attribute_point(width: Width, tree: Tree, point: Singles, real: int, share: Doubles) -> float:
    """Add the point's score to ``share`` (2W,), highs then lows; gives the score as well.

    Of the W dimensions the first ``real`` are no padding.
    """
    head, inner = tree.head, len(tree.mass)
    if head[SIZE] == 0:
        return 0.0
    node, depth, total, weight = int(head[ROOT]), 0, 0.0, 1.0
    while node >= inner:
        out = outside(width, tree.box, node, point)
        p = float(out / (tree.span[node] + out))
        if out > 0.0:
            _spread(width, tree.box, node, point, weight * p / (depth + 1.0) / float(out), share)
        total += weight * p / (depth + 1.0)
        weight *= 1.0 - p
        i = node - inner
        node = int(tree.child[i, int(point[tree.split[i]] > tree.cut[i])])
        depth += 1
    out = outside(width, tree.box, node, point)
    if out > 0.0:
        rest = weight / (depth + 1.0)
        _spread(width, tree.box, node, point, rest / float(out), share)
        return total + rest
    rest = weight * seen_score(depth, int(tree.mass[node]), int(head[SIZE]))
    for j in range(real):
        share[j] += rest / (2.0 * real)
        share[len(width) + j] += rest / (2.0 * real)
    return total + rest


@kernel
def _spread(
    width: Width, box: Singles, node: int, point: Singles, factor: float, share: Doubles
) -> None:
    """Give each side of a box that the point sticks out of its part."""
    for j in range(2 * len(width)):
        share[j] += factor * max(point[j] - box[node, j], np.float32(0.0))
