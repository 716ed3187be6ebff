"""The violations of a request, worded as AWS words them.

Only requests that the compiled types have refused come here, so the walk may be slow and is
thorough: every violated constraint of every member, up to ten, in one message. A value of the
wrong type is a ``SerializationException`` and ends the walk, as in AWS.
"""

from __future__ import annotations

import binascii
import math
import re
from collections.abc import Iterator
from typing import Any

from eddyline.aws.errors import AwsError
from eddyline.aws.java_pattern import translated
from eddyline.aws.model import Shape

VIOLATIONS_MAX = 10
SHOWN_MAX = 1024
_WHOLE = ("integer", "long")
_JAVA_NAMES = {
    "string": "a String",
    "integer": "an Integer",
    "long": "a Long",
    "boolean": "a Boolean",
    "timestamp": "a Date",
    "double": "a Double",
    "blob": "a ByteBuffer",
}


def check(shape: Shape, value: Any) -> None:
    """Refuse what violates the shape.

    Raises:
        AwsError: ``ValidationException`` with every violation, or ``SerializationException``.
    """
    violations = []
    for sentence in _violations(shape, value, ""):
        violations.append(sentence)
        if len(violations) == VIOLATIONS_MAX:
            break
    if violations:
        many = "" if len(violations) == 1 else "s"
        words = f"{len(violations)} validation error{many} detected: {'; '.join(violations)}"
        raise AwsError("ValidationException", words)


def violation(shown: str, path: str, must: str) -> str:
    """One violated constraint: ``Value … at '…' failed to satisfy constraint: Member must …``."""
    return f"Value {shown} at '{path}' failed to satisfy constraint: Member must {must}"


def blob_shown(length: int) -> str:
    """How AWS shows a blob of so many bytes in a violation."""
    return f"'java.nio.HeapByteBuffer[pos=0 lim={length} cap={length}]'"


def _violations(shape: Shape, value: Any, path: str) -> Iterator[str]:
    if shape.kind == "structure":
        yield from _of_structure(shape, value, path)
    elif shape.kind == "list":
        yield from _of_list(shape, value, path)
    elif shape.kind == "map":
        yield from _of_map(shape, value, path)
    else:
        yield from _of_scalar(shape, value, path)


def _of_structure(shape: Shape, value: Any, path: str) -> Iterator[str]:
    if not isinstance(value, dict):
        raise _wrong_collection(value)
    for name, member in shape.members.items():
        here = f"{path}.{_camel(name)}" if path else _camel(name)
        given = value.get(name)
        if given is not None:
            yield from _violations(member, given, here)
        elif name in shape.required:
            yield violation("null", here, "not be null")


def _of_list(shape: Shape, value: Any, path: str) -> Iterator[str]:
    assert shape.member is not None
    if not isinstance(value, list):
        raise _wrong_collection(value)
    yield from _of_length(shape, len(value), _shown(value), path)
    for n, item in enumerate(value, 1):
        here = f"{path}.{n}.member"
        if item is None:
            yield violation("null", here, "not be null")
        else:
            yield from _violations(shape.member, item, here)


def _of_map(shape: Shape, value: Any, path: str) -> Iterator[str]:
    assert shape.key is not None
    assert shape.value is not None
    if not isinstance(value, dict):
        raise _wrong_collection(value)
    shown = _shown(value)
    yield from _of_length(shape, len(value), shown, path)
    for what, inner, items in (("keys", shape.key, value), ("values", shape.value, value.values())):
        if any(True for item in items for _ in _of_scalar(inner, item, path)):
            musts = ", ".join(f"Member must {m}" for m in _musts(inner))
            sentence = f"Map {what} must satisfy constraint: [{musts}]"
            yield f"Value {shown} at '{path}' failed to satisfy constraint: {sentence}"


