"""One request on its way through a service: what is asked, by whom, and in which form."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Protocol

from eddyline.aws.shapes import Inputs
from eddyline.aws.wire import Wire


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls: a user's name and IAM document; ``trusted`` callers are not asked for rights."""

    user: str
    policy: str | None = None
    trusted: bool = True


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
    """What stands behind a target prefix."""

    inputs: Inputs

    def known(self, operation: str) -> bool:
        """Whether the service's model has the operation."""

    async def call(self, call: Call) -> Answer:
        """Do it. Raises AwsError, EddylineError."""


class Guard(Protocol):
    """Who may call."""

    def admit_to_metrics(self, scope: Any, headers: dict[str, str]) -> None:
        """Let a reader of ``/metrics`` in. Raises AwsError."""

    def admit(self, scope: Any, headers: dict[str, str], body: bytes) -> Caller:
        """The caller of a request. Raises AwsError for one that cannot be told."""
