"""Operators: arithmetic, comparison, logic, text. They are functions named by their sign."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Context, Decimal
from functools import partial

from eddyline.errors import EddylineError
from eddyline.functions.aggregates import unscaled, wrapped
from eddyline.functions.casts import cast
from eddyline.functions.registry import (
    Arguments,
    Built,
    CallContext,
    Function,
    any_nullable,
    check,
    mismatch,
    register,
    strict,
)
from eddyline.functions.unify import arithmetic, comparable, text_of
from eddyline.record.types import (
    APPROXIMATE,
    BOOLEAN,
    DataType,
    Root,
    duckdb_type,
)
from eddyline.record.vector import by_distinct_row, define_for

_INTERVALS = (Root.INTERVAL_SECOND, Root.INTERVAL_MONTH)


def _arithmetic(op: str) -> Function:
    def builder(args: Arguments, context: CallContext) -> Built:
        left, right = args[0].type, args[1].type
        if left.root is Root.NULL or right.root is Root.NULL:
            raise mismatch(op, args, "numbers: write CAST(NULL AS INT)")
        moved = _shift(op, args)
        if moved is not None:
            return moved
        if not (left.is_numeric and right.is_numeric):
            raise mismatch(op, args, "two numbers, or a time and an interval")
        if op == "%" and any(t.root in APPROXIMATE for t in (left, right)):
            raise mismatch(op, args, "integers or decimals")
        kind = arithmetic(op, left, right)
        if op == "%" and kind.is_integer:
            kind = right.plain()
        return Built(strict(kind, args), _compute(op, kind, left, right))

    word = {"+": "Sum", "-": "Difference", "*": "Product", "/": "Quotient", "%": "Remainder"}[op]
    value = {"+": 7, "-": 3, "*": 10, "/": 2, "%": 1}[op]
    doc = f"{word} of two numbers; integers wrap around and divide to integers."
    return Function((op,), (2, 2), builder, doc, (f"5 {op} 2", value))


def _compute(op: str, kind: DataType, left: DataType, right: DataType) -> str:
    if kind.is_integer:
        return _integers(op, kind.root)
    if kind.root is Root.DECIMAL:
        return _decimals(op, kind, left, right)
    to = duckdb_type(kind)
    return f"CAST(({{0}})::DOUBLE {op} ({{1}})::DOUBLE AS {to})"


def _integers(op: str, root: Root) -> str:
    """Computed one size wider, then cut to size, so that it wraps as Java's integers do."""
    wide = "HUGEINT" if root is Root.BIGINT else "BIGINT"
    sign = "//" if op == "/" else op
    if op == "%":
        return f"CAST(({{0}})::{wide} % ({{1}})::{wide} AS {duckdb_type(DataType(root))})"
    return wrapped(f"({{0}})::{wide} {sign} ({{1}})::{wide}", root)


def _decimals(op: str, kind: DataType, left: DataType, right: DataType) -> str:
    to = duckdb_type(kind)
    a, b = (t if t.root is Root.DECIMAL else DataType(Root.DECIMAL, 19, 0) for t in (left, right))
    if op == "*":  # in 128 bits from the start; what needs more than 38 digits is NULL in Flink
        return f"TRY_CAST(TRY(({{0}})::DECIMAL(38,{a.scale}) * ({{1}})) AS {to})"
    if op == "%":  # TRY would hide a division by zero
        zero = "error('division by zero')"
        return (
            f"TRY_CAST(CASE WHEN ({{1}}) = 0 THEN {zero} ELSE TRY(({{0}}) % ({{1}})) END AS {to})"
        )
    if op != "/":
        return f"TRY_CAST(TRY(({{0}}) {op} ({{1}})) AS {to})"
    lift = 10 ** max(0, kind.scale + b.scale - a.scale)
    top = f"((({{0}})::DECIMAL(38,{a.scale}) * {10**a.scale}::HUGEINT)::HUGEINT * {lift}::HUGEINT)"
    bottom = f"((({{1}})::DECIMAL(38,{b.scale}) * {10**b.scale}::HUGEINT)::HUGEINT)"
    half_up = f"(2 * {top} + sign({top})::HUGEINT * abs({bottom})) // (2 * {bottom})"
    exact = unscaled(half_up, kind)
    digits = a.precision + max(0, kind.scale + b.scale - a.scale)
    if digits <= 37:
        return exact
    # What 128 bits do not hold is divided by Python. NULL by anything is not asked for.
    long = define_for("quotient", kind, by_distinct_row(partial(_quotient, kind), kind))
    some = "{0} IS NOT NULL AND {1} IS NOT NULL"
    operands = f"({{0}})::DECIMAL(38,{a.scale}), ({{1}})::DECIMAL(38,{b.scale})"
    return f"coalesce(TRY({exact}), CASE WHEN {some} THEN {long}({operands}) END)"


