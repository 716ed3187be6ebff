"""One turn into several streams: who gets which records, and what a name without a target says."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest
from generator_kit import Collected, RunningClock

from eddyline.errors import EddylineError
from eddyline.generator.job import Generator
from eddyline.generator.spec import Fault, GeneratorSpec

BOTH = (
    '{"view":"{{id = random.uuid}}"}'
    '{{record.next({"chance":0.25,"to":"stream:clicks"})}}{"click":"{{id}}"}'
)


def run(template: str = BOTH, target: str = "stream:views", **spec: Any) -> dict[str, Collected]:
    clock = RunningClock()
    targets = {target: Collected(clock)}

    def opened(text: str) -> Collected:
        return targets.setdefault(text, Collected(clock))

    generator_spec = GeneratorSpec(template, target, seed=1, **spec)
    generator = Generator(generator_spec, targets[target], clock, open_output=opened)
    generator.run(threading.Event())
    sent = sum(len(t.records) for t in targets.values())
    assert generator.counters.accepted == sent
    return targets


def ids(target: Collected, name: str) -> list[str]:
    return [json.loads(r)[name] for r in target.records]


@pytest.mark.parametrize("rate", [None, 2000])
def test_a_turn_is_written_to_two_streams(rate: float | None) -> None:
    targets = run(rate=rate, total=5000)
    assert set(targets) == {"stream:views", "stream:clicks"}
    views, clicks = ids(targets["stream:views"], "view"), ids(targets["stream:clicks"], "click")
    assert len(views) + len(clicks) == 5000
    assert 850 < len(clicks) < 1150
    places = {id: k for k, id in enumerate(views)}
    assert [places[id] for id in clicks] == sorted(places[id] for id in clicks)


def test_a_stream_beside_a_remote_one_is_remote() -> None:
    assert set(run(target="kinesis:views", total=10)) == {"kinesis:views", "kinesis:clicks"}


def test_a_name_has_the_target_it_is_given() -> None:
    template = BOTH.replace("stream:clicks", "clicks")
    targets = run(template, total=100, outputs=(("clicks", "file:c.ndjson"),))
    assert ids(targets["file:c.ndjson"], "click")


def test_faults_leave_a_record_with_its_stream() -> None:
    faults = (Fault("duplicate", 0.2), Fault("torn", 0.2), Fault("late", 0.2, delay_s=0.1))
    targets = run(rate=500, duration_s=2, faults=faults)
    for name, start in (("stream:views", b'{"view"'), ("stream:clicks", b'{"click"')):
        records = targets[name].records
        assert all(r[: len(start)] == start[: len(r)] for r in records)
        assert len(set(records)) < len(records)


@pytest.mark.parametrize(
    ("template", "spec", "words"),
    [
        (BOTH.replace("stream:clicks", "clicks"), {}, "has no target"),
        (BOTH.replace("stream:clicks", "file:/etc/x"), {}, "has no target"),
        ('{"a":1}', {"outputs": (("clicks", "stream:c"),)}, "sends nothing to clicks"),
        (BOTH, {"target": "file:x"}, "has no target"),
    ],
)
def test_an_output_without_a_target_is_told(
    template: str, spec: dict[str, Any], words: str
) -> None:
    with pytest.raises(EddylineError, match=words):
        run(template, **{"total": 5, **spec})
