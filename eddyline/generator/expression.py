"""Arithmetic and conditions over a template's named values, evaluated by DuckDB a batch at a time.

The text is parsed by sqlglot, checked node by node against a list of what may be used, and written
again from its tree, so that DuckDB only sees expressions over the record's own values: no tables,
no files, no settings. A value whose texts are all numbers counts as a number, one whose texts are
all ``true`` or ``false`` as a condition, any other as a text. A result that is null, or no finite
number, is written as ``null``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, NoReturn

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from eddyline.errors import EddylineError, nearest
from eddyline.generator.arguments import Arguments
from eddyline.generator.column import At, GeneratedColumn, Texts, Uniforms, bytes_of, spread

EXPRESSION_CHARS_MAX = 5_000
# A number or condition as a text has at most so many bytes.
NUMBER_BYTES = 26
# Characters that lpad and rpad fill up to.
PAD_MAX = 1_000
# Values of each name that are looked at to learn what they are.
SAMPLE_ROWS = 64
# The sample's place in the run: where no run begins, so that no column takes it up.
SAMPLE_FIRST = -1_000_000
_WHOLE = r"^-?(0|[1-9]\d{0,17})$"
_NUMBER = r"^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$"
_BOOLEAN = "^(true|false)$"
# DuckDB's type for values all of whose texts match; more than one may.
TYPES = {"BIGINT": _WHOLE, "DOUBLE": _NUMBER, "BOOLEAN": _BOOLEAN}
# Functions that are allowed by name; operators, CASE, IF, IN, BETWEEN, LIKE and CAST always are.
FUNCTIONS = (
    "abs", "acos", "asin", "atan", "atan2", "cbrt", "ceil", "ceiling", "coalesce", "concat", "cos",
    "degrees", "exp", "floor", "greatest", "if", "ifnull", "least", "left", "length", "ln", "log",
    "log10", "log2", "lower", "lpad", "ltrim", "mod", "nullif", "pi", "pow", "power", "radians",
    "reverse", "right", "round", "rpad", "rtrim", "sign", "sin", "sqrt", "starts_with", "strpos",
    "substr", "substring", "tan", "trim", "trunc", "upper",
)  # fmt: skip
# Trees that sqlglot makes of operators, literals and the functions above.
_NODES = (
    "Abs", "Acos", "Add", "And", "Asin", "Atan", "Atan2", "Between", "Boolean", "Case", "Cast",
    "Cbrt", "Ceil", "Coalesce", "Column", "Concat", "Cos", "DPipe", "DataType", "Degrees", "Div",
    "EQ", "Exp", "Floor", "GT", "GTE", "Greatest", "Identifier", "If", "In", "IntDiv", "Is", "LT",
    "LTE", "Least", "Left", "Length", "Like", "Literal", "Ln", "Log", "Lower", "Mod", "Mul", "NEQ",
    "Neg", "Not", "Null", "Nullif", "Or", "Pad", "Paren", "Pi", "Pow", "Radians", "Reverse",
    "Right", "Round", "Sign", "Sin", "Sqrt", "StartsWith", "StrPosition",
    "Sub", "Substring", "Tan", "Trim", "Trunc", "TryCast", "Upper",
)  # fmt: skip
# How DuckDB reads a value of each type; the text null is no value.
_READ = {
    "VARCHAR": "NULLIF({name}, 'null') AS {name}",
    **{kind: f"TRY_CAST({{name}} AS {kind}) AS {{name}}" for kind in TYPES},
}
# Functions of texts, which read numbers as they are written.
_OF_TEXTS = (
    "Left", "Length", "Like", "Lower", "Pad", "Reverse", "Right", "StartsWith", "StrPosition",
    "Substring", "Trim", "Upper",
)  # fmt: skip
_CAST_TO = ("BIGINT", "BOOLEAN", "DOUBLE", "FLOAT", "INT", "SMALLINT", "TEXT", "TINYINT", "VARCHAR")


class Calculated:
    """The values of one expression; ``names`` are what it reads, with their DuckDB types."""

    slots = 0

    def __init__(self, sql: str, names: Mapping[str, str], label: str, width: int) -> None:
        self.width = width
        reads = ", ".join(_READ[kind].format(name=f'"{name}"') for name, kind in names.items())
        source = f"(SELECT {reads} FROM batch)" if names else "(SELECT * FROM batch)"
        self._query = f"SELECT {sql} AS result FROM {source}"
        self._names = tuple(names)
        self._label = label

    def build(self, u: Uniforms, at: At) -> Texts:
        columns = {name: spread(at.values[name], at.n) for name in self._names}
        batch = pa.table(columns or {"row": pa.array(np.zeros(at.n, np.int8))})
        return _texts(_run(self._query, batch, self._label))


def compile_expression(
    args: Arguments,
    text: str,
    values: Mapping[str, GeneratedColumn],
    shared: Mapping[str, GeneratedColumn],
) -> GeneratedColumn:
    """The column of an expression over named values; ``shared`` is built before those.

    Raises:
        EddylineError: ``template_error`` for what cannot be parsed, is not allowed, names a value
            that is not there, or mixes types that do not go together.
    """
    tree = _parse(args, text)
    names = list(dict.fromkeys(_check(args, tree, values)))
    tree = _literals(tree, values)
    sample = _sample({**shared, **values})
    kinds = {name: _kind(sample.values[name]) for name in names}
    column = Calculated(tree.sql(dialect="duckdb"), kinds, text, _width(args, tree, values))
    try:
        column.build(np.empty((sample.n, 0)), sample)
    except EddylineError as error:
        args.fail(error.message, _types_hint(kinds))
    return column


def _literals(tree: Any, values: Mapping[str, GeneratedColumn]) -> Any:
    """The tree with texts in double quotes, which SQL takes for names, as literals.

    What text functions read is made a text.
    """
    from sqlglot import exp

    for node in [n for n in tree.find_all(exp.Column) if n.name not in values]:
        text = exp.Literal.string(node.name)
        if node is tree:
            return text
        node.replace(text)
    for node in list(tree.walk()):
        if type(node).__name__ in _OF_TEXTS:
            node.set("this", exp.Cast(this=node.this.copy(), to=exp.DataType.build("VARCHAR")))
    return tree


def _width(args: Arguments, tree: Any, values: Mapping[str, GeneratedColumn]) -> int:
    """Most bytes a result may have: no function writes more than it reads, but for padding."""
    from sqlglot import exp

    total = NUMBER_BYTES
    for node in tree.walk():
        if isinstance(node, exp.Column):
            total += max(NUMBER_BYTES, values[node.name].width)
        elif isinstance(node, exp.Literal):
            total += max(NUMBER_BYTES, bytes_of(node.name))
        elif isinstance(node, exp.Pad):
            size = node.expression
            if not isinstance(size, exp.Literal) or not 0 <= float(size.name) <= PAD_MAX:
                args.fail(f"lpad and rpad need a length of 0 to {PAD_MAX}")
            total += 4 * int(float(size.name))
    return total * (3 if tree.find(exp.Upper, exp.Lower) else 1)


def _parse(args: Arguments, text: str) -> Any:
    import sqlglot
    from sqlglot.errors import SqlglotError

    if not text or len(text) > EXPRESSION_CHARS_MAX:
        args.fail(f"an expression has 1 to {EXPRESSION_CHARS_MAX} characters")
    try:
        trees = sqlglot.parse(text, read="duckdb")
    except (SqlglotError, RecursionError) as error:
        reason = re.sub(r"\x1b\[\d*m", "", str(error)).split("\n")[0].split(". Line")[0]
        if "<class" in reason or len(reason) > 80:
            reason = "something is missing in it, or is not an expression"
        hint = "conditions are written CASE WHEN a > 1 THEN 'x' ELSE 'y' END or if(a > 1, 'x', 'y')"
        args.fail(f"{text[:60]!r} cannot be read: {reason}", hint)
    if len(trees) != 1 or trees[0] is None:
        args.fail(f"{text[:60]!r} is not one expression")
    return trees[0]


def _check(args: Arguments, tree: Any, values: Mapping[str, GeneratedColumn]) -> Iterator[str]:
    """The names of values that a tree reads; whatever is not allowed is an error."""
    from sqlglot import exp

    for node in tree.walk():
        kind = type(node).__name__
        if isinstance(node, exp.Anonymous):
            _not_allowed(args, node.name)
        if kind not in _NODES:
            _not_allowed(args, node.sql_name() if isinstance(node, exp.Func) else kind)
        if isinstance(node, exp.DataType) and node.sql().partition("(")[0] not in _CAST_TO:
            args.fail(
                f"a value cannot be made {node.sql()[:30]}", f"types are {', '.join(_CAST_TO)}"
            )
        if isinstance(node, exp.Column):
            if node.table:
                args.fail(f"{node.sql()[:40]} is not a named value", _names_hint(node.name, values))
            if node.name in values:
                yield node.name
            elif not node.this.quoted:
                args.fail(f"no value is named {node.name}", _names_hint(node.name, values))


def _not_allowed(args: Arguments, name: str) -> NoReturn:
    near = nearest(name, list(FUNCTIONS))
    hint = f"did you mean {' or '.join(near)}?" if near else f"functions are {', '.join(FUNCTIONS)}"
    args.fail(f"{name[:40]} cannot be used in an expression", hint)


def _names_hint(name: str, values: Mapping[str, GeneratedColumn]) -> str:
    if not values:
        return f"name a value first, as in {{{{set {name} = random.number(100)}}}}"
    return f"named values are {', '.join(nearest(name, list(values)) or list(values)[:10])}"


def _types_hint(kinds: Mapping[str, str]) -> str | None:
    words = {"BIGINT": "a whole number", "DOUBLE": "a number", "BOOLEAN": "true or false"}
    facts = [f"{name} is {words.get(kind, 'a text')}" for name, kind in kinds.items()]
    return ", ".join(facts) or None


def _sample(values: Mapping[str, GeneratedColumn]) -> At:
    """Some rows of every named value, in order, as an expression reads them."""
    rng = np.random.default_rng(0)
    now = np.arange(SAMPLE_ROWS, dtype=np.int64) * 60_000 + 1_700_000_000_000
    at = At(now, now, SAMPLE_FIRST)
    for name, column in values.items():
        at.values[name] = column.build(rng.random((at.n, column.slots)), at)
    return at


def _kind(texts: Any) -> str:
    """The type of a value's texts: the first whose form all of them have."""
    sample = spread(texts, SAMPLE_ROWS)
    present = sample.filter(pc.not_equal(sample, "null"))
    if not len(present):
        return "DOUBLE"
    for kind, form in TYPES.items():
        if pc.all(pc.match_substring_regex(present, form)).as_py():
            return kind
    return "VARCHAR"


