"""The kafka and upsert-kafka connectors: topics of Apache Kafka."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum
from typing import Any

from eddyline.errors import EddylineError
from eddyline.options import any_table
from eddyline.options.connector import Changes, Connector, Metadata, Options
from eddyline.options.option import (
    DURATION,
    INTEGER,
    NAME,
    NAMES,
    PATTERN,
    STRING,
    Option,
    choice,
    without_effect,
)


class Startup(StrEnum):
    """Where reading begins."""

    GROUP_OFFSETS = "group-offsets"
    EARLIEST = "earliest-offset"
    LATEST = "latest-offset"
    TIMESTAMP = "timestamp"
    SPECIFIC = "specific-offsets"


class Bounded(StrEnum):
    """Where reading ends."""

    UNBOUNDED = "unbounded"
    LATEST = "latest-offset"
    GROUP_OFFSETS = "group-offsets"
    TIMESTAMP = "timestamp"
    SPECIFIC = "specific-offsets"


class FieldsInclude(StrEnum):
    """Whether a record's value holds the fields of its key."""

    ALL = "ALL"
    EXCEPT_KEY = "EXCEPT_KEY"


TOPIC = Option("topic", NAMES, None, "The topic; several to read, separated by ';'.")
TOPIC_PATTERN = Option("topic-pattern", PATTERN, None, "Read all topics whose name matches.")
BROKERS = Option(
    "properties.bootstrap.servers", NAME, None, "The brokers, as host:port,…", required=True
)
GROUP = Option(
    "properties.group.id", NAME, None, "The consumer group, to which read offsets are reported."
)
PROPERTIES = Option(
    "properties.*", STRING, None, "A setting of the Kafka client, as librdkafka names it."
)
FORMAT = replace(any_table.FORMAT, required=False)
VALUE_FORMAT = Option("value.format", STRING, None, "The format of a record's value.")
KEY_FORMAT = Option("key.format", STRING, None, "The format of a record's key.")
KEY_FIELDS = Option("key.fields", NAMES, None, "The columns that are in the key.")
KEY_PREFIX = Option(
    "key.fields-prefix", STRING, "", "What the columns of the key have before their names."
)
FIELDS_INCLUDE = Option(
    "value.fields-include",
    choice(FieldsInclude),
    "ALL",
    "Whether the value holds the key's columns too.",
)
STARTUP = Option("scan.startup.mode", choice(Startup), "group-offsets", "Where reading begins.")
STARTUP_TIME = Option(
    "scan.startup.timestamp-millis", INTEGER, None, "The time to begin at, in milliseconds."
)
STARTUP_OFFSETS = Option(
    "scan.startup.specific-offsets",
    STRING,
    None,
    "As 'partition:0,offset:42;partition:1,offset:7'.",
)
BOUNDED = Option("scan.bounded.mode", choice(Bounded), "unbounded", "Where reading ends.")
BOUNDED_TIME = Option(
    "scan.bounded.timestamp-millis", INTEGER, None, "The time to end before, in milliseconds."
)
BOUNDED_OFFSETS = Option(
    "scan.bounded.specific-offsets", STRING, None, "As 'partition:0,offset:42': where to end."
)
DISCOVERY = Option(
    "scan.topic-partition-discovery.interval",
    DURATION,
    "5 min",
    "How often new partitions are looked for.",
)
_METADATA = (
    Metadata("topic", "STRING", "The record's topic."),
    Metadata("partition", "INT", "The partition."),
    Metadata("offset", "BIGINT", "The offset in the partition."),
    Metadata("timestamp", "TIMESTAMP_LTZ(3)", "The record's time."),
    Metadata("timestamp-type", "STRING", "CreateTime, LogAppendTime or NoTimestampType."),
    Metadata("headers", "MAP<STRING, BYTES>", "The record's headers."),
    Metadata("leader-epoch", "INT", "The leader's epoch; NULL if it is not known."),
)
_ONCE = "rows are written at least once here"
_WITHOUT: Options = (
    *without_effect(_ONCE, "sink.delivery-guarantee", "sink.semantic",
                    "sink.transactional-id-prefix", "sink.transaction-naming-strategy"),
    *without_effect("the key decides the partition, or a random one", "sink.partitioner"),
    *without_effect("each micro-batch is written at once", "sink.buffer-flush.max-rows",
                    "sink.buffer-flush.interval"),
    any_table.SCAN_PARALLELISM, any_table.SINK_PARALLELISM,
)  # fmt: skip
_OFFSET = re.compile(r"partition:(\d+),offset:(\d+)")


def offsets(option: Option[str], options: Mapping[str, str]) -> dict[int, int]:
    """Partitions and offsets, as one of the two options spells them.

    Raises:
        EddylineError: ``sql_semantic``.
    """
    out: dict[int, int] = {}
    for part in option.read(options).replace(" ", "").split(";"):
        match = _OFFSET.fullmatch(part)
        if match is None:
            message = f"option '{option.name}' is '{options[option.name]}'"
            hint = "write 'partition:0,offset:42;partition:1,offset:7'"
            raise EddylineError("sql_semantic", message, hint=hint)
        out[int(match[1])] = int(match[2])
    return out


