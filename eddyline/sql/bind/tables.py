"""Tables of the catalog as relations: payload, metadata, computed columns, watermark."""

from __future__ import annotations

from dataclasses import replace

from eddyline.catalog.options import check_options, metadata_of
from eddyline.catalog.table import CatalogTable, ColumnKind, TableColumn
from eddyline.errors import Span
from eddyline.options.connectors.kinesis import STREAM
from eddyline.record.schema import Column, Schema
from eddyline.record.types import DataType, Root, TimeAttribute
from eddyline.sql import syntax as s
from eddyline.sql.bind.expressions import ExpressionBinder
from eddyline.sql.bind.relation import Relation, projected
from eddyline.sql.bind.scope import Environment, Scope, ScopeField
from eddyline.sql.logical import (
    AssignWatermark,
    Calc,
    Node,
    Rank,
    Scan,
    column_name,
    identity,
    unique,
)
from eddyline.sql.parse import parse_expression
from eddyline.sql.sorting import SortKey, SourceLocation
from eddyline.sql.typed import Apply, Ref, Typed


def scan(
    table: CatalogTable,
    alias: str | None,
    options: tuple[tuple[str, str], ...],
    span: Span,
    env: Environment,
) -> Relation:
    """The rows of a table, as its definition says; ``options`` are those of a hint.

    Raises:
        EddylineError: ``sql_semantic`` for options that do not fit.
    """
    if options:
        table = replace(table, options={**table.options, **dict(options)})
    table = _in_place(table, env.config.streams)
    with env.at(span):
        row = check_options(table)
    if row.name == "upsert-kafka":
        kind = DataType(Root.BOOLEAN, nullable=False)
        mark = TableColumn(_TOMBSTONE, kind, ColumnKind.METADATA, metadata_key="tombstone")
        table = replace(table, columns=(*table.columns, mark))
    if env.config.is_batch and table.is_unbounded:
        hint = "SET 'execution.runtime-mode' = 'streaming', or use %flink.ssql in a note"
        msg = f"table {table.path.name} has no end, so that it cannot be read in batch mode"
        raise env.error(msg, span, hint)
    if not row.source:
        msg = f"table {table.path.name} cannot be read: connector '{row.name}' only writes"
        raise env.error(msg, span, "it can be the target of an INSERT")
    relation = _computed(_stored(table, (*metadata_of(table), "tombstone"), span, env), table, env)
    node: Node = relation.node
    if table.watermark is not None:
        inner = replace(env, source=table.watermark.expression)
        expression = parse_expression(table.watermark.expression)
        column, e = watermark(table.watermark.column, expression, relation.fields, inner, span=None)
        node = AssignWatermark(node, column, e)
    relation = replace(relation, node=node)
    if row.name == "upsert-kafka":
        relation = _last_of_key(relation, table, span, env)
        node = relation.node
    qualifier = alias or table.path.name
    fields = (replace(f, qualifier=qualifier, type=node.schema[f.column]) for f in relation.fields)
    return Relation(node, tuple(fields))


def _in_place(table: CatalogTable, streams: dict[str, str]) -> CatalogTable:
    """The table over the stream that is to be read in place of its own, if one is."""
    given = STREAM.given(table.options) if streams else None
    if given is None or table.options.get("connector", "").partition("-")[0] != "kinesis":
        return table
    new = streams.get(STREAM.read(table.options))
    if new is None:
        return table
    kept = {key: value for key, value in table.options.items() if key != given}
    return replace(table, options={**kept, STREAM.name: new})


def _stored(table: CatalogTable, known: tuple[str, ...], span: Span, env: Environment) -> Scan:
    payload = [c for c in table.columns if c.kind is ColumnKind.PHYSICAL]
    meta = [c for c in table.columns if c.kind is ColumnKind.METADATA]
    for c in meta:
        if (c.metadata_key or c.name) not in known:
            msg = f"table {table.path.name}: there is no metadata '{c.metadata_key or c.name}'"
            hint = f"there are {', '.join(known)}" if known else "this connector has none"
            raise env.error(msg, span, hint)
    names = _column_names([c.name for c in (*payload, *meta)])
    schema = Schema(tuple(Column(names[c.name], c.type.plain()) for c in (*payload, *meta)))
    metadata = tuple((names[c.name], c.metadata_key or c.name) for c in meta)
    stored = tuple((names[c.name], c.name) for c in payload if names[c.name] != c.name)
    return Scan(table, metadata, schema, stored)


_TOMBSTONE = "$tombstone"


