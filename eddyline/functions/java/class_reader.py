"""Reads characters, escapes and character classes of a Java pattern, from its place onwards."""

from __future__ import annotations

from eddyline.functions.java.character_class import (
    COMPLEMENTS,
    SIMPLE,
    UNICODE,
    CharacterClass,
    named,
    single,
    span,
)

# The flags of a pattern.
IGNORE_CASE, UNIX_LINES, MULTILINE, DOT_ALL = 1, 2, 4, 8
UNICODE_CASE, COMMENTS, UNICODE_CLASSES = 16, 32, 64
_CONTROLS = {"t": "\t", "n": "\n", "r": "\r", "f": "\f", "a": "\x07", "e": "\x1b"}


class PatternError(ValueError):
    """A pattern that Java refuses; the message says why and where."""


class ClassReader:
    """A place in a pattern, with the flags in force there."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.at = 0
        self.flags = 0

    def error(self, why: str, at: int | None = None) -> PatternError:
        return PatternError(f"{why} near index {self.at if at is None else at}")

    def peek(self, ahead: int = 0) -> str:
        place = self.at + ahead
        return self.source[place] if place < len(self.source) else ""

    def take(self) -> str:
        character = self.peek()
        if not character:
            raise self.error("Unexpected end of the pattern")
        self.at += 1
        return character

    def skip_comments(self) -> None:
        """With the flag x blanks and comments mean nothing."""
        while self.flags & COMMENTS and self.peek():
            if self.peek() in " \t\n\x0b\f\r":
                self.at += 1
            elif self.peek() == "#":
                while self.peek() and self.peek() not in "\n\r\x85\u2028\u2029":
                    self.at += 1
            else:
                return

    def single(self, character: str) -> CharacterClass:
        ignore, unicode = bool(self.flags & IGNORE_CASE), bool(self.flags & UNICODE_CASE)
        return single(character, ignore_case=ignore, unicode_case=unicode)

    def predefined(self, character: str) -> CharacterClass:
        """``\\d``, ``\\p{…}`` and their like; a capital letter is the complement."""
        lower = character.lower()
        if lower == "p":
            kind = self._property()
        elif self.flags & UNICODE_CLASSES and lower in UNICODE:
            kind = CharacterClass(UNICODE[lower], None)
        else:
            inside, re2 = (SIMPLE if character == lower else COMPLEMENTS)[lower]
            return CharacterClass(inside, re2)
        return kind.complement() if character.isupper() else kind

    def _property(self) -> CharacterClass:
        character = self.take()
        name = character
        if character == "{":
            end = self.source.find("}", self.at)
            if end < 0:
                raise self.error("Unclosed character family")
            name = self.source[self.at : end]
            self.at = end + 1
        kind = named(name, unicode=bool(self.flags & UNICODE_CLASSES))
        if kind is None:
            raise self.error(f"Unknown character property name {{{name}}}")
        if self.flags & IGNORE_CASE and name in (
            "Lower",
            "Upper",
            "Lu",
            "Ll",
            "Lt",
            "javaLowerCase",
        ):
            other = named("Alpha" if name in ("Lower", "Upper") else "LC", unicode=False)
            assert other is not None
            return other
        return kind

    def literal(self, character: str) -> str:
        """The character that an escape stands for."""
        if character in _CONTROLS:
            return _CONTROLS[character]
        if character == "c":
            return chr(ord(self.take()) ^ 64)
        if character == "0":
            return self._octal()
        if character in "xu":
            return self._hexadecimal(character)
        if character == "N":
            return self._by_name()
        if character.isascii() and character.isalpha():
            raise self.error("Illegal/unsupported escape sequence")
        return character

    def _octal(self) -> str:
        digits = ""
        while len(digits) < 3 and self.peek() and self.peek() in "01234567":
            if len(digits) == 2 and digits[0] > "3":
                break
            digits += self.take()
        if not digits:
            raise self.error("Illegal octal escape sequence")
        return chr(int(digits, 8))

    def _hexadecimal(self, kind: str) -> str:
        if kind == "x" and self.peek() == "{":
            end = self.source.find("}", self.at)
            digits = self.source[self.at + 1 : end] if end > 0 else ""
            self.at = end + 1
        else:
            length = 2 if kind == "x" else 4
            digits = self.source[self.at : self.at + length]
            self.at += length
            if len(digits) < length:
                digits = ""
        try:
            return self._paired(chr(int(digits, 16)), kind)
        except (ValueError, OverflowError):
            what = "hexadecimal" if kind == "x" else "Unicode"
            raise self.error(f"Illegal {what} escape sequence") from None

    def _paired(self, character: str, kind: str) -> str:
        """Two surrogates written one after the other are one character."""
        if (
            kind == "u"
            and "\ud800" <= character < "\udc00"
            and self.source.startswith("\\u", self.at)
        ):
            low = int(self.source[self.at + 2 : self.at + 6], 16)
            if 0xDC00 <= low < 0xE000:
                self.at += 6
                return chr(0x10000 + (ord(character) - 0xD800 << 10) + low - 0xDC00)
        return character

    def _by_name(self) -> str:
        import unicodedata

        end = self.source.find("}", self.at)
        if self.peek() != "{" or end < 0:
            raise self.error("Illegal character name escape sequence")
        name = self.source[self.at + 1 : end]
        self.at = end + 1
        try:
            return unicodedata.lookup(name)
        except KeyError:
            raise self.error(f"Unknown character name [{name}]") from None

    def character_class(self) -> CharacterClass:
        """What stands between brackets; the opening one is read."""
        negated = self.peek() == "^"
        self.at += negated
        whole: CharacterClass | None = None  # what stands before the last &&
        kind: CharacterClass | None = None
        while True:
            character = self.peek()
            if not character:
                raise self.error("Unclosed character class", len(self.source) - 1)
            if character == "]" and (kind is not None or whole is not None):
                self.at += 1
                break
            if self.source.startswith("&&", self.at):
                self.at += 2
                if kind is None and whole is None and self.peek() in ("&", "]"):
                    raise self.error("Bad class syntax")
                if kind is not None and self.peek() not in ("&", "]"):  # else it means nothing
                    whole = kind if whole is None else whole.intersection(kind)
                    kind = None
                continue
            item = self._class_item()
            if item is not None:
                kind = item if kind is None else kind.union(item)
        if whole is not None:
            kind = whole if kind is None else whole.intersection(kind)
        assert kind is not None
        return kind.complement() if negated else kind

    def _class_item(self) -> CharacterClass | None:
        character = self.take()
        if self.flags & COMMENTS:
            if character in " \t\n\x0b\f\r":
                return None
            if character == "#":
                while self.peek() and self.peek() not in "\n\r\x85\u2028\u2029":
                    self.at += 1
                return None
        if character == "[":
            return self.character_class()
        if character == "\\":
            character = self.take()
            if character == "Q":
                return self._class_quotation()
            if character == "E":
                return None
            if character in "RXbBAGZz" or (character.isdigit() and character != "0"):
                raise self.error("Illegal/unsupported escape sequence")
            if character.lower() in SIMPLE or character in "pP":
                return self.predefined(character)
            character = self.literal(character)
        return self._range(character)

    def _class_quotation(self) -> CharacterClass | None:
        end = self.source.find("\\E", self.at)
        text = self.source[self.at : end] if end >= 0 else self.source[self.at :]
        self.at = end + 2 if end >= 0 else len(self.source)
        kind: CharacterClass | None = None
        for c in text:
            kind = self.single(c) if kind is None else kind.union(self.single(c))
        return kind

    def _range(self, low: str) -> CharacterClass:
        follow = self.peek(1)
        if (
            self.peek() != "-"
            or not follow
            or follow in "[]"
            or self.source.startswith("&&", self.at + 1)
        ):
            return self.single(low)
        self.at += 1
        high = self.take()
        if high == "\\":
            high = self.take()
            if high.lower() in SIMPLE or high in "pP":
                raise self.error("Illegal character range")
            high = self.literal(high)
        if high < low:
            raise self.error("Illegal character range")
        ignore, unicode = bool(self.flags & IGNORE_CASE), bool(self.flags & UNICODE_CASE)
        return span(low, high, ignore_case=ignore, unicode_case=unicode)
