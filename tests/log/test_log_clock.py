"""The log's time: it does not follow a wall clock that jumps, and is the same everywhere."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from log_kit import child, put, read_all, store_at

from eddyline.clock import SYSTEM, ManualClock
from eddyline.log import StreamStatus
from eddyline.log.log_clock import FILE, GRACE_MS, LEAD_MS, LOCK, LOOK_MS, TOLERANCE_MS, LogClock
from eddyline.log.retention import HOUR_MS

START_MS = 1_764_000_000_000
DAY_MS = 24 * HOUR_MS
SWEEP_MS = 60_000


def arrivals(stream: object) -> list[int]:
    return stream.read(0, 0).arrival_ms.tolist()  # type: ignore[attr-defined,no-any-return]


def log_clock(folder: Path, clock: ManualClock, newest_ms: int = 0) -> LogClock:
    return LogClock(folder, clock, lambda: newest_ms)


@pytest.mark.parametrize("jump_ms", [HOUR_MS, -HOUR_MS, DAY_MS])
def test_arrival_does_not_follow_a_jump_and_a_restart_keeps_to_it(
    tmp_path: Path, jump_ms: int
) -> None:
    clock = ManualClock(START_MS)
    store = store_at(tmp_path, clock)
    stream = store.create("s")
    put(stream, [b"before"])
    clock.advance(1000)
    clock.set_wall(jump_ms)
    put(stream, [b"during"])
    store.close()
    store = store_at(tmp_path, clock)  # the server starts again while the wall clock is wrong
    stream = store.open("s")
    clock.advance(1000)
    put(stream, [b"restarted"])
    clock.set_wall(0)
    clock.advance(1000)
    put(stream, [b"after"])
    assert arrivals(stream) == [START_MS + n * 1000 for n in range(4)]
    assert stream.now_ms() == START_MS + 3000
    store.close()


def test_a_jump_of_a_day_trims_nothing(tmp_path: Path) -> None:
    clock = ManualClock(START_MS)
    store = store_at(tmp_path, clock)
    stream = store.create("s")
    put(stream, [b"x"])
    clock.set_wall(2 * DAY_MS)
    store.sweep()
    assert read_all(stream) == [b"x"]
    clock.set_wall(0)
    clock.advance(DAY_MS + 1)
    store.sweep()
    assert read_all(stream) == []
    store.close()


@pytest.mark.parametrize("boot", ["manual", "another"])
def test_a_clock_set_back_leaves_streams_active(tmp_path: Path, boot: str) -> None:
    store = store_at(tmp_path, ManualClock(START_MS), stream_delay_ms=100)
    store.create("empty")
    put(store.create("full"), [b"x"])
    store.close()
    clock = ManualClock(50_000, boot)  # a reboot counts from zero again
    if boot == "manual":
        clock = ManualClock(START_MS)
    clock.set_wall(START_MS - clock.boot_ms() - DAY_MS)
    store = store_at(tmp_path, clock, stream_delay_ms=100)
    clock.advance(101)
    for name in ("empty", "full"):
        assert store.open(name).info().status is StreamStatus.ACTIVE
    put(store.open("full"), [b"y"])
    first, second = arrivals(store.open("full"))
    assert 0 <= second - first <= 200
    made = store.create("new")
    assert made.info().status is StreamStatus.CREATING
    clock.advance(100)
    assert made.info().status is StreamStatus.ACTIVE
    store.delete("new")
    clock.advance(100)
    store.create("new")
    store.close()


def test_after_a_reboot_the_wall_clock_counts_if_it_is_later(tmp_path: Path) -> None:
    first = log_clock(tmp_path, ManualClock(START_MS))
    assert first.now_ms() == START_MS
    later = ManualClock(70_000, "another")
    later.set_wall(START_MS + DAY_MS - 70_000)
    assert log_clock(tmp_path, later, START_MS + HOUR_MS).now_ms() == START_MS + DAY_MS


def test_a_wall_clock_that_stays_away_is_approached_without_a_jump(tmp_path: Path) -> None:
    for ahead_ms, most in ((HOUR_MS, 2.0), (-HOUR_MS, 1.0)):
        folder = tmp_path / str(ahead_ms)
        folder.mkdir()
        clock = ManualClock(START_MS)
        mine, other = log_clock(folder, clock), log_clock(folder, clock)
        clock.set_wall(ahead_ms)
        before_ms = mine.now_ms()
        for _ in range(3 * 60):
            mine.follow()
            for _ in range(60):
                clock.advance(1000)
                now_ms = mine.now_ms()
                assert other.now_ms() == now_ms, "another process has the same time"
                assert 0 < now_ms - before_ms <= most * 1000
                before_ms = now_ms
        assert abs(mine.ahead_ms()) < TOLERANCE_MS
        clock.set_wall(ahead_ms + TOLERANCE_MS // 2)
        for _ in range(20):
            mine.follow()
            clock.advance(SWEEP_MS)
        assert mine.ahead_ms() == -TOLERANCE_MS // 2, "a small difference is left alone"


def test_a_short_jump_is_not_followed_at_all(tmp_path: Path) -> None:
    clock = ManualClock(START_MS)
    mine = log_clock(tmp_path, clock)
    for _ in range(10):
        clock.set_wall(HOUR_MS)
        mine.follow()
        clock.advance(GRACE_MS - SWEEP_MS)
        clock.set_wall(0)
        mine.follow()
        clock.advance(SWEEP_MS)
    assert mine.now_ms() == clock.now_ms()


def test_a_change_is_published_before_every_process_looks(tmp_path: Path) -> None:
    assert 2 * LOOK_MS < LEAD_MS
    clock = ManualClock(START_MS)
    mine = log_clock(tmp_path, clock)
    mine.now_ms()
    (tmp_path / FILE).unlink()
    clock.advance(LOOK_MS)
    clock.set_wall(HOUR_MS)
    assert mine.now_ms() == START_MS + LOOK_MS, "its own anchor counts, and is written again"
    assert log_clock(tmp_path, clock).now_ms() == START_MS + LOOK_MS


def test_a_damaged_file_and_one_that_cannot_be_written_stop_nothing(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"?")
    clock = ManualClock(START_MS)
    assert log_clock(tmp_path, clock, START_MS + 5).now_ms() == START_MS + 5
    (tmp_path / FILE).unlink()
    (tmp_path / FILE).mkdir()  # neither read nor replaced, even by the administrator
    mine = log_clock(tmp_path, clock, START_MS + 9)
    clock.advance(LOOK_MS)
    assert mine.now_ms() == START_MS + 9 + LOOK_MS
    assert sorted(os.listdir(tmp_path)) == [FILE, LOCK], "nothing half written is left"


TIME = """
import sys
from pathlib import Path
sys.path.insert(0, "tests/log")
from log_kit import store_at
import eddyline.clock
eddyline.clock.SystemClock.now_ms = lambda _: 4_000_000_000_000
store = store_at(Path(sys.argv[1]))
print(store.open("s").now_ms())
"""


def test_a_process_that_starts_during_a_jump_has_the_others_time(tmp_path: Path) -> None:
    store = store_at(tmp_path)
    stream = store.create("s")
    before_ms = stream.now_ms()
    out, _ = child(TIME, tmp_path).communicate(timeout=30)
    assert before_ms <= int(out) <= stream.now_ms()
    assert abs(stream.now_ms() - SYSTEM.now_ms()) < 1000
    store.close()
