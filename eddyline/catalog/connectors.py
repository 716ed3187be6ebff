"""Connectors and formats as tables of options: one row an option.

Both spellings of the Kinesis connector are rows of one option (``aliases``), so that a statement
written for either works. The rows drive the check of a table's WITH clause, its error hints, the
documentation and the studio's forms. Options of ours are marked ``extension``.
"""

from __future__ import annotations

from dataclasses import dataclass

from eddyline.errors import EddylineError, nearest


@dataclass(frozen=True, slots=True)
class Option:
    """One option. kind: string, integer, duration, memory, boolean, or choices joined by ``|``."""

    name: str
    kind: str
    default: str | None
    meaning: str
    required: bool = False
    aliases: tuple[str, ...] = ()
    extension: bool = False


@dataclass(frozen=True, slots=True)
class Connector:
    """A connector: its options, whether it reads, writes, and takes updates.

    ``open`` are prefixes under which any option is let through unread (client settings that have
    no meaning on one machine).
    """

    name: str
    meaning: str
    options: tuple[Option, ...]
    source: bool
    sink: bool
    updates: bool
    formatted: bool
    open: tuple[str, ...] = ()
    metadata: tuple[str, ...] = ()


_FORMAT = Option("format", "string", None, "How a record's bytes become a row.", True)
_BAD_RECORDS = Option(
    "bad-records",
    "fail|dead-letter",
    "fail",
    "What happens to a record that does not fit: the job fails, or the record is put aside.",
    extension=True,
)
_WATERMARKS = (
    Option(
        "scan.watermark.emit.strategy",
        "on-periodic|on-event",
        "on-event",
        "When a watermark is sent; here always as if on-event.",
    ),
    Option(
        "scan.watermark.idle-timeout", "duration", None, "A shard without records is idle after it."
    ),
)
_MAX_AHEAD = Option(
    "scan.watermark.max-ahead",
    "duration",
    "26 h",
    "A row moves the watermark only if its event time is at most this long after its arrival, or "
    "after the watermark so far; 0: always, as in Flink.",
    extension=True,
)
_KINESIS_OPTIONS = (
    Option("stream", "string", None, "The stream's name or ARN.", True, ("stream.arn",)),
    Option("aws.region", "string", None, "The stream's region; any, on one machine."),
    Option(
        "aws.endpoint",
        "string",
        None,
        "This machine's endpoint, or one of AWS, which means the stream here; others are refused.",
    ),
    _FORMAT,
    Option(
        "scan.stream.initpos",
        "LATEST|TRIM_HORIZON|AT_TIMESTAMP",
        "LATEST",
        "Where reading begins: with what comes, with the oldest record, or at a time.",
        aliases=("source.init.position",),
    ),
    Option(
        "scan.stream.initpos-timestamp",
        "string",
        None,
        "The time to begin at, with AT_TIMESTAMP.",
        aliases=("source.init.timestamp",),
    ),
    Option(
        "scan.stream.initpos-timestamp-format",
        "string",
        "yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
        "The Java pattern of that time.",
        aliases=("source.init.timestamp.format",),
    ),
    Option(
        "scan.shard.idle.interval", "integer", "-1", "Milliseconds after which a shard is idle."
    ),
    Option(
        "scan.stream.deaggregate",
        "boolean",
        "true",
        "Records that the Kinesis Producer Library packed together are taken apart.",
        extension=True,
    ),
    Option(
        "scan.stream.recreated",
        "fail|from-beginning",
        "fail",
        "What a job does whose stream was deleted and created again: it ends, or goes on with the "
        "new stream's first record.",
        extension=True,
    ),
    Option(
        "fail-on-data-loss",
        "boolean",
        "false",
        "Whether a job ends when retention took records before it read them; otherwise it warns "
        "and counts them.",
        extension=True,
    ),
    _MAX_AHEAD,
    Option("sink.partitioner", "string", None, "How a record's shard is chosen: fixed or random."),
    Option("sink.partitioner-field-delimiter", "string", "|", "Between PARTITIONED BY columns."),
    _BAD_RECORDS,
    *_WATERMARKS,
)
# Client settings of the AWS connector that change nothing on one machine.
_KINESIS_OPEN = (
    "aws.credentials.",
    "aws.trust.",
    "scan.stream.recordpublisher",
    "scan.stream.efo.",
    "scan.stream.describe",
    "scan.stream.registerstreamconsumer",
    "scan.stream.deregisterstreamconsumer",
    "scan.shard-assigner",
    "scan.shard.getrecords.",
    "scan.shard.getiterator.",
    "scan.shard.discovery.",
    "scan.shard.adaptivereads",
    "scan.shard.subscribetoshard.",
    "scan.list.shards.",
    "scan.watermark.",
    "source.",
    "sink.batch.",
    "sink.requests.",
    "sink.flush-buffer.",
    "sink.fail-on-error",
    "sink.http-client.",
    "sink.producer.",
    "sink.parallelism",
)
_FILE_OPEN = (
    "partition.",
    "sink.",
    "auto-compaction",
    "compaction.",
    "source.report-statistics",
    "source.path.",
)

