"""The tags of a template: where each stands, what it calls, and what is done with its value.

A tag is ``{{name}}``, ``{{name(arguments)}}`` or an expression, ``{{(price * 2)}}`` or ``{{= price
* 2}}``. ``{{own = …}}`` names the value, ``{{set own = …}}`` names it without writing it. Filters
follow after a bar: ``{{internet.ip | json | null(0.1)}}``. Nothing is looked up here; see
``template.py``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NoReturn

from eddyline.errors import EddylineError, Span
from eddyline.generator.arguments import is_json

TAGS_MAX = 2_000
FILTERS_MAX = 20

_OPEN = re.compile(r"\{\{(?!\{)")
_GIVEN = re.compile(r"\s*(set\s+)?([A-Za-z_]\w*)\s*=\s*")
_NAME = re.compile(r"\s*([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)\s*")
_EQUALS = re.compile(r"\s*=\s*")
_PARENTHESIS = re.compile(r"\s*\(")
_BAR = re.compile(r"\s*\|(?!\|)\s*([A-Za-z_]\w*)\s*")
_END = re.compile(r"\s*\}\}")
# What may follow a value: the end of its tag, or a filter.
_AFTER = r"\s*+(?:\}\}|\|\s*+[A-Za-z_]\w*+\s*+(?:\(|\||\}\}))"
_ARGUMENT_END = re.compile(r"\)" + _AFTER)
# Everything up to the end of an argument that stands outside of a JSON string.
_QUOTED_END = re.compile(
    r'(?:[^")]|"(?:[^"\\]|\\.)*+"|\)(?!' + _AFTER + r"))*+\)(?=" + _AFTER + ")", re.DOTALL
)
# One piece of an expression: a quoted text, or any other character.
_PIECE = re.compile(r"'[^']*'|\"[^\"]*\"|\}\}|.", re.DOTALL)


@dataclass(frozen=True, slots=True)
class TagCall:
    """A name and the text of its arguments: a method or a filter."""

    name: str
    argument: str = ""


@dataclass(frozen=True, slots=True)
class Tag:
    """One ``{{…}}``: its name and the text of its arguments, and where it stands.

    ``given`` is the name its value gets, if any; a ``silent`` tag writes nothing. An expression
    has no name, and its text is ``argument``.
    """

    name: str
    argument: str
    start: int
    end: int
    given: str = ""
    silent: bool = False
    filters: tuple[TagCall, ...] = ()

    @property
    def is_expression(self) -> bool:
        """Whether the value is computed from named values."""
        return not self.name


def find_tags(text: str) -> list[Tag]:
    """The tags of a text, in order. Raises ``template_error`` for one that is malformed."""
    tags: list[Tag] = []
    place = 0
    while (opening := _OPEN.search(text, place)) is not None:
        tag = read_tag(text, opening.start())
        tags.append(tag)
        place = tag.end
        if len(tags) > TAGS_MAX:
            fail(text, tag.start, tag.end, f"the template has more than {TAGS_MAX} tags")
    return tags


def read_tag(text: str, start: int) -> Tag:
    """The tag that begins at ``start``. Raises ``template_error``."""
    written = _EQUALS.match(text, start + 2)
    if written is not None:
        end = _expression_end(text, start, written.end(), "}}")
        return Tag("", text[written.end() : end].strip(), start, end + 2)
    given = _GIVEN.match(text, start + 2)
    begin = given.end() if given else start + 2
    call, after = _read_value(text, start, begin, given)
    filters, end = _read_filters(text, start, after, call.name or "the expression")
    own, silent = ("", False) if given is None else (given[2], given[1] is not None)
    return Tag(call.name, call.argument, start, end, own, silent, filters)


def _read_value(
    text: str, start: int, begin: int, given: re.Match[str] | None
) -> tuple[TagCall, int]:
    """A call or an expression, and where it ends."""
    if (opened := _PARENTHESIS.match(text, begin)) is not None:
        end = _expression_end(text, start, opened.end(), ")")
        return TagCall("", text[opened.end() : end].strip()), end + 1
    name = _NAME.match(text, begin)
    if name is None and given is not None:
        fail(text, start, begin, f"nothing is given the name {given[2]}",
             f"as in {{{{{given[2]} = random.uuid}}}}")  # fmt: skip
    if name is None:
        hint = "write { { with a space for nested braces that are no tag"
        fail(text, start, start + 2, "no name follows {{", hint)
    if text[name.end() : name.end() + 1] != "(":
        return TagCall(name[1]), name.end()
    return _read_arguments(text, start, name[1], name.end() + 1)


def _read_filters(text: str, start: int, place: int, value: str) -> tuple[tuple[TagCall, ...], int]:
    """The filters after a value, and where the tag ends."""
    filters: list[TagCall] = []
    while (end := _END.match(text, place)) is None:
        bar = _BAR.match(text, place)
        if bar is None:
            _malformed(text, start, place, value)
        if len(filters) == FILTERS_MAX:
            fail(text, start, place, f"a value has more than {FILTERS_MAX} filters")
        call, place = TagCall(bar[1]), bar.end()
        if text[place : place + 1] == "(":
            call, place = _read_arguments(text, start, bar[1], place + 1)
        filters.append(call)
    return tuple(filters), end.end()


def _read_arguments(text: str, start: int, name: str, begin: int) -> tuple[TagCall, int]:
    """A call whose arguments begin at ``begin``, and where it ends."""
    close = _argument_end(text, begin)
    if close is None:
        hint = "end the tag with )}}"
        fail(text, start, begin, f"the arguments of {name} have no end", hint)
    return TagCall(name, text[begin:close]), close + 1


def _argument_end(text: str, start: int) -> int | None:
    """Where the parenthesis stands that closes the argument which begins at ``start``."""
    simple = _ARGUMENT_END.search(text, start)
    if simple is None:
        return None
    if '"' in text[start : simple.start()] and not is_json(text[start : simple.start()]):
        quoted = _QUOTED_END.match(text, start)
        if quoted is not None and is_json(text[start : quoted.end() - 1]):
            return quoted.end() - 1
    return simple.start()


def _expression_end(text: str, start: int, begin: int, closing: str) -> int:
    """Where ``closing`` stands outside of quotes and inner parentheses."""
    depth, end = 0, -1
    for piece in _PIECE.finditer(text, begin):
        if depth == 0 and piece[0] == closing:
            end = piece.start()
        if end >= 0 or piece[0] == "}}":
            break
        depth += {"(": 1, ")": -1}.get(piece[0], 0)
    if end < 0:
        fail(text, start, begin, "the expression has no end", f"end it with {closing}")
    return end


def _malformed(text: str, start: int, place: int, name: str) -> NoReturn:
    if "}}" not in text[place:]:
        fail(text, start, place, f"the tag {name} has no end", "end the tag with }}")
    after = text[place : place + 10].split("\n")[0]
    message = f"after the tag name {name} comes {after.lstrip()!r}"
    fail(text, start, place + 1, message, f"write {{{{{name}}}}} or {{{{{name}(argument)}}}}")


def fail(text: str, start: int, end: int, message: str, hint: str | None = None) -> NoReturn:
    """Raise ``template_error`` that points at a part of the template."""
    span = span_of(text, start, end)
    raise EddylineError("template_error", message, hint=hint, span=span, source=text)


def span_of(text: str, start: int, end: int) -> Span:
    """Line and column of a part of a text; the length is that of its first line."""
    lines = text[:start].splitlines(keepends=True)
    fresh = not lines or lines[-1].splitlines()[0] != lines[-1]
    line = len(lines) + (1 if fresh else 0)
    column = 1 if fresh else len(lines[-1]) + 1
    length = len((text[start:end].splitlines() or [""])[0])
    return Span(line, column, max(1, length))
