"""The query protocol: a form-encoded request with Action and Version, an answer in XML.

A model's traits decide the names: members of lists are ``Name.member.1`` (or ``Name.1`` where the
list is flattened), entries of maps ``Name.entry.1.key``. Values are converted by their shapes and
then checked as those of a JSON request are.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

from eddyline.aws.errors import AwsError
from eddyline.aws.instant import Instant, http_date
from eddyline.aws.model import PLAIN, ServiceModel, Shape, Wiring
from eddyline.aws.shapes import Inputs
from eddyline.aws.wire import HttpParts, Response

CONTENT_TYPE = "text/xml"
PARAMETERS_MAX = 10_000
DEPTH_MAX = 32
# The names that the query protocol has for errors of all services, with their statuses.
_NAMES: dict[str, tuple[str, int]] = {
    "AccessDeniedException": ("AccessDenied", 403),
    "ExpiredTokenException": ("ExpiredToken", 403),
    "IncompleteSignatureException": ("IncompleteSignature", 400),
    "InternalFailureException": ("InternalFailure", 500),
    "InvalidSignatureException": ("SignatureDoesNotMatch", 403),
    "MissingAuthenticationTokenException": ("MissingAuthenticationToken", 403),
    "RequestEntityTooLargeException": ("RequestEntityTooLarge", 413),
    "RequestTimeoutException": ("RequestExpired", 400),
    "SerializationException": ("MalformedInput", 400),
    "UnknownOperationException": ("InvalidAction", 400),
    "UnrecognizedClientException": ("InvalidClientTokenId", 403),
    "UnsupportedOperationException": ("NotImplemented", 501),
    "ValidationException": ("ValidationError", 400),
}


class QueryProtocol:
    """The form of one service of the query protocol."""

    def __init__(self, model: ServiceModel) -> None:
        self._model = model
        self._codes = {
            shape.name: (shape.code or shape.name, shape.status or 400)
            for operation in model.operations.values()
            for shape in operation.errors
        }

    def parse(self, inputs: Inputs, operation: str, http: HttpParts) -> Any:
        """The request's struct. Raises AwsError ``ValidationException``."""
        tree = _tree(parameters(http))
        return inputs.from_values(operation, _value(self._model.operations[operation].input, tree))

    def answer(self, operation: str, members: dict[str, Any] | bytes, request_id: str) -> Response:
        """``<OperationResponse><OperationResult>…</OperationResult><ResponseMetadata>…``."""
        assert isinstance(members, dict), "a query service answers with members"
        form = self._model.operations[operation]
        inner = "".join(_members(form.output, members))
        if form.wrapper is not None:
            inner = f"<{form.wrapper}>{inner}</{form.wrapper}>"
        tail = f"<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata>"
        name, space = f"{operation}Response", self._model.xml_namespace
        text = f'<{name} xmlns="{space}">{inner}{tail}</{name}>'
        return Response(200, CONTENT_TYPE, text.encode())

    def refusal(self, error: AwsError, request_id: str) -> Response:
        """``<ErrorResponse><Error><Type>…<Code>…<Message>…``."""
        code, status = self._codes.get(error.name) or _NAMES.get(
            error.name, (error.name.removesuffix("Exception"), error.status)
        )
        kind = "Receiver" if status >= 500 else "Sender"
        text = (
            f'<ErrorResponse xmlns="{self._model.xml_namespace}"><Error><Type>{kind}</Type>'
            f"<Code>{code}</Code><Message>{_text(error.message)}</Message></Error>"
            f"<RequestId>{request_id}</RequestId></ErrorResponse>"
        )
        return Response(status, CONTENT_TYPE, text.encode(), code)


def parameters(http: HttpParts) -> dict[str, str]:
    """A request's parameters: of its body, or of a GET's query.

    Raises:
        AwsError: ``SerializationException``.
    """
    try:
        text = http.body.decode() if http.body else http.query
        pairs = parse_qsl(
            text, keep_blank_values=True, max_num_fields=PARAMETERS_MAX, errors="strict"
        )
    except ValueError as error:
        message = f"the parameters cannot be read: {error}"
        raise AwsError("SerializationException", message) from None
    return dict(pairs)


Tree = dict[str, Any]


def _tree(pairs: Mapping[str, str]) -> Tree:
    """``A.B.1=x`` as ``{"A": {"B": {"1": "x"}}}``.

    Raises:
        AwsError: ``SerializationException`` for a name that is both a value and a structure.
    """
    root: Tree = {}
    for name, value in pairs.items():
        *path, last = name.split(".", DEPTH_MAX)
        at = root
        for part in path:
            inner = at.setdefault(part, {})
            if not isinstance(inner, dict):
                raise _malformed(name)
            at = inner
        if isinstance(at.get(last), dict):
            raise _malformed(name)
        at[last] = value
    return root


def _malformed(name: str) -> AwsError:
    message = f"the parameter {name[:100]} is both a value and a structure"
    return AwsError("SerializationException", message)


