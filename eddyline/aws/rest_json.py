"""The REST-JSON protocol: operations by method and path, members in path, query, headers and body.

The model says where each member belongs. What is left over is a JSON object, or the one member that
the model calls the payload.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl, unquote

import msgspec

from eddyline.aws import wire
from eddyline.aws.errors import AwsError
from eddyline.aws.instant import http_date
from eddyline.aws.model import OperationModel, ServiceModel, Shape, Wiring
from eddyline.aws.query import seconds_of, shown
from eddyline.aws.shapes import Inputs
from eddyline.aws.wire import HttpParts, Response

CONTENT_TYPE = "application/json"
_LABEL = re.compile(r"\\\{(\w+)(\\\+)?\\\}")


class RestJson:
    """The form of one service of the REST-JSON protocol."""

    def __init__(self, model: ServiceModel) -> None:
        self._model = model
        self._paths = sorted(
            (_OperationPath(operation) for operation in model.operations.values()),
            key=lambda path: path.rank,
        )
        self._by_name = {path.operation.name: path for path in self._paths}

    def operation(self, http: HttpParts) -> str:
        """The operation that a method and a path mean.

        Raises:
            AwsError: ``UnknownOperationException``.
        """
        for path in self._paths:
            if path.fits(http):
                return path.operation.name
        message = f"{self._model.name} has no operation {http.method} {http.path[:120]}"
        raise AwsError("UnknownOperationException", message)

    def parse(self, inputs: Inputs, operation: str, http: HttpParts) -> Any:
        """The request's struct. Raises AwsError ``ValidationException`` and others."""
        path = self._by_name[operation]
        shape = path.operation.input
        members = _of_body(shape, http.body)
        labels, query = path.labels(http.path), parse_qsl(http.query, keep_blank_values=True)
        for name, member in shape.members.items():
            place = shape.wiring(name)
            if place.location is not None:
                value = _located(member, place, place.name or name, labels, query, http.headers)
                if value is not None:
                    members[name] = value
        return inputs.from_values(operation, members)

    def answer(self, operation: str, members: dict[str, Any] | bytes, request_id: str) -> Response:
        """The members in headers and body, each where the model has it."""
        assert isinstance(members, dict), "a REST service answers with members"
        form = self._model.operations[operation]
        shape, status, headers, body = form.output, form.status, [], {}
        for name, value in members.items():
            place = shape.wiring(name)
            if value is None:
                continue
            if place.location == "header":
                text = _header(shape.members[name], place, value)
                headers.append(((place.name or name).lower(), text))
            elif place.location == "headers":
                prefix = (place.name or "").lower()
                headers += [(prefix + k.lower(), str(v)) for k, v in value.items()]
            elif place.location == "statusCode":
                status = int(value)
            else:
                body[place.name or name] = value
        return Response(status, CONTENT_TYPE, _body(shape, body), headers=tuple(headers))

    def refusal(self, error: AwsError, request_id: str) -> Response:
        """``message`` in the body; the error's name is in a header."""
        body = wire.JSON.encode({"message": error.message, **error.members})
        return Response(error.status, CONTENT_TYPE, body, error.name)


class _OperationPath:
    """One operation's method and path; labels match one segment, or with + all that follow."""

    def __init__(self, operation: OperationModel) -> None:
        path, _, query = operation.uri.partition("?")
        self.operation = operation
        self._query = dict(parse_qsl(query, keep_blank_values=True))
        self._pattern = re.compile(_LABEL.sub(_group, re.escape(path.rstrip("/"))) + r"/?")
        # Paths with fixed text win over labels, and those with a fixed query over those without.
        self.rank = (path.count("{"), -len(path), -len(self._query))

    def fits(self, http: HttpParts) -> bool:
        if http.method != self.operation.method or not self._pattern.fullmatch(http.path):
            return False
        given = dict(parse_qsl(http.query, keep_blank_values=True))
        return all(given.get(k) == v for k, v in self._query.items())

    def labels(self, path: str) -> dict[str, str]:
        match = self._pattern.fullmatch(path)
        return {} if match is None else {k: unquote(v) for k, v in match.groupdict().items()}


