"""The AWS SDK for Go 2."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sdk_contract
import toolchain

from eddyline.testing import TestServer

pytestmark = [pytest.mark.clients, pytest.mark.timeout(1500)]


def test_go(kinesis: Any, stream: str, start: Callable[..., toolchain.Client]) -> None:
    sdk_contract.check(kinesis, stream, start, toolchain.go("go"))


def test_go_over_tls(
    eddyline_tls: TestServer, certificate: str, start: Callable[..., toolchain.Client]
) -> None:
    trust = {"AWS_CA_BUNDLE": certificate}
    sdk_contract.check_tls(eddyline_tls, start, toolchain.go("go"), **trust)
