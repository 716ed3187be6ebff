"""What a Kinesis endpoint must do: forty-eight checks that emulators are told apart by.

Each check is a function, named by what it proves, that gets an endpoint and the name of a stream
nobody else has. All but six ask one server; those need a setting: slow states, the limits of a
shard or of an account, signatures.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import md5
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from eddyline.auth.users import Users
from eddyline.aws import cbor
from tests.aws.conftest import ANYBODY, TARGET, call, client, code, raw, read_all, shard
from tests.aws.kinesis.test_subscribe import ARN, FIRST, Subscription, frames, put

MIB = 1 << 20
LAST_KEY = 2**128 - 1
MIDDLE = 2**127
CBOR = "application/x-amz-cbor-1.1"

Check = Callable[[Any], None]
CHECKS: dict[str, tuple[str, Check]] = {}


def check(check: Check) -> Check:
    """A row for the server that all share."""
    CHECKS[check.__name__] = ("plain", check)
    return check


def check_with(server: str) -> Callable[[Check], Check]:
    """A row for a server with a setting switched on."""

    def add(check: Check) -> Check:
        CHECKS[check.__name__] = (server, check)
        return check

    return add


@pytest.fixture(scope="module")
def servers(started: Any, endpoint: str, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Endpoints by name, started when first asked for."""
    running = {"plain": (endpoint, "any", "key")}

    def server_at(name: str) -> tuple[str, str, str]:
        if name not in running:
            directory = tmp_path_factory.mktemp(name)
            key, secret = "any", "key"
            if name == "keyed":
                users = Users(directory)
                users.add("admin")
                made = users.add_key("admin")
                key, secret = made.key_id, made.secret
            settings: dict[str, dict[str, Any]] = {
                "slow": {"stream_delay_ms": 1500},
                "throttled": {"throttle": True},
                "keyed": {"require_keys": True},
                "limited": {"shard_limit": 8},
            }
            running[name] = (started(data_dir=directory, **settings[name]), key, secret)
        return running[name]

    return server_at


# What the checks are made of.


def create(at: Any, shards: int = 1) -> None:
    at.kinesis.create_stream(StreamName=at.name, ShardCount=shards)


def fill(at: Any, count: int, hash_key: int = 0) -> None:
    """Records numbered from 0 into the shard that has the hash key."""
    for i in range(count):
        put(at.kinesis, at.name, b"%d" % i, str(hash_key))


def split(at: Any, index: int = 0, key: int = MIDDLE) -> None:
    at.kinesis.split_shard(
        StreamName=at.name, ShardToSplit=shard(index), NewStartingHashKey=str(key)
    )


def merge(at: Any) -> None:
    at.kinesis.merge_shards(
        StreamName=at.name, ShardToMerge=shard(0), AdjacentShardToMerge=shard(1)
    )


def iterator(at: Any, kind: str = "TRIM_HORIZON", index: int = 0, **more: Any) -> str:
    response = at.kinesis.get_shard_iterator(
        StreamName=at.name, ShardId=shard(index), ShardIteratorType=kind, **more
    )
    return str(response["ShardIterator"])


def get(at: Any, it: str, **more: Any) -> Any:
    return at.kinesis.get_records(ShardIterator=it, **more)


def shards(at: Any, kind: str | None = None, **more: Any) -> list[int]:
    """Numbers of the shards that ListShards lets through a filter."""
    given = {} if kind is None else {"ShardFilter": {"Type": kind, **more}}
    response = at.kinesis.list_shards(StreamName=at.name, **given)["Shards"]
    return [int(s["ShardId"][-12:]) for s in response]


def split_with_times(at: Any) -> tuple[datetime, datetime]:
    """A stream whose only shard was split; a moment before, and one after."""
    create(at)
    time.sleep(0.05)
    before = datetime.now(UTC)
    time.sleep(0.05)
    split(at)
    time.sleep(0.05)
    return before, datetime.now(UTC)


def counts(at: Any, number: int) -> list[int]:
    return [len(read_all(at.kinesis, at.name, i)) for i in range(number)]