def _last_of_key(relation: Relation, table: CatalogTable, span: Span, env: Environment) -> Relation:
    """Of records that are values of keys the last one per key, unless that has no value.

    By the row time where the table has one, so that it is a versioned table, else as they arrive.
    """
    by_name = {f.name: f.column for f in relation.fields}
    node, items = relation.node, list(identity(relation.node.schema))
    if table.watermark is not None:
        order = by_name[table.watermark.column]
    else:
        order = unique("$arrived", set(node.schema.names))
        binder = ExpressionBinder(Scope(()), env)
        items.append((order, binder.apply("PROCTIME", (), span)))
    keys = tuple(by_name[k] for k in table.primary_key)
    place = SourceLocation(span, env.source)
    last = Rank(Calc(node, tuple(items)), keys, (SortKey(order, True, False),), "ROW_NUMBER", 1, 1,
                None, place)  # fmt: skip
    tombstone = next(f for f in relation.fields if f.name == _TOMBSTONE)
    alive = Apply("NOT", (tombstone.ref,), "(NOT {0})", tombstone.type)
    kept = tuple((f.column, f.ref) for f in relation.fields if f is not tombstone)
    return Relation(
        Calc(last, kept, alive), tuple(f for f in relation.fields if f is not tombstone)
    )


def _column_names(names: list[str]) -> dict[str, str]:
    """A table's columns to what they are called in the plan."""
    out: dict[str, str] = {}
    for name in names:
        out[name] = column_name(name, set(out.values()))
    return out


def _computed(node: Scan, table: CatalogTable, env: Environment) -> Relation:
    """All columns in the order of the definition."""
    kept = [c for c in table.columns if c.kind is not ColumnKind.COMPUTED]
    read = [c for kind in _KINDS for c in kept if c.kind is kind]
    columns = zip(read, node.schema, strict=True)
    by_name = {c.name: ScopeField(c.name, None, own.name, own.type) for c, own in columns}
    scope = Scope(tuple(by_name.values()))
    items: list[tuple[str, Typed]] = []
    for c in table.columns:
        if c.kind is ColumnKind.COMPUTED:
            assert c.expression is not None
            binder = ExpressionBinder(scope, replace(env, source=c.expression), "a computed column")
            items.append((c.name, binder.bind(parse_expression(c.expression))))
        else:
            items.append((c.name, by_name[c.name].ref))
    if [n for n, _ in items] == [c.name for c in read]:
        return Relation(node, tuple(by_name.values()))
    return projected(node, items)


_KINDS = (ColumnKind.PHYSICAL, ColumnKind.METADATA)


def watermark(
    column: str,
    expression: s.Expression,
    fields: tuple[ScopeField, ...],
    env: Environment,
    span: Span | None,
) -> tuple[str, Typed]:
    """The row-time column, as it is called in the plan, and the bound watermark expression.

    Raises:
        EddylineError: ``sql_semantic`` if the column cannot be a row time.
    """
    place = span or expression.span
    scope = Scope(fields)
    ref = scope.resolve(s.Name((column,), place), env)
    if not isinstance(ref, Ref) or not ref.type.is_timestamp or ref.type.precision > 3:
        msg = f"row time {column} is {ref.type}, it must be TIMESTAMP(3) or TIMESTAMP_LTZ(3)"
        hint = "give a computed column of that type, for example ts AS TO_TIMESTAMP(text)"
        raise env.error(msg, place, hint)
    bound = ExpressionBinder(scope, env, "a watermark").bind(expression)
    if not bound.type.is_timestamp or bound.type.precision > 3:
        msg = f"the watermark of {column} is {bound.type}, it must be a time like {column}"
        raise env.error(msg, place, f"for example {column} - INTERVAL '5' SECOND")
    return ref.name, bound


def definition_columns(
    columns: tuple[TableColumn, ...], rowtime: str | None
) -> tuple[TableColumn, ...]:
    """The columns with the row time marked, as DESCRIBE shows it."""
    mark = TimeAttribute.ROWTIME
    return tuple(
        replace(c, type=replace(c.type, time_attribute=mark)) if c.name == rowtime else c
        for c in columns
    )


def metadata_type(key: str, declared: DataType, span: Span, env: Environment) -> None:
    """A metadata column's type must be one its value can take.

    Raises:
        EddylineError: ``sql_semantic``.
    """
    text = key in ("shard-id", "sequence-number")
    fits = declared.is_text if text else declared.is_timestamp
    known = text or key == "timestamp"
    if known and not fits:
        expected = "STRING" if text else "TIMESTAMP_LTZ(3) or TIMESTAMP(3)"
        msg = f"metadata '{key}' cannot be {declared}"
        raise env.error(msg, span, f"declare the column as {expected}")
