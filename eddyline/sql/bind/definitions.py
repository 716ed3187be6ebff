"""CREATE and ALTER of tables and views: what goes into the catalog, checked."""

from __future__ import annotations

from dataclasses import replace

from eddyline.catalog.options import check_options, option_warnings
from eddyline.catalog.table import (
    CatalogTable,
    CatalogView,
    ColumnKind,
    ObjectPath,
    TableColumn,
    WatermarkSpec,
)
from eddyline.errors import EddylineError, Span, nearest
from eddyline.record.schema import Column, Schema
from eddyline.record.types import STRING, DataType, Root
from eddyline.sql import statement as st
from eddyline.sql.bind.drafts import (
    TableDraft,
    altered,
    draft_of_statement,
    draft_of_table,
    merged_like,
)
from eddyline.sql.bind.expressions import ExpressionBinder
from eddyline.sql.bind.queries import bind_query
from eddyline.sql.bind.relation import Relation, aliased
from eddyline.sql.bind.scope import Environment, Scope, ScopeField
from eddyline.sql.bind.sinks import implicit
from eddyline.sql.bind.tables import definition_columns, metadata_type, watermark


def define_table(statement: st.CreateTable, env: Environment) -> CatalogTable:
    """The table that a CREATE TABLE describes.

    Raises:
        EddylineError: ``sql_semantic`` or ``sql_unsupported``.
    """
    span = statement.name.span
    draft = draft_of_statement(statement)
    if statement.like is not None:
        with env.at(statement.like.name.span):
            base = env.catalog.table(statement.like.name.parts)
        draft = merged_like(draft, draft_of_table(base, span), statement.like, env)
    if statement.query is not None:
        draft.columns = _of_query(statement, env)
    path = env.catalog.path_of(statement.name.parts)
    return _defined(draft, path, statement.temporary, span, env)


def altered_table(statement: st.AlterTable, table: CatalogTable, env: Environment) -> CatalogTable:
    """The table after an ALTER TABLE of its columns, watermark, keys or distribution.

    Raises:
        EddylineError: ``sql_semantic``.
    """
    assert statement.change is not None
    span = statement.name.span
    draft = draft_of_table(table, span)
    draft = altered(draft, statement.change, table.path.name, span, env)
    return _defined(draft, table.path, table.temporary, span, env)


def _defined(
    draft: TableDraft, path: ObjectPath, temporary: bool, span: Span, env: Environment
) -> CatalogTable:
    """The checked table of a draft."""
    draft.columns = [
        replace(c, type=c.type.not_null()) if c.name in draft.primary_key and c.type else c
        for c in draft.columns
    ]
    columns = _columns(draft, env)
    if not columns:
        raise env.error("a table needs columns", span, "write (name TYPE, …)")
    spec = None
    if draft.watermark is not None:
        w = draft.watermark
        fields = tuple(ScopeField(c.name, None, c.name, c.type) for c in columns)
        inner = _inside(env, w.span, span, w.expression_text)
        watermark(w.column, w.expression, fields, inner, w.span)
        spec = WatermarkSpec(w.column, w.expression_text)
    table = CatalogTable(
        path=path,
        columns=definition_columns(columns, spec.column if spec else None),
        watermark=spec,
        primary_key=draft.primary_key,
        partitioned_by=draft.partitioned_by,
        options=draft.options,
        comment=draft.comment,
        temporary=temporary,
        distribution=draft.distribution,
    )
    _check_keys(table, span, env)
    if draft.distribution:
        env.warn(f"DISTRIBUTED {draft.distribution} changes nothing on one machine")
    _warn_of_options(table, env)
    return table


def _inside(env: Environment, place: Span, statement: Span, text: str) -> Environment:
    """The environment of an expression: one kept in the catalog has a text of its own."""
    return replace(env, source=text) if place == statement else env


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


def _columns(draft: TableDraft, env: Environment) -> tuple[TableColumn, ...]:
    stored = [_stored(d, env) for d in draft.columns if d.computed is None]
    fields = tuple(ScopeField(c.name, None, c.name, c.type) for c in stored)
    by_name = {c.name: c for c in stored}
    return tuple(
        by_name[d.name] if d.computed is None else _computed(d, fields, env) for d in draft.columns
    )


def _stored(d: st.ColumnDefinition, env: Environment) -> TableColumn:
    assert d.type is not None
    if not d.metadata:
        return TableColumn(d.name, d.type, comment=d.comment)
    key = d.metadata_key or d.name
    metadata_type(key, d.type, d.span, env)
    return TableColumn(d.name, d.type, ColumnKind.METADATA, key, d.virtual, comment=d.comment)


def _computed(
    d: st.ColumnDefinition, fields: tuple[ScopeField, ...], env: Environment
) -> TableColumn:
    assert d.computed is not None
    e = ExpressionBinder(Scope(fields), env, "a computed column").bind(d.computed)
    return TableColumn(
        d.name, e.type, ColumnKind.COMPUTED, expression=d.computed_text, comment=d.comment
    )


def _of_query(statement: st.CreateTable, env: Environment) -> list[st.ColumnDefinition]:
    """CREATE TABLE … AS SELECT: columns of the statement, then the query's.

    A column that both have keeps the query's place and has the statement's type; names alone in
    parentheses give the query's columns another order.
    """
    assert statement.query is not None
    relation = bind_query(statement.query, env)
    span = statement.name.span
    columns = {f.name: st.ColumnDefinition(f.name, _kept(f.type), span) for f in relation.visible}
    if len(columns) != len(relation.visible):
        names = [f.name for f in relation.visible]
        twice = next(n for n in names if names.count(n) > 1)
        raise env.error(f"the query gives column {twice} twice", span, "name one of them with AS")
    if statement.order:
        if sorted(statement.order) != sorted(columns):
            hint = f"the query gives {', '.join(columns)}"
            raise env.error("the names in parentheses are not the query's columns", span, hint)
        return [columns[name] for name in statement.order]
    first: list[st.ColumnDefinition] = []
    for c in statement.columns:
        given = columns.get(c.name)
        if given is None:
            first.append(c)
        elif c.computed is not None or c.metadata:
            msg = f"column {c.name} is the query's, and computed or metadata here"
            raise env.error(msg, c.span, "choose another name")
        else:
            _refuse_type(given, c, env)
            columns[c.name] = c
    return [*first, *columns.values()]


def _refuse_type(given: st.ColumnDefinition, c: st.ColumnDefinition, env: Environment) -> None:
    assert given.type is not None
    assert c.type is not None
    if given.type.same_as(c.type) or implicit(given.type, c.type):
        return
    msg = f"column {c.name} is {c.type.plain()} here, and {given.type.plain()} in the query"
    raise env.error(msg, c.span, f"write CAST({c.name} AS {c.type.null()}) in the query")


def _kept(kind: DataType) -> DataType:
    return STRING if kind.root is Root.NULL else kind.plain()


def _check_keys(table: CatalogTable, span: Span, env: Environment) -> None:
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
                raise env.error(msg, span, hint)


def define_view(statement: st.CreateView, env: Environment) -> CatalogView:
    """The view that a CREATE VIEW describes; its query is bound once, to find its columns.

    Raises:
        EddylineError: as binding a query.
    """
    relation = bind_query(statement.query, env)
    named: Relation = aliased(relation, None, statement.columns, statement.name.span, env)
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
