"""An endpoint that speaks enough of Kinesis' protocol to refuse records on purpose."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

# What becomes of one request: status and body; or None for no answer at all.
Answer = tuple[int, dict[str, Any]] | None


class Endpoint:
    """What came in, request by request, and what was taken."""

    def __init__(self) -> None:
        self.requests: list[list[dict[str, Any]]] = []
        self.taken: list[bytes] = []

    def store(self, records: list[dict[str, Any]], refuse: set[int]) -> Answer:
        """Take all records but those at the positions ``refuse``."""
        out = []
        for place, record in enumerate(records):
            if place in refuse:
                code = "ProvisionedThroughputExceededException"
                out.append({"ErrorCode": code, "ErrorMessage": "slow down"})
            else:
                self.taken.append(base64.b64decode(record["Data"]))
                out.append({"SequenceNumber": str(len(self.taken)), "ShardId": "shardId-0"})
        return 200, {"FailedRecordCount": len(refuse), "Records": out}


@contextmanager
def serving(
    answer: Callable[[Endpoint, list[dict[str, Any]]], Answer],
) -> Iterator[tuple[Endpoint, str]]:
    """A server on a free port; ``answer`` decides what becomes of each request."""
    endpoint = Endpoint()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            size = int(self.headers["Content-Length"])
            records = json.loads(self.rfile.read(size))["Records"]
            endpoint.requests.append(records)
            status = answer(endpoint, records)
            if status is None:
                self.close_connection = True
                return
            body = json.dumps(status[1]).encode()
            self.send_response(status[0])
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: Any) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield endpoint, f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
