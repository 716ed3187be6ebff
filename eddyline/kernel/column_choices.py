"""Several columns by one expression of the Table API: ``with_columns(range_('a', 'd'))``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from eddyline.kernel.expressions import Expression

Pick = Callable[[list[str]], list[str]]


class ColumnSelection(Expression):
    """Columns that ``select`` picks from those that the table has."""

    def __init__(self, text: str, pick: Pick) -> None:
        super().__init__(text)
        self.pick = pick


def range_(start: Any, end: Any) -> ColumnSelection:
    """The columns from one to another, by name, or by place; the first is 1."""

    def pick(columns: list[str]) -> list[str]:
        first, last = (_place(bound, columns) for bound in (start, end))
        return columns[first : last + 1]

    return ColumnSelection(f"range_({start!r}, {end!r})", pick)


def with_columns(head: Any, *tail: Any) -> ColumnSelection:
    """These columns."""
    return ColumnSelection("with_columns(...)", lambda columns: _picked((head, *tail), columns))


def without_columns(head: Any, *tail: Any) -> ColumnSelection:
    """All columns but these."""

    def pick(columns: list[str]) -> list[str]:
        left_out = _picked((head, *tail), columns)
        return [name for name in columns if name not in left_out]

    return ColumnSelection("without_columns(...)", pick)


def with_all_columns() -> ColumnSelection:
    """All columns."""
    return ColumnSelection("with_all_columns()", list)


def _picked(choices: tuple[Any, ...], columns: list[str]) -> list[str]:
    names = list[str]()
    for choice in choices:
        if isinstance(choice, ColumnSelection):
            names += choice.pick(columns)
        else:
            names.append(columns[_place(choice, columns)])
    return names


def _place(bound: Any, columns: list[str]) -> int:
    """Where a column stands, by its name or its number.

    Raises:
        ValueError: there is no such column.
    """
    value = getattr(bound, "value", None) if isinstance(bound, Expression) else bound
    if isinstance(value, int):
        return value - 1
    name = bound.names[0] if isinstance(bound, Expression) and bound.names else str(bound)
    if name not in columns:
        msg = f"there is no column {name}; there are {', '.join(columns)}"
        raise ValueError(msg)
    return columns.index(name)


NAMES: dict[str, Any] = {
    "range_": range_,
    "with_all_columns": with_all_columns,
    "with_columns": with_columns,
    "without_columns": without_columns,
}
