"""The kinesis connector, in the spelling of its older and of its newer version."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from urllib.parse import urlsplit

from eddyline.errors import EddylineError
from eddyline.options import any_table
from eddyline.options.connector import Changes, Connector, Metadata
from eddyline.options.java_time import parse_moment
from eddyline.options.option import (
    BOOLEAN,
    DURATION,
    INTEGER,
    NAME,
    STRING,
    Option,
    OptionKind,
    choice,
    integer,
    without_effect,
)


class InitialPosition(StrEnum):
    """Where reading a stream begins."""

    LATEST = "LATEST"
    TRIM_HORIZON = "TRIM_HORIZON"
    AT_TIMESTAMP = "AT_TIMESTAMP"
    AT_SEQUENCE_NUMBER = "AT_SEQUENCE_NUMBER"


class Recreated(StrEnum):
    """What a job does whose stream was deleted and created again."""

    FAIL = "fail"
    FROM_BEGINNING = "from-beginning"


class Provider(StrEnum):
    """Where credentials come from."""

    AUTO = "AUTO"
    BASIC = "BASIC"
    PROFILE = "PROFILE"
    ENV_VAR = "ENV_VAR"
    SYS_PROP = "SYS_PROP"


class Partitioner(StrEnum):
    """How a record's partition key is chosen where no columns are."""

    RANDOM = "random"
    FIXED = "fixed"


STREAM_NAME_RULE = "1 to 128 letters, digits, underscores, hyphens and dots"


def stream_name(text: str) -> str:
    """The name of a stream that is given by name or ARN."""
    return text.rpartition("/")[2] if text.startswith("arn:") else text


def _checked_stream(text: str) -> str:
    name = stream_name(text)
    if not re.fullmatch(r"[a-zA-Z0-9_.-]{1,128}", name):
        raise ValueError(text)
    return name


def _numbers(text: str) -> dict[int, str]:
    """Shard number to sequence number."""
    numbers = {}
    for part in text.split(";"):
        match = re.fullmatch(r"\s*shardId-(\d{1,12})\s*:\s*(\d{1,128})\s*", part)
        if match is None:
            raise ValueError(text)
        numbers[int(match[1])] = match[2]
    return numbers


