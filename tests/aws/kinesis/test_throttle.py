"""The limits of a shard, to the record and the byte, under a clock that is held."""

from __future__ import annotations

from eddyline.aws.kinesis.throttle import READ_BYTES, WRITE_BYTES, Throttle
from eddyline.clock import ManualClock


def test_writes_are_exact() -> None:
    clock = ManualClock()
    throttle = Throttle(clock)
    assert sum(throttle.write("s", 0, 10) for _ in range(3000)) == 1000
    assert throttle.write("s", 1, 10)
    assert throttle.write("t", 0, 10)
    clock.advance(100)
    assert sum(throttle.write("s", 0, 10) for _ in range(3000)) == 100
    clock.advance(10_000)  # no more than a second's worth is saved up
    assert sum(throttle.write("s", 0, 10) for _ in range(3000)) == 1000


def test_bytes_are_exact_and_a_large_record_is_paid_for_later() -> None:
    clock = ManualClock()
    throttle = Throttle(clock)
    assert sum(throttle.write("s", 0, 1 << 10) for _ in range(999)) == 999
    assert not throttle.write("s", 0, 26 << 10)
    clock.advance(1000)
    assert throttle.write("s", 0, 4 * WRITE_BYTES)
    clock.advance(3999)
    assert not throttle.write("s", 0, WRITE_BYTES)
    clock.advance(1)
    assert throttle.write("s", 0, WRITE_BYTES)


def test_reads_are_exact_and_a_page_of_10_mib_closes_the_shard_for_five_seconds() -> None:
    clock = ManualClock()
    throttle = Throttle(clock)
    assert sum(throttle.read("s", 0) for _ in range(20)) == 5
    clock.advance(1000)
    assert throttle.read("s", 0)
    throttle.has_read("s", 0, 5 * READ_BYTES)
    clock.advance(4000)
    assert not throttle.read("s", 0)
    clock.advance(1)
    assert throttle.read("s", 0)
