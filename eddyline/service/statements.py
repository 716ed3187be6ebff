"""What each statement that is no query does, and the fixed sentence it answers with.

One row a kind of statement. The sentences are Zeppelin's, so that a note reads here as it did
there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fnmatch import translate
from re import IGNORECASE, Pattern
from re import compile as compile_pattern
from threading import Event
from typing import Any

from eddyline.catalog.codec import encode_object
from eddyline.catalog.table import CatalogTable, CatalogView, ColumnKind
from eddyline.errors import EddylineError
from eddyline.service import functions, messages
from eddyline.service.jobs import ENDED, STOPPED, JobInfo
from eddyline.service.session import Session
from eddyline.sql import statement as s
from eddyline.sql.options import OPTIONS
from eddyline.sql.planner import Planner
from eddyline.sql.statement import Statement

STOP_S = 15.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What a statement gives at once: a sentence, or a small table, and warnings."""

    text: str | None = None
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str | None, ...], ...] = ()
    warnings: tuple[str, ...] = ()


def answer(session: Session, planner: Planner, statement: Statement) -> Answer:
    """Do what a statement says that is no query.

    Raises:
        EddylineError: what the statement met.
    """
    action = _DOES.get(type(statement))
    if action is None:
        msg = f"{kind_of(statement)} is not supported here"
        raise EddylineError("sql_unsupported", msg)
    return action(session, planner, statement)


def kind_of(statement: Statement) -> str:
    """A statement's kind as its first words: "CREATE TABLE", "SELECT", "INSERT"."""
    if isinstance(statement, s.Show):
        return f"SHOW {statement.what}"
    return KINDS[type(statement)]


KINDS: dict[type, str] = {
    s.CreateTable: "CREATE TABLE",
    s.CreateView: "CREATE VIEW",
    s.DropTable: "DROP TABLE",
    s.DropView: "DROP VIEW",
    s.CreateDatabase: "CREATE DATABASE",
    s.DropDatabase: "DROP DATABASE",
    s.CreateFunction: "CREATE FUNCTION",
    s.DropFunction: "DROP FUNCTION",
    s.AlterTable: "ALTER TABLE",
    s.UseDatabase: "USE",
    s.UseCatalog: "USE CATALOG",
    s.Show: "SHOW",
    s.Describe: "DESCRIBE",
    s.SetOption: "SET",
    s.ResetOption: "RESET",
    s.Query: "SELECT",
    s.Insert: "INSERT",
    s.StatementSet: "STATEMENT SET",
    s.Explain: "EXPLAIN",
    s.StopJob: "STOP JOB",
    s.Help: "HELP",
}


def _create_table(session: Session, planner: Planner, st: s.CreateTable) -> Answer:
    table = planner.table(st)
    if session.catalog.create_table(table, st.if_not_exists):
        return Answer("Table has been created.", warnings=planner.warnings)
    return _left_as_it_is(session, table)


def _create_view(session: Session, planner: Planner, st: s.CreateView) -> Answer:
    view = planner.view(st)
    if session.catalog.create_view(view, st.if_not_exists, st.or_replace):
        return Answer("View has been created.", warnings=planner.warnings)
    return _left_as_it_is(session, view)


def _left_as_it_is(session: Session, described: CatalogTable | CatalogView) -> Answer:
    """The answer to CREATE ... IF NOT EXISTS when there is an object of that name already."""
    path = described.path
    existing = session.catalog.resolve((path.catalog, path.database, path.name))
    name, kind = path.name, _word(existing)
    warnings: tuple[str, ...] = ()
    if kind != _word(described):
        warnings = (
            f"{name} is a {kind}, so that the {_word(described)} of this statement does not "
            f"exist; choose another name, or DROP {kind.upper()} {name} first",
        )
    elif encode_object(existing) != encode_object(described):
        warnings = (
            f"the existing {kind} {name} differs from this statement; SHOW CREATE "
            f"{kind.upper()} {name} shows it, DROP {kind.upper()} {name} makes room for another",
        )
    return Answer(
        f"{kind.capitalize()} {name} exists already and is kept as it is.", (), (), warnings
    )


