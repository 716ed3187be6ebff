"""Expressions over small batches, computed by Arrow's kernels instead of a DuckDB statement.

A statement costs a millisecond before it looks at the first row, an Arrow kernel some microseconds.
Only operators whose meaning is the same in both are computed here: each row of the tables below
names the DuckDB template that it stands for. ``compiled`` gives None for everything else, and the
operator uses its DuckDB text. A value that the two treat differently (NaN) raises ``Unusual``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from eddyline.record.types import INTEGERS, DataType, Root, arrow_type
from eddyline.sql.typed import Apply, Const, Ref, Typed

# A pa.Array, or a pa.Scalar for a constant.
Value: TypeAlias = Any
Compute = Callable[[pa.Table], Value]
Make = Callable[[Apply], Compute | None]
# Decimal constants of so many digits compare with 32-bit integers and doubles as doubles do.
_EXACT_DIGITS = 15


class Unusual(Exception):
    """A value whose meaning differs between Arrow and DuckDB: the batch goes the general way."""


def compiled(e: Typed) -> Compute | None:
    """What computes the expression from rows that have its columns; None: DuckDB must."""
    if isinstance(e, Ref):
        name = e.name
        return lambda rows: _whole(rows[name])
    if isinstance(e, Const):
        return _constant(e)
    make = _MAKERS.get(e.name)
    return None if make is None or e.volatile else make(e)


def array_of(value: Value, rows: int) -> pa.Array:
    """A computed value as a column of so many rows."""
    return value if isinstance(value, pa.Array) else pa.repeat(value, rows)


def _whole(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _constant(e: Const) -> Compute | None:
    simple = e.type.root in (*INTEGERS, Root.DOUBLE, Root.BOOLEAN) or e.type.is_text
    if not simple or e.value is None:
        return None
    scalar = pa.scalar(e.value, arrow_type(e.type))
    return lambda rows: scalar


def _all(parts: tuple[Typed, ...]) -> list[Compute] | None:
    made = [compiled(p) for p in parts]
    return None if any(m is None for m in made) else [m for m in made if m is not None]


def domain_of(left: Typed, right: Typed) -> pa.DataType | None:
    """The Arrow type in which two values can be compared as DuckDB compares them; None: none."""
    a, b = left.type, right.type
    if a.is_integer and b.is_integer:
        return pa.int64()
    if a.is_text and b.is_text:
        return pa.string()
    if a.root is b.root and a.root in (Root.BOOLEAN, Root.TIMESTAMP):
        return arrow_type(a)
    if _is_exact_double(left) and _is_exact_double(right):
        return pa.float64()
    return None


def _is_exact_double(e: Typed) -> bool:
    if isinstance(e, Const) and e.type.root is Root.DECIMAL:
        return e.value is not None and e.type.precision <= _EXACT_DIGITS
    return e.type.root is Root.DOUBLE or (e.type.is_integer and e.type.root is not Root.BIGINT)


def _in_domain(e: Typed, domain: pa.DataType) -> Compute | None:
    if isinstance(e, Const) and e.value is not None and pa.types.is_floating(domain):
        scalar = pa.scalar(float(str(e.value)), domain)
        return lambda rows: scalar
    if isinstance(e, Const) and e.type.root is Root.TIMESTAMP:
        return None
    compute = compiled(e)
    if compute is None:
        return None
    if pa.types.is_floating(domain):
        return lambda rows: _number(compute(rows), domain)
    if arrow_type(e.type) == domain:
        return compute
    return lambda rows: compute(rows).cast(domain)


def _number(value: Value, domain: pa.DataType) -> Value:
    value = value.cast(domain)
    if pc.any(pc.is_nan(value)).as_py() if isinstance(value, pa.Array) else False:
        raise Unusual
    return value


def _pair(left: Typed, right: Typed) -> tuple[Compute, Compute] | None:
    domain = domain_of(left, right)
    if domain is None:
        return None
    a, b = _in_domain(left, domain), _in_domain(right, domain)
    return None if a is None or b is None else (a, b)


def _comparison(op: str, kernel: Callable[[Value, Value], Value]) -> Make:
    def make(e: Apply) -> Compute | None:
        if e.template != f"({{0}} {op} {{1}})":
            return None
        sides = _pair(e.args[0], e.args[1])
        if sides is None:
            return None
        left, right = sides
        return lambda rows: kernel(left(rows), right(rows))

    return make


def _between(e: Apply) -> Compute | None:
    if e.template != "({0} >= {1} AND {0} <= {2})":
        return None
    low, high = _pair(e.args[0], e.args[1]), _pair(e.args[0], e.args[2])
    if low is None or high is None:
        return None

    def compute(rows: pa.Table) -> Value:
        above = pc.greater_equal(low[0](rows), low[1](rows))
        return pc.and_kleene(above, pc.less_equal(high[0](rows), high[1](rows)))

    return compute


def _in(e: Apply) -> Compute | None:
    listed = ", ".join(f"{{{i}}}" for i in range(1, len(e.args)))
    if e.template != f"({{0}} IN ({listed}))":
        return None
    pairs = [_pair(e.args[0], a) for a in e.args[1:]]
    if any(p is None for p in pairs):
        return None
    tests = [p for p in pairs if p is not None]

    def compute(rows: pa.Table) -> Value:
        result = pc.equal(tests[0][0](rows), tests[0][1](rows))
        for left, right in tests[1:]:
            result = pc.or_kleene(result, pc.equal(left(rows), right(rows)))
        return result

    return compute


def _logic(op: str, kernel: Callable[[Value, Value], Value]) -> Make:
    def make(e: Apply) -> Compute | None:
        parts = _all(e.args)
        if parts is None:
            return None
        first, others = parts[0], parts[1:]

        def compute(rows: pa.Table) -> Value:
            result = first(rows)
            for part in others:
                result = kernel(result, part(rows))
            return result

        return compute

    return make


def _unary(kernel: Callable[[Value], Value]) -> Make:
    def make(e: Apply) -> Compute | None:
        compute = compiled(e.args[0])
        return None if compute is None else lambda rows: kernel(compute(rows))

    return make


def _is_truth(value: bool, negated: bool) -> Callable[[Value], Value]:
    def kernel(x: Value) -> Value:
        same = pc.fill_null(x if value else pc.invert(x), False)
        return pc.invert(same) if negated else same

    return kernel


def _arithmetic(kernel: Callable[[Value, Value], Value]) -> Make:
    """Integers wrap around in their type, as Java's do; doubles are IEEE's."""

    def make(e: Apply) -> Compute | None:
        kind = e.type
        if kind.is_integer and all(a.type.is_integer for a in e.args):
            domain = arrow_type(kind)
        elif kind.root is Root.DOUBLE and all(_is_exact_double(a) for a in e.args):
            domain = pa.float64()
        else:
            return None
        sides = [_in_domain(a, domain) for a in e.args]
        if any(s is None for s in sides) or len(sides) != 2:
            return None
        left, right = (s for s in sides if s is not None)
        return lambda rows: kernel(left(rows), right(rows))

    return make


def _cast(e: Apply) -> Compute | None:
    source, target = e.args[0].type, e.type
    if not _widens(source, target):
        return None
    compute, kind = compiled(e.args[0]), arrow_type(target)
    if compute is None:
        return None
    return compute if arrow_type(source) == kind else lambda rows: compute(rows).cast(kind)


def _widens(source: DataType, target: DataType) -> bool:
    if source.is_integer and target.is_integer:
        return INTEGERS.index(source.root) <= INTEGERS.index(target.root)
    if source.is_integer and target.root is Root.DOUBLE:
        return source.root is not Root.BIGINT
    if source.root is Root.TIMESTAMP and target.root is Root.TIMESTAMP:
        return target.precision >= source.precision
    return source.root is target.root and source.root in (Root.DOUBLE, Root.BOOLEAN)


def _not_null(e: Apply) -> Compute | None:
    compute = compiled(e.args[0])
    if compute is None or arrow_type(e.args[0].type) != arrow_type(e.type):
        return None

    def checked(rows: pa.Table) -> Value:
        value = compute(rows)
        if value.null_count if isinstance(value, pa.Array) else not value.is_valid:
            raise Unusual  # DuckDB raises the error, with its place
        return value

    return checked


def _coalesce(e: Apply) -> Compute | None:
    plain = ", ".join(f"{{{i}}}" for i in range(len(e.args)))
    kind = arrow_type(e.type)
    parts = _all(e.args)
    if e.template != f"coalesce({plain})" or parts is None:
        return None
    if any(arrow_type(a.type) != kind for a in e.args):
        return None
    return lambda rows: pc.coalesce(*(part(rows) for part in parts))


def _case(e: Apply) -> Compute | None:
    last = len(e.args) - 1
    whens = " ".join(f"WHEN {{{i}}} THEN {{{i + 1}}}" for i in range(0, last, 2))
    kind, values = arrow_type(e.type), (*e.args[1::2], e.args[-1])
    parts = _all(e.args)
    if e.template != f"(CASE {whens} ELSE {{{last}}} END)" or parts is None:
        return None
    if any(arrow_type(v.type) != kind for v in values):
        return None

    def compute(rows: pa.Table) -> Value:
        result = parts[last](rows)
        for i in range(last - 2, -1, -2):
            result = pc.if_else(pc.fill_null(parts[i](rows), False), parts[i + 1](rows), result)
        return result

    return compute


def _like(e: Apply) -> Compute | None:
    """Patterns that are a text with %, at its ends only."""
    value, pattern = e.args[0], e.args[1]
    if e.template != "(({0}) LIKE ({1}))" or not isinstance(pattern, Const):
        return None
    shape = re.fullmatch(r"(%?)([^%_\\]+)(%?)", str(pattern.value), re.DOTALL)
    compute = compiled(value)
    if shape is None or compute is None:
        return None
    kernel, text = _LIKES[bool(shape[1]), bool(shape[3])], shape[2]
    return lambda rows: kernel(compute(rows), text)


_LIKES: dict[tuple[bool, bool], Callable[[Value, str], Value]] = {
    (False, False): pc.equal,
    (False, True): pc.starts_with,
    (True, False): pc.ends_with,
    (True, True): pc.match_substring,
}


def _concat(e: Apply) -> Compute | None:
    parts = _all(e.args)
    if e.template != "(({0}) || ({1}))" or parts is None or any(not a.type.is_text for a in e.args):
        return None
    return lambda rows: pc.binary_join_element_wise(*(part(rows) for part in parts), "")


_MAKERS: dict[str, Make] = {
    "=": _comparison("=", pc.equal),
    "<>": _comparison("<>", pc.not_equal),
    "<": _comparison("<", pc.less),
    "<=": _comparison("<=", pc.less_equal),
    ">": _comparison(">", pc.greater),
    ">=": _comparison(">=", pc.greater_equal),
    "BETWEEN": _between,
    "IN": _in,
    "AND": _logic("AND", pc.and_kleene),
    "OR": _logic("OR", pc.or_kleene),
    "NOT": _unary(pc.invert),
    "IS NULL": _unary(pc.is_null),
    "IS NOT NULL": _unary(pc.is_valid),
    "IS TRUE": _unary(_is_truth(True, False)),
    "IS NOT TRUE": _unary(_is_truth(True, True)),
    "IS FALSE": _unary(_is_truth(False, False)),
    "IS NOT FALSE": _unary(_is_truth(False, True)),
    "+": _arithmetic(pc.add),
    "-": _arithmetic(pc.subtract),
    "*": _arithmetic(pc.multiply),
    "CAST": _cast,
    "NOT NULL": _not_null,
    "COALESCE": _coalesce,
    "CASE": _case,
    "LIKE": _like,
    "||": _concat,
}
