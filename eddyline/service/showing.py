"""What SHOW, DESCRIBE and SHOW CREATE answer: small tables and DDL."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from re import Pattern
from typing import TYPE_CHECKING

from eddyline.catalog.table import CatalogTable, CatalogView, ColumnKind, TableColumn
from eddyline.errors import EddylineError, nearest
from eddyline.sql import statement as s
from eddyline.sql.planner import Planner

if TYPE_CHECKING:
    from eddyline.service.session import Session

Row = tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class StatementAnswer:
    """What a statement gives at once: a sentence, or a small table, and warnings."""

    text: str | None = None
    columns: tuple[str, ...] = ()
    rows: tuple[Row, ...] = ()
    warnings: tuple[str, ...] = ()


def shown(session: Session, planner: Planner, st: s.Show) -> StatementAnswer:
    """The answer to SHOW.

    Raises:
        EddylineError: ``not_found`` for an unknown object.
    """
    if st.what in _TEXTS:
        return StatementAnswer(_TEXTS[st.what](session, st))
    columns, rows = _TABLES[st.what]
    if st.what == "MODULES" and st.full:
        columns = ("module name", "used")
    listed = tuple(rows(session, st))
    if st.like is not None:
        pattern, negated = like_pattern(st.like), st.like.negated
        listed = tuple(r for r in listed if bool(pattern.fullmatch(r[0] or "")) is not negated)
    return StatementAnswer(columns=columns, rows=listed)


def like_pattern(like: s.Pattern) -> Pattern[str]:
    """The regular expression of a LIKE pattern over whole names; ``\\`` escapes ``%`` and ``_``."""
    pieces = re.split(r"(\\.|%|_)", like.text)
    text = "".join({"%": ".*", "_": "."}.get(p) or re.escape(p.removeprefix("\\")) for p in pieces)
    return re.compile(text, (re.IGNORECASE if like.ignore_case else 0) | re.DOTALL)


def described_object(session: Session, planner: Planner, st: s.Describe) -> StatementAnswer:
    """The answer to DESCRIBE.

    Raises:
        EddylineError: ``not_found`` for an unknown object.
    """
    if st.what != "TABLE":
        rows = _DESCRIBED[st.what](session, st)
        return StatementAnswer(columns=("info name", "info value"), rows=tuple(rows))
    item = session.catalog.resolve(st.name.parts)
    if not st.extended:
        return StatementAnswer(columns=_COLUMNS, rows=tuple(_columns(item)))
    header = ("name", "type", "null", "key", "extras", "watermark", "comment")
    return StatementAnswer(columns=header, rows=tuple(_extended(item)))


_COLUMNS = ("Column", "Type")


def _columns(item: CatalogTable | CatalogView) -> Iterable[Row]:
    return ((c.name, str(c.type)) for c in item.schema.columns)


def _extended(item: CatalogTable | CatalogView) -> Iterable[Row]:
    """Flink's seven columns of DESCRIBE."""
    if isinstance(item, CatalogView):
        for c in item.schema:
            yield c.name, str(c.type.null()), str(c.type.nullable).upper(), None, None, None, None
        return
    keys = ", ".join(item.primary_key)
    for column in item.columns:
        extras = None
        if column.kind is ColumnKind.COMPUTED:
            extras = f"AS {column.expression}"
        elif column.kind is ColumnKind.METADATA:
            extras = _metadata(column).strip()
        own = item.watermark if item.watermark and item.watermark.column == column.name else None
        yield (
            column.name,
            str(column.type.null()),
            str(column.type.nullable).upper(),
            f"PRI({keys})" if column.name in item.primary_key else None,
            extras,
            own.expression if own else None,
            column.comment,
        )


def _described_catalog(session: Session, st: s.Describe) -> Iterable[Row]:
    name = st.name.parts[-1]
    options, comment = session.catalog.catalog(name)
    yield "name", name
    yield "type", options["type"]
    yield "comment", comment
    if st.extended:
        for key, value in sorted(options.items()):
            yield f"option:{key}", value


def _described_database(session: Session, st: s.Describe) -> Iterable[Row]:
    name = st.name.parts[-1]
    catalog = st.name.parts[-2] if len(st.name.parts) > 1 else None
    options, comment = session.catalog.database(name, catalog=catalog)
    yield "database name", name
    yield "comment", comment
    if st.extended:
        for key, value in sorted(options.items()):
            yield f"option:{key}", value


