"""``import pyflink`` inside our kernels: a module tree whose names are those of our facade.

It comes before an installed PyFlink, and exists in kernels only, so that nothing is shadowed
elsewhere. A name that the facade lacks says so when it is imported.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from eddyline.kernel import tables

_TABLE = {
    "EnvironmentSettings": tables.EnvironmentSettings,
    "Row": tables.Row,
    "StatementSet": tables.StatementSet,
    "StreamTableEnvironment": tables.StreamTableEnvironment,
    "Table": tables.Table,
    "TableEnvironment": tables.StreamTableEnvironment,
    "TableResult": tables.TableResult,
}
# module -> its names
MODULES: dict[str, dict[str, Any]] = {
    "pyflink": {},
    "pyflink.common": {"Row": tables.Row},
    "pyflink.datastream": {"StreamExecutionEnvironment": tables.StreamExecutionEnvironment},
    "pyflink.table": _TABLE,
    "pyflink.table.environment_settings": {"EnvironmentSettings": tables.EnvironmentSettings},
    "pyflink.table.table_environment": {
        "StreamTableEnvironment": tables.StreamTableEnvironment,
        "TableEnvironment": tables.StreamTableEnvironment,
    },
}


class FacadeFinder(MetaPathFinder, Loader):
    """Finds ``pyflink`` and what is below it."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The module of that name; every other module is somebody else's."""
        if name in MODULES:
            return ModuleSpec(name, self, is_package=True)
        if name.startswith("pyflink."):
            raise ImportError(missing(name))
        return None

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """Python's own kind of module."""
        return None

    def exec_module(self, module: ModuleType) -> None:
        """Fill it, and have what is missing name itself."""
        module.__dict__.update(MODULES[module.__name__])
        module.__doc__ = "PyFlink's names over Eddyline's engine."

        def absent(name: str) -> Any:
            if name.startswith("__"):
                raise AttributeError(name)
            raise ImportError(missing(f"{module.__name__}.{name}"))

        module.__dict__["__getattr__"] = absent


def missing(name: str) -> str:
    """The sentence for what the facade does not have."""
    return (
        f"{name} is not available here: Python in notes has TableEnvironment, execute_sql, "
        "sql_query and z.show; write the rest as SQL in execute_sql(...)"
    )


def install() -> None:
    """Have ``import pyflink`` find the facade."""
    if not any(isinstance(finder, FacadeFinder) for finder in sys.meta_path):
        sys.meta_path.insert(0, FacadeFinder())
