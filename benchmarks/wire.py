"""A Kinesis client that costs next to nothing: requests signed beforehand, sent over raw sockets.

On two cores a client that signs and parses would measure itself. The same bytes go to every
server, ours and its peers.
"""

from __future__ import annotations

import base64
import json
import socket
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

REGION = "us-east-1"
RECORD_BYTES = 150
BATCH_RECORDS = 500


def signed(endpoint: str, operation: str, body: dict[str, Any] | bytes) -> bytes:
    """A whole HTTP/1.1 request, SigV4 and all."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {
        "Content-Type": "application/x-amz-json-1.1",
        "X-Amz-Target": f"Kinesis_20131202.{operation}",
        "Host": urlsplit(endpoint).netloc,
    }
    request = AWSRequest("POST", endpoint + "/", headers, data)
    SigV4Auth(Credentials("test", "test"), "kinesis", REGION).add_auth(request)
    lines = [f"{k}: {v}" for k, v in request.headers.items()]
    head = "\r\n".join(["POST / HTTP/1.1", *lines, f"Content-Length: {len(data)}", "", ""])
    return head.encode() + data


class Connection:
    """One kept-alive connection."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self._open()

    def _open(self) -> None:
        at = urlsplit(self.endpoint)
        self._socket = socket.create_connection((at.hostname, at.port), 60)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._rest = b""
        self._over = False

    def close(self) -> None:
        self._socket.close()

    def send(self, request: bytes) -> tuple[int, bytes]:
        """(status, body) of the answer."""
        if self._over:  # some servers close after every answer
            self.close()
            self._open()
        self._socket.sendall(request)
        while b"\r\n\r\n" not in self._rest:
            self._more()
        head, _, self._rest = self._rest.partition(b"\r\n\r\n")
        lines = head.split(b"\r\n")
        headers = {k.lower(): v for k, v in (line.split(b": ", 1) for line in lines[1:])}
        self._over = headers.get(b"connection", b"").lower() == b"close"
        if headers.get(b"transfer-encoding") == b"chunked":
            return int(lines[0].split()[1]), self._chunks()
        return int(lines[0].split()[1]), self._exactly(int(headers.get(b"content-length", 0)))

    def call(self, operation: str, **body: Any) -> dict[str, Any]:
        """A parsed answer. Raises RuntimeError for a refusal."""
        status, answer = self.send(signed(self.endpoint, operation, body))
        if status != 200:
            msg = f"{operation}: {status} {answer[:300]!r}"
            raise RuntimeError(msg)
        return json.loads(answer) if answer else {}

    def _more(self) -> None:
        data = self._socket.recv(1 << 20)
        if not data:
            msg = "the server closed the connection"
            raise RuntimeError(msg)
        self._rest += data

    def _exactly(self, n: int) -> bytes:
        parts, have = [self._rest], len(self._rest)
        while have < n:
            data = self._socket.recv(1 << 20)
            if not data:
                msg = "the server closed the connection"
                raise RuntimeError(msg)
            parts.append(data)
            have += len(data)
        whole = b"".join(parts)
        self._rest = whole[n:]
        return whole[:n]

    def _chunks(self) -> bytes:
        out = b""
        while True:
            while b"\r\n" not in self._rest:
                self._more()
            size, _, self._rest = self._rest.partition(b"\r\n")
            n = int(size, 16)
            out += self._exactly(n + 2)[:-2]
            if n == 0:
                return out


@dataclass(frozen=True, slots=True)
class Batches:
    """PutRecords requests ready to send, of ``BATCH_RECORDS`` records each."""

    requests: list[bytes]

    @classmethod
    def of(cls, endpoint: str, stream: str, count: int = 16) -> Batches:
        """``count`` different requests."""
        return cls([signed(endpoint, "PutRecords", _body(stream, b)) for b in range(count)])


def record(n: int) -> bytes:
    """A record of about ``RECORD_BYTES`` bytes, each different."""
    text = f'{{"visitor":{n},"page":"/books/{n % 97}","ms":{n % 900},"note":"'
    return (text + "x" * (RECORD_BYTES - len(text) - 2) + '"}').encode()


def _body(stream: str, batch: int) -> dict[str, Any]:
    first = batch * BATCH_RECORDS
    records = [
        {"Data": base64.b64encode(record(n)).decode(), "PartitionKey": f"visitor-{n}"}
        for n in range(first, first + BATCH_RECORDS)
    ]
    return {"StreamName": stream, "Records": records}
