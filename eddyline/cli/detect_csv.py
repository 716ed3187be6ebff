"""A CSV file as typed columns: its delimiter, header line, decimal sign and thousands separators.

The delimiter is the one of comma, semicolon and tab that the first line has most of; with a
semicolon or a tab, a comma can be the decimal sign. A first line that holds a number or a date has
no names: the columns are then called ``column_1``, ``column_2`` and so on.
"""

from __future__ import annotations

import csv
import re

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

_DELIMITERS = (",", ";", "\t")
_DECIMAL_COMMA = re.compile(
    r"(?:^|[;\t])\s*-?(?:\d+|\d{1,3}(?:\.\d{3})+),\d+\s*(?:$|[;\t])", re.MULTILINE
)
_VALUE = re.compile(r"\s*[+-]?\d+([.,:]\d+)*([eE][+-]?\d+)?\s*|\s*\d{4}-\d\d-\d\d.*")
# Dates that can be read in one way only; month/day and day/month cannot.
_DATES = (
    pa.csv.ISO8601,
    *(f"{d}{t}" for d in ("%d.%m.%Y", "%Y/%m/%d") for t in (" %H:%M:%S", " %H:%M", "")),
)
# What stands between groups of three digits, beside the comma or the point that is not the decimal
# sign: an apostrophe, a space, and the two spaces at which no line breaks.
_SEPARATORS = "' \u00a0\u202f"


def read_csv(source: pa.NativeFile, first: bytes) -> pa.Table:
    """A CSV file whose first bytes are given."""
    lines = first.decode("utf-8", "replace").splitlines()
    header = lines[0] if lines else ""
    delimiter = max(_DELIMITERS, key=header.count)
    comma = delimiter != "," and _DECIMAL_COMMA.search("\n".join(lines)) is not None
    decimal = "," if comma else "."
    cells = next(csv.reader([header], delimiter=delimiter), [])
    names = None
    if any(_VALUE.fullmatch(cell) for cell in cells):
        names = [f"column_{nth}" for nth in range(1, len(cells) + 1)]
    table = pa.csv.read_csv(
        source,
        read_options=pa.csv.ReadOptions(column_names=names),
        parse_options=pa.csv.ParseOptions(delimiter=delimiter),
        convert_options=pa.csv.ConvertOptions(
            decimal_point=decimal, timestamp_parsers=list(_DATES)
        ),
    )
    for nth, name in enumerate(table.column_names):
        numbers = _without_separators(table.column(nth), decimal)
        if numbers is not None:
            table = table.set_column(nth, name, numbers)
    return table


def _without_separators(column: pa.ChunkedArray, decimal: str) -> pa.ChunkedArray | None:
    """A column of text as numbers if all of it are numbers, some with thousands separators."""
    if not pa.types.is_string(column.type):
        return None
    sign = re.escape(decimal)
    for separator in (*_SEPARATORS, "." if decimal == "," else ","):
        group = re.escape(separator)
        grouped = rf"^\s*[+-]?[0-9]{{1,3}}(?:{group}[0-9]{{3}})+(?:{sign}[0-9]+)?\s*$"
        plain = rf"^\s*[+-]?[0-9]+(?:{sign}[0-9]+)?\s*$|^\s*$"
        if not pc.any(pc.match_substring_regex(column, grouped)).as_py():
            continue
        if pc.all(pc.match_substring_regex(column, f"{grouped}|{plain}")).as_py():
            text = pc.utf8_trim_whitespace(pc.replace_substring(column, separator, ""))
            text = pc.replace_substring(text, decimal, ".")
            text = pc.if_else(pc.equal(text, ""), pa.scalar(None, pa.string()), text)
            return text.cast(pa.float64())
    return None
