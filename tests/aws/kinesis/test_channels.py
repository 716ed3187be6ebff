"""Channels: what a stream is given ends up in a bucket, once, under names that tell what is in."""

from __future__ import annotations

import gzip
import http.server
import json
import threading
import time
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eddyline.aws.errors import AwsError
from eddyline.aws.kinesis.channels.delivery import worker
from eddyline.aws.kinesis.channels.key import object_key, unknown_fields
from eddyline.log import PutBatch
from tests.aws.local_kit import Local

ARN = "arn:aws:kinesis:us-east-1:000000000000:stream/"
ROLE = "arn:aws:iam::000000000000:role/deliver"
OWNER = {"BucketARN": "arn:aws:s3:::lake", "ExpectedBucketOwner": "000000000000"}


@pytest.fixture
def local(tmp_path: Path) -> Iterator[Local]:
    service = Local(tmp_path)
    service.call("CreateStream", StreamName="s", StreamModeDetails={"StreamMode": "ON_DEMAND"})
    yield service
    service.store.close()


def create(local: Local, name: str = "c", form: str = "JSON", **storage: Any) -> str:
    more = {k: storage.pop(k) for k in ("DataFreshnessInSeconds",) if k in storage}
    response = local.call(
        "CreateChannel",
        ChannelName=name,
        ServiceExecutionRoleARN=ROLE,
        StreamConfigurationList=[
            {"StreamARN": ARN + "s", "RecordConfiguration": {"RecordFormatType": form}}
        ],
        S3DestinationConfiguration={
            "StorageConfiguration": {**OWNER, "CompressionType": "NONE", **storage},
            **more,
        },
    )
    return str(response["ChannelDescription"]["ChannelARN"])


def put(local: Local, *data: bytes) -> None:
    batch = PutBatch([str(i) for i in range(len(data))], list(data))
    local.store.open("s").put(batch).result()


def delivered(local: Local, bucket: str = "lake") -> dict[str, bytes]:
    root = local.settings.data_dir / "buckets" / bucket
    files = (p for p in root.rglob("*") if p.is_file())
    return {str(p.relative_to(root)): p.read_bytes() for p in files}


def test_records_are_delivered_once_they_are_old_enough(local: Local) -> None:
    put(local, b'{"before":1}')
    create(local, DataFreshnessInSeconds=60)
    work = worker(local.context)
    put(local, *(b'{"n":%d}' % i for i in range(20)))
    local.clock.advance(59_000)
    assert work.step() == 0
    local.clock.advance(1_000)
    assert work.step() > 0
    records = delivered(local)
    rows = sorted(json.loads(line)["n"] for body in records.values() for line in body.splitlines())
    assert rows == list(range(20))
    assert all(k.startswith("c/20") and k.endswith(".json") for k in records)
    assert work.step() == 0
    again = worker(local.context)
    put(local, b'{"n":20}')
    local.clock.advance(60_000)
    assert again.step() == 1
    assert len(delivered(local)) == len(records) + 1


