"""The AWS SDK for Java 2: CBOR, and SubscribeToShard over HTTP/2, clear and with TLS."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sdk_contract
import toolchain

from eddyline.testing import TestServer

pytestmark = [pytest.mark.clients, pytest.mark.timeout(900)]
PROGRAM = ("java", "SdkClient.java")
UTF8 = ("-Dfile.encoding=UTF-8", "-Dstdout.encoding=UTF-8")


def test_java(kinesis: Any, stream: str, start: Callable[..., toolchain.Client]) -> None:
    sdk_contract.check(kinesis, stream, start, toolchain.java(*PROGRAM, *UTF8))


def test_java_over_tls(
    eddyline_tls: TestServer, trust_store: Path, start: Callable[..., toolchain.Client]
) -> None:
    trust = f"-Djavax.net.ssl.trustStore={trust_store}"
    password = "-Djavax.net.ssl.trustStorePassword=changeit"
    command = toolchain.java(*PROGRAM, *UTF8, trust, password)
    sdk_contract.check_tls(eddyline_tls, start, command)