_DIVISION = Context(prec=38, rounding=ROUND_HALF_UP)
_ROUNDING = Context(prec=80, rounding=ROUND_HALF_UP)


def _quotient(kind: DataType, a: Decimal, b: Decimal) -> Decimal | None:
    """Rounded as Flink does it: to 38 digits, then to the type's scale; NULL if it does not fit."""
    if not b:
        raise EddylineError("sql_runtime", "division by zero")
    value = _DIVISION.divide(a, b).quantize(Decimal((0, (1,), -kind.scale)), context=_ROUNDING)
    return value if value.adjusted() < kind.precision - kind.scale else None


def _shift(op: str, args: Arguments) -> Built | None:
    """A time plus or minus an interval, intervals among themselves; None for anything else."""
    left, right = args[0].type, args[1].type
    kinds = (left.root, right.root)
    if not any(k in _INTERVALS for k in kinds) and op != "-":
        return None
    if left.root in _INTERVALS and right.root in _INTERVALS and op in "+-" and kinds[0] is kinds[1]:
        return Built(strict(left.plain(), args), f"(({{0}}) {op} ({{1}}))")
    if op == "*" and any(t.is_integer for t in (left, right)):
        kind = left if left.root in _INTERVALS else right
        return Built(strict(kind.plain(), args), "(({0}) * ({1}))")
    if op == "+" and left.root in _INTERVALS:
        moved = _moved(right, left, "+")
        return None if moved is None else Built(strict(right, args), _swapped(moved))
    if op in "+-" and right.root in _INTERVALS:
        moved = _moved(left, right, op)
        return None if moved is None else Built(strict(left, args), moved)
    if left.is_timestamp and right.is_timestamp:
        hint = "write TIMESTAMPDIFF(SECOND, b, a)"
        raise EddylineError("sql_semantic", "two times cannot be subtracted with '-'", hint=hint)
    return None


def _swapped(template: str) -> str:
    return template.replace("{0}", "{x}").replace("{1}", "{0}").replace("{x}", "{1}")


def _moved(time: DataType, interval: DataType, op: str) -> str | None:
    months = interval.root is Root.INTERVAL_MONTH
    step = "to_months(({1})::INTEGER)" if months else "to_microseconds(({1}) * 1000)"
    if time.is_timestamp:
        return f"(({{0}}) {op} {step})"
    if time.root is Root.DATE:
        return f"CAST(({{0}}) {op} {step} AS DATE)"
    if time.root is Root.TIME:
        return f"(({{0}}) {op} {step})"
    return None


def _comparison(op: str) -> Function:
    def builder(args: Arguments, context: CallContext) -> Built:
        left, right = _aligned(op, args, context)
        return Built(strict(BOOLEAN, args), f"({left} {op} {right})")

    value = {"=": False, "<>": True, "<": True, "<=": True, ">": False, ">=": False}[op]
    return Function((op,), (2, 2), builder, "Comparison.", (f"1 {op} 2", value))


def _aligned(op: str, args: Arguments, context: CallContext) -> tuple[str, str]:
    """Both sides' templates, cast to what they can be compared in."""
    left, right = args[0].type, args[1].type
    strict_times = {left.root, right.root}
    met = comparable(left, right)
    if met is None or strict_times == {Root.DATE, Root.TIMESTAMP}:
        raise mismatch(op, args, "two values of comparable types: cast one of them")
    return (
        cast("{0}", left, met[0], context, attempt=False),
        cast("{1}", right, met[1], context, attempt=False),
    )


def _distinct(negated: bool) -> Function:
    name = "IS NOT DISTINCT FROM" if negated else "IS DISTINCT FROM"

    def builder(args: Arguments, context: CallContext) -> Built:
        if any(a.type.root is Root.NULL for a in args):
            known = "{1}" if args[0].type.root is Root.NULL else "{0}"
            test = f"(({known}) IS {'' if negated else 'NOT '}NULL)"
            return Built(BOOLEAN.not_null(), test)
        left, right = _aligned(name, args, context)
        return Built(BOOLEAN.not_null(), f"({left} {name} {right})")

    doc = "Comparison in which NULL equals NULL."
    return Function((name,), (2, 2), builder, doc, (f"1 {name} 1", negated))


