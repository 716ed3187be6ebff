"""Records in and out through boto3: routing, order, limits, pages, iterators."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from hashlib import md5
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.aws.conftest import call, client, read_all, refused, shard

ARN = "arn:aws:kinesis:us-east-1:000000000000:stream/"
MIB = 1 << 20


def iterator(kinesis: Any, name: str, kind: str, index: int = 0, **more: Any) -> str:
    response = kinesis.get_shard_iterator(
        StreamName=name, ShardId=shard(index), ShardIteratorType=kind, **more
    )
    return str(response["ShardIterator"])


def test_records_come_back_as_they_went(kinesis: Any, stream: str) -> None:
    keys = ["a", "k" * 256, "ключ", 'quo"te\\', "\n", "\U0001f40c"]
    sent = [{"Data": bytes(range(256)) * n, "PartitionKey": k} for n, k in enumerate(keys)]
    put = kinesis.put_records(StreamName=stream, Records=sent)
    assert put["FailedRecordCount"] == 0
    assert "EncryptionType" not in put
    records = {}
    for index in range(2):
        for record in read_all(kinesis, stream, index):
            records[record["PartitionKey"]] = (record["Data"], record["SequenceNumber"], index)
    assert len(records) == len(keys)
    for record, answer in zip(sent, put["Records"], strict=True):
        data, number, index = records[record["PartitionKey"]]
        assert data == record["Data"]
        assert (number, shard(index)) == (answer["SequenceNumber"], answer["ShardId"])
        half = int(md5(record["PartitionKey"].encode()).hexdigest(), 16) >> 127
        assert index == half


def test_sequence_numbers_have_56_digits_and_grow(kinesis: Any, stream: str) -> None:
    numbers = []
    for i in range(3):
        put = {"StreamName": stream, "Data": b"x", "PartitionKey": "k"}
        if numbers:
            put["SequenceNumberForOrdering"] = numbers[-1]
        numbers.append(kinesis.put_record(**put)["SequenceNumber"])
        batch = [{"Data": b"%d" % i, "PartitionKey": "k"}] * 30
        many = kinesis.put_records(StreamName=stream, Records=batch)["Records"]
        numbers += [r["SequenceNumber"] for r in many]
    assert {len(n) for n in numbers} == {56}
    assert numbers == sorted(set(numbers))
    wrong = {"StreamName": stream, "Data": b"x", "PartitionKey": "k"}
    code, words = refused(kinesis, "put_record", **wrong, SequenceNumberForOrdering="49")
    assert code == "InvalidArgumentException"
    assert words.startswith("ExclusiveMinimumSequenceNumber 49 used in PutRecord on stream")


def test_an_explicit_hash_key_decides(kinesis: Any, stream: str) -> None:
    for hash_key, index in (("0", 0), (str(2**127 - 1), 0), (str(2**127), 1), (str(2**128 - 1), 1)):
        put = {"Data": b"x", "PartitionKey": "k", "ExplicitHashKey": hash_key}
        assert kinesis.put_record(StreamName=stream, **put)["ShardId"] == shard(index)
        many = kinesis.put_records(StreamName=stream, Records=[put, put])["Records"]
        assert {r["ShardId"] for r in many} == {shard(index)}
    over = {"Data": b"x", "PartitionKey": "k", "ExplicitHashKey": str(2**128)}
    code, words = refused(kinesis, "put_record", StreamName=stream, **over)
    assert code == "InvalidArgumentException"
    assert "must be in the range: [0, 2^128-1]" in words


def test_a_request_has_its_limits(kinesis: Any, endpoint: str, stream: str) -> None:
    one = {"Data": b"x", "PartitionKey": "k"}
    many = call(
        endpoint,
        "PutRecords",
        {"StreamName": stream, "Records": [{"Data": "", "PartitionKey": "k"}] * 501},
    )
    assert many.error == "ValidationException"
    assert "Member must have length less than or equal to 500" in many.message
    exact = {"Data": b"x" * MIB, "PartitionKey": "k"}
    assert kinesis.put_record(StreamName=stream, **exact)["ShardId"]
    large = {"Data": b"x" * (MIB + 1), "PartitionKey": "k"}
    words = (
        f"Value 'java.nio.HeapByteBuffer[pos=0 lim={MIB + 1} cap={MIB + 1}]' at '%s' failed to "
        f"satisfy constraint: Member must have length less than or equal to {MIB}"
    )
    assert refused(kinesis, "put_record", StreamName=stream, **large) == (
        "ValidationException",
        "1 validation error detected: " + words % "data",
    )
    code, message = refused(kinesis, "put_records", StreamName=stream, Records=[one, large])
    assert code == "ValidationException"
    assert words % "records.2.member.data" in message
    full = [{"Data": b"x" * (MIB - 1), "PartitionKey": "k"}] * 10
    assert kinesis.put_records(StreamName=stream, Records=full)["FailedRecordCount"] == 0
    full = [{"Data": b"x" * MIB, "PartitionKey": "k"}] * 10
    assert refused(kinesis, "put_records", StreamName=stream, Records=full) == (
        "InvalidArgumentException",
        "Records size exceeds 10 MB limit",
    )


def test_a_stream_may_take_records_of_10_mib(kinesis: Any, stream: str) -> None:
    kinesis.update_max_record_size(StreamARN=ARN + stream, MaxRecordSizeInKiB=10_240)
    data = bytes(5 * MIB)
    put = kinesis.put_record(StreamName=stream, Data=data, PartitionKey="k", ExplicitHashKey="0")
    (records,) = read_all(kinesis, stream)
    assert records["Data"] == data
    assert records["SequenceNumber"] == put["SequenceNumber"]


def test_a_page_has_at_most_10_mib_and_10_000_records(kinesis: Any, stream: str) -> None:
    mib = [{"Data": bytes(MIB - 1), "PartitionKey": "k", "ExplicitHashKey": "0"}] * 10
    small = [{"Data": b"", "PartitionKey": "k", "ExplicitHashKey": "0"}] * 500
    for _ in range(2):
        kinesis.put_records(StreamName=stream, Records=mib)
    first = kinesis.get_records(ShardIterator=iterator(kinesis, stream, "TRIM_HORIZON"))
    assert len(first["Records"]) == 10
    assert first["MillisBehindLatest"] > 0
    second = kinesis.get_records(ShardIterator=first["NextShardIterator"])
    assert (len(second["Records"]), second["MillisBehindLatest"]) == (10, 0)
    for _ in range(21):
        kinesis.put_records(StreamName=stream, Records=small)
    third = kinesis.get_records(ShardIterator=second["NextShardIterator"])
    assert len(third["Records"]) == 10_000
    some = kinesis.get_records(ShardIterator=third["NextShardIterator"], Limit=7)
    assert len(some["Records"]) == 7
    over = {"ShardIterator": some["NextShardIterator"], "Limit": 10_001}
    assert refused(kinesis, "get_records", **over)[0] == "ValidationException"


def test_the_five_iterators(kinesis: Any, stream: str) -> None:
    numbers, times = [], []
    for i in range(4):
        put = {"Data": b"%d" % i, "PartitionKey": "k", "ExplicitHashKey": "0"}
        numbers.append(kinesis.put_record(StreamName=stream, **put)["SequenceNumber"])
        latest = iterator(kinesis, stream, "LATEST") if i == 1 else None
        if latest:
            after_two = latest
        last = read_all(kinesis, stream)[-1]["ApproximateArrivalTimestamp"]
        times.append(last)
        while datetime.now(UTC) <= last.astimezone(UTC):
            pass

    def data(it: str) -> bytes:
        return b"".join(r["Data"] for r in kinesis.get_records(ShardIterator=it)["Records"])

    assert data(iterator(kinesis, stream, "TRIM_HORIZON")) == b"0123"
    assert data(iterator(kinesis, stream, "LATEST")) == b""
    assert data(after_two) == b"23"
    at = {"StartingSequenceNumber": numbers[2]}
    assert data(iterator(kinesis, stream, "AT_SEQUENCE_NUMBER", **at)) == b"23"
    assert data(iterator(kinesis, stream, "AFTER_SEQUENCE_NUMBER", **at)) == b"3"
    for n, expected in enumerate((b"0123", b"123", b"23", b"3")):
        it = iterator(kinesis, stream, "AT_TIMESTAMP", Timestamp=times[n])
        assert data(it) == expected
    assert data(iterator(kinesis, stream, "AT_TIMESTAMP", Timestamp=1)) == b"0123"


def test_an_iterator_is_refused_with_the_reason(kinesis: Any, stream: str) -> None:
    number = kinesis.put_record(
        StreamName=stream, Data=b"x", PartitionKey="k", ExplicitHashKey="0"
    )["SequenceNumber"]
    get = {"StreamName": stream, "ShardId": shard(1)}
    invalid, of = "InvalidArgumentException", "get_shard_iterator"
    later = datetime(2999, 1, 1, tzinfo=UTC)
    for members, words in (
        ({"ShardIteratorType": "AT_SEQUENCE_NUMBER"}, "Must specify startingSequenceNumber"),
        ({"ShardIteratorType": "AT_TIMESTAMP"}, "Must specify timestamp parameter"),
        ({"ShardIteratorType": "AT_TIMESTAMP", "Timestamp": later}, "cannot be greater than"),
        (
            {"ShardIteratorType": "AT_SEQUENCE_NUMBER", "StartingSequenceNumber": "7"},
            "StartingSequenceNumber 7 used in GetShardIterator on shard shardId-000000000001",
        ),
        (
            {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "StartingSequenceNumber": number},
            "It encodes shardId-000000000000, while it was used in a call to a shard with",
        ),
    ):
        code, message = refused(kinesis, of, **get, **members)
        assert code == invalid
        assert words in message
    missing = {**get, "ShardId": shard(2), "ShardIteratorType": "LATEST"}
    assert refused(kinesis, of, **missing)[0] == "ResourceNotFoundException"
    assert refused(kinesis, "get_records", ShardIterator="nonsense") == (
        invalid,
        "Invalid ShardIterator.",
    )


def test_an_iterator_grows_old(started: Any) -> None:
    endpoint = started(iterator_s=1)
    own = client(endpoint)
    own.create_stream(StreamName="s", ShardCount=1)
    it = iterator(own, "s", "LATEST")
    error = None
    while error is None:
        try:
            own.get_records(ShardIterator=it)
        except ClientError as refusal:
            error = refusal.response["Error"]
    assert error["Code"] == "ExpiredIteratorException"
    assert "tolerated delay of 1000 milliseconds" in error["Message"]


def test_an_iterator_does_not_lead_to_a_later_stream(kinesis: Any, name: str) -> None:
    kinesis.create_stream(StreamName=name, ShardCount=1)
    it = iterator(kinesis, name, "TRIM_HORIZON")
    kinesis.delete_stream(StreamName=name)
    assert refused(kinesis, "get_records", ShardIterator=it)[0] == "ResourceNotFoundException"
    kinesis.create_stream(StreamName=name, ShardCount=1)
    assert refused(kinesis, "get_records", ShardIterator=it)[0] == "ResourceNotFoundException"
    kinesis.delete_stream(StreamName=name)


def test_a_dry_run_changes_nothing(kinesis: Any, stream: str) -> None:
    dry = "DryRunOperationException"
    one = {"Data": b"x", "PartitionKey": "k"}
    assert refused(kinesis, "put_record", StreamName=stream, DryRun=True, **one)[0] == dry
    many = {"StreamName": stream, "Records": [one]}
    assert refused(kinesis, "put_records", DryRun=True, **many)[0] == dry
    it = iterator(kinesis, stream, "LATEST")
    assert refused(kinesis, "get_records", ShardIterator=it, DryRun=True)[0] == dry
    missing = {"StreamName": "nowhere", "DryRun": True, **one}
    assert refused(kinesis, "put_record", **missing)[0] == "ResourceNotFoundException"
    assert read_all(kinesis, stream, 0) + read_all(kinesis, stream, 1) == []


def test_distributed_records_need_no_key(kinesis: Any, endpoint: str, name: str) -> None:
    kinesis.create_stream(
        StreamName=name,
        StreamModeDetails={"StreamMode": "ON_DEMAND"},
        RecordDistributionStrategy="AUTO",
    )
    records = [{"Data": "eA=="}] * 6 + [{"Data": "eQ==", "PartitionKey": "k"}] * 2
    put = call(endpoint, "PutRecords", {"StreamName": name, "Records": records})
    shards = [r["ShardId"] for r in put.json["Records"]]
    assert sorted(shards) == [shard(i) for i in range(4) for _ in range(2)]
    it = {"StreamName": name, "ShardId": shard(0), "ShardIteratorType": "TRIM_HORIZON"}
    it = call(endpoint, "GetShardIterator", it).json["ShardIterator"]
    delivered = call(endpoint, "GetRecords", {"ShardIterator": it}).json["Records"]
    assert len(delivered) == 2
    assert all(("PartitionKey" in r) == (r["Data"] == "eQ==") for r in delivered)
    kinesis.delete_stream(StreamName=name)


def test_a_key_is_needed_otherwise(endpoint: str, stream: str) -> None:
    one = call(endpoint, "PutRecord", {"StreamName": stream, "Data": ""})
    assert (one.error, one.message) == (
        "ValidationException",
        "1 validation error detected: Value null at 'partitionKey' failed to satisfy constraint: "
        "Member must not be null",
    )
    records = [{"Data": "", "PartitionKey": "k"}, {"Data": ""}]
    many = call(endpoint, "PutRecords", {"StreamName": stream, "Records": records})
    assert "Value null at 'records.2.member.partitionKey'" in many.message
    empty = call(endpoint, "PutRecord", {"StreamName": stream, "Data": "", "PartitionKey": ""})
    assert "Member must have length greater than or equal to 1" in empty.message


def test_many_writers_lose_nothing(endpoint: str, stream: str) -> None:
    acknowledged: dict[tuple[str, str], bytes] = {}
    lock = threading.Lock()

    def write(n: int) -> None:
        own = client(endpoint)
        for i in range(10):
            data = [b"%d-%d-%d" % (n, i, j) for j in range(20)]
            records = [{"Data": d, "PartitionKey": d.decode()} for d in data]
            answers = own.put_records(StreamName=stream, Records=records)["Records"]
            with lock:
                for d, a in zip(data, answers, strict=True):
                    acknowledged[a["ShardId"], a["SequenceNumber"]] = d

    threads = [threading.Thread(target=write, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    own = client(endpoint)
    counts = {
        (shard(index), r["SequenceNumber"]): r["Data"]
        for index in range(2)
        for r in read_all(own, stream, index)
    }
    assert len(counts) == 8 * 10 * 20
    assert counts == acknowledged


@pytest.fixture(scope="module")
def throttled(started: Any) -> Any:
    return client(started(throttle=True))


def test_a_throttled_shard_takes_1000_records_a_second(throttled: Any) -> None:
    throttled.create_stream(StreamName="many", ShardCount=1)
    failed, answers = 0, []
    for _ in range(5):
        records = [{"Data": b"x", "PartitionKey": "k"}] * 500
        response = throttled.put_records(StreamName="many", Records=records)
        failed += response["FailedRecordCount"]
        answers += response["Records"]
    stored = read_all(throttled, "many")
    assert failed > 0
    assert len(stored) == 2500 - failed >= 1000
    refusals = [a for a in answers if "ErrorCode" in a]
    assert len(refusals) == failed
    assert refusals[0] == {
        "ErrorCode": "ProvisionedThroughputExceededException",
        "ErrorMessage": "Rate exceeded for shard shardId-000000000000 in stream many under "
        "account 000000000000.",
    }


def test_a_throttled_shard_is_read_five_times_a_second(throttled: Any) -> None:
    throttled.create_stream(StreamName="read", ShardCount=1)
    it = iterator(throttled, "read", "LATEST")
    errors = []
    for _ in range(50):
        try:
            throttled.get_records(ShardIterator=it)
        except ClientError as error:
            errors.append(error.response["Error"]["Code"])
    assert errors
    assert set(errors) == {"ProvisionedThroughputExceededException"}
