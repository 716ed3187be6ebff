"""A file of rows as columns of text, and what its layout was found to be.

CSV with ``,`` ``;`` ``|`` or tab, with or without a header, or one JSON object per line; packed or
not. The text of every cell is kept, so that what is printed is what the file has.
"""

from __future__ import annotations

import csv
import gzip
import io
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.json

from eddyline.cli.column_text import is_number_text, is_time_text
from eddyline.errors import EddylineError

_DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
_SAMPLE = 1 << 16
_LINES = 50


@dataclass(slots=True)
class TextTable:
    """table: columns as text, or as JSON has them. notes: how the file was read, one sentence
    each, where it is not plain CSV with a header. delimiter: empty for JSON."""

    table: pa.Table
    delimiter: str
    notes: list[str] = field(default_factory=list)


def load(path: Path) -> TextTable:
    """The rows of a file.

    Raises:
        EddylineError: ``bad_file`` if it is neither CSV nor JSON lines, or has no rows.
    """
    try:
        data = _bytes(path)
        first = data[:_SAMPLE].lstrip(b"\xef\xbb\xbf \r\n")
        found = _json(data) if first[:1] == b"{" else _csv(data)
    except (pa.ArrowInvalid, OSError, EOFError, csv.Error) as error:
        hint = "CSV, or one JSON object per line"
        raise EddylineError("bad_file", f"{path} cannot be read: {error}", hint=hint) from None
    if not found.table.num_rows:
        raise EddylineError("bad_file", f"{path} has no rows", hint="CSV needs rows of values")
    return found


def _bytes(path: Path) -> bytes:
    data = path.read_bytes()
    if data[:2] == b"\x1f\x8b":
        data = gzip.decompress(data)
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        data = data.decode("utf-16").encode()
    return data


def _json(data: bytes) -> TextTable:
    return TextTable(pa.json.read_json(io.BytesIO(data)), "")


def _csv(data: bytes) -> TextTable:
    notes = []
    try:
        data[:_SAMPLE].decode("utf-8")
        encoding = "utf-8"
    except UnicodeDecodeError as error:
        encoding = "utf-8" if error.start > _SAMPLE - 4 else "cp1252"
    if encoding != "utf-8":
        notes.append("the text is no UTF-8; it was read as Windows-1252")
    sample = data[:_SAMPLE].decode(encoding, "replace").lstrip("\ufeff")
    lines = [line for line in sample.splitlines() if line.strip()][:_LINES]
    if not lines:
        raise pa.ArrowInvalid("it is empty")
    delimiter = _delimiter(lines)
    rows = list(csv.reader(lines, delimiter=delimiter))
    names = None if _has_header(rows) else [f"column{i + 1}" for i in range(len(rows[0]))]
    if delimiter != ",":
        notes.append(f"values are separated by a {_DELIMITERS[delimiter]}")
    if names is not None:
        notes.append(f"there is no header line; columns are called {', '.join(names)}")
    table = pa.csv.read_csv(
        io.BytesIO(data),
        read_options=pa.csv.ReadOptions(
            column_names=names or _unique(rows[0]),
            skip_rows=0 if names else 1,
            encoding="utf8" if encoding == "utf-8" else encoding,
        ),
        parse_options=pa.csv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
        convert_options=pa.csv.ConvertOptions(
            column_types={n: pa.string() for n in names or _unique(rows[0])},
            strings_can_be_null=False,
        ),
    )
    return TextTable(table, delimiter, notes)


def _unique(header: list[str]) -> list[str]:
    """Names of columns: none empty, none twice."""
    out: list[str] = []
    for i, name in enumerate(header):
        name = name.strip().lstrip("\ufeff") or f"column{i + 1}"
        out.append(name if name not in out else f"{name}_{i + 1}")
    return out


def _delimiter(lines: list[str]) -> str:
    """The delimiter that parts most lines into the same number of values, more than one."""
    best, chosen = (0.0, 0), ","
    for delimiter in (";", "\t", "|", ","):
        counts = [len(row) for row in csv.reader(lines, delimiter=delimiter)]
        usual = max(set(counts), key=counts.count)
        if usual > 1:
            share = counts.count(usual) / len(counts)
            if (round(share, 1), usual if delimiter != "," else 1) > best:
                best, chosen = (round(share, 1), usual), delimiter
    return chosen


def _has_header(rows: list[list[str]]) -> bool:
    """Whether the first row holds names: no value, where later rows hold numbers or times."""
    first, later = rows[0], rows[1:]
    if not later:
        return True
    named = False
    for i, cell in enumerate(first):
        below = [row[i] for row in later if i < len(row) and row[i].strip()]
        value = is_number_text(cell) or is_time_text(cell)
        if value and below and all(is_number_text(x) or is_time_text(x) for x in below):
            return False
        named |= not value
    return named
