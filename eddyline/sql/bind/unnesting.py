"""UNNEST: the elements of a collection as rows."""

from __future__ import annotations

from dataclasses import replace

from eddyline.record.schema import Column, Schema
from eddyline.record.types import INT, DataType, Root
from eddyline.sql import syntax as s
from eddyline.sql.bind.expressions import ExpressionBinder
from eddyline.sql.bind.relation import Relation
from eddyline.sql.bind.scope import Environment, Field
from eddyline.sql.logical import Unnest, unique


def unnested(left: Relation, r: s.Unnest, env: Environment, kind: str) -> Relation:
    """Each row of ``left`` once per element; LEFT keeps rows without one.

    Raises:
        EddylineError: ``sql_semantic`` for what is no collection, or a wrong number of names.
    """
    collection = ExpressionBinder(left.scope, env, "UNNEST").bind(r.collection)
    if collection.type.root not in (Root.ARRAY, Root.MAP):
        msg = f"UNNEST needs an ARRAY, a MAP or a MULTISET, this is {collection.type}"
        raise env.error(msg, r.collection.span)
    outer = kind == "LEFT"
    shown = _fields(collection.type)
    if r.ordinality:
        shown.append(("ORDINALITY", INT.not_null()))
    if r.columns and len(r.columns) != len(shown):
        msg = f"{len(r.columns)} names for the {len(shown)} columns of UNNEST"
        kinds = ", ".join(str(t) for _, t in shown)
        raise env.error(msg, r.span, f"their types are {kinds}")
    taken, columns, fields = set(left.node.schema.names), [], []
    for i, (name, kind_of) in enumerate(shown):
        own = unique(name, taken)
        taken.add(own)
        column = Column(own, kind_of.null() if outer else kind_of)
        columns.append(column)
        name = r.columns[i] if r.columns else name
        fields.append(Field(name, r.alias, own, column.type))
    schema = Schema((*left.node.schema, *columns))
    node = Unnest(left.node, collection, r.ordinality, outer, schema)
    return Relation(node, (*left.fields, *fields))


def _fields(collection: DataType) -> list[tuple[str, DataType]]:
    """The columns of an element: key and value of a MAP, the fields of a ROW, else itself."""
    if collection.root is Root.MAP:
        key, value = collection.children
        return [("f0", key), ("f1", value)]
    (element,) = collection.children
    if element.root is not Root.ROW:
        return [("EXPR$0", element)]
    pairs = zip(element.names, element.children, strict=True)
    return [(n, replace(c, nullable=c.nullable or element.nullable)) for n, c in pairs]
