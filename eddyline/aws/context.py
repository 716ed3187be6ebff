"""What the operations of one AWS service share in a worker process: settings, time, access rules.

Each service has a subclass, which the table in ``services.py`` names. The defaults here are those
of a service whose requests name no resource and whose resources have no policies.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

import msgspec

from eddyline.clock import Clock
from eddyline.log import LogStore
from eddyline.settings import Settings


class MetricsSource(Protocol):
    """Figures of a service for ``/metrics``, added up over all workers."""

    def figures(self) -> Any:
        """This worker's figures, as values that msgspec can encode."""

    def lines(self, written: list[msgspec.Raw]) -> Iterator[str]:
        """Prometheus' lines of the figures of all workers, as JSON."""


class ServiceContext:
    """One account's view of a service in this process."""

    def __init__(self, store: LogStore, settings: Settings) -> None:
        self.store = store
        self.settings = settings
        # The log's time, which does not jump, for everything that is stored or expires.
        self.clock: Clock = store.clock
        # The wall clock, for comparison with clients' clocks and for policies.
        self.wall: Clock = store.clock.machine

    @property
    def metrics(self) -> MetricsSource | None:
        """The service's own figures, if it has any."""
        return None

    def start(self) -> None:
        """Begin what the service does without being called."""

    def close(self) -> None:
        """End what ``start`` began."""

    def resource_of(self, operation: str, request: Any) -> str:
        """The ARN of what a request names; ``*`` if it names nothing."""
        return "*"

    def policy_of(self, arn: str) -> str | None:
        """The resource policy of what an ARN names. Raises AwsError if it does not exist."""
        return None

    def user_arn(self, user: str) -> str:
        """The ARN of a user."""
        return f"arn:aws:iam::{self.settings.account_id}:user/{user}"

    def arn(self, service: str, resource: str) -> str:
        """An ARN of this account and region."""
        settings = self.settings
        return f"arn:aws:{service}:{settings.region}:{settings.account_id}:{resource}"
