"""One real server and one browser for all of the studio's tests."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from studio_browser import Browser, browser, executable

from eddyline.clock import SYSTEM
from eddyline.service.remote import Remote
from eddyline.settings import load

START_S = 60.0
_LINK = re.compile(rb"(http://\S+/signin\?token=\S+)")
_API = re.compile(rb"AWS_ENDPOINT_URL=(http://[\w.:]+)")


class Studio:
    """A server started as people start it; ``link`` is what it printed."""

    def __init__(self, data_dir: Path) -> None:
        environ = {k: v for k, v in os.environ.items() if not k.startswith("EDDYLINE_")}
        environ |= {"EDDYLINE_STREAM_DELAY_MS": "0"}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "eddyline.cli.main", "up", "--port", "0", "--api-port", "0",
             "--data-dir", str(data_dir)],
            stderr=subprocess.PIPE,
            env=environ,
        )  # fmt: skip
        self.output = b""
        self._printed = threading.Event()
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()
        assert self._printed.wait(START_S), self.output.decode()
        match = _LINK.search(self.output)
        assert match is not None, self.output.decode()
        self.link = match[1].decode()
        self.services = Remote(load({}, data_dir=data_dir))

    @property
    def api(self) -> str:
        """The URL of its AWS endpoint."""
        match = _API.search(self.output)
        assert match is not None, self.output.decode()
        return match[1].decode()

    def _listen(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.output += line
            if b"data " in line:
                self._printed.set()
        self._printed.set()

    def stop(self) -> None:
        """End it as Ctrl-C does."""
        self.services.stop()
        self.process.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(20)
        self.process.kill()
        self.process.wait(20)
        self._listener.join(20)
        assert self.process.stderr is not None
        self.process.stderr.close()


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    """A running server with nothing in it."""
    executable()
    running = Studio(tmp_path_factory.mktemp("studio") / "data")
    try:
        yield running
    finally:
        running.stop()


@pytest.fixture(scope="module")
def chromium(studio: Studio) -> Iterator[Browser]:
    """A browser that has signed in.

    Its driver runs an event loop in this thread as long as it lives, so that it must end before
    the tests of another module, which may run loops of their own.
    """
    with browser(studio.link) as running:
        yield running


def pause(seconds: float) -> None:
    """Let time pass."""
    SYSTEM.wait(threading.Event(), seconds)
