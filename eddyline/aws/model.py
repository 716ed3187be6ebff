"""An AWS service's model as botocore ships it, read into plain values.

The model is the one source for operations, members and their constraints, so that nothing about a
service is written down here a second time. Only what a request is checked against is kept.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Shape:
    """One shape: its kind (``string``, ``structure``, …) and its constraints.

    ``low`` and ``high`` bound the length of strings, blobs, lists and maps, the value of numbers.
    """

    name: str
    kind: str
    low: int | None = None
    high: int | None = None
    pattern: str | None = None
    enum: tuple[str, ...] = ()
    required: frozenset[str] = frozenset()
    members: dict[str, Shape] = field(default_factory=dict)
    member: Shape | None = None
    key: Shape | None = None
    value: Shape | None = None


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation: its name and the shape of its input."""

    name: str
    input: Shape


@dataclass(frozen=True, slots=True)
class ServiceModel:
    """A service: its operations by name, and what stands before them in ``X-Amz-Target``."""

    name: str
    target_prefix: str
    operations: dict[str, Operation]


def load(service: str) -> ServiceModel:
    """The newest model of a service that the installed botocore knows."""
    from botocore.loaders import Loader

    raw = Loader().load_service_model(service, "service-2")
    reader = _Reader(raw["shapes"])
    operations = {
        name: Operation(name, reader.shape(o["input"]["shape"]) if "input" in o else _NOTHING)
        for name, o in raw["operations"].items()
    }
    return ServiceModel(service, raw["metadata"]["targetPrefix"], operations)


_NOTHING = Shape("Nothing", "structure")


class _Reader:
    """Shapes by name, each made once (a shape may hold itself)."""

    def __init__(self, raw: dict[str, Any]) -> None:
        self._raw = raw
        self._made: dict[str, Shape] = {}

    def shape(self, name: str) -> Shape:
        if name in self._made:
            return self._made[name]
        raw = self._raw[name]
        made = self._made[name] = Shape(
            name,
            raw["type"],
            raw.get("min"),
            raw.get("max"),
            raw.get("pattern"),
            tuple(raw.get("enum", ())),
            frozenset(raw.get("required", ())),
        )
        made.members = {m: self.shape(r["shape"]) for m, r in raw.get("members", {}).items()}
        made.member, made.key, made.value = (self._inner(raw, p) for p in _PARTS)
        return made

    def _inner(self, raw: dict[str, Any], part: str) -> Shape | None:
        return self.shape(raw[part]["shape"]) if part in raw else None


_PARTS = ("member", "key", "value")
