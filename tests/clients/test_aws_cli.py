"""The AWS CLI, told an endpoint, a region and any keys."""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sdk_contract
import toolchain

AWS = Path(sys.executable).with_name("aws")


@pytest.mark.skipif(not AWS.exists(), reason="the AWS CLI is not installed")
def test_aws_cli(
    kinesis: Any, stream: str, start: Callable[..., toolchain.Client], tmp_path: Path
) -> None:
    def aws(*arguments: str) -> Any:
        command = [sys.executable, str(AWS), "kinesis", *arguments, "--output", "json"]
        return json.loads("\n".join(start(command).finish()))

    entries = [
        {
            "PartitionKey": f"key{i % sdk_contract.KEYS}",
            "Data": sdk_contract.value(i),  # CLI 1 takes text; CLI 2 wants base64
        }
        for i in range(60)
    ]
    file = tmp_path / "records.json"
    file.write_text(json.dumps(entries))
    put = aws("put-records", "--stream-name", stream, "--records", f"file://{file}")
    assert put["FailedRecordCount"] == 0
    there = sdk_contract.read(kinesis, stream)
    assert sdk_contract.by_key(there) == sdk_contract.expected(0, 60)
    shard = put["Records"][0]["ShardId"]
    iterator = aws(
        *("get-shard-iterator", "--stream-name", stream, "--shard-id", shard),
        *("--shard-iterator-type", "TRIM_HORIZON"),
    )["ShardIterator"]
    page = aws("get-records", "--shard-iterator", iterator)
    refusal = [(r["SequenceNumber"], base64.b64decode(r["Data"]).decode()) for r in page["Records"]]
    assert refusal == [(r.sequence, r.data) for r in there if r.shard == shard]
    # The CLI's own paginator follows the pages to their end.
    kinesis.create_stream(StreamName=f"{stream}-second", ShardCount=1)
    names = aws("list-streams", "--page-size", "1")["StreamNames"]
    assert names == sorted(kinesis.list_streams()["StreamNames"])
    assert {stream, f"{stream}-second"} <= set(names)
    kinesis.delete_stream(StreamName=f"{stream}-second")


@pytest.mark.clients
@pytest.mark.skipif(not AWS.exists(), reason="the AWS CLI is not installed")
def test_the_aws_cli_with_each_service(start: Callable[..., toolchain.Client]) -> None:
    """Query (STS, IAM) and JSON (Glue, KinesisAnalyticsV2), as the CLI itself writes and reads."""

    def aws(*arguments: str) -> Any:
        command = [sys.executable, str(AWS), *arguments, "--output", "json"]
        text = "\n".join(start(command).finish())
        return json.loads(text) if text else {}

    assert aws("sts", "get-caller-identity")["Account"].isdigit()
    service = {"Service": "kinesisanalytics.amazonaws.com"}
    allowed = {"Effect": "Allow", "Principal": service, "Action": "sts:AssumeRole"}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    role = aws("iam", "create-role", "--role-name", "r", "--assume-role-policy-document", trust)
    assert role["Role"]["Arn"].endswith(":role/r")
    aws("glue", "create-database", "--database-input", '{"Name":"cli_tables"}')
    databases = [d["Name"] for d in aws("glue", "get-databases")["DatabaseList"]]
    assert "cli_tables" in databases
    assert databases == sorted(databases)
    made = aws(
        *("kinesisanalyticsv2", "create-application", "--application-name", "cli-notes"),
        *("--runtime-environment", "ZEPPELIN-FLINK-3_0", "--application-mode", "INTERACTIVE"),
        *("--service-execution-role", role["Role"]["Arn"]),
    )
    assert made["ApplicationDetail"]["ApplicationStatus"] == "READY"
    listed = aws("kinesisanalyticsv2", "list-applications")["ApplicationSummaries"]
    assert [a["ApplicationName"] for a in listed] == ["cli-notes"]
