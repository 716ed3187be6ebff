"""Streams through boto3 and nothing but an endpoint's address."""

from __future__ import annotations

from typing import Any

from tests.aws.conftest import call, refused, shard

ARN = "arn:aws:kinesis:us-east-1:000000000000:stream/"


def test_a_stream_is_described(kinesis: Any, stream: str) -> None:
    response = kinesis.describe_stream(StreamName=stream)["StreamDescription"]
    assert response["StreamARN"] == ARN + stream
    assert (response["StreamStatus"], response["RetentionPeriodHours"]) == ("ACTIVE", 24)
    assert response["StreamModeDetails"] == {"StreamMode": "PROVISIONED"}
    assert response["EnhancedMonitoring"] == [{"ShardLevelMetrics": []}]
    assert (response["EncryptionType"], response["HasMoreShards"]) == ("NONE", False)
    ranges = [s["HashKeyRange"] for s in response["Shards"]]
    assert [s["ShardId"] for s in response["Shards"]] == [shard(0), shard(1)]
    assert int(ranges[0]["EndingHashKey"]) + 1 == int(ranges[1]["StartingHashKey"]) == 2**127
    assert (ranges[0]["StartingHashKey"], ranges[1]["EndingHashKey"]) == ("0", str(2**128 - 1))
    summary = kinesis.describe_stream_summary(StreamARN=ARN + stream)["StreamDescriptionSummary"]
    assert (summary["OpenShardCount"], summary["ConsumerCount"]) == (2, 0)
    assert summary["MaxRecordSizeInKiB"] == 1024
    assert summary["StreamCreationTimestamp"] == response["StreamCreationTimestamp"]


def test_creating_and_deleting_can_be_watched(started: Any) -> None:
    endpoint = started(stream_delay_ms=300)
    call(endpoint, "CreateStream", {"StreamName": "s", "ShardCount": 1})
    response = call(endpoint, "DescribeStream", {"StreamName": "s"}).json["StreamDescription"]
    assert (response["StreamStatus"], response["Shards"]) == ("CREATING", [])
    put = {"StreamName": "s", "Data": "", "PartitionKey": "k"}
    assert call(endpoint, "PutRecord", put).error == "ResourceNotFoundException"
    more = call(
        endpoint,
        "IncreaseStreamRetentionPeriod",
        {"StreamName": "s", "RetentionPeriodHours": 25},
    )
    assert more.error == "ResourceInUseException"
    assert "not ACTIVE, instead in state CREATING" in more.message
    summary = {"StreamName": "s"}
    while status_of(endpoint) == "CREATING":
        pass
    assert status_of(endpoint) == "ACTIVE"
    call(endpoint, "DeleteStream", summary)
    assert status_of(endpoint) == "DELETING"
    while (refusal := call(endpoint, "DescribeStreamSummary", summary)).status == 200:
        pass
    assert refusal.error == "ResourceNotFoundException"
    assert refusal.message == "Stream s under account 000000000000 not found."


def status_of(endpoint: str) -> str:
    response = call(endpoint, "DescribeStreamSummary", {"StreamName": "s"}).json
    return str(response["StreamDescriptionSummary"]["StreamStatus"])


def test_on_demand_needs_no_shard_count(kinesis: Any, name: str) -> None:
    kinesis.create_stream(StreamName=name, StreamModeDetails={"StreamMode": "ON_DEMAND"})
    response = kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]
    assert response["StreamModeDetails"] == {"StreamMode": "ON_DEMAND"}
    assert response["OpenShardCount"] == 4
    assert response["RecordDistributionStrategy"] == "USER_PARTITION_KEY"
    kinesis.delete_stream(StreamName=name)


def test_what_cannot_be_created_is_refused(kinesis: Any, stream: str) -> None:
    create = "create_stream"
    assert refused(kinesis, create, StreamName=stream, ShardCount=1) == (
        "ResourceInUseException",
        f"Stream {stream} under account 000000000000 already exists.",
    )
    assert refused(kinesis, create, StreamName="x")[0] == "ValidationException"
    code, words = refused(kinesis, create, StreamName="x", ShardCount=50_000)
    assert code == "LimitExceededException"
    assert "would exceed the shard limit" in words
    assert "Limit: 20000." in words
    warm = {"ShardCount": 1, "WarmThroughputMiBps": 10}
    assert refused(kinesis, create, StreamName="x", **warm)[0] == "ValidationException"
    auto = {"ShardCount": 1, "RecordDistributionStrategy": "AUTO"}
    assert refused(kinesis, create, StreamName="x", **auto)[0] == "InvalidArgumentException"
    tags = {"ShardCount": 1, "Tags": {"aws:x": "1"}}
    assert refused(kinesis, create, StreamName="x", **tags)[0] == "InvalidArgumentException"
    assert refused(kinesis, "describe_stream", StreamName="x")[0] == "ResourceNotFoundException"


