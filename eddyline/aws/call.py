"""One request on its way through a service: its operation, its caller and its protocol."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Protocol

from eddyline.aws.wire import HttpParts, Wire, WireForm


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls.

    policies: the caller's IAM documents. session_policy: a document that limits them further.
    trusted: no policy is consulted. arn: of the principal where it is not the user's own.
    """

    user: str
    policies: tuple[str, ...] = ()
    trusted: bool = True
    key_id: str = ""
    arn: str = ""
    session_policy: str | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """An operation with its parsed and validated request (members by the model's names)."""

    operation: str
    request: Any
    form: Wire
    caller: Caller


@dataclass(frozen=True, slots=True)
class EventStream:
    """An answer that goes on: (event's name, its members) as they come, until the iterator ends.

    An ``AwsError`` raised by the iterator is sent as the stream's last event, an exception. When
    the caller hangs up the iterator is closed, so that its ``finally`` runs.
    """

    events: AsyncIterator[tuple[str, dict[str, Any] | bytes]]


# Members by name; bytes that are encoded already in the call's form; or a stream of events.
Answer = dict[str, Any] | bytes | EventStream


class Service(Protocol):
    """A service as the protocol sees it."""

    def parse(self, form: WireForm, operation: str, http: HttpParts) -> Any:
        """The request's struct. Raises AwsError."""

    async def call(self, call: Call) -> Answer:
        """Perform the operation. Raises AwsError, EddylineError."""


@dataclass(frozen=True, slots=True)
class Route:
    """Where a request goes. ``label``: the operation's name in metrics and the access log."""

    service: Service
    operation: str
    form: WireForm
    label: str


class Routes(Protocol):
    """Finds the service and operation of a request."""

    async def route(self, http: HttpParts) -> Route:
        """Where a request goes. Raises AwsError."""

    def form_of(self, http: HttpParts) -> WireForm:
        """The protocol in which a request that has no route is refused."""


class Guard(Protocol):
    """Determines who calls."""

    def admit_to_metrics(self, scope: Any, headers: dict[str, str]) -> None:
        """Let a reader of ``/metrics`` in. Raises AwsError."""

    def admit(self, scope: Any, headers: dict[str, str], body: bytes) -> Caller:
        """The caller of a request. Raises AwsError for one that cannot be determined."""
