"""Sessions: visitors who click through pages over several records.

A number of sessions is under way at any time; each record is a click in one of them, drawn at
random. A click leads to the next page by the page's weights, or ends the session, and the next
click in its place begins a new one. A session keeps its number, its visitor, and whatever
``session.keep`` draws.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa

from eddyline.generator.arguments import Arguments, text_of
from eddyline.generator.column import (
    At,
    GeneratedColumn,
    Integers,
    NumberRange,
    SameText,
    Texts,
    Uniforms,
    bytes_of,
    index,
    spread,
)
from eddyline.generator.methods.method import Method

SHARED = "session"
ACTIVE_MAX = 1_000_000
PAGES_MAX = 500
PAGE = "/"


@dataclass(frozen=True, slots=True)
class Paths:
    """Pages, and for each the running sum of the chances of the next; beyond it the session ends.

    ``starts`` has shape (pages,), ``nexts`` (pages, pages).
    """

    pages: list[str]
    starts: Uniforms
    nexts: Uniforms


@dataclass(frozen=True, slots=True)
class Clicks:
    """The clicks of a batch: page, page before (-1: none), number within the session from 1, and
    the row of the batch in which the session began; where it began earlier, its place - active.
    """

    page: Integers
    previous: Integers
    click: Integers
    origin: Integers
    place: Integers


class TemplateSessions:
    """The sessions under way; built before what asks for them."""

    stateful = True
    slots = 3
    width = 0

    def __init__(self, active: int, paths: Paths, visitors: int) -> None:
        self.active = active
        self.paths = paths
        self.visitors = visitors
        self._next = -1

    def build(self, u: Uniforms, at: At) -> Clicks:
        if at.first != self._next:  # another run
            self._page = np.full(self.active, -1, np.int64)
            self._click = np.zeros(self.active, np.int64)
        self._next = at.first + at.n
        place = index(u[:, 0], self.active)
        out = np.empty((4, at.n), np.int64)
        paths = self.paths
        _walk()(place, u[:, 1], u[:, 2], paths.starts, paths.nexts, self._page, self._click, out)
        return Clicks(out[0], out[1], out[2], out[3], place)


@cache
def _walk() -> Callable[..., None]:
    """The kernel, compiled when the first template needs it."""
    from numba import njit

    kernel: Callable[..., None] = njit(cache=True, nogil=True)(_clicks)
    return kernel


def _clicks(place, u, v, starts, nexts, page, click, out):  # type: ignore[no-untyped-def]
    """One click after the other; ``page`` and ``click`` (active,) are the state, -1 is a fresh
    place; ``out`` (4, n) takes page, previous, click, origin.
    """
    began = np.full(len(page), -1, np.int64)
    for row in range(len(place)):
        at = place[row]
        before = page[at]
        to = -1
        if before >= 0:
            to = np.searchsorted(nexts[before], u[row], side="right")
            if to >= nexts.shape[1]:
                to = -1
        if to < 0:
            before = -1
            to = min(np.searchsorted(starts, v[row], side="right"), len(starts) - 1)
            click[at] = 0
            began[at] = row
        page[at] = to
        click[at] += 1
        out[0, row] = to
        out[1, row] = before
        out[2, row] = click[at]
        out[3, row] = began[at] if began[at] >= 0 else at - len(page)


class SessionColumn:
    """A column drawn once a session, the same in all its records."""

    stateful = True

    def __init__(self, sessions: TemplateSessions, inner: GeneratedColumn) -> None:
        self._active = sessions.active
        self._inner = inner
        self.slots = inner.slots
        self.width = inner.width
        self._texts: Any = None
        self._next = -1

    def build(self, u: Uniforms, at: At) -> Texts:
        clicks: Clicks = at.values[SHARED]
        fresh = spread(self._inner.build(u, at), at.n)
        if at.first != self._next or self._texts is None:
            self._texts = pa.nulls(self._active, pa.string())
        self._next = at.first + at.n
        both = pa.concat_arrays([self._texts, fresh])
        rows = clicks.origin + self._active
        held = np.arange(self._active)
        held[clicks.place] = rows
        self._texts = both.take(pa.array(held))
        return both.take(pa.array(rows))


@dataclass(frozen=True, slots=True)
class VisitedPage:
    """The page of a click, or the one before (empty at a session's first)."""

    texts: list[str]
    before: bool
    slots: int = 0

    @property
    def width(self) -> int:
        return max(bytes_of(t) for t in self.texts)

    def build(self, u: Uniforms, at: At) -> Texts:
        clicks: Clicks = at.values[SHARED]
        rows = clicks.previous + 1 if self.before else clicks.page + 1
        return pa.array(["", *self.texts]).take(pa.array(rows))


@dataclass(frozen=True, slots=True)
class Click:
    """The number of a click within its session, from 1."""

    slots: int = 0
    width: int = 20

    def build(self, u: Uniforms, at: At) -> Texts:
        clicks: Clicks = at.values[SHARED]
        return pa.array(clicks.click).cast(pa.string())


def start(args: Arguments) -> GeneratedColumn:
    """Configures sessions; writes nothing."""
    made = False

    def make() -> TemplateSessions:
        nonlocal made
        made = True
        return _sessions(args)

    _shared(args, make)
    if not made:
        args.fail("a template has one session.start")
    return SameText("")


def _shared(
    args: Arguments, make: Callable[[], TemplateSessions] | None = None
) -> TemplateSessions:
    assert args.scope is not None
    sessions: TemplateSessions = args.scope.shared(
        SHARED, make or (lambda: _sessions(Arguments("session.start", ())))
    )
    return sessions


def _sessions(args: Arguments) -> TemplateSessions:
    given = args.named("active", "clicks", "visitors", "pages", "start")
    active = args.whole(given, "active", 100, 1, ACTIVE_MAX)
    clicks = args.number(given, "clicks", 5, 1, 1e9)
    visitors = args.whole(given, "visitors", 10_000, 1, 2**53)
    return TemplateSessions(active, _paths(args, given, 1 - 1 / clicks), visitors)


def _paths(args: Arguments, given: dict[str, Any], stays: float) -> Paths:
    pages = given.get("pages", {PAGE: {PAGE: 1}})
    if not isinstance(pages, dict) or not all(isinstance(v, dict) for v in pages.values()):
        args.fail("pages must be an object of objects", 'as in {"/":{"/a":3,"/b":1},"/a":{}}')
    names = list(dict.fromkeys([*pages, *(n for v in pages.values() for n in v if n != "exit")]))
    if not 1 <= len(names) <= PAGES_MAX:
        args.fail(f"there are {len(names)} pages; 1 to {PAGES_MAX} may be")
    nexts = np.zeros((len(names), len(names)))
    for name, ways in pages.items():
        sizes = {to: args.number({to: w}, to, 0, 0, 1e12) for to, w in ways.items()}
        total = sum(sizes.values())
        chance = stays if "exit" not in sizes else 1.0
        for to, size in sizes.items():
            if to != "exit" and total > 0:
                nexts[names.index(name), names.index(to)] = size / total * chance
    starts = _starts(args, given.get("start", names[0]), names)
    return Paths(names, np.cumsum(starts), np.cumsum(nexts, axis=1))


def _starts(args: Arguments, given: Any, names: list[str]) -> Uniforms:
    ways = given if isinstance(given, dict) else {text_of(given): 1}
    out = np.zeros(len(names))
    for name, weight in ways.items():
        if name not in names:
            args.fail(f"start: there is no page {name[:40]}", f"pages: {', '.join(names[:5])}")
        out[names.index(name)] = args.number({name: weight}, name, 0, 0, 1e12)
    if not out.sum() > 0:
        args.fail("all weights of start are zero")
    share: Uniforms = out / out.sum()
    return share


def keep(args: Arguments) -> GeneratedColumn:
    assert args.scope is not None
    tag = args.first()
    if not isinstance(tag, str) or not tag.strip():
        args.fail("a tag is needed", 'as in {{session.keep("internet.ip")}}')
    if tag.strip().startswith((SHARED + ".", "record.")):
        args.fail(f"{tag.strip()[:40]} cannot be kept", "keep a value, as internet.ip")
    return SessionColumn(_shared(args), args.scope.tag(tag, args))


def number(args: Arguments) -> GeneratedColumn:
    return SessionColumn(_shared(args), NumberRange(10**15, 8 * 10**15))


def visitor(args: Arguments) -> GeneratedColumn:
    sessions = _shared(args)
    return SessionColumn(sessions, NumberRange(1, sessions.visitors))


def page(args: Arguments) -> GeneratedColumn:
    return VisitedPage(_shared(args).paths.pages, before=False)


def previous(args: Arguments) -> GeneratedColumn:
    return VisitedPage(_shared(args).paths.pages, before=True)


def click(args: Arguments) -> GeneratedColumn:
    _shared(args)
    return Click()


METHODS = (
    Method("session.start", "({active,clicks,visitors,pages,start})",
           "Configures sessions: how many at a time, clicks on average, visitors, pages with the "
           "weights of the next. Writes nothing.", start,
           'session.start({"active":5,"clicks":4,"pages":{"/":{"/a":3,"/b":1},"/a":{"/":1}}})',
           ""),
    Method("session.id", "", "The session's number of 16 digits.", number, "session.id",
           r"\d{16}"),
    Method("session.visitor", "", "The number of the session's visitor.", visitor,
           "session.visitor", r"\d+"),
    Method("session.page", "", "The page of this click.", page, "session.page", ".+"),
    Method("session.previous", "", "The page before; empty at a session's first click.",
           previous, "session.previous", ".*"),
    Method("session.click", "", "The click's number within its session, from 1.", click,
           "session.click", r"\d+"),
    Method("session.keep", '("module.method(…)")', "A value drawn once a session.", keep,
           'session.keep("internet.ip")', r"(\d{1,3}\.){3}\d{1,3}"),
)  # fmt: skip
