"""PyFlink's classes of functions and its decorators ``udf``, ``udtf``, ``udaf`` and ``udtaf``.

A function is a class with ``eval`` (or ``accumulate`` and ``get_value``), or any callable that a
decorator has given its result type.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from typing import Any

from eddyline.udf.context import FunctionContext
from eddyline.udf.data_types import DataType, as_type

PANDAS = "pandas"
GENERAL = "general"


class UserDefinedFunction:
    """What all kinds of functions have in common."""

    def open(self, function_context: FunctionContext) -> None:
        """Called once in the function's process, before the first row."""

    def close(self) -> None:
        """Called when the function's process ends in good order."""

    def is_deterministic(self) -> bool:
        """Whether equal arguments always give equal results."""
        return True


class ScalarFunction(UserDefinedFunction):
    """One value per row: ``eval(self, *args)``."""


class TableFunction(UserDefinedFunction):
    """Any number of rows per row: ``eval(self, *args)`` yields or returns them."""


class ImperativeAggregateFunction(UserDefinedFunction):
    """A value, or rows, per group, over an accumulator."""

    def create_accumulator(self) -> Any:
        """The accumulator of an empty group."""
        raise NotImplementedError

    def accumulate(self, accumulator: Any, *args: Any) -> None:
        """Add a row."""
        raise NotImplementedError

    def get_result_type(self) -> Any:
        """The type of the result."""
        return None

    def get_accumulator_type(self) -> Any:
        """The type of the accumulator."""
        return None


class AggregateFunction(ImperativeAggregateFunction):
    """One value per group: ``get_value(self, accumulator)``."""

    def get_value(self, accumulator: Any) -> Any:
        """The group's value."""
        raise NotImplementedError


class TableAggregateFunction(ImperativeAggregateFunction):
    """Any number of rows per group: ``emit_value(self, accumulator)`` yields them."""

    def emit_value(self, accumulator: Any) -> Iterable[Any]:
        """The group's rows."""
        raise NotImplementedError


class FunctionWrapper:
    """A function with its types, as the decorators make it.

    kind: scalar, table, aggregate or table aggregate. result_type: of a table function a list of
    types, or one ROW type.
    """

    def __init__(
        self,
        function: Any,
        kind: str,
        result_type: Any,
        input_types: Any = None,
        func_type: str = GENERAL,
        deterministic: bool | None = None,
        name: str | None = None,
    ) -> None:
        if inspect.isclass(function):
            function = function()
        if not callable(function) and not isinstance(function, UserDefinedFunction):
            msg = f"a function is a callable or a {kind} function's class, not {function!r}"
            raise TypeError(msg)
        if func_type not in (GENERAL, PANDAS):
            msg = f"func_type is 'general' or 'pandas', not {func_type!r}"
            raise ValueError(msg)
        self._func = function
        self.kind = kind
        self.result_type = result_type
        self.input_types = None if input_types is None else _types(input_types)
        self.func_type = func_type
        own = function.is_deterministic() if isinstance(function, UserDefinedFunction) else True
        self.deterministic = own if deterministic is None else deterministic
        self.name = name or str(getattr(function, "__name__", type(function).__name__))
        self.__name__ = self.name
        self.__doc__ = getattr(function, "__doc__", None)

    @property
    def function(self) -> Any:
        """The callable or the instance."""
        return self._func

    def alias(self, *names: str) -> FunctionWithNames:
        """The function over whole rows, its result's columns under these names."""
        return FunctionWithNames(self, names)

    def __call__(self, *args: Any) -> Any:
        """Called with columns it gives an expression; with plain values, its value."""
        from eddyline.udf.hooks import CALL_WITH_COLUMNS

        if CALL_WITH_COLUMNS and (expression := CALL_WITH_COLUMNS[0](self, args)) is not None:
            return expression
        function = self._func
        return function.eval(*args) if hasattr(function, "eval") else function(*args)


class FunctionWithNames:
    """A function that takes whole rows, and what its result's columns are called."""

    def __init__(self, wrapper: FunctionWrapper, names: tuple[str, ...]) -> None:
        self.wrapper = wrapper
        self.names = names


def _types(value: Any) -> list[DataType]:
    if isinstance(value, list | tuple):
        return [as_type(v) for v in value]
    return [as_type(value)]


def _decorated(kind: str, f: Any, result: Any, options: dict[str, Any]) -> Any:
    def wrapped(function: Any) -> FunctionWrapper:
        if isinstance(function, FunctionWrapper):
            return function
        kept = result
        if kept is None and isinstance(function, ImperativeAggregateFunction):
            kept = function.get_result_type()
        if kept is None:
            word = "result_types" if kind == "table" else "result_type"
            hint = "for example result_type=DataTypes.BIGINT()"
            msg = f"a {kind} function needs its {word}, {hint}"
            raise TypeError(msg)
        return FunctionWrapper(function, kind, kept, **options)

    return wrapped if f is None else wrapped(f() if inspect.isclass(f) else f)


def udf(
    f: Callable[..., Any] | ScalarFunction | type | None = None,
    input_types: Any = None,
    result_type: Any = None,
    deterministic: bool | None = None,
    name: str | None = None,
    func_type: str = GENERAL,
    udf_type: str | None = None,
) -> Any:
    """A scalar function: ``@udf(result_type=DataTypes.INT())`` or ``udf(f, result_type=…)``."""
    options = _options(input_types, deterministic, name, udf_type or func_type)
    return _decorated("scalar", f, result_type, options)


def udtf(
    f: Callable[..., Any] | TableFunction | type | None = None,
    input_types: Any = None,
    result_types: Any = None,
    deterministic: bool | None = None,
    name: str | None = None,
) -> Any:
    """A table function, whose rows have the columns ``result_types``."""
    return _decorated("table", f, result_types, _options(input_types, deterministic, name, GENERAL))


def udaf(
    f: Callable[..., Any] | AggregateFunction | type | None = None,
    input_types: Any = None,
    result_type: Any = None,
    accumulator_type: Any = None,
    deterministic: bool | None = None,
    name: str | None = None,
    func_type: str = GENERAL,
) -> Any:
    """An aggregate function. The accumulator stays in Python, so that its type may be left out."""
    options = _options(input_types, deterministic, name, func_type)
    return _decorated("aggregate", f, result_type, options)


def udtaf(
    f: TableAggregateFunction | type | None = None,
    input_types: Any = None,
    result_type: Any = None,
    accumulator_type: Any = None,
    deterministic: bool | None = None,
    name: str | None = None,
    func_type: str = GENERAL,
) -> Any:
    """A table aggregate function, for ``flat_aggregate`` of the Table API."""
    options = _options(input_types, deterministic, name, func_type)
    return _decorated("table aggregate", f, result_type, options)


def _options(
    input_types: Any, deterministic: bool | None, name: str | None, func_type: str
) -> dict[str, Any]:
    return {
        "input_types": input_types,
        "deterministic": deterministic,
        "name": name,
        "func_type": func_type,
    }
