"""A bound piece of a query: the plan node that gives its rows, and what its columns are called."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from eddyline.errors import Span
from eddyline.record.schema import Column, Schema
from eddyline.record.types import INT
from eddyline.sql.bind.scope import Environment, Scope, ScopeField
from eddyline.sql.logical import Calc, Node, Values, column_name, identity
from eddyline.sql.typed import Const, Typed


@dataclass(frozen=True, slots=True)
class Relation:
    """Rows with names."""

    node: Node
    fields: tuple[ScopeField, ...]

    @property
    def scope(self) -> Scope:
        return Scope(self.fields)

    @property
    def visible(self) -> tuple[ScopeField, ...]:
        """What ``*`` stands for."""
        return tuple(f for f in self.fields if not f.hidden)


def of_node(node: Node, qualifier: str | None = None) -> Relation:
    """A node under its own column names."""
    return Relation(node, tuple(ScopeField(c.name, qualifier, c.name, c.type) for c in node.schema))


def nothing() -> Relation:
    """What a SELECT without FROM reads: one row without columns to name."""
    node = Values(((Const("0", INT.not_null(), 0),),), Schema((Column("$one", INT.not_null()),)))
    return Relation(node, ())


def aliased(
    relation: Relation, alias: str | None, columns: tuple[str, ...], span: Span, env: Environment
) -> Relation:
    """The relation under another name, its columns renamed if ``columns`` are given.

    Raises:
        EddylineError: ``sql_semantic`` for a wrong number of names.
    """
    fields = relation.visible
    if columns and len(columns) != len(fields):
        msg = f"{len(columns)} names for {len(fields)} columns"
        raise env.error(msg, span, f"the columns are {', '.join(f.name for f in fields)}")
    names = columns or tuple(f.name for f in fields)
    if alias is None and not columns:
        return Relation(relation.node, fields)
    return Relation(
        relation.node,
        tuple(replace(f, name=n, qualifier=alias) for f, n in zip(fields, names, strict=True)),
    )


def projected(node: Node, items: Iterable[tuple[str, Typed]]) -> Relation:
    """The node's rows as expressions under a user's names; a name that is there twice gets a
    number."""
    taken: set[str] = set()
    shown: list[str] = []
    projections, fields = [], []
    for name, e in items:
        visible, number = name, 0
        while visible in shown:
            visible, number = f"{name}{number}", number + 1
        shown.append(visible)
        own = column_name(visible, taken)
        taken.add(own)
        projections.append((own, e))
        fields.append(ScopeField(visible, None, own, e.type))
    return Relation(Calc(node, tuple(projections)), tuple(fields))


def filtered(relation: Relation, condition: Typed) -> Relation:
    """The rows for which the condition holds."""
    node = Calc(relation.node, identity(relation.node.schema), condition)
    return Relation(node, relation.fields)


def extended(node: Node, more: tuple[tuple[str, Typed], ...]) -> Calc:
    """The node with further computed columns."""
    return Calc(node, (*identity(node.schema), *more))
