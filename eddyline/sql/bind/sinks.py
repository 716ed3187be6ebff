"""INSERT: the query's columns into the table's, by place or by name, cast as Flink casts them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from eddyline.catalog.options import check_options, has_changelog
from eddyline.catalog.table import CatalogTable, ColumnKind, TableColumn
from eddyline.errors import Span, nearest
from eddyline.functions.casts import castable
from eddyline.options.connector import Changes
from eddyline.record.schema import Column, Schema
from eddyline.record.types import (
    APPROXIMATE,
    BYTES,
    INTEGERS,
    TEXT,
    DataType,
    Root,
    duckdb_type,
)
from eddyline.sql import statement as st
from eddyline.sql.bind.expressions import ExpressionBinder
from eddyline.sql.bind.relation import Relation, projected
from eddyline.sql.bind.scope import Environment, Scope, ScopeField
from eddyline.sql.changes import changing
from eddyline.sql.logical import GroupBy, Join, Node
from eddyline.sql.typed import Apply, Const, Typed


@dataclass(frozen=True, slots=True)
class SinkTarget:
    """Rows in the table's columns and types."""

    node: Node
    table: CatalogTable
    columns: Schema
    partition_by: tuple[str, ...]


def bind_insert(relation: Relation, insert: st.Insert, env: Environment) -> SinkTarget:
    """The query's rows as the table takes them.

    Raises:
        EddylineError: ``sql_semantic``: wrong number of columns, types that do not fit.
    """
    span = insert.name.span
    with env.at(span):
        table = env.catalog.table(insert.name.parts)
        if insert.options:
            table = replace(table, options={**table.options, **dict(insert.options)})
        row = check_options(table)
    if row.sink is Changes.NONE:
        msg = f"table {table.path.name} cannot be written: connector '{row.name}' only reads"
        raise env.error(msg, span, "kinesis, filesystem, print and blackhole can be written")
    written = [c for c in table.columns if _is_written(c)]
    if insert.overwrite:
        _check_overwrite(table, row.name, span, env)
    relation = _with_partition(relation, insert, table, env)
    sources = _sources(relation, insert, written, table, env)
    items = []
    for c in written:
        f = sources.get(c.name)
        items.append(
            (
                c.name,
                _missing(c, table, span, env) if f is None else _fitted(f, c, table, span, env),
            )
        )
    node = projected(relation.node, items).node
    columns = Schema(tuple(Column(c.name, c.type.plain()) for c in written))
    return SinkTarget(node, table, columns, table.partitioned_by)


def _check_overwrite(table: CatalogTable, connector: str, span: Span, env: Environment) -> None:
    """Files can be replaced, once all rows that take their place are known.

    Raises:
        EddylineError: ``sql_unsupported``.
    """
    if connector != "filesystem":
        what = f"INSERT OVERWRITE of table {table.path.name} (connector '{connector}')"
        raise env.unsupported(what, span, "only files are replaced; write INSERT INTO")
    if not env.config.is_batch:
        hint = "SET 'execution.runtime-mode' = 'batch', or write INSERT INTO"
        raise env.unsupported("INSERT OVERWRITE in streaming mode", span, hint)


def _with_partition(
    relation: Relation, insert: st.Insert, table: CatalogTable, env: Environment
) -> Relation:
    """The query's columns, then those that ``PARTITION (column = constant)`` fills.

    Raises:
        EddylineError: ``sql_semantic`` for a column that is no partition column, or is filled
            twice.
    """
    if not insert.partition:
        return relation
    span = insert.name.span
    binder = ExpressionBinder(Scope(()), env, "PARTITION")
    items: list[tuple[str, Typed]] = [(f.name, f.ref) for f in relation.visible]
    for column, expression in insert.partition:
        if column not in table.partitioned_by:
            partitions = ", ".join(table.partitioned_by)
            hint = f"it is partitioned by {partitions}" if partitions else "it is not partitioned"
            msg = f"{column} is no partition column of table {table.path.name}"
            raise env.error(msg, expression.span, hint)
        if column in insert.columns or [c for c, _ in insert.partition].count(column) > 1:
            raise env.error(f"column {column} is filled twice", span)
        items.append((column, binder.bind(expression)))
    return projected(relation.node, items)


def _is_written(c: TableColumn) -> bool:
    return c.kind is ColumnKind.PHYSICAL


def refuse_updates(node: Node, table: CatalogTable, span: Span, env: Environment) -> None:
    """Refuse a plan that takes rows back for a table that cannot take them back.

    node: the plan as it will run, for rules make window Top-N and the like of what only looks as
    if it took rows back.

    Raises:
        EddylineError: ``sql_semantic``, with what takes rows back.
    """
    row = check_options(table)
    inserts = row.sink is Changes.INSERTS and not has_changelog(table)
    if not inserts and (row.sink is not Changes.UPSERTS or table.primary_key):
        return
    cause = changing(node)
    if cause is None:
        return
    what = "a row"
    hint = "write to a table that takes changes (print, blackhole)"
    if isinstance(cause, GroupBy):
        keys = ", ".join(cause.keys) or "all rows"
        what = f"a group (of {keys})"
        hint = "group by a window, for example TUMBLE, so that each row is given once"
    if isinstance(cause, Join):
        what = f"the result of a {cause.kind} JOIN"
        hint = "use an INNER JOIN, or bound the join in time"
    msg = f"table {table.path.name} takes only new rows, but {what} in this query changes later"
    raise env.error(msg, span, hint)


