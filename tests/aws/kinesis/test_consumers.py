"""Consumers with enhanced fan-out: registered, listed, described, tagged, deregistered."""

from __future__ import annotations

import time
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.aws.conftest import call, refused

ARN = "arn:aws:kinesis:us-east-1:000000000000:stream/"


def register(kinesis: Any, stream: str, name: str, **more: Any) -> str:
    response = kinesis.register_stream_consumer(StreamARN=ARN + stream, ConsumerName=name, **more)
    return str(response["Consumer"]["ConsumerARN"])


def test_life_of_a_consumer(kinesis: Any, stream: str) -> None:
    response = kinesis.register_stream_consumer(StreamARN=ARN + stream, ConsumerName="c")[
        "Consumer"
    ]
    assert response["ConsumerStatus"] == "CREATING"
    seconds = int(response["ConsumerCreationTimestamp"].timestamp())
    assert response["ConsumerARN"] == f"{ARN}{stream}/consumer/c:{seconds}"
    for reference in (
        {"ConsumerARN": response["ConsumerARN"]},
        {"StreamARN": ARN + stream, "ConsumerName": "c"},
        {"StreamARN": ARN + stream, "ConsumerName": "c", "ConsumerARN": response["ConsumerARN"]},
    ):
        described = kinesis.describe_stream_consumer(**reference)["ConsumerDescription"]
        assert (described["ConsumerStatus"], described["StreamARN"]) == ("ACTIVE", ARN + stream)
    code, words = refused(
        kinesis, "register_stream_consumer", StreamARN=ARN + stream, ConsumerName="c"
    )
    assert code == "ResourceInUseException"
    assert "already exists" in words
    summary = kinesis.describe_stream_summary(StreamName=stream)["StreamDescriptionSummary"]
    assert summary["ConsumerCount"] == 1
    assert refused(kinesis, "delete_stream", StreamName=stream)[0] == "ResourceInUseException"
    kinesis.deregister_stream_consumer(ConsumerARN=response["ConsumerARN"])
    code, _ = refused(kinesis, "describe_stream_consumer", ConsumerARN=response["ConsumerARN"])
    assert code == "ResourceNotFoundException"
    summary = kinesis.describe_stream_summary(StreamName=stream)["StreamDescriptionSummary"]
    assert summary["ConsumerCount"] == 0
    kinesis.delete_stream(StreamName=stream)
    kinesis.create_stream(StreamName=stream, ShardCount=1)


def test_what_does_not_name_a_consumer(kinesis: Any, stream: str) -> None:
    arn = register(kinesis, stream, "c")
    describe = "describe_stream_consumer"
    assert refused(kinesis, describe, ConsumerName="c")[0] == "InvalidArgumentException"
    code, _ = refused(kinesis, describe, ConsumerARN=arn, ConsumerName="other")
    assert code == "InvalidArgumentException"
    code, _ = refused(kinesis, describe, StreamARN=ARN + stream, ConsumerName="other")
    assert code == "ResourceNotFoundException"
    code, _ = refused(kinesis, describe, ConsumerARN=arn[:-1] + ("1" if arn[-1] == "0" else "0"))
    assert code == "ResourceNotFoundException"
    kinesis.deregister_stream_consumer(StreamARN=ARN + stream, ConsumerName="c")


def test_pages_and_the_limit(kinesis: Any, stream: str) -> None:
    names = [f"c{i:02}" for i in range(20)]
    for name in names:
        register(kinesis, stream, name)
    code, _ = refused(
        kinesis, "register_stream_consumer", StreamARN=ARN + stream, ConsumerName="one-more"
    )
    assert code == "LimitExceededException"
    listed: list[str] = []
    page: dict[str, Any] = {}
    while not listed or "NextToken" in page:
        more = {"NextToken": page["NextToken"]} if page else {}
        page = kinesis.list_stream_consumers(StreamARN=ARN + stream, MaxResults=7, **more)
        assert len(page["Consumers"]) <= 7
        listed += [c["ConsumerName"] for c in page["Consumers"]]
    assert listed == names
    kinesis.delete_stream(StreamName=stream, EnforceConsumerDeletion=True)
    kinesis.create_stream(StreamName=stream, ShardCount=1)
    assert kinesis.list_stream_consumers(StreamARN=ARN + stream)["Consumers"] == []


def test_tags_and_policy_of_a_consumer(kinesis: Any, stream: str) -> None:
    arn = register(kinesis, stream, "c", Tags={"a": "1"})
    kinesis.tag_resource(ResourceARN=arn, Tags={"b": "2"})
    kinesis.untag_resource(ResourceARN=arn, TagKeys=["a"])
    assert kinesis.list_tags_for_resource(ResourceARN=arn)["Tags"] == [{"Key": "b", "Value": "2"}]
    assert kinesis.list_tags_for_stream(StreamName=stream)["Tags"] == []
    kinesis.deregister_stream_consumer(ConsumerARN=arn)
    with pytest.raises(ClientError, match="not found"):
        kinesis.list_tags_for_resource(ResourceARN=arn)


def test_states_can_be_watched(started: Any) -> None:
    endpoint = started(stream_delay_ms=200)
    call(endpoint, "CreateStream", {"StreamName": "s", "ShardCount": 1})
    reference = {"StreamARN": ARN + "s", "ConsumerName": "c"}

    def status() -> str:
        response = call(endpoint, "DescribeStreamConsumer", reference).json
        return str(response.get("ConsumerDescription", {}).get("ConsumerStatus", "gone"))

    def until(expected: str) -> None:
        end = time.monotonic() + 10
        while status() != expected:
            assert time.monotonic() < end
            time.sleep(0.01)

    assert call(endpoint, "RegisterStreamConsumer", reference).error == "ResourceInUseException"
    while call(endpoint, "RegisterStreamConsumer", reference).status != 200:
        time.sleep(0.01)
    assert status() == "CREATING"
    until("ACTIVE")
    call(endpoint, "DeregisterStreamConsumer", reference)
    assert status() == "DELETING"
    until("gone")
    assert call(endpoint, "RegisterStreamConsumer", reference).status == 200