def _word(item: CatalogTable | CatalogView) -> str:
    return "table" if isinstance(item, CatalogTable) else "view"


def _drop_table(session: Session, planner: Planner, st: s.DropTable) -> Answer:
    dropped = session.catalog.drop_table(st.name.parts, st.if_exists, st.temporary)
    return Answer("Table has been dropped." if dropped else _nothing("table", st.name.parts))


def _drop_view(session: Session, planner: Planner, st: s.DropView) -> Answer:
    dropped = session.catalog.drop_view(st.name.parts, st.if_exists, st.temporary)
    return Answer("View has been dropped." if dropped else _nothing("view", st.name.parts))


def _nothing(kind: str, parts: tuple[str, ...]) -> str:
    """The answer to DROP ... IF EXISTS when there is nothing of that name."""
    return f"There is no {kind} {'.'.join(parts)}; nothing was dropped."


def _create_database(session: Session, planner: Planner, st: s.CreateDatabase) -> Answer:
    name = st.name.parts[-1]
    if name in session.catalog.list_databases() and st.if_not_exists:
        return Answer(f"Database {name} exists already and is kept as it is.")
    session.catalog.create_database(name, st.if_not_exists, st.comment)
    return Answer("Database has been created.")


def _drop_database(session: Session, planner: Planner, st: s.DropDatabase) -> Answer:
    name = st.name.parts[-1]
    if name not in session.catalog.list_databases() and st.if_exists:
        return Answer(_nothing("database", st.name.parts))
    session.catalog.drop_database(name, st.if_exists, st.cascade)
    return Answer("Database has been removed.")


def _create_function(session: Session, planner: Planner, st: s.CreateFunction) -> Answer:
    if functions.create_function(session, st):
        return Answer("Function has been created.")
    return Answer(f"Function {st.name.parts[-1]} exists already and is kept as it is.")


def _drop_function(session: Session, planner: Planner, st: s.DropFunction) -> Answer:
    if functions.drop_function(session, st):
        return Answer("Function has been removed.")
    return Answer(_nothing("function", st.name.parts))


def _alter_table(session: Session, planner: Planner, st: s.AlterTable) -> Answer:
    if st.rename is not None:
        session.catalog.rename_table(st.name.parts, st.rename)
    else:
        session.catalog.alter_options(st.name.parts, st.set_options or {}, st.reset_options)
    return Answer("Alter table succeeded!")


def _use_database(session: Session, planner: Planner, st: s.UseDatabase) -> Answer:
    session.catalog.use_database(st.name.parts)
    return Answer("Use database succeeded!")


def _use_catalog(session: Session, planner: Planner, st: s.UseCatalog) -> Answer:
    session.catalog.use_catalog(st.name.parts[-1])
    return Answer("Use catalog succeeded!")


def _set(session: Session, planner: Planner, st: s.SetOption) -> Answer:
    if st.key is None:
        values = {key: row.default for key, row in OPTIONS.items()} | dict(session.config.values)
        return Answer(columns=("key", "value"), rows=tuple(sorted(values.items())))
    session.config, warning = session.config.with_option(st.key, st.value or "")
    return Answer("Set option succeeded!", warnings=(warning,) if warning else ())


def _reset(session: Session, planner: Planner, st: s.ResetOption) -> Answer:
    session.config = session.config.without(st.key)
    return Answer("Reset option succeeded!")


def _describe(session: Session, planner: Planner, st: s.Describe) -> Answer:
    return _columns(session.catalog.resolve(st.name.parts))


def _columns(item: CatalogTable | CatalogView) -> Answer:
    rows = tuple((c.name, str(c.type)) for c in item.schema.columns)
    return Answer(columns=("Column", "Type"), rows=rows)


