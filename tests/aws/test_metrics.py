"""``/metrics``: a page that Prometheus reads, and figures that are what went in and out."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

from tests.aws.conftest import raw, shard
from tests.aws.kinesis.test_subscribe import ARN, Subscription, put

HEAD = re.compile(r"# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+)")
LABEL = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*"'
SAMPLE = re.compile(rf"([a-zA-Z_:][a-zA-Z0-9_:]*)(\{{{LABEL}(?:,{LABEL})*\}})? (\S+)")
PARTS = ("_bucket", "_sum", "_count")


def read(endpoint: str) -> dict[str, float]:
    """The page's samples by name and labels, read as strictly as the format is written.

    Each family has its help and type before its samples, all of them together, none twice.
    """
    response = raw(endpoint, b"", {}, "GET", "/metrics")
    assert response.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    text = response.body.decode()
    assert text.endswith("\n")
    kinds: dict[str, str] = {}
    samples: dict[str, float] = {}
    family, helped = "", ""
    for line in text.splitlines():
        if head := HEAD.fullmatch(line):
            what, name, rest = head.groups()
            if what == "HELP":
                assert name not in kinds, "each family once"
                helped = name
            else:
                assert name == helped
                assert rest in ("counter", "gauge", "histogram")
                family, kinds[name] = name, rest
            continue
        sample = SAMPLE.fullmatch(line)
        assert sample is not None, line
        name = sample[1]
        if kinds[family] == "histogram":
            name = next(name.removesuffix(p) for p in PARTS if name.endswith(p))
        assert name == family, line
        key = sample[1] + (sample[2] or "")
        assert key not in samples, line
        samples[key] = float(sample[3])
        if kinds[family] == "counter":
            assert name.endswith("_total")
    return samples


def of_shard(samples: dict[str, float], name: str, stream: str) -> float:
    return samples.get(f'{name}{{stream="{stream}",shard="{shard(0)}"}}', 0)


def until(endpoint: str, holds: Callable[[dict[str, float]], bool]) -> dict[str, float]:
    """The page, once it is so: another process' figures come once a second."""
    end = time.monotonic() + 20
    while not holds(page := read(endpoint)):
        assert time.monotonic() < end, page
        time.sleep(0.2)
    return page


def test_the_page_is_read_and_histograms_add_up(endpoint: str, kinesis: Any) -> None:
    kinesis.list_streams()
    name = 'eddyline_request_seconds_count{operation="ListStreams"}'
    samples = until(endpoint, lambda page: name in page)
    count = samples[name]
    buckets = [
        n
        for k, n in samples.items()
        if k.startswith('eddyline_request_seconds_bucket{operation="ListStreams",')
    ]
    assert buckets == sorted(buckets)
    assert buckets[-1] == count
    answers = [
        n
        for k, n in samples.items()
        if k.startswith('eddyline_requests_total{operation="ListStreams"')
    ]
    assert sum(answers) == count > 0


def test_what_goes_out_is_counted_also_when_pushed(
    endpoint: str, kinesis: Any, stream: str
) -> None:
    for _ in range(5):
        put(kinesis, stream, b"four")
    it = kinesis.get_shard_iterator(
        StreamName=stream, ShardId=shard(0), ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    kinesis.get_records(ShardIterator=it)
    response = kinesis.register_stream_consumer(StreamARN=ARN + stream, ConsumerName="m")
    arn = response["Consumer"]["ConsumerARN"]
    subscription = Subscription(endpoint, arn)
    subscription.until(lambda: len(subscription.data) == 5)
    name = "kinesis_outgoing_records_total"
    page = until(endpoint, lambda page: of_shard(page, name, stream) == 10)
    assert of_shard(page, "kinesis_incoming_records_total", stream) == 5
    assert of_shard(page, "kinesis_outgoing_bytes_total", stream) == 2 * 5 * len(b"kfour")
    assert of_shard(page, "kinesis_iterator_age_milliseconds", stream) == 0
    subscription.close()
    kinesis.deregister_stream_consumer(ConsumerARN=arn)


def test_the_choice_of_enhanced_monitoring_is_shown(
    endpoint: str, kinesis: Any, stream: str
) -> None:
    key = f'kinesis_enhanced_monitoring{{stream="{stream}",metric="IncomingBytes"}}'
    assert key not in read(endpoint)
    names = ["IncomingBytes", "OutgoingBytes"]
    kinesis.enable_enhanced_monitoring(StreamName=stream, ShardLevelMetrics=names)
    assert read(endpoint)[key] == 1
    kinesis.disable_enhanced_monitoring(StreamName=stream, ShardLevelMetrics=["ALL"])
    assert key not in read(endpoint)
