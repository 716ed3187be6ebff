"""Firehose: records put into delivery streams arrive in buckets, through the shared delivery."""

from __future__ import annotations

import gzip
import time
from base64 import b64encode
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st

from eddyline.aws.delivery.source import ObjectStart
from eddyline.aws.errors import AwsError
from eddyline.aws.firehose.key import object_key, unknown_expressions
from eddyline.aws.workers import ApiWorkers
from eddyline.log import PutBatch
from eddyline.settings import Settings
from tests.aws.local_kit import Local
from tests.aws.test_services import client

ROLE = "arn:aws:iam::000000000000:role/deliver"
LAKE = {"RoleARN": ROLE, "BucketARN": "arn:aws:s3:::lake"}
KMS_KEY = "arn:aws:kms:us-east-1:000000000000:key/k"
STREAM_ARN = "arn:aws:kinesis:us-east-1:000000000000:stream/s"
DESTINATION = "destinationId-000000000001"


@pytest.fixture
def local(tmp_path: Path) -> Iterator[Local]:
    service = Local(tmp_path, "firehose")
    yield service
    service.context.close()
    service.store.close()


def create(local: Local, name: str = "d", **destination: Any) -> None:
    local.call(
        "CreateDeliveryStream",
        DeliveryStreamName=name,
        ExtendedS3DestinationConfiguration={**LAKE, **destination},
    )


def put(local: Local, *texts: str, name: str = "d") -> Any:
    records = [{"Data": b64encode(t.encode()).decode()} for t in texts]
    return local.call("PutRecordBatch", DeliveryStreamName=name, Records=records)


def delivered(folder: Path, bucket: str = "lake") -> dict[str, bytes]:
    root = folder / "buckets" / bucket
    return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}


def refused(call: Any, *words: str) -> str:
    with pytest.raises(AwsError) as caught:
        call()
    for word in words:
        assert word in caught.value.message
    return caught.value.name


def test_records_are_delivered_after_the_interval_one_behind_the_other(local: Local) -> None:
    create(local, BufferingHints={"IntervalInSeconds": 60})
    answer = put(local, "one", "two")
    assert answer["FailedPutCount"] == 0
    assert len({r["RecordId"] for r in answer["RequestResponses"]}) == 2
    worker = local.context.worker
    local.clock.advance(59_000)
    assert worker.step() == 0
    put(local, "three")
    local.clock.advance(1_000)
    assert worker.step() == 1
    ((key, body),) = delivered(local.settings.data_dir).items()
    assert body == b"onetwothree"
    first_ms = local.clock.now_ms() - 60_000
    at = datetime.fromtimestamp(first_ms / 1000, UTC)
    assert key.startswith(f"{at:%Y/%m/%d/%H}/d-1-{at:%Y-%m-%d-%H-%M-%S}-")
    assert worker.step() == 0


def test_an_object_is_full_at_the_size_that_was_asked_for(local: Local) -> None:
    create(local, BufferingHints={"SizeInMBs": 1, "IntervalInSeconds": 900})
    for _ in range(3):
        put(local, "x" * 600_000)
    assert local.context.worker.step() == 2
    assert [len(b) for b in delivered(local.settings.data_dir).values()] == [600_000] * 2
    assert local.context.worker.step() == 0


def test_a_trickle_is_not_read_again_at_each_look(
    local: Local, monkeypatch: pytest.MonkeyPatch
) -> None:
    create(local)
    put(local, *("x" * 10 for _ in range(100)))
    worker = local.context.worker
    worker.step()
    stream = local.context.direct.open(local.context.find("d").stream)
    reads = []
    monkeypatch.setattr(type(stream), "read", lambda *_: reads.append(1) or pytest.fail("read"))
    put(local, "y")
    assert worker.step() == 0
    assert not reads


@pytest.mark.parametrize(
    ("members", "ending", "body"),
    [
        ({"CompressionFormat": "GZIP"}, ".gz", gzip.compress(b"one", mtime=0)),
        ({"CompressionFormat": "GZIP", "FileExtension": ".json.gz"}, ".json.gz", None),
        ({"FileExtension": ".log"}, ".log", b"one"),
    ],
)
def test_compression_and_extension(
    local: Local, members: dict[str, Any], ending: str, body: bytes | None
) -> None:
    create(local, BufferingHints={"IntervalInSeconds": 0}, **members)
    put(local, "one")
    local.context.worker.step()
    ((key, content),) = delivered(local.settings.data_dir).items()
    assert key.endswith(ending)
    assert body in (None, content)


def test_a_prefix_with_expressions_and_a_time_zone(local: Local) -> None:
    create(
        local,
        Prefix="y=!{timestamp:yyyy}/h=!{timestamp:HH}/!{timestamp:'at'mm}/",
        CustomTimeZone="Asia/Kolkata",
        BufferingHints={"IntervalInSeconds": 0},
    )
    put(local, "one")
    local.context.worker.step()
    ((key, _),) = delivered(local.settings.data_dir).items()
    at = datetime.fromtimestamp(local.clock.now_ms() / 1000, ZoneInfo("Asia/Kolkata"))
    assert key.startswith(f"y={at:%Y}/h={at:%H}/at{at:%M}/d-1-")


