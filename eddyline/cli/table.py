"""``eddyline table``: the tables and views of a data directory, and one inferred from a stream."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from eddyline.cli.opening import DataDir, Json, opened
from eddyline.cli.terminal import agrees, line, listing, outcome, say
from eddyline.errors import EddylineError

if TYPE_CHECKING:
    from eddyline.service.tables import Tables

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="""List, show, rename and drop tables and views; infer a table from a stream.

A table outlives the note or script that created it: it stays until it is dropped.

\b
Examples:
  eddyline table list
  eddyline table show clicks
  eddyline table infer clicks               the DDL that fits the stream's records
  eddyline table infer clicks --create      the same, and create the table
  eddyline table rename clicks old_clicks
  eddyline table drop old_clicks --yes""",
)
Name = Annotated[str, typer.Argument(help="table, database.table or catalog.database.table.")]


@app.command("list")
def list_tables(
    database: Annotated[str | None, typer.Option(help="Only this database.")] = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """All tables and views, with the jobs that use them.

    \b
    Examples:
      eddyline table list
      eddyline table list --json
    """
    with _tables(data_dir) as tables:
        rows = tables.list(database)
    columns = (
        ("database", lambda r: r.database),
        ("name", lambda r: r.name),
        ("kind", lambda r: r.kind),
        ("connector", lambda r: r.connector),
        ("location", lambda r: r.location),
        ("columns", lambda r: r.columns),
        ("jobs", lambda r: len(r.jobs)),
    )
    listing(rows, columns, as_json, "no tables; CREATE TABLE makes one, or eddyline table infer")


@app.command()
def show(name: Name, data_dir: DataDir = None, as_json: Json = False) -> None:
    """The statement that creates a table or view; with --json its columns and jobs as well.

    \b
    Examples:
      eddyline table show clicks
    """
    with _tables(data_dir) as tables:
        ddl = tables.definition(name)
        if not as_json:
            sys.stdout.write(ddl + ";\n")
            return
        info = tables.info(name)
        columns = [{"name": column, "type": kind} for column, kind in tables.columns(name)]
    line({"path": info.path, "kind": info.kind, "connector": info.connector,
          "location": info.location, "comment": info.comment, "columns": columns,
          "jobs": info.jobs, "ddl": ddl})  # fmt: skip


@app.command()
def rename(
    name: Name,
    new_name: Annotated[str, typer.Argument(help="The new name, in the same database.")],
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Give a table another name. Running jobs are not affected.

    \b
    Examples:
      eddyline table rename clicks old_clicks
    """
    with _tables(data_dir) as tables:
        tables.rename(name, new_name)
    outcome({"table": name, "name": new_name}, f"table {name} is now {new_name}", as_json)


@app.command()
def drop(
    name: Name,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Drop a table or view. Its stream and its records stay; running jobs continue.

    \b
    Examples:
      eddyline table drop old_clicks --yes
    """
    with _tables(data_dir) as tables:
        info = tables.info(name)
        if not yes and not agrees(f"drop {info.kind} {info.path}?"):
            msg = f"{info.kind} {info.path} was not dropped"
            raise EddylineError("invalid_argument", msg, hint="add --yes to drop it without asking")
        tables.drop(name)
    result = {"path": info.path, "kind": info.kind, "dropped": True}
    outcome(result, f"{info.kind} {info.path} is dropped", as_json)


@app.command()
def infer(
    stream: Annotated[str, typer.Argument(help="The stream whose newest records are read.")],
    create: Annotated[bool, typer.Option("--create", help="Create the table as well.")] = False,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Write the CREATE TABLE statement that fits a stream's newest records.

    \b
    Examples:
      eddyline table infer clicks
      eddyline table infer clicks --create
    """
    from eddyline.service.stream_sample import infer_table
    from eddyline.service.tables import tables_of

    with opened(data_dir) as services:
        ddl = infer_table(services.streams, stream, services.settings.region)
        path = tables_of(services).create(ddl) if create else ""
    if as_json:
        line({"stream": stream, "ddl": ddl, "created": path or None})
        return
    sys.stdout.write(ddl + "\n")
    sys.stdout.flush()
    if path:
        say(f"table {path} is created")


@contextmanager
def _tables(data_dir: Path | None) -> Iterator[Tables]:
    from eddyline.service.tables import tables_of

    with opened(data_dir) as services:
        yield tables_of(services)


def register(to: typer.Typer) -> None:
    """Add the commands."""
    to.add_typer(app, name="table")
