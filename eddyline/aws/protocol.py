"""AWS's protocols over HTTP: a request is routed, authenticated, parsed, performed and answered.

One application serves all services under granian's RSGI, the interface that reads a whole body
and writes a whole response in one step each. Whatever is wrong with a request is answered in the
form of its protocol. Only faults of Eddyline answer 500.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import traceback
import zlib
from base64 import b64encode
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Protocol, cast

from granian._granian import RSGIProtocolClosed as ProtocolClosed

from eddyline.auth.hosts import HostRules
from eddyline.aws import eventstream, wire
from eddyline.aws.call import Call, EventStream, Guard, Routes
from eddyline.aws.errors import FAULT, AwsError, as_aws
from eddyline.aws.instant import http_date
from eddyline.aws.request_ids import RequestIds
from eddyline.aws.request_timeout import RequestTimeout
from eddyline.aws.wire import HttpParts, Response, Wire, WireForm
from eddyline.checksum import crc32
from eddyline.clock import SYSTEM, Clock
from eddyline.errors import EddylineError
from eddyline.settings import Settings

# Granian's own objects (RSGI): a request's scope, and the exchange that reads and answers it.
Scope = Any
Exchange = Any
Headers = dict[str, str]

# 500 records of 10 MiB together, in base64, with their keys.
BODY_BYTES_MAX = 16 << 20
_GZIP = 16 + zlib.MAX_WBITS
_SIGN = (
    b"This is Eddyline's AWS endpoint. Point an AWS SDK or the AWS CLI at it: "
    b"export AWS_ENDPOINT_URL=http://<this address>\n"
)
_TOKEN_HINT = (
    "send Authorization: Bearer with the token in the file metrics-token of the data directory, "
    "or sign the request with an access key"
)
_PLAIN = "text/plain; charset=utf-8"


class RequestListener(Protocol):
    """The listener for completed requests: metrics and the access log."""

    def saw(self, scope: Scope, record: RequestRecord, seconds: float) -> None:
        """A request has been answered."""

    def page(self) -> bytes:
        """What ``GET /metrics`` answers."""


@dataclass(slots=True)
class RequestRecord:
    """What is known about a request, for the access log and the metrics.

    ``events``: instead of a body, for an event stream.
    """

    operation: str = ""
    user: str = ""
    bytes_in: int = 0
    bytes_out: int = 0
    status: int = 0
    error: str | None = None
    request_id: str = ""
    form: WireForm = wire.JSON
    events: EventStream | None = None


class Endpoint:
    """The RSGI application."""

    def __init__(
        self,
        routes: Routes,
        guard: Guard,
        settings: Settings,
        listener: RequestListener,
        clock: Clock = SYSTEM,
    ) -> None:
        self._routes = routes
        self._guard = guard
        self._hosts = HostRules(settings)
        self._listener = listener
        self._clock = clock
        self._date = (0, "")
        self._request_ids = RequestIds()
        self._request_timeout = RequestTimeout(settings.request_s_max, clock)

    async def __rsgi__(self, scope: Scope, exchange: Exchange) -> None:
        """Answer one request."""
        if scope.proto != "http":
            exchange.close(None)
            return
        started = self._clock.monotonic()
        record = RequestRecord(request_id=self._request_ids.next())
        headers = headers_of(scope)
        if scope.method in ("GET", "HEAD") and _is_page(scope, headers):
            response = self._page(scope, headers)
        else:
            response = await self._respond(scope, headers, exchange, record)
        record.status, record.error = response.status, response.error
        record.bytes_out = len(response.body)
        try:
            if record.events is None:
                self._send(scope, exchange, response, record)
            else:
                await self._send_events(exchange, record.events, record)
        finally:
            self._listener.saw(scope, record, self._clock.monotonic() - started)

    def _page(self, scope: Scope, headers: Headers) -> Response:
        why = self._hosts.refusal(headers, pages=True)
        if why is not None:
            return Response(403, _PLAIN, f"{why}\n".encode())
        if scope.path != "/metrics":
            return Response(200, _PLAIN, _SIGN)
        try:
            self._guard.admit_to_metrics(scope, headers)
        except AwsError as error:
            return Response(401, _PLAIN, f"{_TOKEN_HINT} ({error.message})\n".encode(), error.name)
        except EddylineError as error:
            return Response(500, _PLAIN, f"{error.message}\n".encode(), error.code)
        return Response(200, "text/plain; version=0.0.4; charset=utf-8", self._listener.page())

    async def _respond(
        self, scope: Scope, headers: Headers, exchange: Exchange, record: RequestRecord
    ) -> Response:
        http: HttpParts | None = None
        try:
            why = self._hosts.refusal(headers, pages=False)
            if why is not None:
                raise AwsError("AccessDeniedException", why)
            body = await self._body(exchange, headers)
            record.bytes_in = len(body)
            http = HttpParts(scope.method, scope.path, scope.query_string, headers, body)
            route = await self._routes.route(http)
            record.operation, record.form = route.label, route.form
            caller = self._guard.admit(scope, headers, body)
            record.user = caller.user
            if headers.get("content-encoding"):  # a small body may inflate to a large one
                body = await asyncio.to_thread(unpacked, body, headers)
                http = HttpParts(scope.method, scope.path, scope.query_string, headers, body)
            service, operation, form = route.service, route.operation, route.form
            request = service.parse(form, operation, http)
            answer = await service.call(Call(operation, request, cast(Wire, form), caller))
            if isinstance(answer, EventStream):
                record.events = answer
                return Response(200, eventstream.CONTENT_TYPE, b"")
            return form.answer(operation, answer, record.request_id)
        except AwsError as error:
            return self._refusal(http, error, record)
        except EddylineError as error:
            return self._refusal(http, as_aws(error), record)
        except Exception as error:
            sys.stderr.write(traceback.format_exc())
            sys.stderr.flush()
            message = f"a fault in Eddyline ({type(error).__name__}); see logs/api.log"
            return self._refusal(http, AwsError(FAULT, message), record)

    def _refusal(self, http: HttpParts | None, error: AwsError, record: RequestRecord) -> Response:
        """The error in the request's form, which has no route if it failed that early."""
        form = record.form
        if http is not None and not record.operation:
            form = self._routes.form_of(http)
        return form.refusal(error, record.request_id)

    async def _body(self, exchange: Exchange, headers: Headers) -> bytes:
        """The body, if it arrives in time."""
        try:
            with self._request_timeout.limit():
                return await read_body(exchange, headers)
        except TimeoutError:
            words = f"the request did not arrive within {self._request_timeout.seconds} s"
            raise AwsError("RequestTimeoutException", words) from None
        except ProtocolClosed:  # nobody reads this response, but the access log records it
            words = "the connection was closed before the request had arrived"
            raise AwsError("RequestTimeoutException", words) from None

    def _send(
        self, scope: Scope, exchange: Exchange, response: Response, record: RequestRecord
    ) -> None:
        headers = self._headers(response.content_type, record.request_id)
        headers.append(("x-amz-crc32", str(crc32(response.body))))
        headers += response.headers
        if response.error:
            headers.append(("x-amzn-errortype", response.error))
        if response.status == 401:
            headers.append(("www-authenticate", "Bearer"))
        if scope.method == "HEAD":
            headers.append(("content-length", str(len(response.body))))
            exchange.response_empty(response.status, headers)
        else:
            exchange.response_bytes(response.status, headers, response.body)

    def _headers(self, content_type: str, request_id: str) -> list[tuple[str, str]]:
        return [
            ("content-type", content_type),
            ("x-amzn-requestid", request_id),
            ("x-amz-id-2", b64encode(request_id.encode()).decode()),
            ("date", self._http_date()),
        ]

    async def _send_events(
        self, exchange: Exchange, stream: EventStream, record: RequestRecord
    ) -> None:
        """Send frames as they come, until the events end or the client disconnects.

        The first frame is ``initial-response``, for which some SDKs wait.
        """
        form, events = _wire(record.form), stream.events
        headers = self._headers(eventstream.CONTENT_TYPE, record.request_id)
        transport = exchange.response_stream(200, headers)
        gone = asyncio.ensure_future(exchange.client_disconnect())
        coming: asyncio.Future[Any] | None = None
        try:
            await _send_frame(transport, record, _event(form, "initial-response", {}))
            while True:
                coming = asyncio.ensure_future(_next(events))
                await asyncio.wait({coming, gone}, return_when=asyncio.FIRST_COMPLETED)
                if not coming.done() or (event := coming.result()) is None:
                    break
                await _send_frame(transport, record, _event(form, *event))
        except AwsError as error:
            record.error = error.name
            await _send_frame(transport, record, _exception(form, error))
        except EddylineError as error:
            record.error = error.code
            await _send_frame(transport, record, _exception(form, as_aws(error)))
        finally:
            await _end(gone, coming, events)

    def _http_date(self) -> str:
        """The time in HTTP's format; SDKs correct their clock skew by it."""
        second = self._clock.now_ms() // 1000
        if second != self._date[0]:
            self._date = (second, http_date(second * 1000))
        return self._date[1]


