"""A running generator: rates, ends, clocks, faults and labels, counted by what came."""

from __future__ import annotations

import json
import threading
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from generator_kit import START_MS, Collected, RunningClock

from eddyline.errors import EddylineError
from eddyline.generator.counters import SendResult
from eddyline.generator.job import Generator, GeneratorThread
from eddyline.generator.pattern import Burst, Periodic, Ramp
from eddyline.generator.spec import Fault, GeneratorSpec, Simulated

COUNTED = '{"n":{{sequence.next}},"t":{{random.number(99)}},"at":{{date.now(x)}}}'


def run(
    template: str = COUNTED, labels: Collected | None = None, **options: Any
) -> tuple[Generator, Collected]:
    clock = RunningClock()
    target = Collected(clock)
    options = {"seed": 1, **options}
    generator = Generator(GeneratorSpec(template, "stream:s", **options), target, clock, labels)
    generator.run(threading.Event())
    return generator, target


def parsed(target: Collected) -> list[dict[str, Any]]:
    return [json.loads(r) for r in target.records]


def test_a_constant_rate_comes_on_time_with_its_instants() -> None:
    generator, came = run(rate=50, duration_s=3)
    assert came.a_second() == [50, 50, 50]
    assert [r["at"] - START_MS for r in parsed(came)] == [20 * k for k in range(150)]
    assert all(abs(at - k / 50) < 0.02 for k, at in enumerate(came.at))
    assert generator.counters.accepted == generator.counters.turns == 150


def test_a_total_ends_the_run() -> None:
    for rate in (1000, None):
        generator, came = run(rate=rate, total=1234)
        assert [r["n"] for r in parsed(came)] == list(range(1, 1235))
        assert generator.counters.sent == generator.counters.accepted == 1234
        assert not generator.counters.running


def test_the_same_seed_sends_the_same() -> None:
    assert run(rate=None, total=500)[1].records == run(rate=None, total=500)[1].records
    assert run(total=50, seed=2)[1].records != run(total=50)[1].records


def test_bursts_ramps_and_weeks_change_what_comes() -> None:
    assert run(rate=10, duration_s=4, bursts=(Burst(1, 2, 5),))[1].a_second() == [10, 50, 50, 10]
    assert run(rate=10, duration_s=4, ramp=Ramp(50, 4))[1].a_second() == [15, 25, 35, 45]
    week = Periodic(tuple((20.0,) * 24 for _ in range(7)))
    assert run(rate=None, periodic=week, duration_s=3)[1].a_second() == [20, 20, 20]


def test_poisson_arrivals_come_by_chance_until_the_end() -> None:
    generator, came = run(rate=100, duration_s=30, arrivals="poisson")
    seconds = came.a_second()
    assert len(seconds) == 30
    assert abs(sum(seconds) - 3000) < 220
    assert 40 < np.var(seconds) < 190
    assert generator.counters.accepted == sum(seconds)


SIMULATED = '{"sim":"{{date.simTime("YYYY-MM-DD[T]HH:mm:ss")}}","n":{{sequence.next}}}'
YEAR_MS = 1_577_836_800_000  # 2020-01-01T00:00:00Z


