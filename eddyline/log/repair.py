"""Rebuilds the damaged file of a stream from everything in it that can be read.

A block that changed at rest loses only itself (``log/reader.py``). A damaged page of the tree that
leads to the blocks would lose many of them. So everything that the file still holds is collected,
including older copies of pages, and written into a new file that replaces the old one. A block
counts, wherever it lies, if its checksum matches its key: records never change, so an old copy is
as good as a new one. The old file is kept until the next repair.
"""

from __future__ import annotations

import fcntl
import logging
import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec

from eddyline.clock import SYSTEM
from eddyline.errors import EddylineError
from eddyline.log.block import decode
from eddyline.log.environment import DAMAGED_FILE, DATA_FILE, LOCK_FILE, make, translated
from eddyline.log.keys import (
    BLOCK_KEY_BYTES,
    HEADS,
    INFO,
    MARK_KEY_BYTES,
    MARKS,
    EpochMark,
    Head,
    Saved,
    block_key,
    block_offset,
    block_prefix,
    pack_heads,
    unpack_heads,
    unpack_info,
)
from eddyline.log.pages import DataFile
from eddyline.private import FILE_MODE
from eddyline.settings import Settings

_log = logging.getLogger("eddyline.log")
LOCK, NEW = ".repair-lock", ".new-repair-"
# Longer than a writer takes to notice and to finish its transaction.
FENCE_S = 1.0
# How often the check of a file is repeated if another process commits during it.
LOOKS = 20
# If the newest head is lost, this many offsets are skipped, so that none is issued twice.
GAP = 1_000_000
TRANSACTION_BYTES = 64 << 20
Values = dict[bytes, bytes]


def is_sound(folder: Path) -> bool:
    """Whether LMDB can safely open the file in ``folder``."""
    path = folder / DATA_FILE
    if path.stat().st_size == 0:  # LMDB has its own words for an empty file, unless it is ours
        return not (folder / DAMAGED_FILE).exists()
    for _ in range(LOOKS):
        try:
            with DataFile(path) as file:
                before = [m.txn for m in file.metas]
                if file.is_sound() or _is_cut_short(file):
                    return True
            with DataFile(path) as file:
                if [m.txn for m in file.metas] == before:
                    return False
        except (OSError, ValueError):
            return True
    return True


def _is_cut_short(file: DataFile) -> bool:
    """A truncated copy: it is refused, because a complete one may still exist."""
    return bool(file.metas) and (file.metas[-1].last_page + 1) * file.page_bytes > file.size


def repair(folder: Path, settings: Settings) -> None:
    """Replace the damaged file by a new one, unless another process has done so.

    During the repair an empty file takes its place. Every writer notices that within ``FENCE_S``
    and refuses its puts, so the damaged file no longer changes when it is read here.

    Raises:
        EddylineError: ``corrupt_data`` when not even the stream's description can be read,
            ``disk_full``.
    """
    with _exclusive(folder.parent):
        if is_sound(folder):
            return
        data, old = folder / DATA_FILE, folder / DAMAGED_FILE
        aside = folder.parent / f"{NEW}{folder.name}"
        try:
            with translated(f"stream {folder.name}"):
                _fence(data, old)
            saved, words = _rebuild(folder.name, old, aside, settings)
            with translated(f"stream {folder.name}"):
                (folder / LOCK_FILE).unlink(missing_ok=True)  # it counts the old file's commits
                os.replace(aside / DATA_FILE, data)
        except BaseException:
            if old.exists():
                os.replace(old, data)
            raise
        finally:
            shutil.rmtree(aside, ignore_errors=True)
        text = "stream %s: its file was damaged and has been made again; %s; the old one is %s"
        _log.error(text, saved.name, words, old)


def _fence(data: Path, old: Path) -> None:
    """Move the damaged file aside and let every writer notice."""
    if data.stat().st_size:  # not left so by a process that was killed here
        empty = data.with_name("empty.mdb")
        old.unlink(missing_ok=True)
        os.link(data, old)
        empty.touch(FILE_MODE)
        os.replace(empty, data)
    SYSTEM.wait(threading.Event(), FENCE_S)


def _rebuild(name: str, old: Path, aside: Path, settings: Settings) -> tuple[Saved, str]:
    """Make a new environment in ``aside``; (the stream's description, what was lost in words)."""
    with DataFile(old) as file:
        saved, values, words = _salvaged(name, file)
    shutil.rmtree(aside, ignore_errors=True)
    make(aside, settings, lambda environment: _fill(environment, values))
    return saved, words