def _stop_job(session: Session, planner: Planner, st: s.StopJob) -> Answer:
    """Stop a job, whichever worker runs it, and answer once it has stopped."""
    job = session.jobs.get(st.job)
    name = job.name or job.job_id
    if job.actual in ENDED:
        if st.savepoint:
            return Answer(_saved(session, job))
        return Answer(f"Job {name} is {job.actual.lower()} already.")
    session.jobs.desire(job.job_id, STOPPED)
    session.send(messages.RequestStop(job.job_id))
    end = session.clock.monotonic() + STOP_S
    never = Event()
    while session.jobs.get(job.job_id).actual not in ENDED:
        if session.clock.monotonic() > end:
            msg = f"job {name} does not stop within {STOP_S:.0f} s; it will when its step is done"
            raise EddylineError("conflict", msg, hint="SHOW JOBS tells when it has stopped")
        session.clock.wait(never, 0.02)
    if st.savepoint:
        return Answer(f"Job {name} has stopped. {_saved(session, session.jobs.get(job.job_id))}")
    return Answer(f"Job {name} has stopped.")


def _saved(session: Session, job: JobInfo) -> str:
    savepoint = session.savepoints.take(job)
    return f"Its savepoint is {savepoint.name}."


def _help(session: Session, planner: Planner, st: s.Help) -> Answer:
    return Answer(HELP)


def _show(session: Session, planner: Planner, st: s.Show) -> Answer:
    if st.what in _TEXTS:
        return Answer(_TEXTS[st.what](session, st))
    if st.what == "COLUMNS":
        columns = _columns(session.catalog.resolve(_named(st)))
        return Answer(columns=columns.columns, rows=_like(columns.rows, st.like))
    if st.what == "STREAMS":
        return Answer(columns=_STREAM_COLUMNS, rows=_like(_streams(session), st.like))
    if st.what == "JOBS":
        jobs = tuple((j.job_id, j.name, j.actual, j.sql) for j in session.jobs.list())
        return Answer(columns=("job id", "job name", "status", "sql"), rows=jobs)
    header, names = _LISTS[st.what]
    listed = tuple((name,) for name in names(session, st))
    return Answer(columns=(header,), rows=_like(listed, st.like))


_STREAM_COLUMNS = ("stream name", "status", "open shards", "records")


def _streams(session: Session) -> tuple[tuple[str | None, ...], ...]:
    """The Kinesis streams of this server."""
    rows = []
    for info in session.streams.list():
        shards = sum(shard.closed_offset is None for shard in info.shards)
        records = session.streams.open(info.name).counters().records_kept
        rows.append((info.name, str(info.status), str(shards), str(records)))
    return tuple(rows)


def _named(st: s.Show) -> tuple[str, ...]:
    assert st.name is not None, "the grammar requires a name here"
    return st.name.parts


def _like(
    rows: tuple[tuple[str | None, ...], ...], pattern: str | None
) -> tuple[tuple[str | None, ...], ...]:
    if pattern is None:
        return rows
    compiled = like_pattern(pattern)
    return tuple(row for row in rows if compiled.match(row[0] or ""))


def like_pattern(pattern: str) -> Pattern[str]:
    """A LIKE pattern as a regular expression over whole names."""
    escaped = "".join(f"[{c}]" if c in "*?[" else c for c in pattern)
    return compile_pattern(translate(escaped.replace("%", "*").replace("_", "?")), IGNORECASE)


def _databases_of(session: Session, st: s.Show) -> str | None:
    return st.name.parts[-1] if st.name else None


def _functions(session: Session, st: s.Show) -> Iterable[str]:
    from eddyline.functions import AGGREGATES, FUNCTIONS

    return sorted({*FUNCTIONS, *AGGREGATES, *_user_functions(session, st)})


def _user_functions(session: Session, st: s.Show) -> Iterable[str]:
    catalog = session.catalog
    return catalog.functions.names(catalog.current_catalog, catalog.current_database)


def _create_text(session: Session, st: s.Show) -> str:
    item = session.catalog.resolve(_named(st))
    return definition(item)


