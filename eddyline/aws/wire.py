"""The two forms a request may come in, JSON 1.1 and CBOR 1.1; an answer takes the request's."""

from __future__ import annotations

from typing import Any, Protocol

import msgspec

from eddyline.aws import cbor
from eddyline.aws.errors import AwsError
from eddyline.aws.instant import Instant
from eddyline.aws.shapes import Inputs


class Wire(Protocol):
    """One form: how requests are read and answers written."""

    content_type: str

    def parse(self, inputs: Inputs, operation: str, body: bytes) -> Any:
        """The request's struct. Raises AwsError."""

    def encode(self, answer: dict[str, Any]) -> bytes:
        """The answer's bytes."""


def _seconds(value: Any) -> float:
    assert isinstance(value, Instant), value
    return value.ms / 1000


class Json:
    """``application/x-amz-json-1.1``: blobs are base64, instants seconds."""

    content_type = "application/x-amz-json-1.1"

    def __init__(self) -> None:
        self._encoder = msgspec.json.Encoder(enc_hook=_seconds)

    def parse(self, inputs: Inputs, operation: str, body: bytes) -> Any:
        return inputs.from_json(operation, body)

    def encode(self, answer: dict[str, Any]) -> bytes:
        return self._encoder.encode(answer)


class Cbor:
    """``application/x-amz-cbor-1.1``: blobs are byte strings, instants tagged milliseconds."""

    content_type = "application/x-amz-cbor-1.1"

    def parse(self, inputs: Inputs, operation: str, body: bytes) -> Any:
        return inputs.from_values(operation, cbor.decode(body) if body else {})

    def encode(self, answer: dict[str, Any]) -> bytes:
        return cbor.encode(answer)


JSON = Json()
CBOR = Cbor()
_BY_TYPE: dict[str, Wire] = {
    "application/x-amz-json-1.1": JSON,
    "application/x-amz-json-1.0": JSON,
    "application/json": JSON,
    "application/x-amz-cbor-1.1": CBOR,
    "application/cbor": CBOR,
}


def of(content_type: str) -> Wire:
    """The form that a Content-Type names.

    Raises:
        AwsError: ``UnsupportedMediaTypeException``.
    """
    found = _BY_TYPE.get(content_type.partition(";")[0].strip().lower())
    if found is None:
        words = (
            f"Content-Type {content_type[:80]!r} is not spoken here; "
            "send application/x-amz-json-1.1 or application/x-amz-cbor-1.1"
        )
        raise AwsError("UnsupportedMediaTypeException", words)
    return found
