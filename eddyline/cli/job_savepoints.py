"""``eddyline job``: savepoints, taken, listed, exported, imported, and jobs started from them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from eddyline.cli.names import job_names
from eddyline.cli.opening import DataDir, Json, need_server, opened
from eddyline.cli.shell import Shell
from eddyline.cli.sql import IGNORE_UNCLAIMED
from eddyline.cli.terminal import listing, moment, outcome
from eddyline.service.jobs import RUNNING

Name = Annotated[str, typer.Argument(help="The job's name or id.", autocompletion=job_names)]
Savepoint = Annotated[str, typer.Argument(help="The savepoint's name.")]


def savepoint(
    job: Name,
    name: Annotated[str | None, typer.Argument(help="The savepoint's name.")] = None,
    keep_running: Annotated[
        bool, typer.Option("--keep-running", help="The job goes on as soon as the copy is made.")
    ] = False,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Stop a job and copy its state, for other jobs to start from.

    SET 'execution.savepoint.path' = 'NAME' lets the next INSERT start from it.

    \b
    Examples:
      eddyline job savepoint enrich before-upgrade
      eddyline job savepoint enrich nightly --keep-running
    """
    with opened(data_dir) as services:
        ran = services.jobs.get(job).desired == RUNNING
        stopped = services.jobs.stop(job)
        try:
            taken = services.savepoints.take(stopped, name)
        finally:
            if keep_running and ran:
                stopped = services.jobs.start(stopped.job_id)
    state = stopped.actual.lower()
    outcome(taken, f"job {job} is {state}; its savepoint is {taken.name}", as_json)


def savepoints(
    delete: Annotated[str | None, typer.Option(help="Delete the savepoint of this name.")] = None,
    copy: Annotated[
        tuple[str, str] | None, typer.Option(metavar="NAME NEW", help="Copy one under a new name.")
    ] = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """All savepoints, oldest first.

    \b
    Examples:
      eddyline job savepoints
      eddyline job savepoints --copy nightly before-upgrade
      eddyline job savepoints --delete before-upgrade
    """
    with opened(data_dir) as services:
        if delete is not None:
            services.savepoints.remove(delete)
        if copy is not None:
            services.savepoints.copy(*copy)
        infos = services.savepoints.list()
    columns = (
        ("savepoint", lambda s: s.name),
        ("job", lambda s: s.job_name or s.job_id),
        ("taken (UTC)", lambda s: moment(s.created_ms)),
        ("bytes", lambda s: s.size_bytes),
        ("statement", lambda s: " ".join(s.sql.split())[:60]),
    )
    listing(infos, columns, as_json, "no savepoints")


def export(
    savepoint: Savepoint,
    file: Annotated[Path, typer.Argument(help="The file to write.")],
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Write a savepoint into a file, for another data directory or machine.

    \b
    Examples:
      eddyline job export before-upgrade before-upgrade.tar.gz
    """
    with opened(data_dir) as services:
        info = services.savepoints.export(savepoint, file)
    outcome(info, f"savepoint {info.name} is in {file}", as_json)


def import_savepoint(
    file: Annotated[Path, typer.Argument(help="A file that export wrote.")],
    name: Annotated[str | None, typer.Argument(help="Another name for it.")] = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Make a savepoint of a file that export wrote.

    \b
    Examples:
      eddyline job import before-upgrade.tar.gz
    """
    with opened(data_dir) as services:
        info = services.savepoints.take_in(file, name)
    outcome(info, f"savepoint {info.name} is there", as_json)


def restore(
    savepoint: Savepoint,
    name: Annotated[str | None, typer.Option(help="The new job's name.")] = None,
    allow_non_restored: Annotated[
        bool,
        typer.Option(
            "--allow-non-restored-state",
            help="Keep the state that still fits the statement, and drop the rest.",
        ),
    ] = False,
    stream: Annotated[
        list[str] | None,
        typer.Option(metavar="OLD=NEW", help="Read stream NEW in place of OLD, from its start."),
    ] = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Start a job from a savepoint, with the statement that the savepoint was taken of.

    Under the old name it takes the place of the stopped job; under another it is a second job
    beside it, which writes its own results. The statement's tables must exist. With --stream the
    state is kept, and the other stream is read from where its table says ('scan.stream.initpos').

    \b
    Examples:
      eddyline job restore before-upgrade
      eddyline job restore before-upgrade --name enrich-copy
      eddyline job restore before-upgrade --name enrich-eu --stream clicks=clicks-eu
    """
    need_server(data_dir)
    with opened(data_dir) as services:
        info = services.savepoints.get(savepoint)
        job = name or info.job_name or f"{info.name}-restored"
        parameters = {"execution.savepoint.path": info.name}
        if stream:
            parameters["execution.savepoint.streams"] = ";".join(stream)
        if allow_non_restored or stream:
            parameters[IGNORE_UNCLAIMED] = "true"
        shell = Shell(
            services, f"app:{job}", as_json, None, "update", job, True, "state", parameters
        )
        if shell.run(services.savepoints.statement(info.name)).status == "ERROR":
            raise typer.Exit(1)
    outcome({"job": job, "savepoint": info.name}, f"job {job} runs from {info.name}", as_json)


def add_savepoints(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(savepoint)
    app.command()(savepoints)
    app.command()(export)
    app.command("import")(import_savepoint)
    app.command()(restore)
