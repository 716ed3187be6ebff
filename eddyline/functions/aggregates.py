"""Every aggregate function once, cut into accumulators that can be merged and taken back.

A streaming engine never sees all rows of a group at once. So an aggregate is declared as a few
accumulators (columns of a state table): how a batch of rows becomes one value (``batch``), how
two values become one (``merge``), how a batch of retracted rows is taken back (``retract``), and
how the accumulators become the result (``finish``). All are templates of DuckDB text:

- ``{0}``, ``{1}``: the argument texts, already of the argument types;
- ``{filter}``: nothing, or `` FILTER (WHERE …)`` (with its leading blank);
- ``{order}``: a text that orders the rows within the batch (only if ``ordered``);
- ``{a}``, ``{b}``: the accumulator so far and the batch's (in ``merge`` and ``retract``);
- ``{name}`` of an accumulator (in ``finish``).

Over no rows every ``batch`` gives its neutral value, so an empty FILTER merges harmlessly.
``merge`` also takes NULL for ``{a}`` or ``{b}`` (a group seen for the first time) as neutral.
DISTINCT: the engine keeps a table (key, value, count of copies) beside the state; a value's
first copy is fed as a row, the last one's retraction as a retracted row. ``distinct_matters`` is
False where DISTINCT changes nothing (MIN, MAX). ``retract`` is None where a removed row cannot
be taken back from the accumulator alone: the engine then computes the batch text again over the
values that are left, kept in the same kind of table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from eddyline.errors import EddylineError, nearest
from eddyline.record.types import (
    APPROXIMATE,
    BIGINT,
    DOUBLE,
    INTEGERS,
    STRING,
    DataType,
    Root,
    decimal,
    duckdb_type,
)
from eddyline.record.vector import expect

Types = tuple[DataType, ...]


@dataclass(frozen=True, slots=True)
class Accumulator:
    """One state column: ``name`` is unique within its aggregate; ``type`` is DuckDB's."""

    name: str
    type: str
    batch: str
    merge: str
    retract: str | None


@dataclass(frozen=True, slots=True)
class CompiledAggregate:
    """An aggregate for given argument types: its state columns, result text and result type."""

    accumulators: tuple[Accumulator, ...]
    finish: str
    type: DataType

    @property
    def retractable(self) -> bool:
        """Whether a row can be taken back from the accumulators alone."""
        return all(a.retract is not None for a in self.accumulators)


@dataclass(frozen=True, slots=True)
class AggregateFunction:
    """A row of the table. ``arity`` is (fewest, most) arguments; COUNT(*) has none.

    example: a call over the rows of column ``x`` INT (1, 2, 4, NULL), and its value.
    """

    name: str
    arity: tuple[int, int]
    compile: Callable[[Types], CompiledAggregate]
    doc: str
    example: tuple[str, object]
    ordered: bool = False
    distinct_matters: bool = True


def _sum_state(name: str, kind: str, text: str) -> Accumulator:
    """A sum that starts at 0 and is retracted by subtraction."""
    return Accumulator(
        name,
        kind,
        f"coalesce(sum({text}){{filter}}, 0)::{kind}",
        "(coalesce({a}, 0) + coalesce({b}, 0))::" + kind,
        "(coalesce({a}, 0) - coalesce({b}, 0))::" + kind,
    )


def _count_state(name: str, text: str) -> Accumulator:
    return Accumulator(
        name,
        "BIGINT",
        f"count({text}){{filter}}",
        "(coalesce({a}, 0) + coalesce({b}, 0))",
        "(coalesce({a}, 0) - coalesce({b}, 0))",
    )


_BITS = {Root.TINYINT: 8, Root.SMALLINT: 16, Root.INT: 32, Root.BIGINT: 64}


def wrapped(text: str, root: Root) -> str:
    """An integer of a wider type cut to ``root``'s bits, as Java's two's complement does."""
    half, mask = 1 << (_BITS[root] - 1), (1 << _BITS[root]) - 1
    wide = "HUGEINT" if root is Root.BIGINT else "BIGINT"
    to = duckdb_type(DataType(root))
    return f"(((({text}) + {half}::{wide}) & {mask}::{wide}) - {half}::{wide})::{to}"


def _numeric(name: str, types: Types) -> DataType:
    if not types[0].is_numeric:
        msg = f"{name} needs a number, not {types[0]}"
        raise EddylineError("sql_semantic", msg, hint=f"cast the argument: {name}(CAST(x AS INT))")
    return types[0]


