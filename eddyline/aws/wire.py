"""The forms in which requests come and answers go: JSON 1.1 and CBOR 1.1 here.

``query.py`` and ``rest_json.py`` have the others. An answer takes its request's form.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import msgspec

from eddyline.aws import cbor
from eddyline.aws.errors import AwsError
from eddyline.aws.instant import Instant
from eddyline.aws.shapes import Inputs


@dataclass(frozen=True, slots=True)
class HttpParts:
    """What of an HTTP request the forms read; names of headers are lower-case."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes


@dataclass(slots=True)
class Response:
    """A response; ``error`` is the error's name, ``headers`` are further ones."""

    status: int
    content_type: str
    body: bytes
    error: str | None = None
    headers: tuple[tuple[str, str], ...] = ()


class WireForm(Protocol):
    """One form: how requests are read, and answers and refusals written."""

    def parse(self, inputs: Inputs, operation: str, http: HttpParts) -> Any:
        """The request's struct. Raises AwsError."""

    def answer(self, operation: str, members: dict[str, Any] | bytes, request_id: str) -> Response:
        """The response to a request."""

    def refusal(self, error: AwsError, request_id: str) -> Response:
        """An error as a response."""


class Wire(WireForm, Protocol):
    """A form whose messages have no envelope, so that events may be encoded in it too."""

    content_type: str

    def encode(self, answer: dict[str, Any]) -> bytes:
        """The answer's bytes."""


def _seconds(value: Any) -> float:
    assert isinstance(value, Instant), value
    return value.ms / 1000


class _Plain:
    """What JSON and CBOR have in common."""

    content_type: str

    def encode(self, answer: dict[str, Any]) -> bytes:
        """The answer's bytes."""
        raise NotImplementedError

    def answer(self, operation: str, members: dict[str, Any] | bytes, request_id: str) -> Response:
        """The members as the whole body; no members are no body."""
        body = members if isinstance(members, bytes) else self.encode(members) if members else b""
        return Response(200, self.content_type, body)

    def refusal(self, error: AwsError, request_id: str) -> Response:
        """``__type``, ``message`` and the error's further members."""
        body = self.encode({"__type": error.name, "message": error.message, **error.members})
        return Response(error.status, self.content_type, body, error.name)


class Json(_Plain):
    """``application/x-amz-json-1.1``: blobs are base64, instants seconds."""

    content_type = "application/x-amz-json-1.1"

    def __init__(self) -> None:
        self._encoder = msgspec.json.Encoder(enc_hook=_seconds)

    def parse(self, inputs: Inputs, operation: str, http: HttpParts) -> Any:
        return inputs.from_json(operation, http.body)

    def encode(self, answer: dict[str, Any]) -> bytes:
        return self._encoder.encode(answer)


class Cbor(_Plain):
    """``application/x-amz-cbor-1.1``: blobs are byte strings, instants tagged milliseconds."""

    content_type = "application/x-amz-cbor-1.1"

    def parse(self, inputs: Inputs, operation: str, http: HttpParts) -> Any:
        body = http.body
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
    form = _BY_TYPE.get(content_type) or _BY_TYPE.get(_bare(content_type))
    if form is None:
        message = (
            f"Content-Type {content_type[:80]!r} is not supported here; "
            "send application/x-amz-json-1.1 or application/x-amz-cbor-1.1"
        )
        raise AwsError("UnsupportedMediaTypeException", message)
    return form


def of_refusal(content_type: str) -> Wire:
    """The form of a refusal: that of the request, or JSON where it is none of ours."""
    return _BY_TYPE.get(_bare(content_type), JSON)


def _bare(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()
