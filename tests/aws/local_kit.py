"""A service under a held clock, without a server, for what takes minutes or hours."""

from __future__ import annotations

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from eddyline.aws import wire
from eddyline.aws.call import Call, Caller
from eddyline.aws.service import AwsService
from eddyline.aws.services import definition
from eddyline.clock import ManualClock
from eddyline.log import LogStore
from eddyline.settings import Settings

ANYBODY = Caller("anybody")


class Local:
    """One service under a held clock, without a server."""

    def __init__(self, path: Path, service: str = "kinesis", **settings: Any) -> None:
        self.clock = ManualClock()
        quick = {"fsync": False, "stream_delay_ms": 0, "map_gib": 1, "disk_free_mib_min": 0}
        self.settings = Settings(**{"data_dir": path, **quick, **settings})
        self.store = LogStore(path, self.settings, self.clock)
        self._service = AwsService(definition(service), self.store, self.settings)
        self.context: Any = self._service.context

    def call(self, operation: str, /, caller: Caller = ANYBODY, **members: Any) -> Any:
        return perform(self._service, operation, members, caller)


def perform(
    service: AwsService, operation: str, members: dict[str, Any], caller: Caller = ANYBODY
) -> Any:
    """Perform one operation, given as JSON."""
    http = wire.HttpParts("POST", "/", "", {}, json.dumps(members).encode())
    request = service.parse(wire.JSON, operation, http)
    made = Call(operation, request, wire.JSON, caller)
    # A browser that other tests keep open runs its event loop in the main thread.
    with ThreadPoolExecutor(1) as thread:
        answer = thread.submit(asyncio.run, service.call(made)).result()
    return json.loads(answer) if isinstance(answer, bytes) else answer
