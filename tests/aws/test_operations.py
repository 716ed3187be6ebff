"""Every operation of the newest model is there, or says that it is not; nothing is made up."""

from __future__ import annotations

import pytest

from eddyline.aws.errors import NAMES
from eddyline.aws.model import load
from eddyline.aws.service import handlers
from eddyline.aws.services import definition
from tests.aws.conftest import call

MODEL = load("kinesis")
HANDLERS = handlers(definition("kinesis"))
# Names the SDKs know from the model, and those common to all of AWS.
COMMON = {name for name in NAMES if name not in ("DryRunOperationException",)}


def test_each_handler_is_an_operation() -> None:
    assert set(HANDLERS) <= set(MODEL.operations)


@pytest.mark.parametrize("operation", sorted(MODEL.operations))
def test_an_operation_answers(endpoint: str, operation: str) -> None:
    reply = call(endpoint, operation, {})
    required = MODEL.operations[operation].input.required
    if required:
        assert reply.error == "ValidationException", reply.body
        for member in required:
            assert f"'{member[:1].lower()}{member[1:]}'" in reply.message
    elif operation not in HANDLERS:
        assert (reply.status, reply.error) == (501, "UnsupportedOperationException")
        assert operation in reply.message
    else:
        assert reply.status == 200 or reply.error in COMMON