def _logic(op: str) -> Function:
    def builder(args: Arguments, context: CallContext) -> Built:
        check(op, args, ("boolean",))
        joined = f" {op} ".join(f"({{{i}}})" for i in range(len(args)))
        return Built(strict(BOOLEAN, args), f"({joined})")

    value = op == "OR"
    doc = "Three-valued logic: NULL is unknown."
    return Function((op,), (2, 255), builder, doc, (f"TRUE {op} FALSE", value))


def _not(args: Arguments, context: CallContext) -> Built:
    check("NOT", args, ("boolean",))
    return Built(strict(BOOLEAN, args), "(NOT ({0}))")


def _minus(args: Arguments, context: CallContext) -> Built:
    kind = args[0].type.plain()
    if kind.is_integer:
        wide = "HUGEINT" if kind.root is Root.BIGINT else "BIGINT"
        return Built(kind, wrapped(f"-(({{0}})::{wide})", kind.root))
    if not kind.is_numeric and kind.root not in _INTERVALS:
        raise mismatch("-", args, "a number")
    return Built(kind, "(-({0}))")


def _is(what: str, negated: bool) -> Function:
    name = f"IS {'NOT ' if negated else ''}{what}"
    text = name.replace("UNKNOWN", "NULL")

    def builder(args: Arguments, context: CallContext) -> Built:
        if what != "NULL":
            check(name, args, ("boolean",))
        return Built(BOOLEAN.not_null(), f"(({{0}}) {text})")

    operand = "TRUE" if what != "NULL" else "1"
    value = (what == "TRUE") is not negated
    return Function(
        (name,), (1, 1), builder, "A test that is never NULL.", (f"{operand} {name}", value)
    )


def _concat(args: Arguments, context: CallContext) -> Built:
    check("||", args, ("text",))
    length = args[0].type.precision + args[1].type.precision
    kind = text_of(length)
    if all(a.type.root is Root.CHAR for a in args):
        kind = DataType(Root.CHAR, kind.precision)
    return Built(strict(kind, args), "(({0}) || ({1}))")


def _between(args: Arguments, context: CallContext) -> Built:
    """x >= a AND x <= b, each side compared in its own type."""
    low = _aligned(">=", (args[0], args[1]), context)
    high = _aligned("<=", (args[0], args[2]), context)
    above = f"{low[0]} >= {low[1]}"
    below = f"{high[0]} <= {high[1].replace('{1}', '{2}')}"
    return Built(strict(BOOLEAN, args), f"({above} AND {below})")


def _in(args: Arguments, context: CallContext) -> Built:
    tests = []
    for i in range(1, len(args)):
        if args[i].type.root is Root.NULL:
            tests.append(("{0}", "NULL"))
            continue
        left, right = _aligned("IN", (args[0], args[i]), context)
        tests.append((left, right.replace("{1}", f"{{{i}}}")))
    kind = BOOLEAN.null() if any_nullable(args) else BOOLEAN.not_null()
    if len({left for left, _ in tests}) == 1:
        return Built(kind, f"({tests[0][0]} IN ({', '.join(r for _, r in tests)}))")
    return Built(kind, "(" + " OR ".join(f"{a} = {b}" for a, b in tests) + ")")


register(_arithmetic(op) for op in ("+", "-", "*", "/", "%"))
register(_comparison(op) for op in ("=", "<>", "<", "<=", ">", ">="))
register((_distinct(False), _distinct(True), _logic("AND"), _logic("OR")))
register(_is(what, n) for what in ("NULL", "TRUE", "FALSE", "UNKNOWN") for n in (False, True))
register(
    (
        Function(("NOT",), (1, 1), _not, "Negation; NULL stays NULL.", ("NOT TRUE", False)),
        Function(
            ("MINUS_PREFIX",), (1, 1), _minus, "The number with its sign turned.", ("-(5)", -5)
        ),
        Function(("||",), (2, 2), _concat, "Texts put together.", ("'a' || 'b'", "ab")),
        Function(
            ("BETWEEN",),
            (3, 3),
            _between,
            "Between two bounds, both included.",
            ("2 BETWEEN 1 AND 2", True),
        ),
        Function(("IN",), (2, 255), _in, "Equal to one of a list.", ("2 IN (1, 2)", True)),
    )
)
