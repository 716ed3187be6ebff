"""Notes in ``meta.db``: a row per note and per paragraph, so that a result is saved by itself."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from eddyline.errors import EddylineError
from eddyline.schema_version import upgrade
from eddyline.service.database import read, transaction
from eddyline.service.notes.note import DEFAULT_NOTEBOOK, NOTEBOOK, SCHEDULE, Note, Paragraph

_SCHEMA = """
CREATE TABLE IF NOT EXISTS notes (
  note_id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, fields TEXT NOT NULL,
  modified_ms INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS paragraphs (
  note_id TEXT NOT NULL REFERENCES notes, paragraph_id TEXT NOT NULL, position INTEGER NOT NULL,
  status TEXT NOT NULL, run_id TEXT, fields TEXT NOT NULL, PRIMARY KEY (note_id, paragraph_id)
);
"""


@dataclass(frozen=True, slots=True)
class NoteRow:
    """A note in a list."""

    id: str
    name: str
    paragraphs: int
    modified_ms: int
    notebook: str = DEFAULT_NOTEBOOK


@dataclass(frozen=True, slots=True)
class RunRow:
    """A paragraph that ran when its row was written."""

    note_id: str
    paragraph_id: str
    status: str
    run_id: str | None


class NoteStore:
    """Reads and writes rows; knows nothing of what runs."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with transaction(path) as db:
            upgrade(db, "notes", (_SCHEMA,))

    def rows(self) -> list[NoteRow]:
        """All notes by name."""
        rows = read(
            self._path,
            "SELECT note_id, name, (SELECT count(*) FROM paragraphs p WHERE p.note_id = n.note_id),"
            f" modified_ms, coalesce(json_extract(fields, '$.{NOTEBOOK}'), '{DEFAULT_NOTEBOOK}')"
            " FROM notes n ORDER BY name COLLATE NOCASE, note_id",
        )
        return [
            NoteRow(str(i), str(n), int(str(p)), int(str(m)), str(notebook))
            for i, n, p, m, notebook in rows
        ]

    def schedules(self) -> dict[str, str]:
        """The cron expression of each note that has one, by id."""
        rows = read(
            self._path,
            f"SELECT note_id, json_extract(fields, '$.{SCHEDULE}') AS cron FROM notes"
            " WHERE cron IS NOT NULL",
        )
        return {str(note_id): str(cron) for note_id, cron in rows}

    def load(self, note_id: str) -> Note | None:
        """One note by id, or None."""
        notes = read(self._path, "SELECT fields FROM notes WHERE note_id = ?", (note_id,))
        if not notes:
            return None
        rows = read(
            self._path,
            "SELECT fields FROM paragraphs WHERE note_id = ? ORDER BY position",
            (note_id,),
        )
        return Note(_loaded(notes[0][0]), [Paragraph(_loaded(fields)) for (fields,) in rows])

    def save(self, note: Note, now_ms: int) -> None:
        """Write a note with all its paragraphs; run ids of paragraphs that stay are kept.

        Raises:
            EddylineError: ``already_exists`` if another note has its name.
        """
        try:
            with transaction(self._path) as db:
                db.execute(
                    "INSERT INTO notes VALUES (?, ?, ?, ?) ON CONFLICT (note_id) DO UPDATE SET "
                    "name = excluded.name, fields = excluded.fields, "
                    "modified_ms = excluded.modified_ms",
                    (note.id, note.name, _dumped(note.fields), now_ms),
                )
                self._save_paragraphs(db, note)
        except sqlite3.IntegrityError:
            msg = f"there is a note named {note.name} already"
            raise EddylineError("already_exists", msg, hint="give it another name") from None

    def _save_paragraphs(self, db: sqlite3.Connection, note: Note) -> None:
        kept = [p.id for p in note.paragraphs]
        marks = ", ".join("?" * len(kept))
        db.execute(
            f"DELETE FROM paragraphs WHERE note_id = ? AND paragraph_id NOT IN ({marks})",
            (note.id, *kept),
        )
        db.executemany(
            "INSERT INTO paragraphs VALUES (?, ?, ?, ?, NULL, ?) ON CONFLICT DO UPDATE SET "
            "position = excluded.position, status = excluded.status, fields = excluded.fields",
            [
                (note.id, p.id, position, p.status, _dumped(p.fields))
                for position, p in enumerate(note.paragraphs)
            ],
        )

    def save_paragraph(
        self, note_id: str, paragraph: Paragraph, run_id: str | None, *, durable: bool = True
    ) -> None:
        """Write one paragraph; ``run_id``: the run it waits for, None if it does not run."""
        with transaction(self._path, durable=durable) as db:
            db.execute(
                "UPDATE paragraphs SET status = ?, run_id = ?, fields = ? "
                "WHERE note_id = ? AND paragraph_id = ?",
                (paragraph.status, run_id, _dumped(paragraph.fields), note_id, paragraph.id),
            )

    def runs(self) -> list[RunRow]:
        """Paragraphs that ran, or waited to, when they were written."""
        rows = read(
            self._path,
            "SELECT note_id, paragraph_id, status, run_id FROM paragraphs "
            "WHERE run_id IS NOT NULL OR status IN ('RUNNING', 'PENDING')",
        )
        return [
            RunRow(str(n), str(p), str(s), None if r is None else str(r)) for n, p, s, r in rows
        ]

    def remove(self, note_id: str) -> None:
        """Forget a note."""
        with transaction(self._path) as db:
            db.execute("DELETE FROM paragraphs WHERE note_id = ?", (note_id,))
            db.execute("DELETE FROM notes WHERE note_id = ?", (note_id,))


def _dumped(fields: dict[str, object]) -> str:
    return json.dumps(fields, ensure_ascii=False)


def _loaded(text: object) -> dict[str, object]:
    fields: dict[str, object] = json.loads(str(text))
    return fields
