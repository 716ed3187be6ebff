"""``z``, as Zeppelin's notes use it: show tables, read the values of forms, keep values by name."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterable
from typing import Any

from eddyline.kernel.results import TableResult, value_of
from eddyline.kernel.running import SESSION_VARIABLE, Running, remote
from eddyline.kernel.table import Table

MIME = "application/vnd.eddyline.table+json"
QUERY_MIME = "application/vnd.eddyline.query+json"
PARAMETERS = "_eddyline_parameters"


class ZeppelinContext:
    """What a paragraph finds under ``z``."""

    def __init__(self) -> None:
        self._kept: dict[str, Any] = {}

    def show(self, table: Any, stream_type: str = "update", **options: Any) -> None:
        """Show a table, a query's text or a data frame; a stream's result as it changes."""
        if options:
            msg = f"z.show has no option {', '.join(options)} here; there is stream_type"
            raise TypeError(msg)
        if isinstance(table, TableResult):
            msg = "z.show takes a table: z.show(st_env.sql_query('SELECT ...'))"
            raise TypeError(msg)
        if isinstance(table, str):
            table = Table(table)
        if isinstance(table, Table):
            self._show_query(table.query, stream_type)
        elif hasattr(table, "columns") and hasattr(table, "itertuples"):
            rows = [[_text(v) for v in row] for row in table.itertuples(index=False)]
            publish([str(c) for c in table.columns], [], rows, len(rows), 0, uuid.uuid4().hex)
        else:
            msg = f"z.show cannot show a {type(table).__name__}; it takes a table or a data frame"
            raise TypeError(msg)

    def _show_query(self, query: str, mode: str) -> None:
        """Check the query here; the server runs it, so that a stream holds up no other Python."""
        for _ in Running(f"EXPLAIN {query}").events():
            pass
        from IPython import display as ipython

        display: Any = ipython.display
        display(
            {QUERY_MIME: {"query": query, "mode": mode}, "text/plain": "a query's table"}, raw=True
        )

    def input(self, name: str, default: Any = "") -> Any:
        """The value of the form of that name, as ``${name=default}`` in the text shows it."""
        return parameters().get(name, default)

    textbox = password = input

    def select(self, name: str, options: Iterable[Any] = (), default: Any = None, **_: Any) -> Any:
        """The chosen value of a form."""
        return parameters().get(name, default)

    def checkbox(self, name: str, options: Iterable[Any] = (), default: Any = None) -> list[Any]:
        """The ticked values of a form."""
        chosen = parameters().get(name, default)
        return list(chosen) if chosen is not None else []

    def getAsDataFrame(self, name: str) -> Any:
        """The table of a SQL paragraph with ``saveAs=name`` as a data frame; pandas is needed."""
        import pandas

        note = os.environ[SESSION_VARIABLE].removeprefix("note:")
        table = remote().notes.saved_table(note, name)
        types = table.types or ["STRING"] * len(table.columns)
        rows = [[value_of(t, v) for t, v in zip(types, row, strict=True)] for row in table.rows]
        return pandas.DataFrame(rows, columns=table.columns)

    def put(self, name: str, value: Any) -> None:
        """Keep a value by name."""
        self._kept[name] = value

    def get(self, name: str) -> Any:
        """A value that was kept; None if there is none."""
        return self._kept.get(name)


def parameters() -> dict[str, Any]:
    """The values of the paragraph's forms."""
    parameters_by_name = json.loads(os.environ.get(PARAMETERS, "{}"))
    return dict(parameters_by_name)


def publish(
    columns: list[str],
    types: list[str],
    rows: list[list[str | None]],
    count: int,
    skipped: int,
    place: str,
) -> None:
    """Send a table to the paragraph; another one with the same ``place`` replaces it."""
    from IPython import display as ipython

    display: Any = ipython.display

    table = {
        "columns": columns, "types": types, "rows": rows, "row_count": count, "skipped": skipped,
        "place": place,
    }  # fmt: skip
    plain = f"table of {count:,} rows"
    display({MIME: table, "text/plain": plain}, raw=True)


def _text(value: Any) -> str | None:
    return None if value is None or value != value else str(value)