def in_cbor(at: Any, operation: str, **members: Any) -> Any:
    headers = {
        "Content-Type": CBOR,
        "X-Amz-Target": TARGET + operation,
        "Authorization": ANYBODY,
        "X-Amz-Date": "20261125T120000Z",
    }
    refusal = raw(at.endpoint, cbor.encode(members), headers)
    assert refusal.status == 200, refusal.body
    return cbor.decode(refusal.body)


def consumer(at: Any) -> str:
    arn = ARN + at.name
    response = at.kinesis.register_stream_consumer(StreamARN=arn, ConsumerName="c")
    return str(response["Consumer"]["ConsumerARN"])


# Streams.


@check_with("slow")
def creating_status_seen(at: Any) -> None:
    create(at)
    response = at.kinesis.describe_stream(StreamName=at.name)["StreamDescription"]
    assert (response["StreamStatus"], response["Shards"]) == ("CREATING", [])
    at.kinesis.get_waiter("stream_exists").wait(StreamName=at.name, WaiterConfig={"Delay": 1})


@check_with("slow")
def deleting_status_seen(at: Any) -> None:
    create(at)
    at.kinesis.get_waiter("stream_exists").wait(StreamName=at.name, WaiterConfig={"Delay": 1})
    at.kinesis.delete_stream(StreamName=at.name)
    response = at.kinesis.describe_stream_summary(StreamName=at.name)["StreamDescriptionSummary"]
    assert response["StreamStatus"] == "DELETING"
    at.kinesis.get_waiter("stream_not_exists").wait(StreamName=at.name, WaiterConfig={"Delay": 1})


@check
def create_with_tags(at: Any) -> None:
    at.kinesis.create_stream(StreamName=at.name, ShardCount=1, Tags={"team": "clicks"})
    response = at.kinesis.list_tags_for_stream(StreamName=at.name)["Tags"]
    assert response == [{"Key": "team", "Value": "clicks"}]


@check
def create_on_demand_without_shard_count(at: Any) -> None:
    mode = {"StreamMode": "ON_DEMAND"}
    at.kinesis.create_stream(StreamName=at.name, StreamModeDetails=mode)
    response = at.kinesis.describe_stream_summary(StreamName=at.name)["StreamDescriptionSummary"]
    assert (response["OpenShardCount"], response["StreamModeDetails"]) == (4, mode)


