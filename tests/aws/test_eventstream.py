"""Event streams: frames as botocore reads them, errors within, and callers who hang up."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from botocore.eventstream import EventStreamBuffer

from eddyline.aws import cbor, eventstream, wire
from eddyline.aws.call import Answer, Call, Caller, EventStream, Route
from eddyline.aws.errors import AwsError
from eddyline.aws.model import load
from eddyline.aws.protocol import Endpoint
from eddyline.aws.shapes import Inputs
from eddyline.aws.wire import HttpParts, WireForm
from eddyline.errors import EddylineError
from eddyline.settings import Settings

Events = Callable[[], AsyncIterator[tuple[str, Any]]]


def frames(raw: bytes) -> list[tuple[dict[str, str], bytes]]:
    buffer = EventStreamBuffer()
    buffer.add_data(raw)
    return [(dict(event.headers), event.payload) for event in buffer]


def test_a_frame_is_what_botocore_reads() -> None:
    raw = eventstream.event("One", "application/json", b"{}") + eventstream.exception(
        "Two", "application/json", b'{"message":"x"}'
    )
    assert frames(raw) == [
        (
            {":event-type": "One", ":content-type": "application/json", ":message-type": "event"},
            b"{}",
        ),
        (
            {
                ":exception-type": "Two",
                ":content-type": "application/json",
                ":message-type": "exception",
            },
            b'{"message":"x"}',
        ),
    ]


class Streaming:
    """A service whose one operation answers with events."""

    def __init__(self, events: Events) -> None:
        self._inputs = Inputs(load("kinesis"))
        self._events = events

    def parse(self, form: WireForm, operation: str, http: HttpParts) -> Any:
        return form.parse(self._inputs, operation, http)

    async def call(self, call: Call) -> Answer:
        return EventStream(self._events())


class OneRoute:
    """Every request goes to one service."""

    def __init__(self, events: Events) -> None:
        self._service = Streaming(events)

    async def route(self, http: HttpParts) -> Route:
        form = self.form_of(http)
        return Route(self._service, "ListStreams", form, "ListStreams")

    def form_of(self, http: HttpParts) -> WireForm:
        return wire.of(http.headers["content-type"])


class Anybody:
    def admit(self, scope: Any, headers: Any, body: bytes) -> Caller:
        return Caller("any")


class Nobody:
    def saw(self, scope: Any, record: Any, seconds: float) -> None:
        pass

    def page(self) -> bytes:
        return b""


class Exchange:
    """The caller's side: what was sent to it, and a moment to hang up."""

    def __init__(self, body: bytes = b"{}") -> None:
        self._body = body
        self.raw = b""
        self.content_type = ""
        self.hang_up = asyncio.Event()

    async def __call__(self) -> bytes:
        return self._body

    def response_stream(self, status: int, headers: list[tuple[str, str]]) -> Exchange:
        self.content_type = dict(headers)["content-type"]
        return self

    async def send_bytes(self, data: bytes) -> None:
        self.raw += data

    async def client_disconnect(self) -> None:
        await self.hang_up.wait()


class Headers:
    def __init__(self, form: str) -> None:
        self._pairs = [
            ("host", "localhost"),
            ("content-length", "2"),
            ("content-type", f"application/x-amz-{form}-1.1"),
            ("x-amz-target", "Kinesis_20131202.ListStreams"),
        ]

    def items(self) -> list[tuple[str, str]]:
        return self._pairs


class Scope:
    proto, method, path, query_string, authority = "http", "POST", "/", "", None

    def __init__(self, form: str) -> None:
        self.headers = Headers(form)


def answered(events: Events, form: str = "json", exchange: Exchange | None = None) -> Exchange:
    async def run() -> Exchange:
        exchange_ = exchange or Exchange()
        endpoint = Endpoint(OneRoute(events), Anybody(), Settings(), Nobody())
        await asyncio.wait_for(endpoint.__rsgi__(Scope(form), exchange_), 10)
        return exchange_

    return asyncio.run(run())


async def two() -> AsyncIterator[tuple[str, Any]]:
    yield "One", {"N": 1}
    yield "Two", b'{"N":2}'


def test_events_come_after_the_initial_response() -> None:
    answer = answered(two)
    assert answer.content_type == "application/vnd.amazon.eventstream"
    events = [(h[":event-type"], json.loads(p)) for h, p in frames(answer.raw)]
    assert events == [("initial-response", {}), ("One", {"N": 1}), ("Two", {"N": 2})]


def test_events_in_cbor() -> None:
    async def one() -> AsyncIterator[tuple[str, Any]]:
        yield "One", {"Data": b"\0"}

    (first, second) = frames(answered(one, "cbor", Exchange(b"\xa0")).raw)
    assert first[0][":content-type"] == "application/x-amz-cbor-1.1"
    assert cbor.decode(second[1]) == {"Data": b"\0"}


@pytest.mark.parametrize(
    ("error", "name"),
    [
        (AwsError("ResourceNotFoundException", "gone"), "ResourceNotFoundException"),
        (EddylineError("not_found", "gone"), "ResourceNotFoundException"),
        (EddylineError("internal", "gone"), "InternalFailureException"),
    ],
)
def test_an_error_within_is_the_last_frame(error: Exception, name: str) -> None:
    async def failing() -> AsyncIterator[tuple[str, Any]]:
        yield "One", {}
        raise error

    *_, (headers, payload) = frames(answered(failing).raw)
    assert headers[":exception-type"] == name
    assert json.loads(payload) == {"message": "gone"}


def test_a_caller_who_hangs_up_ends_the_events() -> None:
    ended: list[str] = []

    async def endless() -> AsyncIterator[tuple[str, Any]]:
        try:
            yield "One", {}
            exchange.hang_up.set()
            await asyncio.sleep(3600)
        finally:
            ended.append("closed")

    exchange = Exchange()
    answered(endless, exchange=exchange)
    assert ended == ["closed"]
