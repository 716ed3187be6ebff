"""Three-way merge of a paragraph's text, for two windows that write in it at the same time.

Lines that only one side has changed are taken from that side. Where both have changed the same
lines, both versions are kept, one below the other, so that nothing that was typed is lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

Lines = Sequence[str]


@dataclass(frozen=True, slots=True)
class MergedText:
    """``text`` holds both sides' changes; ``conflict``: the same lines were changed by both."""

    text: str
    conflict: bool


@dataclass(frozen=True, slots=True)
class _Change:
    """Lines ``start`` to ``end`` of the base become ``lines`` on side 0 or 1."""

    start: int
    end: int
    lines: Lines
    side: int


def merge(base: str, mine: str, theirs: str) -> MergedText:
    """The changes from ``base`` to ``mine`` and to ``theirs`` in one text."""
    lines = base.split("\n")
    sides = (mine.split("\n"), theirs.split("\n"))
    changes = sorted(
        (c for side, text in enumerate(sides) for c in _changes(lines, text, side)),
        key=lambda c: (c.start, c.end),
    )
    merged: list[str] = []
    at, conflict = 0, False
    for group in _groups(changes):
        start, end = group[0].start, max(c.end for c in group)
        merged += lines[at:start]
        versions = [_version(lines, group, side, start, end) for side in (0, 1)]
        touched = {c.side for c in group}
        if len(touched) == 1:
            merged += versions[touched.pop()]
        elif versions[0] == versions[1]:
            merged += versions[0]
        else:
            merged += [*versions[0], *versions[1]]
            conflict = True
        at = end
    return MergedText("\n".join([*merged, *lines[at:]]), conflict)


def _changes(base: Lines, text: Lines, side: int) -> list[_Change]:
    codes = SequenceMatcher(None, base, text, autojunk=False).get_opcodes()
    return [_Change(a, b, text[c:d], side) for tag, a, b, c, d in codes if tag != "equal"]


def _groups(changes: list[_Change]) -> list[list[_Change]]:
    """Changes that overlap or touch, together."""
    groups: list[list[_Change]] = []
    end = -1
    for change in changes:
        inserts_there = change.start == end == change.end
        if groups and (change.start < end or inserts_there):
            groups[-1].append(change)
        else:
            groups.append([change])
        end = max(end, change.end)
    return groups


def _version(base: Lines, group: list[_Change], side: int, start: int, end: int) -> list[str]:
    """Lines ``start`` to ``end`` as one side has them."""
    out: list[str] = []
    at = start
    for change in group:
        if change.side == side:
            out += [*base[at : change.start], *change.lines]
            at = change.end
    return [*out, *base[at:end]]
