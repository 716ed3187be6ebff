"""``eddyline stream tail``: where it begins, which shards, in which order and format."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path

import pytest
from command import Command

from eddyline.clock import ManualClock
from eddyline.log import LogStore, PutBatch, StreamMode
from eddyline.settings import Settings

START_MS = 1_764_000_000_000


@pytest.fixture
def eddyline(tmp_path: Path) -> Command:
    """Twelve records on a stream of two shards, a second apart, on the shards by turns."""
    settings = Settings(data_dir=tmp_path / "data", stream_delay_ms=0, fsync=False, map_gib=1)
    clock = ManualClock(START_MS)
    store = LogStore(settings.data_dir, settings, clock)
    stream = store.create("clicks", 2, StreamMode.PROVISIONED)
    halves = {int(hashlib.md5(k.encode()).hexdigest()[0], 16) // 8: k for k in "abcdefgh"}
    for n in range(12):
        stream.put(PutBatch([halves[n % 2]], [f"r{n}".encode()])).result()
        clock.advance(1000)
    store.close()
    return Command(settings.data_dir)


def tail(eddyline: Command, *more: str) -> list[str]:
    done = eddyline.here("stream", "tail", "clicks", "--no-follow", *more)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_shards_are_merged_by_arrival(eddyline: Command) -> None:
    assert tail(eddyline, "--from", "oldest") == [f"r{n}" for n in range(12)]


def test_a_backlog_larger_than_a_read_is_merged_as_well(
    eddyline: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With two records per read, a shard that is read further must wait for the other."""
    import eddyline.cli.tail as module

    monkeypatch.setattr(module, "READ_RECORDS", 2)
    done = eddyline.here("stream", "tail", "clicks", "--from", "oldest", "--limit", "12")
    assert done.stdout.splitlines() == [f"r{n}" for n in range(12)]


@pytest.mark.parametrize(("count", "first"), [("-1", 11), ("-5", 7), ("-12", 0), ("-999", 0)])
def test_the_newest_records_of_all_shards(eddyline: Command, count: str, first: int) -> None:
    assert tail(eddyline, "--from", count) == [f"r{n}" for n in range(first, 12)]


def test_one_shard_by_its_number_or_its_id(eddyline: Command) -> None:
    even = [f"r{n}" for n in range(0, 12, 2)]
    assert tail(eddyline, "--from", "oldest", "--shard", "0") == even
    assert tail(eddyline, "--from", "oldest", "--shard", "shardId-000000000000") == even
    assert tail(eddyline, "--from", "-2", "--shard", "1") == ["r9", "r11"]
    wrong = eddyline.here("stream", "tail", "clicks", "--shard", "7")
    assert wrong.stderr.startswith("error: stream clicks has no shard 7")
    assert "it has shardId-000000000000" in wrong.stderr


def test_an_age_and_a_time(eddyline: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("eddyline.cli.tail.SYSTEM", ManualClock(START_MS + 20_000))
    assert tail(eddyline, "--from", "10.5s") == ["r10", "r11"]
    assert tail(eddyline, "--from", "5s") == []
    assert tail(eddyline, "--from", "2025-11-24T16:00:10Z") == ["r10", "r11"]


@pytest.mark.parametrize("where", ["noon", "-", "--5", "5 parsecs"])
def test_no_place(eddyline: Command, where: str) -> None:
    done = eddyline.here("stream", "tail", "clicks", f"--from={where}")
    assert done.returncode == 1
    assert f"{where!r} is not a place in a stream" in done.stderr
    assert "hint: write latest, oldest, -10, 5m, or a time" in done.stderr


def test_older_records_are_mentioned_to_whoever_waits(eddyline: Command) -> None:
    unasked = eddyline.here("stream", "tail", "clicks", "--no-follow")
    assert unasked.stdout == ""
    assert unasked.stderr.startswith("12 older records; use --from oldest")
    for where in ("latest", "oldest", "-3"):
        assert (
            eddyline.here("stream", "tail", "clicks", "--no-follow", "--from", where).stderr == ""
        )


def test_formats(eddyline: Command) -> None:
    (line,) = tail(eddyline, "--from", "-1", "--format", "{arrival}\\t{offset} {shard}: {data}")
    assert line == "2025-11-24T16:00:11.000Z\t5 shardId-000000000001: r11"
    assert tail(eddyline, "--from", "-1", "--format", "hex") == [b"r11".hex()]
    assert tail(eddyline, "--from", "-1", "--format", "base64") == [
        base64.b64encode(b"r11").decode()
    ]
    for form in ("{nosuch}", "plain", "{data"):
        done = eddyline.here("stream", "tail", "clicks", "--format", form)
        assert done.returncode == 1
        assert "hint: --format is text, hex, base64, or a line with" in done.stderr


def test_bytes_that_are_no_text_are_not_lost_in_json(eddyline: Command) -> None:
    data = b"\xff\x00{"
    settings = Settings(data_dir=eddyline.data_dir)
    store = LogStore(settings.data_dir, settings, ManualClock(START_MS + 60_000))
    store.open("clicks").put(PutBatch(["k"], [data])).result()
    store.close()
    row = json.loads(tail(eddyline, "--from", "-1", "--json")[0])
    assert "data" not in row
    assert base64.b64decode(row["data_base64"]) == data