_ROWS: tuple[Connector, ...] = (
    Connector(
        "kinesis",
        "A stream: rows are its records.",
        _KINESIS_OPTIONS,
        source=True,
        sink=True,
        updates=False,
        formatted=True,
        open=_KINESIS_OPEN,
        metadata=("timestamp", "shard-id", "sequence-number"),
    ),
    Connector(
        "filesystem",
        "Files: rows are their lines.",
        (
            Option("path", "string", None, "A file or a directory.", True),
            _FORMAT,
            Option("source.monitor-interval", "duration", None, "Look for new files this often."),
            _BAD_RECORDS,
            *_WATERMARKS,
        ),
        source=True,
        sink=True,
        updates=False,
        formatted=True,
        open=_FILE_OPEN,
    ),
    Connector(
        "print",
        "Rows are printed to the job's log.",
        (
            Option("print-identifier", "string", None, "What stands before each row."),
            Option("standard-error", "boolean", "false", "Print to the error stream."),
            Option("sink.parallelism", "integer", None, "Ignored here."),
        ),
        source=False,
        sink=True,
        updates=True,
        formatted=False,
    ),
    Connector(
        "blackhole",
        "Rows are dropped.",
        (),
        source=False,
        sink=True,
        updates=True,
        formatted=False,
    ),
    Connector(
        "datagen",
        "Rows are made up.",
        (
            Option("rows-per-second", "integer", "10000", "How many rows a second."),
            Option("number-of-rows", "integer", None, "How many rows in all."),
            Option("scan.parallelism", "integer", None, "Ignored here."),
            *_WATERMARKS,
        ),
        source=True,
        sink=False,
        updates=False,
        formatted=False,
        open=("fields.",),
    ),
    Connector(
        "faker",
        "Rows are made from Datafaker's expressions: 'fields.name.expression' = "
        "'#{Name.fullName}'. Each field may have a null-rate, a collection a length.",
        (
            Option("rows-per-second", "integer", "10000", "How many rows per second."),
            Option("number-of-rows", "integer", None, "How many rows in all."),
            *_WATERMARKS,
        ),
        source=True,
        sink=False,
        updates=False,
        formatted=False,
        open=("fields.",),
    ),
)
CONNECTORS: dict[str, Connector] = {c.name: c for c in _ROWS}
CONNECTOR_ALIASES = {"kinesis-legacy": "kinesis"}

FORMATS: dict[str, tuple[Option, ...]] = {
    "json": (
        Option("ignore-parse-errors", "boolean", "false", "A field that does not fit is NULL."),
        Option("fail-on-missing-field", "boolean", "false", "A field that is not there fails."),
        Option(
            "timestamp-format.standard",
            "SQL|ISO-8601",
            "SQL",
            "Times as '2023-08-29 12:54:35' or as '2023-08-29T12:54:35'.",
        ),
        Option("map-null-key.mode", "FAIL|DROP|LITERAL", "FAIL", "What a NULL key does."),
        Option("map-null-key.literal", "string", "null", "What a NULL key becomes."),
        Option("encode.decimal-as-plain-number", "boolean", "false", "1E-7 or 0.0000001."),
        Option("encode.ignore-null-fields", "boolean", "false", "Leave NULL fields out."),
        Option("decode.json-parser.enabled", "boolean", "true", "Ignored here."),
    ),
    "csv": (
        Option("field-delimiter", "string", ",", "Between fields."),
        Option("quote-character", "string", '"', "Around fields."),
        Option("disable-quote-character", "boolean", "false", "Quotes mean nothing."),
        Option("escape-character", "string", None, "Before a sign to be taken as it is."),
        Option("null-literal", "string", None, "The text that means NULL."),
        Option("allow-comments", "boolean", "false", "Lines that begin with # are passed over."),
        Option("ignore-parse-errors", "boolean", "false", "A field that does not fit is NULL."),
        Option("array-element-delimiter", "string", ";", "Between elements of an array."),
    ),
    "raw": (
        Option("charset", "string", "UTF-8", "The text's encoding."),
        Option("endianness", "big-endian|little-endian", "big-endian", "The order of bytes."),
    ),
}


def connector(name: str) -> Connector:
    """The connector ``name``.

    Raises:
        EddylineError: ``sql_semantic`` if there is none, with the nearest.
    """
    found = CONNECTORS.get(CONNECTOR_ALIASES.get(name, name))
    if found:
        return found
    near = nearest(name, list(CONNECTORS))
    hint = f"did you mean '{near[0]}'?" if near else f"there are {', '.join(CONNECTORS)}"
    raise EddylineError("sql_semantic", f"there is no connector '{name}'", hint=hint)


def spellings(row: Connector, format_name: str | None) -> dict[str, Option]:
    """Every way an option of the connector and its format may be written."""
    found = {name: o for o in row.options for name in (o.name, *o.aliases)}
    for option in FORMATS.get(format_name or "", ()):
        found[f"{format_name}.{option.name}"] = option
    return found
