"""Python functions as parts of DuckDB statements.

A function becomes a vector function (``record/vector.py``), which sends each chunk of rows to the
functions' process. Its name holds a hash of its definition and types, so that two definitions of
one SQL name never meet.
"""

from __future__ import annotations

import hashlib

import pyarrow as pa

from eddyline.catalog.function import CatalogFunction, FunctionKind
from eddyline.functions.aggregates import (
    Accumulator,
    AggregateFunction,
    CompiledAggregate,
    define_aggregate,
)
from eddyline.record.types import DataType, array, duckdb_type
from eddyline.record.vector import define
from eddyline.udf.process import PROCESS


def template(function: CatalogFunction, types: tuple[DataType, ...], result: DataType) -> str:
    """A call's text over ``{0}``, ``{1}``, …"""
    name = _defined(function, types, result)
    # DuckDB does not say how many rows a call without arguments is for.
    arguments = ", ".join(f"{{{i}}}" for i in range(len(types))) or "1"
    return f"{name}({arguments})"


def _defined(function: CatalogFunction, types: tuple[DataType, ...], result: DataType) -> str:
    kept = tuple(t.plain().null() for t in types)

    def compute(*columns: pa.Array) -> pa.Array:
        taken = columns if types else ()
        return PROCESS.call(function, kept, result, taken, len(columns[0]))

    about = f"{function.key} {result} {kept}".encode()
    name = f"udf_{hashlib.sha256(about).hexdigest()[:16]}"
    return define(name, result, compute, volatile=not function.deterministic)


def aggregate_name(function: CatalogFunction, types: tuple[DataType, ...]) -> str:
    """The name of the aggregate over one argument, a ROW of the function's arguments.

    Its accumulator is the list of the group's rows: the function is called over all of them
    whenever the group's value is needed, in order of arrival, so that it needs no ``merge`` and no
    ``retract``.
    """
    kept = tuple(t.plain().null() for t in types)
    many = function.kind is FunctionKind.TABLE_AGGREGATE
    result = array(function.result) if many else function.result
    about = f"{function.key} {result} {kept}".encode()
    digest = hashlib.sha256(about).hexdigest()[:16]

    def compute(groups: pa.Array) -> pa.Array:
        return PROCESS.call(function, kept, result, (groups,), len(groups))

    name = define(f"udaf_{digest}", result, compute, volatile=not function.deterministic)

    def compiled(arguments: tuple[DataType, ...]) -> CompiledAggregate:
        kind = duckdb_type(arguments[0]) + "[]"
        rows = Accumulator(
            "r",
            kind,
            "list({0} ORDER BY {order}){filter}",
            "list_concat({a}, {b})",
            None,
        )
        return CompiledAggregate((rows,), f"{name}(coalesce({{r}}, []::{kind}))", result)

    doc = f"Python function {function.path.name}."
    define_aggregate(AggregateFunction(name.upper(), (1, 1), compiled, doc, ("(x)", None), True))
    return name.upper()
