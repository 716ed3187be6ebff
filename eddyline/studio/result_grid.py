"""A result as a table: pages of rows, sorted and filtered on request, saved as CSV or TSV.

The rows stay on the server and a page of them is sent to the browser, so that a long result costs
a browser no more than a short one.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Sequence
from typing import Any

from nicegui import ui

from eddyline.service.notes.output import OutputTable
from eddyline.studio.markup import escape, number, numeric_columns, plural, row_html
from eddyline.studio.shell import button, icon_button, labelled

PAGE_ROWS = 100
_COLUMN_OF = (
    "(event) => { const b = event.target.closest('button[data-column]');"
    " if (b) emit(Number(b.dataset.column)); }"
)
Row = Sequence[str | None]


class ResultGrid:
    """The table, with its pages, its filter and its downloads."""

    def __init__(self, file: Callable[[], str]) -> None:
        self._file = file
        self._table = OutputTable([], [])
        self._newest_first = False
        self._rows: list[Row] = []
        self._page = 0
        self._sorted: tuple[int, bool] | None = None  # column, descending
        with ui.element("div").classes("stack tight") as self.element:
            self._bar = ui.element("div").classes("row-line grid-bar")
            frame = ui.element("div").classes("grid-frame").props("tabindex=0 role=region")
            frame.props["aria-label"] = "Result"
            with frame, ui.element("table").classes("grid"):
                self._head = ui.html("", sanitize=False, tag="thead")
                self._body = ui.html("", sanitize=False, tag="tbody")
            self._head.on("click", self._sort, js_handler=_COLUMN_OF)
        with self._bar:
            self._filter = labelled(ui.input("Filter rows", on_change=self._filtered))
            self._filter.props("clearable debounce=300").classes("filter")
            self._count = ui.label().classes("muted small grow").props("role=status")
            self._back = icon_button("chevron_left", "Earlier rows", lambda: self._turn(-1))
            self._place = ui.label().classes("muted small")
            self._forth = icon_button("chevron_right", "Further rows", lambda: self._turn(1))
            with button("Save", icon="file_download", kind="quiet"), ui.menu():
                ui.menu_item("All rows as CSV", lambda: self._save(",", "csv"))
                ui.menu_item("All rows as TSV", lambda: self._save("\t", "tsv"))

    def show(self, table: OutputTable, *, newest_first: bool) -> None:
        """The rows as they are now; the page, the order and the filter remain."""
        if table.columns != self._table.columns:
            self._page, self._sorted = 0, None
        self._table, self._newest_first = table, newest_first
        self._draw()

    def set_visibility(self, visible: bool) -> None:
        """Show the table, or nothing."""
        self.element.set_visibility(visible)

    def _draw(self) -> None:
        table = self._table
        self._rows = arranged(table, self._newest_first, self._sorted, self._words)
        pages = max(1, math.ceil(len(self._rows) / PAGE_ROWS))
        self._page = min(self._page, pages - 1)
        first = self._page * PAGE_ROWS
        marks = numeric_columns(table)
        _put(self._head, head_html(table.columns, marks, self._sorted))
        shown = self._rows[first : first + PAGE_ROWS]
        _put(self._body, "".join(row_html(row, marks) for row in shown))
        self._bar.set_visibility(len(table.rows) > 1)
        self._count.set_text(count_text(table, len(self._rows), self._words))
        self._place.set_text(f"{first + 1:,}–{first + len(shown):,}" if pages > 1 else "")
        for arrow, usable in ((self._back, self._page > 0), (self._forth, self._page + 1 < pages)):
            arrow.set_visibility(pages > 1)
            arrow.set_enabled(usable)

    @property
    def _words(self) -> str:
        return str(self._filter.value or "").strip().lower()

    def _turn(self, by: int) -> None:
        self._page += by
        self._draw()

    def _filtered(self) -> None:
        self._page = 0
        self._draw()

    def _sort(self, event: Any) -> None:
        """Upwards, downwards, and as it was."""
        column, now = int(event.args), self._sorted
        if now is None or now[0] != column:
            self._sorted = (column, False)
        else:
            self._sorted = None if now[1] else (column, True)
        self._page = 0
        self._draw()

    def _save(self, delimiter: str, ending: str) -> None:
        rows = arranged(self._table, self._newest_first, self._sorted, "")
        data = delimited(self._table.columns, rows, delimiter)
        ui.download.content(data, f"{self._file()}.{ending}")


def _put(element: ui.html, content: str) -> None:
    if element.content != content:
        element.set_content(content)


def arranged(
    table: OutputTable, newest_first: bool, order: tuple[int, bool] | None, words: str
) -> list[Row]:
    """The rows that contain ``words``, in the chosen order."""
    rows: list[Row] = [r for r in table.rows if not words or _contains(r, words)]
    if order is None:
        return rows[::-1] if newest_first else rows
    column, descending = order
    numeric = numeric_columns(table)[column]
    present = [row for row in rows if row[column] is not None]
    present.sort(key=lambda row: _sort_key(row[column] or "", numeric), reverse=descending)
    return [*present, *(row for row in rows if row[column] is None)]


def _sort_key(text: str, numeric: bool) -> tuple[float, str]:
    if not numeric:
        return 0.0, text
    try:
        value = float(text)
    except ValueError:
        return math.inf, text
    return (math.inf if math.isnan(value) else value), text


def _contains(row: Row, words: str) -> bool:
    return any(words in cell.lower() for cell in row if cell is not None)


def count_text(table: OutputTable, shown: int, words: str) -> str:
    """How many rows there are, and which of them are here."""
    kept, count = len(table.rows), max(table.row_count, len(table.rows))
    text = plural(count, "row")
    if kept < count:
        text += f", the newest {number(kept)} kept"
    return f"{text}, {number(shown)} with “{words}”" if words else text


def head_html(
    columns: Sequence[str], numeric: Sequence[bool], order: tuple[int, bool] | None
) -> str:
    """The header row; a press on a name sorts by it."""
    cells = []
    for index, name in enumerate(columns):
        chosen = order is not None and order[0] == index
        direction = "descending" if order is not None and order[1] else "ascending"
        state = f' aria-sort="{direction}"' if chosen else ""
        arrow = {"ascending": " ↑", "descending": " ↓"}[direction] if chosen else ""
        mark = ' class="num"' if numeric[index] else ""
        cells.append(
            f'<th scope="col"{mark}{state}><button type="button" data-column="{index}" '
            f'title="Sort by {escape(name)}">{escape(name)}'
            f'<span aria-hidden="true">{arrow}</span></button></th>'
        )
    return f"<tr>{''.join(cells)}</tr>"


def delimited(columns: Sequence[str], rows: Sequence[Row], delimiter: str) -> bytes:
    """CSV as RFC 4180 has it, or with tabs; NULL is an empty field."""
    out = io.StringIO()
    writer = csv.writer(
        out, delimiter=delimiter, lineterminator="\r\n" if delimiter == "," else "\n"
    )
    writer.writerow(columns)
    writer.writerows(["" if cell is None else cell for cell in row] for row in rows)
    return out.getvalue().encode()
