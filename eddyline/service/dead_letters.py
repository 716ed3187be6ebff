"""Dead letters of jobs: shown, put back into their streams, forgotten.

They lie in a file of the job's directory, so any process may read them, while the job runs or not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import msgspec

from eddyline.service.directory import DataDirectory

if TYPE_CHECKING:
    from eddyline.engine.dead_letters import DeadLetter, DeadLetters
    from eddyline.log import LogStore

SHOWN = 100
# Letters that are put back at a time.
BATCH = 500


class DeadLetterInfo(msgspec.Struct, frozen=True):
    """A record that a job set aside: where it lies, why, and its text.

    field: the column that did not fit, empty for the whole record.
    """

    number: int
    table: str
    stream: str
    shard: str
    sequence_number: str
    arrival_ms: int
    field: str
    reason: str
    text: str


DeadLetterInfos = list[DeadLetterInfo]


class JobDeadLetters:
    """The dead letters of all jobs of a data directory."""

    def __init__(self, directory: DataDirectory, streams: Callable[[], LogStore]) -> None:
        self._directory = directory
        self._streams = streams

    def list(self, job_id: str, limit: int = SHOWN) -> DeadLetterInfos:
        """The newest letters of a job, oldest first."""
        return [_info(letter) for letter in self._of(job_id).newest(limit)]

    def count(self, job_id: str) -> int:
        """How many letters a job has."""
        return self._of(job_id).count()

    def replay(self, job_id: str) -> int:
        """Put the records back into the streams they came from; returns how many.

        A record whose fields were set aside one by one is put back once. Letters of files stay.

        Raises:
            EddylineError: ``not_found`` when a stream is gone; what was put back until then is
                forgotten already.
        """
        letters, last, done = self._of(job_id), 0, 0
        newest = letters.newest(1)  # a record that does not fit still is set aside again meanwhile
        end = newest[-1].number if newest else 0
        while batch := [v for v in letters.after(last, BATCH) if v.number <= end]:
            last = batch[-1].number
            done += self._put_back([letter for letter in batch if letter.stream])
            letters.remove(letter.number for letter in batch if letter.stream)
        return done

    def clear(self, job_id: str) -> int:
        """Forget all letters of a job; returns how many."""
        letters, last, done = self._of(job_id), 0, 0
        while batch := letters.after(last, BATCH):
            last, done = batch[-1].number, done + len(batch)
            letters.remove(letter.number for letter in batch)
        return done

    def _put_back(self, letters: Sequence[DeadLetter]) -> int:
        from eddyline.log import PutBatch

        records = {(v.stream, v.shard, v.sequence_number, v.part): v.payload for v in letters}
        streams = self._streams()
        for name in dict.fromkeys(key[0] for key in records):
            own = [(key[2], data) for key, data in records.items() if key[0] == name]
            batch = PutBatch([key for key, _ in own], [data for _, data in own])
            streams.open(name).put(batch).result()
        return len(records)

    def _of(self, job_id: str) -> DeadLetters:
        from eddyline.engine.dead_letters import DeadLetters

        return DeadLetters(self._directory.job(job_id))


def _info(letter: DeadLetter) -> DeadLetterInfo:
    return DeadLetterInfo(
        letter.number,
        letter.source,
        letter.stream,
        letter.shard,
        letter.sequence_number,
        letter.arrival_ms,
        letter.field,
        letter.reason,
        letter.payload.decode(errors="replace").rstrip("\n"),
    )
