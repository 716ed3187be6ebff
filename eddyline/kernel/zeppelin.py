"""``z``, as Zeppelin's notes use it: shows tables and forms, and keeps values by name."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterable
from typing import Any

from eddyline.kernel.results import TableResult, value_of
from eddyline.kernel.running import REFRESH_MS, SESSION_VARIABLE, RunningText, remote
from eddyline.kernel.table import Table

MIME = "application/vnd.eddyline.table+json"
QUERY_MIME = "application/vnd.eddyline.query+json"
FORM_MIME = "application/vnd.eddyline.form+json"
PARAMETERS = "_eddyline_parameters"
Options = Iterable[Any]


# What Zeppelin's ``z`` has and ours has not, and what to write instead.
_ANGULAR = "print('%html <b>text</b>') shows HTML, and z.input makes a form"
_RUN = "the note's menu runs all paragraphs, and a schedule does so at its times"
_ADVICE = {
    "angular": _ANGULAR, "angularBind": _ANGULAR, "angularUnbind": _ANGULAR,
    "run": _RUN, "runAll": _RUN, "runNote": _RUN, "runParagraph": _RUN,
    "getInterpreterContext": "z.get and z.put hold values",
}  # fmt: skip


class ZeppelinContext:
    """What a paragraph finds under ``z``."""

    def __init__(self) -> None:
        self._kept: dict[str, Any] = {}

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        advice = _ADVICE.get(name, "there are show, forms such as input and select, put and get")
        msg = f"z.{name} is not available here: {advice}"
        raise AttributeError(msg)

    def show(
        self, table: Any, stream_type: str = "update", *, template: str | None = None,
        refreshInterval: int = REFRESH_MS, **options: Any,
    ) -> None:  # fmt: skip
        """Show a table, a query's text or a data frame; a stream's result as it changes.

        template: HTML for the newest row, for ``stream_type="single"``; ``{0}`` is its first value.
        refreshInterval: milliseconds between two states of a result.
        """
        if options:
            known = "stream_type, template, refreshInterval"
            msg = f"z.show has no option {', '.join(options)} here; there are {known}"
            raise TypeError(msg)
        if isinstance(table, TableResult):
            msg = "z.show takes a table: z.show(st_env.sql_query('SELECT ...'))"
            raise TypeError(msg)
        if isinstance(table, str):
            table = Table(table)
        if isinstance(table, Table):
            _show_query(table, stream_type, template, int(refreshInterval))
        elif hasattr(table, "columns") and hasattr(table, "itertuples"):
            rows = [[_text(v) for v in row] for row in table.itertuples(index=False)]
            publish([str(c) for c in table.columns], [], rows, len(rows), 0, uuid.uuid4().hex)
        elif getattr(table, "__name__", "") == "matplotlib.pyplot":
            table.show()
        else:
            msg = f"z.show cannot show a {type(table).__name__}; it takes a table or a data frame"
            raise TypeError(msg)

    def input(self, name: str, defaultValue: Any = "") -> Any:
        """A field of text; its value, at first the default."""
        return _form(name, "textbox", defaultValue)

    textbox = input

    def password(self, name: str) -> Any:
        """A field of text that is not shown."""
        return _form(name, "password", "")

    def select(self, name: str, options: Options = (), defaultValue: Any = "") -> Any:
        """A choice among ``options``: values, or pairs of value and label."""
        return _form(name, "select", defaultValue, options)

    def checkbox(
        self,
        name: str,
        options: Options = (),
        defaultChecked: Iterable[Any] = (),
    ) -> list[Any]:
        """The ticked ones of ``options``: values, or pairs of value and label."""
        return list(_form(name, "checkbox", list(defaultChecked), options))

    def noteInput(self, name: str, defaultValue: Any = "") -> Any:
        """As ``input``; the value is the whole note's."""
        return _form(name, "textbox", defaultValue, note_wide=True)

    noteTextbox = noteInput

    def notePassword(self, name: str) -> Any:
        """As ``password``; the value is the whole note's."""
        return _form(name, "password", "", note_wide=True)

    def noteSelect(self, name: str, options: Options = (), defaultValue: Any = "") -> Any:
        """As ``select``; the value is the whole note's."""
        return _form(name, "select", defaultValue, options, note_wide=True)

    def noteCheckbox(
        self,
        name: str,
        options: Options = (),
        defaultChecked: Iterable[Any] = (),
    ) -> list[Any]:
        """As ``checkbox``; the value is the whole note's."""
        return list(_form(name, "checkbox", list(defaultChecked), options, note_wide=True))

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


def _show_query(table: Table, mode: str, template: str | None, refresh_ms: int) -> None:
    """Check the query here; the server runs it, so that a stream holds up no other Python."""
    query, options = table._query, table._options or {}
    for _ in RunningText(f"EXPLAIN {query}", options=options).events():
        pass
    show = {"query": query, "mode": mode, "options": options, "refresh_ms": refresh_ms}
    if mode == "single":
        show["template"] = template
    from IPython import display as ipython

    display: Any = ipython.display
    display({QUERY_MIME: show, "text/plain": "a query's table"}, raw=True)


def _form(
    name: str, kind: str, default: Any, options: Options = (), *, note_wide: bool = False
) -> Any:
    """Show a form at the paragraph; the value that it has there, or the default."""
    from eddyline.service.notes.forms import NOTE_WIDE, TYPES

    pairs = [o if isinstance(o, tuple | list) and len(o) == 2 else (o, o) for o in options]
    form = {
        "type": TYPES[kind],
        "name": name,
        "displayName": name,
        "defaultValue": [str(v) for v in default] if kind == "checkbox" else str(default),
        "hidden": False,
        "options": [{"value": str(value), "displayName": str(label)} for value, label in pairs],
        NOTE_WIDE: note_wide,
    }
    from IPython import display as ipython

    display: Any = ipython.display
    display({FORM_MIME: form, "text/plain": f"form {name}"}, raw=True)
    value = parameters("note" if note_wide else "paragraph").get(name, default)
    if kind == "checkbox":
        chosen = {str(v) for v in (value if isinstance(value, list) else [value])}
        return [v for v, _ in pairs if str(v) in chosen]
    return next((v for v, _ in pairs if str(v) == str(value)), value)


def parameters(whose: str) -> dict[str, Any]:
    """The values of the forms of the ``paragraph`` or the ``note``."""
    return dict(json.loads(os.environ.get(PARAMETERS, "{}")).get(whose, {}))


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
