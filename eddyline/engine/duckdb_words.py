"""DuckDB's sentences about values, said in our words and in Flink's types."""

from __future__ import annotations

import re
from collections.abc import Callable

UNKNOWN = "a value cannot be computed"
_TYPES = {
    "INT8": "TINYINT", "INT16": "SMALLINT", "INT32": "INT", "INT64": "BIGINT", "BOOL": "BOOLEAN",
    "VARCHAR": "STRING", "INT128": "DECIMAL(38, 0)", "INTEGER": "INT",
}  # fmt: skip
# Sentences of our own that statements raise with error('…').
_OWN = re.compile(
    r"a value of |column |this text is |a subquery that |division by zero$"
    r"|a key of |the path of |[A-Z_]+(\(\))? needs |.* is not a valid [A-Z]",
    re.DOTALL,
)


def _type(name: str) -> str:
    return _TYPES.get(name.strip(), name.strip())


def _not_a(value: str, kind: str) -> str:
    name = _type(kind)
    return f"{value!r} is not {'an' if name[0] in 'AEIOU' else 'a'} {name}"


# DuckDB's sentence, and ours made of its groups.
_WORDS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE | re.DOTALL), words)
    for pattern, words in (
        (r"could not convert string ['\"](.*)['\"] to (.+)", lambda m: _not_a(m[1], m[2])),
        (
            r"type \S+ with value (\S+) can't be cast .* destination type (\S+)",
            lambda m: f"{m[1]} is out of the range of {_type(m[2])}",
        ),
        (r"could not cast value (\S+) to (DECIMAL\S+)", lambda m: f"{m[1]} does not fit {m[2]}"),
        (r"(date|time) field value out of range: \"(.*)\"", lambda m: _not_a(m[2], m[1].upper())),
        (r"invalid date field format: \"(.*?)\"", lambda m: _not_a(m[1], "DATE")),
        (r"invalid timestamp field format: \"(.*?)\"", lambda m: _not_a(m[1], "TIMESTAMP")),
        (r"timestamp field value out of range: \"(.*?)\"", lambda m: _not_a(m[1], "TIMESTAMP")),
        (r"division by zero", lambda m: "division by zero"),
        (r"overflow in |value out of range", lambda m: "the result is out of the type's range"),
        (r"timestamp .*out of range|not in timestamp range", lambda m: "the time is out of range"),
        (r"unknown timezone '(.*?)'", lambda m: f"{m[1]!r} is not a time zone"),
        (r"malformed json", lambda m: "the text is not JSON"),
        (r"could not decode string \"(.*)\" as base64", lambda m: f"{m[1]!r} is not base64"),
        (r"cannot create a string of size", lambda m: "the text would become too long"),
        (r"invalid utf8 codepoint (-?\d+)", lambda m: f"{m[1]} is no character's number"),
    )
)


def in_words(sentence: str) -> str:
    """DuckDB's sentence about a value, said in our words."""
    if _OWN.match(sentence):
        return sentence
    for pattern, words in _WORDS:
        match = pattern.search(sentence)
        if match is not None:
            return words(match)
    return UNKNOWN