@cache
def _connection() -> Any:
    import duckdb

    return duckdb.connect(
        ":memory:",
        config={"enable_external_access": False, "threads": 1, "lock_configuration": True},
    )


def _run(query: str, batch: Any, label: str) -> Any:
    """The result column of a query over ``batch``. Raises ``template_error``."""
    import duckdb

    cursor = _connection().cursor()
    try:
        cursor.register("batch", batch)
        return cursor.sql(query).to_arrow_table().column(0).combine_chunks()
    except duckdb.Error as error:
        reason = str(error).split("\n")[0].partition("Error: ")[2] or str(error)
        message = f"the expression {label[:60]!r} cannot be evaluated: {reason}"
        raise EddylineError("template_error", message) from None
    finally:
        cursor.close()


def _texts(result: Any) -> Any:
    """A result as texts; decimals as plain numbers, without zeros at their end."""
    if pa.types.is_decimal(result.type):
        texts = pc.replace_substring_regex(result.cast(pa.string()), r"(\.\d*?)0+$", r"\1")
        return pc.fill_null(pc.utf8_rtrim(texts, characters="."), "null")
    if pa.types.is_floating(result.type):
        result = pc.if_else(pc.is_finite(result), result, pa.scalar(None, result.type))
    return pc.fill_null(result.cast(pa.string()), "null")