@pytest.fixture
def _utc(monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    monkeypatch.setenv("TZ", "UTC")
    time.tzset()


@pytest.mark.usefixtures("_utc")
@pytest.mark.parametrize("speed", [3600.0, None])
def test_a_simulated_clock_runs_from_start_to_end(speed: float | None) -> None:
    clock = Simulated(YEAR_MS, YEAR_MS + 6 * 3_600_000, speed)
    _, came = run(SIMULATED, rate=1 / 60, simulated=clock)
    times = [datetime.fromisoformat(r["sim"]).replace(tzinfo=UTC) for r in parsed(came)]
    assert len(times) == 360
    assert [(t.timestamp() * 1000 - YEAR_MS) / 60_000 for t in times] == list(range(360))
    assert came.at[-1] == pytest.approx(0.0 if speed is None else 359 / 60, abs=0.02)


@pytest.mark.usefixtures("_utc")
def test_a_week_is_simulated_by_its_table() -> None:
    rows = tuple(tuple(float(h) / 100 for h in range(24)) for _ in range(7))
    clock = Simulated(YEAR_MS, YEAR_MS + 86_400_000, None)
    _, came = run(SIMULATED, rate=None, periodic=Periodic(rows, smooth=False), simulated=clock)
    hours = Counter(r["sim"][11:13] for r in parsed(came))
    assert all(abs(hours[f"{h:02}"] - 36 * h) <= 1 for h in range(24))


def test_a_later_run_takes_up_the_sequence_and_the_total() -> None:
    whole = run(rate=None, total=100, template='{"n":{{sequence.next}},"v":{{random.number}}}')[1]
    first = run(rate=None, total=60, template='{"n":{{sequence.next}},"v":{{random.number}}}')
    counters = first[0].counters
    rest = run(
        rate=None,
        total=100,
        first_turn=counters.turns,
        first_record=counters.made,
        template='{"n":{{sequence.next}},"v":{{random.number}}}',
    )[1]
    assert first[1].records + rest.records == whole.records


FAULTS = {
    "drop": Fault("drop", 0.1),
    "duplicate": Fault("duplicate", 0.1),
    "torn": Fault("torn", 0.1),
    "late": Fault("late", 0.1, delay_s=2),
    "outlier": Fault("outlier", 0.1, field="t", factor=1000),
}


@pytest.mark.parametrize("kind", ["drop", "duplicate"])
def test_a_total_counts_what_was_made_across_runs(kind: str) -> None:
    fault = Fault(kind, 0.5)
    counters = run(rate=None, total=60, faults=(fault,))[0].counters
    assert counters.made == 60
    assert counters.sent != 60
    resumed: dict[str, Any] = {"first_turn": counters.turns, "first_record": counters.made}
    rest, came = run(rate=None, total=100, faults=(fault,), **resumed)
    assert rest.counters.made == 100
    assert {r["n"] for r in parsed(came)} <= set(range(61, 101))
    assert rest.counters.accepted == len(came.records)


@pytest.mark.parametrize("kind", FAULTS)
def test_a_fault_is_labelled_and_nothing_else_changes(kind: str) -> None:
    labels = Collected()
    _, clean = run(rate=100, duration_s=10)
    _, came = run(rate=100, duration_s=10, faults=(FAULTS[kind],), labels=labels)
    labelled = [json.loads(r) for r in labels.records]
    assert 60 < len(labelled) < 140
    assert {t["fault"] for t in labelled} == {kind}
    faulty = {t["record"] for t in labelled}
    kept = [r for k, r in enumerate(clean.records) if k not in faulty]
    if kind == "drop":
        assert came.records == kept
    elif kind == "duplicate":
        counts = Counter(came.records)
        assert {k for k, r in enumerate(clean.records) if counts[r] == 2} == faulty
    elif kind == "late":
        assert sorted(came.records) == sorted(clean.records)
        place = dict(zip(came.records, came.at, strict=True))
        held = [place[clean.records[k]] - k / 100 for k in faulty]
        assert all(2 - 0.02 <= h < 2.1 for h in held)
    elif kind == "torn":
        pairs = enumerate(zip(clean.records, came.records, strict=True))
        assert {k for k, (a, b) in pairs if a != b and a.startswith(b)} == faulty
    else:
        for k, (a, b) in enumerate(zip(clean.records, came.records, strict=True)):
            change = 1000 if k in faulty else 1
            assert json.loads(b) == {**json.loads(a), "t": json.loads(a)["t"] * change}


def test_bursts_are_labelled_with_their_times() -> None:
    labels = Collected()
    run(rate=10, duration_s=5, bursts=(Burst(2, 1, 4),), labels=labels)
    (label,) = [json.loads(r) for r in labels.records]
    assert label == {
        "at": "2025-11-24T16:00:02.000Z",
        "until": "2025-11-24T16:00:03.000Z",
        "fault": "burst",
        "factor": 4,
    }


def test_a_fault_has_its_time() -> None:
    labels = Collected()
    only = Fault("drop", 1.0, start_s=1, duration_s=2)
    _, came = run(rate=10, duration_s=5, faults=(only,), labels=labels)
    assert came.a_second() == [10, 0, 0, 10, 10]
    assert len(labels.records) == 20


@pytest.mark.parametrize(
    ("template", "field"),
    [('{"t":"word"}', "t"), ('{"t":1}', "u"), ("no json", "t"), ('{"t":true}', "t")],
)
def test_an_outlier_without_a_number_is_refused(template: str, field: str) -> None:
    with pytest.raises(EddylineError, match="no record has a number in the field"):
        run(template, total=1, faults=(Fault("outlier", 0.5, field),))


def test_faults_that_could_not_be_made_are_counted() -> None:
    generator, _ = run(
        '{"t":{{random.number(9) | null(0.5)}}}',
        rate=None,
        total=1000,
        faults=(Fault("outlier", 1.0, "t"),),
    )
    assert 430 < generator.counters.faults_missed < 570


class Slow(Collected):
    """A target that takes its time for each batch."""

    def send(self, keys: Any, data: Any, stop: threading.Event) -> SendResult:
        assert self._clock is not None
        result = super().send(keys, data, stop)
        self._clock.seconds += 3
        return result


def test_a_late_record_carries_the_instant_at_which_it_leaves() -> None:
    clock = RunningClock()
    target = Slow(clock)
    Generator(GeneratorSpec(COUNTED, "stream:s", rate=10, total=200), target, clock).run(
        threading.Event()
    )
    late = [
        at * 1000 - (r["at"] - START_MS) for r, at in zip(parsed(target), target.at, strict=True)
    ]
    assert len(set(target.at)) > 3  # several batches, each of them behind the plan
    assert min(late) >= -1
    assert max(late) <= 260
    instants = [r["at"] for r in parsed(target)]
    assert instants == sorted(instants)


def test_a_run_without_a_seed_tells_the_one_it_drew() -> None:
    first, came = run(rate=None, total=20, seed=None)
    again = run(rate=None, total=20, seed=first.counters.seed)[1]
    assert again.records == came.records
    assert first.counters.seed != run(rate=None, total=1, seed=None)[0].counters.seed


class Refusing(Collected):
    """Accepts every other batch, and dies if told to."""

    def __init__(self, dies: bool) -> None:
        super().__init__()
        self._dies = dies
        self._batches = 0

    def send(self, keys: Any, data: Any, stop: threading.Event) -> SendResult:
        self._batches += 1
        if self._dies and self._batches > 2:
            raise EddylineError("not_found", "the stream is gone")
        if self._batches % 2:
            return super().send(keys, data, stop)
        return SendResult(0, len(data), "no room")


def test_only_what_was_acknowledged_counts() -> None:
    target = Refusing(dies=False)
    spec = GeneratorSpec(COUNTED, "stream:s", rate=None, total=40_000)
    counters = Generator(spec, target, RunningClock()).run(threading.Event())
    assert counters.sent == 40_000
    assert counters.accepted == len(target.records) == 20_000
    assert counters.failed == 20_000
    assert counters.last_error == "no room"


def test_a_target_that_can_take_no_more_ends_the_run() -> None:
    generator = Generator(
        GeneratorSpec(COUNTED, "stream:s", rate=None), Refusing(dies=True), RunningClock()
    )
    with pytest.raises(EddylineError, match="gone"):
        generator.run(threading.Event())
    assert generator.counters.last_error == "the stream is gone"
    assert generator.counters.accepted == 10_000


def test_a_stopped_thread_is_stopped() -> None:
    target = Collected()
    thread = GeneratorThread(Generator(GeneratorSpec(COUNTED, "stream:s", rate=200), target))
    thread.start()
    assert thread.running
    while not target.records:
        pass
    counters = thread.stop()
    assert not thread.running
    assert not counters.running
    assert counters.accepted == len(target.records)


def test_a_stall_is_caught_up_in_part_and_told() -> None:
    clock = RunningClock()

    class Stalling(Collected):
        def send(self, keys: Any, data: Any, stop: threading.Event) -> SendResult:
            if len(self.records) == 10:
                clock.seconds += 60
            return super().send(keys, data, stop)

    spec = GeneratorSpec(COUNTED, "stream:s", rate=10, total=100)
    generator = Generator(spec, Stalling(clock), clock)
    assert generator.run(threading.Event()).accepted == 100
    assert 50_000 < generator.counters.slipped_ms < 60_000


@pytest.mark.parametrize("key", ["random", "field:n", "fixed:all"])
def test_partition_keys(key: str) -> None:
    _, came = run(rate=None, total=300, partition_key=key)
    if key == "field:n":
        assert came.keys == [str(r["n"]) for r in parsed(came)]
    elif key == "fixed:all":
        assert set(came.keys) == {"all"}
    else:
        assert len(set(came.keys)) > 250


@pytest.mark.parametrize("key", ["", "field:", "fixed:", "fixed:" + "x" * 257, "other"])
def test_a_wrong_partition_key_is_told(key: str) -> None:
    with pytest.raises(EddylineError, match="partition key"):
        run(total=1, partition_key=key)


def test_a_record_without_the_keys_field_gets_a_dash() -> None:
    assert set(run("no json", rate=None, total=3, partition_key="field:n")[1].keys) == {"-"}


def test_newline_and_gzip() -> None:
    import gzip

    assert run("a", total=2, rate=None, newline=True)[1].records == [b"a\n", b"a\n"]
    packed = run("a", total=2, rate=None, newline=True, gzip=True)[1].records
    assert [gzip.decompress(r) for r in packed] == [b"a\n", b"a\n"]
    assert packed[0] == packed[1]


def test_a_held_record_is_sent_at_the_end() -> None:
    held = Fault("late", 1.0, delay_s=3600)
    for rate in (None, 100):
        _, came = run(rate=rate, total=20, faults=(held,))
        assert len(came.records) == 20


def test_several_records_a_turn_keep_rate_and_total() -> None:
    _, came = run('{"a":{{a = sequence.next}}}{{record.next}}{"b":{{a}}}', rate=11, duration_s=2)
    assert came.a_second() == [11, 11]
    assert came.records[:2] == [b'{"a":1}', b'{"b":1}']


def test_arrow_arrays_are_handed_over() -> None:
    seen: list[Any] = []

    class Looking(Collected):
        def send(self, keys: Any, data: Any, stop: threading.Event) -> SendResult:
            seen.append((keys, data))
            return SendResult(len(data))

    Generator(GeneratorSpec("a", "-", rate=None, total=5), Looking(), RunningClock()).run(
        threading.Event()
    )
    assert seen[0][0].type == pa.string()
    assert seen[0][1].type == pa.binary()
