"""The protocol beneath the operations: forms, encodings, errors, headers, HTTP/1.1 and HTTP/2."""

from __future__ import annotations

import gzip
import http.client
import json
import socket
import ssl
import time
import zlib
from base64 import b64encode
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import h2.config
import h2.connection
import h2.events
import pytest

from eddyline.aws import cbor
from tests.aws.conftest import ANYBODY, TARGET, Reply, call, client, raw, read_all

JSON = "application/x-amz-json-1.1"
CBOR = "application/x-amz-cbor-1.1"


def headers(operation: str, **more: str) -> dict[str, str]:
    given = {"Content-Type": JSON, "X-Amz-Target": TARGET + operation, "Authorization": ANYBODY}
    return {**given, "X-Amz-Date": "20261125T120000Z", **more}


def in_cbor(endpoint: str, operation: str, members: dict[str, Any]) -> tuple[Reply, Any]:
    reply = raw(endpoint, cbor.encode(members), {**headers(operation), "Content-Type": CBOR})
    return reply, cbor.decode(reply.body) if reply.body else {}


def test_an_answer_has_what_sdks_look_at(endpoint: str) -> None:
    replies = [call(endpoint, "ListStreams") for _ in range(2)]
    ids = [r.headers["x-amzn-requestid"] for r in replies]
    assert len(set(ids)) == 2
    assert all(len(i) == 36 for i in ids)
    for reply in replies:
        assert reply.headers["content-type"] == JSON
        assert reply.headers["x-amz-id-2"]
        assert int(reply.headers["x-amz-crc32"]) == zlib.crc32(reply.body)
        age = time.time() - parsedate_to_datetime(reply.headers["date"]).timestamp()
        assert -2 < age < 60


def test_an_operation_without_output_has_an_empty_body(endpoint: str, stream: str) -> None:
    reply = call(endpoint, "AddTagsToStream", {"StreamName": stream, "Tags": {"a": "b"}})
    assert (reply.status, reply.body) == (200, b"")


@pytest.mark.parametrize(
    ("target", "status", "error"),
    [
        ("Kinesis_20131202.ListStream", 400, "UnknownOperationException"),
        ("Kinesis_20131202.", 400, "UnknownOperationException"),
        ("DynamoDB_20120810.ListTables", 400, "UnknownOperationException"),
        ("", 400, "UnknownOperationException"),
    ],
)
def test_unknown_targets(endpoint: str, target: str, status: int, error: str) -> None:
    reply = raw(endpoint, b"{}", {**headers(""), "X-Amz-Target": target})
    assert (reply.status, reply.error) == (status, error)
    assert reply.headers["x-amzn-errortype"] == error


def test_other_methods_and_paths_are_told_apart(endpoint: str) -> None:
    assert raw(endpoint, b"", {}, "GET").status == 200
    assert raw(endpoint, b"", {}, "GET", "/health").status == 200
    assert raw(endpoint, b"", {}, "HEAD").status == 200
    assert raw(endpoint, b"", headers("ListStreams"), "PUT").status == 400
    assert raw(endpoint, b"", headers("ListStreams"), "POST", "/x").status == 400


@pytest.mark.parametrize("body", [b"{", b"[]", b'"x"', b"\xff", b'{"StreamName": 1}', b"null"])
def test_what_is_no_request_is_a_serialization_error(endpoint: str, body: bytes) -> None:
    reply = call(endpoint, "DescribeStream", body)
    assert (reply.status, reply.error) == (400, "SerializationException")
    assert reply.message


def test_every_violated_constraint_is_told(endpoint: str) -> None:
    reply = call(endpoint, "CreateStream", {"StreamName": "a b" * 50, "ShardCount": 0})
    assert reply.error == "ValidationException"
    assert reply.message.startswith("3 validation errors detected: ")
    for words in (
        "at 'streamName' failed to satisfy constraint: Member must have length less than or equal",
        "at 'streamName' failed to satisfy constraint: Member must satisfy regular expression",
        "Value '0' at 'shardCount' failed to satisfy constraint: Member must have value greater",
    ):
        assert words in reply.message
    reply = call(endpoint, "GetShardIterator", {"StreamName": "s", "ShardIteratorType": "OLDEST"})
    assert "Value null at 'shardId' failed to satisfy constraint: Member must not be nu" in (
        reply.message
    )
    assert "Member must satisfy enum value set: [AT_SEQUENCE_NUMBER, " in reply.message


