"""The Kinesis service under a held clock, without a server, for what takes minutes or hours."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

from eddyline.aws import wire
from eddyline.aws.call import Call, Caller
from eddyline.aws.kinesis.home import Home
from eddyline.aws.kinesis.service import Kinesis
from eddyline.clock import ManualClock
from eddyline.log import LogStore
from eddyline.settings import Settings


class Local:
    """The service under a held clock, without a server."""

    def __init__(self, path: Path, **settings: Any) -> None:
        self.clock = ManualClock()
        quick = {"fsync": False, "stream_delay_ms": 0, "map_gib": 1, "disk_free_mib_min": 0}
        self.settings = Settings(**{"data_dir": path, **quick, **settings})
        self.store = LogStore(path, self.settings, self.clock)
        self._kinesis = Kinesis(self.store, self.settings)
        self._kinesis.home = self.home = Home(self.store, self.settings)

    def call(self, operation: str, **members: Any) -> Any:
        body = json.dumps(members).encode()
        request = wire.JSON.parse(self._kinesis.inputs, operation, body)
        answer = asyncio.run(
            self._kinesis.call(Call(operation, request, wire.JSON, Caller("anybody")))
        )
        return json.loads(answer) if isinstance(answer, bytes) else answer
