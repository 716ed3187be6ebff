"""The AWS SDK for JavaScript 3: every call over HTTP/2."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sdk_contract
import toolchain

from eddyline.testing import TestServer

pytestmark = [pytest.mark.clients, pytest.mark.timeout(900)]


def test_javascript(kinesis: Any, stream: str, start: Callable[..., toolchain.Client]) -> None:
    sdk_contract.check(kinesis, stream, start, toolchain.node("js", "client.mjs"))


def test_javascript_over_tls(
    eddyline_tls: TestServer, certificate: str, start: Callable[..., toolchain.Client]
) -> None:
    trust = {"NODE_EXTRA_CA_CERTS": certificate}
    sdk_contract.check_tls(eddyline_tls, start, toolchain.node("js", "client.mjs"), **trust)
