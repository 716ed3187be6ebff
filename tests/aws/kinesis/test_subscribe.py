"""SubscribeToShard: pushed, resumed, taken over, and told of the shard's children; both HTTPs."""

from __future__ import annotations

import json
import statistics
import struct
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from botocore.exceptions import ClientError, EventStreamError

from tests.aws.conftest import ANYBODY, TARGET, client, shard

ARN = "arn:aws:kinesis:us-east-1:000000000000:stream/"
FIRST = {"Type": "TRIM_HORIZON"}


@pytest.fixture
def consumer(kinesis: Any, stream: str) -> Iterator[str]:
    response = kinesis.register_stream_consumer(StreamARN=ARN + stream, ConsumerName="c")
    arn = response["Consumer"]["ConsumerARN"]
    yield arn
    kinesis.deregister_stream_consumer(ConsumerARN=arn)


class Subscription:
    """A subscription read by a thread of its own."""

    def __init__(self, endpoint: str, arn: str, index: int = 0, start: Any = FIRST) -> None:
        self._client = client(endpoint)
        given = {"ConsumerARN": arn, "ShardId": shard(index), "StartingPosition": start}
        try:
            self._events = self._client.subscribe_to_shard(**given)["EventStream"]
        except ClientError:
            self._client.close()
            raise
        self.events: list[dict[str, Any]] = []
        self.at: list[float] = []
        self.error: Exception | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            for event in self._events:
                self.at.append(time.perf_counter())
                self.events.append(event["SubscribeToShardEvent"])
        except EventStreamError as error:
            self.error = error
        except Exception as error:  # closed by the test
            self.error = self.error or error

    @property
    def data(self) -> list[bytes]:
        return [r["Data"] for e in list(self.events) for r in e["Records"]]

    def until(self, holds: Any, seconds: float = 20) -> None:
        end = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < end, (self.events[-1:], self.error)
            time.sleep(0.002)

    def join(self, seconds: float = 20) -> None:
        self._thread.join(seconds)
        assert not self._thread.is_alive()
        self._events.close()
        self._client.close()

    def close(self) -> None:
        """Hang up, also under the thread that reads."""
        self._events._raw_stream.shutdown()
        self.join()


def put(kinesis: Any, name: str, data: bytes, hash_key: str = "0") -> str:
    response = kinesis.put_record(
        StreamName=name, Data=data, PartitionKey="k", ExplicitHashKey=hash_key
    )
    return str(response["SequenceNumber"])


def test_records_are_pushed_in_order(
    endpoint: str, kinesis: Any, stream: str, consumer: str
) -> None:
    put(kinesis, stream, b"before")
    subscription = Subscription(endpoint, consumer)
    subscription.until(lambda: subscription.data == [b"before"])
    numbers = [put(kinesis, stream, b"%d" % i) for i in range(20)]
    put(kinesis, stream, b"elsewhere", str(2**128 - 1))
    subscription.until(lambda: len(subscription.data) == 21)
    assert subscription.data[1:] == [b"%d" % i for i in range(20)]
    records = [r for e in subscription.events for r in e["Records"]]
    assert [r["SequenceNumber"] for r in records[1:]] == numbers
    assert subscription.events[-1]["ContinuationSequenceNumber"] == numbers[-1]
    assert subscription.events[-1]["MillisBehindLatest"] == 0
    assert {r["PartitionKey"] for r in records} == {"k"}
    subscription.close()


def test_pushed_at_once(endpoint: str, kinesis: Any, stream: str, consumer: str) -> None:
    """Whichever process took the record; a busy machine may make some of them late."""
    subscription = Subscription(endpoint, consumer, start={"Type": "LATEST"})
    subscription.until(lambda: subscription.events)
    delays = []
    for i in range(40):
        n = len(subscription.data)
        put(kinesis, stream, b"%d" % i)
        done = time.perf_counter()
        subscription.until(lambda: len(subscription.data) > n)  # noqa: B023
        delays.append(subscription.at[-1] - done)
    assert statistics.median(delays) < 0.05
    subscription.close()


def test_a_quiet_shard_is_told_of(endpoint: str, kinesis: Any, stream: str, consumer: str) -> None:
    subscription = Subscription(endpoint, consumer)
    subscription.until(lambda: len(subscription.events) == 2, 15)
    assert subscription.at[1] - subscription.at[0] < 5.5
    assert [e["Records"] for e in subscription.events] == [[], []]
    numbers = {e["ContinuationSequenceNumber"] for e in subscription.events}
    subscription.close()
    (number,) = numbers
    (info, *_) = kinesis.list_shards(StreamName=stream)["Shards"]
    first = put(kinesis, stream, b"first")
    assert len(number) == len(first) == 56
    assert int(number) < int(info["SequenceNumberRange"]["StartingSequenceNumber"]) <= int(first)
    for kind in ("AFTER_SEQUENCE_NUMBER", "AT_SEQUENCE_NUMBER"):
        start = {"Type": kind, "SequenceNumber": number}
        again = subscribed_again(endpoint, consumer, start)
        again.until(lambda: again.data == [b"first"])  # noqa: B023
        again.close()


def test_going_on_where_another_ended(
    endpoint: str, kinesis: Any, stream: str, consumer: str
) -> None:
    put(kinesis, stream, b"a")
    subscription = Subscription(endpoint, consumer)
    subscription.until(lambda: subscription.data == [b"a"])
    number = subscription.events[-1]["ContinuationSequenceNumber"]
    subscription.close()
    put(kinesis, stream, b"b")
    start = {"Type": "AFTER_SEQUENCE_NUMBER", "SequenceNumber": number}
    again = subscribed_again(endpoint, consumer, start)
    again.until(lambda: again.data == [b"b"])
    again.close()


