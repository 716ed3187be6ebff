"""A note as other files: a Jupyter notebook, a SQL script, a Python program, an HTML report.

A ``.zpln`` file keeps everything and is written by ``zpln.py``; these keep what their kind can
hold. A SQL script and a Python program hold the paragraphs of that language as code and the others
as comments, in the order of the note.
"""

from __future__ import annotations

import html
import json
from collections.abc import Callable
from typing import Any

from eddyline.errors import EddylineError
from eddyline.service.notes import header, zpln
from eddyline.service.notes.clean import clean
from eddyline.service.notes.interpreters import PYTHON, interpreter_of
from eddyline.service.notes.note import ERROR, Note, Paragraph
from eddyline.service.notes.output import FAILURE, HTML, TABLE, Output, OutputTable, outputs

SQL = ("flink.ssql", "flink.bsql")
# A report shows this many rows of a table.
REPORT_ROWS_MAX = 1000


def file_of(note: Note, kind: str) -> bytes:
    """The note as a file of that kind.

    Raises:
        EddylineError: ``invalid_argument`` for a kind that there is not.
    """
    if kind not in _WRITERS:
        msg = f"a note cannot be exported as {kind!r}"
        raise EddylineError("invalid_argument", msg, hint=f"there are {', '.join(_WRITERS)}")
    return _WRITERS[kind](note)


def body_of(paragraph: Paragraph) -> str:
    """A paragraph's text without its header."""
    try:
        parsed = header.parse(paragraph.text)
    except EddylineError:
        return paragraph.text.strip("\n")
    lines = parsed.body.split("\n")
    first = lines[0].strip() if parsed.interpreter else lines[0]
    return "\n".join([first, *lines[1:]] if first else lines[1:]).strip("\n")


def _kind(note: Note, paragraph: Paragraph) -> str:
    return interpreter_of(paragraph.text, note.group)


def _commented(text: str, mark: str) -> str:
    return "\n".join(f"{mark} {line}".rstrip() for line in text.split("\n"))


def _sql(note: Note) -> str:
    parts = [_commented(note.name, "--")]
    for paragraph in note.paragraphs:
        body = body_of(paragraph)
        if not body.strip():
            continue
        if paragraph.title:
            parts.append(_commented(paragraph.title, "--"))
        if _kind(note, paragraph) in SQL:
            ended = body.rstrip()
            parts.append(ended if ended.endswith((";", "*/")) else f"{ended};")
        else:
            parts.append(_commented(paragraph.text.strip("\n"), "--"))
    return "\n\n".join(parts) + "\n"


def _python(note: Note) -> str:
    parts = [_commented(note.name, "#")]
    for paragraph in note.paragraphs:
        body, kind = body_of(paragraph), _kind(note, paragraph)
        if not body.strip():
            continue
        if paragraph.title:
            parts.append(_commented(paragraph.title, "#"))
        if kind in PYTHON:
            parts.append(body)
        elif kind in SQL:
            parts += [f"st_env.execute_sql({_literal(s)})" for s in _statements(body)]
        else:
            parts.append(_commented(paragraph.text.strip("\n"), "#"))
    return "\n\n".join(parts) + "\n"


def _statements(body: str) -> list[str]:
    from eddyline.sql.parse import statements

    try:
        return [statement.source.text.strip() for statement in statements(body)]
    except EddylineError:  # not ours to judge: the text is kept whole
        return [body]


def _literal(text: str) -> str:
    if '"""' in text or "\\" in text or text.endswith('"'):
        return repr(text)
    return f'"""{text}"""'


