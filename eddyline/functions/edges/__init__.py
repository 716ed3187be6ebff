"""Unusual calls of the functions with the values that a real Flink gave: NULL, empty, negative,
huge, malformed.

One file per area, one JSON array per line: function, call, type, value as Flink prints it (null
for NULL), and a session zone other than UTC. A call that fails in Flink has ``"fails"`` as its
type. The calls refer to the columns of one row, which ``tests/functions/functions_kit.py`` lists;
``tests/functions/record_edges.py`` writes the types and values.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent
FAILS = "fails"


@dataclass(frozen=True, slots=True)
class Edge:
    """One call: its type and its value as Flink prints it, None for NULL."""

    function: str
    call: str
    type: str
    value: str | None = None
    zone: str = "UTC"

    @property
    def fails(self) -> bool:
        """Whether Flink refuses the call, or fails over its values."""
        return self.type == FAILS


class _Edges(Mapping[str, tuple[Edge, ...]]):
    """Function name to its recorded calls; read when first asked for."""

    def __getitem__(self, name: str) -> tuple[Edge, ...]:
        return _recorded()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(_recorded())

    def __len__(self) -> int:
        return len(_recorded())


EDGES: Mapping[str, tuple[Edge, ...]] = _Edges()


@cache
def _recorded() -> dict[str, tuple[Edge, ...]]:
    by_name: dict[str, list[Edge]] = {}
    for path in sorted(FOLDER.glob("*.jsonl")):
        for line in path.read_text().splitlines():
            edge = Edge(*json.loads(line))
            by_name.setdefault(edge.function, []).append(edge)
    return {name: tuple(edges) for name, edges in by_name.items()}