def test_media_types(endpoint: str) -> None:
    for kind in (JSON, "application/json", f"{JSON}; charset=utf-8"):
        assert call(endpoint, "ListStreams", **{"Content-Type": kind}).status == 200
    reply = call(endpoint, "ListStreams", **{"Content-Type": "text/xml"})
    assert (reply.status, reply.error) == (415, "UnsupportedMediaTypeException")


def test_a_body_may_be_gzipped(endpoint: str, stream: str) -> None:
    put = {"StreamName": stream, "Data": b64encode(b"x" * 1000).decode(), "PartitionKey": "k"}
    packed = gzip.compress(json.dumps(put).encode())
    assert call(endpoint, "PutRecord", packed, **{"Content-Encoding": "gzip"}).status == 200
    for body, encoding, error in (
        (b"no gzip", "gzip", "SerializationException"),
        (packed[:-9], "gzip", "SerializationException"),
        (gzip.compress(b"{}" + b" " * (17 << 20)), "gzip", "RequestEntityTooLargeException"),
        (packed, "br", "UnsupportedMediaTypeException"),
    ):
        reply = call(endpoint, "PutRecord", body, **{"Content-Encoding": encoding})
        assert reply.error == error


def test_a_body_is_bounded(endpoint: str) -> None:
    parts = urlsplit(endpoint)
    with socket.create_connection((parts.hostname or "", parts.port or 0), 30) as connection:
        lines = [f"{k}: {v}" for k, v in headers("PutRecord").items()]
        head = "\r\n".join(["POST / HTTP/1.1", "Host: localhost", *lines])
        connection.sendall(f"{head}\r\nContent-Length: {1 << 40}\r\n\r\n".encode())
        answer = connection.recv(4096)
    assert b" 413 " in answer.partition(b"\r\n")[0]
    assert b"RequestEntityTooLargeException" in answer


def test_headers_are_bounded(endpoint: str) -> None:
    parts = urlsplit(endpoint)
    with socket.create_connection((parts.hostname or "", parts.port or 0), 30) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\n")
        answer = b""
        try:
            for i in range(2000):
                connection.sendall(b"X-%d: %s\r\n" % (i, b"x" * 1000))
            connection.sendall(b"\r\n")
            answer = connection.recv(4096)
        except OSError:  # it has hung up on us
            pass
    assert not answer.startswith(b"HTTP/1.1 200")


def test_a_request_that_does_not_come_is_given_up(started: Any) -> None:
    endpoint = started(request_s_max=1)
    parts = urlsplit(endpoint)
    with socket.create_connection((parts.hostname or "", parts.port or 0), 30) as connection:
        lines = [f"{k}: {v}" for k, v in headers("PutRecord").items()]
        head = "\r\n".join(["POST / HTTP/1.1", "Host: localhost", *lines])
        connection.sendall(f"{head}\r\nContent-Length: 100\r\n\r\n{{".encode())
        answer = connection.recv(4096)
    assert b" 408 " in answer.partition(b"\r\n")[0]
    with socket.create_connection((parts.hostname or "", parts.port or 0), 30) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: loc")
        assert not connection.recv(4096).startswith(b"HTTP/1.1 200")


def test_a_connection_is_kept(endpoint: str) -> None:
    parts = urlsplit(endpoint)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)
    connection.connect()
    before = connection.sock.getsockname()
    for _ in range(3):
        connection.request("POST", "/", b"{}", headers("ListStreams"))
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 200
        assert connection.sock.getsockname() == before
    connection.close()


