"""The SQL shell at a terminal: commands without a semicolon, history, completion."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from command import Command

from eddyline.cli.shell import CompletionNames, is_leave
from eddyline.testing import TestServer, server

TABLE = (
    "CREATE TABLE page_views (page STRING, load_ms INT) WITH ('connector' = 'kinesis', "
    "'stream' = 'page-views', 'aws.region' = 'us-east-1', 'format' = 'json');"
)


class Person:
    """Types into the shell and reads the terminal."""

    def __init__(self, eddyline: Command, state: Path) -> None:
        self._hand, terminal = pty.openpty()
        environment = {**os.environ, "XDG_STATE_HOME": str(state), "TERM": "dumb", "COLUMNS": "200"}
        self._shell = subprocess.Popen(
            eddyline.words("sql"), stdin=terminal, stdout=terminal, stderr=terminal,
            env=environment, start_new_session=True,
        )  # fmt: skip
        os.close(terminal)
        self._screen = ""
        os.set_blocking(self._hand, False)
        self.until("eddyline> ")

    def types(self, keys: str) -> None:
        os.write(self._hand, keys.encode())

    def interrupts(self) -> None:
        """As Ctrl-C does at a person's own terminal."""
        self._shell.send_signal(signal.SIGINT)

    def until(self, text: str, timeout_s: float = 60.0) -> str:
        """What the terminal shows up to ``text``, which must appear."""
        end = time.monotonic() + timeout_s
        while text not in self._screen:
            assert time.monotonic() < end, f"{text!r} did not appear: {self._screen!r}"
            try:
                self._screen += os.read(self._hand, 65536).decode(errors="replace")
            except BlockingIOError:
                time.sleep(0.01)
            except OSError:  # the shell has ended
                assert text in self._screen, self._screen
        shown, _, self._screen = self._screen.partition(text)
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown)

    def ended(self) -> int:
        code = self._shell.wait(60)
        os.close(self._hand)
        return code


@pytest.fixture(scope="module")
def running() -> Iterator[TestServer]:
    with server() as running:
        yield running


@pytest.fixture
def eddyline(running: TestServer) -> Iterator[Command]:
    running.services.streams.create("page-views", 1)
    yield Command(running.data_dir)
    running.clear()


def test_a_session_at_a_terminal(eddyline: Command, tmp_path: Path) -> None:
    person = Person(eddyline, tmp_path)
    for command, answer in (
        ("help", "CREATE TABLE | VIEW"),
        (r"\h", "Tab completes keywords"),
        (r"\x", r"there is no command \x"),
        (TABLE, "Table has been created."),
        (r"\d", "page_views"),
        (r"\d page_views", "load_ms"),
        ("SHOW STREAMS;", "ACTIVE"),
        ("SELECT nosuch FROM page_views;", "error: "),
        ("SELECT n FROM\n  (VALUES (42)) AS t (n);", "1 row"),
    ):
        person.types(command + "\n")
        person.until(answer)
        person.until("eddyline> ")
    person.types("SELECT load_ms FROM page_v\t")
    person.until("page_views")
    person.interrupts()  # clears the line
    person.until("eddyline> ")
    person.types("quit\n")
    assert person.ended() == 0
    history = (tmp_path / "eddyline" / "sql_history").read_text()
    assert "SHOW STREAMS;" in history
    assert (tmp_path / "eddyline" / "sql_history").stat().st_mode & 0o077 == 0
    again = Person(eddyline, tmp_path)
    again.types("\x10")  # Ctrl-P: the last line of the session before
    again.until("quit")
    again.types("\n")
    assert again.ended() == 0


@pytest.mark.parametrize("text", ["quit", "EXIT", r"\q", " quit ; ", "exit;"])
def test_words_that_leave(text: str) -> None:
    assert is_leave(text)
    assert not is_leave(f"SELECT {text}")


def test_names_that_tab_offers(running: TestServer, eddyline: Command) -> None:
    running.sql(TABLE)
    names = CompletionNames(running.services)
    assert names.matching("page", "SELECT ") == ["page", "page_views"]
    assert names.matching("load", "SELECT page, ") == ["load_ms"]
    assert names.matching("TUMB", "FROM TABLE(") == ["TUMBLE"]
    assert "select" in names.matching("sel", "")
    assert names.matching("RANDOM_C", "SELECT ")[:1] == ["RANDOM_CUT_FOREST"]
    assert names.matching("pag", "WITH ('connector' = 'kinesis', 'stream' = '") == ["page-views"]
    assert "table.exec.source.idle-timeout" in names.matching("table.exec.source", "SET '")
    assert names.matching("nosuch", "SELECT ") == []


def test_a_query_that_starts_at_the_newest_record_says_what_it_leaves_out(
    eddyline: Command,
) -> None:
    for n in range(3):
        eddyline.here("stream", "put", "page-views", "--data", f'{{"page":"/","load_ms":{n}}}')
    done = eddyline.here("sql", "-e", TABLE + "SELECT load_ms FROM page_views", "--for", "1s")
    assert done.returncode == 0, done.stderr
    assert "0 rows" in done.stderr
    assert "does not read 3 older records" in done.stderr
    assert "'scan.stream.initpos' = 'TRIM_HORIZON'" in done.stderr
