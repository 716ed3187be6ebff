"""The table that ``TableResult.print()`` draws, as Flink's ``TableauStyle`` does.

The widths of a query follow from its types, because rows may come one by one; those of what a
statement shows, such as SHOW TABLES, follow from the rows.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator

WIDTH_MAX = 30
NULL = "<NULL>"
# The widths of types whose values have a length that is known.
_WIDTHS = {
    "TINYINT": 4, "SMALLINT": 6, "INT": 11, "BIGINT": 20, "BOOLEAN": 5, "DATE": 10, "TIME": 8,
}  # fmt: skip
_TIMES = ("TIMESTAMP", "TIMESTAMP_LTZ")
_TYPE = re.compile(r"(\w+)(?:\((\d+)(?:, ?\d+)?\))?( NOT NULL)?$")
Line = list[str | None]


def width_of(kind: str) -> int:
    """The width of a column of this type."""
    match = _TYPE.match(kind)
    width = _width(match[1], int(match[2] or 0)) if match else WIDTH_MAX
    is_nullable = match is None or not match[3]
    return max(width, len(NULL)) if is_nullable else width


def _width(name: str, precision: int) -> int:
    if name == "DECIMAL":
        return precision + 2
    if name in _TIMES:
        return 19 if precision == 0 else precision + 20
    return _WIDTHS.get(name, WIDTH_MAX)


def displayed_width(text: str) -> int:
    """The number of places on a terminal; East Asian characters take two."""
    return sum(2 if unicodedata.east_asian_width(c) in "FW" else 1 for c in text)


def lines(
    columns: list[str], types: list[str], rows: Iterable[Line], *, inferred: bool = False
) -> Iterator[str]:
    """The table's lines, as the rows arrive. inferred: widths follow from the rows.

    rows: printed values, None for NULL; each as long as ``columns``.
    """
    if inferred:
        rows = list(rows)
        widths = [
            max(
                displayed_width(name),
                *(min(displayed_width(v[i] or NULL), WIDTH_MAX) for v in rows),
            )
            if rows
            else displayed_width(name)
            for i, name in enumerate(columns)
        ]
    else:
        widths = [
            max(displayed_width(name), width_of(kind) if kind != "op" else 2)
            for name, kind in zip(columns, types, strict=True)
        ]
    border = "+" + "+".join("-" * (width + 2) for width in widths) + "+"
    count = 0
    for row in rows:
        if not count:
            yield from (border, _line(columns, widths), border)
        count += 1
        yield _line([NULL if v is None else v for v in row], widths)
    if not count:
        yield "Empty set"
        return
    yield from (border, f"{count} row{'s' if count > 1 else ''} in set")


def _line(values: list[str], widths: list[int]) -> str:
    cells = (_cell(value, width) for value, width in zip(values, widths, strict=True))
    return "| " + " | ".join(cells) + " |"


def _cell(value: str, width: int) -> str:
    missing = width - displayed_width(value)
    if missing >= 0:
        return " " * missing + value
    kept, places = "", 0
    for character in value:
        places += displayed_width(character)
        if places > width - 3:
            break
        kept += character
    return kept + "..."
