"""Search over the texts, titles and names of all notes."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from eddyline.service.notes.note import Note

HITS_MAX = 200


class Hit(msgspec.Struct, frozen=True):
    """A paragraph that holds the words; ``line`` is the line (from 1) of its first one.

    paragraph is None where the name of the note holds them; number counts from 1.
    """

    note_id: str
    note: str
    paragraph: str | None
    number: int
    line: int
    text: str


Hits = list[Hit]


def search(notes: Iterable[Note], words: str) -> Hits:
    """The hits in order of notes and paragraphs; letters may be large or small."""
    words_folded = words.strip().casefold()
    hits: Hits = []
    if not words_folded:
        return hits
    for note in notes:
        if words_folded in note.name.casefold():
            hits.append(Hit(note.id, note.name, None, 0, 0, note.name))
        for number, paragraph in enumerate(note.paragraphs, 1):
            lines = [paragraph.title, *paragraph.text.split("\n")]
            for line, text in enumerate(lines):
                if words_folded in text.casefold():
                    hits.append(Hit(note.id, note.name, paragraph.id, number, line, text.strip()))
                    break
    return hits[:HITS_MAX]
