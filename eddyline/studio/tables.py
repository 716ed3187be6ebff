"""The tables and views of the catalog: their connector, jobs and DDL; rename and drop."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nicegui import ui

from eddyline.studio.context import StudioContext
from eddyline.studio.listing import Listing
from eddyline.studio.markup import escape, link, plural
from eddyline.studio.notice import Notice
from eddyline.studio.shell import ask, button, confirm, empty, every, heading, icon_button, page

if TYPE_CHECKING:
    from eddyline.service.tables import TableInfo, Tables

_COLUMNS = (
    ("Table", "wide"),
    ("Kind", "narrow-hidden"),
    ("Connector", "narrow-hidden"),
    ("Reads or writes", ""),
    ("Columns", "num"),
    ("Jobs", "num"),
)
_DEFAULT = "default_database."


def register(context: StudioContext) -> None:
    """Add the page."""

    @ui.page("/tables")
    def tables() -> None:
        # Loaded with the first visit: a server without streams does not need the catalog.
        from eddyline.service.tables import tables_of

        with page("tables", "Tables"):
            TablesPage(tables_of(context.services))


class TablesPage:
    """The page's list, and the dialog that shows a table's DDL."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._kinds: dict[str, str] = {}
        self._notice = Notice()
        with empty(
            "No tables yet",
            "CREATE TABLE in a note or in the SQL shell makes one. A table outlives the note that "
            "created it, so all of them are listed here.",
        ) as self._empty:
            button("Open the notes", lambda: ui.navigate.to("/notes"), kind="main")
        self._listing = Listing(_COLUMNS, "Tables and views", self._actions)
        every(2.0, tables.list, self._show)

    def _show(self, rows: list[TableInfo]) -> None:
        self._kinds = {row.path: row.kind for row in rows}
        self._empty.set_visibility(not rows)
        self._listing.set_visibility(bool(rows))
        self._listing.show({row.path: _cells(row) for row in rows})

    def _actions(self, path: str) -> None:
        name = _short(path)
        icon_button("code", f"Show the DDL of {name}", lambda: self._show_ddl(path))
        if self._kinds.get(path) == "table":
            icon_button("edit", f"Rename {name}", lambda: self._rename(path))
        icon_button("delete", f"Drop {name}", lambda: self._drop(path))

    async def _show_ddl(self, path: str) -> None:
        ddl = await self._notice.attempt(self._tables.definition, _quoted(path))
        if ddl is None:
            return
        with ui.dialog() as dialog, ui.card().classes("dialog"):
            heading(_short(path))
            ui.html(f"<pre>{escape(ddl)}</pre>", sanitize=False).classes("ddl")
            with ui.element("div").classes("row-line end"):
                button("Copy", lambda: ui.clipboard.write(ddl + ";"))
                button("Close", dialog.close, kind="main")
        await dialog
        dialog.delete()

    async def _rename(self, path: str) -> None:
        old = path.rpartition(".")[2]
        new = await ask(f"Rename {_short(path)}", "New name", old, "Rename")
        if new and new != old and await self._notice.does(self._tables.rename, _quoted(path), new):
            self._show(self._tables.list())

    async def _drop(self, path: str) -> None:
        kind = self._kinds.get(path, "table")
        words = "Its stream and the records in it stay. Jobs that run keep their copy of it."
        if not await confirm(f"Drop {kind} {_short(path)}?", words, f"Drop the {kind}"):
            return
        if await self._notice.does(self._tables.drop, _quoted(path)):
            self._show(self._tables.list())


def _cells(row: TableInfo) -> list[str]:
    comment = f'<div class="small muted clip">{escape(row.comment)}</div>' if row.comment else ""
    is_stream = row.connector.startswith("kinesis") and row.location
    location = link(f"/streams/{row.location}", row.location) if is_stream else escape(row.location)
    return [
        f'<div class="strong clip">{escape(_short(row.path))}</div>{comment}',
        row.kind,
        escape(row.connector) or "–",
        location or "–",
        str(row.columns),
        link("/jobs", plural(len(row.jobs), "job")) if row.jobs else "–",
    ]


def _short(path: str) -> str:
    """database.name, and the name alone in the default database."""
    return path.partition(".")[2].removeprefix(_DEFAULT)


def _quoted(path: str) -> str:
    """The path with its name in backticks, since a name may hold a dot."""
    catalog, database, name = path.split(".", 2)
    return f"{catalog}.{database}.`{name.replace('`', '``')}`"
