"""Small pieces of HTML and the words in them: numbers, times, links, state chips, sparklines.

Everything that comes from data passes ``escape``; what these functions return is safe to show.
All times are UTC, as Flink prints them.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from datetime import UTC, datetime

from eddyline.service.notes.output import OutputTable

escape = html.escape
# What a state is about, for its colour; the word is always shown too.
_TONES = {
    "RUNNING": "on",
    "ACTIVE": "on",
    "STARTING": "wait",
    "RESTARTING": "wait",
    "PENDING": "wait",
    "CREATING": "wait",
    "DELETING": "wait",
    "UPDATING": "wait",
    "STOPPING": "wait",
    "FORCE_STOPPING": "wait",
    "IN_PROGRESS": "wait",
    "FAILED": "bad",
    "ERROR": "bad",
    "ANOMALOUS": "bad",
    "ORDINARY": "on",
}
_WORDS = {
    "ABORT": "stopped",
    "FORCE_STOPPING": "stopping",
    "IN_PROGRESS": "in progress",
}
DAY_MS = 86_400_000
_SPARK_WIDTH, _SPARK_HEIGHT = 130, 30
NUMBERS = ("TINYINT", "SMALLINT", "INT", "BIGINT", "FLOAT", "DOUBLE", "DECIMAL")


def number(value: float | None) -> str:
    """``12,345``, ``0.25``; a dash for None."""
    if value is None:
        return "–"
    if isinstance(value, int) or abs(value) >= 100 or value == round(value):
        return f"{value:,.0f}"
    return f"{value:,.1f}" if abs(value) >= 1 else f"{value:.2g}"


def figure(value: float) -> str:
    """A measured value with what matters of its decimals: ``396.21``, ``0.0213``, ``12,345``."""
    if value == int(value) and abs(value) < 1e15:
        return f"{value:,.0f}"
    return f"{value:,.2f}" if abs(value) >= 1 else f"{value:.4f}"


def percent(share: float) -> str:
    """A share of one as ``83 %``."""
    return f"{share * 100:.0f} %"


def size(count: float | None) -> str:
    """Bytes as ``1.5 MiB``."""
    if count is None:
        return "–"
    for unit in ("B", "KiB", "MiB"):
        if abs(count) < 1024:
            return f"{count:,.0f} {unit}" if unit == "B" else f"{count:,.1f} {unit}"
        count /= 1024
    return f"{count:,.1f} GiB"


def duration(ms: float | None) -> str:
    """``0.4 s``, ``12 s``, ``3 min 5 s``, ``2 h 4 min``."""
    if ms is None:
        return ""
    seconds = max(0.0, ms / 1000)
    if seconds < 10 and round(seconds, 1) % 1:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min" + (f" {whole % 60} s" if whole % 60 else "")
    minutes = whole % 3600 // 60
    return f"{whole // 3600} h" + (f" {minutes} min" if minutes else "")


def moment(ms: int | None) -> str:
    """Epoch ms as ``2026-11-24 10:00:00``."""
    return "–" if ms is None else _at(ms).strftime("%Y-%m-%d %H:%M:%S")


def clock_time(ms: int | None) -> str:
    """Epoch ms as ``10:00:00``."""
    return "–" if ms is None else _at(ms).strftime("%H:%M:%S")


def _at(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)


def when(ms: int, now_ms: int) -> str:
    """``10:00:00`` if that is today, else the whole moment."""
    return clock_time(ms) if ms // DAY_MS == now_ms // DAY_MS else moment(ms)


def ago(ms: int | None, now_ms: int) -> str:
    """``5 s ago``, ``3 min ago``, else the moment."""
    if ms is None:
        return "–"
    seconds = (now_ms - ms) // 1000
    if seconds < 1:
        return "just now"
    if seconds < 60:
        return f"{seconds} s ago"
    if seconds < 3600:
        return f"{seconds // 60} min ago"
    return moment(ms)


def plural(count: int, one: str, many: str | None = None) -> str:
    """``1 shard``, ``1,234 shards``."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def link(href: str, label: str) -> str:
    """An anchor."""
    return f'<a href="{escape(href)}">{escape(label)}</a>'


def state(word: str) -> str:
    """A chip with the state's word."""
    shown = _WORDS.get(word, word.lower())
    return f'<span class="state {_TONES.get(word, "")}">{escape(shown)}</span>'


def spark(values: Sequence[float]) -> str:
    """A line of the last values, newest on the right; nothing to hear for a screen reader."""
    top = max(values, default=0.0) or 1.0
    step = _SPARK_WIDTH / max(1, len(values) - 1)
    room = _SPARK_HEIGHT - 4
    points = " ".join(
        f"{i * step:.1f},{_SPARK_HEIGHT - 2 - room * v / top:.1f}" for i, v in enumerate(values)
    )
    line = f'<polyline points="{points}" fill="none" stroke="var(--chart-1)" stroke-width="1.5"/>'
    box = f"0 0 {_SPARK_WIDTH} {_SPARK_HEIGHT}"
    return f'<svg class="spark" viewBox="{box}" aria-hidden="true">{line}</svg>'


def numeric_columns(table: OutputTable) -> list[bool]:
    """Which columns hold numbers."""
    return [is_number(kind) for kind in table.types] or _look_like_numbers(table)


def row_html(row: Sequence[str | None], numeric: Sequence[bool]) -> str:
    """A row of a table: numbers to the right, NULL distinct from text."""
    cells = zip(row, numeric, strict=True)
    return "<tr>" + "".join(_cell(v, ' class="num"' if n else "") for v, n in cells) + "</tr>"


def grid(table: OutputTable, rows_max: int) -> str:
    """A result as an HTML table: the newest rows, numbers to the right, NULL distinct from text."""
    numeric = numeric_columns(table)
    marks = [' class="num"' if n else "" for n in numeric]
    head = "".join(
        f'<th scope="col"{m}>{escape(c)}</th>' for c, m in zip(table.columns, marks, strict=True)
    )
    body = "".join(row_html(row, numeric) for row in table.rows[-rows_max:])
    return f'<table class="grid"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'


def _look_like_numbers(table: OutputTable) -> list[bool]:
    """Columns of a table without types, as a note keeps it, that hold nothing but numbers."""
    sample = table.rows[-50:]
    return [
        any(row[i] for row in sample) and all(_is_figure(row[i]) for row in sample)
        for i in range(len(table.columns))
    ]


def _is_figure(text: str | None) -> bool:
    return not text or text.lstrip("-").replace(".", "", 1).replace("E", "", 1).isdigit()


def _cell(value: str | None, mark: str) -> str:
    if value is None:
        return '<td class="null">NULL</td>'
    return f"<td{mark}>{escape(value)}</td>"


def is_number(kind: str) -> bool:
    """Whether values of an SQL type are numbers."""
    return kind.removesuffix(" NOT NULL").split("(")[0] in NUMBERS
