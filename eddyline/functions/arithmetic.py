"""Functions of numbers."""

from __future__ import annotations

import math

from eddyline.functions.aggregates import wrapped
from eddyline.functions.operators import _compute
from eddyline.functions.registry import (
    Arguments,
    Built,
    CallContext,
    Function,
    check,
    mismatch,
    plain,
    register,
    strict,
)
from eddyline.functions.unify import arithmetic
from eddyline.record.types import (
    APPROXIMATE,
    DOUBLE,
    INT,
    Root,
    decimal,
    duckdb_type,
)


def _round(args: Arguments, context: CallContext) -> Built:
    """Half up on the decimal digits one sees: 0.15 becomes 0.2, though its bits are below."""
    check("ROUND", args, ("number", "integer"))
    kind = args[0].type.plain()
    digits = 0 if len(args) == 1 else args[1].integer
    if kind.root is Root.DECIMAL:
        return _round_decimal(args, digits)
    if digits is None:
        return Built(strict(kind, args), f"CAST(round({{0}}, {{1}}) AS {duckdb_type(kind)})")
    if kind.is_integer:
        value = "{0}" if digits >= 0 else f"CAST(round({{0}}, {digits}) AS {duckdb_type(kind)})"
        return Built(strict(kind, args), value)
    if not 0 <= digits <= 15:
        return Built(strict(kind, args), f"CAST(round({{0}}, {digits}) AS {duckdb_type(kind)})")
    exact = f"CAST(CAST(CAST({{0}} AS VARCHAR) AS DECIMAL(38,{digits})) AS {duckdb_type(kind)})"
    return Built(strict(kind, args), f"(CASE WHEN abs({{0}}) < 1e15 THEN {exact} ELSE {{0}} END)")


def _round_decimal(args: Arguments, digits: int | None) -> Built:
    t = args[0].type
    if digits is None:
        kind = t.plain()
        return Built(strict(kind, args), f"CAST(round({{0}}, {{1}}) AS {duckdb_type(kind)})")
    if digits >= t.scale:
        return Built(strict(t.plain(), args), "{0}")
    # One digit more in front, because 9.9 rounds to 10.
    kind = decimal(min(38, t.precision - t.scale + 1 + max(0, digits)), max(0, digits))
    return Built(strict(kind, args), f"CAST(round({{0}}, {digits}) AS {duckdb_type(kind)})")


def _truncate(args: Arguments, context: CallContext) -> Built:
    check("TRUNCATE", args, ("number", "integer"))
    kind = args[0].type.plain()
    digits = 0 if len(args) == 1 else args[1].integer
    if digits is None:
        raise mismatch("TRUNCATE", args, "a number and a literal number of digits")
    if (kind.is_integer and digits >= 0) or (kind.root is Root.DECIMAL and digits >= kind.scale):
        return Built(strict(kind, args), "{0}")
    if kind.root is Root.DECIMAL:
        whole = 1 + kind.precision - kind.scale
        kind = decimal(min(38, whole + max(0, digits)), max(0, digits))
    if kind.is_integer or kind.root is Root.DECIMAL:  # exactly, where a double has 15 digits
        step = f"0.{'1'.rjust(digits, '0')}" if digits > 0 else "1".ljust(1 - digits, "0")
        exact = f"({{0}}) - ({{0}}) % {step}"
        return Built(strict(kind, args), f"CAST({exact} AS {duckdb_type(kind)})")
    shown = f"trunc({{0}}::DECIMAL(38,15) * {10 ** max(0, digits)}) / {10 ** max(0, digits)}"
    if digits < 0:
        shown = f"trunc({{0}}::DOUBLE / {10**-digits}) * {10**-digits}"
    return Built(strict(kind, args), f"CAST({shown} AS {duckdb_type(kind)})")