STREAM = Option(
    "stream",
    OptionKind("string", _checked_stream, f"an ARN or a name: {STREAM_NAME_RULE}"),
    None,
    "The stream's name or ARN.",
    required=True,
    aliases=("stream.arn",),
)
REGION = Option("aws.region", NAME, None, "The stream's region; any, on one machine.")
ENDPOINT = Option(
    "aws.endpoint",
    STRING,
    None,
    "Any endpoint that speaks Kinesis. This server's own, and those of AWS (*.amazonaws.com), mean "
    "the stream of this data directory; any other is read and written through its API.",
)
INITIAL_POSITION = Option(
    "scan.stream.initpos",
    choice(InitialPosition),
    "LATEST",
    "Where reading begins: with new records, with the oldest record, at a time, or at a sequence "
    "number of each shard.",
    aliases=("source.init.position",),
)
INITIAL_TIME = Option(
    "scan.stream.initpos-timestamp",
    STRING,
    None,
    "The time to begin at, with AT_TIMESTAMP; or seconds since 1970.",
    aliases=("source.init.timestamp",),
)
INITIAL_TIME_FORMAT = Option(
    "scan.stream.initpos-timestamp-format",
    STRING,
    "yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
    "The Java pattern of that time.",
    aliases=("source.init.timestamp.format",),
)
INITIAL_NUMBERS = Option(
    "scan.stream.initpos-sequence-numbers",
    OptionKind("numbers", _numbers, "shardId-000000000000:4950…, several separated by ';'"),
    None,
    "The first record to read of each shard, with AT_SEQUENCE_NUMBER. A shard that is not named is "
    "read from its oldest record, unless a named one came from it by a split or a merge.",
    extension=True,
)
IDLE_INTERVAL = Option(
    "scan.shard.idle.interval",
    INTEGER,
    "-1",
    "Milliseconds after which a shard without records is idle; -1: as the session says.",
)
DEAGGREGATE = Option(
    "scan.stream.deaggregate",
    BOOLEAN,
    "true",
    "Records that the Kinesis Producer Library packed together are taken apart.",
    extension=True,
)
RECREATED = Option(
    "scan.stream.recreated",
    choice(Recreated),
    "fail",
    "What a job does whose stream was deleted and created again: it ends, or continues with the "
    "new stream's first record.",
    extension=True,
)
FAIL_ON_DATA_LOSS = Option(
    "fail-on-data-loss",
    BOOLEAN,
    "false",
    "Whether a job ends when retention removed records before it read them; otherwise it warns "
    "and counts them.",
    extension=True,
)
PARTITIONER = Option(
    "sink.partitioner",
    choice(Partitioner),
    "random",
    "How a record's shard is chosen without PARTITIONED BY: random, or fixed (one shard).",
)
FIELD_DELIMITER = Option(
    "sink.partitioner-field-delimiter",
    STRING,
    "|",
    "Between the PARTITIONED BY columns in a record's partition key.",
)
PROVIDER = Option(
    "aws.credentials.provider",
    choice(Provider),
    None,
    "Where credentials for another endpoint come from: BASIC: the two options below; PROFILE: a "
    "profile; ENV_VAR: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; AUTO: as any AWS SDK finds "
    "them. By default what the other options give: BASIC, else PROFILE, else AUTO.",
)
ACCESS_KEY = Option(
    "aws.credentials.basic.accesskeyid", STRING, None, "The access key for another endpoint."
)
SECRET_KEY = Option(
    "aws.credentials.basic.secretkey", STRING, None, "The secret key for another endpoint."
)
PROFILE = Option("aws.credentials.profile.name", STRING, None, "The profile of AWS's files.")
TRUST_ALL = Option(
    "aws.trust.all.certificates",
    BOOLEAN,
    "false",
    "Whether another endpoint may have any certificate.",
)
GET_RECORDS_MAX = Option(
    "scan.shard.getrecords.maxrecordcount",
    integer(1, 10_000),
    "10000",
    "Records per GetRecords at another endpoint.",
    aliases=("source.shard.get-records.max-record-count",),
)
GET_RECORDS_INTERVAL = Option(
    "scan.shard.getrecords.intervalmillis",
    integer(0),
    "200",
    "Milliseconds between two GetRecords at another endpoint.",
)
DISCOVERY_INTERVAL = Option(
    "scan.shard.discovery.intervalmillis",
    DURATION,
    "10 s",
    "How often new shards of another endpoint's stream are looked for.",
    aliases=("source.shard.discovery.interval",),
)
BATCH_MAX = Option(
    "sink.batch.max-size", integer(1, 500), "500", "Records per PutRecords at another endpoint."
)
_NEEDED = {Provider.BASIC: (ACCESS_KEY, SECRET_KEY), Provider.PROFILE: (PROFILE,)}
_CLIENT = "the stream is read from this data directory, without a client of AWS"
_WRITER = "rows are appended to the stream in one transaction per micro-batch"


def initial_time_ms(options: Mapping[str, str]) -> int:
    """The time of AT_TIMESTAMP in epoch milliseconds.

    Raises:
        EddylineError: ``sql_semantic`` if there is none, or it does not fit its pattern.
    """
    text = INITIAL_TIME.get(options)
    if text is None:
        hint = "add 'scan.stream.initpos-timestamp' = '2026-01-01T00:00:00.000+00:00'"
        raise EddylineError(
            "sql_semantic", "AT_TIMESTAMP needs the option 'scan.stream.initpos-timestamp'",
            hint=hint,
        )  # fmt: skip
    pattern = INITIAL_TIME_FORMAT.given(options)
    try:
        return parse_moment(text, options[pattern] if pattern else None)
    except EddylineError as error:
        key = INITIAL_TIME.given(options)
        hint = f"{error.hint}; '{INITIAL_TIME_FORMAT.name}' names another form"
        message = f"option '{key}': {error.message}"
        raise EddylineError("sql_semantic", message, hint=hint) from None


