"""A random cut forest in plain Python, written after ``docs/reference/forest-arithmetic.md`` alone.

It shares nothing with the product: it shows that the page says all that another engine must know.
"""

from __future__ import annotations

from math import ceil, exp, expm1, log, log1p, log2

import numpy as np

F = np.float32
ZERO = F(0.0)
MASK = (1 << 64) - 1


class Stream:
    """The random stream of a tree."""

    def __init__(self, seed: int, tree: int) -> None:
        self.state = self.mixed((self.mixed(seed & MASK) + tree) & MASK)

    @staticmethod
    def mixed(word: int) -> int:
        word = (word + 0x9E3779B97F4A7C15) & MASK
        word = ((word ^ (word >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        word = ((word ^ (word >> 27)) * 0x94D049BB133111EB) & MASK
        return word ^ (word >> 31)

    def uniform(self) -> float:
        word, self.state = self.mixed(self.state), (self.state + 0x9E3779B97F4A7C15) & MASK
        return ((word >> 12) + 0.5) * 2.0**-52


class Node:
    """A leaf, which has no children, or an inner node."""

    def __init__(self, box: list[F]) -> None:
        self.box, self.parent, self.mass = box, None, 1
        self.children: list[Node] = []
        self.cut, self.split = ZERO, 0

    @property
    def span(self) -> F:
        if not self.children:
            return ZERO
        total, w = ZERO, len(self.box) // 2
        for j in range(w):
            total = total + (self.box[j] + self.box[j + w])
        return total

    def outside(self, point: list[F], group: int) -> F:
        out = ZERO
        for first in range(0, len(point), group):
            parts = [ZERO] * 4
            for j in range(first, first + group):
                parts[j % 4] = parts[j % 4] + max(point[j] - self.box[j], ZERO)
            out = out + ((parts[0] + parts[1]) + (parts[2] + parts[3]))
        return out

    def towards(self, point: list[F]) -> Node:
        return self.children[int(point[self.split] > self.cut)]


class Tree:
    """One tree and its reservoir."""

    def __init__(self, seed: int, number: int, samples: int, decay: int, first_row: int) -> None:
        self.random, self.samples, self.rate = Stream(seed, number), samples, 1.0 / decay
        self.root: Node | None = None
        self.size, self.base, self.next = 0, 0, first_row
        self.heap: list[tuple[F, Node]] = []

    def score(self, point: list[F]) -> float:
        if self.root is None:
            return 0.0
        width = len(point)
        group = width if width <= 8 else 16
        node, depth, weight, score = self.root, 0, 1.0, 0.0
        while node.children:
            out = node.outside(point, group)
            part = weight * float(out / (node.span + out))
            score += part * (1.0 / (depth + 1.0))
            weight -= part
            node, depth = node.towards(point), depth + 1
        if node.outside(point, width) > ZERO:
            return score + weight * (1.0 / (depth + 1.0))
        rest = (1.0 - node.mass / (2.0 * self.size)) / (depth + log2(node.mass + 1.0))
        return score + weight * rest

    def learn(self, point: list[F], row: int) -> None:
        if row != self.next:
            return
        if self.size == self.samples:
            self.remove(self.heap[0][1])
            leaf = self.insert(point)
            self.exchange(leaf, row)
        else:
            leaf = self.insert(point)
            self.add(leaf, row)

    def insert(self, point: list[F]) -> Node:
        self.size += 1
        if self.root is None:
            self.root = Node(point)
            return self.root
        node = self.root
        while True:
            out = node.outside(point, len(point))
            if out > ZERO:
                draw = self.random.uniform() * (float(node.span) + float(out))
                if not node.children or draw < float(out):
                    break
                node.box = [max(a, b) for a, b in zip(node.box, point, strict=True)]
            elif not node.children:
                node.mass += 1
                return node
            node = node.towards(point)
        return self.part(node, point, self.random.uniform() * float(out))

    def part(self, node: Node, point: list[F], draw: float) -> Node:
        j, gap, w = 0, 1.0, len(point) // 2
        for k in range(2 * w):
            reach = float(max(point[k] - node.box[k], ZERO))
            if reach > 0.0:
                j, gap = k, reach
                if draw < gap:
                    break
                draw -= gap
        low, high = node.box[j], point[j]
        if j >= w:
            low, high = -high, -low
        share = min(max(draw / gap, 0.0), 1.0)
        value = F(float(low) + (float(high) - float(low)) * share)
        leaf = Node(point)
        above = Node([max(a, b) for a, b in zip(node.box, point, strict=True)])
        above.cut, above.split = (low if value >= high else value), j % w
        above.children = [node, leaf] if j < w else [leaf, node]
        self.hang(node, above)
        node.parent = leaf.parent = above
        return leaf

    def hang(self, old: Node, new: Node) -> None:
        new.parent = old.parent
        if old.parent is None:
            self.root = new
        else:
            old.parent.children[old.parent.children.index(old)] = new

    def remove(self, leaf: Node) -> None:
        self.size -= 1
        leaf.mass -= 1
        if leaf.mass:
            return
        if leaf.parent is None:
            self.root = None
            return
        (sibling,) = (child for child in leaf.parent.children if child is not leaf)
        self.hang(leaf.parent, sibling)
        above = sibling.parent
        while above is not None:
            left, right = above.children
            above.box = [max(a, b) for a, b in zip(left.box, right.box, strict=True)]
            above = above.parent

    def age(self, row: int) -> float:
        return self.rate * float(row - self.base)

    def following(self, row: int) -> int:
        chance = exp(float(self.heap[0][0]) + self.age(row + 1))
        need = -log(self.random.uniform())
        skipped = log1p(need * expm1(self.rate) / chance) / self.rate
        return row + max(1, ceil(min(skipped, 2.0**62)))

    def add(self, leaf: Node, row: int) -> None:
        weight = F(log(-log(self.random.uniform())) - self.age(row))
        self.heap.append((weight, leaf))
        i = len(self.heap) - 1
        while i > 0 and self.heap[(i - 1) // 2][0] < weight:
            self.heap[i] = self.heap[(i - 1) // 2]
            i = (i - 1) // 2
        self.heap[i] = (weight, leaf)
        self.next = self.following(row) if len(self.heap) == self.samples else row + 1

    def exchange(self, leaf: Node, row: int) -> None:
        age = self.age(row)
        if age >= 4.0:
            self.heap = [(F(float(weight) + age), one) for weight, one in self.heap]
            self.base = row
        age = self.age(row)
        bound = exp(float(self.heap[0][0]) + age)
        share = -log1p(self.random.uniform() * expm1(-bound))
        weight = min(F(log(share) - age), self.heap[0][0])
        i = 0
        while 2 * i + 1 < self.samples:
            down = 2 * i + 1
            if down + 1 < self.samples and self.heap[down + 1][0] > self.heap[down][0]:
                down += 1
            if self.heap[down][0] <= weight:
                break
            self.heap[i] = self.heap[down]
            i = down
        self.heap[i] = (weight, leaf)
        self.next = self.following(row)


def scores(
    points: list[list[float]], *, trees: int, samples: int, decay: int, shingle: int, seed: int
) -> list[float]:
    """Scores of points (n, d) in order, each before it is learnt; of a key's first rows, too."""
    forest = [Tree(seed, t, samples, decay, shingle - 1) for t in range(trees)]
    columns = len(points[0])
    dimensions = columns * shingle
    width = (dimensions + 7) // 8 * 8 if dimensions > 4 else 2 if dimensions <= 2 else 4
    recent = [[ZERO] * columns for _ in range(shingle)]
    out = []
    for row, values in enumerate(points):
        far = [x - first for x, first in zip(values, points[0], strict=True)]
        recent = [*recent[1:], [F(min(max(x, -1e34), 1e34)) for x in far]]
        high = [x for one in recent for x in one] + [ZERO] * (width - dimensions)
        point = [*high, *(-x for x in high)]
        total = 0.0
        for tree in forest:
            total += tree.score(point)
        for tree in forest:
            tree.learn(point, row)
        size = min(max(row - (shingle - 1), 0), samples)
        out.append(total * (log2(size + 1.0) / trees))
    return out
