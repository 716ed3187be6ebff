"""Templates: text with ``{{module.method(argument)}}`` tags, compiled once, rendered by column.

The language is the one of the public Kinesis generator, so its templates work as they are, and
so do those on which it breaks: spaces inside the braces, empty parentheses, ``}}`` of nested
JSON outside of a tag, arguments with parentheses or braces, several arguments. Newlines of the
template are removed, indentation stays. New in it: ``{{name = tag}}`` writes a value and names it,
``{{set name = tag}}`` only names it, ``{{name}}`` writes it again in the same record, and
``{{record.next}}`` begins another record. All errors are found when compiling, before anything is
sent, and point at their tag.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np

from eddyline.clock import SYSTEM, Clock
from eddyline.errors import EddylineError, Span, nearest
from eddyline.generator.arguments import Arguments, is_json, parse_values
from eddyline.generator.column import Column, Integers, Joined, Text
from eddyline.generator.methods import METHODS, UNSUPPORTED
from eddyline.generator.turn import Part, Reference, Rendering, Turn

TEMPLATE_CHARS_MAX = 1_000_000
TAGS_MAX = 2_000
# What one Kinesis record may hold.
RECORD_BYTES_MAX = 10 * 1024 * 1024
TURN_BYTES_MAX = 4 * RECORD_BYTES_MAX
# Bounds on one rendering step; more rows are rendered in several.
STEP_BYTES_MAX = 64 * 1024 * 1024
STEP_UNIFORMS_MAX = 2_000_000
STEP_ROWS_MAX = 16_384

# Tags that say how others work, and the one that begins another record.
SETUP = ("session.start",)
NEXT = "record.next"

_OPEN = re.compile(r"\{\{(?!\{)")
_GIVEN = re.compile(r"\s*(set\s+)?([A-Za-z_]\w*)\s*=\s*")
_NAME = re.compile(r"\s*([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)\s*")
_END = re.compile(r"\}\}")
_ARGUMENT_END = re.compile(r"\)\s*+\}\}")
# Everything up to a `)` and `}}` that stand outside of a JSON string.
_QUOTED_END = re.compile(r'(?:[^")]|"(?:[^"\\]|\\.)*+"|\)(?!\s*+\}\}))*+\)\s*+\}\}', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Tag:
    """One ``{{…}}``: its name, the text of its arguments, and where it stands.

    ``given`` is the name its value gets, if any; a ``silent`` tag writes nothing.
    """

    name: str
    argument: str
    start: int
    end: int
    given: str = ""
    silent: bool = False


@dataclass(frozen=True, slots=True)
class Template:
    """A compiled template. ``text`` is what the user wrote."""

    text: str
    tags: tuple[Tag, ...]
    turn: Turn

    @property
    def record_bytes_max(self) -> int:
        """No record is longer than this."""
        return self.turn.width

    def rendering(self, rng: np.random.Generator, first: int = 0) -> Rendering:
        """The records of one run; ``first`` turns of it were rendered before."""
        return Rendering(self.turn, rng, self._step_rows(), first)

    def render(
        self,
        n: int,
        rng: np.random.Generator,
        now_ms: Integers | int,
        *,
        sim_ms: Integers | int | None = None,
        first: int = 0,
    ) -> Any:
        """``n`` records as a pyarrow BinaryArray, without trailing newlines.

        ``now_ms`` is the instant of all records, or of each, shape (n,), not decreasing. The
        same generator state gives the same records however ``n`` is divided over calls, as long
        as a turn makes one record; several are divided rightly by a ``rendering`` only.
        """
        now = np.broadcast_to(np.asarray(now_ms, np.int64), (n,))
        sim = now if sim_ms is None else np.broadcast_to(np.asarray(sim_ms, np.int64), (n,))
        made = Rendering(self.turn, rng, self._step_rows())
        made.begin(first)
        return made.records(n, now, sim)

    def _step_rows(self) -> int:
        by_bytes = STEP_BYTES_MAX // max(1, self.turn.turn_width)
        by_uniforms = STEP_UNIFORMS_MAX // max(1, self.turn.slots)
        return max(1, min(STEP_ROWS_MAX, by_bytes, by_uniforms))


def compile_template(text: str) -> Template:
    """Compile a template's text.

    Raises:
        EddylineError: ``template_error`` for an empty template, an unknown or malformed tag, a
            bad argument, or records that could be too long for a stream.
    """
    if not text.strip():
        raise EddylineError(
            "template_error",
            "the template is empty",
            hint='write the record\'s text with tags, as in {"id": {{random.number(150)}}}',
        )
    if len(text) > TEMPLATE_CHARS_MAX:
        message = f"the template has {len(text)} characters, at most {TEMPLATE_CHARS_MAX} may be"
        raise EddylineError("template_error", message)
    tags = tuple(find_tags(text))
    turn = _Compiler(text, tags).turn()
    if turn.width > RECORD_BYTES_MAX:
        message = f"a record could have {turn.width} bytes, a stream takes {RECORD_BYTES_MAX}"
        raise EddylineError("template_error", message, hint="shorten the counts in its tags")
    if turn.turn_width > TURN_BYTES_MAX:
        message = f"the records of a turn could have {turn.turn_width} bytes together"
        hint = f"at most {TURN_BYTES_MAX}: shorten the counts in its tags"
        raise EddylineError("template_error", message, hint=hint)
    return Template(text, tags, turn)


def samples(
    template: str, n: int = 5, seed: int | None = None, *, clock: Clock = SYSTEM
) -> list[str]:
    """``n`` records of a template's text: *Test template*. Raises as ``compile_template``."""
    compiled = compile_template(template)
    records = compiled.render(n, np.random.default_rng(seed), clock.now_ms())
    return [bytes(r).decode("utf-8") for r in records.to_pylist()]


