"""The table of services, and what botocore itself writes and reads in each protocol."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import boto3
import pytest
from botocore.awsrequest import HeadersDict
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.loaders import Loader
from botocore.model import ServiceModel, Shape
from botocore.parsers import create_parser
from botocore.serialize import create_serializer

from eddyline.aws import model as ours
from eddyline.aws.errors import AwsError
from eddyline.aws.instant import Instant
from eddyline.aws.query import QueryProtocol
from eddyline.aws.rest_json import RestJson
from eddyline.aws.routing import ServiceRoutes
from eddyline.aws.services import SERVICES, definition
from eddyline.aws.shapes import Inputs
from eddyline.aws.wire import HttpParts
from eddyline.log import LogStore
from eddyline.log.environment import StreamDeleted
from eddyline.log.stream import Stream
from eddyline.settings import Settings
from tests.aws.conftest import raw
from tests.aws.local_kit import Local

LOADER = Loader()
MOMENT = datetime(2026, 11, 25, 13, 19, 44, tzinfo=UTC)
FORM = {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}


def client(endpoint: str, service: str, **credentials: str) -> Any:
    given = {"aws_access_key_id": "any", "aws_secret_access_key": "key", **credentials}
    config = Config(retries={"max_attempts": 0})
    return boto3.client(
        service, region_name="us-east-1", endpoint_url=endpoint, config=config, **given
    )


@pytest.mark.parametrize("row", SERVICES, ids=lambda row: row.name)
def test_a_row_says_what_the_model_says(row: Any) -> None:
    model = ours.load(row.name)
    assert (row.target, row.signing) == (model.target_prefix, model.signing_name)
    assert row.version == (model.api_version if model.protocol == "query" else "")


def values(shape: Shape, draw: random.Random, depth: int = 0) -> Any:
    """Some value of a shape; what is not required is left out sometimes, and always far below."""
    if shape.type_name == "structure":
        there = {n: m for n, m in shape.members.items() if not _is_special(m)}
        # A query cannot write a structure without members.
        first = next(iter(there), None) if depth < 8 else None
        return {
            name: values(member, draw, depth + 1)
            for name, member in there.items()
            if name in shape.required_members
            or name == first
            or (depth < 4 and draw.random() < 0.7)
        }
    if shape.type_name == "list":
        count = max(shape.metadata.get("min", 0), draw.choice((1, 3)) if depth < 6 else 1)
        count = min(count, shape.metadata.get("max", count))
        return [values(shape.member, draw, depth + 1) for _ in range(count)]
    if shape.type_name == "map":
        return {values(shape.key, draw, depth + 1): values(shape.value, draw, depth + 1)}
    return _scalar(shape, draw)


def _is_special(member: Shape) -> bool:
    traits = member.serialization
    return bool(getattr(member, "is_document_type", False) or traits.get("eventstream"))


def _scalar(shape: Shape, draw: random.Random) -> Any:
    low, high = shape.metadata.get("min", 1), shape.metadata.get("max", 1 << 20)
    if shape.type_name == "string":
        enum = getattr(shape, "enum", None)
        # Blanks, special characters of XML and letters beyond ASCII all have to come through.
        text = "".join(draw.choice("ab Zé&<>\"'ü/%+=\n") for _ in range(min(high, max(low, 6))))
        return draw.choice(enum) if enum else text.strip().ljust(max(1, low), "x")
    if shape.type_name in ("integer", "long"):
        return int(max(low, min(high, 7)))
    if shape.type_name in ("float", "double"):
        return 1.5
    if shape.type_name == "boolean":
        return draw.choice((True, False))
    if shape.type_name == "timestamp":
        return MOMENT
    assert shape.type_name == "blob"
    return b"\x00\xffblob"


def without_patterns(shape: ours.Shape, seen: set[int]) -> None:
    """Texts here are made to be awkward, not to fit the models' patterns."""
    if id(shape) in seen:
        return
    seen.add(id(shape))
    shape.pattern = None
    parts = [*shape.members.values(), shape.member, shape.key, shape.value]
    for part in parts:
        if part is not None:
            without_patterns(part, seen)


def parsed(value: Any) -> Any:
    """A request's struct as plain values, without what was not sent."""
    if hasattr(value, "__struct_fields__"):
        pairs = ((n, getattr(value, n)) for n in value.__struct_fields__)
        return {n: parsed(v) for n, v in pairs if v is not None}
    if isinstance(value, list):
        return [parsed(v) for v in value]
    return {k: parsed(v) for k, v in value.items()} if isinstance(value, dict) else value


def expected(value: Any) -> Any:
    """What was sent, with instants as seconds."""
    if isinstance(value, datetime):
        return value.timestamp()
    if isinstance(value, list):
        return [expected(v) for v in value]
    return {k: expected(v) for k, v in value.items()} if isinstance(value, dict) else value


def answered(value: Any) -> Any:
    """What a handler answers with for these values."""
    if isinstance(value, datetime):
        return Instant(int(value.timestamp() * 1000))
    if isinstance(value, list):
        return [answered(v) for v in value]
    return {k: answered(v) for k, v in value.items()} if isinstance(value, dict) else value


