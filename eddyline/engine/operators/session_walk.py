"""Sessions of one key, row by row: the plain rule, for the rare key that needs it.

A row opens a window from its time to its time plus the gap; windows that touch merge, if they
have not fired; a row whose window has fired when it comes, and that touches no live one, is late.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Item:
    """A row (``row`` >= 0) or a live session (-1): its window, and the watermark before it."""

    place: int
    start: int
    end: int
    row: int
    watermark: int


@dataclass(slots=True)
class _OpenSession:
    start: int
    end: int
    places: list[int]


def walk(items: list[Item]) -> dict[int, int | None]:
    """Place to island number; None for a late row. Rows in order of arrival."""
    live: list[_OpenSession] = []
    closed: list[_OpenSession] = []
    late: list[int] = []
    for item in sorted(items, key=lambda i: i.row):
        if item.row < 0:
            live.append(_OpenSession(item.start, item.end, [item.place]))
            continue
        closed += [s for s in live if s.end - 1 <= item.watermark]
        live = [s for s in live if s.end - 1 > item.watermark]
        near = [s for s in live if s.start <= item.end and item.start <= s.end]
        if not near and item.end - 1 <= item.watermark:
            late.append(item.place)
            continue
        live = [s for s in live if s not in near]
        live.append(_joined(near, item))
    out: dict[int, int | None] = dict.fromkeys(late)
    for number, session in enumerate([*closed, *live]):
        out.update(dict.fromkeys(session.places, number))
    return out


def _joined(near: list[_OpenSession], item: Item) -> _OpenSession:
    places = [p for s in near for p in s.places] + [item.place]
    start = min([item.start, *(s.start for s in near)])
    return _OpenSession(start, max([item.end, *(s.end for s in near)]), places)