def test_an_object_that_was_stored_but_not_noted_is_stored_again_under_its_name(
    local: Local, monkeypatch: pytest.MonkeyPatch
) -> None:
    create(local, DataFreshnessInSeconds=0)
    put(local, b"1")
    work = worker(local.context)
    with monkeypatch.context() as died:
        died.setattr(type(work._source), "advance", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            work.step()
    before = delivered(local)
    assert len(before) == 1
    assert worker(local.context).step() == 1
    assert delivered(local) == before


def test_what_has_not_the_format_is_set_aside(local: Local) -> None:
    create(local, DataFreshnessInSeconds=0)
    put(local, b'{"a":\n1}', b"{", b"\xff")
    worker(local.context).step()
    records = delivered(local)
    good = b"".join(v for k, v in records.items() if not k.startswith("error/"))
    assert good == b'{"a":1}\n'
    bad = [
        json.loads(line)
        for k, v in records.items()
        if k.startswith("error/")
        for line in v.splitlines()
    ]
    assert sorted(b64decode(b["rawData"]) for b in bad) == [b"{", b"\xff"]
    assert all("no JSON" in b["errorMessage"] and len(b["sequenceNumber"]) == 56 for b in bad)


@pytest.mark.parametrize(
    ("form", "kind", "ending", "expected"),
    [
        ("STRING", "GZIP", ".txt.gz", b"one\n"),
        ("BYTE_ARRAY", "ZSTD", ".bin.zst", b"one"),
        ("STRING", "NONE", ".txt", b"one\n"),
    ],
)
def test_formats_and_compressions(
    local: Local, form: str, kind: str, ending: str, expected: bytes
) -> None:
    create(local, form=form, CompressionType=kind, DataFreshnessInSeconds=0)
    put(local, b"one")
    worker(local.context).step()
    ((key, body),) = delivered(local).items()
    assert key.endswith(ending)
    if kind == "GZIP":
        body = gzip.decompress(body)
    if kind == "ZSTD":
        body = pa.decompress(body, len(expected), codec="zstd", asbytes=True)
    assert body == expected


def test_a_closed_shard_is_delivered_to_its_end(local: Local) -> None:
    create(local, DataFreshnessInSeconds=3600)
    put(local, b"1", b"2", b"3")
    assert worker(local.context).step() == 0
    local.store.open("s").scale(8)
    worker(local.context).step()
    assert sorted(b"".join(delivered(local).values()).split()) == [b"1", b"2", b"3"]


def test_life_of_a_channel(local: Local) -> None:
    arn = create(local)
    response = local.call("DescribeChannel", ChannelARN=arn)["ChannelDescription"]
    assert response["ChannelStatus"] == "ACTIVE"
    destination = response["S3DestinationConfiguration"]
    assert destination["DataFreshnessInSeconds"] == 300
    assert destination["DeadLetterQueueS3Configuration"] == {**OWNER, "ErrorOutputPrefix": "error/"}
    assert destination["StorageConfiguration"]["OutputKeyTemplate"]
    assert response["LoggingConfiguration"] == {"CloudWatchLogs": {"Enabled": False}}
    summary = local.call("DescribeStreamSummary", StreamName="s")["StreamDescriptionSummary"]
    assert summary["ChannelCount"] == 1
    assert local.call("DescribeLimits")["ChannelCount"] == 1
    update = {"DataFreshnessInSeconds": 5}
    response = local.call("UpdateChannel", ChannelARN=arn, S3DestinationConfiguration=update)
    assert (
        response["ChannelDescription"]["S3DestinationConfiguration"]["DataFreshnessInSeconds"] == 5
    )
    with pytest.raises(AwsError, match="queues or channels"):
        local.call("DeleteStream", StreamName="s")
    local.call("TagResource", ResourceARN=arn, Tags={"a": "b"})
    create(local, "d")
    page = local.call("ListChannels", MaxResults=1)
    assert [c["ChannelName"] for c in page["ChannelSummaries"]] == ["c"]
    rest = local.call("ListChannels", NextToken=page["NextToken"])
    (other,) = rest["ChannelSummaries"]
    assert (other["ChannelName"], other["ChannelDestinationType"]) == ("d", "S3")
    assert other["Streams"][0]["StreamARN"] == ARN + "s"
    for each in (arn, other["ChannelARN"]):
        local.call("DeleteChannel", ChannelARN=each)
    with pytest.raises(AwsError, match="not found"):
        local.call("DescribeChannel", ChannelARN=arn)
    local.call("DeleteStream", StreamName="s")


def test_what_is_refused(local: Local) -> None:
    def refused(**members: Any) -> str:
        with pytest.raises(AwsError) as caught:
            create(local, **members)
        assert caught.value.name == "ValidationException"
        return caught.value.message

    assert "unknown fields: page" in refused(OutputKeyTemplate="a/{page}/")
    assert "from 0 to" in refused(DataFreshnessInSeconds=-1)
    assert "not supported" in refused(form="GSR_JSON")
    create(local)
    with pytest.raises(AwsError, match="already exists"):
        create(local)


def test_an_unusable_bucket_is_told_and_left_behind(local: Local, tmp_path: Path) -> None:
    arn = create(local, DataFreshnessInSeconds=0)
    put(local, b"1")
    (tmp_path / "buckets").write_text("in the way")
    work = worker(local.context)
    work.step()
    response = local.call("DescribeChannel", ChannelARN=arn)["ChannelDescription"]
    assert response["ChannelStatus"] == "FAILED"
    assert "cannot be written" in response["ChannelStatusReason"]
    (tmp_path / "buckets").unlink()
    assert work.step() == 0, "it rests"
    local.clock.advance(3_000)
    assert work.step() == 1
    response = local.call("DescribeChannel", ChannelARN=arn)["ChannelDescription"]
    assert response["ChannelStatus"] == "ACTIVE"


@given(
    st.text(st.sampled_from("ab/{}-"), max_size=12), st.integers(0, 2**41), st.integers(0, 2**60)
)
@settings(max_examples=80)
def test_keys_are_never_shared(template: str, at: int, offset: int) -> None:
    if unknown_fields(template):
        return
    keys = {
        object_key(template, "c", "s", shard, at, n)
        for shard in ("shardId-000000000000", "shardId-000000000001")
        for n in (offset, offset + 1)
    }
    assert len(keys) == 4


def test_a_key_of_each_field() -> None:
    template = "{channel}/{stream}/{year}-{month}-{day}T{hour}:{minute}/x"
    key = object_key(template, "c", "s", "shardId-000000000001", 86_399_999, 7)
    assert key == "c/s/1970-01-01T23:59/x-shardId-000000000001-00000000000000000007"


class Store(http.server.BaseHTTPRequestHandler):
    """As much of S3 as a PUT of an object is."""

    objects: dict[str, bytes] = {}  # noqa: RUF012

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        signed = self.headers.get("Authorization", "").startswith("AWS4-HMAC-SHA256")
        self.objects[self.path.partition("?")[0]] = body
        self.send_response(200 if signed else 403)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


def test_delivery_to_an_s3_endpoint(started: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Through a running server: created, written to, and found in the bucket."""
    from tests.aws.conftest import client

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Store)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "any")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "key")
    try:
        endpoint = started(s3_endpoint=f"http://127.0.0.1:{server.server_port}")
        mine = client(endpoint)
        mine.create_stream(StreamName="s", StreamModeDetails={"StreamMode": "ON_DEMAND"})
        mine.create_channel(
            ChannelName="c",
            ServiceExecutionRoleARN=ROLE,
            StreamConfigurationList=[
                {"StreamARN": ARN + "s", "RecordConfiguration": {"RecordFormatType": "STRING"}}
            ],
            S3DestinationConfiguration={
                "DataFreshnessInSeconds": 0,
                "StorageConfiguration": {**OWNER, "CompressionType": "NONE"},
            },
        )
        mine.put_record(StreamName="s", PartitionKey="k", Data=b"hello")
        end = time.monotonic() + 30
        while not Store.objects and time.monotonic() < end:
            time.sleep(0.05)
        ((path, body),) = Store.objects.items()
        assert path.startswith("/lake/c/20")
        assert b"hello\n" in body
        mine.close()
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
