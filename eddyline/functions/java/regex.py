"""Java's regular expressions (JDK 17), read once and written for two other engines.

``compiled`` gives a pattern of the ``regex`` library, which backtracks as Java does and can be
stopped, and, where the pattern means the same there, the text for RE2, which is linear and runs
inside DuckDB. A pattern that Java refuses raises ``PatternError``.

Source: the syntax and its corners are those of java.util.regex.Pattern.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from eddyline.functions.java.character_class import (
    BOUND_WORD,
    LINE_END,
    SIMPLE,
    UNICODE,
    CharacterClass,
)
from eddyline.functions.java.class_reader import (
    COMMENTS,
    DOT_ALL,
    IGNORE_CASE,
    MULTILINE,
    UNICODE_CASE,
    UNICODE_CLASSES,
    UNIX_LINES,
    ClassReader,
    PatternError,
)

_FLAGS = {
    "i": IGNORE_CASE,
    "d": UNIX_LINES,
    "m": MULTILINE,
    "s": DOT_ALL,
    "u": UNICODE_CASE,
    "x": COMMENTS,
    "U": UNICODE_CLASSES | UNICODE_CASE,
}
_RE2_REPEATS = 1000
# Longer than this a search of one text does not backtrack.
TIME_LIMIT_S = 2.0
_END = r"(?=(?:\r\n|[\r\x85\u2028\u2029]|(?<!\r)\n)?\Z)"
_END_LINES = r"(?=\r\n|[\r\x85\u2028\u2029]|(?<!\r)\n|\Z)"
_BOUND = rf"(?:(?<={BOUND_WORD})(?!{BOUND_WORD})|(?<!{BOUND_WORD})(?={BOUND_WORD}))"
_LINE_BREAK = r"(?:\r\n|[\n\x0b\f\r\x85\u2028\u2029])"


@dataclass(frozen=True, slots=True)
class JavaPattern:
    """A pattern that Java takes.

    text: for the ``regex`` library. re2: for RE2, None if it cannot say the same. groups: number
    of capturing groups. ends: whether ``$`` stands in ``re2``, which then holds for texts
    without a line end at their end only. empty: whether it can match nothing; then RE2 finds
    other matches than Java after the first one.
    """

    source: str
    text: str
    re2: str | None
    groups: int
    ends: bool
    empty: bool

    @property
    def matcher(self) -> Any:
        """The compiled pattern of the ``regex`` library."""
        return _matcher(self.text)

    def first(self, text: str, start: int = 0) -> Any:
        """The first match from ``start`` on, None if there is none.

        Raises:
            TimeoutError: the search takes longer than ``TIME_LIMIT_S``.
        """
        return self.matcher.search(text, start, timeout=TIME_LIMIT_S)

    def matches(self, text: str) -> Iterator[Any]:
        """All matches as Java's ``find`` gives them: after an empty one it moves on by one."""
        match = self.first(text)
        while match is not None:
            yield match
            if match.end() == match.start() and r"\G" in self.text:
                return  # the next search would not begin at the end of this match
            start = match.end() + (match.end() == match.start())
            match = self.first(text, start) if start <= len(text) else None


@lru_cache(maxsize=512)
def _matcher(text: str) -> Any:
    import regex

    try:
        return regex.compile(text, regex.VERSION0)
    except (regex.error, RecursionError, OverflowError) as e:
        msg = f"the pattern cannot be run: {e}"
        raise PatternError(msg) from e


@lru_cache(maxsize=512)
def compiled(source: str) -> JavaPattern:
    """``source`` understood as Java does.

    Raises:
        PatternError: Java refuses the pattern.
    """
    reader = _PatternReader(source)
    piece = reader.alternatives(0)
    if reader.at < len(source):
        raise reader.error("Unmatched closing ')'", reader.at - 1)
    pattern = JavaPattern(source, piece.text, piece.re2, reader.groups, reader.ends, piece.empty)
    _ = pattern.matcher
    return pattern


@dataclass(slots=True)
class _Piece:
    """A part of a pattern in both dialects; ``empty``: it can match nothing."""

    text: str
    re2: str | None
    empty: bool
    captures: bool = False
    repeats: int = 1


_FLAGS_ONLY = _Piece("", "", True)  # ``(?i)``: a quantifier cannot follow


def _joined(pieces: list[_Piece]) -> _Piece:
    texts = [p.re2 for p in pieces]
    re2 = None if any(t is None for t in texts) else "".join(t or "" for t in texts)
    return _Piece(
        "".join(p.text for p in pieces),
        re2,
        all(p.empty for p in pieces),
        any(p.captures for p in pieces),
        max((p.repeats for p in pieces), default=1),
    )