def _described_function(session: Session, st: s.Describe) -> Iterable[Row]:
    from eddyline.functions import FUNCTIONS
    from eddyline.functions.aggregates import AGGREGATES

    name = st.name.parts[-1].upper()
    row = FUNCTIONS.get(name) or AGGREGATES.get(name)
    own = session.catalog.functions.find(session.catalog.path_of(st.name.parts))
    if row is None and own is not None:
        yield "is system function", "false"
        yield "is temporary", str(own.temporary).lower()
        yield "class name", own.reference
        yield "function language", "PYTHON"
        if st.extended:
            yield "kind", own.kind.value.upper()
            yield "return type", str(own.result)
        return
    if row is None:
        near = nearest(name, [*FUNCTIONS, *AGGREGATES])
        hint = f"did you mean {near[0]}?" if near else "SHOW FUNCTIONS lists what there is"
        raise EddylineError("not_found", f"there is no function {st.name}", hint=hint)
    yield "is system function", "true"
    yield "is temporary", "false"
    if st.extended:
        yield "kind", "SCALAR" if name in FUNCTIONS else "AGGREGATE"
        yield "description", row.doc


_DESCRIBED: dict[str, Callable[[Session, s.Describe], Iterable[Row]]] = {
    "CATALOG": _described_catalog,
    "DATABASE": _described_database,
    "FUNCTION": _described_function,
}


def _streams(session: Session, st: s.Show) -> Iterable[Row]:
    """The Kinesis streams of this server."""
    for info in session.streams.list():
        shards = sum(shard.closed_offset is None for shard in info.shards)
        records = session.streams.open(info.name).counters().records_kept
        yield info.name, str(info.status), str(shards), str(records)


def _jobs(session: Session, st: s.Show) -> Iterable[Row]:
    return ((j.job_id, j.name, j.actual, j.sql) for j in session.jobs.list())


def _named(st: s.Show) -> tuple[str, ...]:
    assert st.name is not None, "the grammar requires a name here"
    return st.name.parts


def _database(st: s.Show) -> tuple[str | None, str | None]:
    """The database and the catalog that FROM or IN names."""
    parts = st.name.parts if st.name else ()
    return (parts[-1] if parts else None, parts[-2] if len(parts) > 1 else None)


def _functions(session: Session, st: s.Show) -> Iterable[Row]:
    from eddyline.functions import AGGREGATES, FUNCTIONS

    catalog = session.catalog
    own = catalog.functions.names(catalog.current_catalog, catalog.current_database)
    return ((name,) for name in (own if st.full else sorted({*FUNCTIONS, *AGGREGATES, *own})))


def _modules(session: Session, st: s.Show) -> Iterable[Row]:
    return [("core", "true") if st.full else ("core",)]


def _partitions(session: Session, st: s.Show) -> Iterable[Row]:
    """The partitions of a table of files: its folders ``column=value``."""
    from eddyline.engine.files.store import store_of

    table = session.catalog.table(_named(st))
    columns = table.partitioned_by
    if not columns:
        msg = f"table {table.path.name} is not partitioned"
        raise EddylineError("conflict", msg, hint="CREATE TABLE … PARTITIONED BY (column)")
    for column, _ in st.partition:
        if column not in columns:
            msg = f"{column} is no partition column of table {table.path.name}"
            raise EddylineError("not_found", msg, hint=f"it is partitioned by {', '.join(columns)}")
    if table.options.get("connector") != "filesystem":
        return
    selected = {f"{column}={value}" for column, value in st.partition}
    files = store_of(table.options.get("path", ""), session.settings).files()
    folders = {tuple(file.relative.split("/")[: len(columns)]) for file in files}
    for parts in sorted(folders):
        named = tuple(part.partition("=")[0] for part in parts)
        if named == columns and selected <= set(parts):
            yield ("/".join(parts),)


def _nothing(session: Session, st: s.Show) -> Iterable[Row]:
    return ()


def _procedures(session: Session, st: s.Show) -> Iterable[Row]:
    msg = "SHOW PROCEDURES is not supported: no catalog here has procedures"
    raise EddylineError("sql_unsupported", msg, hint="SHOW FUNCTIONS lists the functions")