def _whole(name: str) -> Function:
    """FLOOR and CEIL of numbers; those of times are in ``temporal``."""
    from eddyline.functions.temporal import rounded_time

    def builder(args: Arguments, context: CallContext) -> Built:
        if len(args) == 2:
            return rounded_time(name, args, context)
        check(name, args, ("number",))
        kind = args[0].type.plain()
        if kind.is_integer:
            return Built(kind, "{0}")
        if kind.root is Root.DECIMAL:
            kind = strict(decimal(kind.precision, 0), args)
        return Built(kind, f"CAST({name.lower()}({{0}}) AS {duckdb_type(kind)})")

    value = 1.0 if name == "FLOOR" else 2.0
    word = "below" if name == "FLOOR" else "above"
    doc = f"The next whole number {word}; of a time the start {'' if word == 'below' else 'after '}"
    doc += "of its unit."
    return Function((name,), (1, 2), builder, doc, (f"{name}(1.5E0)", value))


def _abs(args: Arguments, context: CallContext) -> Built:
    check("ABS", args, ("number",))
    kind = args[0].type.plain()
    if not kind.is_integer:
        return Built(kind, "abs({0})")
    wide = "HUGEINT" if kind.root is Root.BIGINT else "BIGINT"
    return Built(kind, wrapped(f"abs(({{0}})::{wide})", kind.root))


def _sign(args: Arguments, context: CallContext) -> Built:
    check("SIGN", args, ("number",))
    kind = args[0].type.plain()
    return Built(kind, f"CAST(sign({{0}}) AS {duckdb_type(kind)})")


def _mod(args: Arguments, context: CallContext) -> Built:
    check("MOD", args, ("number",))
    left, right = args[0].type, args[1].type
    if any(t.root in APPROXIMATE for t in (left, right)):
        raise mismatch("MOD", args, "integers or decimals")
    kind = arithmetic("%", left, right)
    if kind.is_integer:
        kind = right.plain()
    return Built(strict(kind, args), _compute("%", kind, left, right))


def _double(name: str, template: str, doc: str, example: tuple[str, object]) -> Function:
    """A function of DOUBLE; outside its domain it is NaN, as in Java."""
    count = 2 if "{1}" in template else 1
    names = tuple(name.split())
    return Function(
        names, (count, count), plain(names[0], ("number",), DOUBLE, template), doc, example
    )


def _log(args: Arguments, context: CallContext) -> Built:
    check("LOG", args, ("number",))
    if len(args) == 1:
        return Built(strict(DOUBLE, args), _LN.format("{0}"))
    return Built(strict(DOUBLE, args), f"({_LN.format('{1}')} / {_LN.format('{0}')})")


_NAN = "WHEN ({0}) IS NULL THEN NULL ELSE 'NaN'::DOUBLE END)"
_LN = (
    "(CASE WHEN ({0})::DOUBLE > 0 THEN ln(({0})::DOUBLE) "
    f"WHEN ({{0}}) = 0 THEN '-Infinity'::DOUBLE {_NAN}"
)
_LOG10 = _LN.replace("ln(", "log10(", 1)
_SQRT = f"(CASE WHEN ({{0}})::DOUBLE >= 0 THEN sqrt(({{0}})::DOUBLE) {_NAN}"
_ASIN = f"(CASE WHEN abs(({{0}})::DOUBLE) <= 1 THEN asin(({{0}})::DOUBLE) {_NAN}"
_ACOS = f"(CASE WHEN abs(({{0}})::DOUBLE) <= 1 THEN acos(({{0}})::DOUBLE) {_NAN}"


def _rand(args: Arguments, context: CallContext) -> Built:
    return Built(DOUBLE.not_null(), "random()")


def _rand_integer(args: Arguments, context: CallContext) -> Built:
    check("RAND_INTEGER", args, ("integer",))
    bound = len(args) - 1
    return Built(strict(INT, args), f"CAST(floor(random() * ({{{bound}}})) AS INTEGER)")