def _wide(t: DataType) -> str:
    """The DuckDB type in which a sum of ``t`` can neither overflow nor lose digits."""
    if t.root is Root.BIGINT:
        return "HUGEINT"
    if t.root is Root.DECIMAL:
        return f"DECIMAL(38,{t.scale})"
    return "BIGINT" if t.root in INTEGERS else "DOUBLE"


def _sum0(types: Types) -> CompiledAggregate:
    """SUM that is 0 for no value."""
    total = _sum(types)
    finish = f"coalesce({total.finish}, 0)::{duckdb_type(total.type)}"
    return CompiledAggregate(total.accumulators, finish, total.type.not_null())


def _count(types: Types) -> CompiledAggregate:
    state = _count_state("n", "{0}" if types else "*")
    return CompiledAggregate((state,), "coalesce({n}, 0)", BIGINT.not_null())


def _sum(types: Types) -> CompiledAggregate:
    t = _numeric("SUM", types)
    states = (_sum_state("s", _wide(t), "{0}"), _count_state("n", "{0}"))
    if t.root in INTEGERS:
        value, result = wrapped("{s}", t.root), DataType(t.root)
    elif t.root is Root.DECIMAL:
        value, result = "{s}", decimal(38, t.scale)
    else:
        value, result = f"{{s}}::{duckdb_type(t)}", DataType(t.root)
    return CompiledAggregate(states, f"CASE WHEN {{n}} > 0 THEN {value} END", result)


def _avg(types: Types) -> CompiledAggregate:
    t = _numeric("AVG", types)
    states = (_sum_state("s", _wide(t), "{0}"), _count_state("n", "{0}"))
    if t.root in INTEGERS:  # truncates towards zero, as Flink does
        total = wrapped("{s}", Root.BIGINT) if t.root is Root.BIGINT else "{s}"
        value, result = f"({total} // {{n}})::{duckdb_type(t)}", DataType(t.root)
    elif t.root is Root.DECIMAL:
        result = decimal(38, max(6, t.scale))
        value = _decimal_quotient("{s}", "{n}", t.scale, result)
    else:
        value, result = f"({{s}} / {{n}})::{duckdb_type(t)}", DataType(t.root)
    return CompiledAggregate(states, f"CASE WHEN {{n}} > 0 THEN {value} END", result)


def _avg_of_sum(types: Types) -> CompiledAggregate:
    """AVG of integers as the quotient of SUM, whose bits are cut to the argument's type."""
    average, t = _avg(types), types[0]
    value = f"({wrapped('{s}', t.root)} // {{n}})::{duckdb_type(t)}"
    finish = f"CASE WHEN {{n}} > 0 THEN {value} END"
    return CompiledAggregate(average.accumulators, finish, average.type)


def _decimal_quotient(total: str, count: str, scale: int, result: DataType) -> str:
    """Half-up rounding in integers, because DuckDB divides decimals as doubles."""
    lift = 10 ** (result.scale - scale)
    units = f"(({total}) * {10**scale}::HUGEINT)::HUGEINT * {lift}"
    twice = f"(2 * ({units}) + sign({total})::HUGEINT * {count}) // (2 * {count})"
    return unscaled(twice, result)


def unscaled(text: str, kind: DataType) -> str:
    """A HUGEINT of the smallest unit as the DECIMAL; DuckDB would divide decimals as doubles."""
    to, scale = duckdb_type(kind), kind.scale
    if scale == 0:
        return f"CAST({text} AS {to})"
    if kind.precision + scale <= 38:
        unit = f"CAST('0.{'1'.rjust(scale, '0')}' AS DECIMAL({scale},{scale}))"
        return f"CAST(({text})::DECIMAL({kind.precision},0) * {unit} AS {to})"
    return f"CAST(CAST({text} AS VARCHAR) || 'e-{scale}' AS {to})"


def _extreme(name: str) -> Callable[[Types], CompiledAggregate]:
    batch, pick = name.lower(), {"MIN": "least", "MAX": "greatest"}[name]

    def compiled(types: Types) -> CompiledAggregate:
        t = types[0].plain().null()
        if t.root in (Root.ARRAY, Root.MAP, Root.ROW):
            msg = f"{name} cannot compare values of type {t}"
            raise EddylineError("sql_semantic", msg)
        # DuckDB's least and greatest pass over NULL, which is what merging needs.
        state = Accumulator("m", duckdb_type(t), f"{batch}({{0}}){{filter}}", _pick(pick), None)
        return CompiledAggregate((state,), "{m}", t)

    return compiled