@check
def stream_arn_addressing(at: Any) -> None:
    create(at)
    arn = at.kinesis.describe_stream(StreamName=at.name)["StreamDescription"]["StreamARN"]
    assert arn == ARN + at.name
    at.kinesis.put_record(StreamARN=arn, Data=b"x", PartitionKey="k")
    it = at.kinesis.get_shard_iterator(
        StreamARN=arn, ShardId=shard(0), ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    (record,) = at.kinesis.get_records(StreamARN=arn, ShardIterator=it)["Records"]
    assert record["Data"] == b"x"


@check_with("limited")
def shard_limit_enforced(at: Any) -> None:
    limit = at.kinesis.describe_limits()["ShardLimit"]
    refusal = code(at.kinesis.create_stream, StreamName=at.name, ShardCount=limit + 1)
    assert refusal == "LimitExceededException"


@check
def retention_raise_is_reported(at: Any) -> None:
    create(at)
    at.kinesis.increase_stream_retention_period(StreamName=at.name, RetentionPeriodHours=8760)
    response = at.kinesis.describe_stream(StreamName=at.name)["StreamDescription"]
    assert response["RetentionPeriodHours"] == 8760


@check
def list_streams_pagination_token(at: Any) -> None:
    names = [at.name + end for end in "abc"]
    for name in names:
        at.kinesis.create_stream(StreamName=name, ShardCount=1)
    listed: list[str] = []
    more: dict[str, Any] = {}
    while True:
        page = at.kinesis.list_streams(Limit=2, **more)
        listed += page["StreamNames"]
        assert page["HasMoreStreams"] == ("NextToken" in page)
        if not page["HasMoreStreams"]:
            break
        more = {"NextToken": page["NextToken"]}
    assert set(names) <= set(listed)
    assert listed == sorted(set(listed))


@check
def update_max_record_size_visible(at: Any) -> None:
    create(at)
    at.kinesis.update_max_record_size(StreamARN=ARN + at.name, MaxRecordSizeInKiB=2048)
    response = at.kinesis.describe_stream_summary(StreamName=at.name)["StreamDescriptionSummary"]
    assert response["MaxRecordSizeInKiB"] == 2048


@check
def resource_policy_round_trip(at: Any) -> None:
    create(at)
    allow = {"Effect": "Allow", "Principal": "*", "Action": "kinesis:GetRecords"}
    text = json.dumps({"Version": "2012-10-17", "Statement": [{**allow, "Resource": "*"}]})
    at.kinesis.put_resource_policy(ResourceARN=ARN + at.name, Policy=text)
    assert at.kinesis.get_resource_policy(ResourceARN=ARN + at.name)["Policy"] == text
    at.kinesis.delete_resource_policy(ResourceARN=ARN + at.name)
    assert text not in str(at.kinesis.get_resource_policy(ResourceARN=ARN + at.name))


# Records in.


@check
def hash_ranges_partition_the_key_space(at: Any) -> None:
    create(at, 5)
    response = at.kinesis.list_shards(StreamName=at.name)["Shards"]
    ranges = [s["HashKeyRange"] for s in response]
    edges = [(int(r["StartingHashKey"]), int(r["EndingHashKey"])) for r in ranges]
    assert (edges[0][0], edges[-1][1]) == (0, LAST_KEY)
    assert all(a[1] + 1 == b[0] for a, b in pairwise(edges))


@check
def md5_routing(at: Any) -> None:
    create(at, 4)
    for i in range(40):
        response = at.kinesis.put_record(StreamName=at.name, Data=b"x", PartitionKey=f"k{i}")
        quarter = int(md5(b"k%d" % i).hexdigest(), 16) >> 126
        assert response["ShardId"] == shard(quarter)


@check
def explicit_hash_key_at_range_end(at: Any) -> None:
    create(at, 2)
    for s in at.kinesis.list_shards(StreamName=at.name)["Shards"]:
        for edge in s["HashKeyRange"].values():
            shard = at.kinesis.put_record(
                StreamName=at.name, Data=b"x", PartitionKey="k", ExplicitHashKey=edge
            )
            assert shard["ShardId"] == s["ShardId"]


@check
def sequence_numbers_56_digits_increasing(at: Any) -> None:
    create(at)
    numbers = [put(at.kinesis, at.name, b"x") for _ in range(20)]
    assert {len(n) for n in numbers} == {56}
    assert numbers == sorted(set(numbers))


@check
def put_records_over_500_refused(at: Any) -> None:
    create(at)
    records = [{"Data": b"x", "PartitionKey": "k"}] * 501
    refusal = code(at.kinesis.put_records, StreamName=at.name, Records=records)
    assert refusal == "ValidationException"
    assert counts(at, 1) == [0]


@check
def record_over_1_mib_refused(at: Any) -> None:
    create(at)
    large = b"x" * (MIB + 1)
    refusal = code(at.kinesis.put_record, StreamName=at.name, Data=large, PartitionKey="k")
    assert refusal == "ValidationException"
    refusal = code(at.kinesis.put_record, StreamName=at.name, Data=large[1:], PartitionKey="k")
    assert refusal == "ok"


@check
def record_5_mib_when_max_record_size_10240(at: Any) -> None:
    at.kinesis.create_stream(StreamName=at.name, ShardCount=1, MaxRecordSizeInKiB=10_240)
    data = bytes(5 * MIB)
    put(at.kinesis, at.name, data)
    (record,) = read_all(at.kinesis, at.name)
    assert record["Data"] == data


@check
def empty_partition_key_refused(at: Any) -> None:
    create(at)
    response = call(
        at.endpoint, "PutRecord", {"StreamName": at.name, "Data": "eA==", "PartitionKey": ""}
    )
    assert (response.status, response.error) == (400, "ValidationException")


@check
def concurrent_puts_lose_nothing(at: Any) -> None:
    create(at, 2)

    def write(number: int) -> None:
        own = client(at.endpoint)
        for i in range(5):
            rows = [
                {"Data": b"%d-%d-%d" % (number, i, j), "PartitionKey": f"k{j}"} for j in range(50)
            ]
            assert own.put_records(StreamName=at.name, Records=rows)["FailedRecordCount"] == 0

    writers = [threading.Thread(target=write, args=(n,)) for n in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    records = [r["Data"] for i in range(2) for r in read_all(at.kinesis, at.name, i)]
    assert len(records) == len(set(records)) == 4 * 5 * 50


@check_with("throttled")
def write_throttling_1_mib_per_shard_by_default(at: Any) -> None:
    create(at)
    refused = 0
    began = time.monotonic()
    for _ in range(8):  # 8 MiB take a shard seven seconds, whatever the machine
        rows = [{"Data": bytes(MIB // 2), "PartitionKey": "k"}] * 2
        for row in at.kinesis.put_records(StreamName=at.name, Records=rows)["Records"]:
            if "ErrorCode" in row:
                assert row["ErrorCode"] == "ProvisionedThroughputExceededException"
                refused += 1
    took = time.monotonic() - began
    assert sum(counts(at, 1)) + refused == 16
    assert refused or took > 6


@check_with("throttled")
def read_throttling_5_gets_per_second_by_default(at: Any) -> None:
    create(at)
    it, began = iterator(at), time.monotonic()
    refusal = [code(at.kinesis.get_records, ShardIterator=it) for _ in range(60)]
    took = time.monotonic() - began
    assert set(refusal) <= {"ok", "ProvisionedThroughputExceededException"}
    assert refusal.count("ok") <= 5 + 5 * took
    assert refusal[:1] == ["ok"]


# Records out.


@check
def millis_behind_latest(at: Any) -> None:
    create(at)
    fill(at, 3)
    time.sleep(0.05)
    page = get(at, iterator(at), Limit=1)
    assert page["MillisBehindLatest"] >= 50
    assert get(at, page["NextShardIterator"])["MillisBehindLatest"] == 0


@check
def at_timestamp_iterator(at: Any) -> None:
    create(at)
    fill(at, 2)
    time.sleep(0.05)
    moment = datetime.now(UTC)
    put(at.kinesis, at.name, b"later")
    (record,) = get(at, iterator(at, "AT_TIMESTAMP", Timestamp=moment))["Records"]
    assert record["Data"] == b"later"


@check
def latest_then_put_is_read(at: Any) -> None:
    create(at)
    fill(at, 2)
    it = iterator(at, "LATEST")
    put(at.kinesis, at.name, b"new")
    (record,) = get(at, it)["Records"]
    assert record["Data"] == b"new"


@check
def get_records_page_at_most_10_mib(at: Any) -> None:
    create(at)
    for _ in range(12):
        put(at.kinesis, at.name, bytes(MIB - 100))
    page = get(at, iterator(at))
    size = sum(len(r["Data"]) for r in page["Records"])
    assert 9 * MIB < size <= 10 * MIB
    assert len(page["Records"]) + len(get(at, page["NextShardIterator"])["Records"]) == 12


@check
def get_records_limit_over_10000_refused(at: Any) -> None:
    create(at)
    refusal = code(at.kinesis.get_records, ShardIterator=iterator(at), Limit=10_001)
    assert refusal in ("ValidationException", "InvalidArgumentException")


# Shards that change.


@check
def split_keeps_parent_closed_with_ending_sequence(at: Any) -> None:
    create(at)
    number = put(at.kinesis, at.name, b"x")
    split(at)
    response = at.kinesis.describe_stream(StreamName=at.name)["StreamDescription"]["Shards"]
    assert [s.get("ParentShardId") for s in response] == [None, shard(0), shard(0)]
    ranges = [s["SequenceNumberRange"] for s in response]
    assert ranges[0]["EndingSequenceNumber"] >= number
    assert all("EndingSequenceNumber" not in r for r in ranges[1:])


@check
def parent_records_still_readable_after_split(at: Any) -> None:
    create(at)
    fill(at, 5)
    split(at)
    assert counts(at, 3) == [5, 0, 0]


@check
def closed_shard_ends_with_null_iterator(at: Any) -> None:
    create(at)
    fill(at, 2)
    split(at)
    page = get(at, iterator(at), Limit=1)
    assert "NextShardIterator" in page
    assert "NextShardIterator" not in get(at, page["NextShardIterator"])


@check
def put_after_split_goes_to_a_child(at: Any) -> None:
    create(at)
    split(at)
    for key, child in ((0, 1), (MIDDLE - 1, 1), (MIDDLE, 2), (LAST_KEY, 2)):
        response = at.kinesis.put_record(
            StreamName=at.name, Data=b"x", PartitionKey="k", ExplicitHashKey=str(key)
        )
        assert response["ShardId"] == shard(child)


@check
def child_shards_at_shard_end(at: Any) -> None:
    create(at)
    split(at)
    children = get(at, iterator(at))["ChildShards"]
    assert [c["ShardId"] for c in children] == [shard(1), shard(2)]
    assert all(c["ParentShards"] == [shard(0)] for c in children)
    assert children[1]["HashKeyRange"]["StartingHashKey"] == str(MIDDLE)


@check
def merge_keeps_parents_and_data(at: Any) -> None:
    create(at, 2)
    fill(at, 5)
    fill(at, 3, LAST_KEY)
    merge(at)
    put(at.kinesis, at.name, b"x")
    assert counts(at, 3) == [5, 3, 1]
    response = at.kinesis.list_shards(StreamName=at.name)["Shards"][2]
    assert (response["ParentShardId"], response["AdjacentParentShardId"]) == (shard(0), shard(1))


@check
def update_shard_count_keeps_data(at: Any) -> None:
    create(at, 2)
    fill(at, 5)
    fill(at, 3, LAST_KEY)
    at.kinesis.update_shard_count(
        StreamName=at.name, TargetShardCount=4, ScalingType="UNIFORM_SCALING"
    )
    response = at.kinesis.describe_stream_summary(StreamName=at.name)["StreamDescriptionSummary"]
    assert response["OpenShardCount"] == 4
    assert sum(counts(at, len(shards(at)))) == 8


@check
def list_shards_filter_at_latest(at: Any) -> None:
    split_with_times(at)
    assert shards(at, "AT_LATEST") == [1, 2]


@check
def list_shards_filter_at_trim_horizon(at: Any) -> None:
    split_with_times(at)
    assert shards(at, "AT_TRIM_HORIZON") == [0]


@check
def list_shards_filter_from_trim_horizon(at: Any) -> None:
    split_with_times(at)
    assert shards(at, "FROM_TRIM_HORIZON") == [0, 1, 2]


@check
def list_shards_filter_after_shard_id(at: Any) -> None:
    split_with_times(at)
    assert shards(at, "AFTER_SHARD_ID", ShardId=shard(1)) == [2]


@check
def list_shards_filter_at_timestamp_before_split(at: Any) -> None:
    before, _ = split_with_times(at)
    assert shards(at, "AT_TIMESTAMP", Timestamp=before) == [0]


@check
def list_shards_filter_from_timestamp_after_split(at: Any) -> None:
    _, after = split_with_times(at)
    assert shards(at, "FROM_TIMESTAMP", Timestamp=after) == [1, 2]


# Protocols and signatures.


@check
def cbor_put_and_get_small(at: Any) -> None:
    create(at)
    in_cbor(at, "PutRecord", StreamName=at.name, Data=b"\x00\xff", PartitionKey="k")
    response = in_cbor(at, "GetRecords", ShardIterator=iterator(at))
    assert response["Records"][0]["Data"] == b"\x00\xff"


@check
def cbor_large_response(at: Any) -> None:
    create(at)
    fill(at, 4)
    put(at.kinesis, at.name, bytes(MIB))
    response = in_cbor(at, "GetRecords", ShardIterator=iterator(at))
    assert [len(r["Data"]) for r in response["Records"]] == [1, 1, 1, 1, MIB]


@check
def cbor_timestamps_are_numbers_or_tag1_millis(at: Any) -> None:
    create(at)
    response = in_cbor(at, "DescribeStreamSummary", StreamName=at.name)["StreamDescriptionSummary"]
    headers = {"Content-Type": CBOR, "X-Amz-Target": TARGET + "DescribeStreamSummary"}
    headers |= {"Authorization": ANYBODY, "X-Amz-Date": "20261125T120000Z"}
    body = raw(at.endpoint, cbor.encode({"StreamName": at.name}), headers).body
    after = body.partition(b"StreamCreationTimestamp")[2]
    assert after[:2] == b"\xc1\x1b"  # tag 1 over an integer of 64 bits, milliseconds as AWS has it
    ms = int.from_bytes(after[2:10], "big")
    assert abs(ms / 1000 - time.time()) < 60
    assert response["StreamCreationTimestamp"] == ms / 1000


@check_with("keyed")
def bad_signature_refused(at: Any) -> None:
    assert code(at.kinesis.list_streams) == "ok"
    wrong = client(at.endpoint, at.key, at.secret + "x")
    assert code(wrong.list_streams) == "InvalidSignatureException"


@check
def unsigned_refused(at: Any) -> None:
    headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": TARGET + "ListStreams"}
    response = raw(at.endpoint, b"{}", headers)
    assert (response.status, response.error) == (400, "MissingAuthenticationTokenException")


@check
def http2_prior_knowledge_cleartext(at: Any) -> None:
    headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": TARGET + "ListStreams"}
    headers |= {"Authorization": ANYBODY, "X-Amz-Date": "20261125T120000Z"}
    with httpx.Client(http1=False, http2=True, timeout=30) as http:
        response = http.post(at.endpoint, content=b"{}", headers=headers)
    assert (response.status_code, response.http_version) == (200, "HTTP/2")
    assert "StreamNames" in response.json()


# Enhanced fan-out.


@check
def duplicate_consumer_refused(at: Any) -> None:
    create(at)
    consumer(at)
    refusal = code(at.kinesis.register_stream_consumer, StreamARN=ARN + at.name, ConsumerName="c")
    assert refusal == "ResourceInUseException"


@check
def efo_initial_response_and_stays_open(at: Any) -> None:
    create(at)
    subscription = Subscription(
        at.endpoint, consumer(at)
    )  # botocore waits for the initial response
    subscription.until(lambda: subscription.events)
    for i in range(3):
        put(at.kinesis, at.name, b"%d" % i)
        subscription.until(lambda: len(subscription.data) == i + 1)  # noqa: B023
        time.sleep(0.2)
    assert subscription.error is None
    subscription.close()


@check
def efo_over_http2_prior_knowledge_stays_open_and_delivers(at: Any) -> None:
    create(at)
    body = {"ConsumerARN": consumer(at), "ShardId": shard(0), "StartingPosition": FIRST}
    headers = {
        "Content-Type": "application/x-amz-json-1.1",
        "X-Amz-Target": TARGET + "SubscribeToShard",
        "Authorization": ANYBODY,
        "X-Amz-Date": "20261125T120000Z",
    }
    kinds: list[str] = []
    events: list[Any] = []
    rest = b""
    with (
        httpx.Client(http1=False, http2=True, timeout=30) as http,
        http.stream("POST", at.endpoint, content=json.dumps(body), headers=headers) as answer,
    ):
        assert answer.http_version == "HTTP/2"
        for piece in answer.iter_raw():
            more, rest = frames(rest + piece)
            for head, payload in more:
                if not kinds:  # only now, so that the record has to be pushed
                    put(at.kinesis, at.name, b"x")
                kinds.append(head[":event-type"])
                events += json.loads(payload).get("Records", [])
            if events:
                break
    assert kinds[0] == "initial-response"
    assert events[0]["Data"] == "eA=="


def test_there_are_forty_eight() -> None:
    assert len(CHECKS) == 48


@pytest.mark.parametrize("check", CHECKS)
def test_behaviour(check: str, servers: Any, name: str) -> None:
    server, does = CHECKS[check]
    endpoint, key, secret = servers(server)
    kinesis = client(endpoint, key, secret)
    does(SimpleNamespace(endpoint=endpoint, kinesis=kinesis, name=name, key=key, secret=secret))
    kinesis.close()
