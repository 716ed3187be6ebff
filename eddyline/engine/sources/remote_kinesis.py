"""A stream behind another endpoint as a source, read by a thread of its own.

Records of a shard come in its order; those of several shards as they are fetched. A position is
the sequence number of a shard's last record, so a job continues after it: each record is read
once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from eddyline.engine.remote_stream import RETRIABLE, RemoteStream
from eddyline.engine.sources.aggregated import taken_apart
from eddyline.engine.sources.fetcher import Fetcher
from eddyline.engine.sources.source import Records, ShardProgress, Source, SourceContext
from eddyline.engine.sources.start_numbers import ancestors
from eddyline.errors import EddylineError
from eddyline.options.connectors import kinesis as options
from eddyline.options.connectors.kinesis import InitialPosition, Recreated

BACKOFF_S = 1.0


@dataclass(frozen=True, slots=True)
class _Answer:
    """What one GetRecords gave. is_behind: there is more. closed: the shard is read to its end."""

    shard: int
    records: list[dict[str, Any]]
    is_behind: bool
    closed: bool


class RemoteKinesisSource(Source):
    """Records of one stream of another endpoint."""

    has_arrival = True

    def __init__(self, context: SourceContext) -> None:
        super().__init__(context)
        self._stream = RemoteStream(context.name, context.options, context.settings)
        self._identity = self._stream.identity()
        self._unpacks = options.DEAGGREGATE.read(context.options)
        self._limit = options.GET_RECORDS_MAX.read(context.options)
        self._interval_s = options.GET_RECORDS_INTERVAL.read(context.options) / 1000
        self._discovery_s = options.DISCOVERY_INTERVAL.read(context.options) / 1000
        self._fetcher: Fetcher[_Answer] = Fetcher("kinesis", self._fetch)
        self._last: dict[int, str] = {}  # the sequence number of the last record, by shard
        self._numbers: dict[int, list[str]] = {}  # of the records of the last poll
        self._first = 0
        self._count = 0
        self._saved = False
        position = options.INITIAL_POSITION.read(context.options)
        by_number = position is InitialPosition.AT_SEQUENCE_NUMBER
        self._first_numbers = options.initial_numbers(context.options) if by_number else {}

    def open(self, saved: dict[str, int] | None, identity: str | None = None) -> None:
        if saved and identity and identity != self._identity:
            self._start_over()
            saved = {}
        self._saved = saved is not None
        for key, count in (saved or {}).items():
            shard, _, number = key.partition(" ")
            self._add(int(shard)).position = count
            if number:
                self._last[int(shard)] = number
        for description in self._stream.shards():
            self._add(_index(description["ShardId"]))

    def identity(self) -> str:
        return self._identity

    def positions(self) -> dict[str, int]:
        return {
            f"{s.index} {self._last.get(s.index, '')}".strip(): s.position
            for s in self.shards.values()
        }

    def wake(self, on_news: Callable[[], None]) -> bool:
        self._fetcher.notify = on_news
        return True

    def poll(self, rows_max: int) -> Records | None:
        answer = self._fetcher.take()
        if answer is None:
            return None
        s = self._add(answer.shard)
        n = len(answer.records)
        s.position += n
        s.tip = s.position + (1 if answer.is_behind else 0)
        s.closed = answer.closed
        if not n:
            return None
        return self._records(answer, s)

    def place(self, shard: int, offset: int) -> str:
        numbers = self._numbers.get(shard, [])
        at = offset - self._first
        number = numbers[at] if 0 <= at < len(numbers) else "?"
        name = self.shards[shard].name
        return f"stream {self._stream.name}, {name}, sequence number {number}"

    def sequence_numbers(self, records: Records) -> pa.Array:
        return records.metadata["sequence-number"]

    def close(self) -> None:
        self._fetcher.close()

    def _records(self, answer: _Answer, s: ShardProgress) -> Records:
        n = len(answer.records)
        numbers = [r["SequenceNumber"] for r in answer.records]
        self._last[s.index] = numbers[-1]
        self._numbers, self._first = {s.index: numbers}, self._count
        arrivals = [r["ApproximateArrivalTimestamp"].timestamp() * 1000 for r in answer.records]
        offset = np.arange(self._count, self._count + n, dtype=np.int64)
        self._count += n
        records = Records(
            pa.array([r["Data"] for r in answer.records], pa.binary()),
            None,
            np.full(n, s.index, np.int32),
            np.array(arrivals).round().astype(np.int64),
            offset,
            {"sequence-number": pa.array(numbers)},
        )
        return taken_apart(records) if self._unpacks else records

    def _start_over(self) -> None:
        """Continue with a stream that took the place of the one that was read.

        Raises:
            EddylineError: ``conflict`` unless the table allows it.
        """
        what = f"stream {self._stream.name} was deleted and created again since the job read it"
        if options.RECREATED.read(self.context.options) is not Recreated.FROM_BEGINNING:
            hint = f"'{options.RECREATED.name}' = 'from-beginning' lets the job continue with it"
            raise EddylineError("conflict", f"table {self.context.name}: {what}", hint=hint)
        self.context.warn(f"{what}; table {self.context.name} continues with its first record")

    def _add(self, index: int) -> ShardProgress:
        if index not in self.shards:
            self.shards[index] = ShardProgress(index, f"shardId-{index:012d}", tip=1)
        return self.shards[index]

    # in the thread that reads

    def _fetch(self) -> None:
        clock = self.context.clock
        iterators: dict[int, str | None] = {}
        looked = float("-inf")
        is_first = True
        last = dict(self._last)
        while not self._fetcher.stop.is_set():
            if clock.monotonic() - looked >= self._discovery_s:
                shards = self._stream.shards()
                begins = is_first and not self._saved
                passed_over = ancestors(self._first_numbers, _parents(shards)) if begins else set()
                for shard in shards:
                    index = _index(shard["ShardId"])
                    if index in iterators:
                        continue
                    if index in passed_over:
                        iterators[index] = None
                        self._fetcher.put(_Answer(index, [], is_behind=False, closed=True))
                        continue
                    iterators[index] = self._iterator(index, last.get(index), is_first)
                looked, is_first = clock.monotonic(), False
            for index, iterator in list(iterators.items()):
                if iterator is not None and not self._fetcher.stop.is_set():
                    iterators[index] = self._get(index, iterator, last)
            clock.wait(self._fetcher.stop, self._interval_s)

    def _get(self, index: int, iterator: str, last: dict[int, str]) -> str | None:
        """The next records of a shard are queued; the iterator after them."""
        try:
            with self._stream.errors():
                reply = self._stream.client.get_records(ShardIterator=iterator, Limit=self._limit)
        except EddylineError as error:
            if error.detail == "ExpiredIteratorException":
                return self._iterator(index, last.get(index), False)
            if error.detail in RETRIABLE:
                self.context.clock.wait(self._fetcher.stop, BACKOFF_S)
                return iterator
            raise
        records = reply["Records"]
        if records:
            last[index] = records[-1]["SequenceNumber"]
        following: str | None = reply.get("NextShardIterator")
        is_behind = bool(reply.get("MillisBehindLatest"))
        self._fetcher.put(_Answer(index, records, is_behind, following is None))
        return following

    def _iterator(self, index: int, after: str | None, is_first: bool) -> str:
        where: dict[str, Any] = {"ShardIteratorType": "TRIM_HORIZON"}
        position = options.INITIAL_POSITION.read(self.context.options)
        if after is not None:
            where = {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "StartingSequenceNumber": after}
        elif is_first and not self._saved:
            where["ShardIteratorType"] = position.value
            if position is InitialPosition.AT_TIMESTAMP:
                where["Timestamp"] = options.initial_time_ms(self.context.options) / 1000
            if position is InitialPosition.AT_SEQUENCE_NUMBER:
                number = self._first_numbers.get(index)
                where = (
                    {"ShardIteratorType": "TRIM_HORIZON"}
                    if number is None
                    else {
                        "ShardIteratorType": position.value,
                        "StartingSequenceNumber": number,
                    }
                )
        with self._stream.errors():
            reply = self._stream.client.get_shard_iterator(
                StreamName=self._stream.name, ShardId=f"shardId-{index:012d}", **where
            )
        iterator: str = reply["ShardIterator"]
        return iterator


def _parents(shards: Iterable[Mapping[str, Any]]) -> dict[int, tuple[int, ...]]:
    """The shards that each came from."""
    names = ("ParentShardId", "AdjacentParentShardId")
    return {
        _index(shard["ShardId"]): tuple(_index(shard[name]) for name in names if name in shard)
        for shard in shards
    }


def _index(shard_id: str) -> int:
    return int(shard_id.rpartition("-")[2])
