"""What commands print: results as a table or as JSON lines to stdout, messages to stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from eddyline.errors import EddylineError

# Header and how to get the cell's text from a row.
Columns = Sequence[tuple[str, Callable[[Any], object]]]


def listing(rows: Iterable[Any], columns: Columns, as_json: bool, empty: str) -> None:
    """Rows as one JSON object per line, or as a table; ``empty`` is printed if there are none."""
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
    """A plain table to stdout, as wide as it needs to be where stdout is not a terminal."""
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


def line(row: Any, out: IO[str] | None = None, *, flush: bool = True) -> None:
    """One JSON object to stdout (or ``out``)."""
    import msgspec

    out = sys.stdout if out is None else out
    out.write(json.dumps(msgspec.to_builtins(row), ensure_ascii=False) + "\n")
    if flush:
        out.flush()


def say(message: str) -> None:
    """A message, to stderr."""
    sys.stderr.write(message + "\n")
    sys.stderr.flush()


def outcome(result: Any, message: str, as_json: bool) -> None:
    """What a command has done: one JSON object to stdout, or a message to stderr."""
    if as_json:
        line(result)
    else:
        say(message)


def json_requested() -> bool:
    """Whether the command line asks for JSON; errors follow that before options are parsed."""
    arguments = sys.argv[1:]
    if "--" in arguments:
        arguments = arguments[: arguments.index("--")]
    return "--json" in arguments


def print_error(error: EddylineError) -> None:
    """The error on stderr: as one JSON object, or its sentence, place, detail and hint."""
    if json_requested():
        sys.stderr.write(json.dumps({"error": error.as_dict()}, ensure_ascii=False) + "\n")
        return
    first, _, rest = error.pretty().partition("\n")
    if sys.stderr.isatty():
        sys.stderr.write(f"\x1b[31merror:\x1b[0m {first}\n")
    else:
        sys.stderr.write(f"error: {first}\n")
    if rest:
        sys.stderr.write(rest + "\n")


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
