"""Generators: a process each, counted live, ended with the server."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from eddyline.errors import EddylineError
from eddyline.generator.spec import GeneratorSpec
from eddyline.service.generators import GeneratorInfo
from eddyline.service.services import Services
from eddyline.settings import Settings

TEMPLATE = '{"n":{{random.number(5)}}}'


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    opened = Services(Settings(data_dir=tmp_path / "data"))
    opened.start()
    yield opened
    opened.stop()


def until(info: Callable[[], GeneratorInfo], holds: Callable[[GeneratorInfo], bool]) -> None:
    end = time.monotonic() + 15
    while not holds(info()):
        assert time.monotonic() < end, info()
        time.sleep(0.02)


def spec(tmp_path: Path, **more: object) -> GeneratorSpec:
    return GeneratorSpec(TEMPLATE, f"file:{tmp_path / 'out.json'}", **more)  # type: ignore[arg-type]


def test_it_runs_to_its_total(services: Services, tmp_path: Path) -> None:
    made = services.generators.create("g", spec(tmp_path, rate=None, total=1000))
    assert (made.actual, made.desired) == ("STOPPED", "STOPPED")
    services.generators.start("g")
    until(lambda: services.generators.get("g"), lambda g: g.actual == "FINISHED")
    assert services.generators.get("g").counters.accepted == 1000
    assert len((tmp_path / "out.json").read_text().splitlines()) == 1000


def test_start_and_stop_with_live_counters(services: Services, tmp_path: Path) -> None:
    services.generators.create("g", spec(tmp_path, rate=200.0))
    services.generators.start("g")
    until(lambda: services.generators.get("g"), lambda g: g.counters.accepted > 20)
    assert services.generators.get("g").counters.running
    stopped = services.generators.stop("g")
    assert (stopped.actual, stopped.desired, stopped.pid) == ("STOPPED", "STOPPED", None)
    assert stopped.counters.accepted == len((tmp_path / "out.json").read_text().splitlines())
    services.generators.start("g")
    until(lambda: services.generators.get("g"), lambda g: g.counters.accepted > 0)
    assert services.generators.get("g").started_ms != stopped.started_ms


def test_a_killed_one_is_started_again_only_if_asked(services: Services, tmp_path: Path) -> None:
    services.generators.create("once", spec(tmp_path, rate=50.0))
    services.generators.create("always", spec(tmp_path, rate=50.0), restart=True)
    for name in ("once", "always"):
        pid = services.generators.start(name).pid
        until(lambda name=name: services.generators.get(name), lambda g: g.counters.accepted > 2)
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
    until(lambda: services.generators.get("once"), lambda g: g.actual == "FAILED")
    error = services.generators.get("once").error
    assert error is not None
    assert "was killed by SIGKILL" in error["message"]
    before = services.generators.get("always").counters.accepted
    until(
        lambda: services.generators.get("always"),
        lambda g: g.actual == "RUNNING" and g.counters.accepted > before + 5,
    )


def test_a_target_that_is_not_there_is_said(services: Services) -> None:
    services.generators.create("g", GeneratorSpec(TEMPLATE, "stream:nope"))
    services.generators.start("g")
    until(lambda: services.generators.get("g"), lambda g: g.actual == "FAILED")
    error = services.generators.get("g").error
    assert error is not None
    assert error["code"] == "not_found"
    assert "nope" in error["message"]


def test_wrong_templates_and_names_are_refused(services: Services, tmp_path: Path) -> None:
    with pytest.raises(EddylineError) as caught:
        services.generators.create("bad", GeneratorSpec("{{random.nope()}}", "-"))
    assert caught.value.code == "template_error"
    services.generators.create("g", spec(tmp_path))
    with pytest.raises(EddylineError, match="exists already"):
        services.generators.create("g", spec(tmp_path))
    services.generators.remove("g")
    with pytest.raises(EddylineError, match="no generator g"):
        services.generators.get("g")


def test_samples_to_look_at(services: Services) -> None:
    samples = services.generators.sample(TEMPLATE, 3)
    assert len(samples) == 3
    assert all(s.startswith('{"n":') for s in samples)


def test_a_preview_says_what_has_no_effect(services: Services) -> None:
    preview = services.generators.preview('{"n":{{random.number({"max":5,"most":9})}}}', 2)
    assert len(preview.records) == 2
    (warning,) = preview.warnings
    assert "most has no effect" in warning


def test_the_server_takes_its_generators_along(tmp_path: Path) -> None:
    services = Services(Settings(data_dir=tmp_path / "data"))
    services.start()
    services.generators.create("g", spec(tmp_path, rate=50.0), restart=True)
    services.generators.create("once", spec(tmp_path, rate=50.0))
    services.generators.create("idle", spec(tmp_path, rate=50.0))
    services.generators.start("once")
    pid = services.generators.start("g").pid
    services.stop()
    assert pid is not None
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    again = Services(Settings(data_dir=tmp_path / "data"))
    again.start()
    until(lambda: again.generators.get("g"), lambda g: g.actual == "RUNNING")
    ended = {g.name: (g.desired, g.ended_with_server) for g in again.generators.list()}
    stopped = {"once": ("STOPPED", True), "idle": ("STOPPED", False)}
    assert ended == {"g": ("RUNNING", False)} | stopped
    again.stop()
    again = Services(Settings(data_dir=tmp_path / "data"))
    again.start()  # it is still known after another restart, until somebody starts it
    assert again.generators.get("once").ended_with_server
    assert not again.generators.start("once").ended_with_server
    again.stop()