def _sources(
    relation: Relation,
    insert: st.Insert,
    written: list[TableColumn],
    table: CatalogTable,
    env: Environment,
) -> dict[str, ScopeField]:
    fields = relation.visible
    names = insert.columns or tuple(c.name for c in written)
    known = {c.name for c in written}
    if insert.by_name:
        return {f.name: f for f in fields if f.name in known}
    if insert.partition and not insert.columns:
        fixed = {column for column, _ in insert.partition}
        names = tuple(name for name in names if name not in fixed)
    for i, name in enumerate(insert.columns):
        span = insert.column_spans[i] if insert.column_spans else insert.name.span
        if name not in known:
            near = nearest(name, list(known))
            hint = f"did you mean {near[0]}?" if near else f"it has {', '.join(sorted(known))}"
            raise env.error(f"table {table.path.name} has no column {name} to write", span, hint)
        if name in insert.columns[:i]:
            raise env.error(f"column {name} is there twice", span)
    names += tuple(column for column, _ in insert.partition)
    if len(names) != len(fields):
        name = table.path.name
        msg = f"table {name} takes {len(names)} columns here, the query gives {len(fields)}"
        expected = ", ".join(f"{n} {_type_of(n, written)}" for n in names)
        given = ", ".join(f"{f.name} {f.type.plain()}" for f in fields)
        error = env.error(msg, insert.name.span, "give as many, in the same order")
        error.detail = f"table: {expected}; query: {given}"
        raise error
    return dict(zip(names, fields, strict=True))


def _type_of(name: str, written: list[TableColumn]) -> DataType:
    return next(c.type for c in written if c.name == name).plain()


def _missing(c: TableColumn, table: CatalogTable, span: Span, env: Environment) -> Typed:
    if not c.type.nullable:
        msg = f"column {c.name} of table {table.path.name} cannot be NULL and is given no value"
        raise env.error(msg, span, f"name it in the INSERT's list: (…, {c.name})")
    return Const(f"CAST(NULL AS {duckdb_type(c.type)})", c.type.plain(), None)


def _fitted(
    f: ScopeField, c: TableColumn, table: CatalogTable, span: Span, env: Environment
) -> Typed:
    """The value as the column's type: Flink's implicit casts, and one that Flink refuses."""
    source, target = f.type.plain(), c.type.plain()
    if source.root is Root.NULL or source.same_as(target):
        value = ExpressionBinder(Scope(()), env).cast(f.ref, target, span)
        return _checked_null(value, f, c, table)
    if _narrower(source, target):
        env.warn(
            f"column {c.name}: {source} is written as {target}; a value that does not fit fails "
            f"the job (Flink refuses this: write CAST({f.name} AS {target.null()}) there)"
        )
        return _checked_null(_checked(f, target, table), f, c, table)
    if not implicit(source, target) or not castable(source, target):
        msg = f"column {c.name} of table {table.path.name} is {target}, the query gives {source}"
        hint = f"write CAST({f.name} AS {target.null()})" if castable(source, target) else None
        raise env.error(msg, span, hint)
    value = ExpressionBinder(Scope(()), env).cast(f.ref, target, span)
    return _checked_null(value, f, c, table)


def _narrower(source: DataType, target: DataType) -> bool:
    return (
        source.is_integer
        and target.is_integer
        and INTEGERS.index(target.root) < INTEGERS.index(source.root)
    )


def _checked(f: ScopeField, target: DataType, table: CatalogTable) -> Typed:
    to = duckdb_type(target)
    where = (
        f"{f.name} of table {table.path.name}".replace("'", "''").replace("{", "").replace("}", "")
    )
    failed = f"error('a value of {where} does not fit {target.null()}: ' || {{0}}::VARCHAR)"
    text = (
        f"CASE WHEN {{0}} IS NULL OR TRY_CAST({{0}} AS {to}) IS NOT NULL "
        f"THEN TRY_CAST({{0}} AS {to}) ELSE {failed}::{to} END"
    )
    return Apply("CAST", (f.ref,), text, target.null() if f.type.nullable else target.not_null())


def _checked_null(value: Typed, f: ScopeField, c: TableColumn, table: CatalogTable) -> Typed:
    """A NULL for a NOT NULL column fails the job, as in Flink."""
    if c.type.nullable or not value.type.nullable:
        return value
    name = (
        f"{c.name} of table {table.path.name}".replace("'", "''").replace("{", "").replace("}", "")
    )
    to = duckdb_type(c.type)
    text = f"coalesce({{0}}, error('column {name} cannot be NULL')::{to})"
    return Apply("NOT NULL", (value,), text, c.type.plain())


def implicit(source: DataType, target: DataType) -> bool:
    """Whether Flink casts by itself when a query's column goes into a table's."""
    a, b = source.root, target.root
    if a is b:
        return not source.children or source.same_as(target) or castable(source, target)
    if source.is_integer and target.is_integer:
        return INTEGERS.index(a) <= INTEGERS.index(b)
    if source.is_integer:
        return b is Root.DECIMAL or b in APPROXIMATE
    if a is Root.DECIMAL:
        return b in APPROXIMATE
    if a is Root.FLOAT:
        return b is Root.DOUBLE
    same_family = (TEXT, BYTES, (Root.TIMESTAMP, Root.TIMESTAMP_LTZ))
    if any(a in family and b in family for family in same_family):
        return True
    return a is Root.DATE and b is Root.TIMESTAMP