def _is_page(scope: Scope, headers: Headers) -> bool:
    """Whether a GET asks for a page, and not for an operation of some service."""
    if scope.path == "/":
        return "Action=" not in scope.query_string and "authorization" not in headers
    return scope.path in ("/health", "/metrics")


def _wire(form: WireForm) -> Wire:
    """The form of an event stream, whose messages have no envelope."""
    assert form in (wire.JSON, wire.CBOR), form
    return cast(Wire, form)


async def _next(events: AsyncIterator[Any]) -> Any:
    """The next event; None when there is none."""
    return await anext(events, None)


async def _end(
    gone: asyncio.Future[Any], coming: asyncio.Future[Any] | None, events: AsyncIterator[Any]
) -> None:
    """Cancel everything that still runs for an event stream."""
    gone.cancel()
    if coming is not None and not coming.done():
        coming.cancel()
        await asyncio.wait({coming})
    close = getattr(events, "aclose", None)
    if close is not None:
        await close()


async def _send_frame(transport: Any, record: RequestRecord, frame: bytes) -> None:
    record.bytes_out += len(frame)
    with contextlib.suppress(ProtocolClosed):  # the client is gone; ``gone`` is set
        await transport.send_bytes(frame)


def _event(form: Wire, name: str, members: dict[str, Any] | bytes) -> bytes:
    payload = members if isinstance(members, bytes) else form.encode(members)
    return eventstream.event(name, form.content_type, payload)


def _exception(form: Wire, error: AwsError) -> bytes:
    payload = form.encode({"message": error.message})
    return eventstream.exception(error.name, form.content_type, payload)


def headers_of(scope: Scope) -> Headers:
    """The request's headers; HTTP/2's authority becomes the Host header."""
    headers = dict(scope.headers.items())
    if "host" not in headers and scope.authority:
        headers["host"] = scope.authority
    return headers


async def read_body(exchange: Exchange, headers: Headers) -> bytes:
    """The request's body as it came.

    Raises:
        AwsError: ``RequestEntityTooLargeException``.
    """
    length = headers.get("content-length")
    if length is not None and length.isdigit():
        if int(length) > BODY_BYTES_MAX:
            raise _too_large()
        body: bytes = await exchange()
        return body
    parts, size = [], 0
    async for part in exchange:
        parts.append(part)
        size += len(part)
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
