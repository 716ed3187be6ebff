"""``eddyline application`` and ``eddyline notebook``: what runs apart from notes, and notebooks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from eddyline.cli.opening import DataDir, Json, need_server, opened
from eddyline.cli.terminal import line, listing, moment, outcome, table
from eddyline.errors import EddylineError

if TYPE_CHECKING:
    from eddyline.service.applications.model import Application
    from eddyline.service.services import Services

Name = Annotated[str, typer.Argument(help="The name.")]
Role = Annotated[str, typer.Option("--role", help="ARN of the role that limits it.")]
Source = Annotated[
    str | None,
    typer.Option("--from", help="A note by name or id, or a .zpln or .sql file, with the code."),
]
STREAMING_RUNTIME, NOTEBOOK_RUNTIME = "FLINK-2_2", "ZEPPELIN-FLINK-3_0"

application = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="""Run the code of a note apart from it, as jobs of its own.

\b
Examples:
  eddyline application create totals --from "My note"
  eddyline application start totals
  eddyline application show totals
  eddyline application snapshot totals before-change
  eddyline application stop totals""",
)
notebook = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="""Notebooks: a note with a role and a status of its own.

\b
Examples:
  eddyline notebook create lab --from lab.zpln
  eddyline notebook start lab
  eddyline notebook list --json""",
)


def _list(mode: str, data_dir: Path | None, as_json: bool) -> None:
    with opened(data_dir) as services:
        rows = [a for a in services.applications.list() if (a.mode == "INTERACTIVE") is _is(mode)]
    columns = (
        ("name", lambda a: a.name),
        ("status", lambda a: a.status),
        ("version", lambda a: a.version),
        ("runtime", lambda a: a.runtime),
        ("changed (UTC)", lambda a: moment(a.updated_ms)),
        ("error", lambda a: a.error or ""),
    )
    listing(rows, columns, as_json, f"no {mode}s")


def _is(mode: str) -> bool:
    return mode == "notebook"


def _one(services: Services, mode: str, name: str) -> Application:
    """The application or notebook of that name. Raises ``not_found`` for one of the other kind."""
    application = services.applications.get(name)
    if (application.mode == "INTERACTIVE") is not _is(mode):
        other = "notebook" if application.mode == "INTERACTIVE" else "application"
        hint = f"eddyline {other} works on it"
        raise EddylineError("not_found", f"{name} is no {mode}; it is a {other}", hint=hint)
    return application


def _show(mode: str, name: str, data_dir: Path | None, as_json: bool) -> None:
    with opened(data_dir) as services:
        application = _one(services, mode, name)
        jobs = services.applications.jobs(name)
        operations = services.applications.operations(name)
        snapshots = services.applications.snapshots(name)
    if as_json:
        parts = {"jobs": jobs, "operations": operations, "snapshots": snapshots}
        line({"application": application, **parts})
        return
    facts: list[tuple[str, object]] = [
        ("name", application.name),
        ("mode", application.mode),
        ("status", application.status),
        ("error", application.error),
        ("runtime", application.runtime),
        ("version", application.version),
        ("role", application.role),
        ("note", application.note),
        ("created (UTC)", moment(application.created_ms)),
    ]
    for job in jobs:
        rows = f"{job.figures.rows_in} rows in, {job.figures.rows_out} out" if job.figures else ""
        facts.append(("job", f"{job.name or job.job_id} {job.actual} {rows}"))
    facts += [("snapshot", f"{s.name} {moment(s.created_ms)} {s.status}") for s in snapshots]
    facts += [
        ("operation", f"{o.operation} {o.status} {o.error or ''}".strip()) for o in operations[:10]
    ]
    table(["", ""], [[key, "" if value is None else str(value)] for key, value in facts])


def _code(services: Services, source: str | None) -> dict[str, object]:
    """The configuration that holds the code of a note, or of a file."""
    if source is None:
        return {}
    path = Path(source)
    if path.suffix in (".zpln", ".sql", ".json"):
        from eddyline.service.notes.notes import read_file

        text = read_file(path).decode()
    else:
        text = services.notes.export(source).decode()
    content = {"CodeContentType": "PLAINTEXT", "CodeContent": {"TextContent": text}}
    return {"ApplicationCodeConfiguration": content}


def _create(
    mode: str, name: str, source: str | None, role: str, data_dir: Path | None, as_json: bool
) -> None:
    kind = "INTERACTIVE" if _is(mode) else "STREAMING"
    runtime = NOTEBOOK_RUNTIME if _is(mode) else STREAMING_RUNTIME
    with opened(data_dir, make=True) as services:
        configuration = _code(services, source)
        created = services.applications.create(name, kind, runtime, role, "", configuration)
    outcome(created, f"{mode} {name} is ready: eddyline {mode} start {name}", as_json)


def _begin(
    mode: str, verb: str, name: str, data_dir: Path | None, as_json: bool, force: bool = False
) -> None:
    need_server(data_dir)
    with opened(data_dir) as services:
        _one(services, mode, name)
        applications = services.applications
        if verb == "start":
            operation = applications.start(name)
        else:
            operation = applications.stop(name, force=force)
    result = {"name": name, "operation": operation}
    outcome(result, f"{mode} {name}: {verb} has begun; eddyline {mode} show {name}", as_json)


def _delete(mode: str, name: str, data_dir: Path | None, as_json: bool) -> None:
    need_server(data_dir)
    with opened(data_dir) as services:
        _one(services, mode, name)
        services.applications.delete(name)
    outcome({"name": name}, f"{mode} {name} is being deleted; its note stays", as_json)


def _help(mode: str, sentence: str, example: str) -> str:
    return f"{sentence}\n\n\b\nExamples:\n  eddyline {mode} {example}"


def _commands(app: typer.Typer, mode: str) -> None:
    """The commands that notebooks and applications share."""

    @app.command("list", help=_help(mode, f"All {mode}s with their status.", "list"))
    def list_all(data_dir: DataDir = None, as_json: Json = False) -> None:
        _list(mode, data_dir, as_json)

    @app.command(help=_help(mode, f"One {mode}: jobs, snapshots, operations.", "show lab"))
    def show(name: Name, data_dir: DataDir = None, as_json: Json = False) -> None:
        _show(mode, name, data_dir, as_json)

    @app.command(help=_help(mode, f"Create one {mode}.", "create lab --from lab.zpln"))
    def create(
        name: Name,
        source: Source = None,
        role: Role = "",
        data_dir: DataDir = None,
        as_json: Json = False,
    ) -> None:
        _create(mode, name, source, role, data_dir, as_json)

    @app.command(help=_help(mode, f"Begin to start one {mode}.", "start lab"))
    def start(name: Name, data_dir: DataDir = None, as_json: Json = False) -> None:
        _begin(mode, "start", name, data_dir, as_json)

    @app.command(help=_help(mode, f"Begin to stop one {mode}.", "stop lab"))
    def stop(
        name: Name,
        force: Annotated[bool, typer.Option("--force", help="Without a snapshot.")] = False,
        data_dir: DataDir = None,
        as_json: Json = False,
    ) -> None:
        _begin(mode, "stop", name, data_dir, as_json, force)

    @app.command(help=_help(mode, f"Stop one {mode} and forget it.", "delete lab"))
    def delete(name: Name, data_dir: DataDir = None, as_json: Json = False) -> None:
        _delete(mode, name, data_dir, as_json)


_commands(application, "application")
_commands(notebook, "notebook")


@application.command()
def snapshot(
    name: Name,
    snapshot_name: Annotated[str, typer.Argument(metavar="SNAPSHOT", help="Its name.")],
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Take a snapshot of a running application, which pauses for it.

    \b
    Examples:
      eddyline application snapshot totals before-change
    """
    need_server(data_dir)
    with opened(data_dir) as services:
        services.applications.take_snapshot(name, snapshot_name)
    outcome({"name": name, "snapshot": snapshot_name}, f"snapshot {snapshot_name} begins", as_json)


def register(app: typer.Typer) -> None:
    """Add both commands."""
    app.add_typer(application, name="application")
    app.add_typer(notebook, name="notebook")
