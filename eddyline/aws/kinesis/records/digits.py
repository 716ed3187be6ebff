"""Sequence numbers of many records at once, as text: digits by numpy, not record by record."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Letters = npt.NDArray[np.uint8]
# Every group of four digits as text.
_FOURS: Letters = np.frombuffer(
    "".join(f"{i:04d}" for i in range(10_000)).encode(), np.uint8
).reshape(10_000, 4)
WIDTH = 20


def write(into: Letters, offsets: npt.NDArray[np.int64]) -> None:
    """Write offsets (n,) as 20 decimal digits each into ``into`` (n, 20)."""
    rest = offsets
    for end in range(WIDTH, 0, -4):
        if end < WIDTH and not rest.any():  # what is left is noughts
            into[:, :end] = ord("0")
            return
        rest, group = np.divmod(rest, 10_000)
        into[:, end - 4 : end] = _FOURS[group]


def letters(text: str) -> Letters:
    """A text's bytes."""
    return np.frombuffer(text.encode("latin-1"), np.uint8)


def numbers(start: str, first: int, count: int) -> list[str]:
    """The sequence numbers of ``count`` records from offset ``first`` on.

    ``start`` is any number of the same shard; its digits 18 to 38 are the offset.
    """
    table = np.empty((count, len(start)), np.uint8)
    table[:] = letters(start)
    write(table[:, 18:38], np.arange(first, first + count, dtype=np.int64))
    # numpy's own texts have four bytes a letter, and become Python's at once.
    texts: list[str] = table.astype(np.uint32).view(f"U{len(start)}").ravel().tolist()
    return texts