def test_a_stream_has_a_name_or_an_arn(kinesis: Any, endpoint: str, stream: str) -> None:
    both = {"StreamName": stream, "StreamARN": ARN + stream}
    assert call(endpoint, "DescribeStream", both).status == 200
    neither = call(endpoint, "DescribeStream", {})
    assert neither.error == "InvalidArgumentException"
    assert neither.message == "Either StreamARN or StreamName must be provided."
    differ = call(endpoint, "DescribeStream", {**both, "StreamName": "other"})
    assert differ.error == "InvalidArgumentException"
    abroad = "arn:aws-cn:kinesis:cn-north-1:123456789012:stream/" + stream
    assert call(endpoint, "DescribeStream", {"StreamARN": abroad}).status == 200
    bad = call(endpoint, "DescribeStream", {"StreamARN": "arn:aws:s3:::bucket"})
    assert bad.error == "ValidationException"
    assert "at 'streamARN' failed to satisfy constraint" in bad.message


def test_streams_are_listed_page_by_page(started: Any) -> None:
    endpoint = started()
    names = [f"n{i}" for i in range(5)]
    for n in reversed(names):
        call(endpoint, "CreateStream", {"StreamName": n, "ShardCount": 1})
    first = call(endpoint, "ListStreams", {"Limit": 2}).json
    assert (first["StreamNames"], first["HasMoreStreams"]) == (names[:2], True)
    assert [s["StreamARN"] for s in first["StreamSummaries"]] == [ARN + n for n in names[:2]]
    second = call(endpoint, "ListStreams", {"NextToken": first["NextToken"]}).json
    assert (second["StreamNames"], second["HasMoreStreams"]) == (names[2:], False)
    assert "NextToken" not in second
    by_name = call(endpoint, "ListStreams", {"ExclusiveStartStreamName": "n3"}).json
    assert by_name["StreamNames"] == ["n4"]
    broken = call(endpoint, "ListStreams", {"NextToken": first["NextToken"][:-4] + "AAAA"})
    assert broken.error == "InvalidArgumentException"


def test_shards_are_described_page_by_page(kinesis: Any, name: str) -> None:
    kinesis.create_stream(StreamName=name, ShardCount=5)
    first = kinesis.describe_stream(StreamName=name, Limit=2)["StreamDescription"]
    assert ([s["ShardId"] for s in first["Shards"]], first["HasMoreShards"]) == (
        [shard(0), shard(1)],
        True,
    )
    rest = kinesis.describe_stream(StreamName=name, ExclusiveStartShardId=shard(1))
    assert len(rest["StreamDescription"]["Shards"]) == 3
    assert (
        refused(kinesis, "describe_stream", StreamName=name, ExclusiveStartShardId="shardId-9")[0]
        == "ResourceNotFoundException"
    )
    page = kinesis.list_shards(StreamName=name, MaxResults=3)
    more = kinesis.list_shards(NextToken=page["NextToken"])
    listed = [s["ShardId"] for s in page["Shards"] + more["Shards"]]
    assert listed == [shard(i) for i in range(5)]
    assert "NextToken" not in more
    assert refused(kinesis, "list_shards", NextToken=page["NextToken"], StreamName=name) == (
        "InvalidArgumentException",
        "NextToken and StreamName cannot be provided together.",
    )
    behind = kinesis.list_shards(StreamName=name, ExclusiveStartShardId=shard(3))["Shards"]
    assert [s["ShardId"] for s in behind] == [shard(4)]
    kinesis.delete_stream(StreamName=name)


