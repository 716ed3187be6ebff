"""Queues on a stream: receipts, visibility, dead letters; each record until it is acknowledged."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eddyline.aws.errors import AwsError
from eddyline.aws.kinesis.queues.store import Queues
from eddyline.log import PutBatch
from tests.aws.conftest import client
from tests.aws.local_kit import Local

ARN = "arn:aws:kinesis:us-east-1:000000000000:stream/"


class Queueing(Local):
    """The service with a word for queues."""

    def queue(self, stream: str, name: str = "q", start: Any = None, **attributes: Any) -> str:
        given = {"StreamARN": ARN + stream, "StartingPosition": start or {"Type": "TRIM_HORIZON"}}
        response = self.call(
            "CreateQueue",
            QueueName=name,
            StreamConfigurationList=[given],
            **({"QueueAttributes": attributes} if attributes else {}),
        )
        return str(response["QueueDescription"]["QueueARN"])

    def visible(self, arn: str, limit: int = 10, dead: bool = False, seconds: int = 30) -> Any:
        """What could be received, received at once."""
        queues = Queues(self.context)
        queue = queues.get(arn.rpartition("/")[2])
        assert queue is not None
        stream = self.store.open(queue.stream)
        return queues.receive(queue, stream, limit, seconds, dead)


@pytest.fixture
def local(tmp_path: Path) -> Iterator[Queueing]:
    queueing = Queueing(tmp_path)
    yield queueing
    queueing.store.close()


def made(local: Queueing, name: str, *data: bytes) -> None:
    local.call("CreateStream", StreamName=name, StreamModeDetails={"StreamMode": "ON_DEMAND"})
    put(local, name, *data)


def put(local: Queueing, name: str, *data: bytes) -> None:
    if data:
        keys = [f"k{i}" for i in range(len(data))]
        local.store.open(name).put(PutBatch(keys, list(data))).result()


def test_a_record_is_delivered_until_it_is_acknowledged(local: Queueing) -> None:
    made(local, "s", b"a")
    arn = local.queue("s")
    first = local.call("ReceiveQueueRecords", QueueARN=arn)["QueueRecords"][0]
    assert (first["Data"], first["ReceiveCount"], first["PartitionKey"]) == (b"a", 1, "k0")
    assert local.visible(arn) == []
    local.clock.advance(30_000)
    (second,) = local.call("ReceiveQueueRecords", QueueARN=arn)["QueueRecords"]
    assert second["ReceiveCount"] == 2
    assert second["RecordId"] == first["RecordId"]
    assert second["ReceiptHandle"] != first["ReceiptHandle"]
    entries = [{"ReceiptHandle": r["ReceiptHandle"]} for r in (first, second)]
    entries.append({"ReceiptHandle": "nonsense"})
    response = local.call("AcknowledgeQueueRecords", QueueARN=arn, Entries=entries)
    assert response["Successful"] == [entries[1]]
    assert [f["ErrorCode"] for f in response["Failed"]] == [
        "ResourceNotFoundException",
        "InvalidArgumentException",
    ]
    local.clock.advance(3_600_000)
    assert local.visible(arn) == []


def test_two_queues_on_a_stream_know_nothing_of_each_other(local: Queueing) -> None:
    made(local, "s", b"a", b"b")
    one, other = local.queue("s", "one"), local.queue("s", "other")
    ids = {r.number for r in local.visible(one)}
    assert len(local.visible(other)) == 2
    assert ids
    response = local.call("ListQueues", StreamFilter=[{"StreamARN": ARN + "s"}])
    assert [q["QueueName"] for q in response["QueueSummaries"]] == ["one", "other"]
    assert (
        local.call("DescribeStreamSummary", StreamName="s")["StreamDescriptionSummary"][
            "QueueCount"
        ]
        == 2
    )


def test_visibility_is_lengthened_and_ended(local: Queueing) -> None:
    made(local, "s", b"a")
    arn = local.queue("s", VisibilityTimeoutSeconds=5)
    (record,) = local.call("ReceiveQueueRecords", QueueARN=arn)["QueueRecords"]

    def hide(seconds: int) -> None:
        entry = {
            "ReceiptHandle": record["ReceiptHandle"],
            "VisibilityTimeoutSeconds": seconds,
        }
        response = local.call("UpdateQueueRecordsVisibility", QueueARN=arn, Entries=[entry])
        assert response["Failed"] == []

    local.clock.advance(4_000)
    hide(60)
    local.clock.advance(59_000)
    assert local.visible(arn) == []
    hide(0)
    assert len(local.visible(arn)) == 1


def test_dead_letters(local: Queueing) -> None:
    made(local, "s", b"poison")
    dead_letters = {"TargetType": "BUILT_IN", "MaxReceiveCount": 2}
    arn = local.queue("s", DeadLetterConfiguration=dead_letters, VisibilityTimeoutSeconds=1)
    for _ in range(2):
        assert len(local.visible(arn, seconds=1)) == 1
        assert local.visible(arn, dead=True) == []
        local.clock.advance(1_000)
    assert local.visible(arn) == []
    (letter,) = local.call("ReceiveDeadLetterQueueRecords", QueueARN=arn)["QueueRecords"]
    assert letter["Data"] == b"poison"
    entry = [{"ReceiptHandle": letter["ReceiptHandle"]}]
    response = local.call("AcknowledgeQueueRecords", QueueARN=arn, Entries=entry)
    assert response["Failed"], "the receipt is one of a dead letter"
    response = local.call("RestoreDeadLetterQueueRecords", QueueARN=arn, Entries=entry)
    assert response["Successful"] == entry
    (again,) = local.visible(arn, seconds=1)
    assert again.receives == 1
    local.clock.advance(1_000)
    local.visible(arn, seconds=1)
    local.clock.advance(1_000)
    assert local.visible(arn) == []
    (last,) = local.visible(arn, dead=True, seconds=0)
    hide = [{"ReceiptHandle": last.receipt, "VisibilityTimeoutSeconds": 9}]
    response = local.call("UpdateDeadLetterQueueRecordsVisibility", QueueARN=arn, Entries=hide)
    assert response["Failed"] == []
    assert local.visible(arn, dead=True) == []
    local.clock.advance(9_000)
    (last,) = local.visible(arn, dead=True)
    entry = [{"ReceiptHandle": last.receipt}]
    response = local.call("AcknowledgeDeadLetterQueueRecords", QueueARN=arn, Entries=entry)
    assert response["Successful"] == entry
    local.clock.advance(9_000_000)
    assert local.visible(arn, dead=True) == local.visible(arn) == []


def test_without_dead_letters_a_record_comes_for_ever(local: Queueing) -> None:
    made(local, "s", b"a")
    arn = local.queue("s", DeadLetterConfiguration={"TargetType": "NONE"})
    for n in range(1, 12):
        (record,) = local.visible(arn, seconds=1)
        assert record.receives == n
        local.clock.advance(1_000)


def test_where_a_queue_begins(local: Queueing) -> None:
    made(local, "s", b"old")
    local.clock.advance(10_000)
    at = local.clock.now_ms() / 1000
    put(local, "s", b"middle")
    local.clock.advance(10_000)
    latest = local.queue("s", "latest", {"Type": "LATEST"})
    timed = local.queue("s", "timed", {"Type": "AT_TIMESTAMP", "Timestamp": at})
    whole = local.queue("s", "whole")
    put(local, "s", b"new")
    local.store.open("s").scale(2)
    put(local, "s", b"newest")
    visible = [sorted(r.data for r in local.visible(q)) for q in (latest, timed, whole)]
    assert visible == [
        [b"new", b"newest"],
        [b"middle", b"new", b"newest"],
        [b"middle", b"new", b"newest", b"old"],
    ]


def test_trimmed_records_are_not_delivered(local: Queueing) -> None:
    made(local, "s", b"a", b"b")
    arn = local.queue("s")
    assert len(local.visible(arn, seconds=1)) == 2
    local.clock.advance(25 * 3_600_000)
    local.store.sweep()
    assert local.visible(arn) == []


def test_a_queue_of_a_stream_that_was_made_anew_delivers_nothing(local: Queueing) -> None:
    made(local, "s", b"a")
    arn = local.queue("s")
    local.store.delete("s")
    local.clock.advance(1_000)
    made(local, "s", b"b")
    local.clock.advance(1_000)
    with pytest.raises(AwsError, match="not found"):
        local.call("ReceiveQueueRecords", QueueARN=arn)
    summary = local.call("DescribeStreamSummary", StreamName="s")["StreamDescriptionSummary"]
    assert summary["QueueCount"] == 0
    local.call("DeleteStream", StreamName="s")
    local.call("DeleteQueue", QueueARN=arn)


def test_what_is_refused(local: Queueing) -> None:
    def refused(operation: str, **members: Any) -> str:
        with pytest.raises(AwsError) as caught:
            local.call(operation, **members)
        return caught.value.name

    made(local, "s")
    local.call("CreateStream", StreamName="fixed", ShardCount=1)
    local.clock.advance(10)
    where = {"QueueName": "q", "StreamConfigurationList": [{"StreamARN": ARN + "s"}]}
    fixed = {"QueueName": "q", "StreamConfigurationList": [{"StreamARN": ARN + "fixed"}]}
    assert refused("CreateQueue", **fixed) == "ValidationException"
    double = {**where, "StreamConfigurationList": where["StreamConfigurationList"] * 2}  # type: ignore[operator]
    assert refused("CreateQueue", **double) == "ValidationException"
    timed = [{"StreamARN": ARN + "s", "StartingPosition": {"Type": "LATEST", "Timestamp": 5}}]
    assert refused("CreateQueue", QueueName="q", StreamConfigurationList=timed) == (
        "ValidationException"
    )
    bad = {"DeadLetterConfiguration": {"TargetType": "BUILT_IN"}}
    assert refused("CreateQueue", **where, QueueAttributes=bad) == "ValidationException"
    arn = local.queue("s")
    assert refused("CreateQueue", **where) == "ResourceInUseException"
    assert refused("DeleteStream", StreamName="s") == "ResourceInUseException"
    mode = {"StreamARN": ARN + "s", "StreamModeDetails": {"StreamMode": "PROVISIONED"}}
    assert refused("UpdateStreamMode", **mode) == "ResourceInUseException"
    assert refused("DescribeQueue", QueueARN=arn + "0") == "ResourceNotFoundException"
    local.call("DeleteQueue", QueueARN=arn)
    assert refused("ReceiveQueueRecords", QueueARN=arn) == "ResourceNotFoundException"
    local.call("DeleteStream", StreamName="s")


def test_a_queue_is_updated_tagged_and_paged(local: Queueing) -> None:
    made(local, "s")
    arns = [local.queue("s", f"q{i}") for i in range(5)]
    response = local.call(
        "UpdateQueue", QueueARN=arns[0], QueueAttributes={"VisibilityTimeoutSeconds": 7}
    )["QueueDescription"]
    assert response["QueueAttributes"] == {
        "VisibilityTimeoutSeconds": 7,
        "DeadLetterConfiguration": {"TargetType": "BUILT_IN", "MaxReceiveCount": 6},
    }
    local.call("TagResource", ResourceARN=arns[0], Tags={"a": "b"})
    tags = local.call("ListTagsForResource", ResourceARN=arns[0])["Tags"]
    assert tags == [{"Key": "a", "Value": "b"}]
    names: list[str] = []
    page: dict[str, Any] = {}
    while not names or "NextToken" in page:
        more = {"NextToken": page["NextToken"]} if page else {}
        page = local.call("ListQueues", MaxResults=2, **more)
        names += [q["QueueName"] for q in page["QueueSummaries"]]
    assert names == [f"q{i}" for i in range(5)]


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    st.lists(
        st.tuples(st.sampled_from(["put", "receive", "ack", "wait"]), st.integers(1, 9)),
        max_size=25,
    )
)
def test_nothing_is_lost_and_nothing_out_twice(
    local: Queueing, steps: list[tuple[str, int]]
) -> None:
    """Whatever is done: what is out is not given again in time, and all is delivered at last."""
    name = f"s{len(local.store.names())}"
    made(local, name)
    arn = local.queue(name, name, DeadLetterConfiguration={"TargetType": "NONE"})
    sent, done = 0, set()
    out: dict[bytes, tuple[str, int]] = {}
    for what, n in steps:
        now = local.clock.now_ms()
        if what == "put":
            put(local, name, *(b"%d" % i for i in range(sent, sent + n)))
            sent += n
        elif what == "receive":
            for r in local.visible(arn, n, seconds=10):
                assert r.data not in done
                assert r.data not in out or out[r.data][1] <= now
                out[r.data] = (r.receipt, now + 10_000)
        elif what == "wait":
            local.clock.advance(n * 2_000)
        else:
            for data in list(out)[:n]:
                entry = [{"ReceiptHandle": out.pop(data)[0]}]
                response = local.call("AcknowledgeQueueRecords", QueueARN=arn, Entries=entry)
                assert response["Successful"] == entry
                done.add(data)
    local.clock.advance(60_000)
    rest = []
    while received := local.visible(arn):
        rest += [r.data for r in received]
    assert sorted([*rest, *done]) == sorted(b"%d" % i for i in range(sent))


def test_a_call_waits_for_a_record(endpoint: str, kinesis: Any, name: str) -> None:
    """Through two processes: whichever takes the record, whoever waits gets it, once."""
    kinesis.create_stream(StreamName=name, StreamModeDetails={"StreamMode": "ON_DEMAND"})
    arn = kinesis.create_queue(QueueName=name, StreamConfigurationList=[{"StreamARN": ARN + name}])[
        "QueueDescription"
    ]["QueueARN"]
    began = time.monotonic()
    assert kinesis.receive_queue_records(QueueARN=arn, WaitTimeSeconds=1)["QueueRecords"] == []
    assert time.monotonic() - began >= 0.9
    got: list[bytes] = []

    def wait() -> None:
        mine = client(endpoint)
        response = mine.receive_queue_records(QueueARN=arn, WaitTimeSeconds=20, Limit=1)
        got.extend(r["Data"] for r in response["QueueRecords"])
        entries = [{"ReceiptHandle": r["ReceiptHandle"]} for r in response["QueueRecords"]]
        assert mine.acknowledge_queue_records(QueueARN=arn, Entries=entries)["Failed"] == []
        mine.close()

    threads = [threading.Thread(target=wait) for _ in range(3)]
    for thread in threads:
        thread.start()
    time.sleep(0.1)
    for i in range(3):
        kinesis.put_record(StreamName=name, PartitionKey=str(i), Data=b"%d" % i)
    for thread in threads:
        thread.join(30)
    assert sorted(got) == [b"0", b"1", b"2"]
    with pytest.raises(ClientError, match="has queues or channels"):
        kinesis.delete_stream(StreamName=name)
    kinesis.delete_queue(QueueARN=arn)
    kinesis.delete_stream(StreamName=name)