def _pick(function: str) -> str:
    return f"{function}({{a}}, {{b}})"


def _edge(which: str) -> Callable[[Types], CompiledAggregate]:
    """FIRST_VALUE and LAST_VALUE pass over NULL, as Flink's do."""
    batch = {"FIRST_VALUE": "arg_min", "LAST_VALUE": "arg_max"}[which]
    merge = {"FIRST_VALUE": "coalesce({a}, {b})", "LAST_VALUE": "coalesce({b}, {a})"}[which]

    def compiled(types: Types) -> CompiledAggregate:
        t = types[0].plain().null()
        state = Accumulator(
            "v", duckdb_type(t), f"{batch}({{0}}, {{order}}){{filter}}", merge, None
        )
        return CompiledAggregate((state,), "{v}", t)

    return compiled


def _listagg(types: Types) -> CompiledAggregate:
    if not types[0].is_text:
        msg = f"LISTAGG needs text, not {types[0]}"
        raise EddylineError("sql_semantic", msg, hint="cast it: LISTAGG(CAST(x AS STRING))")
    glue = "{1}" if len(types) > 1 else "','"
    # The glue is a literal (checked by the binder), so that merging may use its text again.
    states = (
        Accumulator(
            "t",
            "VARCHAR",
            f"string_agg({{0}}, {glue} ORDER BY {{order}}){{filter}}",
            "CASE WHEN {a} IS NULL THEN {b} WHEN {b} IS NULL THEN {a} "
            f"ELSE {{a}} || {glue} || {{b}} END",
            None,
        ),
    )
    return CompiledAggregate(states, "{t}", STRING)


def _spread(name: str) -> Callable[[Types], CompiledAggregate]:
    """Variance from count, sum and sum of squares: what Flink's planner rewrites it to.

    The result has the argument's type, a DECIMAL at least six digits behind the point.
    """
    sample, root = not name.endswith("_POP"), name.startswith("STDDEV")

    def compiled(types: Types) -> CompiledAggregate:
        t = _numeric(name, types)
        states = (
            _count_state("n", "{0}"),
            _sum_state("s", "DOUBLE", "{0}::DOUBLE"),
            _sum_state("q", "DOUBLE", "{0}::DOUBLE * {0}::DOUBLE"),
        )
        least, below = (1, "({n} - 1)") if sample else (0, "{n}")
        value = f"greatest(({{q}} - {{s}} * {{s}} / {{n}}) / {below}, 0)"
        value = f"sqrt({value})" if root else value
        result = DataType(t.root) if t.root in (*INTEGERS, *APPROXIMATE) else DOUBLE
        if t.root is Root.DECIMAL:
            # Through text: the fewest digits that tell the double from its neighbours.
            result = decimal(38, max(6, t.scale))
            value = f"TRY_CAST(CAST({value} AS VARCHAR) AS {duckdb_type(result)})"
        if t.root in INTEGERS:
            # As Java cuts a double: up to the bounds of the type.
            low, high = -(2 ** (_BITS[t.root] - 1)), 2 ** (_BITS[t.root] - 1) - 1
            high -= 1023 if t.root is Root.BIGINT else 0  # the greatest double below 2^63
            value = f"greatest(least(trunc({value}), {high}), {low})"
        text = f"CASE WHEN {{n}} > {least} THEN ({value})::{duckdb_type(result)} END"
        return CompiledAggregate(states, text, result)

    return compiled


SINGLE_VALUE = "$SINGLE_VALUE"
AVG_OF_SUM = "$AVG_OF_SUM"
SPREADS = ("VAR_POP", "VAR_SAMP", "STDDEV_POP", "STDDEV_SAMP")


def average_of_sum(name: str, types: Types) -> str:
    """The aggregate by which Flink's planner replaces AVG where it splits averages into sums.

    It does so for OVER, and for all averages of a grouping in which a variance stands.
    """
    return AVG_OF_SUM if name == "AVG" and types[0].root in INTEGERS else name


def _single(types: Types) -> CompiledAggregate:
    """The only value of a subquery that stands for a value."""
    t = types[0].plain().null()
    kind = duckdb_type(t)
    states = (
        _count_state("n", "*"),
        Accumulator("v", kind, "any_value({0}){filter}", "coalesce({b}, {a})", None),
    )
    failed = "error('a subquery that stands for a value gave more than one row')"
    return CompiledAggregate(states, f"CASE WHEN {{n}} > 1 THEN {failed}::{kind} ELSE {{v}} END", t)


