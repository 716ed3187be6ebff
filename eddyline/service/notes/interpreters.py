"""From a paragraph to what is to be done: SQL to run, or HTML to show, by its interpreter.

One row an interpreter. What does not run here says so in a sentence, and what to do instead.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from eddyline.errors import EddylineError, nearest
from eddyline.service.notes import forms, header, pyflink, scala
from eddyline.service.notes.forms import Form
from eddyline.service.notes.header import ParagraphHeader
from eddyline.service.notes.note import Note, Paragraph

MODES = ("single", "update", "append")
REFRESH_MS, REFRESH_MS_MIN = 1000, 100
_COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)


@dataclass(frozen=True, slots=True)
class ParagraphTask:
    """What a paragraph is to do: run ``sql``, ``python`` or ``shell``, show ``html``, or nothing.

    mode and refresh_ms say how a SELECT is shown; template how the newest row of a single one.
    options: session options for this run alone. texts: shown before anything that runs. start: what
    of its saved state a job of a known name begins with.
    """

    sql: str | None = None
    python: str | None = None
    shell: str | None = None
    html: str | None = None
    mode: str = "update"
    refresh_ms: int = REFRESH_MS
    job_name: str | None = None
    template: str | None = None
    warnings: tuple[str, ...] = ()
    options: dict[str, str] = field(default_factory=dict)
    texts: tuple[str, ...] = ()
    start: str = "state"

    @property
    def runs(self) -> bool:
        """Whether there is something that takes time."""
        return any(part is not None for part in (self.sql, self.python, self.shell))


def task_of(paragraph: Paragraph, note: Note) -> ParagraphTask:
    """What a paragraph asks for.

    Raises:
        EddylineError: ``invalid_argument`` for its properties, ``sql_unsupported`` for an
            interpreter or a piece of Python that does not run here.
    """
    parsed = header.parse(paragraph.text)
    if parsed.interpreter is None and not _COMMENT.sub("", parsed.body).strip():
        return ParagraphTask()
    name = _interpreter(parsed, note)
    text = forms.fill(parsed.body, paragraph.params, note.params)
    return _with_savepoints(INTERPRETERS[name](text, parsed), parsed.properties, paragraph.id)


def _with_savepoints(
    task: ParagraphTask, properties: dict[str, str], paragraph: str
) -> ParagraphTask:
    """Zeppelin's properties of savepoints: a paragraph that has one keeps its job's state when it
    is cancelled. With ``resumeFromSavepoint=true`` (or from the latest checkpoint) its next run
    goes on from there, otherwise it starts over."""
    if task.sql is None:
        return task
    path = properties.get("execution.savepoint.path")
    if path:
        task = replace(task, options={**task.options, "execution.savepoint.path": path})
    resuming = [properties[key] for key in _RESUMING if key in properties]
    if not resuming and not {"savepointDir", "enableSavePoint"} & set(properties):
        return task
    resumes = any(value.lower() == "true" for value in resuming)
    name = task.job_name or f"paragraph-{paragraph}"
    return replace(task, job_name=name, start="state" if resumes else "fresh")


_RESUMING = ("resumeFromSavepoint", "resumeFromLatestCheckpoint", "runWithSavePoint")


def interpreter_of(text: str, group: str) -> str:
    """The interpreter's name, for showing; the note's own where the paragraph names none."""
    try:
        named = header.parse(text).interpreter
    except EddylineError:
        return "?"
    return full_name(named) if named else "md" if group in ("md", "markdown") else "flink.ssql"


def saved_as(text: str) -> str | None:
    """The name under which a paragraph's table can be had in Python; None if it has none."""
    try:
        return header.parse(text).properties.get("saveAs")
    except EddylineError:
        return None


def _interpreter(parsed: ParagraphHeader, note: Note) -> str:
    name = parsed.interpreter
    if name is None:
        return "md" if note.group in ("md", "markdown") else "flink.ssql"
    name = full_name(name)
    if name in INTERPRETERS:
        return name
    if name in UNSUPPORTED:
        raise EddylineError("sql_unsupported", f"%{name} does not run here", hint=UNSUPPORTED[name])
    near = nearest(name, [*INTERPRETERS, *UNSUPPORTED])
    hint = f"did you mean %{near[0]}?" if near else f"there are {_listed()}"
    raise EddylineError("sql_unsupported", f"there is no interpreter %{name}", hint=hint)


def full_name(name: str) -> str:
    """The interpreter that a name stands for: ``%ssql`` is ``%flink.ssql`` in a Flink note."""
    return _SHORT.get(name, name)


def _listed() -> str:
    return ", ".join(f"%{name}" for name in INTERPRETERS)


