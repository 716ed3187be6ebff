"""How long records are kept: 24 hours to a year."""

from __future__ import annotations

from typing import Any

from eddyline.aws.call import Answer, Call
from eddyline.aws.errors import AwsError
from eddyline.aws.kinesis.context import KinesisContext
from eddyline.log import StreamInfo

HOURS_MIN, HOURS_MAX = 24, 8760


def increase(context: KinesisContext, call: Call) -> Answer:
    hours = call.request.RetentionPeriodHours

    def check(info: StreamInfo) -> None:
        if hours < info.retention_hours:
            raise _wrong_way(info, hours, "shorter", "Decrease")

    _change(context, call, check)
    return {}


def decrease(context: KinesisContext, call: Call) -> Answer:
    hours = call.request.RetentionPeriodHours

    def check(info: StreamInfo) -> None:
        if hours > info.retention_hours:
            raise _wrong_way(info, hours, "longer", "Increase")

    _change(context, call, check)
    return {}


def _change(context: KinesisContext, call: Call, check: Any) -> None:
    hours = call.request.RetentionPeriodHours
    stream = context.stream(call.request)
    if hours < HOURS_MIN:
        raise _outside("Minimum", HOURS_MIN, hours, "short")
    if hours > HOURS_MAX:
        raise _outside("Maximum", HOURS_MAX, hours, "long")

    def change(info: StreamInfo) -> dict[str, Any]:
        context.check_active(info)
        check(info)
        return {"retention_hours": hours}

    stream.update(change, slow=True)


def _outside(which: str, limit: int, hours: int, how: str) -> AwsError:
    words = (
        f"{which} allowed retention period is {limit} hours. "
        f"Requested retention period ({hours} hours) is too {how}."
    )
    return AwsError("InvalidArgumentException", words)


def _wrong_way(info: StreamInfo, hours: int, how: str, other: str) -> AwsError:
    words = (
        f"Requested retention period ({hours} hours) for stream {info.name} can not be {how} "
        f"than existing retention period ({info.retention_hours} hours). "
        f"Use {other}RetentionPeriod API."
    )
    return AwsError("InvalidArgumentException", words)


OPERATIONS = {
    "DecreaseStreamRetentionPeriod": decrease,
    "IncreaseStreamRetentionPeriod": increase,
}
