"""Reads LMDB's data file page by page, without LMDB: whether its trees are sound, and its entries.

LMDB has no checksums for its own pages. A branch page with a changed byte sends it anywhere,
which ends in an error at best and in a segmentation fault at worst. So the trees are walked here
before LMDB sees them; ``log/repair.py`` makes a new file of what can be read.

The layout is that of LMDB 0.9 (``mdb.c``), little-endian, 64 bits. A page begins with its number
(8 bytes), padding (2), flags (2), and where its free space begins and ends (2 each), which for an
overflow page is its count of pages (4). Pointers to nodes follow, two bytes each. A node is size
or page number (4), flags (2), key size (2), key, and in a leaf the data or the number of the
overflow page that holds them. The free list is a tree whose keys are transaction numbers,
ordered as numbers: 255 stands before 256, though its bytes (ff 00) stand behind those (00 01).
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

BRANCH, LEAF, OVERFLOW, META = 1, 2, 4, 8
_BIG_DATA = 1
_PAGE = struct.Struct("<QHHHH")
_OVERFLOW = struct.Struct("<QHHI")
_NODE = struct.Struct("<HHHH")
_MAGIC = struct.Struct("<II")
_DB = struct.Struct("<IHHQQQQQ")
_TAIL = struct.Struct("<QQ")
_MAGIC_VERSION = (0xBEEFC0DE, 1)
_EMPTY = 2**64 - 1
# The maps' address and size stand between the magic and the trees.
_DBS_AT = 16 + _MAGIC.size + 16
KEY_BYTES_MAX = 511
DEPTH_MAX = 32
# Headers of so many overflow pages are looked at; each lies on a page of its own.
OVERFLOWS_MAX = 10_000


class DamagedPage(Exception):
    """A page is not what LMDB wrote."""


@dataclass(frozen=True, slots=True)
class Meta:
    """One of the two meta pages: a committed state of the file."""

    txn: int
    page_bytes: int
    last_page: int
    free_root: int
    main_root: int


@dataclass(slots=True)
class PageWalk:
    """The result of walking a tree; ``damaged`` pages could not be followed."""

    entries: list[tuple[bytes, bytes]] = field(default_factory=list)
    pages: set[int] = field(default_factory=set)
    damaged: list[int] = field(default_factory=list)
    overflows: int = 0
    numbers: bool = False


class DataFile:
    """The pages of a data file; a context manager."""

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self.size = len(self._map)
        self.metas = sorted(self._metas(), key=lambda m: m.txn)
        # All pages have the size that a meta page tells; without one that of this machine.
        self.page_bytes = self.metas[-1].page_bytes if self.metas else mmap.PAGESIZE

    def __enter__(self) -> DataFile:
        return self

    def __exit__(self, *_: object) -> None:
        self._map.close()

    def _metas(self) -> Iterator[Meta]:
        """Those meta pages that are whole. The second lies at the page size, whatever that is."""
        for page_bytes in (4096, 8192, 16384, 32768, 65536):
            for at in (0, page_bytes):
                meta = self._meta(at)
                if meta is not None and meta.page_bytes == page_bytes:
                    yield meta

    def _meta(self, at: int) -> Meta | None:
        end = at + _DBS_AT + 2 * _DB.size + _TAIL.size
        if end > self.size or _PAGE.unpack_from(self._map, at)[2] & META == 0:
            return None
        if _MAGIC.unpack_from(self._map, at + 16) != _MAGIC_VERSION:
            return None
        free = _DB.unpack_from(self._map, at + _DBS_AT)
        main = _DB.unpack_from(self._map, at + _DBS_AT + _DB.size)
        last_page, txn = _TAIL.unpack_from(self._map, at + _DBS_AT + 2 * _DB.size)
        return Meta(txn, free[0], last_page, free[7], main[7])

    def is_sound(self) -> bool:
        """Whether both meta pages are whole and the newest one's trees can be followed."""
        if len(self.metas) != 2:
            return False
        meta = self.metas[-1]
        walks = [self.walk(meta.main_root, values=False), self.walk(meta.free_root, numbers=True)]
        if any(w.damaged for w in walks):
            return False
        main, free = walks
        return self._free_pages(free, meta).isdisjoint(main.pages | free.pages | {0, 1})

    def _free_pages(self, free: PageWalk, meta: Meta) -> set[int]:
        """The pages that the free list gives out again; page 0 for a list that is none."""
        pages: set[int] = set()
        for _, value in free.entries:
            numbers = struct.unpack_from(f"<{len(value) // 8}Q", value)
            listed = numbers[1 : numbers[0] + 1] if numbers else ()
            wrong = len(listed) != (numbers[0] if numbers else -1)
            if wrong or any(not 1 < n <= meta.last_page for n in listed):
                return {0}
            pages.update(listed)
        return pages

    def walk(self, root: int, *, values: bool = True, numbers: bool = False) -> PageWalk:
        """The entries of a tree; those below a damaged page are left out.

        numbers: its keys are ordered as numbers. They are given with their highest byte first.
        """
        walk = PageWalk(numbers=numbers)
        if root != _EMPTY:
            self._down(walk, root, (b"", None), DEPTH_MAX, values)
        return walk

    def _down(
        self,
        walk: PageWalk,
        number: int,
        bounds: tuple[bytes, bytes | None],
        depth: int,
        values: bool,
    ) -> None:
        try:
            if number in walk.pages or depth == 0:
                raise DamagedPage
            flags, nodes = self._nodes(number, bounds, walk.numbers)
            entries = self._entries(walk, nodes, values) if flags == LEAF else []
        except DamagedPage:
            walk.damaged.append(number)
            return
        walk.pages.add(number)
        walk.entries += entries
        if flags == BRANCH:
            keys = [bounds[0], *(key for key, _ in nodes[1:]), bounds[1]]
            for n, (_, at) in enumerate(nodes):
                low = keys[n]
                assert low is not None
                self._down(walk, self._child(at), (low, keys[n + 1]), depth - 1, values)

    def _child(self, at: int) -> int:
        low, high, flags, _ = _NODE.unpack_from(self._map, at)
        return int(low | high << 16 | flags << 32)

    def leaf_entries(self) -> Iterator[tuple[bytes, bytes]]:
        """The entries of all leaf pages in the file, of old states too; damaged ones are left out.

        LMDB writes a changed page to another place, so that older copies survive for a while.
        """
        for number in range(2, self.size // self.page_bytes):
            try:
                flags, nodes = self._nodes(number, (b"", None))
                if flags == LEAF:
                    yield from self._entries(PageWalk(), nodes, True, partly=True)
            except DamagedPage:
                continue

    def _nodes(
        self, number: int, bounds: tuple[bytes, bytes | None], numbers: bool = False
    ) -> tuple[int, list[tuple[bytes, int]]]:
        """(kind of the page, key and place of its nodes), whose keys ascend within the bounds.

        Raises:
            Damaged: it is no such page.
        """
        begin = number * self.page_bytes
        if number < 2 or begin + self.page_bytes > self.size:
            raise DamagedPage
        own, _, flags, lower, upper = _PAGE.unpack_from(self._map, begin)
        count = (lower - _PAGE.size) // 2
        whole = _PAGE.size <= lower <= upper <= self.page_bytes and count > 0
        if own != number or flags not in (BRANCH, LEAF) or lower % 2 or not whole:
            raise DamagedPage
        nodes: list[tuple[bytes, int]] = []
        low, high = bounds
        for i, offset in enumerate(struct.unpack_from(f"<{count}H", self._map, begin + _PAGE.size)):
            at = begin + offset
            if not upper <= offset <= self.page_bytes - _NODE.size:
                raise DamagedPage
            size = _NODE.unpack_from(self._map, at)[3]
            key = self._map[at + _NODE.size : at + _NODE.size + size]
            if numbers:
                key = key[::-1]
            if size > KEY_BYTES_MAX or offset + _NODE.size + size > self.page_bytes:
                raise DamagedPage
            implicit = flags == BRANCH and i == 0  # the first key of a branch stands for all below
            if not implicit and (key < low or (high is not None and key >= high) or not key):
                raise DamagedPage
            if nodes and i > (1 if flags == BRANCH else 0) and key <= nodes[-1][0]:
                raise DamagedPage
            nodes.append((key, at))
        return flags, nodes

    def _entries(
        self, walk: PageWalk, nodes: list[tuple[bytes, int]], values: bool, *, partly: bool = False
    ) -> list[tuple[bytes, bytes]]:
        """(key, value) of a leaf's nodes; ``partly``: those that are whole.

        Raises:
            Damaged: a value does not lie in the file.
        """
        entries = []
        for key, at in nodes:
            try:
                entries.append((key, self._value(walk, key, at, values)))
            except DamagedPage:
                if not partly:
                    raise
        return entries

    def _value(self, walk: PageWalk, key: bytes, at: int, values: bool) -> bytes:
        low, high, flags, _ = _NODE.unpack_from(self._map, at)
        size, begin = low | high << 16, at + _NODE.size + len(key)
        if flags & ~_BIG_DATA:
            raise DamagedPage
        if not flags:
            if begin + size > (at // self.page_bytes + 1) * self.page_bytes:
                raise DamagedPage
            return self._map[begin : begin + size] if values else b""
        number = int.from_bytes(self._map[begin : begin + 8], "little")
        count = -(-(size + _PAGE.size) // self.page_bytes)
        place = number * self.page_bytes
        if number < 2 or place + count * self.page_bytes > self.size:
            raise DamagedPage
        walk.overflows += 1
        if walk.overflows <= OVERFLOWS_MAX:
            own, _, kind, pages = _OVERFLOW.unpack_from(self._map, place)
            if values is False and (own, kind, pages) != (number, OVERFLOW, count):
                raise DamagedPage
        walk.pages.update(range(number, number + count))
        return self._map[place + _PAGE.size : place + _PAGE.size + size] if values else b""
