"""One AWS service in a worker: its model, its handlers, and how they are called.

A handler is ``handler(context, call) -> Answer``, in a table ``OPERATIONS`` (name in the model ->
handler) of a module that the service's definition names. A plain function may take its time: it
runs in a thread. An ``async def`` runs on the event loop, which serves all callers, and must not
block.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from eddyline.aws.access import check
from eddyline.aws.call import Answer, Call
from eddyline.aws.context import ServiceContext
from eddyline.aws.errors import OURS, AwsError, as_aws, stream_not_found
from eddyline.aws.model import load
from eddyline.aws.query import QueryProtocol
from eddyline.aws.rest_json import RestJson
from eddyline.aws.shapes import Inputs
from eddyline.aws.wire import HttpParts, WireForm
from eddyline.errors import EddylineError
from eddyline.log import LogStore
from eddyline.log.environment import StreamDeleted
from eddyline.settings import Settings

Handler = Callable[[Any, Call], Any]


@dataclass(frozen=True, slots=True)
class ServiceDefinition:
    """A service as a row of a table; everything that costs memory is named, not loaded.

    name: botocore's. prefix: of its actions in policies. signing: its name in signatures. target:
    what precedes the operation in ``X-Amz-Target`` (JSON protocols). version: of its API (query
    protocol). context: ``module:class`` of its ``ServiceContext``. modules: each has a table
    ``OPERATIONS``. errors: our codes under names that differ from the usual ones. message: the name
    of the sentence in its errors. eager: loaded when the worker starts. started_by: a file of the
    data directory whose presence makes the service start with the worker, because it has work to do
    without being called.
    """

    name: str
    prefix: str
    signing: str
    context: str
    modules: tuple[str, ...]
    target: str = ""
    version: str = ""
    errors: Mapping[str, str] = field(default_factory=dict)
    eager: bool = False
    started_by: str = ""


class AwsService:
    """A service that runs."""

    def __init__(self, definition: ServiceDefinition, store: LogStore, settings: Settings) -> None:
        self.definition = definition
        self.model = load(definition.name)
        self.inputs = Inputs(self.model)
        module, _, name = definition.context.partition(":")
        self.context: ServiceContext = getattr(import_module(module), name)(store, settings)
        self.query = QueryProtocol(self.model) if self.model.protocol == "query" else None
        self.rest = RestJson(self.model) if self.model.protocol == "rest-json" else None
        self._names = frozenset(self.model.operations)
        self._handlers = handlers(definition)
        self._waits = {n: inspect.iscoroutinefunction(h) for n, h in self._handlers.items()}
        self._errors = {**OURS, **definition.errors}
        self._account = settings.account_id

    def known(self, operation: str) -> bool:
        """Whether the service's model has the operation."""
        return operation in self._names

    def parse(self, form: WireForm, operation: str, http: HttpParts) -> Any:
        """The request's struct. Raises AwsError."""
        return form.parse(self.inputs, operation, http)

    async def call(self, call: Call) -> Answer:
        """Perform an operation.

        Raises:
            AwsError: also for an ``EddylineError`` that the handler raised.
        """
        handler = self._handlers.get(call.operation)
        if handler is None:
            message = f"{call.operation} is not supported by this version of Eddyline."
            raise AwsError("UnsupportedOperationException", message)
        try:
            check(self.context, self.definition.prefix, call)
            if self._waits[call.operation]:
                answer: Answer = await handler(self.context, call)
                return answer
            return await asyncio.to_thread(handler, self.context, call)
        except StreamDeleted as error:  # between the handler's look and its use
            raise stream_not_found(error.stream, self._account) from error
        except EddylineError as error:
            raise as_aws(error, self._errors) from error


def handlers(definition: ServiceDefinition) -> dict[str, Handler]:
    """All operations that a service has here, by their names in the model."""
    table: dict[str, Handler] = {}
    for module in definition.modules:
        table |= import_module(module).OPERATIONS
    return table
