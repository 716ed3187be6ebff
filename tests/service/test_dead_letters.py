"""Dead letters go back into their streams once, also if they are set aside again at once."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from eddyline.engine.dead_letters import DeadLetter, DeadLetters
from eddyline.log import PutBatch
from eddyline.service.dead_letters import JobDeadLetters
from eddyline.service.directory import DataDirectory


def letter(sequence_number: int) -> DeadLetter:
    return DeadLetter("t", "s", "shard", str(sequence_number), 0, 0, "", "no JSON", b"torn")


def test_what_is_set_aside_during_a_replay_waits_for_the_next(tmp_path: Path) -> None:
    directory = DataDirectory(tmp_path)
    directory.job("job").mkdir(parents=True)
    kept = DeadLetters(directory.job("job"))
    kept.add([letter(1), letter(2)])
    put: list[int] = []

    class Stream:
        """Its reader sets every record aside before the put is answered."""

        def put(self, batch: PutBatch) -> Any:
            put.append(len(batch))
            kept.add([letter(10 * len(put) + n) for n in range(len(batch))])
            return SimpleNamespace(result=lambda: None)

    streams: Any = SimpleNamespace(open=lambda name: Stream())
    letters = JobDeadLetters(directory, lambda: streams)
    assert letters.replay("job") == 2
    assert put == [2]
    assert [v.sequence_number for v in letters.list("job")] == ["10", "11"]
    assert letters.clear("job") == 2
    assert letters.replay("job") == 0
