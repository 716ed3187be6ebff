"""The limits of the calls by which a worker of the endpoint reaches the server."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from eddyline.aws.errors import AwsError
from eddyline.aws.server_link import CALLS_MAX, ServerLink
from eddyline.service import control
from eddyline.service.control import ControlServer
from eddyline.service.directory import DataDirectory


class Slow:
    """A component whose calls last until they are let go."""

    def __init__(self) -> None:
        self.go_on = threading.Event()
        self.under_way = threading.Semaphore(0)

    def hold(self) -> int:
        self.under_way.release()
        assert self.go_on.wait(30)
        return 1

    def answer(self) -> int:
        return 2


@pytest.fixture
def slow(tmp_path: Path) -> Iterator[Slow]:
    directory = DataDirectory(tmp_path)
    directory.prepare()
    component = Slow()
    server = ControlServer(SimpleNamespace(jobs=component), directory)
    yield component
    component.go_on.set()
    server.close()


@contextmanager
def held(slow: Slow, hold: Callable[[], int], calls: int) -> Iterator[None]:
    """So many calls are under way, and all of them are answered afterwards."""
    with ThreadPoolExecutor(calls) as pool:
        answers = [pool.submit(hold) for _ in range(calls)]
        for _ in range(calls):
            assert slow.under_way.acquire(timeout=30)
        try:
            yield
        finally:
            slow.go_on.set()
        assert [answer.result(30) for answer in answers] == [1] * calls


def refusal(call: Callable[[], int]) -> str:
    with pytest.raises(AwsError) as refused:
        call()
    assert (refused.value.name, refused.value.status) == ("ServiceUnavailable", 503)
    return refused.value.message


def test_a_worker_has_eight_calls_under_way(slow: Slow, tmp_path: Path) -> None:
    assert CALLS_MAX == 8
    jobs = ServerLink(tmp_path, turn_s=0.05).component("jobs", Slow)
    with held(slow, jobs.hold, CALLS_MAX - 1):
        assert jobs.answer() == 2
    slow.go_on.clear()
    with held(slow, jobs.hold, CALLS_MAX):
        assert "busy with other calls" in refusal(jobs.answer)
    assert jobs.answer() == 2


def test_the_server_performs_64_calls_of_all_workers(
    slow: Slow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control, "TURN_S", 0.05)
    assert control.CALLS_MAX == 64
    workers = [ServerLink(tmp_path, turn_s=0.05).component("jobs", Slow) for _ in range(9)]
    holds = iter(worker.hold for worker in workers[:8] for _ in range(CALLS_MAX))
    with held(slow, lambda: next(holds)(), control.CALLS_MAX):
        assert "busy with 64 other calls" in refusal(workers[8].answer)
    assert workers[8].answer() == 2


def test_a_call_without_an_answer_ends(slow: Slow, tmp_path: Path) -> None:
    jobs = ServerLink(tmp_path, calls_max=1, call_s=0.05).component("jobs", Slow)
    assert refusal(jobs.hold)
    slow.go_on.set()
    assert jobs.answer() == 2, "its turn was given back"


def test_without_a_server_the_service_is_unavailable(tmp_path: Path) -> None:
    jobs = ServerLink(tmp_path).component("jobs", Slow)
    assert "no server answers" in refusal(jobs.answer)
