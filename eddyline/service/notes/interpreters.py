"""From a paragraph to what is to be done: SQL to run, or HTML to show, by its interpreter.

One row an interpreter. What does not run here says so in a sentence, and what to do instead.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from eddyline.errors import EddylineError, nearest
from eddyline.service.notes import forms, header, pyflink
from eddyline.service.notes.header import Header
from eddyline.service.notes.note import Note, Paragraph

MODES = ("single", "update", "append")
REFRESH_MS, REFRESH_MS_MIN = 1000, 100
_COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Task:
    """What a paragraph asks for: ``sql`` or ``python`` to be run, ``html`` to be shown, or nothing.

    mode and refresh_ms say how a SELECT is shown; template how the newest row of a single one.
    """

    sql: str | None = None
    python: str | None = None
    html: str | None = None
    mode: str = "update"
    refresh_ms: int = REFRESH_MS
    job_name: str | None = None
    template: str | None = None
    warnings: tuple[str, ...] = ()


def task_of(paragraph: Paragraph, note: Note) -> Task:
    """What a paragraph asks for.

    Raises:
        EddylineError: ``invalid_argument`` for its properties, ``sql_unsupported`` for an
            interpreter or a piece of Python that does not run here.
    """
    found = header.parse(paragraph.text)
    if found.interpreter is None and not _COMMENT.sub("", found.body).strip():
        return Task()
    name = _interpreter(found, note)
    text = forms.fill(found.body, paragraph.params, note.params)
    return INTERPRETERS[name](text, found)


def interpreter_of(text: str, group: str) -> str:
    """The interpreter's name, for showing; the note's own where the paragraph names none."""
    try:
        found = header.parse(text).interpreter
    except EddylineError:
        return "?"
    return found or ("md" if group in ("md", "markdown") else "flink.ssql")


def _interpreter(found: Header, note: Note) -> str:
    name = found.interpreter
    if name is None:
        return "md" if note.group in ("md", "markdown") else "flink.ssql"
    if name in INTERPRETERS:
        return name
    if name in UNSUPPORTED:
        raise EddylineError("sql_unsupported", f"%{name} does not run here", hint=UNSUPPORTED[name])
    near = nearest(name, [*INTERPRETERS, *UNSUPPORTED])
    hint = f"did you mean %{near[0]}?" if near else f"there are {_listed()}"
    raise EddylineError("sql_unsupported", f"there is no interpreter %{name}", hint=hint)


def _listed() -> str:
    return ", ".join(f"%{name}" for name in INTERPRETERS)


def _ssql(text: str, found: Header) -> Task:
    mode = found.properties.get("type", "update")
    if mode not in MODES:
        msg = f"type={mode} is none of {', '.join(MODES)}"
        hint = "update shows the rows that are, append those that came, single the newest"
        raise EddylineError("invalid_argument", msg, hint=hint)
    return Task(
        sql=text if _COMMENT.sub("", text).strip() else None,
        mode=mode,
        refresh_ms=_refresh_ms(found.properties.get("refreshInterval")),
        job_name=found.properties.get("jobName"),
        template=found.properties.get("template"),
        warnings=tuple(header.warnings(found.properties)),
    )


def _refresh_ms(text: str | None) -> int:
    if text is None:
        return REFRESH_MS
    try:
        return max(REFRESH_MS_MIN, int(float(text)))
    except (ValueError, OverflowError):
        msg = f"refreshInterval={text} is no number"
        hint = "write milliseconds, as in refreshInterval=1000"
        raise EddylineError("invalid_argument", msg, hint=hint) from None


def _bsql(text: str, found: Header) -> Task:
    task = _ssql(text, found)
    warning = (
        "%flink.bsql is run as %flink.ssql: over a stream the result stays live "
        "and does not end by itself"
    )
    return replace(task, warnings=(*task.warnings, warning))


def _pyflink(text: str, found: Header) -> Task:
    """The SQL that can be read off the text, where no kernel can run the whole of it."""
    sql = pyflink.statements(text)
    return _ssql(sql, found)


def python_of(paragraph: Paragraph, note: Note) -> Task | None:
    """The Python of a paragraph for a kernel; None for a paragraph of another interpreter."""
    found = header.parse(paragraph.text)
    if found.interpreter not in PYTHON:
        return None
    warned = tuple(header.warnings(found.properties))
    body = "\n".join(line if line.strip() else "" for line in found.body.split("\n"))
    return Task(python=body, warnings=warned)


def _conf(text: str, found: Header) -> Task:
    """``key value`` a line, as SET statements; jars and packages have no meaning here."""
    out, warned = [], []
    for line in text.split("\n"):
        key, _, value = line.strip().partition(" ")
        if not key or key.startswith(("#", "//")):
            out.append("")
        elif key.startswith(("flink.", "zeppelin.", "FLINK_", "HADOOP_", "HIVE_")):
            warned.append(f"{key} is ignored: there is no Flink installation to set up here")
            out.append("")
        else:
            out.append(f"SET '{_quoted(key)}' = '{_quoted(value.strip())}';")
    sql = "\n".join(out)
    return Task(sql if sql.strip() else None, warnings=tuple(warned))


def _quoted(text: str) -> str:
    return text.replace("'", "''")


def _md(text: str, found: Header) -> Task:
    import markdown2  # type: ignore[import-untyped]

    extras = ["fenced-code-blocks", "tables", "strike", "task_list"]
    return Task(html=str(markdown2.markdown(text.strip(), extras=extras)))


INTERPRETERS: dict[str, Callable[[str, Header], Task]] = {
    "flink.ssql": _ssql,
    "flink.bsql": _bsql,
    "flink.pyflink": _pyflink,
    "flink.ipyflink": _pyflink,
    "flink.conf": _conf,
    "md": _md,
}
PYTHON = ("flink.pyflink", "flink.ipyflink", "ipyflink", "python", "python.ipython", "ipython")
_SQL = "write it as SQL in a %flink.ssql paragraph"
_NO_KERNEL = "Python runs in notes of a running server (eddyline up) with ipykernel installed"
UNSUPPORTED: dict[str, str] = {
    "flink": f"Scala is not run; {_SQL}",
    "flink.cmd": "there is no Flink command line; eddyline job lists and stops jobs",
    "sh": "run shell commands in a terminal",
    "python": _NO_KERNEL,
    "python.ipython": _NO_KERNEL,
    "ipython": _NO_KERNEL,
    "ipyflink": _NO_KERNEL,
    "python.sql": _SQL,
    "spark": _SQL,
    "spark.sql": _SQL,
    "angular": "HTML is shown by %md",
    "html": "HTML is shown by %md",
}