def test_a_kinesis_stream_as_source_is_read_from_its_end(local: Local) -> None:
    stream = local.store.create("s", 2)
    stream.put(PutBatch(["a"], [b"before"])).result()
    local.call(
        "CreateDeliveryStream",
        DeliveryStreamName="d",
        DeliveryStreamType="KinesisStreamAsSource",
        KinesisStreamSourceConfiguration={"KinesisStreamARN": STREAM_ARN, "RoleARN": ROLE},
        S3DestinationConfiguration={**LAKE, "BufferingHints": {"IntervalInSeconds": 0}},
    )
    stream.put(PutBatch(["a"], [b"behind"])).result()
    local.context.worker.step()
    assert list(delivered(local.settings.data_dir).values()) == [b"behind"]
    described = local.call("DescribeDeliveryStream", DeliveryStreamName="d")
    source = described["DeliveryStreamDescription"]["Source"]["KinesisStreamSourceDescription"]
    assert source["KinesisStreamARN"] == STREAM_ARN
    assert refused(lambda: put(local, "x"), "not permitted") == "InvalidArgumentException"


def test_life_of_a_delivery_stream(local: Local) -> None:
    create(local, Prefix="a/")
    create(local, "e")
    described = local.call("DescribeDeliveryStream", DeliveryStreamName="d")
    description = described["DeliveryStreamDescription"]
    (destination,) = description["Destinations"]
    extended = destination["ExtendedS3DestinationDescription"]
    assert description["DeliveryStreamStatus"] == "ACTIVE"
    assert extended["BufferingHints"] == {"SizeInMBs": 5, "IntervalInSeconds": 300}
    assert extended["Prefix"] == "a/"
    page = local.call("ListDeliveryStreams", Limit=1)
    assert page == {"DeliveryStreamNames": ["d"], "HasMoreDeliveryStreams": True}
    rest = local.call("ListDeliveryStreams", ExclusiveStartDeliveryStreamName="d")
    assert rest == {"DeliveryStreamNames": ["e"], "HasMoreDeliveryStreams": False}
    update = {
        "DeliveryStreamName": "d",
        "DestinationId": destination["DestinationId"],
        "CurrentDeliveryStreamVersionId": "1",
        "ExtendedS3DestinationUpdate": {"BufferingHints": {"IntervalInSeconds": 0}},
    }
    local.call("UpdateDestination", **update)
    stale = refused(lambda: local.call("UpdateDestination", **update), "do not match")
    assert stale == "ConcurrentModificationException"
    put(local, "one")
    assert local.context.worker.step() == 1
    ((key, _),) = delivered(local.settings.data_dir).items()
    assert key.startswith("a/2")
    assert "/d-2-" in key
    assert refused(lambda: create(local), "already exists") == "ResourceInUseException"
    local.call("DeleteDeliveryStream", DeliveryStreamName="d")
    assert local.call("ListDeliveryStreams")["DeliveryStreamNames"] == ["e"]
    assert refused(lambda: put(local, "x"), "not found") == "ResourceNotFoundException"
    create(local)
    assert local.context.worker.step() == 0


def test_tags(local: Local) -> None:
    create(local)
    named = {"DeliveryStreamName": "d"}
    tags = [{"Key": k, "Value": k.upper()} for k in "abc"]
    local.call("TagDeliveryStream", **named, Tags=tags)
    local.call("UntagDeliveryStream", **named, TagKeys=["b"])
    page = local.call("ListTagsForDeliveryStream", **named, Limit=1)
    assert page == {"Tags": [tags[0]], "HasMoreTags": True}
    rest = local.call("ListTagsForDeliveryStream", **named, ExclusiveStartTagKey="a")
    assert rest == {"Tags": [tags[2]], "HasMoreTags": False}


