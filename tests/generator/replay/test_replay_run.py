"""A file as a stream: order, pace, moved times, and what stands in the records."""

from __future__ import annotations

import csv
import io
import json
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eddyline.errors import EddylineError
from eddyline.generator.counters import SendResult
from eddyline.generator.job import TICK_S
from eddyline.generator.replay.batch import ReplayBatch
from eddyline.generator.replay.instant import Style, detect, move, parse
from eddyline.generator.replay.order import SLACK_MS, Disorder, in_order
from eddyline.generator.replay.run import Replay
from eddyline.generator.replay.spec import ReplaySpec, parse_speed

START_MS = 1_764_000_000_000
quickly = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


class RunningClock:
    """Time that passes only while somebody waits."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now_ms(self) -> int:
        return START_MS + round(self.seconds * 1000)

    def monotonic(self) -> float:
        return self.seconds

    def wait(self, event: threading.Event, seconds: float) -> bool:
        self.seconds += max(0.0, seconds)
        return event.is_set()


class Kept:
    """A target that keeps records and when they came."""

    def __init__(self, clock: RunningClock, refuses: bool = False) -> None:
        self.came: list[tuple[float, bytes]] = []
        self._clock = clock
        self._refuses = refuses

    def send(self, keys: Any, data: Any, stop: threading.Event) -> SendResult:
        assert len(keys) == len(data)
        if self._refuses:
            raise EddylineError("not_found", "gone")
        self.came += [(self._clock.seconds, r) for r in data.to_pylist()]
        return SendResult(len(data))

    def close(self) -> None:
        pass


def replayed(path: Path, **options: Any) -> tuple[Replay, list[tuple[float, Any]]]:
    clock = RunningClock()
    target = Kept(clock)
    running = Replay(ReplaySpec(str(path), "-", **options), target, clock)
    counters = running.run(threading.Event())
    assert counters.accepted == len(target.came)
    return running, [(at, json.loads(r)) for at, r in target.came]


times = st.integers(0, SLACK_MS // 1000)


@quickly
@given(st.lists(times, min_size=1, max_size=60), st.sampled_from([0.5, 1.0, 60.0]))
def test_each_record_leaves_at_its_moment(tmp_path: Path, seconds: list[int], speed: float) -> None:
    path = tmp_path / "e.ndjson"
    stamp = datetime(2020, 1, 1, tzinfo=UTC)
    rows = [{"ts": (stamp + timedelta(seconds=s)).isoformat(), "i": i} for i, s in
            enumerate(seconds)]  # fmt: skip
    path.write_text("\n".join(map(json.dumps, rows)))
    running, came = replayed(path, speed=speed)
    first = min(seconds)
    expected = sorted(range(len(seconds)), key=lambda i: (seconds[i], i))
    assert [r["i"] for _, r in came] == expected
    for at, r in came:
        due = (seconds[r["i"]] - first) / speed
        assert due - 1e-9 <= at <= due + TICK_S + 1e-9
    assert running.disorder.late == 0


@quickly
@given(st.lists(st.lists(st.integers(0, 4 * SLACK_MS), max_size=20), max_size=6))
def test_order_within_the_slack(chunks: list[list[int]]) -> None:
    disorder = Disorder()
    flat = [ms for chunk in chunks for ms in chunk]
    number = iter(range(len(flat)))
    batches = [_batch([(next(number), ms) for ms in chunk]) for chunk in chunks]
    out = [int(h) for b in in_order(batches, disorder) for h in b.head.to_pylist()]
    assert sorted(out) == list(range(len(flat))), "each record once"
    if not disorder.late:
        assert out == sorted(range(len(flat)), key=lambda i: (flat[i], i))
    highest, far = -1, 0
    for ms in flat:
        far += ms < highest - SLACK_MS
        highest = max(highest, ms)
    assert disorder.late <= far, "only what came later than the slack stays where it was"


def _batch(rows: list[tuple[int, int]]) -> ReplayBatch:
    head = pa.array([str(i) for i, _ in rows], pa.string())
    empty = pa.array([""] * len(rows), pa.string())
    return ReplayBatch(head, empty, empty, np.array([ms for _, ms in rows], np.int64))


moments = st.datetimes(datetime(1931, 1, 1), datetime(2199, 1, 1))  # noqa: DTZ001
forms = st.sampled_from(
    ["%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S.%f", "%Y-%m-%dT%H:%M:%SZ",
     "%Y-%m-%dT%H:%M:%S.%f+02:30", "%Y-%m-%dT%H:%M"]
)  # fmt: skip


@quickly
@given(st.lists(moments, min_size=1, max_size=8), forms, st.integers(-(10**8), 10**8))
def test_times_are_moved_and_keep_their_form(at: list[datetime], form: str, offset_s: int) -> None:
    texts = [m.strftime(form) for m in at]
    ms, valid = parse(pa.array(texts), Style.ISO)
    assert valid.all()
    zone = timedelta(hours=2, minutes=30) if form.endswith("30") else timedelta(0)
    for text, instant in zip(texts, ms, strict=True):
        plain = datetime.fromisoformat(text.removesuffix("Z").removesuffix("+02:30"))
        since = plain - zone - datetime(1970, 1, 1)  # noqa: DTZ001
        assert instant == since // timedelta(milliseconds=1)
    offset_s -= offset_s % 60 if "%S" not in form else 0
    moved = move(pa.array(texts), Style.ISO, offset_s).to_pylist()
    again, valid = parse(pa.array(moved), Style.ISO)
    assert valid.all()
    assert (again - ms == offset_s * 1000).all()
    assert [len(t) for t in moved] == [len(t) for t in texts]


@pytest.mark.parametrize(
    ("text", "style", "ms"),
    [
        ("1431857103", Style.EPOCH_S, 1_431_857_103_000),
        ("1431857103.25", Style.EPOCH_S, 1_431_857_103_250),
        ("1431857103123", Style.EPOCH_MS, 1_431_857_103_123),
        ("2015-05-17T10:05:03+0000", Style.ISO, 1_431_857_103_000),
        ("noon", None, None),
        ("2015-02-30T10:00:00", Style.ISO, None),
    ],
)
def test_times_as_files_write_them(text: str, style: Style | None, ms: int | None) -> None:
    assert detect([text]) is style
    if style is not None:
        instants, valid = parse(pa.array([text]), style)
        assert (int(instants[0]) if valid[0] else None) == ms


cells = st.text(st.characters(codec="utf-8", exclude_characters="\x00\r"), max_size=12)


@quickly
@given(st.lists(st.tuples(cells, st.integers(-(10**9), 10**9), cells), min_size=1, max_size=20))
def test_csv_holds_what_it_held(tmp_path: Path, rows: list[tuple[str, int, str]]) -> None:
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["a", "n", "z"])
    writer.writerows(rows)
    path = tmp_path / "t.csv"
    path.write_text(out.getvalue(), encoding="utf-8", newline="")
    running, came = replayed(path, speed=None, format="csv")
    texts = {name for name, kind in running.facts.columns.items() if kind == "text"}
    assert "n" not in texts
    got = [r for _, r in came]
    assert [r["n"] for r in got] == [n for _, n, _ in rows]
    for name, at in (("a", 0), ("z", 2)):
        if name in texts:
            assert [r[name] for r in got] == [row[at] for row in rows]


words = st.text(st.characters(codec="ascii", exclude_categories=["Cc"], exclude_characters=' "\\'),
                min_size=1, max_size=12)  # fmt: skip
quoted_words = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp"]),
                       max_size=20)  # fmt: skip
requests = st.tuples(
    words, st.datetimes(datetime(1971, 1, 1), datetime(2100, 1, 1)),  # noqa: DTZ001
    words, st.integers(100, 599), st.none() | st.integers(0, 10**12), quoted_words,
)  # fmt: skip


@quickly
@given(st.lists(requests, min_size=1, max_size=20))
def test_an_access_log_holds_what_it_held(tmp_path: Path, rows: list[Any]) -> None:
    lines = []
    for host, at, path, status, size, agent in rows:
        agent = agent.replace("\\", "\\\\").replace('"', '\\"')
        stamp = at.strftime("%d/%b/%Y:%H:%M:%S -0130")
        lines.append(
            f'{host} - - [{stamp}] "GET /{path} HTTP/1.1" {status} '
            f'{"-" if size is None else size} "-" "{agent}"'
        )
    path = tmp_path / "access.log"
    path.write_bytes("\n".join(lines).encode())
    running, came = replayed(path, speed=None, format="access-log")
    assert running.faults.count == 0, running.faults
    order = sorted(range(len(rows)), key=lambda i: (rows[i][1].replace(microsecond=0), i))
    if running.disorder.late == 0:
        assert len(came) == len(rows)
        for (_, got), i in zip(came, order, strict=True):
            host, at, where, status, size, agent = rows[i]
            assert got["host"] == host
            assert got["path"] == "/" + where
            assert (got["status"], got["bytes"]) == (status, size or 0)
            assert got["user_agent"] == (agent if agent not in ("", "-") else None)
            utc = at.replace(microsecond=0) + timedelta(hours=1, minutes=30)
            assert datetime.fromisoformat(got["time"]) == utc


def test_malformed_lines_are_named_and_left_out(tmp_path: Path) -> None:
    path = tmp_path / "e.ndjson"
    good = '{"time":"2020-01-01T00:00:00Z","n":1}'
    lines = [good, "", "{torn", '{"n":2}', '{"time":"noon"}', "[1]", good, good, ""]
    path.write_bytes(b"\xef\xbb\xbf" + "\n".join(lines).encode())
    running, came = replayed(path, speed=None)
    assert len(came) == 3
    assert running.faults.count == 4
    assert sorted(f.line for f in running.faults.named) == [3, 4, 5, 6]


def test_a_number_is_a_time_only_by_its_name(tmp_path: Path) -> None:
    path = tmp_path / "e.ndjson"
    path.write_text('{"bytes":1431857103}\n')
    assert replayed(path, speed=None)[0].facts.style is None
    assert replayed(path, speed=None, time_field="bytes")[0].facts.style is Style.EPOCH_S
    path.write_text('{"ts":1431857103}\n')
    assert replayed(path, speed=None)[0].facts.time_field == "ts"


def test_a_field_elsewhere_in_the_record_is_not_its_time(tmp_path: Path) -> None:
    path = tmp_path / "e.ndjson"
    row = {"note": 'the "ts": field', "inner": {"ts": "x"}, "ts": "2020-01-01T00:00:00Z"}
    path.write_text(json.dumps(row))
    _, came = replayed(path, speed=None, time="now", time_field="ts")
    ((_, got),) = came
    assert got == row | {"ts": "2025-11-24T16:00:00Z"}


def test_stop_ends_it_between_batches(tmp_path: Path) -> None:
    path = tmp_path / "e.ndjson"
    path.write_text("\n".join(f'{{"ts":"2020-01-01T00:00:{s:02}Z"}}' for s in range(60)))
    clock, stop = RunningClock(), threading.Event()

    class Stops(Kept):
        def send(self, keys: Any, data: Any, stop: threading.Event) -> SendResult:
            if len(self.came) >= 10:
                stop.set()
            return super().send(keys, data, stop)

    target = Stops(clock)
    counters = Replay(ReplaySpec(str(path), "-"), target, clock).run(stop)
    assert counters.accepted == len(target.came) == 11
    assert not counters.running


def test_a_target_that_is_gone_ends_it(tmp_path: Path) -> None:
    path = tmp_path / "e.ndjson"
    path.write_text('{"ts":"2020-01-01T00:00:00Z"}\n')
    clock = RunningClock()
    running = Replay(ReplaySpec(str(path), "-"), Kept(clock, refuses=True), clock)
    with pytest.raises(EddylineError, match="gone"):
        running.run(threading.Event())
    assert (running.counters.sent, running.counters.failed) == (1, 1)
    assert running.counters.last_error == "gone"


def test_speeds() -> None:
    assert [parse_speed(t) for t in ("1x", "60x", "0.5", "MAX")] == [1.0, 60.0, 0.5, None]
    with pytest.raises(EddylineError, match="no speed"):
        parse_speed("x60")
