"""What each statement that is no query does, and the fixed sentence it answers with.

One row a kind of statement. The sentences are Zeppelin's, so that a note reads here as it did
there.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Event
from typing import Any

from eddyline.catalog.codec import encode_object
from eddyline.catalog.table import CatalogTable, CatalogView
from eddyline.errors import EddylineError
from eddyline.service import functions, messages
from eddyline.service.jobs import ENDED, STOPPED, JobInfo
from eddyline.service.session import Session
from eddyline.service.showing import StatementAnswer, described_object, shown
from eddyline.sql import statement as s
from eddyline.sql.options import OPTIONS
from eddyline.sql.planner import Planner
from eddyline.sql.statement import Statement
from eddyline.sql.syntax import Name

STOP_S = 15.0


def answer(session: Session, planner: Planner, statement: Statement) -> StatementAnswer:
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
    s.AlterView: "ALTER VIEW",
    s.AlterDatabase: "ALTER DATABASE",
    s.CreateCatalog: "CREATE CATALOG",
    s.AlterCatalog: "ALTER CATALOG",
    s.DropCatalog: "DROP CATALOG",
    s.AddJar: "ADD JAR",
    s.UseModules: "USE MODULES",
    s.CompilePlan: "COMPILE PLAN",
    s.ExecutePlan: "EXECUTE PLAN",
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


def _create_table(session: Session, planner: Planner, st: s.CreateTable) -> StatementAnswer:
    table = planner.table(st)
    if session.catalog.create_table(table, st.if_not_exists, st.or_replace):
        return StatementAnswer("Table has been created.", warnings=planner.warnings)
    return _left_as_it_is(session, table)


def _create_view(session: Session, planner: Planner, st: s.CreateView) -> StatementAnswer:
    view = planner.view(st)
    if session.catalog.create_view(view, st.if_not_exists, st.or_replace):
        return StatementAnswer("View has been created.", warnings=planner.warnings)
    return _left_as_it_is(session, view)


def _left_as_it_is(session: Session, described: CatalogTable | CatalogView) -> StatementAnswer:
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
    return StatementAnswer(
        f"{kind.capitalize()} {name} exists already and is kept as it is.", (), (), warnings
    )


def _word(item: CatalogTable | CatalogView) -> str:
    return "table" if isinstance(item, CatalogTable) else "view"


def _drop_table(session: Session, planner: Planner, st: s.DropTable) -> StatementAnswer:
    dropped = session.catalog.drop_table(st.name.parts, st.if_exists, st.temporary)
    return StatementAnswer(
        "Table has been dropped." if dropped else _nothing("table", st.name.parts)
    )


def _drop_view(session: Session, planner: Planner, st: s.DropView) -> StatementAnswer:
    dropped = session.catalog.drop_view(st.name.parts, st.if_exists, st.temporary)
    return StatementAnswer("View has been dropped." if dropped else _nothing("view", st.name.parts))


def _nothing(kind: str, parts: tuple[str, ...]) -> str:
    """The answer to DROP ... IF EXISTS when there is nothing of that name."""
    return f"There is no {kind} {'.'.join(parts)}; nothing was dropped."


def _create_database(session: Session, planner: Planner, st: s.CreateDatabase) -> StatementAnswer:
    name, catalog = st.name.parts[-1], _catalog_in(st.name)
    created = session.catalog.create_database(
        name, st.if_not_exists, st.comment, catalog=catalog, options=st.options
    )
    if not created:
        return StatementAnswer(f"Database {name} exists already and is kept as it is.")
    return StatementAnswer("Database has been created.")


def _drop_database(session: Session, planner: Planner, st: s.DropDatabase) -> StatementAnswer:
    name, catalog = st.name.parts[-1], _catalog_in(st.name)
    dropped = session.catalog.drop_database(name, st.if_exists, st.cascade, catalog=catalog)
    return StatementAnswer(
        "Database has been removed." if dropped else _nothing("database", st.name.parts)
    )


def _create_function(session: Session, planner: Planner, st: s.CreateFunction) -> StatementAnswer:
    if functions.create_function(session, st):
        return StatementAnswer("Function has been created.")
    return StatementAnswer(f"Function {st.name.parts[-1]} exists already and is kept as it is.")


def _drop_function(session: Session, planner: Planner, st: s.DropFunction) -> StatementAnswer:
    if functions.drop_function(session, st):
        return StatementAnswer("Function has been removed.")
    return StatementAnswer(_nothing("function", st.name.parts))


def _alter_table(session: Session, planner: Planner, st: s.AlterTable) -> StatementAnswer:
    if st.if_exists and not session.catalog.has(st.name.parts):
        return StatementAnswer(f"There is no table {st.name}; nothing was altered.")
    if st.rename is not None:
        session.catalog.rename_table(st.name.parts, st.rename)
    elif st.change is not None:
        session.catalog.alter_table(planner.altered(st))
    else:
        session.catalog.alter_options(st.name.parts, st.set_options or {}, st.reset_options)
    return StatementAnswer("Alter table succeeded!", warnings=planner.warnings)


def _alter_view(session: Session, planner: Planner, st: s.AlterView) -> StatementAnswer:
    view = session.catalog.view(st.name.parts)
    if view.temporary:
        msg = f"view {view.path.name} is temporary and cannot be altered"
        raise EddylineError("conflict", msg, hint="write CREATE OR REPLACE TEMPORARY VIEW")
    if st.rename is not None:
        session.catalog.rename_view(st.name.parts, st.rename)
    else:
        assert st.query is not None
        fresh = s.CreateView(
            st.source, st.name, (), st.query, st.query_text, view.comment, False, False
        )
        session.catalog.alter_view(planner.view(fresh))
    return StatementAnswer("Alter view succeeded!", warnings=planner.warnings)


def _alter_database(session: Session, planner: Planner, st: s.AlterDatabase) -> StatementAnswer:
    session.catalog.alter_database(st.name.parts[-1], st.options, catalog=_catalog_in(st.name))
    return StatementAnswer("Alter database succeeded!")


def _catalog_in(name: Name) -> str | None:
    """The catalog that a database's name begins with, or None."""
    return name.parts[-2] if len(name.parts) > 1 else None


