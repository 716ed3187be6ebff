"""TO_CHANGELOG and FROM_CHANGELOG: kinds of change as a column, and a column as kinds of change."""

from __future__ import annotations

from dataclasses import replace

from eddyline.record.batch import ChangeKind
from eddyline.record.schema import Column, Schema
from eddyline.record.types import STRING
from eddyline.sql import syntax as s
from eddyline.sql.bind.arguments import Inputs, arranged, table_of
from eddyline.sql.bind.relation import Relation
from eddyline.sql.bind.scope import Environment, ScopeField
from eddyline.sql.changes import insert_only
from eddyline.sql.logical import FromChangelog, ToChangelog, column_name
from eddyline.sql.typed import Ref

FUNCTIONS = ("TO_CHANGELOG", "FROM_CHANGELOG")
_PARAMETERS = ("input", "op", "op_mapping")
_EXAMPLE = "MAP['INSERT', 'I', 'DELETE', 'D']"
Codes = tuple[tuple[str, str], ...]


def bind_changelog(call: s.FunctionCall, env: Environment, inputs: Inputs) -> Relation:
    """One of the two functions.

    Raises:
        EddylineError: ``sql_semantic``, with the place.
    """
    name = call.name.upper()
    args = arranged(call, _PARAMETERS, {}, env)
    table = table_of(call, args, "input", env)
    source = inputs(table)
    op, op_place = "op", table
    if "op" in args:
        descriptor = args["op"]
        if not isinstance(descriptor, s.Descriptor) or len(descriptor.names) != 1:
            hint = "for example op => DESCRIPTOR(op)"
            raise env.error(f"{name} needs one column in op", descriptor.span, hint)
        op = descriptor.names[0].parts[-1]
    mapping = _mapping(args.get("op_mapping"), name, env)
    if name == "TO_CHANGELOG":
        return _to_changelog(source, op, mapping)
    if not insert_only(source.node):
        msg = "FROM_CHANGELOG cannot read rows that are taken back"
        raise env.error(msg, op_place.span, "it reads a table of change records")
    return _from_changelog(source, op, mapping, table, env)


def _to_changelog(source: Relation, op: str, mapping: Codes) -> Relation:
    codes: dict[ChangeKind, str] = {kind: kind.name for kind in ChangeKind}
    if mapping:
        codes = {ChangeKind[kind]: code for kind, code in mapping}
    taken = set(source.node.schema.names)
    own = column_name(op, taken)
    plain = tuple(Column(c.name, c.type.plain()) for c in source.node.schema)
    schema = Schema((Column(own, STRING.not_null()), *plain))
    node = ToChangelog(source.node, own, tuple(codes.get(kind) for kind in ChangeKind), schema)
    fields = tuple(replace(f, type=f.type.plain()) for f in source.visible)
    return Relation(node, (ScopeField(op, None, own, STRING.not_null()), *fields))


def _from_changelog(
    source: Relation, op: str, mapping: Codes, table: s.TableArgument, env: Environment
) -> Relation:
    span = table.span
    ref = source.scope.resolve(s.Name((op,), span), env)
    if not isinstance(ref, Ref) or not ref.type.is_text:
        msg = f"the operation column {op} is {ref.type}, it must be a STRING"
        raise env.error(msg, span, "name another with op => DESCRIPTOR(column)")
    kinds = {kind.name: kind for kind in ChangeKind}
    if mapping:
        kinds = {code: ChangeKind[kind] for code, kind in mapping}
    fields = tuple(f for f in source.visible if f.column != ref.name)
    if not fields:
        raise env.error("a changelog needs a column beside the operation", span)
    columns = tuple(Column(f.column, f.type.plain()) for f in fields)
    node = FromChangelog(source.node, ref.name, tuple(kinds.items()), Schema(columns))
    return Relation(node, tuple(replace(f, type=f.type.plain()) for f in fields))


def _mapping(e: s.Expression | None, name: str, env: Environment) -> Codes:
    """The pairs of ``op_mapping``, one for each of several kinds or codes joined by commas."""
    if e is None:
        return ()
    literals = isinstance(e, s.Construct) and e.kind == "MAP"
    items = e.items if isinstance(e, s.Construct) else ()
    if not literals or not all(isinstance(i, s.Literal) and i.kind == "string" for i in items):
        raise env.error(
            f"{name} needs a MAP of texts in op_mapping", e.span, f"for example {_EXAMPLE}"
        )
    texts = [i.text for i in items if isinstance(i, s.Literal)]
    pairs = [
        (key.strip(), value.strip())
        for keys, value in zip(texts[::2], texts[1::2], strict=True)
        for key in keys.split(",")
    ]
    known = {kind.name for kind in ChangeKind}
    for key, value in pairs:
        kind = key if name == "TO_CHANGELOG" else value
        if kind not in known:
            hint = f"the kinds are {', '.join(k.name for k in ChangeKind)}"
            raise env.error(f"there is no kind of change {kind}", e.span, hint)
    if len(dict(pairs)) < len(pairs):
        raise env.error("op_mapping has a key twice", e.span)
    return tuple(pairs)
