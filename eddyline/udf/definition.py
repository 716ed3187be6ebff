"""A function's definition as JSON: made where the function is, read where it is registered.

It holds the pickled function and its types as SQL text, so that the process that registers it
never has to run the function's code.
"""

from __future__ import annotations

import base64
import inspect
import pickle
import sys
import textwrap
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from eddyline.catalog.function import python_version
from eddyline.udf import classes
from eddyline.udf.data_types import DataType, DataTypes, as_type


@dataclass(frozen=True, slots=True)
class Definition:
    """A function's definition. result, arguments: SQL types as text.

    first_line: the line of ``source``'s first line in its file, 0 if there is no source.
    """

    kind: str
    pickle: bytes
    python: str
    result: str
    arguments: list[str] | None
    vectorised: bool
    deterministic: bool
    source: str
    first_line: int

    def as_dict(self) -> dict[str, Any]:
        """JSON values."""
        return {
            "kind": self.kind,
            "pickle": base64.b64encode(self.pickle).decode(),
            "python": self.python,
            "result": self.result,
            "arguments": self.arguments,
            "vectorised": self.vectorised,
            "deterministic": self.deterministic,
            "source": self.source,
            "first_line": self.first_line,
        }

    @staticmethod
    def of(data: dict[str, Any]) -> Definition:
        """What ``as_dict`` made."""
        return Definition(**{**data, "pickle": base64.b64decode(data["pickle"])})


class _PickleWithFolders:
    """A function's pickle that tells the process that loads it where further modules are."""

    def __init__(self, folders: tuple[str, ...], pickled: bytes) -> None:
        self._arguments = folders, pickled

    def __reduce__(self) -> Any:
        return loaded_from, self._arguments


def loaded_from(folders: tuple[str, ...], pickled: bytes) -> Any:
    """The function of a pickle; it may import modules of these folders."""
    for folder in folders:
        if folder not in sys.path:
            sys.path.append(folder)
    return pickle.loads(pickled)


def defined(function: Any, folders: tuple[str, ...] = ()) -> Definition:
    """The definition of a decorated function, or of an instance or class of PyFlink's classes.

    folders: where modules are that the function imports when it is called.

    Raises:
        TypeError: it is no function, or its result type is unknown.
    """
    import cloudpickle

    wrapper = as_wrapper(function)
    arguments = None if wrapper.input_types is None else [str(t) for t in wrapper.input_types]
    pickled = cloudpickle.dumps(wrapper.function)
    return Definition(
        wrapper.kind,
        pickle.dumps(_PickleWithFolders(folders, pickled)) if folders else pickled,
        python_version(),
        result_text(wrapper),
        arguments,
        wrapper.func_type == classes.PANDAS,
        wrapper.deterministic,
        *source_of(wrapper.function),
    )


def as_wrapper(function: Any) -> classes.FunctionWrapper:
    """The function with its types.

    Raises:
        TypeError: as ``defined``.
    """
    if isinstance(function, classes.FunctionWrapper):
        return function
    if inspect.isclass(function) and issubclass(function, classes.UserDefinedFunction):
        function = function()
    if isinstance(function, classes.AggregateFunction):
        return as_wrapper(classes.udaf(function))
    if isinstance(function, classes.TableAggregateFunction):
        return as_wrapper(classes.udtaf(function))
    example = "@udf(result_type=DataTypes.BIGINT())"
    word = getattr(function, "__name__", repr(function))
    msg = f"{word} has no result type; decorate it, for example with {example}"
    raise TypeError(msg)


def result_text(wrapper: classes.FunctionWrapper) -> str:
    """The SQL type of the result; of a table function always a ROW."""
    kept = wrapper.result_type
    if wrapper.kind in ("table", "table aggregate"):
        types = [as_type(t) for t in kept] if isinstance(kept, list | tuple) else [as_type(kept)]
        if len(types) == 1 and str(types[0]).upper().startswith("ROW"):
            return str(types[0])
        return str(DataTypes.ROW(types))
    if isinstance(kept, list | tuple):
        kept = DataTypes.ROW(kept)
    text: DataType = as_type(kept)
    return str(text)


def source_of(function: Any) -> tuple[str, int]:
    """The Python text of a function and its first line's number; empty and 0 without one."""
    with suppress(OSError, TypeError):
        is_plain = inspect.isfunction(function) or inspect.ismethod(function)
        lines, first = inspect.getsourcelines(function if is_plain else type(function))
        return textwrap.dedent("".join(lines)), max(first, 1)
    return "", 0
