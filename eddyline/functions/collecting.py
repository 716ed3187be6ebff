"""Aggregates whose state is a list of values or a bitmap: ARRAY_AGG, COLLECT, PERCENTILE, JSON.

They cannot take a value back from the state alone; the engine then computes them again over the
values that are left.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

from eddyline.errors import EddylineError
from eddyline.functions.aggregates import (
    Accumulator,
    AggregateFunction,
    CompiledAggregate,
    Types,
    register_aggregates,
)
from eddyline.functions.bitmaps import BUILD, CARDINALITY, COMBINED, FOLDED
from eddyline.functions.java.hashing import HASHES, order_of_hashes
from eddyline.functions.json_build import NULLS, ORDERED
from eddyline.record.types import (
    BIGINT,
    BYTES_TYPE,
    DOUBLE,
    Root,
    array,
    duckdb_type,
    multiset,
    varchar,
)
from eddyline.record.vector import by_distinct_row, define, define_for

# What Flink says of the JSON aggregates; longer texts are not cut.
_JSON = varchar(2000).not_null()
_TEXTS = "coalesce(list_filter({v}, lambda _x: _x IS NOT NULL), []::VARCHAR[])"
_TOGETHER = f"coalesce(array_to_string({_TEXTS}, ','), '')"
# The later list goes behind the earlier one; a group that is new has none.
_APPENDED = (
    "CASE WHEN {a} IS NULL THEN {b} WHEN {b} IS NULL THEN {a} ELSE list_concat({a}, {b}) END"
)


def _values(kind: str, item: str = "{0}") -> Accumulator:
    return Accumulator(
        "v", f"{kind}[]", f"list({item} ORDER BY {{order}}){{filter}}", _APPENDED, None
    )


def _array_agg(types: Types) -> CompiledAggregate:
    t = types[0].plain().null()
    return CompiledAggregate((_values(duckdb_type(t)),), "{v}", array(t))


def _collect(types: Types) -> CompiledAggregate:
    """A MULTISET, held as a MAP from values to their number; NULL is no value."""
    t = types[0].plain().null()
    result = multiset(t).not_null()
    compute = by_distinct_row(partial(_counted, HASHES.get(t.root)), result)
    name = define_for(f"collect_{t.root.lower().replace(' ', '_')}", result, compute)
    values = f"coalesce({{v}}, []::{duckdb_type(t)}[])"
    return CompiledAggregate((_values(duckdb_type(t)),), f"{name}({values})", result)


def _counted(hashed: Callable[[Any], int] | None, values: list[Any]) -> list[tuple[Any, int]]:
    """Each value with its number, in the order of the HashMap in which Flink counts them."""
    counts: dict[Any, int] = {}
    shown: dict[Any, Any] = {}
    for value in values:
        if value is not None:
            key = repr(value) if isinstance(value, list | dict) else value
            counts[key] = counts.get(key, 0) + 1
            shown.setdefault(key, value)
    keys = list(counts)
    if hashed is not None:
        keys = [keys[i] for i in order_of_hashes([hashed(k) for k in keys])]
    return [(shown[k], counts[k]) for k in keys]


def _percentile(types: Types) -> CompiledAggregate:
    """Between neighbours as far as the place lies between them, as Flink's PERCENTILE."""
    if not types[0].is_numeric:
        msg = f"PERCENTILE needs a number, not {types[0]}"
        raise EddylineError("sql_semantic", msg)
    many = types[1].root is Root.ARRAY
    if len(types) > 2 and not types[2].is_integer:
        msg = f"PERCENTILE's third argument is how often a value counts, not {types[2]}"
        raise EddylineError("sql_semantic", msg)
    places = "{1}::DOUBLE[]" if many else "[{1}::DOUBLE]"
    states = (
        _values("DOUBLE", "({0})::DOUBLE"),
        Accumulator("p", "DOUBLE[]", f"any_value({places})", "coalesce({b}, {a})", None),
    )
    if len(types) > 2:
        counted = "list_transform(range({2}::BIGINT), lambda _i: ({0})::DOUBLE)"
        flat = (
            f"flatten(list(CASE WHEN {{0}} IS NULL THEN []::DOUBLE[] ELSE {counted} END){{filter}})"
        )
        states = (Accumulator("v", "DOUBLE[]", flat, _APPENDED, None), states[1])
    value = f"{_PERCENTILES}({{v}}, {{p}})"
    if many:
        return CompiledAggregate(states, value, array(DOUBLE))
    return CompiledAggregate(states, f"({value})[1]", DOUBLE)


def _percentiles(
    values: list[float | None], places: list[float | None]
) -> list[float | None] | None:
    known = sorted(v for v in values if v is not None)
    if not known:
        return None
    return [None if p is None else _at(known, p) for p in places]


def _at(values: list[float], place: float) -> float:
    if not 0 <= place <= 1:
        msg = f"PERCENTILE's place is between 0 and 1, not {place}"
        raise EddylineError("sql_runtime", msg)
    exact = place * (len(values) - 1)
    low, high = math.floor(exact), math.ceil(exact)
    if low == high:
        return values[low]
    return values[low] * (high - exact) + values[high] * (exact - low)


