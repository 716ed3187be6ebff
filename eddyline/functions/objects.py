"""Functions of structured types: OBJECT_OF makes an object of a class, OBJECT_UPDATE changes one.

No class is loaded. An object is held as a row whose type carries the name of the class.
"""

from __future__ import annotations

from eddyline.errors import EddylineError, nearest
from eddyline.functions.registry import (
    UNBOUNDED,
    Arguments,
    Built,
    CallContext,
    Function,
    register,
)
from eddyline.record.types import DataType, quote, structured


def _object_of(args: Arguments, context: CallContext) -> Built:
    name = args[0].text
    if not name:
        msg = "OBJECT_OF's first argument must be the name of a class, a text in quotes"
        raise EddylineError("sql_semantic", msg, hint="for example OBJECT_OF('x.User', 'age', 3)")
    names, places = _pairs("OBJECT_OF", args)
    kinds = tuple(args[i].type.plain() for i in places)
    return _object(structured(name, names, kinds), [f"{{{i}}}" for i in places])


def _object_update(args: Arguments, context: CallContext) -> Built:
    kind = args[0].type
    if not kind.is_structured:
        msg = f"OBJECT_UPDATE's first argument must be an object of a class, not {kind}"
        raise EddylineError("sql_semantic", msg, hint="OBJECT_OF('x.User', 'age', 3) makes one")
    names, places = _pairs("OBJECT_UPDATE", args)
    new = dict(zip(names, places, strict=True))
    for name in new:
        if name not in kind.names:
            near = nearest(name, list(kind.names))
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(kind.names)}"
            raise EddylineError("sql_semantic", f"the object has no field {name}", hint=hint)
    old = zip(kind.names, kind.children, strict=True)
    children = tuple(args[new[n]].type.plain() if n in new else child for n, child in old)
    texts = [f"{{{new[n]}}}" if n in new else _field(n) for n in kind.names]
    result = structured(kind.alias, kind.names, children)
    built = _object(result, texts)
    return Built(result, f"(CASE WHEN {{0}} IS NOT NULL THEN {built.template} END)")


def _pairs(function: str, args: Arguments) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """The names of fields, and the places of their values.

    Raises:
        EddylineError: ``sql_semantic`` for a name that is no text in quotes, or is there twice.
    """
    example = f"for example {function}(…, 'age', 3)"
    if len(args) < 3 or len(args) % 2 == 0:
        msg = f"{function} takes names of fields and values by turns, at least one of each"
        raise EddylineError("sql_semantic", msg, hint=example)
    names: list[str] = []
    for i in range(1, len(args), 2):
        name = args[i].text
        if name is None:
            msg = f"{function}: the name of a field, argument {i + 1}, must be a text in quotes"
            raise EddylineError("sql_semantic", msg, hint=example)
        if name in names:
            raise EddylineError("sql_semantic", f"{function}: the field {name} is there twice")
        names.append(name)
    return tuple(names), tuple(range(2, len(args), 2))


def _object(kind: DataType, texts: list[str]) -> Built:
    parts = (f"{_label(n)} := {text}" for n, text in zip(kind.names, texts, strict=True))
    return Built(kind, f"struct_pack({', '.join(parts)})")


def _label(name: str) -> str:
    return quote(name).replace("{", "{{").replace("}", "}}")


def _field(name: str) -> str:
    literal = name.replace("'", "''").replace("{", "{{").replace("}", "}}")
    return f"struct_extract({{0}}, '{literal}')"


register(
    (
        Function(
            ("OBJECT_OF",),
            (1, UNBOUNDED),
            _object_of,
            "An object of a class, with fields by name.",
            ("OBJECT_OF('x.User', 'name', 'Ann', 'age', 3).age", 3),
        ),
        Function(
            ("OBJECT_UPDATE",),
            (1, UNBOUNDED),
            _object_update,
            "The object with other values of some fields.",
            ("OBJECT_UPDATE(OBJECT_OF('x.User', 'age', 3), 'age', 4).age", 4),
        ),
    )
)