def _create_catalog(session: Session, planner: Planner, st: s.CreateCatalog) -> StatementAnswer:
    name = st.name.parts[-1]
    if session.catalog.create_catalog(name, st.options, st.comment, st.if_not_exists):
        return StatementAnswer("Catalog has been created.")
    return StatementAnswer(f"Catalog {name} exists already and is kept as it is.")


def _alter_catalog(session: Session, planner: Planner, st: s.AlterCatalog) -> StatementAnswer:
    name = st.name.parts[-1]
    options, comment = session.catalog.catalog(name)
    options = {k: v for k, v in options.items() if k not in st.reset_options} | st.set_options
    session.catalog.alter_catalog(name, options, st.comment or comment)
    return StatementAnswer("Alter catalog succeeded!")


def _drop_catalog(session: Session, planner: Planner, st: s.DropCatalog) -> StatementAnswer:
    if session.catalog.drop_catalog(st.name.parts[-1], st.if_exists):
        return StatementAnswer("Catalog has been removed.")
    return StatementAnswer(_nothing("catalog", st.name.parts))


def _jar(session: Session, planner: Planner, st: s.AddJar) -> StatementAnswer:
    warning = (
        f"nothing of {st.path} is used: connectors and formats are built in (see SHOW FUNCTIONS "
        "and the reference of connectors), and functions are written in Python"
    )
    word = "removed" if st.remove else "added"
    return StatementAnswer(f"No JAR was {word}.", warnings=(warning,))


