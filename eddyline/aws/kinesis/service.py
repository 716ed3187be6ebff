"""The service as the protocol sees it: which operations there are, and who does them."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from importlib import import_module
from typing import Any

from eddyline.aws.call import Answer, Call
from eddyline.aws.errors import AwsError
from eddyline.aws.kinesis.access import check
from eddyline.aws.kinesis.home import Home
from eddyline.aws.model import load
from eddyline.aws.shapes import Inputs
from eddyline.log import LogStore
from eddyline.settings import Settings

# Each has a table ``OPERATIONS``: name in the model -> handler(home, call).
MODULES = (
    "eddyline.aws.kinesis.account",
    "eddyline.aws.kinesis.capacity",
    "eddyline.aws.kinesis.channels",
    "eddyline.aws.kinesis.consumers",
    "eddyline.aws.kinesis.encryption",
    "eddyline.aws.kinesis.iterators",
    "eddyline.aws.kinesis.monitoring",
    "eddyline.aws.kinesis.policies",
    "eddyline.aws.kinesis.queues",
    "eddyline.aws.kinesis.queues_records",
    "eddyline.aws.kinesis.reading",
    "eddyline.aws.kinesis.records",
    "eddyline.aws.kinesis.resharding",
    "eddyline.aws.kinesis.retention",
    "eddyline.aws.kinesis.shards",
    "eddyline.aws.kinesis.streams",
    "eddyline.aws.kinesis.subscribe",
    "eddyline.aws.kinesis.tags",
)

Handler = Callable[[Home, Call], Any]


class Kinesis:
    """Kinesis Data Streams."""

    def __init__(self, store: LogStore, settings: Settings) -> None:
        model = load("kinesis")
        self.target_prefix = model.target_prefix
        self.inputs = Inputs(model)
        self.home = Home(store, settings)
        self._names = frozenset(model.operations)
        self._handlers = handlers()
        self._waits = {n: inspect.iscoroutinefunction(h) for n, h in self._handlers.items()}

    def known(self, operation: str) -> bool:
        """Whether Kinesis has the operation."""
        return operation in self._names

    async def call(self, call: Call) -> Answer:
        """Do it."""
        handler = self._handlers.get(call.operation)
        if handler is None:
            words = f"{call.operation} is not supported by this version of Eddyline."
            raise AwsError("UnsupportedOperationException", words)
        check(self.home, call)
        if self._waits[call.operation]:
            answer: Answer = await handler(self.home, call)
            return answer
        return await asyncio.to_thread(handler, self.home, call)


def handlers() -> dict[str, Handler]:
    """All operations that are there, by their names in the model."""
    found: dict[str, Handler] = {}
    for module in MODULES:
        found |= import_module(module).OPERATIONS
    return found
