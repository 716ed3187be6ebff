"""What commands print: listings as a table or as JSON lines to stdout, words to stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import IO, Any

import msgspec

# Header and how to get the cell's text from a row.
Columns = Sequence[tuple[str, Callable[[Any], object]]]


def listing(rows: Iterable[Any], columns: Columns, as_json: bool, empty: str) -> None:
    """Rows as one JSON object a line, or as a table; ``empty`` is said when there are none."""
    rows = list(rows)
    if as_json:
        for row in rows:
            line(row)
    elif not rows:
        say(empty)
    else:
        table(
            [name for name, _ in columns], [[text(get(row)) for _, get in columns] for row in rows]
        )


def table(names: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A plain table to stdout, as wide as it needs to be where nobody looks."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    shown = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for name in names:
        shown.add_column(name, overflow="fold")
    for row in rows:
        shown.add_row(*(Text(cell) for cell in row))
    width = None if sys.stdout.isatty() else 10_000
    Console(width=width, highlight=False).print(shown)


def line(row: Any, out: IO[str] | None = None) -> None:
    """One JSON object to stdout (or ``out``), at once."""
    out = sys.stdout if out is None else out
    out.write(json.dumps(msgspec.to_builtins(row), ensure_ascii=False) + "\n")
    out.flush()


def say(words: str) -> None:
    """Words, to stderr."""
    sys.stderr.write(words + "\n")
    sys.stderr.flush()


def text(value: object) -> str:
    """A cell."""
    if value is None:
        return "-"
    return f"{value:,.1f}" if isinstance(value, float) else str(value)


def moment(ms: int | None) -> str:
    """Epoch ms as UTC to the second."""
    if ms is None:
        return "-"
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")


def agrees(question: str) -> bool:
    """Ask yes or no on the terminal; no without one."""
    if not sys.stdin.isatty():
        return False
    sys.stderr.write(f"{question} [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")