@contextmanager
def _exclusive(streams: Path) -> Iterator[None]:
    lock = os.open(streams / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _fill(environment: Any, values: Values) -> None:
    waiting = sorted(values.items())
    while waiting:
        size = 0
        with environment.begin(write=True) as txn:
            while waiting and size < TRANSACTION_BYTES:
                key, value = waiting.pop(0)
                txn.put(key, value)
                size += len(value)


def _salvaged(name: str, file: DataFile) -> tuple[Saved, Values, str]:
    """(the stream's description, what its new file holds, what was lost in words)."""
    tree: Values = {}
    for meta in file.metas:
        tree |= dict(file.walk(meta.main_root).entries)
    copies: dict[bytes, list[bytes]] = {}
    for key, value in [*tree.items(), *file.leaf_entries()]:
        copies.setdefault(key, []).append(value)
    info = _info(name, tree.get(INFO), copies.get(INFO, []))
    saved = unpack_info(info, f"stream {name}")
    heads = _heads(copies.get(HEADS, []), len(saved.shards))
    surely_newest = HEADS in tree and len(file.metas) == 2
    values: Values = {INFO: info}
    for key, raws in copies.items():
        # Keys of the free list are numbers, and one of them may begin as a mark's key does.
        if key[:1] == MARKS and len(key) == MARK_KEY_BYTES:
            mark = _newest_mark(raws)
            values |= {} if mark is None else {key: mark}
    lost = 0
    for shard in saved.shards:
        head = heads[shard.index]
        blocks = _blocks(shard.index, head, copies)
        kept = sum(n for n, _ in blocks.values())
        lost += head.next_offset - head.trim_offset - kept
        if not surely_newest and shard.closed is None:
            head.next_offset += GAP
            head.records_kept += GAP
        values |= {key: raw for key, (_, raw) in blocks.items()}
    values[HEADS] = pack_heads(heads)
    words = f"{lost} records were lost" if lost else "no record before its newest was lost"
    return saved, values, words


def _info(name: str, newest: bytes | None, copies: list[bytes]) -> bytes:
    """The newest description that can be read."""
    readable = []
    for raw in [newest, *copies]:
        if raw:
            try:
                saved = unpack_info(raw, f"stream {name}")
            except EddylineError as error:
                if error.code == "newer_format":
                    raise
                continue
            if raw is newest:
                return raw
            readable.append((len(saved.shards), saved.updating_ms, saved.gone_ms or 0, raw))
    if readable:
        return max(readable)[-1]
    msg = f"stream {name} is damaged: not even its description can be read"
    hint = "restore the stream from a backup, or delete its folder"
    raise EddylineError("corrupt_data", msg, hint=hint)


def _heads(copies: list[bytes], shards: int) -> list[Head]:
    """The newest figures of each shard: they only ever grow."""
    heads = [Head() for _ in range(shards)]
    for raw in copies:
        if len(raw) % len(pack_heads([Head()])):
            continue
        for known, head in zip(heads, unpack_heads(raw), strict=False):
            if head.next_offset >= known.next_offset:
                for name in Head.__dataclass_fields__:
                    setattr(known, name, max(getattr(known, name), getattr(head, name)))
    return heads


def _newest_mark(copies: list[bytes]) -> bytes | None:
    """The newest of those copies of a mark that can be read."""
    readable: list[tuple[int, int, bytes]] = []
    for raw in copies:
        with suppress(msgspec.DecodeError, TypeError, ValueError):
            mark = EpochMark.unpack("", "", raw)
            readable.append((mark.incarnation, mark.epoch, raw))
    return max(readable)[-1] if readable else None


def _blocks(
    shard: int, head: Head, copies: dict[bytes, list[bytes]]
) -> dict[bytes, tuple[int, bytes]]:
    """(records, bytes) of a shard's blocks by key, end to end; its head is brought up to date."""
    prefix = block_prefix(shard)
    candidates = []
    for key, raws in copies.items():
        if len(key) == BLOCK_KEY_BYTES and key.startswith(prefix):
            for raw in raws:
                try:
                    block = decode(raw, key, "")
                except EddylineError:
                    continue
                candidates.append((block_offset(key), len(block), block))
    # Of blocks that begin together the longest: it holds what the others do.
    candidates.sort(key=lambda c: (c[0], -c[1]))
    kept: dict[bytes, tuple[int, bytes]] = {}
    at, size = head.trim_offset, 0
    for first, n, block in candidates:
        if first + n <= at:
            continue
        begin = max(first, at)
        key = block_key(shard, begin)
        raw = block.cut(begin - first, n).encode(key)
        kept[key] = (first + n - begin, raw)
        at, size = first + n, size + block.cut(begin - first, n).payload
        head.last_ms = max(head.last_ms, int(block.arrival_ms[-1]))
        head.tail_offset, head.tail_bytes = begin, len(raw)
    if not kept:
        head.tail_offset = head.tail_bytes = 0
    head.next_offset = max(head.next_offset, at)
    head.records_total = max(head.records_total, head.next_offset)
    head.records_kept = head.next_offset - head.trim_offset
    head.bytes_kept = size
    head.bytes_total = max(head.bytes_total, size)
    head.stored_bytes = sum(len(raw) for _, raw in kept.values())
    return kept
