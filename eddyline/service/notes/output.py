"""What a paragraph shows: texts, tables, warnings, an error; and the same as a note keeps it."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from typing import Any

import msgspec

TEXT, TABLE, HTML = "TEXT", "TABLE", "HTML"
WARNING, FAILURE = "WARNING", "ERROR"
# Kinds of Zeppelin's that are kept as they are and shown as text.
_WARNED = "warning: "
_COLUMN = re.compile(r"\{(\d+)\}")


class OutputTable(msgspec.Struct, frozen=True):
    """Rows as printed, None for NULL; ``skipped`` of ``row_count`` rows are not in ``rows``.

    ``types`` are SQL types, empty for a table that was read from a file.
    """

    columns: list[str]
    rows: list[list[str | None]]
    types: list[str] = []
    row_count: int = 0
    skipped: int = 0


class Output(msgspec.Struct, frozen=True):
    """One thing a paragraph shows. kind: TEXT, TABLE, HTML, WARNING, ERROR, or Zeppelin's other."""

    kind: str
    text: str = ""
    table: OutputTable | None = None


Outputs = list[Output]
Message = dict[str, Any]


def message(output: Output) -> Message:
    """As a note keeps it: ``{"type": ..., "data": ...}``."""
    if output.table is not None:
        return {"type": TABLE, "data": tsv(output.table)}
    if output.kind == WARNING:
        return {"type": TEXT, "data": f"{_WARNED}{output.text}\n"}
    return {"type": TEXT if output.kind == FAILURE else output.kind, "data": output.text}


def outputs(messages: Iterable[Message], *, failed: bool) -> Outputs:
    """What a note's messages show; the last text of a paragraph that failed is its error."""
    shown = [_output(m) for m in messages if m.get("data")]
    if failed and shown and shown[-1].kind == TEXT:
        shown[-1] = Output(FAILURE, shown[-1].text)
    return shown


def _output(message: Message) -> Output:
    kind, data = str(message.get("type") or TEXT), str(message["data"])
    if kind == TABLE:
        return Output(TABLE, table=from_tsv(data))
    if kind == TEXT and data.startswith(_WARNED):
        return Output(WARNING, data.removeprefix(_WARNED).rstrip("\n"))
    return Output(kind, data)


def tsv(table: OutputTable) -> str:
    """A header and a line per row; as Zeppelin has no way to escape, tabs become blanks."""
    lines = ["\t".join(_cell(c) for c in table.columns)]
    lines += ["\t".join(_cell(v) for v in row) for row in table.rows]
    return "\n".join(lines) + "\n"


def _cell(value: str | None) -> str:
    return "null" if value is None else value.replace("\t", " ").replace("\n", " ")


def from_tsv(data: str) -> OutputTable:
    """The table of a header and lines; short lines are filled up."""
    head, *lines = data.rstrip("\n").split("\n")
    columns = head.split("\t")
    rows = [_row(line, len(columns)) for line in lines]
    return OutputTable(columns, rows, [], len(rows), 0)


def _row(line: str, width: int) -> list[str | None]:
    cells: list[str | None] = [None if c == "null" else c for c in line.split("\t")]
    return (cells + [""] * width)[:width]


def filled(template: str, row: list[str | None] | None) -> str:
    """The template with ``{0}``, ``{1}``, ... replaced by the row's values, which are text."""

    def value(match: re.Match[str]) -> str:
        index = int(match[1])
        value_text = row[index] if row is not None and index < len(row) else None
        return "" if value_text is None else html.escape(value_text)

    return _COLUMN.sub(value, template)