def _musts(shape: Shape) -> Iterator[str]:
    if shape.high is not None:
        yield f"have length less than or equal to {shape.high}"
    if shape.low is not None:
        yield f"have length greater than or equal to {shape.low}"
    if shape.pattern is not None:
        yield f"satisfy regular expression pattern: {shape.pattern}"


def _of_scalar(shape: Shape, value: Any, path: str) -> Iterator[str]:
    if shape.kind == "blob":
        length = len(bytes_of(value))
        yield from _of_length(shape, length, blob_shown(length), path)
        return
    _check_kind(shape, value)
    if shape.kind in _WHOLE:
        yield from _of_range(shape, int(value), path)
    elif shape.kind == "string":
        yield from _of_text(shape, value, path)


def _of_text(shape: Shape, value: str, path: str) -> Iterator[str]:
    shown = _shown(value)
    yield from _of_length(shape, len(value), shown, path)
    if shape.pattern is not None and not re.match(translated(shape.pattern), value):
        yield violation(shown, path, f"satisfy regular expression pattern: {shape.pattern}")
    if shape.enum and value not in shape.enum:
        yield violation(shown, path, f"satisfy enum value set: [{', '.join(shape.enum)}]")


def _of_range(shape: Shape, value: int, path: str) -> Iterator[str]:
    if shape.low is not None and value < shape.low:
        yield violation(f"'{value}'", path, f"have value greater than or equal to {shape.low}")
    if shape.high is not None and value > shape.high:
        yield violation(f"'{value}'", path, f"have value less than or equal to {shape.high}")


def _of_length(shape: Shape, length: int, shown: str, path: str) -> Iterator[str]:
    if shape.low is not None and length < shape.low:
        yield violation(shown, path, f"have length greater than or equal to {shape.low}")
    if shape.high is not None and length > shape.high:
        yield violation(shown, path, f"have length less than or equal to {shape.high}")


def _check_kind(shape: Shape, value: Any) -> None:
    fits = {
        "string": isinstance(value, str),
        "boolean": isinstance(value, bool),
    }
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if number and shape.kind in _WHOLE and not math.isfinite(value):
        raise _wrong_scalar(shape, value)
    if not fits.get(shape.kind, number):
        raise _wrong_scalar(shape, value)


def bytes_of(value: Any) -> bytes:
    """The bytes of a blob, which may be base64. Raises AwsError ``SerializationException``."""
    if isinstance(value, bytes):
        return value
    if not isinstance(value, str):
        raise _wrong_scalar(Shape("Data", "blob"), value)
    try:
        return binascii.a2b_base64(value, strict_mode=True)
    except (binascii.Error, ValueError) as error:
        words = f"{_shown(value)} is not base64: {error}"
        raise AwsError("SerializationException", words) from None


def _wrong_scalar(shape: Shape, value: Any) -> AwsError:
    if isinstance(value, dict):
        return AwsError(
            "SerializationException", "Start of structure or map found where not expected."
        )
    if isinstance(value, list):
        return AwsError("SerializationException", "Start of list found where not expected")
    words = f"{_token(value)} can not be converted to {_JAVA_NAMES[shape.kind]}"
    return AwsError("SerializationException", words)


def _wrong_collection(value: Any) -> AwsError:
    if isinstance(value, dict):
        return AwsError(
            "SerializationException", "Start of structure or map found where not expected."
        )
    return AwsError("SerializationException", "Unexpected field type")


def _token(value: Any) -> str:
    if isinstance(value, bool):
        return f"{str(value).upper()}_VALUE"
    return "STRING_VALUE" if isinstance(value, str) else "NUMBER_VALUE"


def _camel(name: str) -> str:
    return name[:1].lower() + name[1:]


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        text = "{" + ", ".join(f"{k}={v}" for k, v in list(value.items())[:20]) + "}"
    elif isinstance(value, list):
        text = "[" + ", ".join(str(v)[:100] for v in value[:5]) + "]"
    else:
        text = str(value)
    return f"'{text[:SHOWN_MAX]}'"
