"""What a process writes to a stream, in turn.

Puts wait in a queue; a thread takes all that wait, writes them in one transaction and lets their
futures go once it is durable. So many small puts share one sync, none waits for a timer, and the
order of a caller's puts is kept. Whatever can be done before the transaction is done by the caller
(columns, hash keys, cutting by shard): LMDB has one writer at a time among all processes.
"""

from __future__ import annotations

import threading
from collections import deque
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from eddyline.clock import Clock
from eddyline.errors import EddylineError
from eddyline.log import tail, threads
from eddyline.log.block import Block, join
from eddyline.log.environment import deleted
from eddyline.log.keys import HEADS, EpochMark, Head, mark_key, pack_heads
from eddyline.log.put import Columns, Part, Placed

if TYPE_CHECKING:
    from eddyline.log.opened import Layout, Opened

# What waits is committed together up to this many bytes.
GROUP_BYTES = 32 << 20
# Of a map this share stays free, so that trimming always finds pages to work with.
MAP_RESERVE = 16


@dataclass(slots=True, eq=False)
class Task:
    """One put on its way: its records by shard, and the layout they were routed by.

    The future gives ``Placed``, or for an append with a mark whether it was written.
    """

    put: Columns
    parts: list[Part]
    layout: Layout
    clock: Clock
    future: Future[Any]
    mark: EpochMark | None = None


class Writer:
    """Commits what is put, one group at a time, on any of the threads that write."""

    def __init__(self, opened: Opened) -> None:
        self._opened = opened
        self._waiting: deque[Task] = deque()
        self._turn = threading.Condition()
        self._busy = False
        self._closed = False

    def submit(self, task: Task) -> None:
        """Queue a put; its future tells how it went."""
        task.future.set_running_or_notify_cancel()
        with self._turn:
            if not self._closed:
                self._waiting.append(task)
                if not self._busy:
                    self._busy = True
                    threads.run(self._work)
                return
        task.future.set_exception(deleted(self._opened.name))

    def close(self) -> None:
        """Write what waits, then take nothing more."""
        with self._turn:
            self._closed = True
            self._turn.wait_for(lambda: not self._busy)

    def _work(self) -> bool:
        """Write what waits; whether more has come meanwhile."""
        self._commit(self._next())
        with self._turn:
            if self._waiting:
                return True
            self._busy = False
            self._turn.notify_all()
            return False

    def _next(self) -> list[Task]:
        """All that waits, as far as it fits one transaction."""
        group: list[Task] = []
        size = 0
        with self._turn:
            while self._waiting and size < GROUP_BYTES:
                task = self._waiting.popleft()
                size += task.put.data.nbytes
                group.append(task)
        return group

    def _commit(self, group: list[Task]) -> None:
        try:
            self._check_disk()
            with self._opened.environment.write() as txn:
                results = _Transaction(self._opened, txn).write(group)
        except EddylineError as error:
            if error.code == "disk_full" and len(group) > 1:
                for task in group:  # one that is too large must not refuse the others
                    self._commit([task])
                return
            _fail(group, error)
        except Exception as error:  # a waiting caller must hear of anything
            _fail(group, error)
        else:
            self._opened.tell()
            for task, result in zip(group, results, strict=True):
                if isinstance(result, EddylineError):
                    task.future.set_exception(result)
                else:
                    task.future.set_result(result)

    def _check_disk(self) -> None:
        least = self._opened.settings.disk_free_mib_min << 20
        free = self._opened.environment.free_bytes()
        if free < least:
            msg = f"the disk has {free >> 20} MiB left; streams keep {least >> 20} MiB free"
            hint = "free space, or lower EDDYLINE_DISK_FREE_MIB_MIN"
            raise EddylineError("disk_full", msg, hint=hint)


def _fail(group: list[Task], error: Exception) -> None:
    for task in group:
        task.future.set_exception(error)


class _Transaction:
    """One group on its way into the file."""

    def __init__(self, opened: Opened, txn: Any) -> None:
        self._opened = opened
        self._txn = txn
        self._layout = opened.layout(txn)
        self._heads = opened.heads(txn)
        self._next = [h.next_offset for h in self._heads]

    def write(self, group: list[Task]) -> list[Any]:
        """Write all that may be written; what each task's future is to hold."""
        if self._layout.saved.gone_ms is not None:
            raise deleted(self._opened.name)
        parts: dict[int, list[Part]] = {}
        results = [self._admit(task, parts) for task in group]
        if parts:
            now_ms = group[0].clock.now_ms()
            for shard in sorted(parts):
                self._append(shard, parts[shard], now_ms)
            self._check_size()
            self._txn.put(HEADS, pack_heads(self._heads))
        return results

    def _admit(self, task: Task, parts: dict[int, list[Part]]) -> Any:
        """Give the task's records their places, unless its mark says no."""
        if task.mark is not None:
            verdict = self._raise_mark(task.mark)
            if verdict is not True:
                return verdict
        shard = np.empty(len(task.put), np.int32)
        offset = np.empty(len(task.put), np.int64)
        for part in self._routed(task):
            at, n = self._next[part.shard], len(part.rows)
            shard[part.rows] = part.shard
            offset[part.rows] = np.arange(at, at + n)
            self._next[part.shard] = at + n
            parts.setdefault(part.shard, []).append(part)
        return True if task.mark is not None else Placed(shard, offset, self._layout.shards)

    def _routed(self, task: Task) -> list[Part]:
        if task.layout.shards == self._layout.shards:
            return task.parts
        return self._layout.routes.parts(task.put)  # resharded since

    def _raise_mark(self, mark: EpochMark) -> bool | EddylineError:
        """True if the epoch is new; False if it is there; an error for an older incarnation."""
        key = mark_key(mark.job, mark.sink)
        raw = self._txn.get(key)
        known = EpochMark.unpack(mark.job, mark.sink, bytes(raw)) if raw else None
        if known is None or (mark.epoch > known.epoch and mark.incarnation >= known.incarnation):
            self._txn.put(key, mark.pack())
            return True
        if known.incarnation > mark.incarnation:
            msg = (
                f"job {mark.job} writes to {mark.sink} as incarnation {mark.incarnation}, "
                f"but incarnation {known.incarnation} has taken over"
            )
            return EddylineError("conflict", msg, hint="stop this worker; a newer one runs the job")
        if known.incarnation < mark.incarnation:  # from now on the older one is refused
            fence = EpochMark(mark.job, mark.incarnation, mark.sink, known.epoch)
            self._txn.put(key, fence.pack())
        return False

    def _append(self, shard: int, parts: list[Part], now_ms: int) -> None:
        """Behind the shard's newest record; arrival never runs backwards, whatever the clock."""
        head: Head = self._heads[shard]
        arrival_ms = max(now_ms, head.last_ms)
        new = join(
            [Block(np.full(len(p.rows), arrival_ms, np.int64), p.keys, p.data) for p in parts]
        )
        block_bytes = self._opened.settings.block_bytes
        tail.append(self._txn, self._opened.name, shard, head, new, block_bytes)

    def _check_size(self) -> None:
        settings = self._opened.settings
        room = settings.map_gib << 30
        most = min(settings.stream_gib_max << 30, room - room // MAP_RESERVE)
        stored = sum(h.stored_bytes for h in self._heads)
        if stored > most:
            msg = (
                f"stream {self._opened.name} would hold {stored} bytes; at most {most} are allowed"
            )
            hint = "shorten the stream's retention, or raise EDDYLINE_STREAM_GIB_MAX"
            raise EddylineError("disk_full", msg, hint=hint)
