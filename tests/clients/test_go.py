"""The AWS SDK for Go 2."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sdk_contract
import toolchain

pytestmark = [pytest.mark.clients, pytest.mark.timeout(1500)]


def test_go(kinesis: Any, stream: str, start: Callable[..., toolchain.Client]) -> None:
    sdk_contract.check(kinesis, stream, start, toolchain.go("go"))
