"""What a process tree costs: CPU seconds and memory, from /proc."""

from __future__ import annotations

import os
from array import array
from collections.abc import Iterator
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
# Flags of a page in /proc/PID/pagemap.
_PRESENT, _OF_A_FILE = 1 << 63, 1 << 61
# A file, as its device and inode, and which of its pages.
_Page = tuple[str, int]


def tree(pid: int) -> list[int]:
    """The process and all below it."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue
            parents.setdefault(int(fields[1]), []).append(int(entry.name))
    pids, todo = [], [pid]
    while todo:
        pids.append(todo.pop())
        todo += parents.get(pids[-1], [])
    return pids


def cpu_s(pid: int) -> float:
    """CPU seconds of the tree so far, user and system."""
    total = 0
    for one in tree(pid):
        try:
            fields = Path(f"/proc/{one}/stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        total += int(fields[11]) + int(fields[12])
    return total / _TICKS


def memory_mib(pid: int) -> float:
    """Memory of the tree: what its processes have for themselves, and each page of a file once.

    Not PSS, which grows smaller while another process on the machine uses the same libraries.
    """
    own_kib, shared = 0, set[_Page]()
    for one in tree(pid):
        try:
            text = Path(f"/proc/{one}/smaps_rollup").read_text()
            own_kib += sum(int(li.split()[1]) for li in text.splitlines() if li[:9] == "Pss_Anon:")
            shared |= set(_file_pages(one))
        except OSError:
            continue
    return own_kib / 1024 + len(shared) * _PAGE / 2**20


def _file_pages(pid: int) -> Iterator[_Page]:
    """The pages of files that a process has in memory, without those it wrote to."""
    with Path(f"/proc/{pid}/pagemap").open("rb") as pagemap:
        for start, end, file, first in _mappings(pid):
            pagemap.seek(start // _PAGE * 8)
            flags = array("Q", pagemap.read((end - start) // _PAGE * 8))
            for place, flag in enumerate(flags):
                if flag & _PRESENT and flag & _OF_A_FILE:
                    yield file, first + place


def _mappings(pid: int) -> Iterator[tuple[int, int, str, int]]:
    """Start, end, file and first page of each mapping of a file that is in memory at all."""
    where = None
    for line in Path(f"/proc/{pid}/smaps").read_text().splitlines():
        fields = line.split()
        if fields[0] == "Rss:" and where is not None and fields[1] != "0":
            yield where
        elif not fields[0].endswith(":"):
            start, end = (int(edge, 16) for edge in fields[0].split("-"))
            file = f"{fields[3]}/{fields[4]}"
            where = None if fields[4] == "0" else (start, end, file, int(fields[2], 16) // _PAGE)
