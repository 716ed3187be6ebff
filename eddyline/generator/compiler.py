"""From a template's tags to the columns of a turn.

``{{name = tag}}`` writes a value and names it, ``{{set name = tag}}`` only names it, ``{{name}}``
writes it again in the same record, ``{{(name * 2)}}`` computes with it, and ``{{record.next}}``
begins another record, which may come with a chance and go to another stream. What the tags of a
template share (sessions, the rows of a file) is built first, then the named values in the order in
which they are named, then the records.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

import pyarrow.compute as pc

from eddyline.errors import EddylineError, nearest
from eddyline.generator.arguments import Arguments, parse_values
from eddyline.generator.column import GeneratedColumn, Joined, Mapped, SameText
from eddyline.generator.folder import Folder
from eddyline.generator.methods import METHODS, UNSUPPORTED, resolved
from eddyline.generator.methods.around import FILTERS
from eddyline.generator.methods.method import unused
from eddyline.generator.tag import Tag, TagCall, fail, read_tag, span_of
from eddyline.generator.turn import Reference, Turn, TurnRecord

# Tags that configure others, and the one that begins another record.
SETUP = ("session.start",)
NEXT = "record.next"
# Tags that go from record to record and therefore cannot stand within another.
ALONE = ("record.", "session.", "series.", "file.")
# What JavaScript's trim takes away; the public generator trims every record.
BLANKS = (
    "\t\n\v\f\r \u00a0\u1680"
    + "".join(map(chr, range(0x2000, 0x200B)))
    + ("\u2028\u2029\u202f\u205f\u3000\ufeff")
)


@dataclass(slots=True)
class _OpenRecord:
    """One record of a turn while it is gathered: its columns, chance, output and first tag."""

    columns: list[GeneratedColumn] = field(default_factory=list)
    chance: float = 1.0
    to: str = ""
    begun_by: Tag | None = None


class TemplateCompiler:
    """Compiles one template's tags; it is the :class:`Scope` that they share."""

    def __init__(self, text: str, tags: Sequence[Tag], files: Folder) -> None:
        self.files = files
        self.warnings: list[str] = []
        self._text = text
        self._tags = tags
        self._values: dict[str, GeneratedColumn] = {}
        self._shared: dict[str, GeneratedColumn] = {}

    def turn(self) -> Turn:
        """Everything compiled: first what sets up, then named values, then the records."""
        for tag in self._tags:
            if tag.name in SETUP:
                self._column(tag)
        for tag in self._tags:
            if tag.given:
                self._name(tag)
        records = [_OpenRecord()]
        place = 0
        for tag in self._tags:
            records[-1].columns.append(_literal(self._text[place : tag.start]))
            place = tag.end
            if tag.name == NEXT:
                records.append(self._next(tag))
            elif not tag.silent and tag.name not in SETUP:
                records[-1].columns.append(self._written(tag))
        records[-1].columns.append(_literal(self._text[place:]))
        parts = [self._part(record, records) for record in records]
        return Turn([*self._shared.items(), *self._values.items()], parts)

    def _part(self, record: _OpenRecord, records: list[_OpenRecord]) -> TurnRecord:
        columns = _trimmed(record.columns)
        if not columns:
            self._empty(record, records)
        return TurnRecord(Joined(*columns), record.chance, record.to)

    def _empty(self, record: _OpenRecord, records: list[_OpenRecord]) -> NoReturn:
        if len(records) == 1:
            message = "the template writes nothing: its tags only name values or set up others"
            raise EddylineError("template_error", message, hint="write a value with {{its name}}")
        after = record.begun_by
        tag = after or next(r.begun_by for r in records if r.begun_by is not None)
        where = "after" if after is not None else "before"
        hint = "record.next stands between two records, not behind the last"
        fail(self._text, tag.start, tag.end, f"the record {where} {NEXT} is empty", hint)

    def _name(self, tag: Tag) -> None:
        if tag.given in self._values:
            fail(self._text, tag.start, tag.end, f"the name {tag.given} is given twice")
        bare = not tag.is_expression and "." not in tag.name
        if tag.given == "set" or tag.name in (*SETUP, NEXT) or bare:
            hint = "name a value, as in {{user = internet.userName}}"
            fail(self._text, tag.start, tag.end, f"{tag.name} cannot be named {tag.given}", hint)
        self._values[tag.given] = self._column(tag)

    def _written(self, tag: Tag) -> GeneratedColumn:
        if tag.given:
            return Reference(tag.given, self._values[tag.given].width)
        return self._column(tag)

    def _column(self, tag: Tag) -> GeneratedColumn:
        args = self._arguments(tag, TagCall(tag.name, tag.argument))
        return self._filtered(tag, self._value(tag, args))

    def _arguments(self, tag: Tag, call: TagCall) -> Arguments:
        span = span_of(self._text, tag.start, tag.end)
        name = call.name or "the expression"
        return Arguments(name, parse_values(call.argument), span, self._text, self)

    def _value(self, tag: Tag, args: Arguments) -> GeneratedColumn:
        if tag.is_expression:
            from eddyline.generator.expression import compile_expression

            return compile_expression(args, tag.argument, self._values, self._shared)
        if tag.name in self._values and not tag.argument.strip():
            return Reference(tag.name, self._values[tag.name].width)
        name = resolved(tag.name)
        if name is None:
            self._unknown(tag.name, tag.start, tag.end)
        return self._called(name, args)

    def _called(self, name: str, args: Arguments) -> GeneratedColumn:
        method = METHODS[name]
        self.warnings += unused(method, args)
        column = method.compile(args)
        if not getattr(column, "stateful", False):
            return column
        # What remembers is built once per turn, where a run that goes on can build it again.
        hidden = f"{args.tag} {len(self._values)}"
        self._values[hidden] = column
        return Reference(hidden, column.width)

    def _filtered(self, tag: Tag, column: GeneratedColumn) -> GeneratedColumn:
        for call in tag.filters:
            row = FILTERS.get(call.name)
            if row is None:
                near = nearest(call.name, list(FILTERS)) or list(FILTERS)
                hint = f"filters are {', '.join(near)}"
                fail(self._text, tag.start, tag.end, f"unknown filter {call.name}", hint)
            args = self._arguments(tag, call)
            if len(args.values) > row.arguments:
                args.fail(
                    f"{len(args.values)} arguments are too many", f"as in {{{{{row.example}}}}}"
                )
            column = row.compile(args, column)
        return column

    def _next(self, tag: Tag) -> _OpenRecord:
        if tag.filters:
            fail(self._text, tag.start, tag.end, f"{NEXT} has no value to filter")
        args = self._arguments(tag, TagCall(tag.name, tag.argument))
        given = args.named("chance", "to")
        known = {"chance", "to"}
        first = args.first()
        if isinstance(first, dict) and (unknown := set(first) - known):
            args.fail(f"unknown argument {min(unknown)}", f"arguments are {', '.join(known)}")
        chance = float(args.number(given, "chance", 1, 0, 1))
        to = given.get("to", "")
        if not isinstance(to, str):
            args.fail("to must be a text", 'as in {"to":"stream:clicks"}')
        return _OpenRecord(chance=chance, to=to.strip(), begun_by=tag)

    def shared(self, name: str, make: Callable[[], Any]) -> Any:
        """See :class:`Scope`."""
        if name not in self._shared:
            self._shared[name] = make()
        return self._shared[name]

    def tag(self, text: str, caller: Arguments) -> GeneratedColumn:
        """See :class:`Scope`. An error points at the calling tag."""
        try:
            tag = read_tag("{{" + text + "}}", 0)
        except EddylineError as error:
            caller.fail(error.message, error.hint)
        if tag.given or tag.end != len(text) + 4 or tag.is_expression:
            caller.fail(f"{text[:40]!r} is not one tag", "as in internet.ip")
        if (name := resolved(tag.name)) is None:
            caller.fail(f"unknown tag {tag.name}", _near(tag.name, []))
        if tag.name.startswith(ALONE):
            caller.fail(f"{tag.name} cannot stand within {caller.tag}", "name its value before")
        inner = Arguments(tag.name, parse_values(tag.argument), caller.span, caller.source, self)
        column = self._called(name, inner)
        for call in tag.filters:
            if call.name not in FILTERS:
                caller.fail(f"unknown filter {call.name}", f"filters are {', '.join(FILTERS)}")
            values = parse_values(call.argument)
            args = Arguments(call.name, values, caller.span, caller.source, self)
            column = FILTERS[call.name].compile(args, column)
        return column

    def value(self, name: str, caller: Arguments) -> GeneratedColumn:
        """See :class:`Scope`."""
        if name not in self._values:
            near = nearest(name, list(self._values)) or list(self._values)[:10]
            hint = f"name it before, as in {{{{set {name} = random.number(5)}}}}"
            if near:
                hint += f"; named values are {', '.join(near)}"
            caller.fail(f"no value is named {name[:40]}", hint)
        return Reference(name, self._values[name].width)

    def _unknown(self, name: str, start: int, end: int) -> NoReturn:
        if name in UNSUPPORTED:
            message = f"the tag {name} is not supported: {UNSUPPORTED[name]}"
            fail(self._text, start, end, message, None)
        hint = _near(name, list(self._values)) or "see the list of tags in the docs"
        if name.isidentifier():
            hint += f" A value of your own is named first: {{{{{name} = random.uuid}}}}"
        fail(self._text, start, end, f"unknown tag {name}", hint)