_PERCENTILES = define("percentiles", array(DOUBLE), by_distinct_row(_percentiles, array(DOUBLE)))


def _json_array(absent: bool) -> Callable[[Types], CompiledAggregate]:
    item = "{0}" if absent else "coalesce({0}, 'null')"

    def compiled(types: Types) -> CompiledAggregate:
        text = f"'[' || {_TOGETHER} || ']'"
        return CompiledAggregate((_values("VARCHAR", item),), text, _JSON)

    return compiled


def _json_object(types: Types) -> CompiledAggregate:
    """The grammar gives pairs of a key and a value; one that is to be left out is NULL."""
    text = f"{ORDERED}('{{{{' || {_TOGETHER} || '}}}}')"
    return CompiledAggregate((_values("VARCHAR"),), text, _JSON)


def _bitmap_state(types: Types, operation: str) -> Accumulator:
    if operation == "build":
        if not types[0].is_integer or types[0].root is Root.BIGINT:
            msg = f"BITMAP_BUILD_AGG needs INT, not {types[0]}"
            raise EddylineError("sql_semantic", msg)
        batch, merge = f"{BUILD}(list(CAST({{0}} AS INTEGER)){{filter}})", COMBINED["or"]
    else:
        if types[0].root not in (Root.BINARY, Root.VARBINARY):
            msg = f"BITMAP_{operation.upper()}_AGG needs a bitmap, not {types[0]}"
            raise EddylineError("sql_semantic", msg, hint="BITMAP_BUILD(ARRAY[1, 2]) makes one")
        batch, merge = f"{FOLDED[operation]}(list({{0}}){{filter}})", COMBINED[operation]
    both = f"{merge}({{a}}, {{b}})"
    merged = f"CASE WHEN {{a}} IS NULL THEN {{b}} WHEN {{b}} IS NULL THEN {{a}} ELSE {both} END"
    return Accumulator("m", "BLOB", batch, merged, None)


def _bitmap(operation: str, *, count: bool) -> Callable[[Types], CompiledAggregate]:
    def compiled(types: Types) -> CompiledAggregate:
        state = _bitmap_state(types, operation)
        if count:
            return CompiledAggregate((state,), f"{CARDINALITY}({{m}})", BIGINT)
        return CompiledAggregate((state,), "{m}", BYTES_TYPE)

    return compiled


def _bitmap_rows() -> list[AggregateFunction]:
    rows = []
    for operation in ("build", "and", "or", "xor"):
        argument = "(x)" if operation == "build" else "(BITMAP_BUILD(ARRAY[x]))"
        counts = {"build": 3, "and": 0, "or": 3, "xor": 3}
        what = "integers" if operation == "build" else "sets"
        doc = f"The set of a group's {what}" + (
            "." if operation == "build" else f", combined by {operation.upper()}."
        )
        name = f"BITMAP_{operation.upper()}_AGG"
        data = _EXAMPLES[operation]
        rows.append(
            AggregateFunction(name, (1, 1), _bitmap(operation, count=False), doc, (argument, data))
        )
        rows.append(
            AggregateFunction(
                f"BITMAP_{operation.upper()}_CARDINALITY_AGG",
                (1, 1),
                _bitmap(operation, count=True),
                f"How many integers BITMAP_{operation.upper()}_AGG has.",
                (argument, counts[operation]),
            )
        )
    return rows


def _portable(*values: int) -> bytes:
    """The portable format of a small set, written out."""
    if not values:
        return bytes.fromhex("3a30000000000000")
    size = len(values) - 1
    head = (12346).to_bytes(4, "little") + (1).to_bytes(4, "little") + bytes(2)
    offset = (16).to_bytes(4, "little")
    body = b"".join(v.to_bytes(2, "little") for v in values)
    return head + size.to_bytes(2, "little") + offset + body


_EXAMPLES = {
    "build": _portable(1, 2, 4),
    "and": _portable(),
    "or": _portable(1, 2, 4),
    "xor": _portable(1, 2, 4),
}
_LIST: list[Any] = [1, 2, 4, None]
register_aggregates(
    (
        AggregateFunction(
            "ARRAY_AGG", (1, 1), _array_agg, "All values, as an array.", ("(x)", _LIST), True
        ),
        AggregateFunction(
            "COLLECT", (1, 1), _collect, "All values with their number, without NULL.",
            ("(x)", {1: 1, 2: 1, 4: 1}), True,
        ),
        AggregateFunction(
            "PERCENTILE", (2, 3), _percentile, "The value at a place between 0 and 1.",
            ("(x, 0.5)", 2.0), True,
        ),
        *(
            AggregateFunction(
                f"JSON_ARRAYAGG_{NULLS[absent]}", (1, 1), _json_array(absent),
                "A JSON array of a group's values.",
                ("(JSON_STRING(x))", "[1,2,4]" if absent else "[1,2,4,null]"), True,
            )
            for absent in (False, True)
        ),
        *(
            AggregateFunction(
                f"JSON_OBJECTAGG_{nulls}", (1, 1), _json_object,
                "A JSON object of a group's keys and values.",
                ("('\"k\":' || JSON_STRING(x))", '{"k":4}'), True,
            )
            for nulls in NULLS
        ),
        *_bitmap_rows(),
    )
)  # fmt: skip
