"""Dynamic forms: ``${name=default,a|b}`` in a paragraph's text, and those that Python makes.

The forms of a text are filled in before it runs. Those that Python makes (``z.input`` and its like)
are kept in the note's ``settings.forms``, as Zeppelin keeps them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_FORM = re.compile(r"(\$?)\$\{([^=}]*)(?:=([^}]*))?\}")
_KIND = re.compile(r"(?:(checkbox|password|select)(?:\(([^)]*)\))?:)?(.*)", re.DOTALL)
# The kinds of forms as notes name them.
TYPES = {"textbox": "TextBox", "password": "Password", "select": "Select", "checkbox": "CheckBox"}
# A kept form's member that says whether its value is the note's.
NOTE_WIDE = "eddylineNoteWide"
_LABELLED = re.compile(r"(.*?)\(([^)]*)\)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Form:
    """One form: its name and label, its default, and what it may be.

    kind: textbox, password, select or checkbox. options: (value, label). note_wide: its value is
    the note's, not the paragraph's.
    """

    name: str
    label: str
    kind: str
    default: str
    options: tuple[tuple[str, str], ...] = ()
    delimiter: str = ","
    note_wide: bool = False

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> Form:
        """A form that a note keeps, in Zeppelin's JSON."""
        name, default = str(kept.get("name", "")), kept.get("defaultValue")
        ticked = default if isinstance(default, list) else [default]
        given = kept.get("options")
        options = [o for o in given if isinstance(o, dict)] if isinstance(given, list) else []
        return cls(
            name,
            str(kept.get("displayName") or name),
            str(kept.get("type", "")).lower() or "textbox",
            "|".join(str(value) for value in ticked if value is not None),
            tuple(
                (str(o.get("value")), str(o.get("displayName") or o.get("value"))) for o in options
            ),
            str(kept.get("delimiter", ",")),
            bool(kept.get(NOTE_WIDE)),
        )

    @property
    def hidden(self) -> bool:
        return self.name.startswith("_")

    def filled(self, value: Any) -> str:
        """What stands in the text for ``value``; the default for None."""
        if value is None:
            value = self.default.split("|") if self.kind == "checkbox" else self.default
        if isinstance(value, list):
            return self.delimiter.join(str(v) for v in value)
        if isinstance(value, float) and value.is_integer():  # Gson's numbers
            return str(int(value))
        return str(value)


def forms(text: str) -> list[Form]:
    """The forms of a text, each name once."""
    by_name: dict[tuple[str, bool], Form] = {}
    for match in _FORM.finditer(text):
        form = _form(match)
        by_name.setdefault((form.name, form.note_wide), form)
    return list(by_name.values())


def fill(text: str, params: Mapping[str, Any], note_params: Mapping[str, Any]) -> str:
    """The text with every form replaced by its value."""

    def replace(match: re.Match[str]) -> str:
        form = _form(match)
        values = note_params if form.note_wide else params
        return form.filled(values.get(form.name))

    return _FORM.sub(replace, text)


def _form(match: re.Match[str]) -> Form:
    wide, head, rest = match.groups()
    parts = _KIND.fullmatch(head)
    assert parts is not None, "the expression takes any text"
    kind, delimiter, name = parts.groups()
    name, label = _labelled(name.strip())
    default, comma, choices = (rest or "").partition(",")
    if kind is None:
        kind = "select" if comma else "textbox"
    options = tuple(_labelled(c) for c in choices.split("|")) if comma else ()
    delimiter = "," if delimiter is None else delimiter
    return Form(name, label, kind, default, options, delimiter, bool(wide))


def _labelled(text: str) -> tuple[str, str]:
    match = _LABELLED.fullmatch(text)
    return (match[1], match[2]) if match else (text, text)