def subscribed_again(endpoint: str, arn: str, start: Any) -> Subscription:
    """As soon as the connection before is known to have ended."""
    end = time.monotonic() + 20
    while True:
        try:
            return Subscription(endpoint, arn, start=start)
        except ClientError as error:
            if "Another active subscription" not in str(error) or time.monotonic() > end:
                raise
            time.sleep(0.1)


def test_a_second_one_waits_five_seconds_then_takes_over(
    endpoint: str, kinesis: Any, stream: str, consumer: str
) -> None:
    began = time.monotonic()
    first = Subscription(endpoint, consumer)
    first.until(lambda: first.events)
    with pytest.raises(ClientError, match="Another active subscription"):
        Subscription(endpoint, consumer)
    other = Subscription(endpoint, consumer, 1)
    second = subscribed_again(endpoint, consumer, FIRST)
    assert time.monotonic() - began > 4.5
    first.join()
    assert isinstance(first.error, EventStreamError)
    assert "ResourceInUseException" in str(first.error)
    put(kinesis, stream, b"x")
    second.until(lambda: second.data == [b"x"])
    assert first.data == []
    second.close()
    other.close()


def test_the_end_of_a_shard(endpoint: str, kinesis: Any, stream: str, consumer: str) -> None:
    put(kinesis, stream, b"a")
    subscription = Subscription(endpoint, consumer)
    subscription.until(lambda: subscription.data == [b"a"])
    kinesis.split_shard(StreamName=stream, ShardToSplit=shard(0), NewStartingHashKey="5")
    subscription.join()
    assert subscription.error is None
    last = subscription.events[-1]
    assert [c["ShardId"] for c in last["ChildShards"]] == [shard(2), shard(3)]
    assert all(c["ParentShards"] == [shard(0)] for c in last["ChildShards"])
    assert "ContinuationSequenceNumber" not in last
    again = subscribed_again(endpoint, consumer, FIRST)
    again.join()
    assert again.data == [b"a"]
    assert len(again.events[-1]["ChildShards"]) == 2


def test_a_consumer_that_goes_ends_its_subscriptions(
    endpoint: str, kinesis: Any, stream: str
) -> None:
    response = kinesis.register_stream_consumer(StreamARN=ARN + stream, ConsumerName="gone")
    arn = response["Consumer"]["ConsumerARN"]
    subscription = Subscription(endpoint, arn)
    subscription.until(lambda: subscription.events)
    kinesis.deregister_stream_consumer(ConsumerARN=arn)
    subscription.join()
    assert "ResourceNotFoundException" in str(subscription.error)


def test_what_is_refused(kinesis: Any, stream: str, consumer: str) -> None:
    def code(**members: Any) -> str:
        given = {"ConsumerARN": consumer, "ShardId": shard(0), "StartingPosition": FIRST}
        with pytest.raises(ClientError) as caught:
            kinesis.subscribe_to_shard(**{**given, **members})
        return str(caught.value.response["Error"]["Code"])

    assert code(ShardId=shard(7)) == "ResourceNotFoundException"
    assert code(ConsumerARN=consumer[:-2] + "00") == "ResourceNotFoundException"
    assert code(StartingPosition={"Type": "AT_SEQUENCE_NUMBER"}) == "InvalidArgumentException"
    assert code(DryRun=True) == "DryRunOperationException"


def frames(raw: bytes) -> tuple[list[tuple[dict[str, str], bytes]], bytes]:
    """Whole frames (headers, payload), and what is left."""
    frames_ = []
    while len(raw) >= 12:
        total, headers_length = struct.unpack(">II", raw[:8])
        if len(raw) < total:
            break
        headers, at = {}, 12
        while at < 12 + headers_length:
            n = raw[at]
            name = raw[at + 1 : at + 1 + n].decode()
            (size,) = struct.unpack(">H", raw[at + 2 + n : at + 4 + n])
            headers[name] = raw[at + 4 + n : at + 4 + n + size].decode()
            at += 4 + n + size
        frames_.append((headers, raw[12 + headers_length : total - 4]))
        raw = raw[total:]
    return frames_, raw


@pytest.mark.parametrize("http2", [False, True])
def test_the_first_frame_is_the_initial_response(
    endpoint: str, kinesis: Any, stream: str, consumer: str, http2: bool
) -> None:
    """HTTP/1.1, and HTTP/2 by prior knowledge in clear text."""
    put(kinesis, stream, b"x")
    body = {"ConsumerARN": consumer, "ShardId": shard(0), "StartingPosition": FIRST}
    headers = {
        "Content-Type": "application/x-amz-json-1.1",
        "X-Amz-Target": TARGET + "SubscribeToShard",
        "Authorization": ANYBODY,
        "X-Amz-Date": "20261125T120000Z",
    }
    got: list[tuple[dict[str, str], bytes]] = []
    with (
        httpx.Client(http1=not http2, http2=http2, timeout=20) as http,
        http.stream("POST", endpoint, content=json.dumps(body), headers=headers) as answer,
    ):
        assert answer.http_version == ("HTTP/2" if http2 else "HTTP/1.1")
        assert answer.headers["content-type"] == "application/vnd.amazon.eventstream"
        rest = b""
        for piece in answer.iter_raw():
            more, rest = frames(rest + piece)
            got += more
            if len(got) >= 2:
                break
    assert got[0][0][":event-type"] == "initial-response"
    assert got[1][0][":event-type"] == "SubscribeToShardEvent"
    (record,) = json.loads(got[1][1])["Records"]
    assert record["Data"] == "eA=="
