"""What a paragraph prints, in the displays that Zeppelin knows: ``%html``, ``%table`` and others.

A line that begins with such a word begins another display; what stands before it is text.
"""

from __future__ import annotations

import re

from eddyline.service import events as e
from eddyline.service.events import RunEvent
from eddyline.service.notes.output import from_tsv

# Zeppelin's words for kinds of output, and the kinds that the studio shows them as.
_KINDS = {"text": "TEXT", "html": "HTML", "angular": "HTML", "img": "IMG", "table": "TABLE"}
_WORD = re.compile(rf"^%({'|'.join(_KINDS)})(?:[ \t]+|[ \t\r]*\n|\Z)", re.MULTILINE)


def displays(text: str) -> list[tuple[str, str]]:
    """The kinds and contents of what was printed, in order."""
    shown, kind, at = list[tuple[str, str]](), "TEXT", 0
    for match in _WORD.finditer(text):
        if text[at : match.start()].strip() or shown:
            shown.append((kind, text[at : match.start()]))
        kind, at = _KINDS[match[1]], match.end()
    shown.append((kind, text[at:]))
    return shown


def event(run_id: str, place: int, kind: str, content: str) -> RunEvent:
    """One display as an event of a run, at its place among the outputs."""
    if kind != "TABLE":
        return e.Shown(run_id, place, kind, content)
    table = from_tsv(content)
    return e.TableSnapshot(run_id, place, table.columns, [], table.rows, table.row_count, 0)
