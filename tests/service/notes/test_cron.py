"""Times of cron expressions, and notes that run at them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from test_notes import Bench

from eddyline.errors import EddylineError
from eddyline.service.notes.cron import parse


def ms(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


# A Saturday.
NOW = ms("2026-11-28T10:02:03.500")


@pytest.mark.parametrize(
    ("cron", "following"),
    [
        ("0 0/5 * * * ?", "2026-11-28T10:05:00"),
        ("3/30 * * * * ?", "2026-11-28T10:02:33"),
        ("0 30 7 ? * MON-FRI", "2026-11-30T07:30:00"),
        ("0 0 12 1,15 * ?", "2026-12-01T12:00:00"),
        ("0 0 0 L 2 ?", "2027-02-28T00:00:00"),
        ("0 0 9 ? * 6#3", "2026-12-18T09:00:00"),
        ("0 0 9 ? * FRIL", "2026-12-25T09:00:00"),
        ("0 0 22-2 * * ?", "2026-11-28T22:00:00"),
        ("0 0 0 1 1 ? 2030", "2030-01-01T00:00:00"),
        ("30 7 * * 1-5", "2026-11-30T07:30:00"),
        ("0 0 * * 7", "2026-11-29T00:00:00"),
        ("0 0 29 2 *", "2028-02-29T00:00:00"),
        ("@hourly", "2026-11-28T11:00:00"),
    ],
)
def test_the_next_time(cron: str, following: str) -> None:
    assert parse(cron).after(NOW) == ms(following)


def test_a_time_that_never_comes() -> None:
    assert parse("0 0 0 31 2 ?").after(NOW) is None
    assert parse("0 0 0 1 1 ? 2020").after(NOW) is None


@pytest.mark.parametrize(
    ("cron", "says"),
    [
        ("often", "it has 1 fields"),
        ("0 61 * * * ?", "61 is no minute of 0 to 59"),
        ("0 0 0 ? * FUN", "FUN is no day of the week"),
        ("0 0/0 * * * ?", "0/0 is no minute"),
        ("0 0 0 15W * ?", "nearest weekday"),
        ("0 0 0 1 13 ?", "13 is no month"),
    ],
)
def test_what_is_no_schedule_is_said(cron: str, says: str) -> None:
    with pytest.raises(EddylineError) as caught:
        parse(cron)
    assert says in caught.value.message
    assert caught.value.hint


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    for note in made.notes.list():
        made.notes.cancel(note.id)


def test_a_note_runs_at_its_times_and_not_while_it_runs(bench: Bench) -> None:
    note = bench.notes.create("n", ["SELECT a"])
    start = bench.clock.now_ms()
    following = bench.notes.schedule(note, "0 0/5 * * * ?")
    assert following is not None
    assert start < following <= start + 300_000
    schedules = bench.notes.schedules
    schedules.run_due(following - 1)
    assert bench.sessions.runs == {}
    schedules.run_due(following)
    bench.sessions.run_of("SELECT a")
    schedules.run_due(following + 300_000)
    assert len(bench.sessions.runs) == 1, "it is still being run"
    assert schedules.next_ms(following) == following + 300_000
    bench.notes.cancel(note)
    bench.until(note, 0, "ABORT")
    kept = bench.notes.export(note)
    assert json.loads(kept)["config"]["cron"] == "0 0/5 * * * ?"
    bench.open()
    assert bench.notes.view(note).schedule == "0 0/5 * * * ?"
    imported = bench.notes.view(bench.notes.import_bytes(kept))
    assert (imported.schedule, imported.stored_cron) == ("", "0 0/5 * * * ?")
    assert bench.notes.schedule(note, "") is None
    assert bench.notes.schedules.next_ms(following) is None
    with pytest.raises(EddylineError, match="no schedule"):
        bench.notes.schedule(note, "now and then")
