"""Shapes of the model: what passes the compiled types passes the walk, and what fails is told."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

import msgspec
import pytest

from eddyline.aws.errors import AwsError
from eddyline.aws.model import load
from eddyline.aws.shapes import Inputs
from eddyline.aws.violations import check
from tests.aws.fuzz import Maker

MODEL = load("kinesis")
INPUTS = Inputs(MODEL)


def refused(operation: str, members: Any) -> AwsError:
    with pytest.raises(AwsError) as caught:
        INPUTS.from_json(operation, json.dumps(members).encode())
    return caught.value


def test_the_model_is_the_newest_one() -> None:
    assert len(MODEL.operations) >= 57
    assert MODEL.target_prefix == "Kinesis_20131202"
    record = MODEL.operations["PutRecords"].input.members["Records"]
    assert (record.low, record.high) == (1, 500)
    assert record.member is not None
    assert record.member.required == {"Data"}
    assert record.member.members["PartitionKey"].high == 256


def test_a_request_becomes_a_struct() -> None:
    body = {"StreamName": "s", "Data": b64encode(b"\0\1").decode(), "PartitionKey": "k"}
    request = INPUTS.from_json("PutRecord", json.dumps(body).encode())
    assert (request.StreamName, request.Data, request.PartitionKey) == ("s", b"\0\1", "k")
    assert request.ExplicitHashKey is None
    assert INPUTS.from_values("PutRecord", {**body, "Data": b"\0\1"}) == request


def test_both_ways_of_checking_agree() -> None:
    maker = Maker(7)
    agreed = {True: 0, False: 0}
    for _ in range(3000):
        operation, headers, body = maker.request()
        if headers:
            continue
        try:
            INPUTS.from_json(operation, body)
            passed = True
        except AwsError:
            passed = False
        if passed:  # then the slow walk has nothing to say either
            check(MODEL.operations[operation].input, json.loads(body))
        agreed[passed] += 1
    assert min(agreed.values()) > 300


@pytest.mark.parametrize(
    ("operation", "members", "words"),
    [
        ("PutRecord", {"Data": 1}, "NUMBER_VALUE can not be converted to a ByteBuffer"),
        ("PutRecord", {"Data": "?"}, "is not base64"),
        ("CreateStream", {"StreamName": ["x"]}, "Start of list found where not expected"),
        ("CreateStream", {"StreamName": {}}, "Start of structure or map found where not expected"),
        ("CreateStream", {"StreamName": "s", "ShardCount": "1"}, "STRING_VALUE can not be conv"),
        ("CreateStream", {"StreamName": "s", "ShardCount": True}, "TRUE_VALUE can not be conv"),
        ("AddTagsToStream", {"Tags": []}, "Unexpected field type"),
        ("PutRecords", {"Records": {}}, "Start of structure or map found where not expected"),
    ],
)
def test_values_of_a_wrong_type(operation: str, members: Any, words: str) -> None:
    error = refused(operation, members)
    assert error.name == "SerializationException"
    assert words in error.message


@pytest.mark.parametrize(
    ("operation", "members", "words"),
    [
        (
            "PutRecord",
            {},
            "1 validation error detected: Value null at 'data' failed to satisfy constraint: "
            "Member must not be null",
        ),
        (
            "CreateStream",
            {"StreamName": "x!", "ShardCount": 0},
            "2 validation errors detected: Value 'x!' at 'streamName' failed to satisfy "
            "constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+; "
            "Value '0' at 'shardCount' failed to satisfy constraint: Member must have value "
            "greater than or equal to 1",
        ),
        (
            "PutRecords",
            {"Records": [{"Data": "", "PartitionKey": ""}]},
            "1 validation error detected: Value '' at 'records.1.member.partitionKey' failed to "
            "satisfy constraint: Member must have length greater than or equal to 1",
        ),
        (
            "UpdateShardCount",
            {"TargetShardCount": 1, "ScalingType": "FAST"},
            "1 validation error detected: Value 'FAST' at 'scalingType' failed to satisfy "
            "constraint: Member must satisfy enum value set: [UNIFORM_SCALING]",
        ),
    ],
)
def test_constraints_in_awss_words(operation: str, members: Any, words: str) -> None:
    error = refused(operation, members)
    assert error.name == "ValidationException"
    assert error.message == words


def test_at_most_ten_violations_are_told() -> None:
    error = refused("PutRecords", {"Records": [{"PartitionKey": "k"}] * 20})
    assert error.message.startswith("10 validation errors detected: ")


@pytest.mark.parametrize(
    "body",
    [b"[" * 100_000, b'{"a":' * 100_000, b'{"Tags":' * 100_000, b'{"Tags":' + b"[" * 100_000],
    ids=["lists", "maps", "members", "within"],
)
def test_what_is_nested_too_deeply_is_told(body: bytes) -> None:
    with pytest.raises(AwsError) as caught:
        INPUTS.from_json("AddTagsToStream", body)
    assert caught.value.name == "SerializationException"


@pytest.mark.parametrize("seconds", [float("nan"), float("inf"), -1e300, 1e300])
def test_times_are_times(seconds: float) -> None:
    get = {"StreamName": "s", "ShardId": "0", "ShardIteratorType": "AT_TIMESTAMP"}
    with pytest.raises(AwsError) as caught:
        INPUTS.from_values("GetShardIterator", {**get, "Timestamp": seconds})
    assert caught.value.name == "SerializationException"


# Services that are served or planned, and those whose answers are XML.
SERVICES = (
    "kinesis", "firehose", "glue", "kinesisanalytics", "kinesisanalyticsv2", "logs", "cognito-idp",
    "lambda", "iam", "sts", "cloudformation", "sns",
    # Others, whose shapes are of further kinds.
    "dynamodb", "sqs", "ecs", "events", "kms", "ssm", "stepfunctions", "athena", "autoscaling",
    "batch",
)  # fmt: skip


@pytest.mark.parametrize("service", SERVICES)
def test_every_operation_of_a_model_compiles(service: str) -> None:
    model = load(service)
    inputs = Inputs(model)
    assert model.operations
    for operation in model.operations:
        msgspec.json.Decoder(inputs.type(operation))


def test_a_shape_that_holds_itself_is_parsed_and_checked() -> None:
    inputs = Inputs(load("glue"))

    def body(attribute: Any) -> bytes:
        clause: dict[str, Any] = {"AttributeFilter": {"Attribute": attribute}}
        for member in ("AndAllFilters", "OrAnyFilters", "AndAllFilters"):
            clause = {member: [clause]}
        return json.dumps({"FilterClause": clause}).encode()

    request = inputs.from_json("SearchAssets", body("name"))
    inner = request.FilterClause.AndAllFilters[0].OrAnyFilters[0].AndAllFilters[0]
    assert inner.AttributeFilter.Attribute == "name"
    place = r"orAnyFilters\.1\.member\.andAllFilters\.1\.member"
    with pytest.raises(AwsError, match=place) as caught:
        inputs.from_json("SearchAssets", body(None))
    assert caught.value.name == "ValidationException"


def test_an_operation_is_compiled_when_it_is_first_used() -> None:
    inputs = Inputs(load("kinesis"))
    assert not inputs._types
    inputs.from_json("ListStreams", b"{}")
    assert list(inputs._types) == ["ListStreams"]
