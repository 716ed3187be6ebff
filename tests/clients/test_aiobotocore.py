"""aiobotocore, in an environment of its own: it pins a botocore that is not ours."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sdk_contract
import toolchain

pytestmark = [pytest.mark.clients, pytest.mark.timeout(900)]


def test_aiobotocore(kinesis: Any, stream: str, start: Callable[..., toolchain.Client]) -> None:
    python = toolchain.python(*toolchain.PYTHON_CLIENTS)
    program = toolchain.HERE / "python" / "aio.py"
    utf8 = {"PYTHONIOENCODING": "utf-8"}
    sdk_contract.check(kinesis, stream, start, [str(python), str(program)], **utf8)
