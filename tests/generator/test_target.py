"""Where records go: files, pipes, Kinesis endpoints that refuse, Kafka; only the taken counts."""

from __future__ import annotations

import gzip
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from endpoint import Answer, Endpoint, serving
from generator_kit import RunningClock

from eddyline.clock import SYSTEM
from eddyline.errors import EddylineError
from eddyline.generator.counters import SendResult
from eddyline.generator.job import Generator
from eddyline.generator.kinesis import KinesisStream, requests
from eddyline.generator.spec import GeneratorSpec
from eddyline.generator.target import LinesTarget, LocalStream, open_file, open_target
from eddyline.log import LogStore
from eddyline.settings import Settings

STOP = threading.Event()


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "any")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "any")
    monkeypatch.setenv("AWS_REGION", "us-east-1")


def batch(n: int, size: int = 10) -> tuple[Any, Any]:
    data = [str(k).encode().rjust(size, b".") for k in range(n)]
    return pa.array([f"k{k}" for k in range(n)]), pa.array(data, pa.binary())


def put(n: int, answer: Any, **options: Any) -> tuple[SendResult, Endpoint, list[bytes]]:
    keys, data = batch(n)
    with serving(answer) as (endpoint, url):
        stream = KinesisStream("s", url, clock=RunningClock(), **options)
        result = stream.send(keys, data, STOP)
        stream.close()
    return result, endpoint, data.to_pylist()


def test_a_batch_is_cut_by_both_limits() -> None:
    keys, data = batch(1201)
    assert list(requests(keys, data)) == [(0, 500), (500, 1000), (1000, 1201)]
    large = pa.array([b"x" * (4 * 2**20)] * 5, pa.binary())
    cut = list(requests(pa.array(["k"] * 5), large))
    assert cut == [(0, 2), (2, 4), (4, 5)]


def test_everything_taken_counts() -> None:
    result, endpoint, sent = put(1100, lambda e, r: e.store(r, set()))
    assert result == SendResult(1100)
    assert [len(r) for r in endpoint.requests] == [500, 500, 100]
    assert endpoint.taken == sent


def test_several_requests_at_once_keep_the_order_of_each_key() -> None:
    n, together = 4000, threading.Barrier(4, timeout=30)
    keys = pa.array([f"k{k % 7}" for k in range(n)])
    data = pa.array([f"{k % 7}:{k}".encode() for k in range(n)], pa.binary())
    lock = threading.Lock()

    def answer(endpoint: Endpoint, records: list[dict[str, Any]]) -> Answer:
        with lock:
            first = len(endpoint.requests) <= 4
        if first:  # four are on their way at the same time
            together.wait()
        with lock:
            return endpoint.store(records, set())

    with serving(answer) as (stub, url):
        stream = KinesisStream("s", url, clock=RunningClock(), lanes=4)
        result = stream.send(keys, data, STOP)
        stream.close()
    assert result == SendResult(n)
    assert sorted(stub.taken) == sorted(data.to_pylist())
    for key in range(7):
        places = [int(r[2:]) for r in stub.taken if r[:1] == str(key).encode()]
        assert places == list(range(key, n, 7))


def test_counters_of_requests_at_once_are_exact() -> None:
    lock = threading.Lock()

    def answer(endpoint: Endpoint, records: list[dict[str, Any]]) -> Answer:
        with lock:
            return endpoint.store(records, {0} if len(records) > 1 else set())

    result, stub, sent = put(1100, answer, lanes=4)
    assert (result.accepted, result.failed, result.retried) == (1100, 0, 4)
    assert "slow down" in str(result.error)
    assert sorted(stub.taken) == sorted(sent)


def test_refused_records_alone_are_sent_again() -> None:
    def answer(endpoint: Endpoint, records: list[dict[str, Any]]) -> Answer:
        return endpoint.store(records, {0, 7} if len(endpoint.requests) < 3 else set())

    result, stub, sent = put(100, answer)
    assert result.accepted == 100
    assert result.failed == 0
    assert result.retried == 3
    assert "slow down" in str(result.error)
    assert [len(r) for r in stub.requests] == [100, 2, 1]
    assert sorted(stub.taken) == sorted(sent)


def test_what_is_refused_for_ever_is_given_up() -> None:
    result, endpoint, _ = put(10, lambda e, r: e.store(r, {0}))
    assert (result.accepted, result.failed) == (9, 1)
    assert len(endpoint.requests) == 10
    assert "slow down" in str(result.error)


def test_a_request_without_an_answer_is_repeated_or_given_up() -> None:
    def answer(endpoint: Endpoint, records: list[dict[str, Any]]) -> Answer:
        return None if len(endpoint.requests) == 1 else endpoint.store(records, set())

    result, _, _ = put(10, answer)
    assert (result.accepted, result.retried) == (10, 10)
    result, stub, _ = put(10, answer, retries=False)
    assert (result.accepted, result.failed) == (0, 10)
    assert len(stub.requests) == 1


def test_an_error_of_the_whole_request_is_repeated() -> None:
    def answer(endpoint: Endpoint, records: list[dict[str, Any]]) -> Answer:
        if len(endpoint.requests) < 4:
            return 500, {"__type": "InternalFailure", "message": "not now"}
        return endpoint.store(records, set())

    result, _, _ = put(5, answer)
    assert (result.accepted, result.retried) == (5, 15)


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("ResourceNotFoundException", "not_found"),
        ("ExpiredTokenException", "access_denied"),
        ("ValidationException", "invalid_argument"),
    ],
)
def test_what_no_repetition_mends_ends_the_run(kind: str, code: str) -> None:
    with pytest.raises(EddylineError) as caught:
        put(5, lambda e, r: (400, {"__type": kind, "message": "no"}))
    assert caught.value.code == code
    assert kind in caught.value.message


