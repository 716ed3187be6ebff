"""PyFlink's ``ListView`` and ``MapView``: lists and dictionaries within an accumulator.

An accumulator is computed anew from its group's rows, so that these hold their values in memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any


class ListView:
    """A list: ``add``, ``add_all``, ``get``, ``clear``."""

    def __init__(self) -> None:
        self._list: list[Any] = []

    def get(self) -> list[Any]:
        """The elements."""
        return self._list

    def add(self, value: Any) -> None:
        """Append an element."""
        self._list.append(value)

    def add_all(self, values: Iterable[Any]) -> None:
        """Append elements."""
        self._list.extend(values)

    def clear(self) -> None:
        """Remove all elements."""
        self._list = []

    def __getitem__(self, place: Any) -> Any:
        return self._list[place]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._list)

    def __len__(self) -> int:
        return len(self._list)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ListView) and self._list == other._list

    def __hash__(self) -> int:
        return hash(tuple(self._list))


class MapView(dict[Any, Any]):
    """A dictionary with PyFlink's further names."""

    def put(self, key: Any, value: Any) -> None:
        """Set a value."""
        self[key] = value

    def put_all(self, dict_value: dict[Any, Any]) -> None:
        """Set several values."""
        self.update(dict_value)

    def remove(self, key: Any) -> None:
        """Remove a key."""
        del self[key]

    def contains(self, key: Any) -> bool:
        """Whether a key is there."""
        return key in self

    def is_empty(self) -> bool:
        """Whether it has no keys."""
        return not self
