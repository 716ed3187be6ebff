"""What the tests of the AWS endpoint share: a real server of two processes, clients, raw calls."""

from __future__ import annotations

import http.client
import itertools
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from eddyline.aws import ApiWorkers
from eddyline.settings import Settings

CREDENTIAL = "AKIDEXAMPLE/20261125/us-east-1/kinesis/aws4_request"
ANYBODY = f"AWS4-HMAC-SHA256 Credential={CREDENTIAL}, SignedHeaders=host, Signature=0"
TARGET = "Kinesis_20131202."
_names = itertools.count()


class Reply:
    """A raw answer."""

    def __init__(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body

    @property
    def json(self) -> Any:
        return json.loads(self.body) if self.body else {}

    @property
    def error(self) -> str:
        return str(self.json.get("__type", ""))

    @property
    def message(self) -> str:
        return str(self.json.get("message", ""))


def raw(
    endpoint: str, body: bytes, headers: dict[str, str], method: str = "POST", path: str = "/"
) -> Reply:
    """Send exactly this."""
    parts = urlsplit(endpoint)
    assert parts.hostname is not None
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=30)
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        answer_headers = {k.lower(): v for k, v in answer.getheaders()}
        return Reply(answer.status, answer_headers, answer.read())
    finally:
        connection.close()


def call(endpoint: str, operation: str, members: Any = None, **headers: str) -> Reply:
    """One operation in JSON, signed by nobody in particular."""
    body = members if isinstance(members, bytes) else json.dumps(members or {}).encode()
    given = {
        "Content-Type": "application/x-amz-json-1.1",
        "X-Amz-Target": TARGET + operation,
        "Authorization": ANYBODY,
        "X-Amz-Date": "20261125T120000Z",
        **headers,
    }
    return raw(endpoint, body, given)


def client(endpoint: str, key: str = "any", secret: str = "key", **config: Any) -> Any:
    """boto3's client, without retries."""
    return boto3.client(
        "kinesis",
        region_name="us-east-1",
        endpoint_url=endpoint,
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        config=Config(retries={"max_attempts": 0}, **config),
    )


@pytest.fixture(scope="session")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., str]]:
    """Starts endpoints with settings of one's own; they end with the tests."""
    running: list[ApiWorkers] = []

    def start(**settings: Any) -> str:
        given = {"data_dir": tmp_path_factory.mktemp("api"), "api_port": 0, "stream_delay_ms": 0}
        started_with = Settings(**{**given, **settings})
        workers = ApiWorkers(started_with)
        port = workers.start()
        running.append(workers)
        scheme = "https" if started_with.tls else "http"
        return f"{scheme}://127.0.0.1:{port}"

    yield start
    for workers in running:
        workers.stop()


@pytest.fixture(scope="session")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("shared")


@pytest.fixture(scope="session")
def endpoint(started: Callable[..., str], data_dir: Path) -> str:
    """An endpoint that the tests of a session share; two processes serve it."""
    return started(data_dir=data_dir, api_workers=2, access_log=True)


@pytest.fixture(scope="session")
def kinesis(endpoint: str) -> Any:
    return client(endpoint)


@pytest.fixture
def name() -> str:
    """A name no other test has."""
    return f"s{next(_names)}"


@pytest.fixture
def stream(kinesis: Any, name: str) -> Iterator[str]:
    """A stream of two shards."""
    kinesis.create_stream(StreamName=name, ShardCount=2)
    yield name
    kinesis.delete_stream(StreamName=name)


def shard(index: int) -> str:
    return f"shardId-{index:012d}"


def read_all(kinesis: Any, name: str, index: int = 0) -> list[dict[str, Any]]:
    """All records of a shard, page by page."""
    it = kinesis.get_shard_iterator(
        StreamName=name, ShardId=shard(index), ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    records: list[dict[str, Any]] = []
    while it:
        page = kinesis.get_records(ShardIterator=it)
        records += page["Records"]
        if page["MillisBehindLatest"] == 0:
            break
        it = page.get("NextShardIterator")
    return records


def refused(kinesis: Any, operation: str, **members: Any) -> tuple[str, str]:
    """The error's name and its sentence."""
    with pytest.raises(ClientError) as caught:
        getattr(kinesis, operation)(**members)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def code(operation: Any, **members: Any) -> str:
    """The error's name, or ``ok``."""
    try:
        operation(**members)
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return "ok"
