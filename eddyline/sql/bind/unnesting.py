"""UNNEST: the elements of a collection as rows."""

from __future__ import annotations

from dataclasses import replace

from eddyline.catalog.function import CatalogFunction, FunctionKind
from eddyline.record.schema import Column, Schema
from eddyline.record.types import INT, MULTISET, DataType, Root, array
from eddyline.sql import syntax as s
from eddyline.sql.bind import python_calls
from eddyline.sql.bind.expressions import ExpressionBinder
from eddyline.sql.bind.relation import Relation
from eddyline.sql.bind.scope import Environment, ScopeField
from eddyline.sql.logical import Unnest, unique
from eddyline.sql.typed import Apply, Typed


def unnested(left: Relation, r: s.Unnest, env: Environment, kind: str) -> Relation:
    """Each row of ``left`` once per element; LEFT keeps rows without one.

    Raises:
        EddylineError: ``sql_semantic`` for what is no collection, or a wrong number of names.
    """
    collection = ExpressionBinder(left.scope, env, "UNNEST").bind(r.collection)
    if collection.type.root not in (Root.ARRAY, Root.MAP):
        msg = f"UNNEST needs an ARRAY, a MAP or a MULTISET, this is {collection.type}"
        raise env.error(msg, r.collection.span)
    if collection.type.alias == MULTISET:
        collection = _elements(collection)
    shown = _fields(collection.type)
    if r.ordinality:
        shown.append(("ORDINALITY", INT.not_null()))
    return _beside(left, collection, shown, r, env, kind)


# Each element as often as the multiset has it.
_REPEATED = (
    "flatten(list_transform(map_entries({0}), "
    "lambda _e: list_transform(range(_e.value), lambda _i: _e.key)))"
)


def _elements(multiset: Typed) -> Typed:
    kind = array(multiset.type.children[0])
    kind = kind if multiset.type.nullable else kind.not_null()
    return Apply("ELEMENTS", (multiset,), _REPEATED, kind)


def table_call(
    left: Relation, r: s.TableFunctionCall, function: CatalogFunction, env: Environment, kind: str
) -> Relation:
    """Each row of ``left`` once per row of a Python table function over it.

    Raises:
        EddylineError: ``sql_semantic`` for a function that gives no rows, or wrong arguments.
    """
    if function.kind is not FunctionKind.TABLE:
        raise python_calls.misplaced(function, r.call, env)
    binder = ExpressionBinder(left.scope, env, f"TABLE({function.path.name}(…))")
    args = binder.arguments(function, r.call, tuple(binder.bind(a) for a in r.call.args))
    collection = python_calls.collection(function, args)
    return _beside(left, collection, _fields(collection.type), r, env, kind)


def _beside(
    left: Relation,
    collection: Typed,
    shown: list[tuple[str, DataType]],
    r: s.Unnest | s.TableFunctionCall,
    env: Environment,
    kind: str,
) -> Relation:
    """``shown`` beside the columns of ``left``, under the names that ``r`` gives them."""
    outer = kind == "LEFT"
    ordinality = isinstance(r, s.Unnest) and r.ordinality
    if r.columns and len(r.columns) != len(shown):
        what = "UNNEST" if isinstance(r, s.Unnest) else r.call.name
        msg = f"{len(r.columns)} names for the {len(shown)} columns of {what}"
        kinds = ", ".join(str(t) for _, t in shown)
        raise env.error(msg, r.span, f"their types are {kinds}")
    taken, columns, fields = set(left.node.schema.names), [], []
    for i, (name, kind_of) in enumerate(shown):
        own = unique(name, taken)
        taken.add(own)
        column = Column(own, kind_of.null() if outer else kind_of)
        columns.append(column)
        name = r.columns[i] if r.columns else name
        fields.append(ScopeField(name, r.alias, own, column.type))
    schema = Schema((*left.node.schema, *columns))
    node = Unnest(left.node, collection, ordinality, outer, schema)
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
