"""A table's WITH options, checked and typed: what the engine reads instead of strings.

Options are checked when a table is first used, as in Flink, not when it is created.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from urllib.parse import urlsplit

from eddyline.catalog.connectors import FORMATS, Connector, Option, connector, spellings
from eddyline.catalog.fields import check_fields
from eddyline.catalog.table import CatalogTable
from eddyline.errors import EddylineError, nearest


class InitialPosition(StrEnum):
    """Where reading a stream begins."""

    LATEST = "LATEST"
    TRIM_HORIZON = "TRIM_HORIZON"
    AT_TIMESTAMP = "AT_TIMESTAMP"


@dataclass(frozen=True, slots=True)
class KinesisOptions:
    """A stream table. ``endpoint`` None: the streams of this data directory.

    idle_ms: a shard without records is idle after this, None for the setting's default.
    """

    stream: str
    region: str | None
    endpoint: str | None
    format: str
    initpos: InitialPosition
    initpos_timestamp_ms: int | None
    field_delimiter: str
    dead_letter: bool
    idle_ms: int | None


@dataclass(frozen=True, slots=True)
class FilesystemOptions:
    """A table of files. monitor_interval_ms None: read once, a bounded input."""

    path: str
    format: str
    monitor_interval_ms: int | None
    dead_letter: bool


@dataclass(frozen=True, slots=True)
class PrintOptions:
    """A table that prints."""

    identifier: str
    standard_error: bool


@dataclass(frozen=True, slots=True)
class DatagenOptions:
    """A table of made-up rows; ``fields``: option by (column, key)."""

    rows_per_second: int
    number_of_rows: int | None
    fields: Mapping[tuple[str, str], str]


class TimestampStandard(StrEnum):
    """How times are written in JSON."""

    SQL = "SQL"
    ISO_8601 = "ISO-8601"


@dataclass(frozen=True, slots=True)
class JsonOptions:
    """The json format."""

    ignore_parse_errors: bool = False
    fail_on_missing_field: bool = False
    timestamp_standard: TimestampStandard = TimestampStandard.SQL
    decimal_as_plain_number: bool = False
    ignore_null_fields: bool = False


@dataclass(frozen=True, slots=True)
class CsvOptions:
    """The csv format."""

    field_delimiter: str = ","
    quote_character: str | None = '"'
    escape_character: str | None = None
    null_literal: str | None = None
    allow_comments: bool = False
    ignore_parse_errors: bool = False
    array_element_delimiter: str = ";"


@dataclass(frozen=True, slots=True)
class RawOptions:
    """The raw format: one column, the record's bytes."""

    charset: str = "UTF-8"
    big_endian: bool = True


def check_options(table: CatalogTable) -> Connector:
    """The table's connector, after its options were found to be known, complete and typed.

    Raises:
        EddylineError: ``sql_semantic``, naming the table, the option and what is possible.
    """
    name = table.options.get("connector")
    if name is None:
        msg = f"table {table.path} has no 'connector' option"
        raise EddylineError("sql_semantic", msg, hint="add WITH ('connector' = 'kinesis', …)")
    row = connector(name)
    form = _format(table, row)
    known = spellings(row, form)
    for key in table.options:
        if key != "connector" and key not in known and not key.startswith(row.open or ("\0",)):
            raise _unknown(table, name, key, sorted(known))
    _required(table, row)
    for key, value in table.options.items():
        if key in known:
            _typed(table, key, known[key], value)
    check_fields(table, row.name)
    _endpoint(table)
    return row


def canonical(table: CatalogTable) -> CatalogTable:
    """The table with its choices as they are documented: ``latest`` is ``LATEST``.

    Every reader of an option compares it with the documented spelling, so that whatever the check
    accepts is understood. Call it for a table whose options were checked.
    """
    row = connector(table.options["connector"])
    known = spellings(row, _format(table, row))
    options = {
        key: _choice(known[key].kind, value) if key in known else value
        for key, value in table.options.items()
    }
    return table if options == table.options else replace(table, options=options)


def _choice(kind: str, value: str) -> str:
    if "|" in kind:
        return next((c for c in kind.split("|") if c.upper() == value.strip().upper()), value)
    return value.strip().lower() if kind == "boolean" else value


# Hosts of this machine's own endpoint.
_LOCAL = ("localhost", "127.0.0.1", "::1", "0.0.0.0", "host.docker.internal")


def _endpoint(table: CatalogTable) -> None:
    """A stream elsewhere is not read here, and no other one in its place."""
    endpoint = table.options.get("aws.endpoint")
    if endpoint is None:
        return
    host = urlsplit(endpoint).hostname or ""
    # An address of AWS means here what its region means: the stream of that name.
    if host in _LOCAL or host.endswith(".amazonaws.com"):
        return
    msg = f"table {table.path}: 'aws.endpoint' is '{endpoint}', which is not this machine"
    hint = (
        "tables read the streams of this data directory: leave the option out, or copy the stream"
    )
    raise EddylineError("sql_unsupported", msg, hint=hint)


