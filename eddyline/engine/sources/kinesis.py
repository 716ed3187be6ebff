"""A local stream as a source: blocks of records, merged over the shards by arrival.

The job reads the log directly, so that many jobs on one stream never starve one another. Over
several shards the order is (arrival, shard, offset): while a shard has more to read, no record
that arrived after the last one read from it is handed out. Where to begin is resolved to offsets
once, and committed before the first read.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from eddyline.engine.sources.aggregated import taken_apart
from eddyline.engine.sources.missed_records import MissedRecords
from eddyline.engine.sources.source import Int64s, Records, ShardProgress, Source, SourceContext
from eddyline.engine.sources.start_numbers import ancestors
from eddyline.errors import EddylineError
from eddyline.log.reader import Slice, StreamSnapshot
from eddyline.log.sequence import offset_of, sequence_number
from eddyline.options.connectors import kinesis as options
from eddyline.options.connectors.kinesis import InitialPosition, Recreated

READ_BYTES_MAX = 16 << 20
# Records that are read but not handed out yet: at most about so many bytes over all shards, and
# for each shard at least so many, so that a read is worth its cost.
BUFFER_BYTES_MAX = 64 << 20
SHARD_BUFFER_BYTES_MIN = 256 << 10
# A stream without commits is looked at this often: one that was deleted a moment ago still answers,
# and is gone later without a further commit.
LOOK_S = 1.0


class _Buffer:
    """Records of one shard that are read but not handed out yet."""

    def __init__(self) -> None:
        self.arrival: Int64s = np.empty(0, np.int64)
        self.data: pa.BinaryArray = pa.array([], pa.binary())
        self.first = 0
        self.complete = True  # nothing more was in the log behind it

    def __len__(self) -> int:
        return len(self.arrival)

    def extend(self, arrival: Int64s, data: pa.BinaryArray) -> None:
        """Put further records behind those that are here."""
        self.arrival = np.concatenate((self.arrival, arrival))
        self.data = pa.concat_arrays([self.data, data])

    def cut(self, n: int) -> tuple[Int64s, pa.BinaryArray, Int64s]:
        """Take the first n records out."""
        offsets = np.arange(self.first, self.first + n, dtype=np.int64)
        taken = self.arrival[:n], self.data.slice(0, n), offsets
        self.arrival, self.data = self.arrival[n:], self.data.slice(n)
        self.first += n
        return taken


class KinesisSource(Source):
    """Records of one stream.

    Positions are those of one creation of the stream: a stream that was deleted and created again
    under its name has other records at the same offsets. Records that retention took before they
    were read are counted and reported, never passed over silently.
    """

    has_arrival = True

    def __init__(self, context: SourceContext, streams: Any) -> None:
        super().__init__(context)
        name = options.STREAM.read(context.options)
        self._streams = streams
        self._stream = streams.open(name)
        self._missed = MissedRecords(context, name)
        self._buffers: dict[int, _Buffer] = {}
        self._listening = ExitStack()
        self._created: dict[int, int] = {}
        self._parents: dict[int, tuple[int, ...]] = {}
        self._ends: dict[int, int] = {}  # where closed shards end
        self._generation: Any = None
        self._looked = float("-inf")
        self._is_open = False
        self._unpacks = options.DEAGGREGATE.read(context.options)

    def open(self, saved: dict[str, int] | None, identity: str | None = None) -> None:
        with self._stream.snapshot() as snapshot:
            self._discover(snapshot)
            if saved and self._is_another(snapshot, saved, identity):
                self._start_over(snapshot)
                saved = {str(s.index): s.position for s in self.shards.values()}
        for s in self.shards.values():
            known = (saved or {}).get(str(s.index))
            oldest, tip = self._stream.bounds(s.index)
            if known is not None:
                s.position = known
            elif saved is None:
                s.position = self._begin(s.index)
            elif oldest:  # made, filled and trimmed while the job did not run
                self._missed.add(s.name, int(oldest), "retention had removed them")
            s.tip = max(s.position, tip)
        self._is_open = True

    @property
    def stream_name(self) -> str:
        return str(self._stream.name)

    def identity(self) -> str:
        return str(self._stream.stream_id)

    def now_ms(self) -> int:
        return int(self._stream.now_ms())

    def _is_another(
        self, snapshot: StreamSnapshot, saved: dict[str, int], identity: str | None
    ) -> bool:
        """Whether the positions belong to an earlier stream of this name."""
        if identity:
            return identity != self.identity()
        shards = {
            str(info.index): info.index for info in snapshot.shards
        }  # no identity was kept yet
        return any(
            shard not in shards or position > snapshot.bounds(shards[shard])[1]
            for shard, position in saved.items()
        )

    def _start_over(self, snapshot: StreamSnapshot) -> None:
        """Go on with the beginning of a stream that took the place of the one that was read.

        Raises:
            EddylineError: ``conflict`` unless the table allows it.
        """
        what = f"stream {self._stream.name} was deleted and created again since the job read it"
        if options.RECREATED.read(self.context.options) is not Recreated.FROM_BEGINNING:
            hint = (
                f"'{options.RECREATED.name}' = 'from-beginning' lets a job go on with the new "
                "stream's first record; or remove the job to start afresh"
            )
            message = f"table {self.context.name}: {what}"
            raise EddylineError("conflict", message, hint=hint)
        self.context.warn(f"{what}; table {self.context.name} goes on with its first record")
        self.shards.clear()
        self._buffers.clear()
        self._created.clear()
        self._ends.clear()
        self._is_open = False
        self._discover(snapshot)
        self._is_open = True

    def _reopened(self, error: EddylineError) -> None:
        """The stream was deleted while it was read: go on with its successor, if there is one."""
        try:
            stream = self._streams.open(self._stream.name)
        except EddylineError:
            message = f"table {self.context.name}: stream {self._stream.name} was deleted"
            hint = "create it again, or remove the job"
            raise EddylineError("not_found", message, hint=hint) from error
        self._stream = stream
        with stream.snapshot() as snapshot:
            self._start_over(snapshot)
        self._generation = None

    def poll(self, rows_max: int) -> Records | None:
        try:
            return self._poll(rows_max)
        except EddylineError as error:
            if error.code != "not_found":
                raise
            self._reopened(error)
            return self._poll(rows_max)

    def _poll(self, rows_max: int) -> Records | None:
        generation, now = self._stream.generation(), self.context.clock.monotonic()
        waits = generation == self._generation and not any(map(len, self._buffers.values()))
        if waits and now - self._looked < LOOK_S:
            return None
        self._generation, self._looked = generation, now
        with self._stream.snapshot() as snapshot:
            self._discover(snapshot)
            self._fill(snapshot, rows_max)
        merged = self._merged(rows_max)
        return taken_apart(merged) if merged is not None and self._unpacks else merged

    def wake(self, on_news: Callable[[], None]) -> bool:
        self._listening.enter_context(self._stream.listening(on_news))
        return True

    def close(self) -> None:
        self._listening.close()

    def place(self, shard: int, offset: int) -> str:
        number = sequence_number(shard, self._created[shard], offset)
        name = self.shards[shard].name
        return f"stream {self._stream.name}, {name}, sequence number {number}"

    def sequence_numbers(self, records: Records) -> pa.Array:
        shard = records.shard
        if shard is None:
            only = next(iter(self._created))
            shard = np.full(len(records), only, np.int32)
        created = np.zeros(max(self._created) + 1, np.int64)
        created[list(self._created)] = list(self._created.values())
        parts = [
            "49",
            _padded(created[shard], 14),
            "00",
            _padded(records.offset, 20),
            _padded(shard, 12),
            "000000",
            "",
        ]
        return pc.binary_join_element_wise(*parts)

    def _begin(self, shard: int) -> int:
        where = options.INITIAL_POSITION.read(self.context.options)
        oldest, next_offset = self._stream.bounds(shard)
        if where is InitialPosition.LATEST:
            self.skipped += int(next_offset - oldest)
            return int(next_offset)
        if where is InitialPosition.TRIM_HORIZON:
            return int(oldest)
        if where is InitialPosition.AT_SEQUENCE_NUMBER:
            return self._begin_at_number(shard, int(oldest), int(next_offset))
        return int(self._stream.offset_at(shard, options.initial_time_ms(self.context.options)))

    def _begin_at_number(self, shard: int, oldest: int, after: int) -> int:
        """The offset of the shard's sequence number, its oldest record, or what follows it all."""
        numbers = options.initial_numbers(self.context.options)
        unknown = [s for s in numbers if s not in self.shards]
        if unknown:
            message = (
                f"table {self.context.name}: stream {self._stream.name} has no "
                f"shardId-{unknown[0]:012d}, of which a sequence number is given"
            )
            raise EddylineError("sql_semantic", message, hint="eddyline stream describe shows them")
        if shard in numbers:
            return max(oldest, offset_of(numbers[shard], shard, self._created[shard]))
        return after if shard in ancestors(numbers, self._parents) else oldest

    def _discover(self, snapshot: StreamSnapshot) -> None:
        """Learn of shards; one that appears while the job runs is read from its beginning.

        That of a closed shard everything is read before anything of its children follows from the
        order of the merge, for children never arrive earlier and count higher.
        """
        for info in snapshot.shards:
            if info.index not in self.shards:
                oldest, _ = snapshot.bounds(info.index)
                progress = ShardProgress(info.index, info.shard_id, position=int(oldest))
                if oldest and self._is_open:
                    self._missed.add(info.shard_id, int(oldest), "retention had removed them")
                self.shards[info.index] = progress
                self._buffers[info.index] = _Buffer()
                self._created[info.index] = info.created_ms
                above = (info.parent_index, info.adjacent_parent_index)
                self._parents[info.index] = tuple(p for p in above if p is not None)
            if info.closed_offset is not None:
                self._ends[info.index] = info.closed_offset
            s = self.shards[info.index]
            s.closed = self._is_over(s)

    def _is_over(self, s: ShardProgress) -> bool:
        """Whether the shard is closed and all of it was handed out."""
        end = self._ends.get(s.index)
        return end is not None and s.position >= end

    def _fill(self, snapshot: StreamSnapshot, rows_max: int) -> None:
        """Top up each shard's buffer that is less than half full, all as of one moment.

        A shard with few records in its buffer holds the merge of all back, so its buffer is filled
        before it is empty.
        """
        share = BUFFER_BYTES_MAX // max(1, len(self.shards))
        share = min(READ_BYTES_MAX, max(SHARD_BUFFER_BYTES_MIN, share))
        for s in self.shards.values():
            buffer = self._buffers[s.index]
            if s.closed:
                continue
            if len(buffer):
                self._top_up(snapshot, s, buffer, share, rows_max)
                continue
            got = snapshot.read(s.index, s.position, rows_max, share)
            s.tip = got.tip_offset
            buffer.arrival, buffer.data = got.arrival_ms, got.data
            buffer.first = got.first_offset
            buffer.complete = got.next_offset >= got.tip_offset
            self._report_gap(s, got)
            s.position = max(s.position, got.first_offset)

    def _report_gap(self, s: ShardProgress, got: Slice) -> None:
        """Count and report the records between where the job was and what there is to read."""
        gap = got.first_offset - s.position
        if gap <= 0:
            return
        damaged = 0
        if got.damage is not None:
            damaged = got.damage.next_offset - max(got.damage.first_offset, s.position)
            self._missed.add(s.name, damaged, got.damage.message)
        if gap > damaged:
            self._missed.add(s.name, gap - damaged, "retention had removed them")

    def _top_up(
        self, snapshot: StreamSnapshot, s: ShardProgress, buffer: _Buffer, share: int, rows_max: int
    ) -> None:
        after = buffer.first + len(buffer)
        s.tip = snapshot.bounds(s.index)[1]
        held = buffer.data.nbytes
        if after < s.tip and held < share // 2 and len(buffer) < rows_max // 2:
            got = snapshot.read(s.index, after, rows_max - len(buffer), share - held)
            if got.first_offset == after:  # else what follows was trimmed: read on when empty
                buffer.extend(got.arrival_ms, got.data)
                after = got.next_offset
        buffer.complete = after >= s.tip

    def _merged(self, rows_max: int) -> Records | None:
        frontier = self._frontier(rows_max)
        pieces: list[tuple[int, Int64s, pa.BinaryArray, Int64s]] = []
        for s in self.shards.values():
            buffer = self._buffers[s.index]
            n = len(buffer)
            if n and frontier is not None:
                side = "right" if s.index <= frontier[1] else "left"
                n = int(np.searchsorted(buffer.arrival, frontier[0], side))  # type: ignore[call-overload]
            if n:
                pieces.append((s.index, *buffer.cut(n)))
            if len(buffer) == 0 and not buffer.complete:
                self._generation = None  # there is more: poll again at once
            s.position = int(pieces[-1][3][-1]) + 1 if n else s.position
            s.closed = self._is_over(s)
            s.next_arrival_ms = int(buffer.arrival[0]) if len(buffer) else None
        return _ordered(pieces, len(self.shards)) if pieces else None

    def _frontier(self, rows_max: int) -> tuple[int, int] | None:
        """(arrival, shard) of the last record that is sure to be in order and, with those before
        it, about ``rows_max`` records; None: all are."""
        ends = [
            (int(b.arrival[-1]), index)
            for index, b in self._buffers.items()
            if len(b) and not b.complete
        ]
        arrivals = [b.arrival for b in self._buffers.values() if len(b)]
        if len(arrivals) > 1 and sum(len(a) for a in arrivals) > rows_max:
            nth = np.partition(np.concatenate(arrivals), rows_max - 1)[rows_max - 1]
            ends.append((int(nth), max(self._buffers)))
        return min(ends, default=None)


def _ordered(pieces: list[tuple[int, Int64s, pa.BinaryArray, Int64s]], shards: int) -> Records:
    if len(pieces) == 1:
        index, arrival, data, offset = pieces[0]
        shard = None if shards == 1 else np.full(len(offset), index, np.int32)
        return Records(data, None, shard, arrival, offset)
    arrival = np.concatenate([p[1] for p in pieces])
    offset = np.concatenate([p[3] for p in pieces])
    shard = np.repeat(np.array([p[0] for p in pieces], np.int32), [len(p[1]) for p in pieces])
    order = np.lexsort((offset, shard, arrival))
    data = pa.concat_arrays([p[2] for p in pieces]).take(pa.array(order))
    return Records(data, None, shard[order], arrival[order], offset[order])


def _padded(values: Any, width: int) -> pa.Array:
    return pc.utf8_lpad(pa.array(values).cast(pa.string()), width, "0")
