"""IAM documents: who may do what, and which documents are refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from eddyline.auth.policy import Effect, Request, allowed, parse
from eddyline.errors import EddylineError

STREAM = "arn:aws:kinesis:us-east-1:000000000000:stream/"
ANN = "arn:aws:iam::000000000000:user/ann"


def statement(effect: str = "Allow", **more: Any) -> dict[str, Any]:
    return {"Effect": effect, "Action": "kinesis:*", "Resource": "*", **more}


def says(
    *statements: dict[str, Any],
    action: str = "kinesis:PutRecord",
    name: str = "clicks",
    **given: Any,
) -> Effect | None:
    resource_based = "Principal" in statements[0] or "NotPrincipal" in statements[0]
    text = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
    policy = parse(text, resource_based=resource_based)
    request = Request(given.get("by", ANN), action, STREAM + name, given.get("context", {}))
    return policy.says(request)


@pytest.mark.parametrize(
    ("pattern", "fits"),
    [
        ("*", True),
        ("kinesis:*", True),
        ("kinesis:Put*", True),
        ("KINESIS:putrecord", True),
        ("kinesis:PutRecord?", False),
        ("kinesis:P?tRecord", True),
        ("kinesis:Get*", False),
        ("dynamodb:*", False),
        ("kinesis:[P]utRecord", False),
    ],
)
def test_actions_have_wildcards_and_no_case(pattern: str, fits: bool) -> None:
    assert says(statement(Action=pattern)) == (Effect.ALLOW if fits else None)
    turned = statement(NotAction=pattern)
    del turned["Action"]
    assert says(turned) == (None if fits else Effect.ALLOW)


@pytest.mark.parametrize(
    ("pattern", "fits"),
    [
        (STREAM + "clicks", True),
        (STREAM + "cl*", True),
        ("arn:aws:kinesis:*:*:stream/clicks", True),
        (STREAM + "Clicks", False),
        (STREAM + "click", False),
        ([STREAM + "other", STREAM + "clicks"], True),
        ("*" * 5000, True),
    ],
)
def test_resources_have_wildcards_and_case(pattern: Any, fits: bool) -> None:
    assert says(statement(Resource=pattern)) == (Effect.ALLOW if fits else None)


def test_deny_goes_over_allow_whatever_the_order() -> None:
    deny = statement("Deny", Action="kinesis:Put*")
    assert says(statement(), deny) is Effect.DENY
    assert says(deny, statement()) is Effect.DENY
    assert says(statement(), deny, action="kinesis:GetRecords") is Effect.ALLOW
    assert says(deny, action="kinesis:GetRecords") is None


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ({"StringEquals": {"aws:username": "ann"}}, True),
        ({"StringEquals": {"AWS:UserName": ["bob", "ann"]}}, True),
        ({"StringEquals": {"aws:username": "Ann"}}, False),
        ({"StringEqualsIgnoreCase": {"aws:username": "Ann"}}, True),
        ({"StringNotEquals": {"aws:username": ["bob", "ann"]}}, False),
        ({"StringNotEquals": {"aws:nothing": "ann"}}, True),
        ({"StringLike": {"aws:username": "a*"}}, True),
        ({"StringLike": {"aws:nothing": "*"}}, False),
        ({"StringLikeIfExists": {"aws:nothing": "a"}}, True),
        ({"StringNotLike": {"aws:username": "a*"}}, False),
        ({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:user/a*"}}, True),
        ({"ArnEquals": {"aws:PrincipalArn": "arn:aws:iam::*:role/a*"}}, False),
        ({"Bool": {"aws:SecureTransport": "true"}}, False),
        ({"Bool": {"aws:SecureTransport": False}}, True),
        ({"DateLessThan": {"aws:CurrentTime": "2030-01-01T00:00:00Z"}}, True),
        ({"DateGreaterThan": {"aws:CurrentTime": "2030-01-01T00:00:00Z"}}, False),
        ({"NumericLessThanEquals": {"aws:EpochTime": "1800000000"}}, True),
        ({"NumericLessThan": {"aws:username": "3"}}, False),
        ({"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}, True),
        ({"NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}}, False),
        ({"Null": {"aws:username": "false"}}, True),
        ({"Null": {"aws:nothing": "true"}}, True),
        (
            {"StringEquals": {"aws:username": "ann"}, "Bool": {"aws:SecureTransport": "true"}},
            False,
        ),
    ],
)
def test_conditions(condition: dict[str, Any], holds: bool) -> None:
    context = {
        "aws:username": "ann",
        "aws:PrincipalArn": ANN,
        "aws:SecureTransport": "false",
        "aws:CurrentTime": "2026-11-25T12:00:00Z",
        "aws:EpochTime": "1795608000",
        "aws:SourceIp": "10.1.2.3",
    }
    decision = says(statement(Condition=condition), context=context)
    assert decision == (Effect.ALLOW if holds else None)


@pytest.mark.parametrize(
    ("principal", "named"),
    [
        ("*", True),
        ({"AWS": "*"}, True),
        ({"AWS": ANN}, True),
        ({"AWS": ["arn:aws:iam::000000000000:user/bob", ANN]}, True),
        ({"AWS": "000000000000"}, True),
        ({"AWS": "arn:aws:iam::000000000000:root"}, True),
        ({"AWS": "111111111111"}, False),
        ({"AWS": "arn:aws:iam::000000000000:user/an*"}, False),
    ],
)
def test_principals_of_resource_policies(principal: Any, named: bool) -> None:
    assert says(statement(Principal=principal)) == (Effect.ALLOW if named else None)
    assert says(statement(NotPrincipal=principal)) == (None if named else Effect.ALLOW)


def test_policies_together() -> None:
    allow, deny, nothing = (
        parse(json.dumps({"Statement": s}))
        for s in (statement(), statement("Deny"), statement(Action="x:y"))
    )
    request = Request(ANN, "kinesis:PutRecord", STREAM)
    assert allowed([], request) is None
    assert allowed([nothing], request) is None
    assert allowed([nothing, allow], request) is Effect.ALLOW
    assert allowed([allow, deny, nothing], request) is Effect.DENY


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "not JSON"),
        ("[]", "not a JSON object"),
        ("{}", "no Statement"),
        ('{"Statement": []}', "no Statement"),
        ('{"Statement": [1]}', "no Statement"),
        ('{"Statement": {}, "Who": 1}', "unknown elements: Who"),
        ('{"Version": "2020-01-01", "Statement": {}}', "version '2020-01-01' is unknown"),
        (json.dumps({"Statement": statement("allow")}), "no Effect"),
        (json.dumps({"Statement": statement(Sid="One", Actions="x")}), "statement One has unknown"),
        (json.dumps({"Statement": statement(NotAction="x")}), "either Action or NotAction"),
        (json.dumps({"Statement": statement(Action=[])}), "Action is not a text"),
        (json.dumps({"Statement": statement(Principal="*")}), "names no Principal"),
        (json.dumps({"Statement": statement(Condition=[])}), "Condition is not an object"),
        (
            json.dumps({"Statement": statement(Condition={"BinaryEquals": {"a": "b"}})}),
            "condition operator BinaryEquals is not supported",
        ),
        (
            json.dumps({"Statement": statement(Condition={"IpAddress": {"a": "b"}})}),
            "condition IpAddress of a: ",
        ),
        (
            json.dumps({"Statement": statement(Condition={"DateLessThan": {"a": "soon"}})}),
            "condition DateLessThan of a: ",
        ),
        ("[" * 100_000, "20480 are allowed"),
    ],
)
def test_what_cannot_be_understood_is_refused(text: str, words: str) -> None:
    with pytest.raises(EddylineError) as caught:
        parse(text)
    assert caught.value.code == "invalid_argument"
    assert words in caught.value.message
    with pytest.raises(EddylineError, match="needs a Principal"):
        parse(json.dumps({"Statement": statement()}), resource_based=True)