def test_a_failure_is_described_until_it_is_over(local: Local, tmp_path: Path) -> None:
    create(local, BufferingHints={"IntervalInSeconds": 0})
    put(local, "one")
    (tmp_path / "buckets").write_text("in the way")
    worker = local.context.worker
    assert worker.step() == 0

    def failure() -> Any:
        described = local.call("DescribeDeliveryStream", DeliveryStreamName="d")
        return described["DeliveryStreamDescription"].get("FailureDescription")

    assert "cannot be written" in failure()["Details"]
    (tmp_path / "buckets").unlink()
    local.clock.advance(3_000)
    assert worker.step() == 1
    assert failure() is None


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"CompressionFormat": "ZIP"}, "ZIP is not supported"),
        ({"Prefix": "!{partitionKeyFromQuery:a}/"}, "unknown expression: !{partitionKeyFromQuery"),
        ({"Prefix": "!{timestamp:qq}/"}, "unknown expression"),
        ({"Prefix": "!{firehose:error-output-type}/"}, "unknown expression"),
        ({"CustomTimeZone": "Mars/Olympus"}, "Mars/Olympus is not known"),
        ({"S3BackupMode": "Enabled"}, "S3BackupMode"),
        ({"ProcessingConfiguration": {"Enabled": True}}, "ProcessingConfiguration"),
        ({"DynamicPartitioningConfiguration": {"Enabled": True}}, "DynamicPartitioning"),
        ({"DataFormatConversionConfiguration": {"Enabled": True}}, "DataFormatConversion"),
        (
            {"EncryptionConfiguration": {"KMSEncryptionConfig": {"AWSKMSKeyARN": KMS_KEY}}},
            "KMSEncryptionConfig",
        ),
    ],
)
def test_what_has_no_implementation_is_refused(
    local: Local, members: dict[str, Any], words: str
) -> None:
    assert refused(lambda: create(local, **members), words) == "InvalidArgumentException"
    assert local.call("ListDeliveryStreams")["DeliveryStreamNames"] == []


def test_other_destinations_and_sources_are_refused(local: Local) -> None:
    named = {"DeliveryStreamName": "d"}
    redshift = {
        "RoleARN": ROLE,
        "ClusterJDBCURL": "jdbc:redshift://h.a.redshift.amazonaws.com:5439/d",
        "CopyCommand": {"DataTableName": "t"},
        "S3Configuration": LAKE,
    }
    both = {"S3DestinationConfiguration": LAKE, "ExtendedS3DestinationConfiguration": LAKE}
    plain = {"S3DestinationConfiguration": LAKE}
    for members, words in (
        ({"RedshiftDestinationConfiguration": redshift}, "RedshiftDestinationConfiguration"),
        (both, "exactly one"),
        ({}, "exactly one"),
        ({**plain, "DeliveryStreamType": "MSKAsSource"}, "MSKAsSource"),
        ({**plain, "DeliveryStreamType": "KinesisStreamAsSource"}, "KinesisStreamSource"),
    ):
        call = lambda m=members: local.call("CreateDeliveryStream", **named, **m)  # noqa: E731
        assert refused(call, words) == "InvalidArgumentException"


@given(st.text(st.sampled_from("a/-!{}:"), max_size=8), st.integers(0, 2**41), st.integers(0, 99))
@settings(max_examples=80)
def test_keys_follow_from_the_first_record(prefix: str, at_ms: int, offset: int) -> None:
    if unknown_expressions(prefix, rejects=False):
        return
    starts = [ObjectStart("s", shard, at_ms, n) for shard in "xy" for n in (offset, offset + 1)]
    keys = [object_key(prefix, "d", 1, UTC, start, "") for start in starts]
    assert len(set(keys)) == 4
    assert keys == [object_key(prefix, "d", 1, UTC, start, "") for start in starts]


def test_a_key_of_each_expression() -> None:
    start = ObjectStart("s", "shardId-000000000001", 1_764_000_000_123, 7)
    name = "d-3-2025-11-24-16-00-00-21cf6dea-daa3-4f09-81e6-cd1e33647f05"
    for prefix, folders in (
        ("a/!{firehose:random-string}/!{timestamp:yyyy}/", "a/f9a2acc5415/2025/"),
        ("e/!{firehose:error-output-type}/", "e/format-conversion-failed/"),
        ("a/", "a/2025/11/24/16/"),
    ):
        assert object_key(prefix, "d", 3, UTC, start, ".gz") == f"{folders}{name}.gz"


def test_with_boto3_and_a_restart_of_the_endpoint(tmp_path: Path) -> None:
    """What was put before a restart is delivered after it, without any request."""
    workers = ApiWorkers(Settings(data_dir=tmp_path, api_port=0, stream_delay_ms=0))
    try:
        firehose = client(f"http://127.0.0.1:{workers.start()}", "firehose")
        hints = {"SizeInMBs": 1, "IntervalInSeconds": 3}
        firehose.create_delivery_stream(
            DeliveryStreamName="d",
            ExtendedS3DestinationConfiguration={**LAKE, "BufferingHints": hints},
        )
        answer = firehose.put_record(DeliveryStreamName="d", Record={"Data": b"hello"})
        assert answer["RecordId"]
        with pytest.raises(ClientError, match="not found"):
            firehose.put_record(DeliveryStreamName="other", Record={"Data": b""})
        firehose.close()
    finally:
        workers.stop()
    assert delivered(tmp_path) == {}
    again = ApiWorkers(Settings(data_dir=tmp_path, api_port=0, stream_delay_ms=0))
    try:
        again.start()
        end = time.monotonic() + 30
        while not delivered(tmp_path) and time.monotonic() < end:
            time.sleep(0.05)
        assert list(delivered(tmp_path).values()) == [b"hello"]
    finally:
        again.stop()
