"""Resource policies: a stream's is kept with it, others where their things are."""

from __future__ import annotations

from typing import Any

from eddyline.auth.policy import parse
from eddyline.aws.call import Answer, Call
from eddyline.aws.errors import AwsError
from eddyline.aws.kinesis.context import KinesisContext
from eddyline.errors import EddylineError


def put_resource_policy(context: KinesisContext, call: Call) -> Answer:
    request: Any = call.request
    try:
        parse(request.Policy, resource_based=True)
    except EddylineError as error:
        raise AwsError("InvalidArgumentException", error.message) from None
    context.set_policy(request.ResourceARN, request.Policy)
    return {}


async def get_resource_policy(context: KinesisContext, call: Call) -> Answer:
    return {"Policy": context.policy(call.request.ResourceARN) or "{}"}


def delete_resource_policy(context: KinesisContext, call: Call) -> Answer:
    arn = call.request.ResourceARN
    if context.policy(arn) is None:
        words = f"No resource policy found for resource ARN {arn}"
        raise AwsError("ResourceNotFoundException", words)
    context.set_policy(arn, None)
    return {}


OPERATIONS = {
    "DeleteResourcePolicy": delete_resource_policy,
    "GetResourcePolicy": get_resource_policy,
    "PutResourcePolicy": put_resource_policy,
}
