"""Zeppelin's note files: read strictly enough to say what is wrong, written so nothing is lost."""

from __future__ import annotations

import json
from typing import Any

from eddyline.errors import EddylineError, Span
from eddyline.service.notes.note import (
    IMPORTED,
    NOTEBOOK,
    SCHEDULE,
    Note,
    Paragraph,
    new_note_id,
    new_paragraph_id,
)

SIZE_MAX = 64 * 2**20
_EXPORT = "export the note again from Zeppelin (Export note), and import that .zpln file"


def read(data: bytes, file: str, now_ms: int) -> Note:
    """The note in ``data``; ``file`` is its name, for messages and for a note without one.

    Paragraphs without an id get one, and so does a note; all else stays as it is.

    Raises:
        EddylineError: ``bad_file``, saying what is wrong, where, and what to do.
    """
    document = _document(data, file)
    paragraphs = document.get("paragraphs")
    if not isinstance(paragraphs, list):
        hint = "import one note at a time, as Zeppelin exports it"
        raise _bad(file, "it is JSON, but has no list of paragraphs, so it is not a note", hint)
    read_paragraphs = [_paragraph(p, i, file, now_ms) for i, p in enumerate(paragraphs)]
    _unlike(read_paragraphs, now_ms)
    name = document.get("name")
    if name is not None and not isinstance(name, str):
        raise _bad(file, 'its "name" is not a text', _EXPORT)
    document["name"] = name.strip() if name and name.strip() else _stem(file)
    if not isinstance(document.get("id"), str):
        document["id"] = new_note_id()
    document["paragraphs"] = []
    for field in (NOTEBOOK, SCHEDULE):
        document.pop(field, None)
    return Note(document, read_paragraphs)


def _document(data: bytes, file: str) -> dict[str, Any]:
    if len(data) > SIZE_MAX:
        size = f"{len(data) / 2**20:,.0f} MiB"
        raise _bad(file, f"it has {size}; a note may have {SIZE_MAX // 2**20} MiB", _EXPORT)
    if not data.strip():
        raise _bad(file, "it is empty", _EXPORT)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _bad(file, f"it is not UTF-8 text (byte {error.start})", _EXPORT) from None
    try:
        document = json.loads(text, parse_constant=_no_number)
        json.dumps(document, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        what = f"it is not JSON: {error.msg[0].lower()}{error.msg[1:]}"
        span = Span(error.lineno, error.colno)
        raise _bad(file, what, _EXPORT, span, text if len(text) < 2**20 else None) from None
    except UnicodeEncodeError:
        raise _bad(file, "a text in it holds half of a character", _EXPORT) from None
    except (ValueError, RecursionError):
        raise _bad(file, "it is not JSON: it holds NaN or is nested too deeply", _EXPORT) from None
    if not isinstance(document, dict):
        raise _bad(file, "it is JSON, but not an object, so it is not a note", _EXPORT)
    return document


def _no_number(word: str) -> None:
    raise ValueError(word)


def _paragraph(fields: Any, index: int, file: str, now_ms: int) -> Paragraph:
    where = f"paragraph {index + 1}"
    if not isinstance(fields, dict):
        raise _bad(file, f"{where} is not an object", _EXPORT)
    for key, kind, words in (("text", str, "a text"), ("config", dict, "an object")):
        if fields.get(key) is not None and not isinstance(fields[key], kind):
            raise _bad(file, f'"{key}" of {where} is not {words}', _EXPORT)
    if not isinstance(fields.get("id"), str):
        fields["id"] = new_paragraph_id(now_ms)
    return Paragraph(fields)


def _unlike(paragraphs: list[Paragraph], now_ms: int) -> None:
    """Two paragraphs of one id, as notes put together by hand have them, become two."""
    seen: set[str] = set()
    for paragraph in paragraphs:
        if paragraph.id in seen:
            paragraph.fields["id"] = new_paragraph_id(now_ms)
        seen.add(paragraph.id)


def write(note: Note) -> bytes:
    """The note as Zeppelin writes it: pretty JSON in UTF-8, without a byte order mark."""
    paragraphs = [{k: v for k, v in p.fields.items() if k != IMPORTED} for p in note.paragraphs]
    document = {**note.fields, "paragraphs": paragraphs}
    for field in (NOTEBOOK, SCHEDULE):  # they are of this server
        document.pop(field, None)
    return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()


def file_name(note: Note) -> str:
    """What Zeppelin calls the file: the name's last part, the id."""
    last = note.name.rsplit("/", 1)[-1]
    kept = "".join(c if c.isalnum() or c in " -_." else "_" for c in last).strip() or "note"
    return f"{kept}_{note.id}.zpln"


def _stem(file: str) -> str:
    return file.rsplit("/", 1)[-1].removesuffix(".zpln").removesuffix(".json") or "note"


def _bad(
    file: str, what: str, hint: str, span: Span | None = None, source: str | None = None
) -> EddylineError:
    msg = f"{file} cannot be imported: {what}"
    return EddylineError("bad_file", msg, hint=hint, span=span, source=source)
