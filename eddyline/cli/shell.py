"""The SQL shell: reads statements from a terminal, with history and completion of names.

A statement ends with a semicolon and may span lines. ``help``, ``quit`` and the commands that
begin with a backslash need none.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eddyline.cli.terminal import line, print_error, say
from eddyline.cli.watching import RunView
from eddyline.errors import EddylineError

if TYPE_CHECKING:
    from eddyline.service.events import RunFinished
    from eddyline.service.services import Services

PROMPT, MORE = "eddyline> ", "      ... "
HISTORY_LINES = 2000
LEAVE = ("quit", "exit", r"\q")
HELP = r"""
A statement ends with ; and may span lines. Ctrl-C ends a running query or clears the input.

  \d             tables and views           \d NAME   a table's columns
  \s             streams                    \j        jobs
  \h  \?  help   this list                  \q  quit  leave (Ctrl-D, too)

Tab completes keywords, functions, tables, columns, streams and options."""
# Shell commands, and the statements they stand for.
SHORTHANDS = {r"\d": "SHOW TABLES", r"\s": "SHOW STREAMS", r"\j": "SHOW JOBS"}
_WORD = re.compile(r"[\w.$-]*\Z")
# Keywords that are not reserved, and so not in the grammar's table.
_KEYWORDS = (
    "TABLES", "VIEWS", "STREAMS", "JOBS", "FUNCTIONS", "DATABASES", "TUMBLE", "HOP", "CUMULATE",
    "SESSION", "DESCRIPTOR", "WATERMARK", "METADATA", "VIRTUAL", "STATEMENT", "TEMPORARY", "VIEW",
    "DATABASE", "LIMIT", "USE", "IF",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Shell:
    """Runs texts in one session and shows their results."""

    services: Services
    session: str
    as_json: bool
    for_s: float | None
    mode: str
    name: str | None
    detach: bool
    start: str = "state"
    parameters: dict[str, str] = field(default_factory=dict)

    def run(self, text: str) -> RunFinished:
        """Run one text to its end; errors are printed."""
        run_id = uuid.uuid4().hex
        sessions = self.services.sessions
        watch = RunView(
            lambda: sessions.cancel(run_id), self.as_json, self.for_s, detached=self.detach
        )
        sessions.submit(
            self.session,
            text,
            watch,
            run_id=run_id,
            mode=self.mode,
            refresh_ms=250,
            changelog=self.as_json,
            job_name=self.name,
            detach=self.detach,
            terminal=True,
            start=self.start,
            parameters=self.parameters,
        )
        end = watch.follow()
        if end.error_text and self.as_json:
            line({"error": end.error}, sys.stderr)
        elif end.error_text:
            say(f"error: {end.error_text}")
        return end

    def talk(self) -> None:
        """Read statements from the terminal until its end or ``quit``."""
        say(r"Flink SQL. A statement ends with ; and \h lists the commands.")
        with line_editing(CompletionNames(self.services)):
            lines: list[str] = []
            while True:
                try:
                    lines.append(input(MORE if lines else PROMPT))
                except EOFError:
                    say("")
                    return
                except KeyboardInterrupt:
                    say("")
                    lines = []
                    continue
                text = "\n".join(lines)
                if len(lines) == 1 and self._is_command(text):
                    if is_leave(text):
                        return
                    lines = []
                elif text.rstrip().endswith(";"):
                    lines = []
                    self._attempt(text)
                elif not text.strip():
                    lines = []

    def _is_command(self, text: str) -> bool:
        """Do what a line says that is a command of the shell; False for a statement."""
        command = text.strip().rstrip(";").strip()
        name, _, rest = command.partition(" ")
        if is_leave(text):
            return True
        if command.lower() in ("help", r"\h", r"\?"):
            self._attempt("HELP;")
            say(HELP)
        elif name == r"\d" and rest.strip():
            self._attempt(f"DESCRIBE {rest.strip()};")
        elif command in SHORTHANDS:
            self._attempt(SHORTHANDS[command] + ";")
        elif name.startswith("\\"):
            say(rf"there is no command {name}; \h lists them")
        else:
            return False
        return True

    def _attempt(self, text: str) -> None:
        try:
            self.run(text)
        except KeyboardInterrupt:
            say("cancelled")
        except EddylineError as error:
            if error.code == "not_running":
                raise
            print_error(error)


def is_leave(text: str) -> bool:
    """Whether a line ends the shell."""
    return text.strip().rstrip(";").strip().lower() in LEAVE


class CompletionNames:
    """What Tab offers: keywords, functions, options, and the names of this directory."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._fixed: list[str] = []
        self._matches: list[str] = []

    def complete(self, word: str, state: int) -> str | None:
        """readline's protocol: the nth completion of ``word``; None after the last."""
        if state == 0:
            self._matches = self.matching(word, _before(word))
        return self._matches[state] if state < len(self._matches) else None

    def matching(self, word: str, before: str) -> list[str]:
        """The completions of ``word`` at the end of ``before``, the text that precedes it."""
        if before.endswith("'"):
            return sorted(n for n in self._quoted(before) if n.startswith(word))
        lower = word.lower()
        names = [n for n in self._objects() if n.lower().startswith(lower)]
        words = [w for w in self._words() if w.lower().startswith(lower)]
        if word and word == lower:
            words = [w.lower() for w in words]
        return list(dict.fromkeys(sorted(names) + sorted(words)))

    def _words(self) -> list[str]:
        if not self._fixed:
            from eddyline.functions import FUNCTIONS
            from eddyline.sql.bind.forests import FUNCTIONS as FORESTS
            from eddyline.sql.grammar.reserved import RESERVED

            self._fixed = sorted({*RESERVED, *_KEYWORDS, *FUNCTIONS, *FORESTS})
        return self._fixed

    def _objects(self) -> Iterable[str]:
        """Tables, views and their columns."""
        names: list[str] = []
        with contextlib.suppress(EddylineError):
            catalog = self._services.catalog
            for name in catalog.list_tables():
                names.append(name)
                with contextlib.suppress(EddylineError):  # dropped just now
                    names += (c.name for c in catalog.resolve((name,)).schema.columns)
        return names

    def _quoted(self, before: str) -> Iterable[str]:
        """What may stand in quotes: a stream after 'stream' =, else option names."""
        if re.search(r"'stream'\s*=\s*'\Z", before):
            with contextlib.suppress(EddylineError):
                return [s.name for s in self._services.streams.list()]
            return []
        from eddyline.sql.options import OPTIONS

        return [*OPTIONS, "connector", "stream", "format", "aws.region", "scan.stream.initpos"]


