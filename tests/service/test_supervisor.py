"""Children: they end with their parent, however it ends, and their deaths are told apart."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from eddyline.clock import ManualClock
from eddyline.errors import EddylineError
from eddyline.service.generators import SENDER
from eddyline.service.supervisor import BackOff, ChildProcess, Supervisor, how_it_ended
from tests.process_kit import lives

PARENT = """
import sys, pathlib, time
from eddyline.service.generators import SENDER
from eddyline.service.supervisor import Supervisor
s = Supervisor(pathlib.Path(sys.argv[1]))
child = s.start(SENDER, lambda *_: None, lambda *_: None)
print(child.pid, flush=True)
time.sleep(600)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_child_ends_with_a_killed_parent(tmp_path: Path) -> None:
    command = [sys.executable, "-c", PARENT, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert lives(pid)
        parent.kill()
    end = time.monotonic() + 5
    while lives(pid):
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_death_and_an_end_are_told_apart(tmp_path: Path) -> None:
    supervisor = Supervisor(tmp_path)
    ends: list[tuple[str, bool]] = []
    gone = threading.Event()

    def exited(child: ChildProcess, how: str, expected: bool) -> None:
        ends.append((how, expected))
        gone.set()

    for ending in ("kill", "stop"):
        gone.clear()
        child = supervisor.start(SENDER, lambda *_: None, exited)
        assert supervisor.pids() == [child.pid]
        if ending == "kill":
            os.kill(child.pid, 9)
        else:
            child.stop()
        assert gone.wait(10)
    supervisor.close()
    assert ends[0] == ("was killed by SIGKILL", False)
    assert ends[1][1] is True
    with pytest.raises(EddylineError, match="stopping"):
        supervisor.start(SENDER, lambda *_: None, exited)


def test_closing_waits_until_the_end_of_every_child_was_heard(tmp_path: Path) -> None:
    supervisor = Supervisor(tmp_path)
    ends: list[str] = []

    def exited(child: ChildProcess, how: str, expected: bool) -> None:
        time.sleep(0.3)
        ends.append(how)

    for _ in range(2):
        supervisor.start(SENDER, lambda *_: None, exited)
    supervisor.close()
    assert len(ends) == 2


def test_a_child_that_hangs_is_ended_like_one_that_died(tmp_path: Path) -> None:
    supervisor = Supervisor(tmp_path, silence_s=3)
    ends: list[tuple[str, bool]] = []
    gone = threading.Event()

    def exited(child: ChildProcess, how: str, expected: bool) -> None:
        ends.append((how, expected))
        gone.set()

    healthy = supervisor.start(SENDER, lambda *_: None, lambda *_: None)
    hung = supervisor.start(SENDER, lambda *_: None, exited)
    os.kill(hung.pid, signal.SIGSTOP)
    assert gone.wait(30)
    assert ends == [("did not answer and was killed", False)]
    assert supervisor.pids() == [healthy.pid]
    supervisor.close()


def test_silence_is_counted_in_looks_and_not_while_a_message_is_handled(tmp_path: Path) -> None:
    supervisor = Supervisor(tmp_path)
    handling, go_on = threading.Event(), threading.Event()

    def slowly(child: ChildProcess, message: object) -> None:
        handling.set()
        go_on.wait(30)

    # This child says something of its own at once.
    child = supervisor.start("eddyline.service.worker", slowly, lambda *_: None)
    assert handling.wait(60)
    for _ in range(10):
        assert not child.is_silent(5.0, 20.0), "we are slow, not the child"
    go_on.set()
    supervisor.close()
    assert not child.is_silent(5.0, 20.0), "after a long sleep there is one look, not an hour"
    assert [child.is_silent(5.0, 20.0) for _ in range(3)] == [False, False, True]


def test_back_off_doubles_and_forgets() -> None:
    clock = ManualClock()
    back_off = BackOff(clock)
    assert [back_off.next_s() for _ in range(4)] == [0.1, 0.2, 0.4, 0.8]
    assert [back_off.next_s() for _ in range(10)][-1] == 30.0
    clock.advance(61_000)
    assert back_off.next_s() == 0.1


def test_how_a_process_ended() -> None:
    assert how_it_ended(-15) == "was killed by SIGTERM"
    assert how_it_ended(3) == "ended with code 3"
