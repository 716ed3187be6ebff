"""An endpoint that checks keys: botocore's own signatures, users' policies, stream policies."""

from __future__ import annotations

import json
import stat
import time
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from eddyline.auth.metrics_token import MetricsToken
from eddyline.auth.users import Users
from tests.aws.conftest import TARGET, call, client, code, raw

ARN = "arn:aws:kinesis:us-east-1:000000000000:stream/"


class Checked:
    """An endpoint where keys are required, with its users."""

    def __init__(self, endpoint: str, directory: Path) -> None:
        self.endpoint = endpoint
        self.directory = directory
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
    endpoint_ = Checked(endpoint, directory)
    admin = endpoint_.client("admin")
    for stream in ("open-one", "open-secret", "shut"):
        admin.create_stream(StreamName=stream, ShardCount=1)
    return endpoint_


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


LISTING = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": TARGET + "ListStreams"}


def presigned(
    checked: Checked, user: str, body: bytes, seconds: int, headers: dict[str, str] = LISTING
) -> tuple[str, dict[str, str]]:
    """A query that botocore has signed, and the headers that go with it."""
    (key,) = checked.users.access_keys(user)

    class Signer(SigV4QueryAuth):  # type: ignore[misc]  # botocore has no types
        """Signs the body where it is; botocore would move its members into the query."""

        def payload(self, request: Any) -> str:
            return sha256(body).hexdigest()

    request = AWSRequest("POST", checked.endpoint + "/", headers=headers)
    credentials = Credentials(key.key_id, key.secret)
    Signer(credentials, "kinesis", "us-east-1", expires=seconds).add_auth(request)
    return request.url.removeprefix(checked.endpoint), headers


def test_a_presigned_request_is_good_as_it_is_and_for_as_long_as_it_says(checked: Checked) -> None:
    body = b'{"Limit":5}'
    path, headers = presigned(checked, "admin", body, 300)
    response = raw(checked.endpoint, body, headers, path=path)
    assert (response.status, response.json["StreamNames"][:1]) == (200, ["open-one"])
    changed = raw(checked.endpoint, b'{"Limit":6}', headers, path=path)
    assert changed.error == "InvalidSignatureException"
    other = {**headers, "X-Amz-Target": TARGET + "DescribeLimits"}
    assert raw(checked.endpoint, body, other, path=path).error == "InvalidSignatureException"
    loose, _ = presigned(checked, "admin", body, 300, {})
    refusal = raw(checked.endpoint, body, other, path=loose)
    assert refusal.error == "InvalidSignatureException"
    assert "x-amz-target is not" in refusal.message
    path, headers = presigned(checked, "nobody", body, 300)
    assert raw(checked.endpoint, body, headers, path=path).error == "AccessDeniedException"
    path, headers = presigned(checked, "admin", body, 1)
    time.sleep(2.1)
    late = raw(checked.endpoint, body, headers, path=path)
    assert (late.status, late.error) == (400, "InvalidSignatureException")
    assert "expired" in late.message


@pytest.mark.parametrize(("minutes", "problem"), [(-6, "expired"), (6, "not yet current")])
def test_a_clock_that_is_wrong_is_told_and_given_the_right_time(
    checked: Checked, monkeypatch: pytest.MonkeyPatch, minutes: int, problem: str
) -> None:
    """SDKs correct their clocks by the Date of the refusal, then send again."""

    def wrong(minutes: int) -> Any:
        return lambda remove_tzinfo=True: datetime.now(UTC) + timedelta(minutes=minutes)

    admin = checked.client("admin")
    monkeypatch.setattr("botocore.auth.get_current_datetime", wrong(minutes))
    with pytest.raises(ClientError) as caught:
        admin.list_streams()
    error = caught.value.response
    assert error["Error"]["Code"] == "InvalidSignatureException"
    assert f"Signature {problem}" in error["Error"]["Message"]
    date = parsedate_to_datetime(error["ResponseMetadata"]["HTTPHeaders"]["date"])
    assert abs((date - datetime.now(UTC)).total_seconds()) < 30
    monkeypatch.setattr("botocore.auth.get_current_datetime", wrong(minutes * 2 // 3))
    assert code(admin.list_streams) == "ok", "four minutes are borne"


def test_the_figures_need_the_token_or_a_signature(checked: Checked, endpoint: str) -> None:
    def read(base: str, authorization: str = "") -> Any:
        return raw(base, b"", {"Authorization": authorization}, "GET", "/metrics")

    for wrong in ("", "Bearer", "Bearer x", "Basic eDp5", "Bearer \u00e9"):
        refused = read(checked.endpoint, wrong.encode().decode("latin-1"))
        assert refused.status == 401
        assert refused.headers["www-authenticate"] == "Bearer"
        assert b"metrics-token" in refused.body
        assert b"eddyline" not in refused.body.replace(b"kinesis", b"")
    file = MetricsToken(checked.directory).ensure()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    admitted = read(checked.endpoint, f"Bearer {file.read_text().strip()}")
    assert admitted.status == 200
    assert b"# TYPE" in admitted.body
    (key,) = checked.users.access_keys("admin")
    request = AWSRequest("GET", f"{checked.endpoint}/metrics")
    SigV4Auth(Credentials(key.key_id, key.secret), "kinesis", "us-east-1").add_auth(request)
    assert raw(checked.endpoint, b"", dict(request.headers), "GET", "/metrics").status == 200
    assert raw(checked.endpoint, b"", {}, "GET", "/health").status == 200
    assert raw(endpoint, b"", {}, "GET", "/metrics").status == 200, "on loopback without keys"
