"""``Row``, as PyFlink has it: values that may have names and the kind of a change.

Its values can be set, because accumulators of aggregate functions are often rows.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum
from typing import Any


class RowKind(IntEnum):
    """The kinds of change of a row."""

    INSERT = 0
    UPDATE_BEFORE = 1
    UPDATE_AFTER = 2
    DELETE = 3

    def __str__(self) -> str:
        return ("+I", "-U", "+U", "-D")[self]


class Row(list[Any]):
    """A row: ``Row(1, 'a')`` or ``Row(id=1, name='a')``; fields by place, by name, by attribute."""

    kind: str
    _names: tuple[str, ...]

    def __init__(self, *values: Any, kind: str = "+I", **named: Any) -> None:
        if values and named:
            msg = "a Row has values by place or by name, not both"
            raise ValueError(msg)
        super().__init__(values or named.values())
        self.kind = kind
        self._names = tuple(named)

    @classmethod
    def named(cls, names: Iterable[str], values: Iterable[Any]) -> Row:
        """A row with these names, which need not be Python's."""
        row = cls(*values)
        row._names = tuple(names)
        return row

    def __call__(self, *values: Any) -> Row:
        """``Row('id', 'name')(1, 'a')``: a row whose names are the values of this one."""
        return Row.named(tuple(map(str, self)), values)

    def __getitem__(self, place: Any) -> Any:
        if isinstance(place, str):
            if place not in self._names:
                raise KeyError(place)
            return super().__getitem__(self._names.index(place))
        return super().__getitem__(place)

    def __setitem__(self, place: Any, value: Any) -> None:
        super().__setitem__(self._names.index(place) if isinstance(place, str) else place, value)

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(tuple(self))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Row | tuple) and tuple(self) == tuple(other)

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("_") and name in self._names:
            return self[name]
        raise AttributeError(name)

    def as_dict(self, recursive: bool = False) -> dict[str, Any]:
        """The fields by name."""
        if not self._names and self:
            msg = "a Row without names is no dictionary"
            raise TypeError(msg)
        deep = recursive
        values = (v.as_dict(True) if deep and isinstance(v, Row) and v._names else v for v in self)
        return dict(zip(self._names, values, strict=True))

    def get_fields_by_names(self, names: list[str]) -> Row:
        """A row of some fields."""
        return Row.named(names, (self[n] for n in names))

    def set_field_names(self, names: list[str]) -> None:
        """Give the fields names."""
        self._names = tuple(names)

    def get_row_kind(self) -> RowKind:
        """The kind of the change."""
        return RowKind(("+I", "-U", "+U", "-D").index(self.kind))

    def set_row_kind(self, kind: RowKind) -> None:
        """Set the kind of the change."""
        self.kind = str(kind)

    def __reduce__(self) -> Any:
        return _restored, (self._names, tuple(self), self.kind)

    def __repr__(self) -> str:
        if self._names:
            pairs = zip(self._names, self, strict=True)
            return f"Row({', '.join(f'{n}={v!r}' for n, v in pairs)})"
        return f"<Row({', '.join(map(repr, self))})>"


def _restored(names: tuple[str, ...], values: tuple[Any, ...], kind: str) -> Row:
    row = Row(*values, kind=kind)
    row._names = names
    return row
