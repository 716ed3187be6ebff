"""Enhanced monitoring: which shard-level metrics a stream has switched on.

Nothing is billed here, so ``/metrics`` shows all of them of every shard, and beside them what was
chosen.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from eddyline.aws.call import Answer, Call
from eddyline.aws.kinesis.context import KinesisContext
from eddyline.aws.kinesis.flags import Flags
from eddyline.log import StreamInfo

ALL = (
    "IncomingBytes",
    "IncomingRecords",
    "OutgoingBytes",
    "OutgoingRecords",
    "WriteProvisionedThroughputExceeded",
    "ReadProvisionedThroughputExceeded",
    "IteratorAgeMilliseconds",
)


def enable(context: KinesisContext, call: Call) -> Answer:
    return _change(context, call, lambda there, named: there | named)


def disable(context: KinesisContext, call: Call) -> Answer:
    return _change(context, call, lambda there, named: there - named)


def _change(
    context: KinesisContext, call: Call, combine: Callable[[set[str], set[str]], set[str]]
) -> dict[str, Any]:
    named = set(call.request.ShardLevelMetrics)
    named = set(ALL) if "ALL" in named else named
    stream = context.stream(call.request)
    before: list[str] = []
    after: list[str] = []

    def change(info: StreamInfo) -> dict[str, Any]:
        context.check_active(info)
        before[:] = Flags(info.attributes).metrics
        enabled = combine(set(before), named)
        after[:] = [m for m in ALL if m in enabled]
        return {"attributes": {**info.attributes, "metrics": list(after)}}

    stream.update(change, slow=True)
    return {
        "StreamName": stream.name,
        "StreamARN": context.names.stream_arn(stream.name),
        "CurrentShardLevelMetrics": before,
        "DesiredShardLevelMetrics": after,
    }


OPERATIONS = {"EnableEnhancedMonitoring": enable, "DisableEnhancedMonitoring": disable}
