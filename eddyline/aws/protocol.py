"""AWS's protocol over HTTP: ``POST /``, the operation in ``X-Amz-Target``, an answer or an error.

One ASGI application for one or more services. All that can be wrong with a request is answered in
AWS's form (``__type``, ``message``, ``x-amzn-ErrorType``); nothing but a fault of ours is a 500.
"""

from __future__ import annotations

import os
import sys
import traceback
import zlib
from base64 import b64encode
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any, Protocol

from eddyline.aws import wire
from eddyline.aws.errors import FAULT, AwsError, as_aws
from eddyline.aws.shapes import Inputs
from eddyline.aws.wire import Wire
from eddyline.errors import EddylineError

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Headers = dict[str, str]
Answer = dict[str, Any] | bytes

# 500 records of 10 MiB together, in base64, with their keys.
BODY_BYTES_MAX = 16 << 20
_GZIP = 16 + zlib.MAX_WBITS
_SIGN = (
    b"This is Eddyline's AWS endpoint. Point an AWS SDK or the AWS CLI at it: "
    b"export AWS_ENDPOINT_URL=http://<this address>\n"
)


class Service(Protocol):
    """What stands behind a target prefix."""

    inputs: Inputs

    def known(self, operation: str) -> bool:
        """Whether the service's model has the operation."""

    async def call(self, operation: str, request: Any, wire: Wire) -> Answer:
        """Do it. Bytes are an answer that is encoded already. Raises AwsError, EddylineError."""


class Guard(Protocol):
    """Who may call."""

    def admit(self, scope: Scope, headers: Headers, body: bytes) -> None:
        """Raises AwsError for a caller who may not."""


@dataclass(slots=True)
class Response:
    """What goes back."""

    status: int
    content_type: bytes
    body: bytes
    error: str | None = None


class Endpoint:
    """The ASGI application: services by the prefix of their targets."""

    def __init__(self, services: dict[str, Service], guard: Guard) -> None:
        self._services = services
        self._guard = guard

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        if scope["method"] in ("GET", "HEAD") and scope["path"] in ("/", "/health"):
            await _send(send, Response(200, b"text/plain; charset=utf-8", _SIGN))
            return
        await _send(send, await self._respond(scope, receive))

    async def _respond(self, scope: Scope, receive: Receive) -> Response:
        form: Wire = wire.JSON
        try:
            headers = {k.decode("latin-1"): v.decode("latin-1") for k, v in scope["headers"]}
            body = await read_body(receive, headers)
            service, operation = self._target(scope, headers)
            form = wire.of(headers.get("content-type", ""))
            self._guard.admit(scope, headers, body)
            request = form.parse(service.inputs, operation, unpacked(body, headers))
            answer = await service.call(operation, request, form)
            return Response(200, form.content_type, _encoded(form, answer))
        except AwsError as error:
            return refusal(form, error)
        except EddylineError as error:
            return refusal(form, as_aws(error))
        except Exception as error:
            sys.stderr.write(traceback.format_exc())
            words = f"a fault in Eddyline ({type(error).__name__}); see logs/api.log"
            return refusal(form, AwsError(FAULT, words))

    def _target(self, scope: Scope, headers: Headers) -> tuple[Service, str]:
        prefix, _, operation = headers.get("x-amz-target", "").partition(".")
        service = self._services.get(prefix)
        fits = scope["method"] == "POST" and scope["path"] == "/"
        if not fits or service is None or not service.known(operation):
            told = headers.get("x-amz-target", "")[:120]
            words = f"{scope['method']} {scope['path'][:80]} with X-Amz-Target {told!r} is unknown"
            raise AwsError("UnknownOperationException", words)
        return service, operation


def _encoded(form: Wire, answer: Answer) -> bytes:
    return answer if isinstance(answer, bytes) else form.encode(answer) if answer else b""


def refusal(form: Wire, error: AwsError) -> Response:
    """An error as a response."""
    body = form.encode({"__type": error.name, "message": error.message})
    return Response(error.status, form.content_type, body, error.name)


async def read_body(receive: Receive, headers: Headers) -> bytes:
    """The request's body as it came.

    Raises:
        AwsError: ``RequestEntityTooLargeException``.
    """
    told = headers.get("content-length", "0")
    if told.isdigit() and int(told) > BODY_BYTES_MAX:
        raise _too_large()
    message = await receive()
    body: bytes = message.get("body", b"")
    if not message.get("more_body"):
        return body
    parts, size = [body], len(body)
    while message.get("more_body"):
        message = await receive()
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > BODY_BYTES_MAX:
            raise _too_large()
    return b"".join(parts)


def unpacked(body: bytes, headers: Headers) -> bytes:
    """The body without its Content-Encoding.

    Raises:
        AwsError: ``SerializationException``, ``UnsupportedMediaTypeException`` or
            ``RequestEntityTooLargeException``.
    """
    encoding = headers.get("content-encoding", "identity").strip().lower()
    if encoding in ("identity", ""):
        return body
    if encoding != "gzip":
        words = f"Content-Encoding {encoding[:40]!r} is not spoken here; send gzip or none"
        raise AwsError("UnsupportedMediaTypeException", words)
    inflate = zlib.decompressobj(_GZIP)
    try:
        out = inflate.decompress(body, BODY_BYTES_MAX + 1)
    except zlib.error as error:
        raise AwsError("SerializationException", f"the body is not gzip: {error}") from None
    if len(out) > BODY_BYTES_MAX:
        raise _too_large()
    if not inflate.eof:
        raise AwsError("SerializationException", "the body is not gzip: it is cut short")
    return out


def _too_large() -> AwsError:
    words = f"a request may have {BODY_BYTES_MAX >> 20} MiB"
    return AwsError("RequestEntityTooLargeException", words)


async def _send(send: Send, response: Response) -> None:
    request_id = os.urandom(16).hex()
    headers = [
        (b"content-type", response.content_type),
        (b"content-length", str(len(response.body)).encode()),
        (b"x-amzn-requestid", _uuid(request_id).encode()),
        (b"x-amz-id-2", b64encode(os.urandom(48))),
    ]
    if response.error:
        headers.append((b"x-amzn-errortype", response.error.encode()))
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": response.body})


def _uuid(digits: str) -> str:
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