def test_list_shards_wants_what_its_filter_needs(kinesis: Any, stream: str) -> None:
    for kind in ("AFTER_SHARD_ID", "AT_TIMESTAMP", "FROM_TIMESTAMP"):
        wrong = refused(kinesis, "list_shards", StreamName=stream, ShardFilter={"Type": kind})
        assert wrong[0] == "InvalidArgumentException"
        assert "must be provided" in wrong[1]
    for kind in ("AT_LATEST", "AT_TRIM_HORIZON", "FROM_TRIM_HORIZON"):
        response = kinesis.list_shards(StreamName=stream, ShardFilter={"Type": kind})["Shards"]
        assert len(response) == 2
    after = {"Type": "AFTER_SHARD_ID", "ShardId": shard(0)}
    assert len(kinesis.list_shards(StreamName=stream, ShardFilter=after)["Shards"]) == 1
    created = kinesis.describe_stream_summary(StreamName=stream)["StreamDescriptionSummary"]
    stamp = created["StreamCreationTimestamp"]
    listed = kinesis.list_shards(StreamName=stream, StreamCreationTimestamp=stamp)
    assert len(listed["Shards"]) == 2
    other = {"StreamName": stream, "StreamCreationTimestamp": 1_000_000}
    assert refused(kinesis, "list_shards", **other)[0] == "ResourceNotFoundException"


def test_retention_goes_up_and_down(kinesis: Any, stream: str) -> None:
    up, down = "increase_stream_retention_period", "decrease_stream_retention_period"
    kinesis.increase_stream_retention_period(StreamName=stream, RetentionPeriodHours=48)
    response = kinesis.describe_stream(StreamName=stream)["StreamDescription"]
    assert response["RetentionPeriodHours"] == 48
    wrong = "InvalidArgumentException"
    for operation, hours, words in (
        (up, 8761, "Maximum allowed retention period is 8760 hours."),
        (up, 47, "can not be shorter than existing retention period (48 hours)"),
        (down, 49, "can not be longer than existing retention period (48 hours)"),
        (down, 23, "Minimum allowed retention period is 24 hours."),
    ):
        code, message = refused(kinesis, operation, StreamName=stream, RetentionPeriodHours=hours)
        assert code == wrong
        assert words in message
    kinesis.decrease_stream_retention_period(StreamName=stream, RetentionPeriodHours=24)


def test_tags(kinesis: Any, name: str) -> None:
    kinesis.create_stream(StreamName=name, ShardCount=1, Tags={"team": "red"})
    kinesis.add_tags_to_stream(StreamName=name, Tags={"b": "2", "a": "1"})
    first = kinesis.list_tags_for_stream(StreamName=name, Limit=2)
    assert first["Tags"] == [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}]
    assert first["HasMoreTags"]
    rest = kinesis.list_tags_for_stream(StreamName=name, ExclusiveStartTagKey="b")
    assert rest["Tags"] == [{"Key": "team", "Value": "red"}]
    kinesis.tag_resource(ResourceARN=ARN + name, Tags={"a": "one"})
    kinesis.untag_resource(ResourceARN=ARN + name, TagKeys=["b", "nothing"])
    kinesis.remove_tags_from_stream(StreamName=name, TagKeys=["team"])
    assert kinesis.list_tags_for_resource(ResourceARN=ARN + name)["Tags"] == [
        {"Key": "a", "Value": "one"}
    ]
    many = {f"k{i}": "" for i in range(50)}
    code, _ = refused(kinesis, "add_tags_to_stream", StreamName=name, Tags=many)
    assert code == "InvalidArgumentException"
    kinesis.delete_stream(StreamName=name)
    missing = refused(kinesis, "list_tags_for_resource", ResourceARN=ARN + name)
    assert missing[0] == "ResourceNotFoundException"


def test_encryption_is_a_flag_that_is_reported(kinesis: Any, stream: str) -> None:
    key = "arn:aws:kms:us-east-1:000000000000:key/12345678-1234-1234-1234-123456789012"
    start = {"StreamName": stream, "EncryptionType": "KMS", "KeyId": key}
    kinesis.start_stream_encryption(**start)
    response = kinesis.describe_stream(StreamName=stream)["StreamDescription"]
    assert (response["EncryptionType"], response["KeyId"]) == ("KMS", key)
    put = kinesis.put_record(StreamName=stream, Data=b"x", PartitionKey="k")
    assert put["EncryptionType"] == "KMS"
    records = [{"Data": b"x", "PartitionKey": "k"}]
    assert kinesis.put_records(StreamName=stream, Records=records)["EncryptionType"] == "KMS"
    wrong = {**start, "KeyId": "no key"}
    assert refused(kinesis, "start_stream_encryption", **wrong)[0] == "KMSNotFoundException"
    kinesis.stop_stream_encryption(**start)
    put = kinesis.put_record(StreamName=stream, Data=b"x", PartitionKey="k")
    assert "EncryptionType" not in put


