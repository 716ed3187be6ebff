"""Scala paragraphs: the SQL and the registrations of functions in them, found by reading alone.

Scala itself is not run. Imports, texts given a name, ``executeSql``, ``sqlQuery`` shown by
``z.show``, options that are set, and the registration of a Java class under the name of a function
that is built in here are all that a paragraph may hold; anything else is named with its line.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from eddyline.errors import EddylineError, Span

_TEXT = r'(?P<text>"""(?:.|\n)*?"""(?:\s*\.\s*stripMargin)?|"(?:[^"\\\n]|\\.)*"|[A-Za-z_]\w*)'
_BLANK = re.compile(r"(?:\s|;|//[^\n]*|/\*(?:.|\n)*?\*/)+")
_HINT = "write it as SQL in a %flink.ssql paragraph or as Python in %flink.pyflink"
_ESCAPE = re.compile(r"\\(.)")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}


@dataclass(frozen=True, slots=True)
class ScalaParagraph:
    """``sql``: the statements, each on its line; ``registered``: what to say about functions."""

    sql: str
    registered: tuple[str, ...]


@dataclass(slots=True)
class _Reading:
    body: str
    is_built_in: Callable[[str], bool]
    texts: dict[str, str] = field(default_factory=dict)
    queries: dict[str, str] = field(default_factory=dict)
    sql: str = ""
    registered: list[str] = field(default_factory=list)

    def line(self, at: int) -> int:
        return self.body.count("\n", 0, at) + 1

    def run(self, at: int, statement: str) -> None:
        self.sql += "\n" * max(0, self.line(at) - 1 - self.sql.count("\n"))
        self.sql += statement.strip().rstrip(";") + ";"

    def value(self, match: re.Match[str]) -> str:
        """The text that stands there, or that the name stands for."""
        written = match["text"]
        if not written.startswith('"'):
            if written not in self.texts:
                raise self.error(match.start("text"), f"the text {written}")
            return self.texts[written]
        if written.startswith('"""'):
            text, _, margin = written[3:].rpartition('"""')
            return re.sub(r"(?m)^\s*\|", "", text) if "stripMargin" in margin else text
        return _ESCAPE.sub(lambda m: _ESCAPES.get(m[1], m[1]), written[1:-1])

    def error(self, at: int, what: str) -> EddylineError:
        column = at - self.body.rfind("\n", 0, at)
        msg = f"{what} is Scala, which does not run here"
        return EddylineError(
            "sql_unsupported", msg, hint=_HINT, span=Span(self.line(at), column), source=self.body
        )


def _keep_text(reading: _Reading, match: re.Match[str]) -> None:
    reading.texts[match["name"]] = reading.value(match)


def _keep_query(reading: _Reading, match: re.Match[str]) -> None:
    reading.queries[match["name"]] = reading.value(match)


def _execute(reading: _Reading, match: re.Match[str]) -> None:
    reading.run(match.start("text"), reading.value(match))


def _show(reading: _Reading, match: re.Match[str]) -> None:
    if match["query"] is None:
        reading.run(match.start("text"), reading.value(match))
        return
    if match["query"] not in reading.queries:
        raise reading.error(match.start("query"), f"the table {match['query']}")
    reading.run(match.start("query"), reading.queries[match["query"]])


def _register(reading: _Reading, match: re.Match[str]) -> None:
    name, java = reading.value(match), match["new"] or match["of"]
    if not reading.is_built_in(name):
        msg = f"the function {name} is the Java class {java}, which cannot run here"
        hint = (
            "write it in Python: @udf in a %flink.pyflink paragraph, then "
            f'st_env.create_temporary_function("{name}", ...)'
        )
        at = match.start("text")
        span = Span(reading.line(at), at - reading.body.rfind("\n", 0, at))
        raise EddylineError("sql_unsupported", msg, hint=hint, span=span, source=reading.body)
    reading.registered.append(f"{name} is built in here; the Java class {java} is not needed.")


def _set(reading: _Reading, match: re.Match[str]) -> None:
    key, value = reading.value(match), match["value"].strip('"')
    key, value = (part.replace("'", "''") for part in (key, value))
    reading.run(match.start("text"), f"SET '{key}' = '{value}'")


def _nothing(reading: _Reading, match: re.Match[str]) -> None:
    """Imports and printed words change nothing."""


_CALLED = r"(?:(?:val|var)\s+\w+(?:\s*:\s*\w+)?\s*=\s*)?[A-Za-z_]\w*\s*\.\s*"
_AFTER = r"(?:\s*\.\s*(?:print|await|collect)\s*\(\s*\))*"
_NAMED = r"(?:val|var)\s+(?P<name>\w+)(?:\s*:\s*\w+)?\s*=\s*"
_REGISTER = (
    r"(?:registerFunction|createTemporarySystemFunction|createTemporaryFunction|createFunction)"
)
_FORMS: tuple[tuple[re.Pattern[str], Callable[[_Reading, re.Match[str]], None]], ...] = tuple(
    (re.compile(form), act)
    for form, act in (
        (r"import\s+[^\n;]+", _nothing),
        (r"println\s*\([^\n]*\)", _nothing),
        (
            _CALLED + _REGISTER + rf"\s*\(\s*{_TEXT}\s*,\s*(?:new\s+(?P<new>[\w.]+)\s*"
            r"(?:\([^()]*\))?|classOf\s*\[\s*(?P<of>[\w.]+)\s*\])\s*\)",
            _register,
        ),
        (_CALLED + rf"(?:executeSql|sqlUpdate)\s*\(\s*{_TEXT}\s*\){_AFTER}", _execute),
        (
            _CALLED + r"getConfig(?:\(\))?(?:\s*\.\s*getConfiguration(?:\(\))?)?\s*\.\s*"
            rf"set\w*\s*\(\s*{_TEXT}\s*,\s*(?P<value>\"[^\"\n]*\"|[\w.]+)\s*\)",
            _set,
        ),
        (_NAMED + rf"\w+\s*\.\s*sqlQuery\s*\(\s*{_TEXT}\s*\)", _keep_query),
        (
            rf"z\s*\.\s*show\s*\(\s*(?:\w+\s*\.\s*sqlQuery\s*\(\s*{_TEXT}\s*\)|(?P<query>\w+))"
            r"\s*(?:,[^()]*)?\)",
            _show,
        ),
        (_NAMED + _TEXT + r"(?=[ \t]*(?:;|\n|\Z))", _keep_text),
    )
)


def read(body: str, is_built_in: Callable[[str], bool]) -> ScalaParagraph:
    """What a paragraph's Scala comes to.

    Raises:
        EddylineError: ``sql_unsupported`` for Scala that would have to run, with its place.
    """
    reading, at = _Reading(body, is_built_in), 0
    while True:
        blank = _BLANK.match(body, at)
        at = blank.end() if blank else at
        if at >= len(body):
            return ScalaParagraph(reading.sql, tuple(reading.registered))
        for form, act in _FORMS:
            match = form.match(body, at)
            if match is not None:
                act(reading, match)
                at = match.end()
                break
        else:
            raise reading.error(at, _first_word(body, at))


def _first_word(body: str, at: int) -> str:
    return body[at:].split("\n", 1)[0].strip()[:40] or "this"
