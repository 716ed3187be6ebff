"""What it costs to find the service and the operation of a request, once its service is loaded.

    python -m benchmarks routing

CPU time a request of ``ServiceRoutes.route``, in process: the best of five rounds.
"""

from __future__ import annotations

import asyncio
import json
import os
import tempfile
import time
from pathlib import Path

from eddyline.aws.routing import ServiceRoutes
from eddyline.aws.wire import HttpParts
from eddyline.clock import SYSTEM
from eddyline.log import LogStore
from eddyline.settings import Settings

REQUESTS_PER_ROUND = 20_000
ROUNDS = 5
JSON_TYPE = "application/x-amz-json-1.1"
SIGNED = "AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/sts/aws4_request, SignedHeaders=host"


def _json(target: str) -> HttpParts:
    headers = {"x-amz-target": target, "content-type": JSON_TYPE}
    return HttpParts("POST", "/", "", headers, b"{}")


REQUESTS = {
    "kinesis, JSON": _json("Kinesis_20131202.PutRecord"),
    "glue, JSON": _json("AWSGlue.GetDatabases"),
    "sts, query": HttpParts(
        "POST",
        "/",
        "",
        {"content-type": "application/x-www-form-urlencoded", "authorization": SIGNED},
        b"Action=GetCallerIdentity&Version=2011-06-15",
    ),
}


async def measure(routes: ServiceRoutes, request: HttpParts) -> float:
    """Microseconds of CPU for one request."""
    await routes.route(request)  # loads the service
    rounds = []
    for _ in range(ROUNDS):
        began = time.process_time()
        for _ in range(REQUESTS_PER_ROUND):
            await routes.route(request)
        rounds.append(time.process_time() - began)
    return min(rounds) / REQUESTS_PER_ROUND * 1e6


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data_dir=Path(folder))
        routes = ServiceRoutes(LogStore(Path(folder), settings, SYSTEM), settings)
        routes.start()
        for name, request in REQUESTS.items():
            cpu_us = round(asyncio.run(measure(routes, request)), 2)
            print(json.dumps({"request": name, "cpu_us": cpu_us}), flush=True)
    os._exit(0)  # threads of the services would keep it alive


if __name__ == "__main__":
    main()
