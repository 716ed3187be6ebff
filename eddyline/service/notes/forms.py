"""Dynamic forms: ``${name=default,a|b}`` in a paragraph, filled before it runs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_FORM = re.compile(r"(\$?)\$\{([^=}]*)(?:=([^}]*))?\}")
_KIND = re.compile(r"(?:(checkbox|password|select)(?:\(([^)]*)\))?:)?(.*)", re.DOTALL)
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
