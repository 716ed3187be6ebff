"""Generators that are to survive go on where they were: after their own end, and the server's."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

from eddyline.generator.spec import GeneratorSpec
from eddyline.service.generators import GeneratorInfo
from eddyline.service.services import Services
from eddyline.settings import Settings

TOTAL = 400


def until(info: Callable[[], GeneratorInfo], holds: Callable[[GeneratorInfo], bool]) -> None:
    end = time.monotonic() + 60
    while not holds(info()):
        assert time.monotonic() < end, info()
        time.sleep(0.02)


def numbers(path: Path) -> list[int]:
    return [int(line) for line in path.read_text().split()]


def test_sequence_and_total_go_on_after_both_ends(tmp_path: Path) -> None:
    out = tmp_path / "out.txt"
    settings = Settings(data_dir=tmp_path / "data")
    services = Services(settings)
    services.start()
    spec = GeneratorSpec("{{sequence.next}}", f"file:{out}", rate=80.0, total=TOTAL, seed=1)
    services.generators.create("g", spec, restart=True)
    pid = services.generators.start("g").pid
    until(lambda: services.generators.get("g"), lambda g: g.counters.accepted > 60)
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    until(lambda: services.generators.get("g"), lambda g: g.counters.accepted > 120)
    services.stop()

    again = Services(settings)
    again.start()
    try:
        until(lambda: again.generators.get("g"), lambda g: g.actual == "FINISHED")
        counters = again.generators.get("g").counters
    finally:
        again.stop()
    sent = numbers(out)
    assert counters.accepted == TOTAL
    # Nothing is left out; what was sent but not yet told may be there twice.
    assert set(sent) == set(range(1, TOTAL + 1))
    assert len(sent) < TOTAL + 250
