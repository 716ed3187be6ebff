"""``import pyflink`` in processes that run notes' Python: a module tree with our names.

It comes before an installed PyFlink, and exists in these processes only, so that nothing is
shadowed elsewhere. Scripts import more than they use, so a name that is missing can be imported
and says so when it is used.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, NoReturn

from eddyline.udf import classes, context, data_types, data_view
from eddyline.udf.row import Row, RowKind

_FUNCTIONS = {
    "AggregateFunction": classes.AggregateFunction,
    "FunctionContext": context.FunctionContext,
    "ScalarFunction": classes.ScalarFunction,
    "TableAggregateFunction": classes.TableAggregateFunction,
    "TableFunction": classes.TableFunction,
    "UserDefinedFunction": classes.UserDefinedFunction,
    "udaf": classes.udaf,
    "udf": classes.udf,
    "udtaf": classes.udtaf,
    "udtf": classes.udtf,
}
_CLASSES = {n: v for n, v in _FUNCTIONS.items() if n[0].isupper()}
_VIEWS = {"ListView": data_view.ListView, "MapView": data_view.MapView}
_TYPES = {"DataType": data_types.DataType, "DataTypes": data_types.DataTypes}
# module -> its names; the kernel adds those of the table environment.
MODULES: dict[str, dict[str, Any]] = {
    "pyflink": {},
    "pyflink.common": {"Row": Row, "RowKind": RowKind},
    "pyflink.common.types": {"Row": Row, "RowKind": RowKind},
    "pyflink.table": {
        "DataTypes": data_types.DataTypes,
        "Row": Row,
        "RowKind": RowKind,
        **_CLASSES,
        **_VIEWS,
    },
    "pyflink.table.data_view": _VIEWS,
    "pyflink.table.types": {**_TYPES, "Row": Row, "RowKind": RowKind},
    "pyflink.table.udf": _FUNCTIONS,
}


class FacadeFinder(MetaPathFinder, Loader):
    """Finds ``pyflink`` and what is below it."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The module of that name; every other module is somebody else's."""
        if name in MODULES:
            return ModuleSpec(name, self, is_package=True)
        return ModuleSpec(name, self, is_package=True) if name.startswith("pyflink.") else None

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """Python's own kind of module."""
        return None

    def exec_module(self, module: ModuleType) -> None:
        """Fill it, and have what is missing name itself."""
        module.__dict__.update(MODULES.get(module.__name__, {}))
        module.__doc__ = "PyFlink's names over Eddyline's engine."

        def absent(name: str) -> Any:
            if name.startswith("__"):
                raise AttributeError(name)
            return Absent(f"{module.__name__}.{name}")

        module.__dict__["__getattr__"] = absent


class Absent:
    """A name of PyFlink's that is not here; whatever is done with it says so."""

    def __init__(self, name: str) -> None:
        self._name = name

    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        raise NotImplementedError(missing(self._name))

    __call__ = __mro_entries__ = __getitem__ = __iter__ = _refuse

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        self._refuse()

    def __repr__(self) -> str:
        return missing(self._name)


def missing(name: str) -> str:
    """The sentence for a name that is not here."""
    for start, advice in _ADVICE.items():
        if name.startswith(start):
            return f"{name} is not available here: {advice}"
    return (
        f"{name} is not available here: Python in notes has TableEnvironment, the Table API, "
        "Python functions and z; write the rest as SQL in st_env.execute_sql(...)"
    )


_TABLES = "write a source or a sink as CREATE TABLE … WITH ('connector' = …) in execute_sql(...)"
_ADVICE = {
    "pyflink.datastream.connectors": _TABLES,
    "pyflink.table.descriptors": _TABLES,
    "pyflink.datastream": "write the transformation as SQL, or as a function with @udf or @udtf",
    "pyflink.ml": "use a Python library inside a function with @udf(func_type='pandas')",
    "pyflink.java_gateway": "there is no Java here; write the function in Python with @udf",
}


def install() -> None:
    """Have ``import pyflink`` find the facade."""
    if not any(isinstance(finder, FacadeFinder) for finder in sys.meta_path):
        sys.meta_path.insert(0, FacadeFinder())