def definition(item: CatalogTable | CatalogView) -> str:
    """An object's DDL, as SHOW CREATE prints it."""
    name = ".".join(f"`{p}`" for p in (item.path.catalog, item.path.database, item.path.name))
    kept = "TEMPORARY " if item.temporary else ""
    if isinstance(item, CatalogView):
        return f"CREATE {kept}VIEW {name} AS\n{item.query}"
    lines = [_column_text(c) for c in item.columns]
    if item.watermark:
        lines.append(f"WATERMARK FOR `{item.watermark.column}` AS {item.watermark.expression}")
    if item.primary_key:
        keys = ", ".join(f"`{k}`" for k in item.primary_key)
        lines.append(f"PRIMARY KEY ({keys}) NOT ENFORCED")
    text = f"CREATE {kept}TABLE {name} (\n  " + ",\n  ".join(lines) + "\n)"
    if item.comment:
        text += f"\nCOMMENT {_quoted(item.comment)}"
    if item.partitioned_by:
        text += "\nPARTITIONED BY (" + ", ".join(f"`{p}`" for p in item.partitioned_by) + ")"
    options = [f"  {_quoted(k)} = {_quoted(v)}" for k, v in item.options.items()]
    return text + "\nWITH (\n" + ",\n".join(options) + "\n)" if options else text


def _column_text(column: Any) -> str:
    if column.kind is ColumnKind.COMPUTED:
        return f"`{column.name}` AS {column.expression}"
    text = f"`{column.name}` {column.type.plain()}"
    if column.kind is ColumnKind.METADATA:
        text += " METADATA"
        text += f" FROM {_quoted(column.metadata_key)}" if column.metadata_key else ""
        text += " VIRTUAL" if column.virtual else ""
    return text


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


_LISTS: dict[str, tuple[str, Callable[[Session, s.Show], Iterable[str]]]] = {
    "TABLES": ("table name", lambda ss, st: ss.catalog.list_tables(_databases_of(ss, st))),
    "VIEWS": ("view name", lambda ss, st: ss.catalog.list_views(_databases_of(ss, st))),
    "DATABASES": ("database name", lambda ss, st: ss.catalog.list_databases()),
    "CATALOGS": ("catalog name", lambda ss, st: ss.catalog.list_catalogs()),
    "FUNCTIONS": ("function name", _functions),
    "USER FUNCTIONS": ("function name", _user_functions),
    "MODULES": ("module name", lambda ss, st: ["core"]),
}
_TEXTS: dict[str, Callable[[Session, s.Show], str]] = {
    "CURRENT CATALOG": lambda ss, st: f"current catalog: {ss.catalog.current_catalog}",
    "CURRENT DATABASE": lambda ss, st: f"current database: {ss.catalog.current_database}",
    "CREATE TABLE": _create_text,
    "CREATE VIEW": _create_text,
}
HELP = """\
CREATE TABLE | VIEW | DATABASE, DROP, ALTER TABLE, USE
SELECT ...                      a query; its result is shown as it changes
INSERT INTO table SELECT ...    a job; it goes on by itself after a restart
EXPLAIN statement, DESCRIBE table
SHOW TABLES | VIEWS | DATABASES | CATALOGS | FUNCTIONS | JOBS | STREAMS | COLUMNS FROM table
SHOW CREATE TABLE | VIEW name, SHOW CURRENT CATALOG | DATABASE
SET 'key' = 'value', RESET 'key', STOP JOB 'id'
BEGIN STATEMENT SET; ... END;   several INSERTs"""
_DOES: dict[type, Callable[[Session, Planner, Any], Answer]] = {
    s.CreateTable: _create_table,
    s.CreateView: _create_view,
    s.DropTable: _drop_table,
    s.DropView: _drop_view,
    s.CreateDatabase: _create_database,
    s.DropDatabase: _drop_database,
    s.CreateFunction: _create_function,
    s.DropFunction: _drop_function,
    s.AlterTable: _alter_table,
    s.UseDatabase: _use_database,
    s.UseCatalog: _use_catalog,
    s.SetOption: _set,
    s.ResetOption: _reset,
    s.Describe: _describe,
    s.StopJob: _stop_job,
    s.Show: _show,
    s.Help: _help,
}