def _format(table: CatalogTable, row: Connector) -> str | None:
    if not row.formatted:
        return None
    form = table.options.get("format")
    if form is not None and form not in FORMATS:
        near = nearest(form, list(FORMATS))
        hint = f"did you mean '{near[0]}'?" if near else f"there are {', '.join(FORMATS)}"
        msg = f"table {table.path}: there is no format '{form}'"
        raise EddylineError("sql_semantic", msg, hint=hint)
    return form


def _required(table: CatalogTable, row: Connector) -> None:
    missing = [o.name for o in row.options if o.required and not _written(table.options, o)]
    if missing:
        names = ", ".join(f"'{m}'" for m in missing)
        msg = f"table {table.path}: connector '{row.name}' needs the option {names}"
        raise EddylineError("sql_semantic", msg, hint=f"add {missing[0]!r} = '…' to WITH (…)")


def _written(options: Mapping[str, str], option: Option) -> list[str]:
    return [n for n in (option.name, *option.aliases) if n in options]


def _unknown(table: CatalogTable, name: str, key: str, known: list[str]) -> EddylineError:
    near = nearest(key, known)
    hint = f"did you mean '{near[0]}'?" if near else None
    return EddylineError(
        "sql_semantic",
        f"unsupported options found for '{name}' in table {table.path}: '{key}'",
        detail="supported options: " + ", ".join(["connector", *known]),
        hint=hint,
    )


def _typed(table: CatalogTable, key: str, option: Option, value: str) -> None:
    """The value must be of the option's kind."""
    kind = option.kind
    good = True
    if "|" in kind:
        good = value.upper() in kind.upper().split("|")
    elif kind == "boolean":
        good = value.lower() in ("true", "false")
    elif kind == "integer":
        good = re.fullmatch(r"[+-]?\d+", value.strip()) is not None
    elif kind == "duration":
        duration_ms(value, key)
    if good:
        return
    wanted = kind.replace("|", ", ") if "|" in kind else f"a {kind}"
    msg = f"table {table.path}: option '{key}' is '{value}'"
    raise EddylineError("sql_semantic", msg, hint=f"it must be {wanted}. {option.meaning}")


_UNITS_MS = {
    "": 1, "ms": 1, "milli": 1, "millis": 1, "millisecond": 1, "milliseconds": 1,
    "s": 1000, "sec": 1000, "secs": 1000, "second": 1000, "seconds": 1000,
    "m": 60_000, "min": 60_000, "mins": 60_000, "minute": 60_000, "minutes": 60_000,
    "h": 3_600_000, "hour": 3_600_000, "hours": 3_600_000,
    "d": 86_400_000, "day": 86_400_000, "days": 86_400_000,
}  # fmt: skip


def duration_ms(text: str, key: str) -> int:
    """A duration such as ``10 s`` or ``5 min`` in milliseconds; a bare number is milliseconds.

    Raises:
        EddylineError: ``sql_semantic`` naming ``key``.
    """
    match = re.fullmatch(r"(\d+)\s*([a-zA-Z]*)", text.strip())
    if match is None or match.group(2).lower() not in _UNITS_MS:
        msg = f"option '{key}' is '{text}', which is no duration"
        raise EddylineError("sql_semantic", msg, hint="for example '10 s' or '5 min'")
    return int(match.group(1)) * _UNITS_MS[match.group(2).lower()]


def _value(table: CatalogTable, row: Connector, name: str) -> str | None:
    option = next(o for o in row.options if o.name == name)
    for spelling in (option.name, *option.aliases):
        if spelling in table.options:
            return table.options[spelling]
    return option.default


def _flag(table: CatalogTable, key: str, default: str = "false") -> bool:
    return table.options.get(key, default).lower() == "true"


def kinesis_options(table: CatalogTable) -> KinesisOptions:
    """The options of a ``kinesis`` table, in either spelling.

    Raises:
        EddylineError: ``sql_semantic``.
    """
    row = check_options(table)
    position = InitialPosition((_value(table, row, "scan.stream.initpos") or "LATEST").upper())
    start = _value(table, row, "scan.stream.initpos-timestamp")
    if position is InitialPosition.AT_TIMESTAMP and start is None:
        msg = f"table {table.path}: AT_TIMESTAMP needs the option 'scan.stream.initpos-timestamp'"
        raise EddylineError("sql_semantic", msg, hint="for example '2026-11-24T10:00:00.000Z'")
    pattern = _value(table, row, "scan.stream.initpos-timestamp-format") or ""
    idle = int(_value(table, row, "scan.shard.idle.interval") or -1)
    timeout = _value(table, row, "scan.watermark.idle-timeout")
    if timeout is not None:
        idle = duration_ms(timeout, "scan.watermark.idle-timeout")
    stream = _value(table, row, "stream") or ""
    return KinesisOptions(
        stream=stream.rpartition("stream/")[2] if stream.startswith("arn:") else stream,
        region=_value(table, row, "aws.region"),
        endpoint=_value(table, row, "aws.endpoint"),
        format=_value(table, row, "format") or "",
        initpos=position,
        initpos_timestamp_ms=None if start is None else _instant_ms(table, start, pattern),
        field_delimiter=_value(table, row, "sink.partitioner-field-delimiter") or "|",
        dead_letter=_value(table, row, "bad-records") == "dead-letter",
        idle_ms=idle if idle > 0 else None,
    )


