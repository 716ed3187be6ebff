"""AWS's own managed policies that stacks for streams attach: name -> document.

The documents allow the same actions here as AWS's do there, for the services that this server has.
"""

from __future__ import annotations

from typing import Any

AWS_PREFIX = "arn:aws:iam::aws:policy/"


def _allow(*actions: str) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
    return {"Version": "2012-10-17", "Statement": [statement]}


_READ = ("Get*", "List*", "Describe*")
_ROWS: dict[str, dict[str, Any]] = {
    "AdministratorAccess": _allow("*"),
    "PowerUserAccess": {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "NotAction": ["iam:*"], "Resource": "*"},
            {"Effect": "Allow", "Action": ["iam:ListRoles"], "Resource": "*"},
        ],
    },
    "ReadOnlyAccess": _allow(
        *(f"{s}:{a}" for s in ("kinesis", "glue", "iam", "kinesisanalytics", "sts") for a in _READ)
    ),
    "IAMFullAccess": _allow("iam:*"),
    "IAMReadOnlyAccess": _allow("iam:Get*", "iam:List*"),
    "AmazonKinesisFullAccess": _allow("kinesis:*"),
    "AmazonKinesisReadOnlyAccess": _allow(*(f"kinesis:{a}" for a in _READ)),
    "AmazonKinesisAnalyticsFullAccess": _allow(
        "kinesisanalytics:*", "kinesis:*", "glue:*", "iam:ListRoles", "iam:PassRole"
    ),
    "AmazonKinesisAnalyticsReadOnly": _allow(*(f"kinesisanalytics:{a}" for a in _READ)),
    "AWSGlueConsoleFullAccess": _allow("glue:*", "iam:ListRoles", "iam:PassRole"),
    "service-role/AWSGlueServiceRole": _allow("glue:*"),
    "AmazonS3FullAccess": _allow("s3:*"),
    "AmazonS3ReadOnlyAccess": _allow("s3:Get*", "s3:List*"),
    "CloudWatchLogsFullAccess": _allow("logs:*", "cloudwatch:*"),
}
AWS_MANAGED = {AWS_PREFIX + name: document for name, document in _ROWS.items()}
