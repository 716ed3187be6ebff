"""What ``open`` of a Python function receives: its place among others, and counters of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Counter:
    """A number that a function counts for itself."""

    def __init__(self) -> None:
        self._count = 0

    def inc(self, n: int = 1) -> None:
        """Add."""
        self._count += n

    def dec(self, n: int = 1) -> None:
        """Subtract."""
        self._count -= n

    def get_count(self) -> int:
        """The number."""
        return self._count


class EventMeter(Counter):
    """Counts events."""

    def mark_event(self, value: int = 1) -> None:
        """Add events."""
        self.inc(value)


class Distribution:
    """Values that a function reports; the newest is kept."""

    def __init__(self) -> None:
        self.value: int | None = None

    def update(self, value: int) -> None:
        """Report a value."""
        self.value = value


class MetricGroup:
    """A function's counters. They live in its process; no page shows them."""

    def add_group(self, name: str, extra: str | None = None) -> MetricGroup:
        """A group within this one."""
        return MetricGroup()

    def counter(self, name: str) -> Counter:
        """A number to count with."""
        return Counter()

    def meter(self, name: str, time_span_in_seconds: int = 60) -> EventMeter:
        """Events to count."""
        return EventMeter()

    def distribution(self, name: str) -> Distribution:
        """Values to report."""
        return Distribution()

    def gauge(self, name: str, obj: Callable[[], int]) -> None:
        """A value to be asked for; nobody asks here."""


class FunctionContext:
    """What ``open`` receives. A function runs in one process here."""

    def get_job_parameter(self, key: str, default_value: str) -> str:
        """A parameter of the job; there are none here, so that it is the default."""
        return default_value

    def get_metric_group(self) -> MetricGroup:
        """The function's counters."""
        return MetricGroup()

    def get_number_of_parallel_subtasks(self) -> int:
        """One process runs the function."""
        return 1

    get_max_number_of_parallel_subtasks = get_number_of_parallel_subtasks

    def get_index_of_this_subtask(self) -> int:
        """The only one is the first."""
        return 0

    get_attempt_number = get_index_of_this_subtask

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        known = "get_job_parameter and get_metric_group"
        msg = f"FunctionContext.{name} is not available here; there are {known}"
        raise AttributeError(msg)