def find_tags(text: str) -> list[Tag]:
    """The tags of a text, in order. Raises ``template_error`` for one that is malformed."""
    tags: list[Tag] = []
    place = 0
    while (opening := _OPEN.search(text, place)) is not None:
        tag = _read_tag(text, opening.start())
        tags.append(tag)
        place = tag.end
        if len(tags) > TAGS_MAX:
            _fail(text, tag.start, tag.end, f"the template has more than {TAGS_MAX} tags")
    return tags


def _read_tag(text: str, start: int) -> Tag:
    given = _GIVEN.match(text, start + 2)
    begin = given.end() if given else start + 2
    name = _NAME.match(text, begin)
    if name is None and given is not None:
        _fail(text, start, begin, f"nothing is given the name {given[2]}",
              f"as in {{{{{given[2]} = random.uuid}}}}")  # fmt: skip
    if name is None:
        hint = "write { { with a space for nested braces that are no tag"
        _fail(text, start, start + 2, "no name follows {{", hint)
    after = name.end()
    if (end := _END.match(text, after)) is not None:
        return Tag(name[1], "", start, end.end(), *_naming(given))
    if text[after : after + 1] != "(":
        _malformed(text, start, after, name[1])
    close = _argument_end(text, after + 1)
    if close is None:
        hint = "end the tag with )}}"
        _fail(text, start, after + 1, f"the arguments of {name[1]} have no end", hint)
    argument = text[after + 1 : close[0]]
    return Tag(name[1], argument, start, close[1], *_naming(given))


def _naming(given: re.Match[str] | None) -> tuple[str, bool]:
    return ("", False) if given is None else (given[2], given[1] is not None)


def _malformed(text: str, start: int, place: int, name: str) -> NoReturn:
    if _END.search(text, place) is None:
        _fail(text, start, place, f"the tag {name} has no end", "end the tag with }}")
    found = text[place : place + 10].split("\n")[0]
    message = f"after the tag name {name} comes {found!r}"
    _fail(text, start, place + 1, message, f"write {{{{{name}}}}} or {{{{{name}(argument)}}}}")


def _argument_end(text: str, start: int) -> tuple[int, int] | None:
    """Where the argument that begins at ``start`` ends, and where its tag ends."""
    simple = _ARGUMENT_END.search(text, start)
    if simple is None:
        return None
    if '"' in text[start : simple.start()] and not is_json(text[start : simple.start()]):
        quoted = _QUOTED_END.match(text, start)
        if quoted is not None:
            close = text.rindex(")", start, quoted.end())
            if is_json(text[start:close]):
                return close, quoted.end()
    return simple.start(), simple.end()


def _literal(text: str) -> Text:
    flat = text.replace("\r", "").replace("\n", "")
    return Text(flat.encode("utf-8", "replace").decode())


