"""An AWS service's model as botocore ships it, read into plain values.

The model is the only source of operations, members, constraints and names on the wire; nothing
about a service is written down a second time here. Documentation and examples are not even decoded.
"""

from __future__ import annotations

import gzip
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

import msgspec


@dataclass(frozen=True, slots=True)
class Wiring:
    """How a member, list item, map key or map value is written: the traits of its reference.

    name: the name on the wire where it differs from the member's. location: ``header``, ``uri``,
    ``querystring``, ``headers`` or ``statusCode``; None for the body. format: of a timestamp.
    """

    name: str | None = None
    location: str | None = None
    flattened: bool = False
    attribute: bool = False
    format: str | None = None


PLAIN = Wiring()


@dataclass(slots=True)
class Shape:
    """One shape: its kind (``string``, ``structure``, …), its constraints and its wiring.

    ``low`` and ``high`` bound the length of strings, blobs, lists and maps, the value of numbers.
    ``wirings``: of a structure's members by name, and of ``member``, ``key`` and ``value``.
    ``payload``: the member that is the whole body. ``code`` and ``status``: of an error.
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
    wirings: dict[str, Wiring] = field(default_factory=dict)
    flattened: bool = False
    payload: str | None = None
    format: str | None = None
    code: str | None = None
    status: int | None = None

    def wiring(self, name: str) -> Wiring:
        """The wiring of a member, or of ``member``, ``key`` or ``value``."""
        return self.wirings.get(name, PLAIN)


@dataclass(frozen=True, slots=True)
class OperationModel:
    """One operation: its name, the shapes of its input and output, and its place in HTTP.

    wrapper: the element around a query protocol's output. status: of a successful response.
    """

    name: str
    input: Shape
    output: Shape
    method: str = "POST"
    uri: str = "/"
    status: int = 200
    wrapper: str | None = None
    errors: tuple[Shape, ...] = ()


@dataclass(frozen=True, slots=True)
class ServiceModel:
    """A service: its protocol, its names, and its operations by name."""

    name: str
    protocol: str
    target_prefix: str
    signing_name: str
    api_version: str
    xml_namespace: str
    operations: dict[str, OperationModel]


def load(service: str) -> ServiceModel:
    """The newest model of a service that the installed botocore knows.

    The file is read without importing botocore, which would take more time and memory than
    everything else that reading a model needs.
    """
    raw = msgspec.json.decode(_file(service), type=_Raw)
    reader = _ShapeReader(raw.shapes)
    metadata = raw.metadata
    return ServiceModel(
        service,
        metadata.protocol,
        metadata.targetPrefix,
        metadata.signingName or metadata.endpointPrefix,
        metadata.apiVersion,
        metadata.xmlNamespace,
        {name: reader.operation(name, o) for name, o in raw.operations.items()},
    )


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
    locationName: str | None = None
    location: str | None = None
    flattened: bool = False
    xmlAttribute: bool = False
    timestampFormat: str | None = None
    resultWrapper: str | None = None


class _Http(msgspec.Struct, frozen=True):
    method: str = "POST"
    requestUri: str = "/"
    responseCode: int = 200


class _RawOperation(msgspec.Struct):
    input: _Target | None = None
    output: _Target | None = None
    http: _Http = _Http()
    errors: tuple[_Target, ...] = ()


class _Error(msgspec.Struct, frozen=True):
    code: str | None = None
    httpStatusCode: int | None = None


class _RawShape(msgspec.Struct):
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
    flattened: bool = False
    payload: str | None = None
    timestampFormat: str | None = None
    error: _Error = _Error()


class _Metadata(msgspec.Struct):
    protocol: str = ""
    targetPrefix: str = ""
    signingName: str = ""
    endpointPrefix: str = ""
    apiVersion: str = ""
    xmlNamespace: str = ""


class _Raw(msgspec.Struct):
    metadata: _Metadata
    operations: dict[str, _RawOperation]
    shapes: dict[str, _RawShape]


_NOTHING = Shape("Nothing", "structure")


class _ShapeReader:
    """Shapes by name, each made once (a shape may hold itself)."""

    def __init__(self, raw: dict[str, _RawShape]) -> None:
        self._raw = raw
        self._made: dict[str, Shape] = {}

    def operation(self, name: str, raw: _RawOperation) -> OperationModel:
        return OperationModel(
            name,
            self.shape(raw.input.shape) if raw.input else _NOTHING,
            self.shape(raw.output.shape) if raw.output else _NOTHING,
            raw.http.method,
            raw.http.requestUri,
            raw.http.responseCode,
            raw.output.resultWrapper if raw.output else None,
            tuple(self.shape(target.shape) for target in raw.errors),
        )

    def shape(self, name: str) -> Shape:
        if name in self._made:
            return self._made[name]
        raw = self._raw[name]
        made = self._made[name] = Shape(
            name, raw.type, _whole(raw.min), _whole(raw.max), raw.pattern, raw.enum, raw.required
        )
        made.members = {m: self.shape(t.shape) for m, t in raw.members.items()}
        parts = {"member": raw.member, "key": raw.key, "value": raw.value}
        references = {**raw.members, **{name: t for name, t in parts.items() if t is not None}}
        made.wirings = {name: _wiring(t) for name, t in references.items()}
        made.flattened, made.payload, made.format = raw.flattened, raw.payload, raw.timestampFormat
        made.code, made.status = raw.error.code, raw.error.httpStatusCode
        made.member, made.key, made.value = map(self._part, (raw.member, raw.key, raw.value))
        return made

    def _part(self, target: _Target | None) -> Shape | None:
        return None if target is None else self.shape(target.shape)


def _whole(bound: float | None) -> int | None:
    return None if bound is None else int(bound)


def _wiring(target: _Target) -> Wiring:
    return Wiring(
        target.locationName,
        target.location,
        target.flattened,
        target.xmlAttribute,
        target.timestampFormat,
    )
