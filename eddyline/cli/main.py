"""The command ``eddyline``: finds the sub-command and prints errors.

A sub-command's module is imported only when it is used, so that ``--help`` answers at once.
Rows go to stdout, messages to stderr; the exit code is 1 for an error, 2 for wrong usage, 130 for
Ctrl-C. With ``--json`` an error is one JSON object on stderr.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup

from eddyline.cli.terminal import json_requested, print_error
from eddyline.errors import EddylineError

# name -> (module with ``register(app)``, help of one line)
COMMANDS: dict[str, tuple[str, str]] = {
    "up": ("eddyline.cli.up", "Start the studio and the AWS endpoint."),
    "demo": ("eddyline.cli.demo", "Watch anomalies being found in a live clickstream."),
    "stream": ("eddyline.cli.stream", "Create, list, describe, fill, watch and delete streams."),
    "generate": ("eddyline.cli.generate", "Send records made from a template."),
    "template": ("eddyline.cli.template", "Keep the generator's templates by name."),
    "replay": ("eddyline.cli.replay", "Send a file's records as a stream."),
    "sql": ("eddyline.cli.sql", "Run Flink SQL: a file, a text, or a shell."),
    "table": ("eddyline.cli.table", "List, show, rename, drop and infer tables."),
    "note": ("eddyline.cli.note", "Import, list, run and export notes."),
    "detect": ("eddyline.cli.detect", "Score a file's rows and draw what is out of the ordinary."),
    "notebook": ("eddyline.cli.application", "Notebooks: created, started, stopped, deleted."),
    "application": ("eddyline.cli.application", "Run the code of notes apart from them."),
    "job": ("eddyline.cli.job", "List, stop and remove INSERT jobs."),
    "user": ("eddyline.cli.user", "Who may sign in, and with which access keys."),
    "clean-up": ("eddyline.cli.clean_up", "List and remove all that a lab made."),
}
EXAMPLES = """\b
Examples:
  eddyline demo                              anomalies, live, in a minute
  eddyline up                                studio and AWS endpoint
  eddyline stream create clicks --shards 2
  eddyline sql -e "SHOW TABLES" --json
  eddyline --install-completion              Tab completes commands and names

\b
Every command takes --data-dir (default: EDDYLINE_DATA_DIR, or
./eddyline-data) and --json: results as JSON lines on stdout, an error
as one JSON object on stderr."""
HELP_OPTIONS = {"help_option_names": ["-h", "--help"]}
USAGE = 2


class LazyGroup(TyperGroup):
    """A group whose commands are known by name and imported when one is called."""

    def list_commands(self, ctx: Any) -> list[str]:
        """All names, in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """A placeholder that carries name and help, enough for listings."""
        if cmd_name not in COMMANDS:
            return None
        from typer.core import TyperCommand

        return TyperCommand(cmd_name, help=COMMANDS[cmd_name][1])

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The real command, imported."""
        name = args[0]
        if name not in COMMANDS:
            return super().resolve_command(ctx, args)
        return name, _imported(name), args[1:]


def _imported(name: str) -> Any:
    app = typer.Typer(add_completion=False, rich_markup_mode=None)
    # A second command keeps typer from making the only one the whole application.
    app.command("-", hidden=True)(lambda: None)
    import_module(COMMANDS[name][0]).register(app)
    group: Any = typer.main.get_group(app)
    command = group.commands[name]
    _short_help(command)
    return command


def _short_help(command: Any) -> None:
    """``-h`` beside ``--help``, here and in all commands below."""
    command.context_settings = {**HELP_OPTIONS, **command.context_settings}
    for below in getattr(command, "commands", {}).values():
        _short_help(below)


app = typer.Typer(
    cls=LazyGroup,
    name="eddyline",
    help="Kinesis-compatible streams, Flink SQL and anomaly detection on one machine.",
    epilog=EXAMPLES,
    no_args_is_help=True,
    add_completion=True,
    context_settings=HELP_OPTIONS,
    pretty_exceptions_enable=False,
    # Plain help: boxes would cost more time than all the rest of it.
    rich_markup_mode=None,
)


@app.callback(invoke_without_command=True)
def _root(
    version: bool = typer.Option(False, "--version", help="Show the version and exit."),
) -> None:
    if version:
        from eddyline import __version__

        typer.echo(f"eddyline {__version__}")
        raise typer.Exit


def main() -> None:
    """Entry of the command; never returns."""
    try:
        _leave(int(app(prog_name="eddyline", standalone_mode=False) or 0))
    except EddylineError as error:
        print_error(error)
        _leave(1)
    except KeyboardInterrupt:
        _leave(130)
    except BrokenPipeError:  # the reader of our output, head for example, wants no more
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        _leave(0)
    except Exception as error:
        if not hasattr(error, "format_message"):
            raise
        _usage(error)


def _usage(error: Any) -> None:
    """Print what typer objects to in the arguments."""
    if json_requested():
        message = error.format_message().rstrip(".") or "a command is missing"
        ctx = getattr(error, "ctx", None)
        hint = f"{ctx.command_path} --help" if ctx is not None else "eddyline --help"
        print_error(EddylineError("invalid_argument", message, hint=hint))
    else:
        error.show()
    _leave(error.exit_code)


def _leave(code: int) -> None:
    sys.stdout.flush()
    raise SystemExit(code)


if __name__ == "__main__":
    main()
