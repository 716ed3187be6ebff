"""The filesystem connector."""

from __future__ import annotations

from enum import StrEnum

from eddyline.options import any_table
from eddyline.options.connector import Changes, Connector, Metadata
from eddyline.options.option import (
    DURATION,
    FILE_NAME,
    NAME,
    PATTERN,
    Option,
    choice,
    without_effect,
)

PATH = Option(
    "path",
    NAME,
    None,
    "A file or directory: /a/b, file:///a/b, or s3://bucket/a. A bucket is one of the S3 endpoint "
    "in EDDYLINE_S3_ENDPOINT or AWS_ENDPOINT_URL_S3, else a folder of <data directory>/buckets.",
    required=True,
)
MONITOR_INTERVAL = Option(
    "source.monitor-interval",
    DURATION,
    None,
    "Look for new files this often; without it the files that exist are read, and the job ends.",
)
PATH_PATTERN = Option(
    "source.path.regex-pattern",
    PATTERN,
    None,
    "Only files whose whole path matches this regular expression are read.",
)

DEFAULT_PARTITION = Option(
    "partition.default-name",
    FILE_NAME,
    "__DEFAULT_PARTITION__",
    "The folder's value where a partition column is NULL or empty.",
)


class CommitPolicy(StrEnum):
    """How a partition is marked as complete."""

    SUCCESS_FILE = "success-file"


COMMIT_POLICY = Option(
    "sink.partition-commit.policy.kind",
    choice(CommitPolicy),
    None,
    "success-file: an empty file marks a partition after each micro-batch that wrote to it.",
)
SUCCESS_FILE = Option(
    "sink.partition-commit.success-file.name", FILE_NAME, "_SUCCESS", "The name of that file."
)

FILESYSTEM = Connector(
    "filesystem",
    "Files of a folder, of a bucket (s3://, s3a://), or one file. PARTITIONED BY columns are "
    "folders.",
    (
        PATH, any_table.FORMAT, MONITOR_INTERVAL, PATH_PATTERN, DEFAULT_PARTITION, COMMIT_POLICY,
        SUCCESS_FILE, any_table.BAD_RECORDS,
        *any_table.WATERMARKS_WITHOUT_ARRIVAL,
        *without_effect("no optimizer uses statistics here", "source.report-statistics"),
        *without_effect(
            "each micro-batch is one finished file here", "sink.rolling-policy.file-size",
            "sink.rolling-policy.rollover-interval", "sink.rolling-policy.check-interval",
            "sink.rolling-policy.inactivity-interval", "auto-compaction", "compaction.file-size",
            "sink.shuffle-by-partition.enable", "sink.partition-commit.trigger",
            "sink.partition-commit.delay", "sink.partition-commit.watermark-time-zone",
            "partition.time-extractor.*",
        ),
        any_table.SCAN_PARALLELISM, any_table.SINK_PARALLELISM,
    ),
    source=True,
    sink=Changes.INSERTS,
    metadata=(
        Metadata("file.path", "STRING", "The file's path."),
        Metadata("file.name", "STRING", "The last part of the path."),
        Metadata("file.size", "BIGINT", "The file's size in bytes."),
        Metadata("file.modification-time", "TIMESTAMP_LTZ(3)", "When the file last changed."),
    ),
    formatted=True,
    guarantee=any_table.EXACTLY_ONCE,
)  # fmt: skip