def initial_numbers(options: Mapping[str, str]) -> dict[int, str]:
    """The sequence numbers of AT_SEQUENCE_NUMBER, by the shard's number.

    Raises:
        EddylineError: ``sql_semantic`` if there are none.
    """
    numbers = INITIAL_NUMBERS.get(options)
    if numbers is None:
        hint = f"add '{INITIAL_NUMBERS.name}' = 'shardId-000000000000:4950…;…'"
        message = f"AT_SEQUENCE_NUMBER needs the option '{INITIAL_NUMBERS.name}'"
        raise EddylineError("sql_semantic", message, hint=hint)
    return numbers


def credentials_provider(options: Mapping[str, str]) -> Provider:
    """Where credentials come from: as the options say, else as they suggest."""
    named = PROVIDER.get(options)
    if named is not None:
        return named
    if ACCESS_KEY.given(options) and SECRET_KEY.given(options):
        return Provider.BASIC
    return Provider.PROFILE if PROFILE.given(options) else Provider.AUTO


def _check(options: Mapping[str, str]) -> None:
    provider = credentials_provider(options)
    for needed in _NEEDED.get(provider, ()):
        if needed.get(options) is None:
            hint = f"add '{needed.name}' = '…'"
            message = f"credentials of kind {provider.value} need the option '{needed.name}'"
            raise EddylineError("sql_semantic", message, hint=hint)
    if INITIAL_POSITION.read(options) is InitialPosition.AT_TIMESTAMP:
        initial_time_ms(options)
    if INITIAL_POSITION.read(options) is InitialPosition.AT_SEQUENCE_NUMBER:
        initial_numbers(options)
    endpoint = ENDPOINT.get(options)
    if endpoint is not None and urlsplit(endpoint).scheme not in ("http", "https"):
        hint = "write a URL, as in 'http://127.0.0.1:4567'"
        raise EddylineError("sql_semantic", f"'aws.endpoint' is '{endpoint}'", hint=hint)


KINESIS = Connector(
    "kinesis",
    "A stream: rows are its records.",
    (
        STREAM, REGION, ENDPOINT, any_table.FORMAT, INITIAL_POSITION, INITIAL_TIME,
        INITIAL_TIME_FORMAT, INITIAL_NUMBERS, IDLE_INTERVAL, DEAGGREGATE, RECREATED,
        FAIL_ON_DATA_LOSS,
        PARTITIONER, FIELD_DELIMITER, PROVIDER, ACCESS_KEY, SECRET_KEY, PROFILE, TRUST_ALL,
        GET_RECORDS_MAX, GET_RECORDS_INTERVAL, DISCOVERY_INTERVAL, BATCH_MAX,
        any_table.BAD_RECORDS, *any_table.WATERMARKS,
        *without_effect(
            _CLIENT, "aws.credentials.profile.path", "aws.credentials.role.*",
            "aws.credentials.webIdentityToken.file", "aws.credentials.custom.class",
            "scan.stream.recordpublisher", "scan.stream.efo.*", "scan.stream.describe.*",
            "scan.stream.describestreamconsumer.*", "scan.stream.registerstreamconsumer.*",
            "scan.stream.deregisterstreamconsumer.*", "scan.shard-assigner",
            "scan.shard.getrecords.maxretries", "scan.shard.getrecords.backoff.*",
            "scan.shard.getiterator.*", "scan.shard.adaptivereads",
            "scan.shard.subscribetoshard.*", "scan.list.shards.*",
            "scan.watermark.sync.interval", "scan.watermark.lookahead.millis",
            "scan.watermark.sync.queue.capacity",
            "source.reader.type", "source.efo.*",
        ),
        *without_effect(
            _WRITER, "sink.requests.max-inflight",
            "sink.requests.max-buffered", "sink.flush-buffer.size", "sink.flush-buffer.timeout",
            "sink.fail-on-error", "sink.http-client.*", "sink.producer.*",
        ),
        any_table.SCAN_PARALLELISM, any_table.SINK_PARALLELISM,
    ),
    source=True,
    sink=Changes.INSERTS,
    formatted=True,
    metadata=(
        Metadata("timestamp", "TIMESTAMP_LTZ(3)", "When the record arrived in the stream."),
        Metadata("shard-id", "STRING", "The shard that holds the record."),
        Metadata("sequence-number", "STRING", "The record's sequence number."),
    ),
    check=_check,
    guarantee="exactly once; at another endpoint at least once",
)  # fmt: skip
