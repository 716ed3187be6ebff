"""Templates: text with ``{{module.method(argument)}}`` tags, compiled once, rendered by column.

The language is the one of the public Kinesis generator, so its templates work as they are, and
so do those on which it breaks: spaces inside the braces, empty parentheses, ``}}`` of nested
JSON outside of a tag, arguments with parentheses or braces, several arguments. Newlines of the
template are removed, indentation stays. All errors are found when compiling, before anything is
sent, and point at their tag.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np
import pyarrow as pa

from eddyline.clock import SYSTEM, Clock
from eddyline.errors import EddylineError, Span, nearest
from eddyline.generator.arguments import Arguments, is_json, parse_values
from eddyline.generator.column import At, Column, Integers, Joined, Text
from eddyline.generator.methods import METHODS, UNSUPPORTED

TEMPLATE_CHARS_MAX = 1_000_000
TAGS_MAX = 2_000
# What one Kinesis record may hold.
RECORD_BYTES_MAX = 10 * 1024 * 1024
# Bounds on one rendering step; more rows are rendered in several.
STEP_BYTES_MAX = 64 * 1024 * 1024
STEP_UNIFORMS_MAX = 2_000_000
STEP_ROWS_MAX = 16_384

_OPEN = re.compile(r"\{\{(?!\{)")
_NAME = re.compile(r"\s*([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)\s*")
_END = re.compile(r"\}\}")
_ARGUMENT_END = re.compile(r"\)\s*+\}\}")
# Everything up to a `)` and `}}` that stand outside of a JSON string.
_QUOTED_END = re.compile(r'(?:[^")]|"(?:[^"\\]|\\.)*+"|\)(?!\s*+\}\}))*+\)\s*+\}\}', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Tag:
    """One ``{{…}}``: its name, the text of its arguments, and where it stands."""

    name: str
    argument: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Template:
    """A compiled template. ``text`` is what the user wrote."""

    text: str
    tags: tuple[Tag, ...]
    column: Column

    @property
    def record_bytes_max(self) -> int:
        """No record is longer than this."""
        return self.column.width

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
        same generator state gives the same records however ``n`` is divided over calls.
        """
        now = np.broadcast_to(np.asarray(now_ms, np.int64), (n,))
        sim = now if sim_ms is None else np.broadcast_to(np.asarray(sim_ms, np.int64), (n,))
        step = self._step_rows()
        chunks = []
        for start in range(0, n, step):
            stop = min(start + step, n)
            u = rng.random((stop - start, self.column.slots))
            at = At(now[start:stop], sim[start:stop], first + start)
            chunks.append(self._step(u, at))
        if not chunks:
            return pa.array([], pa.binary())
        return chunks[0] if len(chunks) == 1 else pa.concat_arrays(chunks)

    def _step(self, u: np.ndarray[Any, np.dtype[np.float64]], at: At) -> Any:
        texts = self.column.build(u, at)
        if isinstance(texts, str):
            texts = pa.repeat(texts, at.n)
        return texts.cast(pa.binary())

    def _step_rows(self) -> int:
        by_bytes = STEP_BYTES_MAX // max(1, self.column.width)
        by_uniforms = STEP_UNIFORMS_MAX // max(1, self.column.slots)
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
    column = Joined(*_columns(text, tags))
    if column.width > RECORD_BYTES_MAX:
        message = f"a record could have {column.width} bytes, a stream takes {RECORD_BYTES_MAX}"
        raise EddylineError("template_error", message, hint="shorten the counts in its tags")
    return Template(text, tags, column)


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
    name = _NAME.match(text, start + 2)
    if name is None:
        hint = "write { { with a space for nested braces that are no tag"
        _fail(text, start, start + 2, "no name follows {{", hint)
    after = name.end()
    if (end := _END.match(text, after)) is not None:
        return Tag(name[1], "", start, end.end())
    if text[after : after + 1] != "(":
        _malformed(text, start, after, name[1])
    close = _argument_end(text, after + 1)
    if close is None:
        hint = "end the tag with )}}"
        _fail(text, start, after + 1, f"the arguments of {name[1]} have no end", hint)
    return Tag(name[1], text[after + 1 : close[0]], start, close[1])


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


def _columns(text: str, tags: Sequence[Tag]) -> list[Column]:
    columns: list[Column] = []
    place = 0
    for tag in tags:
        columns += [_literal(text[place : tag.start]), _compile_tag(text, tag)]
        place = tag.end
    return [*columns, _literal(text[place:])]


def _literal(text: str) -> Text:
    flat = text.replace("\r", "").replace("\n", "")
    return Text(flat.encode("utf-8", "replace").decode())


def _compile_tag(text: str, tag: Tag) -> Column:
    method = METHODS.get(tag.name)
    if method is None:
        _unknown(text, tag)
    span = span_of(text, tag.start, tag.end)
    return method.compile(Arguments(tag.name, parse_values(tag.argument), span, text))


def _unknown(text: str, tag: Tag) -> NoReturn:
    if tag.name in UNSUPPORTED:
        reason = UNSUPPORTED[tag.name]
        _fail(text, tag.start, tag.end, f"the tag {tag.name} is not supported: {reason}", None)
    near = nearest(tag.name, [*METHODS, *UNSUPPORTED]) or _same_method(tag.name)
    hint = f"did you mean {' or '.join(near)}?" if near else "see the list of tags in the docs"
    _fail(text, tag.start, tag.end, f"unknown tag {tag.name}", hint)


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