def sent(request: dict[str, Any]) -> HttpParts:
    body = request["body"]
    body = urlencode(body).encode() if isinstance(body, dict) else body
    body = body.encode() if isinstance(body, str) else body
    parts = urlsplit(request["url_path"])
    query = request["query_string"]
    pairs = query if isinstance(query, str) else urlencode(query, doseq=True)
    pairs = "&".join(part for part in (parts.query, pairs) if part)
    headers = {k.lower(): v for k, v in request["headers"].items()}
    return HttpParts(request["method"], parts.path, pairs, headers, bytes(body))


MODELS = ("sts", "iam", "cloudformation", "sns", "lambda")


@pytest.mark.parametrize("service", MODELS)
def test_what_botocore_writes_is_read_and_what_we_write_botocore_reads(service: str) -> None:
    theirs = ServiceModel(LOADER.load_service_model(service, "service-2"), service)
    model = ours.load(service)
    form: Any = QueryProtocol(model) if model.protocol == "query" else RestJson(model)
    for shape in model.operations.values():
        without_patterns(shape.input, set())
    inputs = Inputs(model)
    serializer = create_serializer(model.protocol, include_validation=False)
    parser = create_parser(model.protocol)
    draw = random.Random(service)
    names = draw.sample(sorted(model.operations), min(40, len(model.operations)))
    for name in names:
        operation = theirs.operation_model(name)
        if operation.input_shape is not None:
            given = values(operation.input_shape, draw)
            http = sent(serializer.serialize_to_request(given, operation))
            if model.protocol == "rest-json":
                assert form.operation(http) == name
            assert parsed(form.parse(inputs, name, http)) == expected(given), name
        shape = operation.output_shape
        if shape is None or operation.has_event_stream_output:
            continue
        if any(m.serialization.get("streaming") for m in shape.members.values()):
            continue
        given = values(shape, draw)
        response = form.answer(name, answered(given), "id")
        reply = {
            "status_code": response.status,
            "headers": HeadersDict(dict(response.headers)),
            "body": response.body,
            "context": {},
        }
        read = parser.parse(reply, shape)
        read.pop("ResponseMetadata", None)
        assert read == given, name


@pytest.mark.parametrize("service", ["iam", "sts"])
def test_refusals_have_the_codes_that_botocore_reads(service: str) -> None:
    model = ours.load(service)
    theirs = ServiceModel(LOADER.load_service_model(service, "service-2"), service)
    codes = {shape.name: shape.error_code for shape in theirs.error_shapes}
    parser = create_parser("query")
    for ours_name, code in {
        "MalformedPolicyDocumentException": codes["MalformedPolicyDocumentException"],
        "ValidationException": "ValidationError",
        "AccessDeniedException": "AccessDenied",
        "InvalidSignatureException": "SignatureDoesNotMatch",
    }.items():
        refusal = QueryProtocol(model).refusal(AwsError(ours_name, "a <b> & c"), "the-id")
        reply = {"status_code": refusal.status, "headers": {}, "body": refusal.body, "context": {}}
        read = parser.parse(reply, None)
        assert read["Error"]["Code"] == code
        assert read["Error"]["Message"] == "a <b> & c"
        assert read["ResponseMetadata"]["RequestId"] == "the-id"


@pytest.mark.parametrize(
    ("body", "error", "message"),
    [
        ("Action=GetCallerIdentity&Version=1999-01-01", "InvalidAction", "is unknown"),
        ("Action=Nothing&Version=2011-06-15", "InvalidAction", "Could not find operation Nothing"),
        ("Action=AssumeRole&Version=2011-06-15", "ValidationError", "'roleArn' failed to satisfy"),
        (
            "Action=GetAccessKeyInfo&Version=2011-06-15&AccessKeyId.a=1&AccessKeyId=x",
            "MalformedInput",
            "both a value and a structure",
        ),
        (
            "Action=AssumeRole&Version=2011-06-15&DurationSeconds=soon",
            "MalformedInput",
            "is not of type integer",
        ),
    ],
)
def test_wrong_queries_are_refused_in_xml(
    endpoint: str, body: str, error: str, message: str
) -> None:
    signed = "AWS4-HMAC-SHA256 Credential=A/20261125/us-east-1/{}/aws4_request, "
    service = "nothing" if "1999" in body else "sts"
    headers = {**FORM, "Authorization": signed.format(service) + "SignedHeaders=host, Signature=0"}
    reply = raw(endpoint, body.encode(), {k.title(): v for k, v in headers.items()})
    assert f"<Code>{error}</Code>".encode() in reply.body
    assert message in reply.body.decode()
    assert reply.headers["content-type"] == "text/xml"


def test_an_unsigned_query_is_refused_as_aws_refuses_it(endpoint: str) -> None:
    body = b"Action=GetCallerIdentity&Version=2011-06-15"
    reply = raw(endpoint, body, {"Content-Type": FORM["content-type"]})
    assert reply.status == 403
    assert b"<Code>MissingAuthenticationToken</Code>" in reply.body


