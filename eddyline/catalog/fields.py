"""Options of single columns, ``fields.<column>.<setting>``, of the connectors that make rows."""

from __future__ import annotations

from collections.abc import Iterator

from eddyline.catalog.table import CatalogTable, ColumnKind
from eddyline.errors import EddylineError, nearest
from eddyline.options.connector import Connector
from eddyline.record.types import DataType, Root


def check_fields(table: CatalogTable, row: Connector) -> None:
    """See that each option of a column names a column, or a part of one, and a known setting.

    Raises:
        EddylineError: ``sql_semantic`` with the nearest name.
    """
    if not row.column_settings:
        return
    columns = [c for c in table.columns if c.kind is ColumnKind.PHYSICAL]
    paths = [path for c in columns for path in _paths(c.name, c.type)]
    known = {f"fields.{path}.{s.name}": s for path in paths for s in row.column_settings}
    for key, value in table.options.items():
        if not key.startswith("fields."):
            continue
        if key not in known:
            near = nearest(key, list(known))
            settings = ", ".join(s.name for s in row.column_settings)
            hint = f"did you mean '{near[0]}'?" if near else f"settings are {settings}"
            raise EddylineError(
                "sql_semantic", f"the option '{key}' belongs to no column", hint=hint
            )
        known[key].parse(key, value)


def _paths(path: str, kind: DataType) -> Iterator[str]:
    """A column and the parts of a nested one."""
    yield path
    parts = {Root.ROW: kind.names, Root.MAP: ("key", "value")}.get(
        kind.root, ("element",) if kind.children else ()
    )
    for name, child in zip(parts, kind.children, strict=kind.root is Root.ROW):
        yield from _paths(f"{path}.{name}", child)
