"""What the tests of real clients share: a server, an environment, toolchains, downloads kept.

The clients that come with Eddyline's development tools (boto3, the AWS CLI) run always. The others
are large downloads: ``make clients`` (``EDDYLINE_CLIENTS=1``) runs them, and keeps what it fetched
in ``.clients/``.
"""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from toolchain import Client

from eddyline.testing import TestServer, server

WANTED = os.environ.get("EDDYLINE_CLIENTS", "") not in ("", "0")
_names = itertools.count()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The large downloads are left alone unless asked for."""
    reason = "a large download: `make clients` runs it"
    for item in items:
        if item.get_closest_marker("clients") and not WANTED:
            item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def eddyline() -> Iterator[TestServer]:
    """A server in clear text, as ``eddyline up`` starts it."""
    with server() as running:
        yield running


@pytest.fixture(scope="session")
def eddyline_tls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestServer]:
    """A server with a self-made certificate, as ``eddyline up`` with EDDYLINE_TLS=1."""
    with server(tls=True, data_dir=tmp_path_factory.mktemp("tls")) as running:
        yield running


@pytest.fixture
def kinesis(eddyline: TestServer) -> Any:
    """boto3 without retries: the witness of what clients did."""
    return boto3.client(
        "kinesis",
        region_name="us-east-1",
        endpoint_url=eddyline.endpoint_url,
        aws_access_key_id="any",
        aws_secret_access_key="key",
        config=Config(retries={"max_attempts": 0}),
    )


@pytest.fixture
def stream(kinesis: Any) -> Iterator[str]:
    """A stream of three shards."""
    name = f"clients-{next(_names)}"
    kinesis.create_stream(StreamName=name, ShardCount=3)
    kinesis.get_waiter("stream_exists").wait(
        StreamName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 30}
    )
    yield name
    kinesis.delete_stream(StreamName=name, EnforceConsumerDeletion=True)


@pytest.fixture
def environment(eddyline: TestServer, tmp_path: Path) -> dict[str, str]:
    """All that a client is told: where, which region, which keys."""
    kept = ("PATH", "JAVA_HOME", "LANG", "SSL_CERT_FILE", "GOPROXY", "GOFLAGS", "GOSUMDB")
    return {
        **{name: os.environ[name] for name in kept if name in os.environ},
        "HOME": str(tmp_path),
        "AWS_ENDPOINT_URL": eddyline.endpoint_url,
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "any",
        "AWS_SECRET_ACCESS_KEY": "key",
    }


@pytest.fixture
def start(environment: dict[str, str]) -> Iterator[Callable[..., Client]]:
    """Starts client programs; none outlives its test."""
    running: list[Client] = []

    def start(command: list[str], **more: str) -> Client:
        client = Client(command, {**environment, **more})
        running.append(client)
        return client

    yield start
    for client in running:
        client.kill()


@pytest.fixture
def certificate(eddyline_tls: TestServer) -> str:
    """The self-made certificate's file."""
    return str(eddyline_tls.data_dir / "tls" / "certificate.pem")


@pytest.fixture
def trust_store(certificate: str, tmp_path: Path) -> Path:
    """The self-made certificate as Java wants it."""
    keytool = shutil.which("keytool")
    if keytool is None:
        pytest.skip("keytool is not installed")
    store = tmp_path / "trust.p12"
    command = [keytool, "-importcert", "-noprompt", "-alias", "eddyline", "-storetype", "PKCS12"]
    command += ["-file", certificate, "-keystore", str(store), "-storepass", "changeit"]
    subprocess.run(command, check=True, capture_output=True)
    return store