def test_cbor_has_byte_strings_and_instants(endpoint: str, stream: str) -> None:
    data = bytes(range(256))
    put = {"StreamName": stream, "Records": [{"Data": data, "PartitionKey": "ключ"}] * 3}
    reply, taken = in_cbor(endpoint, "PutRecords", put)
    assert reply.headers["content-type"] == CBOR
    assert taken["FailedRecordCount"] == 0
    shard = taken["Records"][0]["ShardId"]
    get = {"StreamName": stream, "ShardId": shard, "ShardIteratorType": "TRIM_HORIZON"}
    _, response = in_cbor(endpoint, "GetShardIterator", get)
    reply, page = in_cbor(endpoint, "GetRecords", {"ShardIterator": response["ShardIterator"]})
    assert [r["Data"] for r in page["Records"]] == [data] * 3
    assert [r["SequenceNumber"] for r in page["Records"]] == [
        r["SequenceNumber"] for r in taken["Records"]
    ]
    assert page["Records"][0]["PartitionKey"] == "ключ"
    assert abs(page["Records"][0]["ApproximateArrivalTimestamp"] - time.time()) < 600
    assert b"ApproximateArrivalTimestamp\xc1\x1b" in reply.body
    assert page["MillisBehindLatest"] == 0
    at = {**get, "ShardIteratorType": "AT_TIMESTAMP", "Timestamp": 1.5}
    assert in_cbor(endpoint, "GetShardIterator", at)[0].status == 200


def test_a_large_answer_in_cbor_is_whole(endpoint: str, stream: str) -> None:
    records = [{"Data": b"x" * 20_000, "PartitionKey": "k", "ExplicitHashKey": "0"}] * 300
    in_cbor(endpoint, "PutRecords", {"StreamName": stream, "Records": records})
    get = {
        "StreamName": stream,
        "ShardId": "shardId-000000000000",
        "ShardIteratorType": "TRIM_HORIZON",
    }
    _, response = in_cbor(endpoint, "GetShardIterator", get)
    _, page = in_cbor(endpoint, "GetRecords", {"ShardIterator": response["ShardIterator"]})
    assert [r["Data"] for r in page["Records"]] == [b"x" * 20_000] * 300


def test_errors_in_cbor(endpoint: str) -> None:
    reply, response = in_cbor(endpoint, "DescribeStream", {"StreamName": "nowhere"})
    assert (reply.status, response["__type"]) == (400, "ResourceNotFoundException")
    reply, response = in_cbor(endpoint, "DescribeStream", {"StreamName": "a b"})
    assert response["__type"] == "ValidationException"
    broken = raw(endpoint, b"\x5f", {**headers("DescribeStream"), "Content-Type": CBOR})
    assert cbor.decode(broken.body)["__type"] == "SerializationException"


def test_pages_elsewhere_are_refused(endpoint: str) -> None:
    for more in (
        {"Origin": "https://evil.example"},
        {"Origin": endpoint},
        {"Sec-Fetch-Site": "cross-site"},
        {"Host": "evil.example"},
    ):
        reply = call(endpoint, "ListStreams", **more)
        assert (reply.status, reply.error) == (400, "AccessDeniedException")
    assert raw(endpoint, b"", {"Host": "evil.example"}, "GET", "/metrics").status == 403


def test_a_request_needs_a_credential(endpoint: str) -> None:
    given = headers("ListStreams")
    del given["Authorization"]
    reply = raw(endpoint, b"{}", given)
    assert reply.error == "MissingAuthenticationTokenException"
    reply = call(endpoint, "ListStreams", Authorization="Bearer x")
    assert reply.error == "IncompleteSignatureException"
    assert "requires 'Signature' parameter" in reply.message


class Http2:
    """One HTTP/2 connection, as the Java SDK opens it: prior knowledge, or ALPN in TLS."""

    def __init__(self, endpoint: str, authority: Path | None = None) -> None:
        parts = urlsplit(endpoint)
        self._host = f"{parts.hostname}:{parts.port}"
        self._scheme = parts.scheme
        self._socket = socket.create_connection((parts.hostname or "", parts.port or 0), 30)
        if authority is not None:
            context = ssl.create_default_context(cafile=str(authority))
            context.set_alpn_protocols(["h2"])
            secured = context.wrap_socket(self._socket, server_hostname=parts.hostname)
            assert secured.selected_alpn_protocol() == "h2"
            self._socket = secured
        self._h2 = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
        self._h2.initiate_connection()

    def call(self, operation: str, body: bytes) -> tuple[int, bytes]:
        stream = self._h2.get_next_available_stream_id()
        pairs = [
            (":method", "POST"),
            (":path", "/"),
            (":scheme", self._scheme),
            (":authority", self._host),
        ]
        pairs += [(k.lower(), v) for k, v in headers(operation).items()]
        self._h2.send_headers(stream, pairs)
        for at in range(0, len(body), 16_000):
            self._h2.send_data(stream, body[at : at + 16_000])
        self._h2.end_stream(stream)
        self._socket.sendall(self._h2.data_to_send())
        status, answer = 0, b""
        while True:
            for event in self._h2.receive_data(self._socket.recv(65_536)):
                if isinstance(event, h2.events.ResponseReceived):
                    status = int(dict(event.headers)[":status"])
                elif isinstance(event, h2.events.DataReceived):
                    answer += event.data
                    size = event.flow_controlled_length
                    self._h2.acknowledge_received_data(size, event.stream_id)
                elif isinstance(event, h2.events.StreamEnded):
                    return status, answer
            self._socket.sendall(self._h2.data_to_send())

    def close(self) -> None:
        self._socket.close()