def _group(match: re.Match[str]) -> str:
    return f"(?P<{match[1]}>{'.+' if match[2] else '[^/]+'})"


def _located(
    shape: Shape,
    place: Wiring,
    name: str,
    labels: dict[str, str],
    query: list[tuple[str, str]],
    headers: dict[str, str],
) -> Any:
    """The value of a member that is not in the body; None if it was not sent."""
    if place.location == "headers":
        prefix = name.lower()
        return {k[len(prefix) :]: v for k, v in headers.items() if k.startswith(prefix)} or None
    if place.location == "querystring" and shape.kind == "map":
        return dict(query) or None
    if place.location == "querystring" and shape.kind == "list":
        assert shape.member is not None
        return [_scalar(shape.member, place, v) for k, v in query if k == name] or None
    text = {
        "uri": labels.get(name),
        "querystring": dict(query).get(name),
        "header": headers.get(name.lower()),
    }[place.location or "uri"]
    return None if text is None else _scalar(shape, place, text)


def _scalar(shape: Shape, place: Wiring, text: str) -> Any:
    try:
        if shape.kind in ("integer", "long"):
            return int(text)
        if shape.kind in ("float", "double"):
            return float(text)
        if shape.kind == "boolean":
            return {"true": True, "false": False}[text.lower()]
        if shape.kind == "timestamp":
            if place.location == "header" and not place.format:
                from email.utils import parsedate_to_datetime

                return parsedate_to_datetime(text).timestamp()
            return seconds_of(text)
    except (ValueError, KeyError):
        message = f"{text[:100]!r} is not of type {shape.kind}"
        raise AwsError("SerializationException", message) from None
    return text


def _of_body(shape: Shape, body: bytes) -> dict[str, Any]:
    """The members of the body."""
    if shape.payload is not None:
        payload = shape.members[shape.payload]
        if payload.kind == "blob":
            return {shape.payload: body} if body else {}
        if payload.kind == "string":
            return {shape.payload: body.decode(errors="replace")} if body else {}
    try:
        given = msgspec.json.decode(body) if body else {}
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise AwsError("SerializationException", f"the body is not JSON: {error}") from None
    if shape.payload is not None:
        return {shape.payload: _values(shape.members[shape.payload], given)} if body else {}
    if not isinstance(given, dict):
        raise AwsError("SerializationException", "the body is not a JSON object")
    values = _values(shape, given)
    assert isinstance(values, dict)
    return values


def _values(shape: Shape, given: Any) -> Any:
    """JSON under the members' names, blobs as bytes; what does not fit is left to the check."""
    if shape.kind == "structure" and isinstance(given, dict):
        names = {shape.wiring(m).name or m: m for m in shape.members if not _elsewhere(shape, m)}
        return {
            names[k]: _values(shape.members[names[k]], v) for k, v in given.items() if k in names
        }
    if shape.kind == "list" and isinstance(given, list):
        assert shape.member is not None
        return [_values(shape.member, v) for v in given]
    if shape.kind == "map" and isinstance(given, dict):
        assert shape.value is not None
        return {k: _values(shape.value, v) for k, v in given.items()}
    if shape.kind == "blob" and isinstance(given, str):
        from eddyline.aws.violations import bytes_of

        return bytes_of(given)
    if shape.kind == "timestamp" and isinstance(given, str):
        return seconds_of(given)
    return given


def _elsewhere(shape: Shape, member: str) -> bool:
    return shape.wiring(member).location is not None


def _header(shape: Shape, place: Wiring, value: Any) -> str:
    if shape.kind == "timestamp" and not (place.format or shape.format):
        return http_date(value.ms)
    return shown(value, place.format or shape.format)


def _body(shape: Shape, body: dict[str, Any]) -> bytes:
    if shape.payload is not None:
        value = next(iter(body.values()), b"")
        if isinstance(value, bytes):
            return value
        return value.encode() if isinstance(value, str) else wire.JSON.encode(value)
    return wire.JSON.encode(body)
