"""The first words of a paragraph: ``%interpreter(key=value, ...)``, by Zeppelin's grammar.

A blank after the percent sign (``% flink.ssql``) is taken too, because a widely read guide
prints it that way.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from eddyline.errors import EddylineError, Span, nearest

_NAME = re.compile(r"(\s*)%[ \t]?([a-zA-Z0-9_\-]+(?:\.\w+)*)")
_ESCAPES = {"n": "\n", "t": "\t"}

# Properties the interpreters know, and a sentence for those that change nothing here.
PROPERTIES: dict[str, str | None] = {
    "type": None,
    "refreshInterval": None,
    "template": None,
    "jobName": None,
    "form": None,
    "parallelism": None,
    "maxParallelism": None,
    "runAsOne": None,
    "saveAs": None,
    "threshold": "rows of an append table are kept by number, not by age",
    "savepointDir": None,
    "resumeFromSavepoint": None,
    "resumeFromLatestCheckpoint": None,
    "execution.savepoint.path": None,
    # The names that Zeppelin had for them before 0.9.
    "enableSavePoint": None,
    "runWithSavePoint": None,
}


@dataclass(frozen=True, slots=True)
class ParagraphHeader:
    """A paragraph's interpreter (None if it names none), its properties, and its body.

    ``body`` is as long as the text up to its end: the header is blanked out, so that lines and
    columns in error messages are those of the paragraph.
    """

    interpreter: str | None
    properties: dict[str, str] = field(default_factory=dict)
    body: str = ""


def parse(text: str) -> ParagraphHeader:
    """The header of a paragraph's text.

    Raises:
        EddylineError: ``invalid_argument`` for properties that cannot be read, with their place.
    """
    match = _NAME.match(text)
    if match is None:
        return ParagraphHeader(None, {}, text)
    end = match.end()
    properties: dict[str, str] = {}
    if text[end : end + 1] == "(":
        properties, end = _Properties(text, end + 1).read()
    blank = "".join(c if c == "\n" else " " for c in text[:end])
    return ParagraphHeader(match[2], properties, blank + text[end:])


def warnings(properties: dict[str, str]) -> list[str]:
    """Sentences about properties that are unknown, or change nothing here."""
    out = []
    for key in properties:
        if key not in PROPERTIES:
            near = nearest(key, list(PROPERTIES))
            hint = f"; did you mean {near[0]}?" if near else ""
            out.append(f"the paragraph's property {key} is unknown and ignored{hint}")
        elif (sentence := PROPERTIES[key]) is not None:
            out.append(f"the paragraph's property {key} is ignored: {sentence}")
    return out


class _Properties:
    """Reads ``key=value, key`` up to the closing bracket."""

    def __init__(self, text: str, at: int) -> None:
        self._text = text
        self._at = at
        self._start = at - 1
        self._parts: list[list[str]] = [[]]
        self._properties: dict[str, str] = {}

    def read(self) -> tuple[dict[str, str], int]:
        """The properties, and the place behind the bracket."""
        quoted = False
        while self._at < len(self._text):
            char = self._text[self._at]
            self._at += 1
            if char == "\\" and self._at < len(self._text):
                escaped = self._text[self._at]
                self._at += 1
                self._parts[-1].append(_ESCAPES.get(escaped, escaped))
            elif char == '"':
                quoted = not quoted
            elif quoted or char not in ",=)":
                self._parts[-1].append(char)
            elif char == "=":
                self._equals()
            else:
                self._item(last=char == ")")
                if char == ")":
                    return self._properties, self._at
        raise self._bad("the bracket of the paragraph's properties is not closed", self._start)

    def _equals(self) -> None:
        if len(self._parts) == 2:
            raise self._bad("a second = in a property", self._at - 1)
        self._parts.append([])

    def _item(self, *, last: bool) -> None:
        key, *value = ("".join(part).strip() for part in self._parts)
        self._parts = [[]]
        if not key:
            if last and not value and not self._properties:
                return  # %flink.ssql()
            raise self._bad("a property without a name", self._at - 1)
        self._properties[key] = value[0] if value else key

    def _bad(self, what: str, at: int) -> EddylineError:
        before = self._text[:at]
        span = Span(before.count("\n") + 1, at - before.rfind("\n"))
        hint = 'write them like %flink.ssql(type=update, template="<b>{0}</b>")'
        return EddylineError("invalid_argument", what, hint=hint, span=span, source=self._text)
