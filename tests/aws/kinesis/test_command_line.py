"""The AWS CLI works with nothing but an endpoint's address."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest

AWS = Path(sys.executable).with_name("aws")


@pytest.mark.skipif(not AWS.exists(), reason="the AWS CLI is not installed")
def test_the_aws_cli(endpoint: str, name: str, tmp_path: Path) -> None:
    def aws(*arguments: str) -> Any:
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "any",
            "AWS_SECRET_ACCESS_KEY": "key",
        }
        command = [sys.executable, str(AWS), "kinesis", *arguments, "--output", "json"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if done.stdout else {}

    aws("create-stream", "--stream-name", name, "--shard-count", "1")
    aws("wait", "stream-exists", "--stream-name", name)
    put = aws(
        *("put-record", "--stream-name", name, "--partition-key", "k"),
        *("--data", "hello"),
    )
    iterator = aws(
        *("get-shard-iterator", "--stream-name", name, "--shard-id", put["ShardId"]),
        *("--shard-iterator-type", "TRIM_HORIZON"),
    )["ShardIterator"]
    (record,) = aws("get-records", "--shard-iterator", iterator)["Records"]
    assert record["SequenceNumber"] == put["SequenceNumber"]
    assert b64decode(record["Data"]) == b"hello"
    assert name in aws("list-streams")["StreamNames"]
    aws("delete-stream", "--stream-name", name)
