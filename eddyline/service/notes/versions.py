"""Versions of notes: texts, titles and settings as they were, without results.

A version is kept on request, when all paragraphs are run and before an older one is restored,
unless nothing has changed since the newest one.
"""

from __future__ import annotations

import json
from difflib import unified_diff
from pathlib import Path
from typing import Any

import msgspec

from eddyline.errors import EddylineError
from eddyline.schema_version import upgrade
from eddyline.service.database import read, transaction
from eddyline.service.notes.note import Note, Paragraph, copy_json

VERSIONS_MAX = 100
_SCHEMA = """
CREATE TABLE IF NOT EXISTS note_versions (
  note_id TEXT NOT NULL, number INTEGER NOT NULL, made_ms INTEGER NOT NULL, message TEXT NOT NULL,
  document TEXT NOT NULL, PRIMARY KEY (note_id, number)
)
"""
# What a paragraph has from its runs alone.
_OF_RUNS = (
    "results", "status", "progress", "dateStarted", "dateFinished", "dateUpdated", "errorMessage",
    "runtimeInfos", "apps", "jobName",
)  # fmt: skip


class VersionInfo(msgspec.Struct, frozen=True):
    """A version in a list; the first is number 1."""

    number: int
    made_ms: int
    message: str
    paragraphs: int


VersionInfos = list[VersionInfo]


class Versions:
    """The kept versions of all notes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with transaction(path) as db:
            upgrade(db, "note_versions", (_SCHEMA,))

    def list(self, note_id: str) -> VersionInfos:
        """A note's versions, the newest first."""
        rows = read(
            self._path,
            "SELECT number, made_ms, message, json_array_length(document, '$.paragraphs')"
            " FROM note_versions WHERE note_id = ? ORDER BY number DESC",
            (note_id,),
        )
        return [VersionInfo(int(str(n)), int(str(m)), str(t), int(str(c))) for n, m, t, c in rows]

    def keep(self, note: Note, message: str, now_ms: int) -> int | None:
        """Keep the note as it is; returns the version's number, None if nothing has changed."""
        document = json.dumps(_document(note), ensure_ascii=False)
        with transaction(self._path) as db:
            newest = db.execute(
                "SELECT number, document FROM note_versions WHERE note_id = ?"
                " ORDER BY number DESC LIMIT 1",
                (note.id,),
            ).fetchone()
            if newest and newest[1] == document:
                return None
            number = (newest[0] if newest else 0) + 1
            db.execute(
                "INSERT INTO note_versions VALUES (?, ?, ?, ?, ?)",
                (note.id, number, now_ms, message, document),
            )
            db.execute(
                "DELETE FROM note_versions WHERE note_id = ? AND number <= ?",
                (note.id, number - VERSIONS_MAX),
            )
        return number

    def load(self, note_id: str, number: int) -> Note:
        """The note as it was. Raises ``not_found``."""
        rows = read(
            self._path,
            "SELECT document FROM note_versions WHERE note_id = ? AND number = ?",
            (note_id, number),
        )
        if not rows:
            msg = f"the note has no version {number}"
            raise EddylineError("not_found", msg, hint="the newest hundred are kept")
        document = json.loads(str(rows[0][0]))
        return Note(document["fields"], [Paragraph(p) for p in document["paragraphs"]])

    def remove(self, note_id: str) -> None:
        """Forget all versions of a note."""
        with transaction(self._path) as db:
            db.execute("DELETE FROM note_versions WHERE note_id = ?", (note_id,))


def _document(note: Note) -> dict[str, Any]:
    paragraphs = [{k: v for k, v in p.fields.items() if k not in _OF_RUNS} for p in note.paragraphs]
    return {"fields": copy_json(note.fields), "paragraphs": paragraphs}


def difference(before: Note, after: Note) -> str:
    """The changes of texts and titles as a unified diff; empty if there are none."""
    lines = unified_diff(_lines(before), _lines(after), "before", "after", lineterm="")
    return "\n".join(lines)


def _lines(note: Note) -> list[str]:
    lines = [f"= {note.name}"]
    for number, paragraph in enumerate(note.paragraphs, 1):
        lines.append(f"== {number} {paragraph.title}".rstrip())
        lines += paragraph.text.split("\n")
    return lines
