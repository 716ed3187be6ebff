"""A service's input shapes compiled into msgspec types, so that one C pass parses and checks.

A struct's fields are the model's members under their own names; required, length, range, pattern
and enumeration become constraints of the types. A valid request costs 0.3 µs per record. One that
fails is walked again by ``violations``, which words every violation as AWS does.
"""

from __future__ import annotations

import re
import sys
from types import ModuleType
from typing import Annotated, Any, ForwardRef, Literal, Optional

import msgspec
from msgspec import Meta

from eddyline.aws.errors import AwsError
from eddyline.aws.java_pattern import translated
from eddyline.aws.model import ServiceModel, Shape
from eddyline.aws.violations import check

# A refused body with more values than this is not searched for violations.
VALUES_MAX = 50_000
_SCALARS: dict[str, Any] = {
    "boolean": bool,
    "double": float,
    "float": float,
    # Seconds since 1970, of the years that there are; neither infinite nor no number at all.
    "timestamp": Annotated[float, Meta(ge=-62_135_596_800, le=253_402_300_799)],
}


class ShapeCompiler:
    """Types of shapes, each made once; a shape may hold itself."""

    def __init__(self) -> None:
        self._structs: dict[str, type[msgspec.Struct]] = {}
        self._in_work: set[str] = set()
        # msgspec resolves forward references to structs in this module.
        self._module = ModuleType(f"{__name__}.of_{id(self)}")
        sys.modules[self._module.__name__] = self._module

    def struct(self, shape: Shape) -> type[msgspec.Struct]:
        """The struct of a structure: required members first, the others None if absent."""
        made = self._structs.get(shape.name)
        if made is None:
            self._in_work.add(shape.name)
            fields = [(name, *self._field(shape, name)) for name in _required_first(shape)]
            made = msgspec.defstruct(
                shape.name, fields, frozen=True, gc=False, module=self._module.__name__
            )
            self._structs[shape.name] = made
            setattr(self._module, shape.name, made)
            self._in_work.discard(shape.name)
        return made

    def _field(self, shape: Shape, name: str) -> tuple[Any, ...]:
        type_ = self.type(shape.members[name])
        return (type_,) if name in shape.required else (Optional[type_], None)  # noqa: UP045 - of a forward reference

    def type(self, shape: Shape) -> Any:
        """The type of any shape."""
        kind = shape.kind
        if kind == "structure":
            return ForwardRef(shape.name) if shape.name in self._in_work else self.struct(shape)
        if kind == "string":
            return Literal[shape.enum] if shape.enum else _text(shape)
        if kind in ("integer", "long"):
            return _constrained(int, ge=shape.low, le=shape.high)
        if kind in _SCALARS:
            return _SCALARS[kind]
        return _constrained(self._sized(shape), min_length=shape.low, max_length=shape.high)

    def _sized(self, shape: Shape) -> Any:
        if shape.kind == "list":
            assert shape.member is not None
            return list[self.type(shape.member)]  # type: ignore[misc]
        if shape.kind == "map":
            assert shape.key is not None
            assert shape.value is not None
            return dict[self.type(shape.key), self.type(shape.value)]  # type: ignore[misc]
        assert shape.kind == "blob", shape
        return bytes


def _required_first(shape: Shape) -> list[str]:
    return sorted(shape.members, key=lambda m: m not in shape.required)


def _text(shape: Shape) -> Any:
    pattern = None if shape.pattern is None else translated(shape.pattern)
    return _constrained(str, min_length=shape.low, max_length=shape.high, pattern=pattern)


def _constrained(type_: Any, **constraints: Any) -> Any:
    given = {k: v for k, v in constraints.items() if v is not None}
    return Annotated[type_, Meta(**given)] if given else type_


class Inputs:
    """Parses the inputs of one service's operations; each is compiled when it is first used."""

    def __init__(self, model: ServiceModel) -> None:
        self._compiler = ShapeCompiler()
        self._shapes = {name: o.input for name, o in model.operations.items()}
        self._types: dict[str, type[msgspec.Struct]] = {}
        self._decoders: dict[str, msgspec.json.Decoder[Any]] = {}

    def type(self, operation: str) -> type[msgspec.Struct]:
        """The struct of an operation's input."""
        made = self._types.get(operation)
        if made is None:
            made = self._types[operation] = self._compiler.struct(self._shapes[operation])
        return made

    def from_json(self, operation: str, body: bytes) -> Any:
        """The request's struct.

        Raises:
            AwsError: ``ValidationException`` or ``SerializationException``.
        """
        decoder = self._decoders.get(operation)
        if decoder is None:
            decoder = self._decoders[operation] = msgspec.json.Decoder(self.type(operation))
        try:
            return decoder.decode(body or b"{}")
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise self._refusal(operation, _plain(body), error) from None

    def from_values(self, operation: str, values: Any) -> Any:
        """The request's struct from values that hold ``bytes`` where the model has blobs.

        Raises:
            AwsError: ``ValidationException`` or ``SerializationException``.
        """
        try:
            return msgspec.convert(values, self.type(operation), builtin_types=(bytes,))
        except msgspec.ValidationError as error:
            raise self._refusal(operation, values, error) from None

    def _refusal(self, operation: str, values: Any, error: Exception) -> AwsError:
        check(self._shapes[operation], values)
        return AwsError("SerializationException", _in_words(str(error)))


# How msgspec says that a value has another type, and the model's words for its types.
_OTHER_TYPE = re.compile(r"Expected `([^`]+)`, got `([^`]+)`(?: - at `\$\.?([^`]*)`)?")
_TYPES = {
    "int": "an integer", "float": "a number", "str": "a string", "bool": "a boolean",
    "bytes": "a blob", "array": "a list", "object": "a structure", "null": "null",
}  # fmt: skip


def _in_words(message: str) -> str:
    match = _OTHER_TYPE.fullmatch(message)
    if match is None:
        return message.replace(" - at `$.", " at `")
    expected, given, place = match.groups()
    types = [_TYPES.get(name, name) for name in expected.split(" | ") if name != "null"]
    return f"{place or 'the request'} must be {' or '.join(types)}, not {_TYPES.get(given, given)}"


def _plain(body: bytes) -> Any:
    """The values of a refused body, to be searched for violations.

    Raises:
        AwsError: ``SerializationException`` for what is not JSON, or has too many values.
    """
    if sum(body.count(mark) for mark in (b",", b"[", b"{")) > VALUES_MAX:
        words = f"the body does not fit the request, and has more than {VALUES_MAX} values"
        raise AwsError("SerializationException", words)
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise AwsError("SerializationException", f"the body is not JSON: {error}") from None
