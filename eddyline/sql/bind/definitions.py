"""CREATE TABLE and CREATE VIEW: what goes into the catalog, checked."""

from __future__ import annotations

from eddyline.catalog.options import check_options, option_warnings
from eddyline.catalog.table import (
    CatalogTable,
    CatalogView,
    ColumnKind,
    TableColumn,
    WatermarkSpec,
)
from eddyline.errors import EddylineError, nearest
from eddyline.record.schema import Column, Schema
from eddyline.record.types import STRING, DataType, Root
from eddyline.sql import statement as st
from eddyline.sql.bind.expressions import ExpressionBinder
from eddyline.sql.bind.queries import bind_query
from eddyline.sql.bind.relation import Relation, aliased
from eddyline.sql.bind.scope import Environment, Field, Scope
from eddyline.sql.bind.tables import definition_columns, metadata_type, watermark


def define_table(statement: st.CreateTable, env: Environment) -> CatalogTable:
    """The table that a CREATE TABLE describes.

    Raises:
        EddylineError: ``sql_semantic`` or ``sql_unsupported``.
    """
    columns = _of_query(statement, env) if statement.query is not None else ()
    columns = columns or _columns(statement, env)
    if not columns:
        raise env.error("a table needs columns", statement.name.span, "write (name TYPE, …)")
    spec = None
    if statement.watermark is not None:
        w = statement.watermark
        fields = tuple(Field(c.name, None, c.name, c.type) for c in columns)
        watermark(w.column, w.expression, fields, env, w.span)
        spec = WatermarkSpec(w.column, w.expression_text)
    table = CatalogTable(
        path=env.catalog.path_of(statement.name.parts),
        columns=definition_columns(columns, spec.column if spec else None),
        watermark=spec,
        primary_key=statement.primary_key,
        partitioned_by=statement.partitioned_by,
        options=dict(statement.options),
        comment=statement.comment,
        temporary=statement.temporary,
    )
    _check_keys(table, statement, env)
    _warn_of_options(table, env)
    return table


def _warn_of_options(table: CatalogTable, env: Environment) -> None:
    """Flink refuses options when the table is used, not when it is created: here a warning says
    so at once."""
    try:
        check_options(table)
        for sentence in option_warnings(table):
            env.warn(sentence)
    except EddylineError as error:
        hint = f" ({error.hint})" if error.hint else ""
        env.warn(f"{error.message}: the table is created, but cannot be used{hint}")


def _columns(statement: st.CreateTable, env: Environment) -> tuple[TableColumn, ...]:
    stored = [_stored(d, env) for d in statement.columns if d.computed is None]
    fields = tuple(Field(c.name, None, c.name, c.type) for c in stored)
    by_name = {c.name: c for c in stored}
    return tuple(
        by_name[d.name] if d.computed is None else _computed(d, fields, env)
        for d in statement.columns
    )


def _stored(d: st.ColumnDefinition, env: Environment) -> TableColumn:
    assert d.type is not None
    if not d.metadata:
        return TableColumn(d.name, d.type, comment=d.comment)
    key = d.metadata_key or d.name
    metadata_type(key, d.type, d.span, env)
    return TableColumn(d.name, d.type, ColumnKind.METADATA, key, d.virtual, comment=d.comment)


def _computed(d: st.ColumnDefinition, fields: tuple[Field, ...], env: Environment) -> TableColumn:
    assert d.computed is not None
    e = ExpressionBinder(Scope(fields), env, "a computed column").bind(d.computed)
    return TableColumn(
        d.name, e.type, ColumnKind.COMPUTED, expression=d.computed_text, comment=d.comment
    )


def _of_query(statement: st.CreateTable, env: Environment) -> tuple[TableColumn, ...]:
    """CREATE TABLE … AS SELECT: the query's columns."""
    assert statement.query is not None
    if statement.columns:
        hint = "leave the columns out: they are the query's"
        raise env.unsupported("columns beside AS SELECT", statement.columns[0].span, hint)
    found = bind_query(statement.query, env)
    return tuple(TableColumn(f.name, _kept(f.type)) for f in found.visible)


def _kept(kind: DataType) -> DataType:
    return STRING if kind.root is Root.NULL else kind.plain()


def _check_keys(table: CatalogTable, statement: st.CreateTable, env: Environment) -> None:
    names = [c.name for c in table.columns]
    for what, keys in (
        ("PARTITIONED BY", table.partitioned_by),
        ("PRIMARY KEY", table.primary_key),
    ):
        for key in keys:
            if key not in names:
                near = nearest(key, names)
                hint = f"did you mean {near[0]}?" if near else f"it has {', '.join(names)}"
                msg = f"{what}: the table has no column {key}"
                raise env.error(msg, statement.name.span, hint)


def define_view(statement: st.CreateView, env: Environment) -> CatalogView:
    """The view that a CREATE VIEW describes; its query is bound once, to find its columns.

    Raises:
        EddylineError: as binding a query.
    """
    found = bind_query(statement.query, env)
    named: Relation = aliased(found, None, statement.columns, statement.name.span, env)
    columns = tuple(Column(f.name, f.type) for f in named.visible)
    _refuse_twice([c.name for c in columns], statement, env)
    return CatalogView(
        path=env.catalog.path_of(statement.name.parts),
        query=statement.query_text,
        schema=Schema(columns),
        comment=statement.comment,
        temporary=statement.temporary,
    )


def _refuse_twice(names: list[str], statement: st.CreateView, env: Environment) -> None:
    for i, name in enumerate(names):
        if name in names[:i]:
            raise env.error(f"the view has column {name} twice", statement.name.span)
