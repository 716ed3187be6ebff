"""From a stream's own records to a note about it: the table written, a look, a count, a forest.

Types are read off a sample, on the safe side: a column that is not the same in all records is a
STRING, because a table that can be read and cast is worth more than one that fails on record one
hundred and one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from eddyline.sql.grammar.reserved import RESERVED

# Beyond this a whole number is likely to outgrow INT.
_INT_MAX = 1_000_000
_COLUMNS_MAX = 200
_ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?")
_ISO_ZONED = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z")
_SQL = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{1,9})?")
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# Names that say "this is when it happened", the surest first.
_TIME_NAMES = ("event_time", "eventtime", "event_timestamp", "timestamp", "time", "ts", "datetime")
ISO, SQL = "ISO-8601", "SQL"
ARRIVAL = "arrival"


@dataclass(frozen=True, slots=True)
class StreamColumn:
    """A column as the sample suggests it; ``values``: how many unlike texts were seen."""

    name: str
    type: str
    standard: str | None = None
    values: int = 0


@dataclass(frozen=True, slots=True)
class StreamSchema:
    """The columns of a stream's records and its event time; no columns: the records are no JSON.

    ``time`` is None where no column says when a record happened; then its arrival does.
    """

    columns: tuple[StreamColumn, ...]
    time: str | None = None
    standard: str | None = None


@dataclass(frozen=True, slots=True)
class NoteDraft:
    """Texts and titles of a note's paragraphs."""

    texts: list[str]
    titles: list[str]


def infer(samples: Iterable[bytes]) -> StreamSchema:
    """The schema that fits all of ``samples`` (payloads); one of no columns if none does."""
    rows = [_object(payload) for payload in samples]
    if not rows or any(row is None for row in rows):
        return StreamSchema(())
    values_by_key: dict[str, list[Any]] = {}
    for row in rows:
        for name, value in (row or {}).items():
            values_by_key.setdefault(name, []).append(value)
    columns = [_column(name, values) for name, values in list(values_by_key.items())[:_COLUMNS_MAX]]
    return _timed(_distinct(columns))


def _object(payload: bytes) -> dict[str, Any] | None:
    try:
        row = json.loads(payload)
    except (ValueError, RecursionError):
        return None
    return row if isinstance(row, dict) and row else None


def _column(name: str, values: Sequence[Any]) -> StreamColumn:
    known = [v for v in values if v is not None]
    kinds = {type(v) for v in known}
    if kinds == {bool}:
        return StreamColumn(name, "BOOLEAN", values=2)
    if kinds == {int}:
        if all(abs(v) <= _INT_MAX for v in known):
            return StreamColumn(name, "INT")
        return StreamColumn(name, "BIGINT" if all(abs(v) < 2**63 for v in known) else "STRING")
    if kinds and kinds <= {int, float}:
        return StreamColumn(name, "DOUBLE")
    if kinds == {str}:
        return _text_column(name, known)
    return StreamColumn(name, "STRING")


def _text_column(name: str, texts: Sequence[str]) -> StreamColumn:
    forms = ((_ISO, "TIMESTAMP(3)", ISO), (_SQL, "TIMESTAMP(3)", SQL))
    for form, kind, standard in (*forms, (_ISO_ZONED, "TIMESTAMP_LTZ(3)", ISO)):
        if all(form.fullmatch(text) for text in texts):
            return StreamColumn(name, kind, standard)
    return StreamColumn(name, "STRING", values=len(set(texts)))


def _distinct(columns: list[StreamColumn]) -> list[StreamColumn]:
    """One time standard per table: columns of the other one stay text."""
    standards = [c.standard for c in columns if c.standard]
    chosen = ISO if ISO in standards else SQL
    return [
        c if c.standard in (None, chosen) else StreamColumn(c.name, "STRING", values=2**31)
        for c in columns
    ]


