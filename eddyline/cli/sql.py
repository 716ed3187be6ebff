"""``eddyline sql``: statements from a file, from the command line, or typed into a shell."""

from __future__ import annotations

import sys
import uuid
from pathlib import Path
from typing import Annotated

import typer

from eddyline.cli.opening import DataDir, Json, need_server, opened
from eddyline.cli.shell import Shell
from eddyline.errors import EddylineError

FileOption = Annotated[
    str | None, typer.Option("-f", "--file", help="The script, as Flink's client names it.")
]
Init = Annotated[
    str | None, typer.Option("-i", "--init", help="A script that is run before all else.")
]
IGNORE_UNCLAIMED = "execution.savepoint.ignore-unclaimed-state"


def sql(
    file: Annotated[str | None, typer.Argument(help="A script; - is standard input.")] = None,
    text: Annotated[str | None, typer.Option("-e", "--execute", help="The statements.")] = None,
    file_option: FileOption = None,
    init: Init = None,
    data_dir: DataDir = None,
    as_json: Json = False,
    for_: Annotated[
        str | None, typer.Option("--for", help="End 30s, 5m, 2h after the sources were first read.")
    ] = None,
    mode: Annotated[str, typer.Option(help="A result as update, append or single.")] = "update",
    name: Annotated[str | None, typer.Option(help="The name of the INSERT's job.")] = None,
    detach: Annotated[
        bool, typer.Option("--detach", help="Leave INSERT jobs to the server and return.")
    ] = False,
    from_positions: Annotated[
        bool,
        typer.Option("--from-positions", help="A named job reads on, but with empty state."),
    ] = False,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="A named job starts over; what it has written stays.")
    ] = False,
    from_state: Annotated[
        bool, typer.Option("--from-state", help="A named job goes on from its state (the default).")
    ] = False,
    allow_non_restored: Annotated[
        bool,
        typer.Option(
            "--allow-non-restored-state",
            help="Keep the state that still fits the statement, and drop the rest.",
        ),
    ] = False,
) -> None:
    """Run Flink SQL. Without a file and -e: a shell, with history and completion.

    A SELECT shows its result as it changes, until its input ends, --for is over, or Ctrl-C. With
    --json each change is one object, its kind (+I, -U, +U, -D) under "op" (a column called op
    appears as "op_"). An INSERT shows its counters and ends with the command, unless --detach
    leaves it to the server. A stopped job of the same --name goes on from its state if the
    statement still stores the same rows: filters and projections may have changed. Otherwise
    choose --allow-non-restored-state, --from-positions or --fresh.

    \b
    Examples:
      eddyline sql
      eddyline sql tables.sql
      eddyline sql -i tables.sql -f job.sql
      eddyline sql -e "SELECT * FROM clicks" --for 30s --json
      eddyline sql -e "INSERT INTO hot SELECT * FROM clicks" --detach --name hot
    """
    from eddyline.generator.spec import parse_duration

    for_s = parse_duration(for_) if for_ else None
    script = _script(_one_of(file, file_option), text)
    first = None if init is None else _read(init)
    parameters = {IGNORE_UNCLAIMED: "true"} if allow_non_restored else {}
    start = start_choice(fresh, from_positions, from_state)
    if detach:
        need_server(data_dir)
    with opened(data_dir, make=True) as services:
        unnamed = uuid.uuid4().hex[:12]
        session = f"app:{name or unnamed}" if detach else f"cli:{unnamed}"
        shell = Shell(services, session, as_json, for_s, mode, name, detach, start, parameters)
        for given in [script] if first is None else [first, script]:
            if given is None:
                shell.talk()
            elif shell.run(given).status == "ERROR":
                raise typer.Exit(1)


def start_choice(fresh: bool, from_positions: bool, from_state: bool) -> str:
    """What of its saved state a job begins with. Raises ``invalid_argument`` for two choices."""
    if fresh + from_positions + from_state > 1:
        message = "give one of --from-state, --from-positions and --fresh"
        raise EddylineError("invalid_argument", message)
    return "fresh" if fresh else "positions" if from_positions else "state"


def _one_of(file: str | None, option: str | None) -> str | None:
    if file is not None and option is not None:
        raise EddylineError("invalid_argument", "give a file with or without -f, not both")
    return option if file is None else file


def _script(file: str | None, text: str | None) -> str | None:
    if file is not None and text is not None:
        raise EddylineError("invalid_argument", "give a file or -e, not both")
    if text is not None:
        return text
    if file == "-" or (file is None and not sys.stdin.isatty()):
        return sys.stdin.read()
    return None if file is None else _read(file)


def _read(file: str) -> str:
    try:
        return Path(file).read_text("utf-8-sig")
    except OSError as error:
        msg = f"cannot read {file}: {error.strerror}"
        raise EddylineError(
            "not_found", msg, hint="name a file of this machine, or give statements with -e"
        ) from None
    except UnicodeDecodeError:
        raise EddylineError("bad_file", f"{file} is not UTF-8 text") from None


def register(to: typer.Typer) -> None:
    """Add the command."""
    to.command("sql")(sql)