register((_whole("FLOOR"), _whole("CEIL")))
register(
    (
        Function(
            ("ROUND",), (1, 2), _round, "Rounded half up to n digits.", ("ROUND(0.15E0, 1)", 0.2)
        ),
        Function(
            ("TRUNCATE",), (1, 2), _truncate, "Cut to n digits.", ("TRUNCATE(42.345, 2)", "42.34")
        ),
        Function(("ABS",), (1, 1), _abs, "Without sign.", ("ABS(-3)", 3)),
        Function(("SIGN",), (1, 1), _sign, "-1, 0 or 1.", ("SIGN(-3)", -1)),
        Function(("MOD",), (2, 2), _mod, "Remainder, with the first's sign.", ("MOD(-7, 3)", -1)),
        Function(("LOG",), (1, 2), _log, "Natural logarithm, or to a base.", ("LOG(2, 8)", 3.0)),
        Function(("RAND",), (0, 1), _rand, "Random number in [0, 1).", ("RAND() < 1", True), True),
        Function(
            ("RAND_INTEGER",),
            (1, 2),
            _rand_integer,
            "Random integer in [0, n).",
            ("RAND_INTEGER(5) < 5", True),
            True,
        ),
        Function(("PI",), (0, 0), plain("PI", (), DOUBLE, "pi()"), "π.", ("PI()", math.pi)),
        Function(("E",), (0, 0), plain("E", (), DOUBLE, "exp(1::DOUBLE)"), "e.", ("E()", math.e)),
        _double("SQRT", _SQRT, "Square root.", ("SQRT(4)", 2.0)),
        _double("POWER", "pow(({0})::DOUBLE, ({1})::DOUBLE)", "x to the y.", ("POWER(2, 3)", 8.0)),
        _double("EXP", "exp(({0})::DOUBLE)", "e to the x.", ("EXP(0)", 1.0)),
        _double("LN", _LN, "Natural logarithm.", ("LN(1)", 0.0)),
        _double("LOG10", _LOG10, "Decimal logarithm.", ("LOG10(1)", 0.0)),
        _double("LOG2", f"({_LN} / ln(2::DOUBLE))", "Binary logarithm.", ("LOG2(8)", 3.0)),
        _double("SIN", "sin(({0})::DOUBLE)", "Sine.", ("SIN(0)", 0.0)),
        _double("COS", "cos(({0})::DOUBLE)", "Cosine.", ("COS(0)", 1.0)),
        _double("TAN", "tan(({0})::DOUBLE)", "Tangent.", ("TAN(0)", 0.0)),
        _double("COT", "(1 / tan(({0})::DOUBLE))", "Cotangent.", ("COT(1)", 1 / math.tan(1))),
        _double("ASIN", _ASIN, "Arc sine.", ("ASIN(0)", 0.0)),
        _double("ACOS", _ACOS, "Arc cosine.", ("ACOS(1)", 0.0)),
        _double("ATAN", "atan(({0})::DOUBLE)", "Arc tangent.", ("ATAN(0)", 0.0)),
        _double(
            "ATAN2",
            "atan2(({0})::DOUBLE, ({1})::DOUBLE)",
            "Angle of a point.",
            ("ATAN2(0, 1)", 0.0),
        ),
        _double("SINH", "sinh(({0})::DOUBLE)", "Hyperbolic sine.", ("SINH(0)", 0.0)),
        _double("COSH", "cosh(({0})::DOUBLE)", "Hyperbolic cosine.", ("COSH(0)", 1.0)),
        _double("TANH", "tanh(({0})::DOUBLE)", "Hyperbolic tangent.", ("TANH(0)", 0.0)),
        _double("DEGREES", "degrees(({0})::DOUBLE)", "Radians as degrees.", ("DEGREES(0)", 0.0)),
        _double(
            "RADIANS", "radians(({0})::DOUBLE)", "Degrees as radians.", ("RADIANS(180)", math.pi)
        ),
    )
)