def _create_text(session: Session, st: s.Show) -> str:
    return definition(session.catalog.resolve(_named(st)))


def _create_catalog_text(session: Session, st: s.Show) -> str:
    name = _named(st)[-1]
    options, comment = session.catalog.catalog(name)
    text = f"CREATE CATALOG `{name}`"
    text += f"\nCOMMENT {_quoted(comment)}" if comment else ""
    return text + _options(options)


def definition(item: CatalogTable | CatalogView) -> str:
    """An object's DDL, as SHOW CREATE prints it."""
    name = ".".join(f"`{p}`" for p in (item.path.catalog, item.path.database, item.path.name))
    kept = "TEMPORARY " if item.temporary else ""
    comment = f"\nCOMMENT {_quoted(item.comment)}" if item.comment else ""
    if isinstance(item, CatalogView):
        columns = ", ".join(f"`{c.name}`" for c in item.schema)
        return f"CREATE {kept}VIEW {name} ({columns}){comment} AS\n{item.query}"
    lines = [_column_text(c) for c in item.columns]
    if item.watermark:
        lines.append(f"WATERMARK FOR `{item.watermark.column}` AS {item.watermark.expression}")
    if item.primary_key:
        keys = ", ".join(f"`{k}`" for k in item.primary_key)
        lines.append(f"PRIMARY KEY ({keys}) NOT ENFORCED")
    text = f"CREATE {kept}TABLE {name} (\n  " + ",\n  ".join(lines) + "\n)" + comment
    if item.distribution:
        text += f"\nDISTRIBUTED {item.distribution}"
    if item.partitioned_by:
        text += "\nPARTITIONED BY (" + ", ".join(f"`{p}`" for p in item.partitioned_by) + ")"
    return text + _options(item.options)


def _options(options: dict[str, str]) -> str:
    lines = [f"  {_quoted(k)} = {_quoted(v)}" for k, v in options.items()]
    return "\nWITH (\n" + ",\n".join(lines) + "\n)" if lines else ""


def _column_text(column: TableColumn) -> str:
    comment = f" COMMENT {_quoted(column.comment)}" if column.comment else ""
    if column.kind is ColumnKind.COMPUTED:
        return f"`{column.name}` AS {column.expression}{comment}"
    metadata = _metadata(column) if column.kind is ColumnKind.METADATA else ""
    return f"`{column.name}` {column.type.plain()}{metadata}{comment}"


def _metadata(column: TableColumn) -> str:
    text = " METADATA"
    text += f" FROM {_quoted(column.metadata_key)}" if column.metadata_key else ""
    return text + (" VIRTUAL" if column.virtual else "")


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _names(names: Iterable[str]) -> Iterable[Row]:
    return ((name,) for name in names)


_TABLES: dict[str, tuple[tuple[str, ...], Callable[[Session, s.Show], Iterable[Row]]]] = {
    "TABLES": (
        ("table name",),
        lambda ss, st: _names(ss.catalog.list_tables(*_database(st))),
    ),
    "VIEWS": (("view name",), lambda ss, st: _names(ss.catalog.list_views(*_database(st)))),
    "DATABASES": (
        ("database name",),
        lambda ss, st: _names(ss.catalog.list_databases(_database(st)[0])),
    ),
    "CATALOGS": (("catalog name",), lambda ss, st: _names(ss.catalog.list_catalogs())),
    "FUNCTIONS": (("function name",), _functions),
    "MODULES": (("module name",), _modules),
    "COLUMNS": (_COLUMNS, lambda ss, st: _columns(ss.catalog.resolve(_named(st)))),
    "STREAMS": (("stream name", "status", "open shards", "records"), _streams),
    "JOBS": (("job id", "job name", "status", "sql"), _jobs),
    "PARTITIONS": (("partition name",), _partitions),
    "MODELS": (("model name",), _nothing),
    "JARS": (("jars",), _nothing),
    "PROCEDURES": (("procedure name",), _procedures),
}
_TEXTS: dict[str, Callable[[Session, s.Show], str]] = {
    "CURRENT CATALOG": lambda ss, st: f"current catalog: {ss.catalog.current_catalog}",
    "CURRENT DATABASE": lambda ss, st: f"current database: {ss.catalog.current_database}",
    "CREATE TABLE": _create_text,
    "CREATE VIEW": _create_text,
    "CREATE CATALOG": _create_catalog_text,
}