def test_sts_says_who_the_caller_is_and_lends_roles(endpoint: str) -> None:
    sts = client(endpoint, "sts")
    me = sts.get_caller_identity()
    assert me["Arn"] == "arn:aws:iam::000000000000:root"
    assumed = sts.assume_role(
        RoleArn="arn:aws:iam::000000000000:role/deliver", RoleSessionName="night"
    )
    arn = "arn:aws:sts::000000000000:assumed-role/deliver/night"
    assert assumed["AssumedRoleUser"]["Arn"] == arn
    keys = assumed["Credentials"]
    left_s = (keys["Expiration"] - datetime.now(UTC)).total_seconds()
    assert 3000 < left_s <= 3601
    lent = client(
        endpoint,
        "sts",
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )
    assert lent.get_caller_identity()["Arn"] == arn
    with pytest.raises(ClientError, match="NotImplemented"):
        sts.get_federation_token(Name="someone")


def test_a_service_that_is_not_here_says_which_are(endpoint: str) -> None:
    with pytest.raises(ClientError, match="there is no service dynamodb here") as caught:
        client(endpoint, "dynamodb").list_tables()
    assert caught.value.response["Error"]["Code"] == "UnknownOperationException"
    with pytest.raises(ClientError, match="there is no service sns here") as caught:
        client(endpoint, "sns").list_topics()
    assert caught.value.response["Error"]["Code"] == "InvalidAction"
    with pytest.raises(ClientError, match="Templates are not read: make what they describe with"):
        client(endpoint, "cloudformation").describe_stacks()


def routes_of(tmp_path: Path, *rows: Any) -> ServiceRoutes:
    settings = Settings(data_dir=tmp_path, fsync=False, map_gib=1, disk_free_mib_min=0)
    return ServiceRoutes(LogStore(tmp_path, settings), settings, rows)


def test_one_service_that_does_not_start_stops_no_other(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    broken = replace(definition("kinesis"), name="nothing-like-it")
    routes = routes_of(tmp_path, broken, definition("sts"))
    routes.start()
    assert "nothing-like-it does not start" in caplog.text
    target = {"x-amz-target": "Kinesis_20131202.ListStreams"}
    with pytest.raises(AwsError, match="nothing-like-it does not start") as caught:
        asyncio.run(routes.route(HttpParts("POST", "/", "", target, b"{}")))
    assert caught.value.name == "ServiceUnavailable"
    query = HttpParts("POST", "/", "", FORM, b"Action=GetCallerIdentity&Version=2011-06-15")
    assert asyncio.run(routes.route(query)).operation == "GetCallerIdentity"


def test_a_stream_that_goes_during_a_call_is_told_in_the_words_of_aws(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    local = Local(tmp_path)
    local.call("CreateStream", StreamName="s", ShardCount=1)

    def gone(self: Stream) -> None:
        raise StreamDeleted("s")

    monkeypatch.setattr(Stream, "info", gone)
    with pytest.raises(AwsError) as refusal:
        local.call("DescribeStreamSummary", StreamName="s")
    local.store.close()
    assert refusal.value.name == "ResourceNotFoundException"
    assert refusal.value.message == "Stream s under account 000000000000 not found."


def test_temporary_keys_have_the_rights_of_their_role(
    started: Callable[..., str], tmp_path: Path
) -> None:
    from eddyline.auth.entities import Entities, EntityKind
    from eddyline.auth.grants import Grants

    account = "000000000000"
    trust = {"Effect": "Allow", "Principal": {"AWS": account}, "Action": "sts:AssumeRole"}
    Entities(tmp_path).create(EntityKind.ROLE, "reader", trust=json.dumps({"Statement": trust}))
    allow = {"Effect": "Allow", "Action": "kinesis:ListStreams", "Resource": "*"}
    Grants(tmp_path, account).put(
        EntityKind.ROLE, "reader", "read", json.dumps({"Statement": allow})
    )
    endpoint = started(data_dir=tmp_path, api_workers=1)
    role = f"arn:aws:iam::{account}:role/reader"

    def lent(policy: Any = None) -> Any:
        more = {} if policy is None else {"Policy": json.dumps({"Statement": policy})}
        sts = client(endpoint, "sts")
        keys = sts.assume_role(RoleArn=role, RoleSessionName="it", **more)["Credentials"]
        return client(
            endpoint,
            "kinesis",
            aws_access_key_id=keys["AccessKeyId"],
            aws_secret_access_key=keys["SecretAccessKey"],
            aws_session_token=keys["SessionToken"],
        )

    assert lent().list_streams()["StreamNames"] == []
    with pytest.raises(ClientError, match="assumed-role/reader/it is not authorized"):
        lent().create_stream(StreamName="s", ShardCount=1)
    with pytest.raises(ClientError, match="AccessDenied"):
        lent({**allow, "Action": "kinesis:PutRecord"}).list_streams()