def _notebook(note: Note) -> str:
    document = {
        "cells": [_cell(note, paragraph) for paragraph in note.paragraphs],
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
            "title": note.name,
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def _cell(note: Note, paragraph: Paragraph) -> dict[str, Any]:
    kind, body = _kind(note, paragraph), body_of(paragraph)
    cell: dict[str, Any] = {
        "id": "".join(c for c in paragraph.id if c.isalnum() or c in "-_")[-64:] or "cell",
        "metadata": {"title": paragraph.title} if paragraph.title else {},
    }
    if kind == "md":
        return {**cell, "cell_type": "markdown", "source": body}
    source = body if kind in PYTHON else f"%%{kind}\n{body}"
    shown = [_notebook_output(output) for output in _outputs(paragraph)]
    return {
        **cell, "cell_type": "code", "execution_count": None, "source": source, "outputs": shown,
    }  # fmt: skip


def _notebook_output(output: Output) -> dict[str, Any]:
    data: dict[str, Any]
    if output.kind == FAILURE:
        return {
            "output_type": "error", "ename": "error", "evalue": output.text, "traceback": [],
        }  # fmt: skip
    if output.table is not None:
        data = {"text/html": _table(output.table), "text/plain": _plain(output.table)}
    elif output.kind in (HTML, "ANGULAR"):
        data = {"text/html": output.text}
    elif output.kind == "IMG":
        data = {"image/png": output.text}
    else:
        return {"output_type": "stream", "name": "stdout", "text": output.text}
    return {"output_type": "display_data", "data": data, "metadata": {}}


def _outputs(paragraph: Paragraph) -> list[Output]:
    return outputs(paragraph.messages, failed=paragraph.status == ERROR)


def _plain(table: OutputTable) -> str:
    rows = [table.columns, *([str(v) for v in row] for row in table.rows)]
    return "\n".join("\t".join(row) for row in rows)


def _table(table: OutputTable) -> str:
    head = "".join(f"<th>{html.escape(c)}</th>" for c in table.columns)
    rows = "".join(
        "<tr>" + "".join(f"<td>{html.escape('' if v is None else v)}</td>" for v in row) + "</tr>"
        for row in table.rows[-REPORT_ROWS_MAX:]
    )
    left_out = len(table.rows) - REPORT_ROWS_MAX
    more = f"<p>{left_out:,} earlier rows are left out.</p>" if left_out > 0 else ""
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>{more}"


_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<style>:root{{color-scheme:light dark}}body{{font:15px/1.5 system-ui,sans-serif;max-width:60rem;
margin:2rem auto;padding:0 1rem}}pre{{overflow-x:auto;padding:.6rem;border:1px solid #8885;
border-radius:6px}}table{{border-collapse:collapse;font-variant-numeric:tabular-nums}}
th,td{{text-align:left;padding:.15rem .8rem .15rem 0;border-bottom:1px solid #8884}}
.failure{{border-left:3px solid #c33;padding-left:.6rem;white-space:pre-wrap}}img{{max-width:100%}}
section{{margin:1.6rem 0;overflow-x:auto}}</style></head>
<body><h1>{title}</h1>{body}</body></html>
"""


def _report(note: Note) -> str:
    """The note as one page that needs nothing else: texts, code that is not hidden, results."""
    body = "".join(_section(note, p) for p in note.paragraphs)
    return _PAGE.format(title=html.escape(note.name), body=body)


def _section(note: Note, paragraph: Paragraph) -> str:
    title = f"<h2>{html.escape(paragraph.title)}</h2>" if paragraph.title else ""
    code = ""
    reads = _kind(note, paragraph) in ("md", "html") and paragraph.messages
    if not paragraph.editor_hidden and not reads and paragraph.text.strip():
        code = f"<pre>{html.escape(paragraph.text)}</pre>"
    shown = ""
    if not paragraph.output_hidden:
        shown = "".join(_shown(output) for output in _outputs(paragraph))
    return f"<section>{title}{code}{shown}</section>"


def _shown(output: Output) -> str:
    if output.kind == TABLE and output.table is not None:
        return _table(output.table)
    if output.kind in (HTML, "ANGULAR"):
        return clean(output.text)
    if output.kind == "IMG":
        return f'<img alt="" src="data:image/png;base64,{html.escape(output.text)}">'
    if output.kind == FAILURE:
        return f'<p class="failure">{html.escape(output.text)}</p>'
    return f"<pre>{html.escape(output.text)}</pre>"


def _encoded(write: Callable[[Note], str]) -> Callable[[Note], bytes]:
    return lambda note: write(note).encode()


_WRITERS: dict[str, Callable[[Note], bytes]] = {
    "zpln": zpln.write,
    "ipynb": _encoded(_notebook),
    "sql": _encoded(_sql),
    "py": _encoded(_python),
    "html": _encoded(_report),
}
KINDS = tuple(_WRITERS)
