"""Split, merge and scale through boto3: lineage, data, limits, and what ListShards shows."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from eddyline.aws.errors import AwsError
from eddyline.aws.kinesis.streams.resharding import DAY_MS
from tests.aws.conftest import call, read_all, refused, shard
from tests.aws.local_kit import Local


def shards(kinesis: Any, name: str, **request: Any) -> list[dict[str, Any]]:
    given = {"ShardFilter": request} if request else {}
    return list(kinesis.list_shards(StreamName=name, **given)["Shards"])


def ids(shards_: list[dict[str, Any]]) -> list[int]:
    return [int(s["ShardId"][8:]) for s in shards_]


def put(kinesis: Any, name: str, *keys: str) -> list[str]:
    records = [{"Data": k.encode(), "PartitionKey": k} for k in keys]
    done = kinesis.put_records(StreamName=name, Records=records)
    assert done["FailedRecordCount"] == 0
    return [r["ShardId"] for r in done["Records"]]


def test_a_split(kinesis: Any, stream: str) -> None:
    put(kinesis, stream, *"abcdefgh")
    before = [r["Data"] for i in (0, 1) for r in read_all(kinesis, stream, i)]
    assert sorted(before) == [c.encode() for c in "abcdefgh"]
    middle = str(2**126)
    kinesis.split_shard(StreamName=stream, ShardToSplit=shard(0), NewStartingHashKey=middle)
    listed = shards(kinesis, stream)
    assert ids(listed) == [0, 1, 2, 3]
    assert "EndingSequenceNumber" in listed[0]["SequenceNumberRange"]
    assert [s.get("ParentShardId") for s in listed] == [None, None, shard(0), shard(0)]
    assert listed[3]["HashKeyRange"]["StartingHashKey"] == middle
    assert int(listed[2]["SequenceNumberRange"]["StartingSequenceNumber"]) > int(
        listed[0]["SequenceNumberRange"]["EndingSequenceNumber"]
    )
    assert shard(0) not in put(kinesis, stream, *"abcdefgh")
    again = [r["Data"] for i in (0, 1) for r in read_all(kinesis, stream, i)]
    assert again[: len(before) // 2] == before[: len(before) // 2]
    assert ids(shards(kinesis, stream, Type="AT_LATEST")) == [1, 2, 3]
    summary = kinesis.describe_stream_summary(StreamName=stream)["StreamDescriptionSummary"]
    assert summary["OpenShardCount"] == 3


def test_the_end_of_a_shard_is_told_with_its_children(kinesis: Any, stream: str) -> None:
    put(kinesis, stream, *"abcdef")
    kinesis.merge_shards(StreamName=stream, ShardToMerge=shard(1), AdjacentShardToMerge=shard(0))
    listed = shards(kinesis, stream)
    assert (listed[2]["ParentShardId"], listed[2]["AdjacentParentShardId"]) == (shard(1), shard(0))
    it = kinesis.get_shard_iterator(
        StreamName=stream, ShardId=shard(0), ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    page = kinesis.get_records(ShardIterator=it)
    assert page["Records"]
    assert "NextShardIterator" not in page
    (child,) = page["ChildShards"]
    assert child["ShardId"] == shard(2)
    assert sorted(child["ParentShards"]) == [shard(0), shard(1)]
    assert child["HashKeyRange"] == {"StartingHashKey": "0", "EndingHashKey": str(2**128 - 1)}


def test_what_cannot_be_split_or_merged(kinesis: Any, stream: str, name: str) -> None:
    split = {"StreamName": stream, "ShardToSplit": shard(0)}
    for key in ("0", str(2**127)):
        code, words = refused(kinesis, "split_shard", **split, NewStartingHashKey=key)
        assert code == "InvalidArgumentException"
        assert key in words
    code, _ = refused(
        kinesis, "split_shard", StreamName=stream, ShardToSplit=shard(9), NewStartingHashKey="5"
    )
    assert code == "ResourceNotFoundException"
    kinesis.split_shard(**split, NewStartingHashKey="5")
    code, words = refused(kinesis, "split_shard", **split, NewStartingHashKey="3")
    assert code == "ResourceInUseException"
    assert "already been merged or split" in words
    merge = {"StreamName": stream, "ShardToMerge": shard(2)}
    code, words = refused(kinesis, "merge_shards", **merge, AdjacentShardToMerge=shard(1))
    assert code == "InvalidArgumentException"
    assert "not an adjacent pair" in words
    assert refused(kinesis, "merge_shards", **merge, AdjacentShardToMerge=shard(2))[0] == (
        "InvalidArgumentException"
    )


def test_an_on_demand_stream_has_no_shards_to_touch(kinesis: Any, name: str) -> None:
    kinesis.create_stream(StreamName=name, StreamModeDetails={"StreamMode": "ON_DEMAND"})
    for operation, members in (
        ("split_shard", {"ShardToSplit": shard(0), "NewStartingHashKey": "5"}),
        ("merge_shards", {"ShardToMerge": shard(0), "AdjacentShardToMerge": shard(1)}),
        ("update_shard_count", {"TargetShardCount": 8, "ScalingType": "UNIFORM_SCALING"}),
    ):
        code, words = refused(kinesis, operation, StreamName=name, **members)
        assert code == "ValidationException"
        assert "ON_DEMAND" in words
    kinesis.delete_stream(StreamName=name)


def test_scaling_and_its_limits(kinesis: Any, stream: str) -> None:
    put(kinesis, stream, *"abcdefghij")

    def scale(count: int) -> Any:
        return kinesis.update_shard_count(
            StreamName=stream, TargetShardCount=count, ScalingType="UNIFORM_SCALING"
        )

    response = scale(4)
    assert (response["CurrentShardCount"], response["TargetShardCount"]) == (2, 4)
    for wrong in (9, 1):
        code, words = refused(
            kinesis,
            "update_shard_count",
            StreamName=stream,
            TargetShardCount=wrong,
            ScalingType="UNIFORM_SCALING",
        )
        assert code == "InvalidArgumentException"
        assert "4 open shards" in words
    for count in (3, 2, 3, 5, 4, 4, 2, 1, 2):
        scale(count)
    listed = shards(kinesis, stream)
    data = sorted(r["Data"] for i in ids(listed) for r in read_all(kinesis, stream, i))
    assert data == [c.encode() for c in "abcdefghij"]
    for count in (1, 2, 1):  # more than ten in a day, which only a throttled server counts
        scale(count)


def test_ten_scalings_a_day_where_limits_are_kept(tmp_path: Path) -> None:
    local = Local(tmp_path, throttle=True)
    local.call("CreateStream", StreamName="s", ShardCount=1)

    def scale(count: int) -> Any:
        members = {"TargetShardCount": count, "ScalingType": "UNIFORM_SCALING"}
        return local.call("UpdateShardCount", StreamName="s", **members)

    for n in range(10):
        scale(2 - n % 2)
    scale(1)  # no change, and not counted
    with pytest.raises(AwsError, match="within 24 hours") as caught:
        scale(2)
    assert caught.value.name == "LimitExceededException"
    local.clock.advance(DAY_MS)
    scale(2)
    local.store.close()


def test_a_closed_shard_is_not_read_at_its_ending_number(tmp_path: Path) -> None:
    local = Local(tmp_path)
    local.call("CreateStream", StreamName="s", ShardCount=2)
    local.call("PutRecord", StreamName="s", Data="eA==", PartitionKey="k", ExplicitHashKey="0")
    local.call("MergeShards", StreamName="s", ShardToMerge="0", AdjacentShardToMerge="1")
    closed = local.call("ListShards", StreamName="s")["Shards"][:2]
    for which, info in enumerate(closed):
        numbers = info["SequenceNumberRange"]
        first, last = numbers["StartingSequenceNumber"], numbers["EndingSequenceNumber"]
        assert int(first) < int(last), "also that of a shard that closed empty"
        where = {"StreamName": "s", "ShardId": info["ShardId"]}
        for kind in ("AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER"):
            given = {**where, "ShardIteratorType": kind}
            with pytest.raises(AwsError, match="did not come from this stream") as caught:
                local.call("GetShardIterator", **given, StartingSequenceNumber=last)
            assert caught.value.name == "InvalidArgumentException"
            begin = local.call("GetShardIterator", **given, StartingSequenceNumber=first)
            page = local.call("GetRecords", **begin)
            assert len(page["Records"]) == (which == 0 and kind == "AT_SEQUENCE_NUMBER")
            assert "NextShardIterator" not in page
    local.store.close()


def test_the_same_mode_leaves_a_stream_active(tmp_path: Path) -> None:
    local = Local(tmp_path, stream_delay_ms=1000)
    local.call("CreateStream", StreamName="s", ShardCount=1)
    local.clock.advance(1001)

    def updated(mode: str) -> str:
        arn = local.context.names.stream_arn("s")
        local.call("UpdateStreamMode", StreamARN=arn, StreamModeDetails={"StreamMode": mode})
        described = local.call("DescribeStreamSummary", StreamName="s")
        return str(described["StreamDescriptionSummary"]["StreamStatus"])

    assert updated("PROVISIONED") == "ACTIVE"
    assert updated("ON_DEMAND") == "UPDATING"
    with pytest.raises(AwsError, match="UPDATING"):
        updated("ON_DEMAND")
    local.clock.advance(1001)
    assert updated("ON_DEMAND") == "ACTIVE"
    local.store.close()


def test_a_page_of_shards_goes_on_by_its_token_alone(tmp_path: Path) -> None:
    local = Local(tmp_path)
    local.call("CreateStream", StreamName="s", ShardCount=3)
    token = local.call("ListShards", StreamName="s", MaxResults=1)["NextToken"]
    with pytest.raises(AwsError, match="NextToken and ExclusiveStartShardId") as caught:
        local.call("ListShards", NextToken=token, ExclusiveStartShardId=shard(0))
    assert caught.value.name == "InvalidArgumentException"
    local.store.close()


def test_limits_of_the_account(started: Any) -> None:
    endpoint = started(shard_limit=3)
    call(endpoint, "CreateStream", {"StreamName": "s", "ShardCount": 2})
    split = {"StreamName": "s", "ShardToSplit": "0", "NewStartingHashKey": "5"}
    assert call(endpoint, "SplitShard", split).status == 200
    again = {"StreamName": "s", "ShardToSplit": "1", "NewStartingHashKey": str(2**127 + 5)}
    assert call(endpoint, "SplitShard", again).error == "LimitExceededException"
    target = {"StreamName": "s", "TargetShardCount": 4, "ScalingType": "UNIFORM_SCALING"}
    assert call(endpoint, "UpdateShardCount", target).error == "LimitExceededException"


def test_a_stream_that_is_updating_is_not_changed(started: Any) -> None:
    endpoint = started(stream_delay_ms=200)
    call(endpoint, "CreateStream", {"StreamName": "s", "ShardCount": 1})
    split = {"StreamName": "s", "ShardToSplit": "0", "NewStartingHashKey": "5"}
    assert call(endpoint, "SplitShard", split).error == "ResourceInUseException"

    def status() -> str:
        response = call(endpoint, "DescribeStreamSummary", {"StreamName": "s"}).json
        return str(response["StreamDescriptionSummary"]["StreamStatus"])

    while status() != "ACTIVE":
        time.sleep(0.01)
    assert call(endpoint, "SplitShard", split).status == 200
    assert status() == "UPDATING"
    put_one = {"StreamName": "s", "Data": "", "PartitionKey": "k"}
    assert call(endpoint, "PutRecord", put_one).status == 200


def test_all_six_filters(kinesis: Any, stream: str) -> None:
    """Shard 0 is split, then shard 1; times are told apart by the shards' own creation."""
    began = time.time()
    time.sleep(0.02)
    kinesis.split_shard(StreamName=stream, ShardToSplit=shard(0), NewStartingHashKey="5")
    time.sleep(0.02)
    between = time.time()
    time.sleep(0.02)
    kinesis.split_shard(
        StreamName=stream, ShardToSplit=shard(1), NewStartingHashKey=str(2**127 + 5)
    )
    assert ids(shards(kinesis, stream, Type="AT_LATEST")) == [2, 3, 4, 5]
    assert ids(shards(kinesis, stream, Type="AT_TRIM_HORIZON")) == [0, 1]
    assert ids(shards(kinesis, stream, Type="FROM_TRIM_HORIZON")) == [0, 1, 2, 3, 4, 5]
    assert ids(shards(kinesis, stream, Type="AFTER_SHARD_ID", ShardId=shard(2))) == [3, 4, 5]
    assert ids(shards(kinesis, stream, Type="AT_TIMESTAMP", Timestamp=began)) == [0, 1]
    assert ids(shards(kinesis, stream, Type="AT_TIMESTAMP", Timestamp=between)) == [1, 2, 3]
    assert ids(shards(kinesis, stream, Type="FROM_TIMESTAMP", Timestamp=between)) == [1, 2, 3, 4, 5]
