"""Character classes of Java's regular expressions as flat sets of two other dialects.

A class is a set of code points that is kept as text: the inside of a bracket expression, for the
``regex`` library and, where it means the same, for RE2. Unions concatenate; what cannot be flat
(an intersection, a negated class inside another) becomes a look-ahead, which RE2 does not have.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

_LINE_ENDS = r"\n\r\x85\u2028\u2029"
LINE_END = rf"[{_LINE_ENDS}]"
# Java's isLetterOrDigit, with the underscore: what \b calls a word.
BOUND_WORD = r"[_\p{L}\p{Nd}]"

# letter: (inside for regex, inside for RE2); the capital letter negates.
SIMPLE: dict[str, tuple[str, str]] = {
    "d": ("0-9", "0-9"),
    "w": ("A-Za-z0-9_", "A-Za-z0-9_"),
    "s": (r" \t\n\x0b\f\r", r" \t\n\x0b\f\r"),
    "h": (
        r" \t\xa0\u1680\u180e\u2000-\u200a\u202f\u205f\u3000",
        r" \t\x{a0}\x{1680}\x{180e}\x{2000}-\x{200a}\x{202f}\x{205f}\x{3000}",
    ),
    "v": (r"\n\x0b\f\r\x85\u2028\u2029", r"\n\x0b\f\r\x{85}\x{2028}\x{2029}"),
}
# Their complements, spelt as ranges so that they can stand beside others in one bracket.
COMPLEMENTS: dict[str, tuple[str, str]] = {
    "d": (r"\x00-/:-\U0010ffff", r"\x00-/:-\x{10ffff}"),
    "w": (r"\x00-/:-@\[-\^`{-\U0010ffff", r"\x00-/:-@\[-\^`{-\x{10ffff}"),
    "s": (r"\x00-\x08\x0e-\x1f!-\U0010ffff", r"\x00-\x08\x0e-\x1f!-\x{10ffff}"),
    "h": (
        r"\x00-\x08\n-\x1f!-\x9f\xa1-\u167f\u1681-\u180d\u180f-\u1fff\u200b-\u202e\u2030-\u205e"
        r"\u2060-\u2fff\u3001-\U0010ffff",
        r"\x00-\x08\n-\x1f!-\x{9f}\x{a1}-\x{167f}\x{1681}-\x{180d}\x{180f}-\x{1fff}"
        r"\x{200b}-\x{202e}\x{2030}-\x{205e}\x{2060}-\x{2fff}\x{3001}-\x{10ffff}",
    ),
    "v": (
        r"\x00-\t\x0e-\x84\x86-\u2027\u202a-\U0010ffff",
        r"\x00-\t\x0e-\x{84}\x{86}-\x{2027}\x{202a}-\x{10ffff}",
    ),
}
# With the flag U; \h and \v stay as they are.
UNICODE: dict[str, str] = {
    "d": r"\p{Nd}",
    "w": r"\p{Alphabetic}\p{Mn}\p{Me}\p{Mc}\p{Nd}\p{Pc}\u200c\u200d",
    "s": r"\p{White_Space}",
}
POSIX: dict[str, str] = {
    "Lower": "a-z",
    "Upper": "A-Z",
    "ASCII": r"\x00-\x7f",
    "Alpha": "A-Za-z",
    "Digit": "0-9",
    "Alnum": "A-Za-z0-9",
    "Punct": r"!-/:-@\[-`{-~",
    "Graph": "!-~",
    "Print": " -~",
    "Blank": r" \t",
    "Cntrl": r"\x00-\x1f\x7f",
    "XDigit": "0-9A-Fa-f",
    "Space": r" \t\n\x0b\f\r",
}
JAVA_METHODS: dict[str, str] = {
    "javaLowerCase": r"\p{Lowercase}",
    "javaUpperCase": r"\p{Uppercase}",
    "javaAlphabetic": r"\p{Alphabetic}",
    "javaTitleCase": r"\p{Lt}",
    "javaDigit": r"\p{Nd}",
    "javaLetter": r"\p{L}",
    "javaLetterOrDigit": r"\p{L}\p{Nd}",
    "javaDefined": r"\P{Cn}",
    "javaSpaceChar": r"\p{Z}",
    "javaWhitespace": r"\t-\r\x1c-\x20\u1680\u2000-\u2006\u2008-\u200a\u2028\u2029\u205f\u3000",
    "javaISOControl": r"\x00-\x1f\x7f-\x9f",
}
BINARY: dict[str, str] = {
    "ALPHABETIC": r"\p{Alphabetic}",
    "LETTER": r"\p{L}",
    "IDEOGRAPHIC": r"\p{Ideographic}",
    "LOWERCASE": r"\p{Lowercase}",
    "UPPERCASE": r"\p{Uppercase}",
    "TITLECASE": r"\p{Lt}",
    "WHITE_SPACE": r"\p{White_Space}",
    "WHITESPACE": r"\p{White_Space}",
    "CONTROL": r"\p{Cc}",
    "PUNCTUATION": r"\p{P}",
    "HEX_DIGIT": r"\p{Hex_Digit}",
    "HEXDIGIT": r"\p{Hex_Digit}",
    "ASSIGNED": r"\P{Cn}",
    "NONCHARACTER_CODE_POINT": r"\p{Noncharacter_Code_Point}",
    "DIGIT": r"\p{Nd}",
    "ALNUM": r"\p{Alphabetic}\p{Nd}",
    "EMOJI": r"\p{Emoji}",
}
_CATEGORIES = (
    "L Lu Ll Lt Lm Lo M Mn Me Mc N Nd Nl No Z Zs Zl Zp C Cc Cf Co Cs Cn "
    "P Pd Ps Pe Pc Po Pi Pf S Sm Sc Sk So"
)
CATEGORIES = frozenset(_CATEGORIES.split())


@dataclass(frozen=True, slots=True)
class CharacterClass:
    """``inside`` of brackets for ``regex``; ``re2`` is None where RE2 has no such set.

    ``guard`` is a look-ahead for what the flat set cannot say.
    """

    inside: str = ""
    re2: str | None = ""
    negated: bool = False
    guard: str = ""
    alone: bool = False  # one character, which needs no brackets

    def text(self) -> str:
        """The class as ``regex`` reads it."""
        if self.alone and not self.negated:
            return self.inside
        if not self.inside:
            flat = r"[\s\S]" if self.negated else "(?!)"
        else:
            flat = f"[{'^' if self.negated else ''}{self.inside}]"
        return f"(?:{self.guard}{flat})" if self.guard else flat

    def re2_text(self) -> str | None:
        """The class as RE2 reads it, None if RE2 cannot."""
        if self.re2 is None or self.guard or not self.re2:
            return None
        if self.alone and not self.negated:
            return self.re2
        return f"[{'^' if self.negated else ''}{self.re2}]"

    def complement(self) -> CharacterClass:
        """Every code point that is not in the class."""
        if not self.guard:
            return replace(self, negated=not self.negated)
        return CharacterClass(r"\s\S", None, guard=f"(?!{self.text()})")

    def union(self, other: CharacterClass) -> CharacterClass:
        """Code points of either class."""
        flat = not (self.negated or other.negated or self.guard or other.guard)
        if flat:
            both = None if self.re2 is None or other.re2 is None else self.re2 + other.re2
            return CharacterClass(self.inside + other.inside, both)
        if not self.inside and not self.negated and not self.guard:
            return other
        if not other.inside and not other.negated and not other.guard:
            return self
        return CharacterClass(r"\s\S", None, guard=f"(?={self.text()}|{other.text()})")

    def intersection(self, other: CharacterClass) -> CharacterClass:
        """Code points of both classes."""
        return CharacterClass(r"\s\S", None, guard=f"(?={self.text()})(?={other.text()})")


def single(character: str, *, ignore_case: bool, unicode_case: bool) -> CharacterClass:
    """One character, with its other case if case is ignored."""
    variants = {character}
    if ignore_case and (unicode_case or character.isascii()):
        for other in (character.lower(), character.upper()):
            if len(other) == 1 and (unicode_case or other.isascii()):
                variants.add(other)
        if unicode_case:
            variants |= _UNICODE_TWINS.get(character.lower(), set())
    inside = "".join(escaped(c) for c in sorted(variants))
    re2 = "".join(escaped_re2(c) for c in sorted(variants))
    return CharacterClass(inside, re2, alone=len(variants) == 1)


# Letters beyond the pair of cases that Java's Unicode case folding takes for equal.
_UNICODE_TWINS = {
    "s": {"ſ"}, "ſ": {"s", "S"}, "k": {"\u212a"}, "\u212a": {"k", "K"},
    "å": {"\u212b"}, "\u212b": {"å", "Å"}, "ω": {"\u2126"}, "\u2126": {"ω", "Ω"},
    "μ": {"µ"}, "µ": {"μ", "Μ"}, "σ": {"ς"}, "ς": {"σ", "Σ"},
}  # fmt: skip


def span(low: str, high: str, *, ignore_case: bool, unicode_case: bool) -> CharacterClass:
    """A range of characters, with the other cases of its letters if case is ignored."""
    inside = f"{escaped(low)}-{escaped(high)}"
    re2 = f"{escaped_re2(low)}-{escaped_re2(high)}"
    if ignore_case:
        first, last = ord(low), ord(high)
        letters = (
            range(first, last + 1) if unicode_case else range(max(first, 65), min(last, 122) + 1)
        )
        if len(letters) > 4096:
            return CharacterClass(inside, None)
        others = {chr(c).swapcase() for c in letters if chr(c).isalpha()}
        more = sorted(c for c in others if len(c) == 1 and (unicode_case or c.isascii()))
        inside += "".join(map(escaped, more))
        re2 += "".join(map(escaped_re2, more))
    return CharacterClass(inside, re2)


def named(name: str, *, unicode: bool) -> CharacterClass | None:
    """The class of ``\\p{name}``, None for a name that Java does not know either."""
    key, _, value = name.partition("=")
    if value:
        return _keyed(key.lower(), value)
    if name in POSIX:
        if unicode and name != "ASCII":
            return _property(f"\\p{{posix_{name.lower()}}}") or CharacterClass(POSIX[name], None)
        return CharacterClass(POSIX[name], POSIX[name])
    if name in JAVA_METHODS:
        return CharacterClass(JAVA_METHODS[name], None)
    if name in CATEGORIES:
        return CharacterClass(f"\\p{{{name}}}", None)
    if name in ("LC", "LD", "L1", "all"):
        inside = {"LC": r"\p{Lu}\p{Ll}\p{Lt}", "LD": r"\p{L}\p{Nd}", "L1": r"\x00-\xff"}
        return CharacterClass(inside.get(name, r"\s\S"), None)
    if name.startswith("In"):
        return _property(f"\\p{{Block={name[2:]}}}")
    if name.startswith("Is"):
        rest = name[2:]
        if rest.upper() in BINARY:
            return CharacterClass(BINARY[rest.upper()], None)
        if rest in CATEGORIES:
            return CharacterClass(f"\\p{{{rest}}}", None)
        return _property(f"\\p{{Script={rest}}}")
    return None


def _keyed(key: str, value: str) -> CharacterClass | None:
    if key in ("sc", "script"):
        return _property(f"\\p{{Script={value}}}")
    if key in ("blk", "block"):
        return _property(f"\\p{{Block={value}}}")
    if key in ("gc", "general_category") and value in CATEGORIES:
        return CharacterClass(f"\\p{{{value}}}", None)
    return None


def _property(text: str) -> CharacterClass | None:
    import regex

    try:
        regex.compile(text)
    except regex.error:
        return None
    return CharacterClass(text, None)


def escaped(character: str) -> str:
    """A character as ``regex`` reads it, in brackets or outside."""
    if character.isalnum() or character == "_" or (character > "\x7f" and character.isprintable()):
        return character
    code = ord(character)
    return f"\\x{code:02x}" if code < 256 else f"\\U{code:08x}"


def escaped_re2(character: str) -> str:
    """A character as RE2 reads it, in brackets or outside."""
    if character.isascii() and (character.isalnum() or character == "_"):
        return character
    return f"\\x{{{ord(character):x}}}"
