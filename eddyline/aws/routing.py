"""Finds the service and operation of a request: by target, by action and version, or by path.

A service is loaded with its first request, in a thread. One that cannot be loaded answers with an
error and is tried again after a while; the other services are not affected.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import traceback
from collections.abc import Sequence

from eddyline.aws import query, wire
from eddyline.aws.call import Route
from eddyline.aws.context import MetricsSource
from eddyline.aws.errors import AwsError
from eddyline.aws.service import AwsService, ServiceDefinition
from eddyline.aws.services import SERVICES
from eddyline.aws.wire import HttpParts, WireForm
from eddyline.log import LogStore
from eddyline.settings import Settings

RETRY_S = 10.0
FORM_TYPE = "application/x-www-form-urlencoded"
# Its operations have no prefix in metrics and the access log.
UNPREFIXED = "kinesis"
_log = logging.getLogger("eddyline.aws")


class ServiceRoutes:
    """The services of a worker, by what requests say of them."""

    def __init__(
        self,
        store: LogStore,
        settings: Settings,
        definitions: Sequence[ServiceDefinition] = SERVICES,
    ) -> None:
        self._store = store
        self._settings = settings
        self._definitions = definitions
        self._by_target = {d.target: d for d in definitions if d.target}
        self._by_version = {d.version: d for d in definitions if d.version}
        self._by_signing = {d.signing: d for d in definitions}
        self._running: dict[str, AwsService] = {}
        self._failed: dict[str, tuple[float, str]] = {}
        self._lock = threading.Lock()

    def start(self) -> None:
        """Load the services that are needed at once: the eager ones, and those with work to do."""
        data_dir = self._settings.data_dir
        for definition in self._definitions:
            file = definition.started_by
            if definition.eager or (file and (data_dir / file).exists()):
                self.load(definition)

    def close(self) -> None:
        """End what services do without being called."""
        for service in self._running.values():
            service.context.close()

    def metrics(self) -> dict[str, MetricsSource]:
        """The figures of the services that run and have some."""
        sources = {name: s.context.metrics for name, s in self._running.items()}
        return {name: source for name, source in sources.items() if source is not None}

    def load(self, definition: ServiceDefinition) -> AwsService | None:
        """The service, loaded if it was not; None if it cannot be loaded now."""
        with self._lock:
            service = self._running.get(definition.name)
            now = self._store.clock.machine.monotonic()
            failed = self._failed.get(definition.name)
            if service is not None or (failed and now - failed[0] < RETRY_S):
                return service
            try:
                service = AwsService(definition, self._store, self._settings)
                service.context.start()
            except Exception as error:
                self._failed[definition.name] = (now, f"{type(error).__name__}: {error}")
                _log.error("%s does not start\n%s", definition.name, traceback.format_exc())
                return None
            self._running[definition.name] = service
            return service

    async def route(self, http: HttpParts) -> Route:
        """Where a request goes.

        Raises:
            AwsError: ``UnknownOperationException``, ``UnsupportedMediaTypeException``, or
                ``ServiceUnavailable`` for a service that cannot be loaded.
        """
        target = http.headers.get("x-amz-target")
        if target is not None:
            prefix, _, operation = target.partition(".")
            definition = self._by_target.get(prefix)
            if definition is None or http.method != "POST" or http.path != "/":
                raise self._unknown(http)
            service = self._running.get(definition.name) or await self._loaded(definition)
            form: WireForm = wire.of(http.headers.get("content-type", ""))
            return self._route(service, operation, form, http)
        if http.path == "/" and _is_query(http):
            return await self._of_query(http)
        definition = self._by_signing.get(signed_for(http))
        if definition is not None and not definition.target and not definition.version:
            service = await self._loaded(definition)
            if service.rest is not None:
                return self._route(service, service.rest.operation(http), service.rest, http)
        raise self._unknown(http)

    async def _of_query(self, http: HttpParts) -> Route:
        given = query.parameters(http)
        definition = self._by_version.get(given.get("Version", ""))
        signed = self._by_signing.get(signed_for(http))
        if signed is not None and signed.version:
            definition = signed
        if definition is None:
            raise self._unknown(http)
        service = await self._loaded(definition)
        assert service.query is not None
        action = given.get("Action", "")
        if not service.known(action):
            version = given.get("Version", "")
            message = f"Could not find operation {action[:100]} for version {version[:40]}"
            raise AwsError("UnknownOperationException", message)
        return self._route(service, action, service.query, http)

    def _route(self, service: AwsService, operation: str, form: WireForm, http: HttpParts) -> Route:
        if not service.known(operation):
            raise self._unknown(http)
        name = service.definition.name
        label = operation if name == UNPREFIXED else f"{name}:{operation}"
        return Route(service, operation, form, label)

    async def _loaded(self, definition: ServiceDefinition) -> AwsService:
        service = self._running.get(definition.name)
        if service is None:
            service = await asyncio.to_thread(self.load, definition)
        if service is None:
            reason = self._failed[definition.name][1]
            message = f"{definition.name} does not start ({reason}); see logs/api.log"
            raise AwsError("ServiceUnavailable", message)
        return service

    def form_of(self, http: HttpParts) -> WireForm:
        """The protocol in which a request that has no route is refused."""
        definition = self._by_signing.get(signed_for(http))
        if "x-amz-target" not in http.headers and _is_query(http):
            return _bare_query(definition.name if definition and definition.version else "sts")
        return wire.of_refusal(http.headers.get("content-type", ""))

    def _unknown(self, http: HttpParts) -> AwsError:
        target = http.headers.get("x-amz-target", "")[:120]
        message = f"{http.method} {http.path[:80]} with X-Amz-Target {target!r} is unknown"
        signing = signed_for(http)
        if signing and signing not in self._by_signing:
            there = ", ".join(sorted(self._by_signing))
            message += f"; there is no service {signing[:40]} here, there are {there}"
            message += INSTEAD.get(signing, "")
        return AwsError("UnknownOperationException", message)


# What to do in place of a service that stacks and notebooks begin with.
INSTEAD = {
    "cloudformation": ". Templates are not read: make what they describe with Terraform, boto3 or "
    "the AWS CLI, or with eddyline stream, notebook and user",
    "logs": ". Logs are files: eddyline job logs, or logs/ in the data directory",
}


def _bare_query(name: str) -> query.QueryProtocol:
    from eddyline.aws.model import load

    if name not in _QUERIES:
        _QUERIES[name] = query.QueryProtocol(load(name))
    return _QUERIES[name]


_QUERIES: dict[str, query.QueryProtocol] = {}


def _is_query(http: HttpParts) -> bool:
    kind = http.headers.get("content-type", "").partition(";")[0].strip().lower()
    return kind == FORM_TYPE or (http.method == "GET" and "Action=" in http.query)


def signed_for(http: HttpParts) -> str:
    """The service in the request's credential scope; empty if it has none."""
    text = http.headers.get("authorization", "")
    _, _, rest = text.partition("Credential=")
    if not rest:
        _, _, rest = http.query.partition("X-Amz-Credential=")
        rest = rest.partition("&")[0].replace("%2F", "/").replace("%2f", "/")
    parts = rest.partition(",")[0].split("/")
    return parts[3] if len(parts) == 5 else ""