def _use_modules(session: Session, planner: Planner, st: s.UseModules) -> StatementAnswer:
    unknown = [name for name in st.names if name != "core"]
    if unknown:
        msg = f"there is no module {unknown[0]}"
        raise EddylineError("not_found", msg, hint="core is the only module here")
    return StatementAnswer("Use modules succeeded!")


def _use_database(session: Session, planner: Planner, st: s.UseDatabase) -> StatementAnswer:
    session.catalog.use_database(st.name.parts)
    return StatementAnswer("Use database succeeded!")


def _use_catalog(session: Session, planner: Planner, st: s.UseCatalog) -> StatementAnswer:
    session.catalog.use_catalog(st.name.parts[-1])
    return StatementAnswer("Use catalog succeeded!")


def _set(session: Session, planner: Planner, st: s.SetOption) -> StatementAnswer:
    if st.key is None:
        values = {key: row.default for key, row in OPTIONS.items()} | dict(session.config.values)
        return StatementAnswer(columns=("key", "value"), rows=tuple(sorted(values.items())))
    session.config, warning = session.config.with_option(st.key, st.value or "")
    return StatementAnswer("Set option succeeded!", warnings=(warning,) if warning else ())


def _reset(session: Session, planner: Planner, st: s.ResetOption) -> StatementAnswer:
    session.config = session.config.without(st.key)
    return StatementAnswer("Reset option succeeded!")


def _stop_job(session: Session, planner: Planner, st: s.StopJob) -> StatementAnswer:
    """Stop a job, whichever worker runs it, and answer once it has stopped."""
    job = session.jobs.get(st.job)
    name = job.name or job.job_id
    if job.actual in ENDED:
        if st.savepoint:
            return StatementAnswer(_saved(session, job))
        return StatementAnswer(f"Job {name} is {job.actual.lower()} already.")
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
        return StatementAnswer(
            f"Job {name} has stopped. {_saved(session, session.jobs.get(job.job_id))}"
        )
    return StatementAnswer(f"Job {name} has stopped.")


def _saved(session: Session, job: JobInfo) -> str:
    savepoint = session.savepoints.take(job)
    return f"Its savepoint is {savepoint.name}."


def _help(session: Session, planner: Planner, st: s.Help) -> StatementAnswer:
    return StatementAnswer(HELP)


HELP = """\
CREATE | ALTER | DROP TABLE | VIEW | DATABASE | CATALOG, USE
SELECT ...                      a query; its result is shown as it changes
INSERT INTO table SELECT ...    a job; it goes on by itself after a restart
EXPLAIN statement, DESCRIBE table
SHOW TABLES | VIEWS | DATABASES | CATALOGS | FUNCTIONS | JOBS | STREAMS | COLUMNS FROM table
SHOW PARTITIONS table, SHOW CREATE TABLE | VIEW | CATALOG name, SHOW CURRENT CATALOG | DATABASE
SET 'key' = 'value', RESET 'key', STOP JOB 'id'
BEGIN STATEMENT SET; ... END;   several INSERTs"""
_DOES: dict[type, Callable[[Session, Planner, Any], StatementAnswer]] = {
    s.CreateTable: _create_table,
    s.CreateView: _create_view,
    s.DropTable: _drop_table,
    s.DropView: _drop_view,
    s.CreateDatabase: _create_database,
    s.DropDatabase: _drop_database,
    s.CreateFunction: _create_function,
    s.DropFunction: _drop_function,
    s.AlterTable: _alter_table,
    s.AlterView: _alter_view,
    s.AlterDatabase: _alter_database,
    s.CreateCatalog: _create_catalog,
    s.AlterCatalog: _alter_catalog,
    s.DropCatalog: _drop_catalog,
    s.AddJar: _jar,
    s.UseModules: _use_modules,
    s.UseDatabase: _use_database,
    s.UseCatalog: _use_catalog,
    s.SetOption: _set,
    s.ResetOption: _reset,
    s.Describe: described_object,
    s.StopJob: _stop_job,
    s.Show: shown,
    s.Help: _help,
}