_ROWS: tuple[AggregateFunction, ...] = (
    AggregateFunction("COUNT", (0, 1), _count, "Rows, or rows where x is not NULL.", ("(x)", 3)),
    AggregateFunction("SUM", (1, 1), _sum, "Sum, in x's own integer type.", ("(x)", 7)),
    AggregateFunction("$SUM0", (1, 1), _sum0, "Sum, 0 for no value.", ("(x)", 7)),
    AggregateFunction("AVG", (1, 1), _avg, "Mean; of integers an integer.", ("(x)", 2)),
    AggregateFunction(
        "MIN", (1, 1), _extreme("MIN"), "Least value.", ("(x)", 1), distinct_matters=False
    ),
    AggregateFunction(
        "MAX", (1, 1), _extreme("MAX"), "Greatest value.", ("(x)", 4), distinct_matters=False
    ),
    AggregateFunction(
        "FIRST_VALUE", (1, 1), _edge("FIRST_VALUE"), "First value not NULL.", ("(x)", 1), True
    ),
    AggregateFunction(
        "LAST_VALUE", (1, 1), _edge("LAST_VALUE"), "Last value not NULL.", ("(x)", 4), True
    ),
    AggregateFunction(
        "LISTAGG",
        (1, 2),
        _listagg,
        "Texts joined by a separator (',').",
        ("(CAST(x AS STRING), '-')", "1-2-4"),
        True,
    ),
    AggregateFunction("VAR_POP", (1, 1), _spread("VAR_POP"), "Population variance.", ("(x)", 1)),
    AggregateFunction("VAR_SAMP", (1, 1), _spread("VAR_SAMP"), "Sample variance.", ("(x)", 2)),
    AggregateFunction(
        "STDDEV_POP", (1, 1), _spread("STDDEV_POP"), "Population deviation.", ("(x)", 1)
    ),
    AggregateFunction(
        "STDDEV_SAMP", (1, 1), _spread("STDDEV_SAMP"), "Sample deviation.", ("(x)", 1)
    ),
)

# What only the planner writes: no name that a statement can hold.
_INTERNAL = (
    AggregateFunction(SINGLE_VALUE, (1, 1), _single, "The only value.", ("(x)", None)),
    AggregateFunction(AVG_OF_SUM, (1, 1), _avg_of_sum, "AVG as SUM over COUNT.", ("(x)", 2)),
)
AGGREGATES: dict[str, AggregateFunction] = {f.name: f for f in _ROWS}
_COMPILED = {f.name: f for f in (*_ROWS, *_INTERNAL)}
ALIASES = {"VARIANCE": "VAR_SAMP", "STDDEV": "STDDEV_SAMP"}


def register_aggregates(rows: Iterable[AggregateFunction]) -> None:
    """Put further rows into the table; a name may stand there once."""
    for row in rows:
        assert row.name not in AGGREGATES, f"aggregate {row.name} is there twice"
        AGGREGATES[row.name] = _COMPILED[row.name] = row


def define_aggregate(row: AggregateFunction) -> None:
    """Make an aggregate known that is not of the table, under a name no statement can hold."""
    _COMPILED[row.name] = row


def aggregate_row(name: str) -> AggregateFunction:
    """The row of an aggregate that ``aggregate`` has compiled."""
    return _COMPILED[name.upper()]


def aggregate(name: str, types: Types) -> CompiledAggregate:
    """The aggregate ``name`` for arguments of ``types``.

    Raises:
        EddylineError: ``sql_semantic`` for an unknown name, a wrong number or type of arguments.
    """
    row = _COMPILED.get(ALIASES.get(name.upper(), name.upper()))
    if row is None:
        near = nearest(name, list(AGGREGATES))
        hint = f"did you mean {near[0]}?" if near else None
        raise EddylineError("sql_semantic", f"unknown aggregate function {name}", hint=hint)
    low, high = row.arity
    if not low <= len(types) <= high:
        expected = str(low) if low == high else f"{low} to {high}"
        msg = f"{row.name} takes {expected} arguments, not {len(types)}"
        raise EddylineError("sql_semantic", msg)
    compiled = row.compile(types)
    for a in compiled.accumulators:
        expect(f"{a.batch} {a.merge} {a.retract}")
    expect(compiled.finish)
    return compiled
