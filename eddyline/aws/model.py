"""An AWS service's model as botocore ships it, read into plain values.

The model is the only source of operations, members and constraints; nothing about a service is
written down a second time here. Only what requests are checked against is kept.
"""

from __future__ import annotations

import gzip
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

import msgspec


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
    """The newest model of a service that the installed botocore knows.

    The file is read without importing botocore, which would take more time and memory than
    everything else that reading a model needs.
    """
    raw = msgspec.json.decode(_file(service), type=_Raw)
    reader = _Reader(raw.shapes)
    operations = {
        name: Operation(name, reader.shape(o.input.shape) if o.input else _NOTHING)
        for name, o in raw.operations.items()
    }
    return ServiceModel(service, raw.metadata.targetPrefix, operations)


def _file(service: str) -> bytes:
    spec = find_spec("botocore")
    assert spec is not None
    assert spec.origin is not None
    versions = Path(spec.origin).parent / "data" / service
    newest = max(p for p in versions.iterdir() if p.is_dir())
    packed = newest / "service-2.json.gz"
    if packed.exists():
        return gzip.decompress(packed.read_bytes())
    return (newest / "service-2.json").read_bytes()


class _Target(msgspec.Struct):
    shape: str


class _RawOperation(msgspec.Struct):
    input: _Target | None = None


class _RawShape(msgspec.Struct):
    """What is kept of a shape; its documentation is not even decoded."""

    type: str
    min: float | None = None
    max: float | None = None
    pattern: str | None = None
    enum: tuple[str, ...] = ()
    required: frozenset[str] = frozenset()
    members: dict[str, _Target] = {}
    member: _Target | None = None
    key: _Target | None = None
    value: _Target | None = None


class _Metadata(msgspec.Struct):
    targetPrefix: str = ""


class _Raw(msgspec.Struct):
    metadata: _Metadata
    operations: dict[str, _RawOperation]
    shapes: dict[str, _RawShape]


_NOTHING = Shape("Nothing", "structure")


class _Reader:
    """Shapes by name, each made once (a shape may hold itself)."""

    def __init__(self, raw: dict[str, _RawShape]) -> None:
        self._raw = raw
        self._made: dict[str, Shape] = {}

    def shape(self, name: str) -> Shape:
        if name in self._made:
            return self._made[name]
        raw = self._raw[name]
        made = self._made[name] = Shape(
            name, raw.type, _whole(raw.min), _whole(raw.max), raw.pattern, raw.enum, raw.required
        )
        made.members = {m: self.shape(t.shape) for m, t in raw.members.items()}
        made.member, made.key, made.value = map(self._part, (raw.member, raw.key, raw.value))
        return made

    def _part(self, target: _Target | None) -> Shape | None:
        return None if target is None else self.shape(target.shape)


def _whole(bound: float | None) -> int | None:
    return None if bound is None else int(bound)
