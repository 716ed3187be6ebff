"""``eddyline sql``: statements from a file, from the command line, or typed into a shell."""

from __future__ import annotations

import sys
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from eddyline.cli.opening import DataDir, Json, need_server, opened
from eddyline.cli.terminal import say
from eddyline.cli.watching import Watch
from eddyline.errors import EddylineError

if TYPE_CHECKING:
    from eddyline.service.events import RunFinished
    from eddyline.service.services import Services

PROMPT, MORE = "eddyline> ", "      ... "


def sql(
    file: Annotated[str | None, typer.Argument(help="A script; - is standard input.")] = None,
    text: Annotated[str | None, typer.Option("-e", "--execute", help="The statements.")] = None,
    data_dir: DataDir = None,
    as_json: Json = False,
    for_: Annotated[str | None, typer.Option("--for", help="End after 30s, 5m, 2h.")] = None,
    mode: Annotated[str, typer.Option(help="A result as update, append or single.")] = "update",
    name: Annotated[str | None, typer.Option(help="The name of the INSERT's job.")] = None,
    detach: Annotated[
        bool, typer.Option("--detach", help="Leave INSERT jobs to the server and return.")
    ] = False,
) -> None:
    """Run Flink SQL. Without file and text: a shell.

    A SELECT shows its result as it changes, until its input ends, --for is over, or Ctrl-C. With
    --json each change is one object, its kind (+I, -U, +U, -D) under "op". An INSERT shows its
    figures and ends with the command, unless --detach leaves it to the server.

    \b
    Examples:
      eddyline sql tables.sql
      eddyline sql -e "SELECT * FROM clicks" --for 30s --json
      eddyline sql -e "INSERT INTO hot SELECT * FROM clicks" --detach --name hot
    """
    from eddyline.generator.spec import parse_duration

    for_s = parse_duration(for_) if for_ else None
    script = _script(file, text)
    if detach:
        need_server(data_dir)
    with opened(data_dir, make=True) as services:
        session = f"app:{name}" if detach and name else f"cli:{uuid.uuid4().hex[:12]}"
        if detach and not name:
            session = f"app:{uuid.uuid4().hex[:12]}"
        shell = Shell(services, session, as_json, for_s, mode, name, detach)
        if script is None:
            shell.talk()
        elif shell.run(script).status == "ERROR":
            raise typer.Exit(1)


def _script(file: str | None, text: str | None) -> str | None:
    if file is not None and text is not None:
        raise EddylineError("invalid_argument", "give a file or -e, not both")
    if text is not None:
        return text
    if file == "-" or (file is None and not sys.stdin.isatty()):
        return sys.stdin.read()
    if file is None:
        return None
    try:
        return Path(file).read_text("utf-8-sig")
    except OSError as error:
        msg = f"cannot read {file}: {error.strerror}"
        raise EddylineError("not_found", msg, hint="-e takes a statement itself") from None
    except UnicodeDecodeError:
        raise EddylineError("bad_file", f"{file} is not UTF-8 text") from None


@dataclass(frozen=True, slots=True)
class Shell:
    """Runs texts in one session and shows what they tell."""

    services: Services
    session: str
    as_json: bool
    for_s: float | None
    mode: str
    name: str | None
    detach: bool

    def run(self, text: str) -> RunFinished:
        """One text to its end; errors are said."""
        run_id = uuid.uuid4().hex
        sessions = self.services.sessions
        watch = Watch(lambda: sessions.cancel(run_id), self.as_json, self.for_s)
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
        )
        over = watch.follow()
        if over.error_text:
            say(f"error: {over.error_text}")
        return over

    def talk(self) -> None:
        """Read statements, each up to its semicolon, until the input ends."""
        import contextlib

        with contextlib.suppress(ImportError):
            import readline  # noqa: F401 - line editing and history
        say("Flink SQL. A statement ends with ; HELP; lists them, Ctrl-D leaves.")
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
            if text.strip().rstrip(";").lower() in ("quit", "exit"):
                return
            if text.rstrip().endswith(";"):
                lines = []
                self._heard(text)
            elif not text.strip():
                lines = []

    def _heard(self, text: str) -> None:
        try:
            self.run(text)
        except KeyboardInterrupt:
            say("cancelled")


def register(to: typer.Typer) -> None:
    """Add the command."""
    to.command("sql")(sql)
