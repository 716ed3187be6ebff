"""Expressions whose text would grow too long are computed in steps.

A template may repeat its arguments, so that deep nesting doubles the text level by level; what
is too long is cut into columns of projections below. A part of a CASE, an IF or a COALESCE is
evaluated only for the rows that reach it, so such a part is cut out together with the conditions
that guard it: ``CASE WHEN i = 0 THEN NULL ELSE 10 / i END``.
"""

from __future__ import annotations

from collections.abc import Callable

from eddyline.record.types import duckdb_type
from eddyline.sql.logical import Calc, Node, identity, transform, unique
from eddyline.sql.typed import Apply, Const, Ref, Typed

TEXT_MAX = 20_000


def split_expressions(node: Node) -> Node:
    """Split every projection that needs it."""
    return transform(node, _split)


def _split(node: Node) -> Node:
    if not isinstance(node, Calc):
        return node
    taken = set(node.input.schema.names)
    while True:
        made: dict[Typed, Ref] = {}
        projections = tuple((n, _cut(e, _as_it_is, made, taken)) for n, e in node.projections)
        condition = node.condition
        if condition is not None:
            condition = _cut(condition, _as_it_is, made, taken)
        if not made:
            return node
        parts = tuple((ref.name, computed) for computed, ref in made.items())
        step = Calc(node.input, (*identity(node.input.schema), *parts))
        node = Calc(_split(step), projections, condition)


def length(e: Typed) -> int:
    """How long the text will be, without making it."""
    if isinstance(e, Ref):
        return len(e.name) + 2
    if isinstance(e, Const):
        return len(e.text)
    inner = sum(e.template.count(f"{{{i}}}") * length(a) for i, a in enumerate(e.args))
    return len(e.template) + inner


Guard = Callable[[Typed], Typed]


def _as_it_is(part: Typed) -> Typed:
    return part


def _cut(e: Typed, guard: Guard, made: dict[Typed, Ref], taken: set[str]) -> Typed:
    """The expression with the lowest parts that make it too long as columns: of each such part
    the longest argument. ``made``: what computes a column, without evaluating the part for rows
    that its guards leave out, to the column."""
    if length(e) <= TEXT_MAX or not isinstance(e, Apply):
        return e
    args = tuple(_cut(a, _guarded(e, i, guard), made, taken) for i, a in enumerate(e.args))
    longest = max(e.args, key=length)
    # A choice repeats no argument, so that it is long but no longer than what it chooses from.
    if args == e.args and e.name not in _CHOICES and isinstance(longest, Apply):
        computed = guard(longest)
        if computed not in made:
            name = unique("$part", taken)
            taken.add(name)
            made[computed] = Ref(name, longest.type)
        args = tuple(made[computed] if a == longest else a for a in e.args)
    return Apply(e.name, args, e.template, e.type, e.volatile, e.place)


# Functions that evaluate an argument only where those before it say so.
_CHOICES = ("CASE", "IF", "COALESCE", "IFNULL")


def _guarded(e: Apply, nth: int, outer: Guard) -> Guard:
    """How a part inside the nth argument is evaluated for the rows that reach that argument."""
    if e.name not in _CHOICES or nth == 0:
        return outer

    def guard(part: Typed) -> Typed:
        kind = part.type.plain().null()
        null = Const(f"CAST(NULL AS {duckdb_type(kind)})", kind)
        return outer(Apply("CASE", *_choice(e, nth, part, null), kind, volatile=e.volatile))

    return guard


def _choice(e: Apply, nth: int, part: Typed, null: Const) -> tuple[tuple[Typed, ...], str]:
    """Arguments and template of a CASE that gives ``part`` where ``e`` evaluates its nth one."""
    if e.name in ("COALESCE", "IFNULL"):
        tests = " AND ".join(f"({{{i}}}) IS NULL" for i in range(nth))
        return (*e.args[:nth], part), f"(CASE WHEN {tests} THEN {{{nth}}} END)"
    # Conditions stand at even places, the last value too; conditions after the nth are not asked.
    before = range(0, nth if nth % 2 == 0 else nth - 1, 2)
    skipped = " ".join(f"WHEN {{{i // 2}}} THEN {{{len(before)}}}" for i in before)
    args = (*(e.args[i] for i in before), null, part)
    last = f"{{{len(before) + 1}}}"
    if nth % 2 == 1:  # the value of a condition
        return (*args, e.args[nth - 1]), f"(CASE {skipped} WHEN {{{len(args)}}} THEN {last} END)"
    return args, f"(CASE {skipped} ELSE {last} END)"
