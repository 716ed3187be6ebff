"""Commits what this process puts into a stream, in order.

Puts wait in a queue. A thread takes all that wait, writes them in one transaction and calls back
once they are durable. Many small puts therefore share one fsync, a single put waits for no other,
and the order of a caller's puts is kept. Whatever can be done before the transaction is done
before it (hash keys by the caller, routing to shards here, for a whole group at once), because
LMDB allows one writer at a time among all processes.
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from eddyline.clock import SYSTEM, Clock
from eddyline.errors import EddylineError
from eddyline.log import tail, threads
from eddyline.log.environment import StreamDeleted, reserved
from eddyline.log.keys import HEADS, EpochMark, mark_key, pack_heads
from eddyline.log.packed import Packed, join
from eddyline.log.put import ArrowPut, ListPut, Placement, ShardPut

if TYPE_CHECKING:
    from eddyline.log.opened import OpenStream, StreamLayout

# What waits is committed together up to this many bytes.
GROUP_BYTES = 32 << 20
# How much may be written before the disk's free space is checked again.
UNSEEN_BYTES = 1 << 20
# How long a group waits for the puts that came with the last group, and how often it checks.
GATHER_S = 0.001
GATHER_LOOKS = 4
LOOK_S = 1.0
# One part in so many of the map stays free, so that trimming always has pages to work with.
MAP_RESERVE = 16


class PutCallback(Protocol):
    """The callback of a put, with a future's methods; called from a thread of the log."""

    def set_result(self, result: Any, /) -> None:
        """The put is durable."""

    def set_exception(self, error: Exception, /) -> None:
        """Nothing of the put was stored."""


@dataclass(slots=True, eq=False)
class WriteTask:
    """One put in the queue.

    Its result is ``Placement``, or for an append with a mark whether it was written.
    """

    put: ListPut | ArrowPut
    clock: Clock
    callback: PutCallback
    mark: EpochMark | None = None


class _TaskRun:
    """Successive tasks that are routed to shards together, before the transaction."""

    def __init__(self, tasks: list[WriteTask], layout: StreamLayout) -> None:
        self.tasks = tasks
        self.put = _together([t.put for t in tasks])
        self.mark = tasks[0].mark
        self._layout = layout
        self._parts = layout.routes.parts(self.put)

    def parts(self, layout: StreamLayout) -> list[ShardPut]:
        """The records by shard, as the transaction sees the shards."""
        if layout.shards != self._layout.shards:  # resharded since
            self._layout, self._parts = layout, layout.routes.parts(self.put)
        return self._parts


def _together(puts: list[Any]) -> ListPut | ArrowPut:
    only: ListPut | ArrowPut = puts[0]
    return only if len(puts) == 1 else ListPut.joined(puts)


def _runs(group: list[WriteTask], layout: StreamLayout) -> list[_TaskRun]:
    """The group in its order; neighbouring lists without a mark make one run."""
    runs: list[list[WriteTask]] = []
    open_run = False
    for task in group:
        plain = task.mark is None and isinstance(task.put, ListPut)
        if plain and open_run:
            runs[-1].append(task)
        else:
            runs.append([task])
        open_run = plain
    return [_TaskRun(tasks, layout) for tasks in runs]


