"""Names of things: ARNs, and which stream a request means."""

from __future__ import annotations

from typing import Any

from eddyline.aws.errors import AwsError, stream_not_found
from eddyline.errors import EddylineError
from eddyline.log import LogStore, ShardInfo, Stream, StreamInfo
from eddyline.settings import Settings

# AWS words it so where shards are described or changed, and so where one is to be read.
NO_SHARD = "Could not find shard {shard} in stream {stream} under account {account}."
NO_SHARD_TO_READ = "Shard {shard} in stream {stream} under account {account} does not exist"


class ResourceNames:
    """ARNs of one account and region."""

    def __init__(self, settings: Settings) -> None:
        self.account = settings.account_id
        self.region = settings.region
        self._prefix = f"arn:aws:kinesis:{self.region}:{self.account}:"

    def arn(self, kind: str, name: str) -> str:
        """The ARN of a stream, queue or channel."""
        return f"{self._prefix}{kind}/{name}"

    def stream_arn(self, name: str) -> str:
        """The ARN of a stream."""
        return self.arn("stream", name)

    def consumer_arn(self, stream: str, consumer: str, created_ms: int) -> str:
        """The ARN of a stream's consumer."""
        return f"{self.stream_arn(stream)}/consumer/{consumer}:{created_ms // 1000}"

    def local(self, arn: str) -> str:
        """An ARN as it is called here: any region and account in it are taken for ours."""
        parts = arn.split(":", 5)
        return self._prefix + parts[5] if len(parts) == 6 else arn

    def not_found(self, name: str) -> AwsError:
        """There is no such stream."""
        return stream_not_found(name, self.account)

    def shard(self, info: StreamInfo, shard_id: str, missing: str = NO_SHARD) -> ShardInfo:
        """The stream's shard of that name; ``missing`` are the words if there is none.

        Raises:
            AwsError: ``ResourceNotFoundException``.
        """
        index = shard_index(shard_id)
        if index is None or index >= len(info.shards):
            words = missing.format(shard=shard_id, stream=info.name, account=self.account)
            raise AwsError("ResourceNotFoundException", words)
        return info.shards[index]


def name_in(arn: str) -> str:
    """The name of the stream, queue or channel in an ARN (also in its consumer's)."""
    return arn.split(":", 5)[-1].partition("/")[2].partition("/")[0]


def stream_name(request: Any) -> str:
    """The stream that StreamName, StreamARN or both mean.

    Raises:
        AwsError: ``InvalidArgumentException`` when there is neither, or they disagree.
    """
    name, arn = getattr(request, "StreamName", None), getattr(request, "StreamARN", None)
    if name is None and arn is None:
        words = "Either StreamARN or StreamName must be provided."
        raise AwsError("InvalidArgumentException", words)
    if arn is None:
        assert isinstance(name, str)
        return name
    meant = name_in(arn)
    if name is not None and name != meant:
        words = f"StreamName {name} does not match StreamARN {arn}."
        raise AwsError("InvalidArgumentException", words)
    return meant


def open_stream(store: LogStore, names: ResourceNames, name: str) -> Stream:
    """The stream of that name. Raises AwsError ``ResourceNotFoundException``."""
    try:
        return store.open(name)
    except EddylineError as error:
        if error.code in ("not_found", "invalid_argument"):
            raise names.not_found(name) from None
        raise


def shard_index(shard_id: str) -> int | None:
    """The index in a shard's name; AWS also takes ``5`` and ``shardId-5``. None if it has none."""
    digits = shard_id.removeprefix("shardId-")
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= 12 else None
