"""aiobotocore, in an environment of its own: it pins a botocore that is not ours."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sdk_contract
import toolchain

from eddyline.testing import TestServer

pytestmark = [pytest.mark.clients, pytest.mark.timeout(900)]


def _command() -> list[str]:
    python = toolchain.python(*toolchain.PYTHON_CLIENTS)
    return [str(python), str(toolchain.HERE / "python" / "aio.py")]


def test_aiobotocore(kinesis: Any, stream: str, start: Callable[..., toolchain.Client]) -> None:
    sdk_contract.check(kinesis, stream, start, _command(), PYTHONIOENCODING="utf-8")


def test_aiobotocore_over_tls(
    eddyline_tls: TestServer, certificate: str, start: Callable[..., toolchain.Client]
) -> None:
    trust = {"AWS_CA_BUNDLE": certificate}
    sdk_contract.check_tls(eddyline_tls, start, _command(), **trust, PYTHONIOENCODING="utf-8")
