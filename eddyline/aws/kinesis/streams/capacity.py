"""How much a stream takes: mode, warm throughput, largest record, distribution of records.

One machine has the same throughput whatever it is told; so mode and warm throughput are kept and
reported, largest record and distribution are obeyed.
"""

from __future__ import annotations

from typing import Any

from eddyline.aws.call import Answer, Call
from eddyline.aws.errors import AwsError
from eddyline.aws.kinesis import account
from eddyline.aws.kinesis.context import KinesisContext
from eddyline.aws.kinesis.flags import AUTO, USER_PARTITION_KEY
from eddyline.log import StreamInfo, StreamMode

WARM_MIBPS_MAX = 10_240


def check_warm(context: KinesisContext, mode: StreamMode, mibps: int | None) -> None:
    """Warm throughput is for on-demand streams of an account that has committed itself.

    Raises:
        AwsError: ``ValidationException``, ``InvalidArgumentException``.
    """
    if mibps is None:
        return
    if mode is not StreamMode.ON_DEMAND:
        words = "WarmThroughputMiBps is only supported for streams in ON_DEMAND capacity mode."
        raise AwsError("ValidationException", words)
    if mibps > WARM_MIBPS_MAX:
        words = f"WarmThroughputMiBps {mibps} is above the limit of {WARM_MIBPS_MAX}."
        raise AwsError("InvalidArgumentException", words)
    if mibps and not account.committed(context):
        words = (
            "WarmThroughputMiBps needs MinimumThroughputBillingCommitment to be ENABLED for the "
            "account; call UpdateAccountSettings first."
        )
        raise AwsError("ValidationException", words)


def check_distribution(mode: StreamMode, strategy: str | None) -> None:
    """AUTO is for on-demand streams. Raises AwsError ``InvalidArgumentException``."""
    if strategy == AUTO and mode is not StreamMode.ON_DEMAND:
        words = (
            "RecordDistributionStrategy AUTO is only supported for streams in ON_DEMAND "
            "capacity mode."
        )
        raise AwsError("InvalidArgumentException", words)


def update_stream_mode(context: KinesisContext, call: Call) -> Answer:
    request = call.request
    mode = StreamMode(request.StreamModeDetails.StreamMode)
    check_warm(context, mode, request.WarmThroughputMiBps)
    stream = context.stream(request)
    if mode is StreamMode.PROVISIONED and any(context.relations(stream.name).values()):
        words = (
            f"Stream {stream.name} has queues or channels, which need ON_DEMAND capacity mode. "
            "Delete them before you change its mode."
        )
        raise AwsError("ResourceInUseException", words)

    if _has_mode(context, stream.info(), mode, request.WarmThroughputMiBps):
        return {}

    def change(info: StreamInfo) -> dict[str, Any]:
        context.check_active(info)
        kept = dict(info.attributes)
        if mode is StreamMode.PROVISIONED:
            kept.pop("warm_mibps", None)
            kept.pop("distribution", None)
        elif request.WarmThroughputMiBps is not None:
            kept["warm_mibps"] = request.WarmThroughputMiBps
        return {"mode": mode, "attributes": kept}

    stream.update(change, slow=True)
    return {}


def _has_mode(
    context: KinesisContext, info: StreamInfo, mode: StreamMode, mibps: int | None
) -> bool:
    """Whether the change would change nothing: then the stream stays ACTIVE, as in AWS."""
    context.check_active(info)
    return info.mode is mode and mibps in (None, info.attributes.get("warm_mibps"))


def update_stream_warm_throughput(context: KinesisContext, call: Call) -> Answer:
    request = call.request
    mibps = request.WarmThroughputMiBps
    stream = context.stream(request)

    def change(info: StreamInfo) -> dict[str, Any]:
        check_warm(context, info.mode, mibps)
        context.check_active(info)
        return {"attributes": {**info.attributes, "warm_mibps": mibps}}

    before = stream.attributes().get("warm_mibps", 0)
    stream.update(change, slow=True)
    return {
        "StreamARN": context.names.stream_arn(stream.name),
        "StreamName": stream.name,
        "WarmThroughput": {"TargetMiBps": mibps, "CurrentMiBps": before},
    }


def update_max_record_size(context: KinesisContext, call: Call) -> Answer:
    kib = call.request.MaxRecordSizeInKiB

    def change(info: StreamInfo) -> dict[str, Any]:
        context.check_active(info)
        return {"attributes": {**info.attributes, "max_record_kib": kib}}

    context.stream(call.request).update(change, slow=True)
    return {}


def update_stream_record_distribution_strategy(context: KinesisContext, call: Call) -> Answer:
    strategy = call.request.RecordDistributionStrategy

    def change(info: StreamInfo) -> dict[str, Any]:
        check_distribution(info.mode, strategy)
        context.check_active(info)
        kept = {k: v for k, v in info.attributes.items() if k != "distribution"}
        if strategy != USER_PARTITION_KEY:
            kept["distribution"] = strategy
        return {"attributes": kept}

    context.stream(call.request).update(change)
    return {}


OPERATIONS = {
    "UpdateMaxRecordSize": update_max_record_size,
    "UpdateStreamMode": update_stream_mode,
    "UpdateStreamRecordDistributionStrategy": update_stream_record_distribution_strategy,
    "UpdateStreamWarmThroughput": update_stream_warm_throughput,
}