def test_an_endpoint_that_is_not_there_is_told() -> None:
    keys, data = batch(3)
    stream = KinesisStream("s", "http://127.0.0.1:9", clock=RunningClock())
    result = stream.send(keys, data, STOP)
    assert (result.accepted, result.failed) == (0, 3)
    assert "Could not connect" in str(result.error)
    with pytest.raises(EddylineError, match="endpoint"):
        KinesisStream("s", "no address")


def test_credentials_are_needed_beyond_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(name, "/nowhere")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(EddylineError) as caught:
        KinesisStream("s", "https://kinesis.example.org")
    assert caught.value.code == "access_denied"


def generated(target: str, n: int, **options: Any) -> Any:
    spec = GeneratorSpec("{{sequence.next}}", target, rate=None, total=n, **options)
    opened = open_target(spec)
    counters = Generator(spec, opened).run(STOP)
    opened.close()
    return counters


@pytest.mark.parametrize("name", ["a.ndjson", "a.ndjson.gz"])
def test_a_file_holds_every_record_once(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    assert generated(f"file:{path}", 25_000).accepted == 25_000
    data = gzip.decompress(path.read_bytes()) if name.endswith("gz") else path.read_bytes()
    assert data == b"".join(b"%d\n" % k for k in range(1, 25_001))


def test_a_file_that_cannot_be_is_told(tmp_path: Path) -> None:
    with pytest.raises(EddylineError) as caught:
        open_file(str(tmp_path / "no" / "a"))
    assert caught.value.code == "not_found"
    with pytest.raises(EddylineError) as caught:
        open_file(str(tmp_path))
    assert caught.value.code == "access_denied"
    with Path("/dev/full").open("wb", buffering=0) as full:
        lines = LinesTarget(full, owned=False)
        with pytest.raises(EddylineError) as caught:
            lines.send(*batch(2), STOP)
    assert caught.value.code == "disk_full"


def test_a_local_stream_holds_every_record_in_order(tmp_path: Path) -> None:
    store = LogStore(tmp_path, Settings(data_dir=tmp_path), SYSTEM)
    try:
        stream = store.create("s", 1)
        spec = GeneratorSpec("{{sequence.next}}", "stream:s", rate=None, total=45_000)
        counters = Generator(spec, LocalStream(stream)).run(STOP)
        assert counters.accepted == counters.sent == 45_000
        assert stream.counters().records_total == 45_000
    finally:
        store.close()


def test_a_record_above_the_streams_limit_is_given_up(tmp_path: Path) -> None:
    store = LogStore(tmp_path, Settings(data_dir=tmp_path), SYSTEM)
    try:
        stream = store.create("s", 1)
        target = LocalStream(stream)
        keys = pa.array(["a", "b", "c"])
        data = pa.array([b"x" * 2**20, b"y" * (2**20 + 1), b"z"], pa.binary())
        result = target.send(keys, data, STOP)
        assert (result.accepted, result.failed) == (2, 1)
        assert "UpdateMaxRecordSize" in str(result.error)
        stream.update(lambda info: {"attributes": {**info.attributes, "max_record_kib": 2048}})
        assert target.send(keys, data, STOP) == SendResult(3)
        assert stream.counters().records_total == 5
        alone = target.send(pa.array(["k"]), pa.array([b"y" * 2**22], pa.binary()), STOP)
        assert (alone.accepted, alone.failed) == (0, 1)
    finally:
        store.close()


def test_a_stream_that_is_not_there_is_told(tmp_path: Path) -> None:
    store = LogStore(tmp_path, Settings(data_dir=tmp_path), SYSTEM)
    try:
        with pytest.raises(EddylineError) as caught:
            open_target(GeneratorSpec("a", "stream:s"), lambda: store)
        assert caught.value.code == "not_found"
        assert "stream create s" in str(caught.value.hint)
    finally:
        store.close()


def test_kafka_takes_records_and_tells_of_failures() -> None:
    pytest.importorskip("confluent_kafka", reason="the extra kafka is not installed")
    from eddyline.generator.kafka import KafkaTopic

    # librdkafka's own broker, in the same process, over real sockets.
    topic = KafkaTopic("t", options={"test.mock.num.brokers": 1, "bootstrap.servers": ""})
    assert topic.send(*batch(5000), STOP) == SendResult(5000)
    topic.close()
    lost = KafkaTopic("t", "127.0.0.1:9", options={"message.timeout.ms": 500})
    result = lost.send(*batch(3), STOP)
    assert (result.accepted, result.failed) == (0, 3)
    assert result.error


def test_kafka_without_its_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "confluent_kafka", None)
    with pytest.raises(EddylineError) as caught:
        open_target(GeneratorSpec("a", "kafka:t"))
    assert caught.value.code == "platform"
    assert "eddyline[kafka]" in str(caught.value.hint)


def test_sizes_are_counted() -> None:
    assert generated("file:/dev/null", 9).bytes == 9
    assert np.isclose(generated("file:/dev/null", 9).elapsed_s, 0, atol=30)