class _Compiler:
    """Compiles one template's tags; what they share comes first."""

    def __init__(self, text: str, tags: Sequence[Tag]) -> None:
        self._text = text
        self._tags = tags
        self._values: dict[str, Column] = {}
        self._shared: dict[str, Column] = {}

    def turn(self) -> Turn:
        """Everything compiled: first what sets up, then named values, then the records."""
        for tag in self._tags:
            if tag.name in SETUP:
                self._column(tag)
        for tag in self._tags:
            if tag.given:
                self._name(tag)
        parts: list[list[Column]] = [[]]
        chances, place = [1.0], 0
        for tag in self._tags:
            parts[-1].append(_literal(self._text[place : tag.start]))
            place = tag.end
            if tag.name == NEXT:
                chances.append(self._chance(tag))
                parts.append([])
            elif not tag.silent and tag.name not in SETUP:
                parts[-1].append(self._written(tag))
        parts[-1].append(_literal(self._text[place:]))
        made = [Part(Joined(*p), c) for p, c in zip(parts, chances, strict=True)]
        return Turn([*self._shared.items(), *self._values.items()], made)

    def _name(self, tag: Tag) -> None:
        if tag.given in self._values:
            _fail(self._text, tag.start, tag.end, f"the name {tag.given} is given twice")
        if tag.given == "set" or tag.name in (*SETUP, NEXT) or "." not in tag.name:
            hint = "name a value, as in {{user = internet.userName}}"
            _fail(self._text, tag.start, tag.end, f"{tag.name} cannot be named {tag.given}", hint)
        self._values[tag.given] = self._column(tag)

    def _written(self, tag: Tag) -> Column:
        if tag.given:
            return Reference(tag.given, self._values[tag.given].width)
        if tag.name in self._values and not tag.argument.strip():
            return Reference(tag.name, self._values[tag.name].width)
        return self._column(tag)

    def _column(self, tag: Tag) -> Column:
        return self._compile(tag.name, tag.argument, tag.start, tag.end)

    def _compile(self, name: str, argument: str, start: int, end: int) -> Column:
        method = METHODS.get(name)
        if method is None:
            self._unknown(name, start, end)
        span = span_of(self._text, start, end)
        return method.compile(Arguments(name, parse_values(argument), span, self._text, self))

    def _chance(self, tag: Tag) -> float:
        span = span_of(self._text, tag.start, tag.end)
        args = Arguments(tag.name, parse_values(tag.argument), span, self._text)
        return float(args.number(args.named("chance"), "chance", 1, 0, 1))

    def shared(self, name: str, make: Callable[[], Any]) -> Any:
        """See :class:`Scope`."""
        if name not in self._shared:
            self._shared[name] = make()
        return self._shared[name]

    def tag(self, text: str, asked: Arguments) -> Column:
        """See :class:`Scope`. The place of an error is that of the tag that asked."""
        try:
            found = _read_tag("{{" + text + "}}", 0)
        except EddylineError as error:
            asked.fail(error.message, error.hint)
        if found.given or found.end != len(text) + 4:
            asked.fail(f"{text[:40]!r} is not one tag", "as in internet.ip")
        if (method := METHODS.get(found.name)) is None:
            asked.fail(f"unknown tag {found.name}", _near(found.name, []))
        values = parse_values(found.argument)
        inner = Arguments(found.name, values, asked.span, asked.source, self)
        return method.compile(inner)

    def _unknown(self, name: str, start: int, end: int) -> NoReturn:
        if name in UNSUPPORTED:
            message = f"the tag {name} is not supported: {UNSUPPORTED[name]}"
            _fail(self._text, start, end, message, None)
        hint = _near(name, list(self._values)) or "see the list of tags in the docs"
        if name.isidentifier():
            hint += f" A value of your own is named first: {{{{{name} = random.uuid}}}}"
        _fail(self._text, start, end, f"unknown tag {name}", hint)


def _near(name: str, own: list[str]) -> str | None:
    near = nearest(name, [*METHODS, *own]) or _same_method(name)
    return f"did you mean {' or '.join(near)}?" if near else None


def _same_method(name: str) -> list[str]:
    """Names whose last part resembles that of ``name``."""
    leaf = {known.rpartition(".")[2]: known for known in METHODS}
    return [leaf[k] for k in nearest(name.rpartition(".")[2], list(leaf))]


def _fail(text: str, start: int, end: int, message: str, hint: str | None = None) -> NoReturn:
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