def _before(word: str) -> str:
    import readline

    return readline.get_line_buffer()[: readline.get_begidx()] if word is not None else ""


@contextlib.contextmanager
def line_editing(names: CompletionNames) -> Any:
    """readline with the shell's history and completion, where Python has it."""
    try:
        import readline
    except ImportError:
        yield
        return
    history = history_file()
    with contextlib.suppress(OSError):
        readline.read_history_file(history)
    readline.set_history_length(HISTORY_LINES)
    readline.set_completer(_quietly(names.complete))
    readline.set_completer_delims(" \t\n,;()=<>'\"`*+-/|")
    editline = "libedit" in (readline.__doc__ or "")
    readline.parse_and_bind("bind ^I rl_complete" if editline else "tab: complete")
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            history.parent.mkdir(parents=True, exist_ok=True)
            history.touch(mode=0o600)
            readline.write_history_file(history)


def _quietly(complete: Callable[[str, int], str | None]) -> Callable[[str, int], str | None]:
    """readline shows nothing of an exception; a completion that fails offers nothing."""

    def guarded(word: str, state: int) -> str | None:
        try:
            return complete(word, state)
        except Exception:
            return None

    return guarded


def history_file() -> Path:
    """Where the history is kept, as the XDG base directory specification has it."""
    state = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(state) / "eddyline" / "sql_history"