def _value(shape: Shape, given: Any) -> Any:
    """What a part of the tree means for a shape, as a JSON request would have it."""
    if shape.kind == "structure":
        tree = _inner(given)
        names = {m: name_on_wire(shape, m) for m in shape.members}
        return {
            m: _value(shape.members[m], tree[name]) for m, name in names.items() if name in tree
        }
    if shape.kind == "list":
        assert shape.member is not None
        item = shape.wiring("member").name or "member"
        rows = _numbered(given if shape.flattened else _inner(given).get(item, given))
        return [_value(shape.member, row) for row in rows]
    if shape.kind == "map":
        return _map(shape, given)
    return _scalar(shape, given)


def _map(shape: Shape, given: Any) -> dict[Any, Any]:
    assert shape.key is not None
    assert shape.value is not None
    key, value = shape.wiring("key").name or "key", shape.wiring("value").name or "value"
    rows = _numbered(given if shape.flattened else _inner(given).get("entry", {}))
    return {
        _value(shape.key, _inner(row).get(key, "")): _value(shape.value, _inner(row).get(value, ""))
        for row in rows
    }


def _inner(given: Any) -> Tree:
    """The parts of a structure, list or map; an empty value is one without parts."""
    if given == "":
        return {}
    if not isinstance(given, dict):
        raise AwsError("SerializationException", f"{str(given)[:100]!r} is not a structure")
    return given


def _numbered(given: Any) -> list[Any]:
    tree = _inner(given)
    numbers = sorted((int(k) for k in tree if k.isascii() and k.isdigit()), key=int)
    return [tree[str(n)] for n in numbers if str(n) in tree]


def _scalar(shape: Shape, given: Any) -> Any:
    """A text as the value that its shape has."""
    if not isinstance(given, str):
        raise AwsError("SerializationException", "a structure was sent where a value is expected")
    try:
        if shape.kind in ("integer", "long"):
            return int(given)
        if shape.kind in ("float", "double"):
            return float(given)
        if shape.kind == "boolean":
            return {"true": True, "false": False}[given.lower()]
        if shape.kind == "timestamp":
            return seconds_of(given)
        if shape.kind == "blob":
            from eddyline.aws.violations import bytes_of

            return bytes_of(given)
    except (ValueError, KeyError):
        message = f"{given[:100]!r} is not of type {shape.kind}"
        raise AwsError("SerializationException", message) from None
    return given


def seconds_of(text: str) -> float:
    """An instant in ISO 8601, or in seconds since 1970. Raises ValueError."""
    try:
        return float(text)
    except ValueError:
        instant = datetime.fromisoformat(text)
    return (instant if instant.tzinfo else instant.replace(tzinfo=UTC)).timestamp()


def _members(shape: Shape, members: Mapping[str, Any]) -> Iterator[str]:
    for name, value in members.items():
        if value is not None:
            wire_name = name_on_wire(shape, name)
            yield from _element(shape.members[name], shape.wiring(name), wire_name, value)


def name_on_wire(shape: Shape, member: str) -> str:
    """The name of a structure's member; that of its items where a list is flattened."""
    inner = shape.members[member]
    item = inner.wiring("member").name if inner.kind == "list" and inner.flattened else None
    return item or shape.wiring(member).name or member


def _element(shape: Shape, wiring: Wiring, name: str, value: Any) -> Iterator[str]:
    """A member as XML; flattened lists and maps are repeated elements."""
    flat = shape.flattened or wiring.flattened
    if shape.kind == "list":
        assert shape.member is not None
        item = name if flat else shape.wiring("member").name or "member"
        inner = "".join(p for v in value for p in _element(shape.member, PLAIN, item, v))
        yield inner if flat else f"<{name}>{inner}</{name}>"
    elif shape.kind == "map":
        entry = name if flat else "entry"
        inner = "".join(f"<{entry}>{_entry(shape, k, v)}</{entry}>" for k, v in value.items())
        yield inner if flat else f"<{name}>{inner}</{name}>"
    elif shape.kind == "structure":
        yield f"<{name}>{''.join(_members(shape, value))}</{name}>"
    else:
        yield f"<{name}>{_text(shown(value, wiring.format or shape.format))}</{name}>"


def _entry(shape: Shape, key: Any, value: Any) -> str:
    assert shape.key is not None
    assert shape.value is not None
    names = (shape.wiring("key").name or "key", shape.wiring("value").name or "value")
    parts = [*_element(shape.key, PLAIN, names[0], key)]
    return "".join([*parts, *_element(shape.value, PLAIN, names[1], value)])


def shown(value: Any, timestamp_format: str | None) -> str:
    """A scalar as text: instants in ISO 8601 unless the model says otherwise, blobs in base64."""
    if isinstance(value, Instant):
        if timestamp_format == "unixTimestamp":
            seconds, ms = divmod(value.ms, 1000)
            return f"{seconds}.{ms:03d}" if ms else str(seconds)
        if timestamp_format == "rfc822":
            return http_date(value.ms)
        moment = datetime.fromtimestamp(value.ms / 1000, UTC)
        precision = "milliseconds" if value.ms % 1000 else "seconds"
        return moment.isoformat(timespec=precision).replace("+00:00", "Z")
    if isinstance(value, bytes):
        return b64encode(value).decode()
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _text(value: str) -> str:
    """Text in XML; control characters, which XML cannot hold, become question marks."""
    kept = "".join(c if c >= " " or c in "\t\n\r" else "?" for c in value)
    return escape(kept, {"\r": "&#13;"})