def _timed(columns: list[StreamColumn]) -> StreamSchema:
    times = [c for c in columns if c.standard]
    if not times:
        return StreamSchema(tuple(columns))
    ranks = {name: rank for rank, name in enumerate(_TIME_NAMES)}
    best = min(times, key=lambda c: ranks.get(c.name.lower(), len(ranks)))
    return StreamSchema(tuple(columns), best.name, best.standard)


def create_table(stream: str, region: str, schema: StreamSchema) -> str:
    """The CREATE TABLE statement of a stream."""
    lines = [f"    {identifier(c.name)} {c.type}" for c in schema.columns] or ["    line STRING"]
    if schema.time is not None:
        at = identifier(schema.time)
        lines.append(f"    WATERMARK FOR {at} AS {at} - INTERVAL '5' SECOND")
    else:
        at = _arrival(schema)
        lines.append(f"    {at} TIMESTAMP(3) METADATA FROM 'timestamp' VIRTUAL")
        lines.append(f"    WATERMARK FOR {at} AS {at}")
    options = {
        "connector": "kinesis",
        "stream": stream,
        "aws.region": region,
        "scan.stream.initpos": "TRIM_HORIZON",
        "format": "json" if schema.columns else "raw",
    }
    if schema.columns and schema.standard is not None:
        options["json.timestamp-format.standard"] = schema.standard
    option_lines = ",\n".join(f"    '{key}' = '{_quoted(value)}'" for key, value in options.items())
    body = ",\n".join(lines)
    return f"CREATE TABLE IF NOT EXISTS {table_of(stream)} (\n{body}\n)\nWITH (\n{option_lines}\n);"


def draft(stream: str, region: str, schema: StreamSchema) -> NoteDraft:
    """A note about a stream."""
    table = table_of(stream)
    at = identifier(schema.time) if schema.time is not None else _arrival(schema)
    group = _group(schema)
    keys = f"window_start, window_end, {group}" if group else "window_start, window_end"
    shown = f"window_end, {group}" if group else "window_end"
    window = f"TABLE(TUMBLE(TABLE {table}, DESCRIPTOR({at}), INTERVAL '10' SECOND))"
    paragraphs = [
        ("", _words(stream, schema)),
        ("The stream as a table", f"%flink.ssql\n{create_table(stream, region, schema)}"),
        ("Records as they come", f"%flink.ssql(type=append)\nSELECT * FROM {table};"),
        (
            "Records in ten seconds",
            f"%flink.ssql(type=update)\nSELECT {shown}, COUNT(*) AS records\nFROM {window}\n"
            f"GROUP BY {keys};",
        ),
    ]
    return NoteDraft([text for _, text in paragraphs], [title for title, _ in paragraphs])


def _words(stream: str, schema: StreamSchema) -> str:
    if not schema.columns:
        what = (
            "Its records are no JSON objects (or it holds none yet), so that the table has each "
            "record as one text. Put in your columns and another `format` if you know better."
        )
    elif schema.time is None:
        what = "Columns and types are read off its newest records; a record's time is its arrival."
    else:
        what = f"Columns and types are read off its newest records; `{schema.time}` is their time."
    return (
        f"%md\n### {stream}\n{what} Run the paragraphs in order: `Shift`+`Enter` runs one, and "
        "the table below it is live until you stop it."
    )


def _group(schema: StreamSchema) -> str | None:
    """The column with few unlike texts, to count by."""
    few = [c for c in schema.columns if c.type == "STRING" and 2 <= c.values <= 12]
    return identifier(min(few, key=lambda c: c.values).name) if few else None


def _arrival(schema: StreamSchema) -> str:
    names = {c.name.lower() for c in schema.columns}
    return ARRIVAL if ARRIVAL not in names else f"{ARRIVAL}_time"


def table_of(stream: str) -> str:
    """The name of a stream's table."""
    return identifier(re.sub(r"\W", "_", stream, flags=re.ASCII))


def identifier(name: str) -> str:
    """A name as SQL takes it: in backticks where it has to be."""
    if _PLAIN.fullmatch(name) and name.upper() not in RESERVED:
        return name
    return "`" + name.replace("`", "``") + "`"


def _quoted(text: str) -> str:
    return text.replace("'", "''")
