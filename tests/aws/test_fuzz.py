"""A fuzzer over the model's shapes finds no fault of ours, no hang and no growth.

It runs for a few seconds; ``EDDYLINE_FUZZ_S`` (seconds) and ``EDDYLINE_FUZZ_SEED`` make it longer
and other.
"""

from __future__ import annotations

import http.client
import json
import os
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from eddyline.aws import ApiWorkers, cbor
from eddyline.aws.errors import NAMES
from eddyline.settings import Settings
from tests.aws.conftest import ANYBODY, TARGET
from tests.aws.fuzz import OPERATIONS, STREAMS, Maker

# Read here: the tests' own environment is emptied before each of them.
SECONDS = float(os.environ.get("EDDYLINE_FUZZ_S", "6"))
SEED = int(os.environ.get("EDDYLINE_FUZZ_SEED", "1"))
ANSWER_S = 30
GROWTH_BYTES_MAX = 64 << 20


class Sender:
    """One connection, opened again when it was left in the middle of an answer."""

    def __init__(self, endpoint: str) -> None:
        self._parts = urlsplit(endpoint)
        self._connection: http.client.HTTPConnection | None = None

    def send(self, operation: str, headers: dict[str, str], body: bytes) -> tuple[int, Any]:
        """(status, members of the answer)."""
        if self._connection is None:
            host, port = self._parts.hostname or "", self._parts.port
            self._connection = http.client.HTTPConnection(host, port, timeout=ANSWER_S)
        given = {
            "Content-Type": "application/x-amz-json-1.1",
            "X-Amz-Target": TARGET + operation,
            "Authorization": ANYBODY,
            "X-Amz-Date": "20261125T120000Z",
            **headers,
        }
        self._connection.request("POST", "/", body, given)
        answer = self._connection.getresponse()
        kind = answer.getheader("content-type") or ""
        if "eventstream" in kind:  # it would go on for five minutes
            self.close()
            return answer.status, {}
        raw = answer.read()
        if not raw:
            return answer.status, {}
        return answer.status, cbor.decode(raw) if "cbor" in kind else json.loads(raw)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def resident(pid: int) -> int:
    """Bytes of the process that are its own (pages of the log's files are not)."""
    if sys.platform != "linux":
        return 0
    text = Path(f"/proc/{pid}/status").read_text()
    return int(text.partition("RssAnon:")[2].split()[0]) << 10


def test_the_model_is_covered() -> None:
    maker = Maker(0)
    assert {maker.request()[0] for _ in range(2000)} == set(OPERATIONS)


@pytest.mark.timeout(SECONDS + 240)
def test_no_request_is_answered_with_a_fault(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, api_port=0, stream_delay_ms=0, shard_limit=60)
    workers = ApiWorkers(settings)
    sender = Sender(f"http://127.0.0.1:{workers.start()}")
    maker = Maker(SEED)
    codes: dict[str, int] = {}
    started, sizes, count = time.monotonic(), [], 0
    try:
        for name in STREAMS:
            create = json.dumps({"StreamName": name, "ShardCount": 2}).encode()
            assert sender.send("CreateStream", {}, create)[0] == 200
        while (passed := time.monotonic() - started) < SECONDS:
            operation, headers, body = maker.request()
            status, answer = sender.send(operation, headers, body)
            what = f"request {count} of seed {SEED}: {operation} {body[:500]!r} -> {answer}"
            assert status < 500 or answer["__type"] == "UnsupportedOperationException", what
            if status != 200:
                assert answer["__type"] in NAMES, what
                assert answer["message"], what
            elif operation == "GetShardIterator":
                maker.iterators = [*maker.iterators[-20:], answer["ShardIterator"]]
            code = "ok" if status == 200 else answer["__type"]
            codes[code] = codes.get(code, 0) + 1
            count += 1
            if len(sizes) < passed / SECONDS * 10:
                sizes.append(resident(workers._processes[0].pid))
        assert workers.alive()
    finally:
        sender.close()
        workers.stop()
    assert "Traceback" not in (tmp_path / "logs" / "api.log").read_text()
    assert codes["ok"] > count / 20, codes
    assert {"ValidationException", "SerializationException"} <= set(codes)
    # The first fifth is warming up; after it nothing may grow with the number of requests.
    assert sizes[-1] - sizes[len(sizes) // 5] < GROWTH_BYTES_MAX
