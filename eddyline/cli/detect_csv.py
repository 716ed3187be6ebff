"""A CSV file as typed columns: its delimiter, header line, decimal sign and thousands separators.

The delimiter is the one of comma, semicolon, tab and bar that cuts the first lines into most
columns of equal number. With another delimiter than a comma, a comma can be the decimal sign. A
first line that holds a number or a date has no names: the columns are then called ``column_1``,
``column_2`` and so on. Every cell is read as text first (``detect_values``).
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from dataclasses import dataclass
from typing import IO, Any

import pyarrow as pa
import pyarrow.csv

from eddyline.cli.detect_reading import Reading, reading_of

_DELIMITERS = (",", ";", "\t", "|")
_DECIMAL_COMMA = re.compile(
    r"(?:^|[;\t|])\s*\"?(?:[€$£¥]|[A-Z]{3})?\s?-?(?:\d+|\d{1,3}(?:[.' \xa0]\d{3})+),\d+"
    r"(?:[\s\xa0]?[^\s\d;\t|\"]{1,5})?\"?\s*(?:$|[;\t|])",
    re.MULTILINE,
)
_VALUE = re.compile(r"\s*[+-]?\d+([.,:]\d+)*([eE][+-]?\d+)?\s*|\s*\d{4}-\d\d-\d\d.*")
# A first line by which spreadsheets are told the delimiter.
_TELLS = re.compile(r'"?sep=(.)"?\s*$', re.IGNORECASE)
_LINES = 50
BLOCK_MAX = 2**31 - 1
# (byte order mark, encoding), the longer marks first.
_MARKS = ((codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a file is written: skip: lines before the header or the first row; names: of the columns;
    has_names: whether a line of the file has them."""

    delimiter: str
    decimal: str
    skip: int
    names: tuple[str, ...]
    has_names: bool


def read_csv(source: IO[bytes], first: bytes) -> Reading:
    """A CSV file whose first bytes are given, from its beginning on."""
    encoding = next((name for mark, name in _MARKS if first.startswith(mark)), "utf-8")
    if encoding == "utf-8" and not _is_utf8(first):
        encoding = "cp1252"
    text = first.decode(encoding, "replace").removeprefix("\ufeff")
    dialect = dialect_of(text)
    table = _table(source.read(), dialect, encoding, newlines='"' in text)
    notes = [] if dialect.has_names else ["no header line: columns are column_1, column_2 …"]
    if dialect.delimiter != ",":
        sign = {"\t": "tab", ";": "semicolon"}.get(dialect.delimiter, dialect.delimiter)
        comma = ", with a decimal comma" if dialect.decimal == "," else ""
        notes.append(f"columns are separated by a {sign}{comma}")
    return reading_of(table, dialect.decimal, notes)


def _table(data: bytes, dialect: Dialect, encoding: str, *, newlines: bool) -> pa.Table:
    """The cells as texts. A row that is larger than a block of the reader needs a larger one."""
    names = list(dialect.names)

    def read(block_size: int | None) -> pa.Table:
        return pa.csv.read_csv(
            pa.BufferReader(data),
            read_options=pa.csv.ReadOptions(
                column_names=names, skip_rows=dialect.skip, encoding=encoding, block_size=block_size
            ),
            parse_options=pa.csv.ParseOptions(
                delimiter=dialect.delimiter, newlines_in_values=newlines
            ),
            convert_options=pa.csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string())),
        )

    try:
        return read(None)
    except pa.ArrowInvalid as error:
        if "straddl" not in str(error):
            raise
        return read(min(len(data) + 1, BLOCK_MAX))


def _is_utf8(first: bytes) -> bool:
    """A character that is cut off at the end does not count."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(first)
    except UnicodeDecodeError:
        return False
    return True


def dialect_of(text: str) -> Dialect:
    """How a file is written, by its first characters."""
    lines = text.splitlines()
    if len(lines) > 1 and not text.endswith("\n"):
        lines.pop()  # it may be cut off
    skip, separator = 0, None
    while skip < len(lines) and (lines[skip].startswith("#") or not lines[skip].strip()):
        skip += 1
    if skip < len(lines) and (match := _TELLS.match(lines[skip])):
        separator, skip = match[1], skip + 1
    lines = lines[skip:]
    delimiter = separator or _delimiter(lines)
    comma = delimiter != "," and _DECIMAL_COMMA.search("\n".join(lines)) is not None
    cells = _cells(lines[:1], delimiter)[0] if lines else []
    named = not any(_VALUE.fullmatch(cell) for cell in cells)
    names = [cell.strip() or f"column_{n}" for n, cell in enumerate(cells, 1)]
    if not named:
        names = [f"column_{n}" for n in range(1, len(cells) + 1)]
    return Dialect(delimiter, "," if comma else ".", skip + named, tuple(names), named)


def _cells(lines: list[str], delimiter: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO("\n".join(lines)), delimiter=delimiter)) or [[]]


def _delimiter(lines: list[str]) -> str:
    """The one that cuts most lines into as many columns as the first line."""

    def worth(delimiter: str) -> tuple[Any, ...]:
        counts = [len(row) for row in _cells(lines[:_LINES], delimiter)]
        return counts[0] > 1, counts.count(counts[0]) / len(counts), counts[0]

    return max(_DELIMITERS, key=worth)