def _literal(text: str) -> SameText:
    flat = text.replace("\r", "").replace("\n", "")
    return SameText(flat.encode("utf-8", "replace").decode())


def _trimmed(columns: list[GeneratedColumn]) -> list[GeneratedColumn]:
    """A record's columns without blanks at its ends; nothing where nothing is written.

    Constant ends are trimmed here. Only where a tag stands at an end is the record trimmed when it
    is rendered.
    """
    columns = [c for c in columns if not (isinstance(c, SameText) and not c.text)]
    while columns and isinstance(columns[0], SameText) and not columns[0].text.lstrip(BLANKS):
        columns = columns[1:]
    while columns and isinstance(columns[-1], SameText) and not columns[-1].text.rstrip(BLANKS):
        columns = columns[:-1]
    if not columns:
        return []
    if isinstance(columns[0], SameText):
        columns = [SameText(columns[0].text.lstrip(BLANKS)), *columns[1:]]
    if isinstance(columns[-1], SameText):
        columns = [*columns[:-1], SameText(columns[-1].text.rstrip(BLANKS))]
    if isinstance(columns[0], SameText) and isinstance(columns[-1], SameText):
        return columns
    return [Mapped(Joined(*columns), lambda texts: pc.utf8_trim(texts, characters=BLANKS))]


def _near(name: str, own: list[str]) -> str | None:
    bare = name.removeprefix("faker.")
    near = [bare] if resolved(bare) else nearest(bare, [*METHODS, *own]) or _same_method(bare)
    return f"did you mean {' or '.join(near)}?" if near else None


def _same_method(name: str) -> list[str]:
    """Names whose last part resembles that of ``name``."""
    leaf = {known.rpartition(".")[2]: known for known in METHODS}
    return [leaf[k] for k in nearest(name.rpartition(".")[2], list(leaf))]
