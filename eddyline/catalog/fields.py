"""Options of single columns, ``fields.<column>.<setting>``, of the connectors that make rows."""

from __future__ import annotations

from collections.abc import Iterator

from eddyline.catalog.table import CatalogTable, ColumnKind
from eddyline.errors import EddylineError, nearest
from eddyline.record.types import DataType, Root

# Connector -> the settings of a column.
SETTINGS: dict[str, tuple[str, ...]] = {
    "datagen": (
        "kind", "min", "max", "max-past", "length", "var-len", "start", "end", "null-rate",
    ),
    "faker": ("expression", "null-rate", "length"),
}  # fmt: skip


def check_fields(table: CatalogTable, connector: str) -> None:
    """See that each option of a column names a column, or a part of one, and a known setting.

    Raises:
        EddylineError: ``sql_semantic`` with the nearest name.
    """
    settings = SETTINGS.get(connector)
    if settings is None:
        return
    columns = [c for c in table.columns if c.kind is ColumnKind.PHYSICAL]
    paths = [path for c in columns for path in _paths(c.name, c.type)]
    known = [f"fields.{path}.{setting}" for path in paths for setting in settings]
    for key in table.options:
        if key.startswith("fields.") and key not in known:
            near = nearest(key, known)
            hint = f"did you mean '{near[0]}'?" if near else f"settings are {', '.join(settings)}"
            message = f"table {table.path}: the option '{key}' belongs to no column"
            raise EddylineError("sql_semantic", message, hint=hint)


def _paths(path: str, kind: DataType) -> Iterator[str]:
    """A column and the parts of a nested one."""
    yield path
    names = kind.names if kind.root is Root.ROW else ("key", "value")
    if kind.root in (Root.ROW, Root.MAP):
        for name, child in zip(names, kind.children, strict=True):
            yield from _paths(f"{path}.{name}", child)