class Writer:
    """Commits puts, one group at a time, on any of the writer threads."""

    def __init__(self, opened: OpenStream) -> None:
        self._opened = opened
        self._waiting: deque[WriteTask] = deque()
        self._turn = threading.Condition()
        self._busy = False
        self._closed = False
        # How many puts the last group had.
        self._usual = 1
        self._pause = threading.Event()
        self._unseen, self._look_at = 0, float("-inf")

    def submit(self, task: WriteTask) -> None:
        """Queue a put; its callback gets the result."""
        with self._turn:
            if not self._closed:
                self._waiting.append(task)
                if not self._busy:
                    self._busy = True
                    threads.run(self._work)
                return
        task.callback.set_exception(StreamDeleted(self._opened.name))

    def write(self, task: WriteTask) -> None:
        """As ``submit`` for a caller that waits for the result: it does the work itself if nobody
        is writing, which saves two switches between threads."""
        with self._turn:
            is_mine = not self._busy and not self._closed
            if is_mine:
                self._waiting.append(task)
                self._busy = True
        if not is_mine:
            self.submit(task)
        elif self._work():
            threads.run(self._work)

    def close(self) -> None:
        """Write what waits, then take nothing more."""
        with self._turn:
            self._closed = True
            self._turn.wait_for(lambda: not self._busy)

    def _work(self) -> bool:
        """Write what waits; True if more has arrived meanwhile."""
        self._gather()
        group = self._next()
        self._usual = len(group)
        self._commit(group)
        with self._turn:
            if self._waiting:
                return True
            self._busy = False
            self._turn.notify_all()
            return False

    def _gather(self) -> None:
        """Wait a moment for as many puts as the last group had.

        Clients that were answered just now are about to send their next put, and half a group
        costs as much as a whole one. A single put never waits for this.
        """
        for _ in range(GATHER_LOOKS):
            if len(self._waiting) >= self._usual:
                return
            SYSTEM.wait(self._pause, GATHER_S / GATHER_LOOKS)

    def _next(self) -> list[WriteTask]:
        """All that waits, as far as it fits into one transaction."""
        group: list[WriteTask] = []
        size = 0
        with self._turn:
            while self._waiting and size < GROUP_BYTES:
                task = self._waiting.popleft()
                size += task.put.nbytes
                group.append(task)
        return group

    def _commit(self, group: list[WriteTask]) -> None:
        try:
            self._check_disk(sum(t.put.nbytes for t in group), group[0].clock.monotonic())
            runs = _runs(group, self._opened.latest())
            with self._opened.environment.write() as txn:
                results = _Transaction(self._opened, txn).write(runs)
        except EddylineError as error:
            if error.code == "disk_full" and len(group) > 1:
                for task in group:  # a put that is too large must not fail the others
                    self._commit([task])
                return
            _fail(group, error)
        except Exception as error:  # every waiting caller must get an answer
            _fail(group, error)
        else:
            self._opened.tell()
            for task, result in zip(group, results, strict=True):
                if isinstance(result, EddylineError):
                    task.callback.set_exception(result)
                else:
                    task.callback.set_result(result)

    def _check_disk(self, more: int, now: float) -> None:
        """Check that the disk keeps its reserve, every second or mebibyte."""
        least = self._opened.settings.disk_free_mib_min << 20
        self._unseen += more
        if self._unseen < UNSEEN_BYTES and now < self._look_at:
            return
        free = self._opened.environment.free_bytes()
        if free < least:
            raise reserved(free, least)
        self._unseen, self._look_at = 0, now + LOOK_S


def _fail(group: list[WriteTask], error: Exception) -> None:
    for task in group:
        task.callback.set_exception(error)


class _Transaction:
    """One group while it is written."""

    def __init__(self, opened: OpenStream, txn: Any) -> None:
        self._opened = opened
        self._txn = txn
        self._layout = opened.layout(txn)
        self._heads = opened.heads(txn)
        self._next = [h.next_offset for h in self._heads]

    def write(self, runs: list[_TaskRun]) -> list[Any]:
        """Write all that may be written; gives the result of each task."""
        if self._layout.saved.gone_ms is not None:
            raise StreamDeleted(self._opened.name)
        parts: dict[int, list[Packed]] = {}
        results = [result for run in runs for result in self._admit(run, parts)]
        if parts:
            now_ms = runs[0].tasks[0].clock.now_ms()
            block_bytes = self._opened.settings.block_bytes
            for shard in sorted(parts):
                new, head = join(parts[shard]), self._heads[shard]
                tail.append(self._txn, self._opened.name, shard, head, new, now_ms, block_bytes)
            self._check_size()
            self._txn.put(HEADS, pack_heads(self._heads))
        return results

    def _admit(self, run: _TaskRun, parts: dict[int, list[Packed]]) -> list[Any]:
        """Assign offsets to the run's records, unless its mark is not new."""
        if run.mark is not None:
            verdict = self._raise_mark(run.mark)
            if verdict is not True:
                return [verdict]
        shard = np.empty(len(run.put), np.int32)
        offset = np.empty(len(run.put), np.int64)
        for part in run.parts(self._layout):
            at, n = self._next[part.shard], len(part.rows)
            shard[part.rows] = part.shard
            offset[part.rows] = np.arange(at, at + n)
            self._next[part.shard] = at + n
            parts.setdefault(part.shard, []).append(part.records)
        if run.mark is not None:
            return [True]
        ends = accumulate((len(t.put) for t in run.tasks), initial=0)
        shards = self._layout.shards
        return [Placement(shard[a:b], offset[a:b], shards) for a, b in pairwise(ends)]

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
            fence = replace(known, incarnation=mark.incarnation)
            self._txn.put(key, fence.pack())
        return False

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