def test_enhanced_monitoring(kinesis: Any, stream: str) -> None:
    on = kinesis.enable_enhanced_monitoring(
        StreamName=stream, ShardLevelMetrics=["OutgoingBytes", "IncomingBytes"]
    )
    assert on["CurrentShardLevelMetrics"] == []
    assert on["DesiredShardLevelMetrics"] == ["IncomingBytes", "OutgoingBytes"]
    off = kinesis.disable_enhanced_monitoring(
        StreamName=stream, ShardLevelMetrics=["IncomingBytes"]
    )
    assert off["DesiredShardLevelMetrics"] == ["OutgoingBytes"]
    kinesis.enable_enhanced_monitoring(StreamName=stream, ShardLevelMetrics=["ALL"])
    response = kinesis.describe_stream(StreamName=stream)["StreamDescription"]
    assert len(response["EnhancedMonitoring"][0]["ShardLevelMetrics"]) == 7


def test_capacity(kinesis: Any, stream: str) -> None:
    arn = ARN + stream
    kinesis.update_max_record_size(StreamARN=arn, MaxRecordSizeInKiB=10_240)
    auto = {"StreamARN": arn, "RecordDistributionStrategy": "AUTO"}
    only = "update_stream_record_distribution_strategy"
    assert refused(kinesis, only, **auto)[0] == "InvalidArgumentException"
    warm = {"StreamARN": arn, "WarmThroughputMiBps": 100}
    assert refused(kinesis, "update_stream_warm_throughput", **warm)[0] == "ValidationException"
    mode = {"StreamMode": "ON_DEMAND"}
    kinesis.update_stream_mode(StreamARN=arn, StreamModeDetails=mode)
    assert refused(kinesis, "update_stream_warm_throughput", **warm)[0] == "ValidationException"
    enabled = {"Status": "ENABLED"}
    kinesis.update_account_settings(MinimumThroughputBillingCommitment=enabled)
    account = kinesis.describe_account_settings()["MinimumThroughputBillingCommitment"]
    assert account["Status"] == "ENABLED"
    assert account["StartedAt"]
    response = kinesis.update_stream_warm_throughput(**warm)
    assert response["WarmThroughput"] == {"TargetMiBps": 100, "CurrentMiBps": 0}
    kinesis.update_stream_record_distribution_strategy(**auto)
    summary = kinesis.describe_stream_summary(StreamARN=arn)["StreamDescriptionSummary"]
    assert summary["MaxRecordSizeInKiB"] == 10_240
    assert summary["RecordDistributionStrategy"] == "AUTO"
    assert summary["WarmThroughput"] == {"TargetMiBps": 100, "CurrentMiBps": 100}
    disabled = {"Status": "DISABLED"}
    kinesis.update_account_settings(MinimumThroughputBillingCommitment=disabled)


def test_limits_count_what_is_there(started: Any) -> None:
    endpoint = started(shard_limit=10)
    call(endpoint, "CreateStream", {"StreamName": "a", "ShardCount": 7})
    demand = {"StreamName": "b", "StreamModeDetails": {"StreamMode": "ON_DEMAND"}}
    call(endpoint, "CreateStream", demand)
    response = call(endpoint, "DescribeLimits").json
    assert (
        response["ShardLimit"],
        response["OpenShardCount"],
        response["OnDemandStreamCount"],
    ) == (10, 7, 1)
    over = call(endpoint, "CreateStream", {"StreamName": "c", "ShardCount": 4})
    assert over.error == "LimitExceededException"
    assert "Current shard count for the account: 7. Limit: 10." in over.message


def test_resource_policies(kinesis: Any, stream: str) -> None:
    arn = ARN + stream
    assert kinesis.get_resource_policy(ResourceARN=arn)["Policy"] == "{}"
    policy = (
        '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*",'
        f'"Action":"kinesis:GetRecords","Resource":"{arn}"}}]}}'
    )
    kinesis.put_resource_policy(ResourceARN=arn, Policy=policy)
    assert kinesis.get_resource_policy(ResourceARN=arn)["Policy"] == policy
    code, words = refused(kinesis, "put_resource_policy", ResourceARN=arn, Policy="{]")
    assert code == "InvalidArgumentException"
    assert "not JSON" in words
    kinesis.delete_resource_policy(ResourceARN=arn)
    gone = refused(kinesis, "delete_resource_policy", ResourceARN=arn)
    assert gone[0] == "ResourceNotFoundException"
