"""An endpoint that checks keys: botocore's own signatures, users' policies, stream policies."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from eddyline.auth.users import Users
from tests.aws.conftest import call, client

ARN = "arn:aws:kinesis:us-east-1:000000000000:stream/"


class Checked:
    """An endpoint where keys are required, with its users."""

    def __init__(self, endpoint: str, directory: Path) -> None:
        self.endpoint = endpoint
        self.users = Users(directory)

    def client(self, user: str) -> Any:
        (key,) = self.users.access_keys(user)
        return client(self.endpoint, key.key_id, key.secret)


@pytest.fixture(scope="module")
def checked(started: Any, tmp_path_factory: pytest.TempPathFactory) -> Checked:
    directory = tmp_path_factory.mktemp("checked")
    users = Users(directory)
    reader = {
        "Statement": [
            {"Effect": "Allow", "Action": ["kinesis:Get*", "kinesis:List*"], "Resource": "*"},
            {"Effect": "Allow", "Action": "kinesis:Put*", "Resource": ARN + "open-*"},
            {"Effect": "Deny", "Action": "*", "Resource": ARN + "*-secret"},
        ]
    }
    for name, policy in (("admin", None), ("reader", json.dumps(reader)), ("nobody", "")):
        text = '{"Statement":{"Effect":"Deny","Action":"x:*","Resource":"*"}}'
        users.add(name, policy=policy if policy != "" else text)
        users.add_key(name)
    endpoint = started(data_dir=directory, require_keys=True)
    found = Checked(endpoint, directory)
    admin = found.client("admin")
    for stream in ("open-one", "open-secret", "shut"):
        admin.create_stream(StreamName=stream, ShardCount=1)
    return found


def code(operation: Any, **members: Any) -> str:
    try:
        operation(**members)
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return "ok"


def put(kinesis: Any, name: str) -> str:
    return code(kinesis.put_record, StreamName=name, Data=b"x", PartitionKey="k")


def test_a_wrong_or_unknown_key_is_refused(checked: Checked) -> None:
    (key,) = checked.users.access_keys("admin")
    assert code(client(checked.endpoint, key.key_id, key.secret).list_streams) == "ok"
    wrong = client(checked.endpoint, key.key_id, key.secret + "x")
    assert code(wrong.list_streams) == "InvalidSignatureException"
    unknown = client(checked.endpoint, "AKIAUNKNOWN", key.secret)
    assert code(unknown.list_streams) == "UnrecognizedClientException"
    assert call(checked.endpoint, "ListStreams").error == "UnrecognizedClientException"


def test_a_policy_bounds_its_user(checked: Checked) -> None:
    reader = checked.client("reader")
    denied = "AccessDeniedException"
    assert code(reader.list_streams) == "ok"
    assert put(reader, "open-one") == "ok"
    assert put(reader, "shut") == denied
    assert put(reader, "open-secret") == denied
    assert code(reader.delete_stream, StreamName="open-one") == denied
    assert code(reader.describe_limits) == denied
    by_arn = {"StreamARN": "arn:aws:kinesis:eu-west-1:999999999999:stream/open-secret"}
    assert code(reader.list_shards, **by_arn) == denied
    with pytest.raises(ClientError) as caught:
        reader.delete_stream(StreamName="shut")
    assert caught.value.response["Error"]["Message"] == (
        "User: arn:aws:iam::000000000000:user/reader is not authorized to perform: "
        f"kinesis:DeleteStream on resource: {ARN}shut because no policy allows the "
        "kinesis:DeleteStream action"
    )


def test_iterators_and_tokens_lead_past_no_policy(checked: Checked) -> None:
    admin, reader = checked.client("admin"), checked.client("reader")
    secret = {"StreamName": "open-secret", "ShardId": "shardId-000000000000"}
    it = admin.get_shard_iterator(**secret, ShardIteratorType="LATEST")["ShardIterator"]
    assert code(admin.get_records, ShardIterator=it) == "ok"
    assert code(reader.get_records, ShardIterator=it) == "AccessDeniedException"
    admin.create_stream(StreamName="two-secret", ShardCount=2)
    token = admin.list_shards(StreamName="two-secret", MaxResults=1)["NextToken"]
    assert code(admin.list_shards, NextToken=token) == "ok"
    assert code(reader.list_shards, NextToken=token) == "AccessDeniedException"


def test_a_streams_policy_lets_others_in_or_keeps_them_out(checked: Checked) -> None:
    admin, nobody, reader = map(checked.client, ("admin", "nobody", "reader"))
    assert put(nobody, "shut") == "AccessDeniedException"
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::000000000000:user/nobody"},
        "Action": "kinesis:PutRecord",
        "Resource": ARN + "shut",
    }
    policy = json.dumps({"Statement": statement})
    admin.put_resource_policy(ResourceARN=ARN + "shut", Policy=policy)
    assert put(nobody, "shut") == "ok"
    assert put(reader, "shut") == "AccessDeniedException"
    deny = {**statement, "Effect": "Deny", "Principal": "*", "Resource": "*"}
    policy = json.dumps({"Statement": deny})
    admin.put_resource_policy(ResourceARN=ARN + "open-one", Policy=policy)
    assert put(reader, "open-one") == "AccessDeniedException"
    admin.delete_resource_policy(ResourceARN=ARN + "open-one")
    assert put(reader, "open-one") == "ok"


def test_a_removed_key_is_refused_soon(checked: Checked) -> None:
    checked.users.add("gone")
    checked.users.add_key("gone")
    kinesis = checked.client("gone")
    assert code(kinesis.list_streams) == "ok"
    checked.users.remove("gone")
    end = time.monotonic() + 20
    while code(kinesis.list_streams) == "ok":
        assert time.monotonic() < end
    assert code(kinesis.list_streams) == "UnrecognizedClientException"