def _check(options: Mapping[str, str]) -> None:
    if bool(TOPIC.get(options)) == (TOPIC_PATTERN.get(options) is not None):
        message = "connector 'kafka' needs 'topic' or 'topic-pattern', and not both"
        raise EddylineError("sql_semantic", message, hint="add 'topic' = '…' to WITH (…)")
    if FORMAT.get(options) is None and VALUE_FORMAT.get(options) is None:
        message = "connector 'kafka' needs the option 'format' or 'value.format'"
        raise EddylineError("sql_semantic", message, hint="add 'format' = 'json' to WITH (…)")
    if (KEY_FORMAT.get(options) is None) != (KEY_FIELDS.get(options) is None):
        message = "'key.format' and 'key.fields' are given together or not at all"
        raise EddylineError("sql_semantic", message, hint="'key.fields' = 'a;b' names the columns")
    for mode, value, needed in (
        (STARTUP, Startup.TIMESTAMP, STARTUP_TIME),
        (STARTUP, Startup.SPECIFIC, STARTUP_OFFSETS),
        (BOUNDED, Bounded.TIMESTAMP, BOUNDED_TIME),
        (BOUNDED, Bounded.SPECIFIC, BOUNDED_OFFSETS),
    ):
        if mode.read(options) == value and needed.get(options) is None:
            message = f"'{mode.name}' = '{value}' needs '{needed.name}'"
            raise EddylineError("sql_semantic", message, hint=needed.meaning)
    if STARTUP_OFFSETS.given(options):
        offsets(STARTUP_OFFSETS, options)
    if BOUNDED_OFFSETS.given(options):
        offsets(BOUNDED_OFFSETS, options)


def _check_upsert(options: Mapping[str, str]) -> None:
    if len(TOPIC.read(options)) != 1:
        message = f"option 'topic' is '{options['topic']}'"
        hint = "'topic' names the one topic that holds the values"
        raise EddylineError("sql_semantic", message, hint=hint)
    if BOUNDED.read(options) in (Bounded.TIMESTAMP, Bounded.SPECIFIC):
        is_time = BOUNDED.read(options) is Bounded.TIMESTAMP
        needed: Option[Any] = BOUNDED_TIME if is_time else BOUNDED_OFFSETS
        if needed.get(options) is None:
            message = f"'{BOUNDED.name}' = '{options[BOUNDED.name]}' needs '{needed.name}'"
            raise EddylineError("sql_semantic", message, hint=needed.meaning)
    if BOUNDED_OFFSETS.given(options):
        offsets(BOUNDED_OFFSETS, options)


KAFKA = Connector(
    "kafka",
    "Topics of Apache Kafka. New records are rows, or changes of rows with a format such as "
    "debezium-json.",
    (
        TOPIC, TOPIC_PATTERN, BROKERS, GROUP, PROPERTIES, FORMAT, VALUE_FORMAT, KEY_FORMAT,
        KEY_FIELDS, KEY_PREFIX, FIELDS_INCLUDE, STARTUP, STARTUP_TIME, STARTUP_OFFSETS, BOUNDED,
        BOUNDED_TIME, BOUNDED_OFFSETS, DISCOVERY, any_table.BAD_RECORDS, any_table.IDLE_TIMEOUT,
        any_table.MAX_AHEAD, any_table.EMIT_STRATEGY, *any_table.ALIGNMENT, *_WITHOUT,
    ),
    source=True,
    sink=Changes.INSERTS,
    formatted=True,
    metadata=_METADATA,
    check=_check,
    guarantee="at least once",
    extra="kafka",
)  # fmt: skip
UPSERT_KAFKA = Connector(
    "upsert-kafka",
    "A topic that holds the last value of each key; a record without a value deletes its key.",
    (
        replace(TOPIC, required=True), BROKERS, GROUP, PROPERTIES,
        replace(KEY_FORMAT, required=True),
        replace(VALUE_FORMAT, required=True), KEY_PREFIX, FIELDS_INCLUDE, BOUNDED, BOUNDED_TIME,
        BOUNDED_OFFSETS, DISCOVERY, any_table.BAD_RECORDS, any_table.IDLE_TIMEOUT,
        any_table.MAX_AHEAD, any_table.EMIT_STRATEGY, *any_table.ALIGNMENT, *_WITHOUT,
    ),
    source=True,
    sink=Changes.UPSERTS,
    formatted=True,
    metadata=_METADATA,
    needs_key=True,
    check=_check_upsert,
    guarantee="at least once; writing a row again changes nothing",
    extra="kafka",
)  # fmt: skip