def _ssql(text: str, parsed: ParagraphHeader) -> ParagraphTask:
    mode = parsed.properties.get("type", "update")
    if mode not in MODES:
        msg = f"type={mode} is none of {', '.join(MODES)}"
        hint = "update shows the rows that are, append those that came, single the newest"
        raise EddylineError("invalid_argument", msg, hint=hint)
    return ParagraphTask(
        sql=text if _COMMENT.sub("", text).strip() else None,
        mode=mode,
        refresh_ms=_refresh_ms(parsed.properties.get("refreshInterval")),
        job_name=parsed.properties.get("jobName"),
        template=parsed.properties.get("template"),
        warnings=tuple(header.warnings(parsed.properties)),
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


def _bsql(text: str, parsed: ParagraphHeader) -> ParagraphTask:
    """Statements wait for each other, and only final results count."""
    return replace(_ssql(text, parsed), options=dict(_BATCH))


def _pyflink(text: str, parsed: ParagraphHeader) -> ParagraphTask:
    """The SQL that can be read off the text, where no kernel can run the whole of it."""
    sql = pyflink.statements(text)
    return _ssql(sql, parsed)


def python_of(paragraph: Paragraph, note: Note) -> ParagraphTask | None:
    """The Python of a paragraph for a kernel; None for a paragraph of another interpreter."""
    parsed = header.parse(paragraph.text)
    if parsed.interpreter is None or full_name(parsed.interpreter) not in PYTHON:
        return None
    warned = tuple(header.warnings(parsed.properties))
    text = parsed.body
    if parsed.properties.get("form") == "simple":  # else forms are made by z.input and its like
        text = forms.fill(text, paragraph.params, note.params)
    body = "\n".join(line if line.strip() else "" for line in text.split("\n"))
    return ParagraphTask(python=body, warnings=warned)


def forms_of(paragraph: Paragraph) -> list[Form]:
    """The forms of a paragraph that are shown: those of its text, and those its Python has made."""
    try:
        parsed = header.parse(paragraph.text)
    except EddylineError:
        return []
    python = parsed.interpreter is not None and full_name(parsed.interpreter) in PYTHON
    simple = not python or parsed.properties.get("form") == "simple"
    of_text = forms.forms(parsed.body) if simple else []
    made = [Form.of(kept) for kept in paragraph.made_forms.values()] if python else []
    return [form for form in (*of_text, *made) if not form.hidden]


def _conf(text: str, parsed: ParagraphHeader) -> ParagraphTask:
    """One ``key value`` per line, as SET statements; jars and packages have no meaning here."""
    out, warned = [], []
    for line in text.split("\n"):
        key, *values = line.split(None, 1) or [""]
        value = "".join(values).strip()
        if not key or key.startswith(("#", "//")):
            out.append("")
        elif key.startswith(("flink.", "zeppelin.", "FLINK_", "HADOOP_", "HIVE_")):
            warned.append(f"{key} is ignored: there is no Flink installation to set up here")
            out.append("")
        else:
            out.append(f"SET '{_quoted(key)}' = '{_quoted(value)}';")
    sql = "\n".join(out)
    return ParagraphTask(sql if sql.strip() else None, warnings=tuple(warned))


def _quoted(text: str) -> str:
    return text.replace("'", "''")


def _md(text: str, parsed: ParagraphHeader) -> ParagraphTask:
    import markdown2  # type: ignore[import-untyped]

    extras = ["fenced-code-blocks", "tables", "strike", "task_list"]
    return ParagraphTask(html=str(markdown2.markdown(text.strip(), extras=extras)))


def _html(text: str, parsed: ParagraphHeader) -> ParagraphTask:
    return ParagraphTask(html=text)


def _text(text: str, parsed: ParagraphHeader) -> ParagraphTask:
    return ParagraphTask(texts=(text.strip(),))


def _shell(text: str, parsed: ParagraphHeader) -> ParagraphTask:
    return ParagraphTask(shell=text if text.strip() else None)


def _scala(text: str, parsed: ParagraphHeader) -> ParagraphTask:
    """Scala does not run; the SQL in it, and functions that are built in, can be read off."""
    from eddyline.functions import FUNCTIONS
    from eddyline.sql.bind.forests import FUNCTIONS as FORESTS

    read = scala.read(text, lambda name: name.upper() in FORESTS or name.upper() in FUNCTIONS)
    return replace(_ssql(read.sql, parsed), texts=read.registered)


INTERPRETERS: dict[str, Callable[[str, ParagraphHeader], ParagraphTask]] = {
    "flink.ssql": _ssql,
    "flink.bsql": _bsql,
    "flink.pyflink": _pyflink,
    "flink.ipyflink": _pyflink,
    "flink.conf": _conf,
    "flink": _scala,
    "md": _md,
    "html": _html,
    "text": _text,
    "sh": _shell,
}
# Names that other groups, or notes whose group is Flink's, use for the same interpreters.
_SHORT = {
    "ssql": "flink.ssql",
    "bsql": "flink.bsql",
    "pyflink": "flink.pyflink",
    "ipyflink": "flink.ipyflink",
    "conf": "flink.conf",
    "flink.scala": "flink",
    "scala": "flink",
    "ipython": "python",
    "python.ipython": "python",
    "markdown": "md",
    "md.md": "md",
    "md.markdown": "md",
    "angular": "html",
    "sh.sh": "sh",
}
PYTHON = ("flink.pyflink", "flink.ipyflink", "python")
_BATCH = {"execution.runtime-mode": "batch", "table.dml-sync": "true"}
_SQL = "write it as SQL in a %flink.ssql paragraph"
_NO_KERNEL = "Python runs in notes of a running server (eddyline up) with ipykernel installed"
UNSUPPORTED: dict[str, str] = {
    "flink.cmd": "there is no Flink command line; eddyline job lists and stops jobs",
    "python": _NO_KERNEL,
    "python.sql": _SQL,
    "spark": _SQL,
    "spark.sql": _SQL,
}
