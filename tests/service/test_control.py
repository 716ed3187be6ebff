"""The control socket: methods called by their own signatures, callbacks as streams."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import msgspec
import pytest

from eddyline.errors import EddylineError, Span
from eddyline.service.control import Component, ControlServer
from eddyline.service.directory import DataDirectory


class Thing(msgspec.Struct):
    name: str
    size: int | None = None


class Things:
    """Stands for any component."""

    def __init__(self) -> None:
        self.ended = threading.Event()

    def double(self, thing: Thing, *, times: int = 2) -> list[Thing]:
        return [thing] * times

    def fail(self, where: str) -> None:
        span = Span(2, 3, 4)
        raise EddylineError("not_found", "gone", hint="look", span=span, source=where)

    def burst(self, on_event: Callable[[Thing], None], count: int) -> str:
        for n in range(count):
            on_event(Thing(str(n), n))
        return "begun"

    def subscribe(self, callback: Callable[[Thing], None]) -> Callable[[], None]:
        callback(Thing("first"))
        return self.ended.set

    def _secret(self) -> None:
        raise AssertionError


@pytest.fixture
def things(tmp_path: Path) -> Iterator[tuple[Things, Component]]:
    directory = DataDirectory(tmp_path)
    directory.prepare()
    real = Things()
    server = ControlServer(SimpleNamespace(jobs=real), directory)
    yield real, Component(directory, "jobs", Things)
    server.close()


def test_a_call_has_typed_arguments_and_result(things: tuple[Things, Component]) -> None:
    assert things[1].double(Thing("a", 1), times=3) == [Thing("a", 1)] * 3
    assert things[1].double(thing=Thing("a")) == [Thing("a")] * 2


def test_only_the_owner_may_call(things: tuple[Things, Component], tmp_path: Path) -> None:
    assert (tmp_path / "control.sock").stat().st_mode & 0o777 == 0o600


def test_an_error_arrives_whole(things: tuple[Things, Component]) -> None:
    with pytest.raises(EddylineError) as caught:
        things[1].fail("one\ntwo three")
    assert caught.value.as_dict() == {
        "code": "not_found",
        "message": "gone",
        "hint": "look",
        "line": 2,
        "column": 3,
    }
    assert "^^^^" in caught.value.pretty()


def test_events_come_in_order(things: tuple[Things, Component]) -> None:
    seen: list[Thing] = []
    done = threading.Event()

    def on_event(thing: Thing) -> None:
        seen.append(thing)
        if len(seen) == 500:
            done.set()

    assert things[1].burst(on_event, 500) == "begun"
    assert done.wait(10)
    assert [t.size for t in seen] == list(range(500))


def test_ending_a_subscription_tells_the_server(things: tuple[Things, Component]) -> None:
    ended = threading.Event()
    end = things[1].subscribe(lambda thing: ended.set())
    assert ended.wait(10)
    assert not things[0].ended.is_set()
    end()
    assert things[0].ended.wait(10)


def test_private_methods_are_not_there(things: tuple[Things, Component]) -> None:
    with pytest.raises(EddylineError, match="no method"):
        things[1]._secret()


def test_wrong_arguments_are_refused(things: tuple[Things, Component]) -> None:
    with pytest.raises(EddylineError, match="argument thing"):
        things[1].double({"size": 1})


def test_without_a_server_it_says_how_to_start_one(tmp_path: Path) -> None:
    with pytest.raises(EddylineError, match="no server answers") as caught:
        Component(DataDirectory(tmp_path), "jobs", Things).double(Thing("a"))
    assert caught.value.code == "not_running"
    assert "eddyline up" in (caught.value.hint or "")