def test_http2_with_prior_knowledge(endpoint: str, stream: str) -> None:
    connection = Http2(endpoint)
    status, answer = connection.call("ListStreams", b"{}")
    assert status == 200
    assert stream in json.loads(answer)["StreamNames"]
    put = {"StreamName": stream, "Data": b64encode(b"x" * 20_000).decode(), "PartitionKey": "k"}
    status, answer = connection.call("PutRecord", json.dumps(put).encode())
    assert (status, json.loads(answer)["ShardId"][:8]) == (200, "shardId-")
    assert connection.call("DescribeStream", b'{"StreamName":"nowhere"}')[0] == 400
    connection.close()


def test_tls_with_a_certificate_of_its_own(started: Any, tmp_path: Path) -> None:
    endpoint = started(data_dir=tmp_path, tls=True)
    authority = tmp_path / "tls" / "certificate.pem"
    assert (tmp_path / "tls" / "key.pem").stat().st_mode & 0o077 == 0
    import boto3

    own = boto3.client(
        "kinesis",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="a",
        aws_secret_access_key="b",
        verify=str(authority),
    )
    own.create_stream(StreamName="s", ShardCount=1)
    assert own.list_streams()["StreamNames"] == ["s"]
    connection = Http2(endpoint, authority)
    assert connection.call("ListStreams", b"{}")[0] == 200
    connection.close()


def test_counters_and_access_log(endpoint: str, data_dir: Path, stream: str) -> None:
    own = client(endpoint)
    own.put_records(StreamName=stream, Records=[{"Data": b"xyz", "PartitionKey": "k"}] * 7)
    call(endpoint, "DescribeStream", {"StreamName": "nowhere"})
    read = [r for index in range(2) for r in read_all(own, stream, index)]
    assert len(read) == 7
    log = (data_dir / "logs" / "access.log").read_text().splitlines()
    seen = [json.loads(line) for line in log[-30:]]
    put = next(e for e in reversed(seen) if e["operation"] == "PutRecords")
    assert (put["status"], put["error"], put["user"]) == (200, None, "any")
    assert put["bytes_in"] > 7 * 4
    missed = next(e for e in reversed(seen) if e["status"] == 400)
    assert missed["error"] == "ResourceNotFoundException"
    end = time.monotonic() + 20
    read_both = f'kinesis_outgoing_records_total{{stream="{stream}",'
    missed_one = 'operation="DescribeStream",error="ResourceNotFoundException"'
    page = ""
    # Either worker may answer, and knows within a second what the other one has counted.
    while page.count(read_both) < 2 or missed_one not in page:
        assert time.monotonic() < end
        page = page_of(endpoint)
    rows = dict(line.rsplit(" ", 1) for line in page.splitlines() if not line.startswith("#"))
    label = f'{{stream="{stream}",shard="shardId-00000000000%d"}}'
    incoming = [int(rows["kinesis_incoming_records_total" + label % i]) for i in range(2)]
    assert sum(incoming) == 7
    assert sum(int(rows["kinesis_incoming_bytes_total" + label % i]) for i in range(2)) == 28
    outgoing = [int(rows["kinesis_outgoing_records_total" + label % i]) for i in range(2)]
    assert sum(outgoing) == 7
    assert sum(int(rows["kinesis_outgoing_bytes_total" + label % i]) for i in range(2)) == 28


def page_of(endpoint: str) -> str:
    return raw(endpoint, b"", {}, "GET", "/metrics").body.decode()