class _PatternReader(ClassReader):
    """A recursive descent through one pattern."""

    def __init__(self, source: str) -> None:
        super().__init__(source)
        self.groups = 0
        self.ends = False
        self.names: dict[str, int] = {}

    # structure

    def alternatives(self, depth: int) -> _Piece:
        """``a|b|c`` up to a closing parenthesis or the end."""
        if depth > 200:
            raise self.error("The groups are nested too deeply")
        flags = self.flags
        branches = [self._sequence(depth)]
        while self.peek() == "|":
            self.at += 1
            branches.append(self._sequence(depth))
        self.flags = flags if depth else self.flags
        if len(branches) == 1:
            return branches[0]
        joined = _joined(branches)
        texts = [b.re2 for b in branches]
        joined.text = "|".join(b.text for b in branches)
        joined.re2 = None if joined.re2 is None else "|".join(t or "" for t in texts)
        joined.empty = any(b.empty for b in branches)
        return joined

    def _sequence(self, depth: int) -> _Piece:
        pieces: list[_Piece] = []
        while True:
            self.skip_comments()
            character = self.peek()
            if not character or character in "|":
                break
            if character == ")":
                if depth == 0:
                    self.at += 1
                    raise self.error("Unmatched closing ')'", self.at - 2)
                break
            if character in "*+?":
                raise self.error(f"Dangling meta character '{character}'")
            atom = _Piece("", "", True) if character == "{" else self._atom(depth)
            if atom is not _FLAGS_ONLY:
                self.skip_comments()
                pieces.append(self._quantified(atom))
        return _joined(pieces)

    def _quantified(self, atom: _Piece) -> _Piece:
        character = self.peek()
        if not character or character not in "*+?{":
            return atom
        counts, least, most = self._counts()
        mode = self.peek() if self.peek() and self.peek() in "?+" else ""
        self.at += len(mode)
        quantifier = counts + mode
        repeats = atom.repeats * max(most if most is not None else least, 1)
        re2: str | None = None
        nested = atom.empty and atom.captures
        if atom.re2 is not None and mode != "+" and not (atom.empty and atom.text) and not nested:
            re2 = f"(?:{atom.re2}){quantifier}" if repeats <= _RE2_REPEATS else None
        if not atom.text:
            return _Piece("", atom.re2, True)
        return _Piece(
            f"(?:{atom.text}){quantifier}", re2, atom.empty or least == 0, atom.captures, repeats
        )

    def _counts(self) -> tuple[str, int, int | None]:
        character = self.take()
        if character != "{":
            return character, 1 if character == "+" else 0, 1 if character == "?" else None
        start = self.at
        low = self._digits()
        if low is None:
            raise self.error("Illegal repetition", start - 1)
        high: int | None = low
        if self.peek() == ",":
            self.at += 1
            high = self._digits()
        if self.take() != "}":
            raise self.error("Unclosed counted closure")
        if high is not None and high < low:
            raise self.error("Illegal repetition range")
        counts = f"{{{low}}}" if high == low else f"{{{low},{'' if high is None else high}}}"
        return counts, low, high

    def _digits(self) -> int | None:
        start = self.at
        while self.peek() and self.peek() in "0123456789":
            self.at += 1
        number = self.source[start : self.at]
        if len(number) > 10 or (number and int(number) > 2**31 - 1):
            raise self.error("Illegal repetition range")
        return int(number) if number else None

    # atoms

    def _atom(self, depth: int) -> _Piece:
        character = self.take()
        if character == "(":
            return self._group(depth)
        if character == "[":
            return self._of(self.character_class())
        if character == ".":
            return self._dot()
        if character == "^":
            return self._caret()
        if character == "$":
            return self._dollar(MULTILINE)
        if character == "\\":
            return self._escape()
        return self._character(character)

    def _character(self, character: str) -> _Piece:
        return self._of(self.single(character))

    @staticmethod
    def _of(kind: CharacterClass) -> _Piece:
        return _Piece(kind.text(), kind.re2_text(), False)

    def _dot(self) -> _Piece:
        if self.flags & DOT_ALL:
            return _Piece(r"[\s\S]", r"(?s:.)", False)
        if self.flags & UNIX_LINES:
            return _Piece(r"[^\n]", r"[^\n]", False)
        return _Piece(f"[^{LINE_END[1:]}", r"[^\n\r\x{85}\x{2028}\x{2029}]", False)

    def _caret(self) -> _Piece:
        if not self.flags & MULTILINE:
            return _Piece(r"\A", r"\A", True)
        ends = r"(?<=\n)" if self.flags & UNIX_LINES else r"(?<=[\n\x85\u2028\u2029]|\r(?!\n))"
        return _Piece(rf"(?:\A|{ends})(?!\Z)", None, True)

    def _dollar(self, multiline: int) -> _Piece:
        lines = self.flags & multiline
        if self.flags & UNIX_LINES:
            return _Piece(r"(?=\n|\Z)" if lines else r"(?=\n?\Z)", None, True)
        if lines:
            return _Piece(_END_LINES, None, True)
        self.ends = True
        return _Piece(_END, r"\z", True)

    # groups

    def _group(self, depth: int) -> _Piece:
        if self.peek() != "?":
            self.groups += 1
            return self._closed("(", depth, captures=True)
        self.at += 1
        character = self.take()
        if character in ":=!>":
            return self._closed(
                f"(?{character}", depth, re2=character == ":", look=character in "=!"
            )
        if character == "<":
            return self._angle(depth)
        self.at -= 1
        return self._inline_flags(depth)

    def _angle(self, depth: int) -> _Piece:
        character = self.take()
        if character in "=!":
            return self._closed(f"(?<{character}", depth, re2=False, look=True)
        if not (character.isascii() and character.isalpha()):
            raise self.error("Unknown look-behind group")
        name = character
        while self.peek().isascii() and self.peek().isalnum():
            name += self.take()
        if self.take() != ">":
            raise self.error("named capturing group is missing trailing '>'")
        if name in self.names:
            raise self.error(f"Named capturing group <{name}> is already defined")
        self.groups += 1
        self.names[name] = self.groups
        return self._closed("(", depth, captures=True)

    def _closed(
        self,
        opener: str,
        depth: int,
        *,
        captures: bool = False,
        re2: bool = True,
        look: bool = False,
    ) -> _Piece:
        inner = self.alternatives(depth + 1)
        if self.peek() != ")":
            raise self.error("Unclosed group")
        self.at += 1
        text = f"{opener}{inner.text})"
        other = f"{opener}{inner.re2})" if re2 and inner.re2 is not None else None
        return _Piece(text, other, inner.empty or look, captures or inner.captures, inner.repeats)

    def _inline_flags(self, depth: int) -> _Piece:
        flags, adds = self.flags, True
        while True:
            character = self.take()
            if character == "-" and adds:
                adds = False
            elif character in _FLAGS:
                value = _FLAGS[character]
                flags = flags | value if adds else flags & ~value
            elif character == ")":
                self.flags = flags
                return _FLAGS_ONLY
            elif character == ":":
                before, self.flags = self.flags, flags
                piece = self._closed("(?:", depth)
                self.flags = before
                return piece
            else:
                raise self.error("Unknown inline modifier" if adds else "Unknown group type")

    # escapes

    def _escape(self) -> _Piece:
        character = self.take()
        if character.isdigit() and character != "0":
            return self._back_reference(character)
        method = _ESCAPES.get(character)
        if method is not None:
            piece: _Piece = method(self)
            return piece
        if character.lower() in SIMPLE or character in "pP":
            return self._of(self.predefined(character))
        return self._character(self.literal(character))

    def _back_reference(self, first: str) -> _Piece:
        number = int(first)
        while self.peek().isascii() and self.peek().isdigit():
            longer = number * 10 + int(self.peek())
            if longer > self.groups:
                break
            number = longer
            self.at += 1
        return self._reference(number)

    def _reference(self, number: int) -> _Piece:
        if number > self.groups:
            return _Piece("(?!)", None, True)  # a group that is not there never matches
        text = f"(?:\\{number}(?#))"
        return _Piece(f"(?i:{text})" if self.flags & IGNORE_CASE else text, None, True)

    def _named_reference(self) -> _Piece:
        if self.take() != "<":
            raise self.error("\\k is not followed by '<' for named capturing group")
        end = self.source.find(">", self.at)
        name = self.source[self.at : end] if end > 0 else ""
        if name not in self.names:
            raise self.error(f"named capturing group <{name}> does not exist")
        self.at = end + 1
        return self._reference(self.names[name])

    def _quotation(self) -> _Piece:
        """``\\Q…\\E``: everything between is literal."""
        end = self.source.find("\\E", self.at)
        text = self.source[self.at : end] if end >= 0 else self.source[self.at :]
        self.at = end + 2 if end >= 0 else len(self.source)
        pieces = [self._character(c) for c in text]
        if len(pieces) > 1:  # a quantifier after the quotation belongs to its last character
            self.skip_comments()
            pieces[-1] = self._quantified(pieces[-1])
        return _joined(pieces)

    def _boundary(self) -> _Piece:
        if self.source.startswith("{g}", self.at):
            self.at += 3
            raise self.error("\\b{g} is not supported")
        word = f"[{UNICODE['w']}]" if self.flags & UNICODE_CLASSES else BOUND_WORD
        return _Piece(_BOUND.replace(BOUND_WORD, word), None, True)

    def _no_boundary(self) -> _Piece:
        return _Piece(f"(?!{self._boundary().text})", None, True)


_ESCAPES: dict[str, Any] = {
    "A": lambda r: _Piece(r"\A", r"\A", True),
    "z": lambda r: _Piece(r"\Z", r"\z", True),
    "Z": lambda r: r._dollar(0),
    "G": lambda r: _Piece(r"\G", None, True),
    "R": lambda r: _Piece(_LINE_BREAK, None, False),
    "X": lambda r: _Piece(r"\X", None, False),
    "b": _PatternReader._boundary,
    "B": _PatternReader._no_boundary,
    "Q": _PatternReader._quotation,
    "E": lambda r: _Piece("", "", True),
    "k": _PatternReader._named_reference,
}