_JAVA = (
    ("yyyy", "%Y"), ("MM", "%m"), ("dd", "%d"), ("HH", "%H"), ("mm", "%M"), ("ss", "%S"),
    ("SSS", "%f"), ("XXX", "%z"), ("'", ""),
)  # fmt: skip


def _instant_ms(table: CatalogTable, text: str, pattern: str) -> int:
    """Epoch milliseconds of a time: epoch seconds as a number, ISO-8601, or Java ``pattern``."""
    try:
        if re.fullmatch(r"\d+(\.\d+)?", text):
            return round(float(text) * 1000)
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            for java, python in _JAVA:
                pattern = pattern.replace(java, python)
            moment = datetime.strptime(text, pattern)  # noqa: DTZ007 (zone is set below)
    except ValueError:
        msg = f"table {table.path}: '{text}' is no time to begin reading at"
        raise EddylineError(
            "sql_semantic", msg, hint="for example '2026-11-24T10:00:00.000Z'"
        ) from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return round(moment.timestamp() * 1000)


def filesystem_options(table: CatalogTable) -> FilesystemOptions:
    """The options of a ``filesystem`` table.

    Raises:
        EddylineError: ``sql_semantic``.
    """
    row = check_options(table)
    interval = _value(table, row, "source.monitor-interval")
    return FilesystemOptions(
        path=(_value(table, row, "path") or "").removeprefix("file://"),
        format=_value(table, row, "format") or "",
        monitor_interval_ms=None
        if interval is None
        else duration_ms(interval, "source.monitor-interval"),
        dead_letter=_value(table, row, "bad-records") == "dead-letter",
    )


def print_options(table: CatalogTable) -> PrintOptions:
    """The options of a ``print`` table."""
    row = check_options(table)
    return PrintOptions(
        _value(table, row, "print-identifier") or "", _flag(table, "standard-error")
    )


def datagen_options(table: CatalogTable) -> DatagenOptions:
    """The options of a ``datagen`` table."""
    row = check_options(table)
    total = _value(table, row, "number-of-rows")
    fields: dict[tuple[str, str], str] = {}
    for key, value in table.options.items():
        if key.startswith("fields."):
            column, _, option = key.removeprefix("fields.").rpartition(".")
            fields[(column, option)] = value
    rate = int(_value(table, row, "rows-per-second") or 10000)
    return DatagenOptions(rate, None if total is None else int(total), fields)


def json_options(table: CatalogTable) -> JsonOptions:
    """The ``json.`` options of a table."""
    standard = table.options.get("json.timestamp-format.standard", "SQL").upper()
    return JsonOptions(
        ignore_parse_errors=_flag(table, "json.ignore-parse-errors"),
        fail_on_missing_field=_flag(table, "json.fail-on-missing-field"),
        timestamp_standard=TimestampStandard(standard),
        decimal_as_plain_number=_flag(table, "json.encode.decimal-as-plain-number"),
        ignore_null_fields=_flag(table, "json.encode.ignore-null-fields"),
    )


def csv_options(table: CatalogTable) -> CsvOptions:
    """The ``csv.`` options of a table."""
    options = table.options
    quote: str | None = options.get("csv.quote-character", '"')
    if _flag(table, "csv.disable-quote-character"):
        quote = None
    delimiter = options.get("csv.field-delimiter", ",")
    return CsvOptions(
        field_delimiter=delimiter.encode().decode("unicode_escape"),
        quote_character=quote,
        escape_character=options.get("csv.escape-character"),
        null_literal=options.get("csv.null-literal"),
        allow_comments=_flag(table, "csv.allow-comments"),
        ignore_parse_errors=_flag(table, "csv.ignore-parse-errors"),
        array_element_delimiter=options.get("csv.array-element-delimiter", ";"),
    )


def raw_options(table: CatalogTable) -> RawOptions:
    """The ``raw.`` options of a table."""
    order = table.options.get("raw.endianness", "big-endian")
    return RawOptions(table.options.get("raw.charset", "UTF-8"), order == "big-endian")
