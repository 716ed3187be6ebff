"""boto3 with its defaults, over clear text and TLS."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
import sdk_contract

from eddyline.testing import TestServer


def _client(monkeypatch: pytest.MonkeyPatch, endpoint: str, **more: str) -> Any:
    """A client that is told everything by its environment, as a user's would be."""
    given = {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "any",
        "AWS_SECRET_ACCESS_KEY": "key",
        **more,
    }
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    return boto3.session.Session().client("kinesis")


def test_boto3(eddyline: TestServer, stream: str, monkeypatch: pytest.MonkeyPatch) -> None:
    kinesis = _client(monkeypatch, eddyline.endpoint_url)
    written = sdk_contract.put(kinesis, stream, 0, sdk_contract.COUNT)
    records = sdk_contract.read(kinesis, stream)
    assert sorted(records) == sorted(written)
    assert sdk_contract.by_key(records) == sdk_contract.expected(0, sdk_contract.COUNT)
    with pytest.raises(kinesis.exceptions.ResourceNotFoundException) as fault:
        kinesis.describe_stream_summary(StreamName="not-there")
    assert fault.value.response["ResponseMetadata"]["RequestId"]


def test_boto3_is_pushed_to(
    eddyline: TestServer, stream: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    kinesis = _client(monkeypatch, eddyline.endpoint_url)
    arn = kinesis.describe_stream_summary(StreamName=stream)["StreamDescriptionSummary"][
        "StreamARN"
    ]
    consumer = kinesis.register_stream_consumer(StreamARN=arn, ConsumerName="py")["Consumer"]
    written = sdk_contract.put(kinesis, stream, 0, 100)
    shard = written[0].shard
    answer = kinesis.subscribe_to_shard(
        ConsumerARN=consumer["ConsumerARN"],
        ShardId=shard,
        StartingPosition={"Type": "TRIM_HORIZON"},
    )
    pushed: list[str] = []
    expected = [r.sequence for r in written if r.shard == shard]
    for event in answer["EventStream"]:
        pushed += [r["SequenceNumber"] for r in event["SubscribeToShardEvent"]["Records"]]
        if len(pushed) >= len(expected):
            break
    answer["EventStream"].close()
    assert pushed == expected


def test_boto3_over_tls(eddyline_tls: TestServer, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = eddyline_tls.data_dir / "tls" / "certificate.pem"
    url = eddyline_tls.endpoint_url
    kinesis = _client(monkeypatch, url, AWS_CA_BUNDLE=str(bundle))
    assert url.startswith("https://")
    kinesis.create_stream(StreamName="boto3", ShardCount=1)
    kinesis.get_waiter("stream_exists").wait(StreamName="boto3")
    written = sdk_contract.put(kinesis, "boto3", 0, 20)
    assert sdk_contract.read(kinesis, "boto3") == written
