"""The names of faker 8 to 10 (``number``, ``string``, ``person``, ``location`` …).

What changed its arguments or is new has a function here; names that only moved are rows of
``aliases.py``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow.compute as pc

from eddyline.generator.arguments import Arguments, text_of
from eddyline.generator.column import (
    At,
    Chars,
    GeneratedColumn,
    Integers,
    Joined,
    Mapped,
    NumberRange,
    Pick,
    Texts,
    Uniforms,
    from_matrix,
    index,
)
from eddyline.generator.methods import chance, lists
from eddyline.generator.methods.around import Perhaps, listed
from eddyline.generator.methods.business import BASE58
from eddyline.generator.methods.checked import Isbn, Luhn
from eddyline.generator.methods.date import Near
from eddyline.generator.methods.method import Method, constant
from eddyline.generator.methods.regexp import (
    CharRun,
    Repeated,
    TemplatePatternError,
    compile_pattern,
)
from eddyline.generator.methods.things import words
from eddyline.generator.methods.word import (
    ALPHANUMERIC,
    DIGITS,
    HEX,
    LOWER,
    UPPER,
    WORD_SHAPE,
    built,
    drawn,
    replaced,
)
from eddyline.generator.moment import DAY_MS, compile_format

INT_MAX = 2**53 - 1
SYMBOLS = "!\"#$%&'()*+,-./:;<=>?@[]^_`{|}~"
# Symbols that need no escape within a JSON string.
PLAIN_SYMBOLS = SYMBOLS.replace('"', "")
CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
NANO = ALPHANUMERIC + UPPER + "_-"


def scalar(args: Arguments, names: tuple[str, ...] = ("min", "max")) -> dict[str, Any]:
    """Named arguments where one bare number stands for ``max``."""
    if args.values and not isinstance(args.first(), dict):
        return {} if args.first() is None else {"max": args.first()}
    return args.named(*names)


def run(args: Arguments, alphabet: str, default: int = 1) -> GeneratedColumn:
    """Characters of an alphabet, as many as ``length``."""
    given = args.named("length", "casing", "exclude")
    excluded = given.get("exclude", "")
    letters = "".join(c for c in alphabet if c not in excluded)
    if not letters:
        args.fail("exclude leaves no character")
    low, high = args.size(given.get("length"), "length", default)
    return Chars(letters, low) if low == high else CharRun(letters, low, high)


def cased(args: Arguments) -> str:
    """The letters that ``casing`` allows; faker's default is mixed."""
    casing = args.named("length", "casing").get("casing", "mixed")
    letters = {"upper": UPPER, "lower": LOWER, "mixed": LOWER + UPPER}
    if casing not in letters:
        args.fail(f"casing is {text_of(casing)[:20]!r}", f"it is one of {', '.join(letters)}")
    return letters[casing]


def alpha(args: Arguments) -> GeneratedColumn:
    return run(args, cased(args))


def alphanumeric(args: Arguments) -> GeneratedColumn:
    return run(args, DIGITS + cased(args))


def hexadecimal(args: Arguments) -> GeneratedColumn:
    given = args.named("length", "casing", "prefix")
    digits = HEX.upper() if given.get("casing") == "upper" else HEX
    return Joined(text_of(given.get("prefix", "0x")), run(args, digits))


def numeric(args: Arguments) -> GeneratedColumn:
    return run(args, DIGITS)


def prefixed(prefix: str, digits: str) -> Any:
    """The compiler of ``string.binary`` and ``string.octal``."""
    return lambda args: Joined(
        text_of(args.named("length", "prefix").get("prefix", prefix)), run(args, digits)
    )


def symbol(args: Arguments) -> GeneratedColumn:
    return run(args, PLAIN_SYMBOLS)


def sample(args: Arguments) -> GeneratedColumn:
    low, high = args.size(args.first(), "length", 10)
    letters = PLAIN_SYMBOLS + ALPHANUMERIC + UPPER
    return Chars(letters, low) if low == high else CharRun(letters, low, high)


def from_characters(args: Arguments) -> GeneratedColumn:
    given = args.named("characters", "length")
    chars = given.get("characters")
    texts = [text_of(c) for c in chars] if isinstance(chars, list) else list(text_of(chars or ""))
    if not texts:
        args.fail("characters are needed", 'as in ("ABC", 5)')
    low, high = args.size(given.get("length"), "length", 1)
    return Repeated(Pick(texts), low, high) if high else Joined()


def whole(args: Arguments) -> GeneratedColumn:
    given = scalar(args, ("min", "max", "multipleOf"))
    low = args.number(given, "min", 0, -INT_MAX, INT_MAX)
    high = args.number(given, "max", INT_MAX, -INT_MAX, INT_MAX)
    step = args.number(given, "multipleOf", 1, 1)
    if step != int(step):
        args.fail("multipleOf must be a whole number")
    return _numbers(args, low, high, step)


def real(args: Arguments) -> GeneratedColumn:
    given = scalar(args, ("min", "max", "multipleOf", "fractionDigits", "precision"))
    low = args.number(given, "min", 0, -1e12, 1e12)
    high = args.number(given, "max", max(1.0, low), -1e12, 1e12)
    step = given.get("multipleOf", given.get("precision"))
    if step is None:
        step = 10.0 ** -args.whole(given, "fractionDigits", 9 if high - low <= 1e6 else 3, 0, 12)
    return _numbers(args, low, high, args.number({"step": step}, "step", 1, 1e-12, 1e12))


def _numbers(args: Arguments, low: float, high: float, step: float) -> GeneratedColumn:
    column = chance.number_column(low, high, step)
    if column is None:
        args.fail(f"no number lies between min {low:g} and max {high:g} at steps of {step:g}")
    return column


@dataclass(frozen=True, slots=True)
class Digits:
    """Whole numbers ``low`` … ``low + count - 1`` in base 2, 8 or 16: ``bits`` bits per digit."""

    low: int
    count: int
    bits: int
    slots: int = 1
    width: int = 64

    def build(self, u: Uniforms, at: At) -> Texts:
        values: Integers = index(u[:, 0], self.count) + self.low
        places = max(1, -(-(self.low + self.count - 1).bit_length() // self.bits))
        shifts = np.arange(places - 1, -1, -1) * self.bits
        digits = values[:, None] >> shifts & (1 << self.bits) - 1
        table = np.frombuffer(HEX.encode(), np.uint8)
        texts = pc.utf8_ltrim(from_matrix(table[digits]), "0")
        return pc.if_else(pc.equal(texts, ""), "0", texts)


def written(bits: int, most: int) -> Any:
    """The compiler of ``number.hex``, ``number.octal`` and ``number.binary``."""

    def compile_written(args: Arguments) -> GeneratedColumn:
        given = scalar(args)
        low = args.whole(given, "min", 0, 0, INT_MAX)
        high = args.whole(given, "max", max(low, most), low, INT_MAX)
        return Digits(low, high - low + 1, bits)

    return compile_written


def roman(args: Arguments) -> GeneratedColumn:
    given = scalar(args)
    low = args.whole(given, "min", 1, 1, 3999)
    high = args.whole(given, "max", 3999, low, 3999)
    return Pick([_roman(k) for k in range(low, high + 1)])


def _roman(number: int) -> str:
    out = ""
    for value, letters in zip(
        (1000, 900, 500, 400, 100, 90, 50, 40, 10, 9, 5, 4, 1),
        ["M", "CM", "D", "CD", "C", "XC", "L", "XL", "X", "IX", "V", "IV", "I"],
        strict=True,
    ):
        count, number = divmod(number, value)
        out += letters * count
    return out


@dataclass(frozen=True, slots=True)
class Ulid:
    """The record's instant in 10 characters of Crockford's base 32, then 16 random ones."""

    slots: int = 16
    width: int = 26

    def build(self, u: Uniforms, at: At) -> Texts:
        shifts = np.arange(45, -1, -5)
        places = np.concatenate([at.now_ms[:, None] >> shifts & 31, index(u, 32)], axis=1)
        return from_matrix(np.frombuffer(CROCKFORD.encode(), np.uint8)[places])


def object_key(args: Arguments) -> GeneratedColumn:
    given = args.first()
    if not isinstance(given, dict) or not given:
        args.fail("the argument must be an object with at least one key", 'as in {"a":1,"b":2}')
    return Pick([text_of(k) for k in given])


def object_entry(args: Arguments) -> GeneratedColumn:
    given = args.first()
    if not isinstance(given, dict) or not given:
        args.fail("the argument must be an object with at least one key", 'as in {"a":1,"b":2}')
    return Pick([json.dumps(pair, ensure_ascii=False) for pair in given.items()])


def from_pattern(args: Arguments) -> GeneratedColumn:
    try:
        return compile_pattern(args.text("[a-z]{5}"))
    except TemplatePatternError as error:
        args.fail(str(error))


def pin(args: Arguments) -> GeneratedColumn:
    return Chars(DIGITS, args.whole(args.named("length"), "length", 4, 1))


def card_symbols(args: Arguments) -> GeneratedColumn:
    """A pattern of digits whose last character ``L`` is the check digit of the others."""
    pattern = args.text("6453-####-####-####-###L")
    if not pattern.endswith("L"):
        return replaced({"#": DIGITS, "!": DIGITS[2:]}, pattern)
    digits = [c for c in pattern if c in "#!" or c.isdigit()]
    fixed = "".join(digits).split("#")[0].split("!")[0]
    number = Luhn(fixed, len(digits) + 1)
    marks = [(k, c) for k, c in enumerate(pattern) if not (c in "#!L" or c.isdigit())]

    def spaced(texts: Any) -> Any:
        parts, start = [], 0
        for shift, (place_of, mark) in enumerate(marks):
            parts += [pc.utf8_slice_codeunits(texts, start, place_of - shift), mark]
            start = place_of - shift
        return pc.binary_join_element_wise(*parts, pc.utf8_slice_codeunits(texts, start), "")

    return Mapped(number, spaced, len(pattern.encode())) if marks else number


def multiple(args: Arguments) -> GeneratedColumn:
    """Another tag's values as a JSON list."""
    tag, options = (*args.values, None, None)[:2]
    given = options if isinstance(options, dict) else {"count": options}
    low, high = args.size(given.get("count"), "count", 3)
    return listed(args, _inner(args, tag), low, high)


def maybe(args: Arguments) -> GeneratedColumn:
    """Another tag's value, or nothing."""
    tag, options = (*args.values, None, None)[:2]
    given = options if isinstance(options, dict) else {"probability": options}
    given = {k: v for k, v in given.items() if v is not None}
    chance_of = args.number(given, "probability", 0.5, 0, 1)
    return Perhaps(_inner(args, tag), 1 - chance_of, "")


def _inner(args: Arguments, tag: Any) -> GeneratedColumn:
    if not isinstance(tag, str) or not tag.strip() or args.scope is None:
        args.fail("a tag is needed", f'as in {{{{{args.tag}("internet.ip")}}}}')
    column: GeneratedColumn = args.scope.tag(tag.removeprefix("{{").removesuffix("}}"), args)
    return column


def rgb(args: Arguments) -> GeneratedColumn:
    given = args.named("prefix", "casing", "format", "includeAlpha")
    if given.get("format") == "css":
        part = [str(k) for k in range(256)]
        return Joined("rgb(", part, ", ", part, ", ", part, ")")
    digits = HEX.upper() if given.get("casing") == "upper" else HEX
    return Joined(text_of(given.get("prefix", "#")), Chars(digits, 6))


def triple(name: str, *tops: int) -> GeneratedColumn:
    """A colour as a CSS function of whole numbers, the first one without a percent sign."""
    parts: list[GeneratedColumn | str] = [name + "("]
    for at, top in enumerate(tops):
        parts += [" " if at else "", NumberRange(0, top + 1), "" if top == 360 else "%"]
    return Joined(*parts, ")")


def flight_number(args: Arguments) -> GeneratedColumn:
    given = args.named("length")
    low, high = args.size(given.get("length"), "length", 4, 1)
    return CharRun("123456789", low, high) if low != high else Chars("123456789", low)


def vehicle() -> GeneratedColumn:
    return Joined(Pick(words("vehicle.manufacturer")), " ", Pick(words("vehicle.model")))


def english(part: str) -> Any:
    """The compiler of an English word of one part of speech."""
    return drawn(lambda: lists.english(part))


def cron() -> GeneratedColumn:
    star = ["*", "*", "*"]
    return Joined(
        [*star, *map(str, range(60))], " ", [*star, *map(str, range(24))], " ",
        [*star, *map(str, range(1, 29))], " ", [*star, *map(str, range(1, 13))], " ",
        [*star, *map(str, range(7))],
    )  # fmt: skip


def isbn() -> GeneratedColumn:
    return Isbn()


def token() -> GeneratedColumn:
    """Three parts as those of a signed web token; nobody signed it."""
    url_safe = ALPHANUMERIC + UPPER + "-_"
    return Joined("eyJ", Chars(url_safe, 33), ".eyJ", Chars(url_safe, 77), ".", Chars(url_safe, 43))


def joined_words(args: Arguments) -> GeneratedColumn:
    low, high = args.size(args.named("count").get("count"), "count", 3, 1)
    return Repeated(Joined(Pick(lists.words()), " "), low, high)


def trimmed_words(args: Arguments) -> GeneratedColumn:
    return Mapped(joined_words(args), pc.utf8_trim_whitespace)


def seat() -> GeneratedColumn:
    return Joined([str(k) for k in range(1, 36)], ["A", "B", "C", "D", "E", "F"])


def emoji() -> list[str]:
    return [str(e) for e in lists.provider("emoji").emojis]


def _range(args: Arguments) -> GeneratedColumn:
    low, high = args.size(args.first(), "number", 0)
    return NumberRange(low, high - low + 1)


def _git_date(args: Arguments) -> GeneratedColumn:
    days = args.number(args.named("days"), "days", 1, 0, 365_000)
    return Near(-int(days * DAY_MS), 0, None, compile_format("ddd MMM D HH:mm:ss YYYY [+0000]"))


_COLOUR = r"\(\d{1,3} \d{1,3}% \d{1,3}%\)"
_MIXED = "[0-9A-Za-z]"

METHODS = (
    Method("number.int", "(max) or ({min,max,multipleOf})", "A whole number, from 0.", whole,
           'number.int({"min":10,"max":20})', "1[0-9]|20"),
    Method("number.float", "(max) or ({min,max,multipleOf,fractionDigits})",
           "A number, between 0 and 1 by default.", real,
           'number.float({"min":1,"max":2,"fractionDigits":2})', r"[12](\.\d{1,2})?"),
    Method("number.bigInt", "(max) or ({min,max})", "A whole number, from 0.", whole,
           "number.bigInt", r"\d+"),
    Method("number.hex", "(max) or ({min,max})", "A whole number in hexadecimal, up to f.",
           written(4, 15), 'number.hex({"min":16,"max":255})', "[0-9a-f]{2}"),
    Method("number.octal", "(max) or ({min,max})", "A whole number in octal, up to 7.",
           written(3, 7), "number.octal", "[0-7]"),
    Method("number.binary", "(max) or ({min,max})", "A whole number in binary, up to 1.",
           written(1, 1), "number.binary", "[01]"),
    Method("number.romanNumeral", "(max) or ({min,max})", "A Roman numeral.", roman,
           "number.romanNumeral", "[MDCLXVI]+"),
    Method("datatype.bigInt", "(max) or ({min,max})", "As number.bigInt.", whole,
           "datatype.bigInt", r"\d+"),
    Method("string.alpha", "(length) or ({length,casing,exclude})", "Letters, one by default.",
           alpha, "string.alpha(5)", "[A-Za-z]{5}"),
    Method("string.alphanumeric", "(length) or ({length,casing,exclude})",
           "Letters and digits, one by default.", alphanumeric,
           'string.alphanumeric({"length":{"min":2,"max":5}})', _MIXED + "{2,5}"),
    Method("string.numeric", "(length) or ({length,exclude})", "Digits, one by default.", numeric,
           "string.numeric(6)", r"\d{6}"),
    Method("random.numeric", "(length)", "Digits, one by default.", numeric, "random.numeric(3)",
           r"\d{3}"),
    Method("string.hexadecimal", "({length,casing,prefix})", "Hexadecimal digits after 0x.",
           hexadecimal, 'string.hexadecimal({"length":4})', "0x[0-9a-f]{4}"),
    Method("string.octal", "({length,prefix})", "Octal digits after 0o.",
           prefixed("0o", DIGITS[:8]),
           'string.octal({"length":3})', "0o[0-7]{3}"),
    Method("string.binary", "({length,prefix})", "Binary digits after 0b.", prefixed("0b", "01"),
           'string.binary({"length":3})', "0b[01]{3}"),
    Method("string.symbol", "(length)", "Punctuation marks, without double quotes.", symbol,
           "string.symbol(3)", r"[^\w\s\"\\]|_{1,3}|.{3}"),
    Method("string.sample", "(length)", "Letters, digits and marks, ten by default.", sample,
           "string.sample(4)", ".{4}"),
    Method("string.fromCharacters", "(characters, length)", "Characters of your own.",
           from_characters, 'string.fromCharacters("xyz",3)', "[xyz]{3}"),
    Method("string.nanoid", "(length)", "21 characters of a URL.",
           lambda args: run(args, NANO, 21), "string.nanoid", r"[\w-]{21}"),
    Method("string.ulid", "", "A ULID of the record's instant.", constant(Ulid()), "string.ulid",
           f"[{CROCKFORD}]{{26}}"),
    Method("random.objectKey", "({…})", "One key of the object.", object_key,
           'random.objectKey({"a":1,"b":2})', "a|b"),
    Method("helpers.objectEntry", "({…})", "One key and its value, as a JSON list.", object_entry,
           'helpers.objectEntry({"a":1,"b":2})', r'\["[ab]", [12]\]'),
    Method("helpers.fromRegExp", "(pattern)", "A text that matches a regular expression.",
           from_pattern, 'helpers.fromRegExp("[A-Z]{3}-(x|y)\\\\d?")', r"[A-Z]{3}-[xy]\d?"),
    Method("helpers.regexpStyleStringParse", "(pattern)", "As helpers.fromRegExp.", from_pattern,
           'helpers.regexpStyleStringParse("[a-c]{2}")', "[a-c]{2}"),
    Method("helpers.rangeToNumber", "(n) or ({min,max})", "A whole number of the range.",
           _range, 'helpers.rangeToNumber({"min":3,"max":5})', "[3-5]"),
    Method("helpers.replaceCreditCardSymbols", "(text)",
           "# becomes a digit, L at the end the check digit.", card_symbols,
           'helpers.replaceCreditCardSymbols("4###-####-####-###L")', r"4\d{3}(-\d{4}){3}"),
    Method("helpers.multiple", '("module.method(…)", {count})',
           "Values of another tag as a JSON list; count is a number or {min,max}, 3 by default.",
           multiple, 'helpers.multiple("random.number(9)",{"count":2})', r"\[\d,\d\]"),
    Method("helpers.maybe", '("module.method(…)", {probability})',
           "A value of another tag, or nothing.", maybe,
           'helpers.maybe("random.number(9)",{"probability":0.5})', r"\d?"),
    Method("finance.pin", "(length)", "Digits, four by default.", pin, "finance.pin", r"\d{4}"),
    Method("finance.litecoinAddress", "", "An address in base 58.",
           built(lambda: Joined(["L", "M", "3"], Chars(BASE58, 30))),
           "finance.litecoinAddress", "[LM3][1-9A-HJ-NP-Za-km-z]{30}"),
    Method("finance.creditCardIssuer", "", "A kind of payment card.",
           drawn(lambda: list(lists.cards())), "finance.creditCardIssuer", "[a-z0-9]+"),
    Method("finance.currencyNumericCode", "", "A currency's number of three digits.",
           built(lambda: Chars(DIGITS, 3)), "finance.currencyNumericCode", r"\d{3}"),
    Method("commerce.isbn", "", "An ISBN of 13 digits with its check digit.", built(isbn),
           "commerce.isbn", r"97[89]\d{10}"),
    Method("color.rgb", "({prefix,casing,format})", "A colour; format css writes rgb().", rgb,
           "color.rgb", "#[0-9a-f]{6}"),
    Method("color.hsl", "", "A colour by hue, saturation and lightness.",
           built(lambda: triple("hsl", 360, 100, 100)), "color.hsl", "hsl" + _COLOUR),
    Method("color.hwb", "", "A colour by hue, whiteness and blackness.",
           built(lambda: triple("hwb", 360, 100, 100)), "color.hwb", "hwb" + _COLOUR),
    Method("color.cmyk", "", "A colour by four inks.",
           built(lambda: triple("cmyk", 100, 100, 100, 100)), "color.cmyk",
           r"cmyk\((\d{1,3}% ?){4}\)"),
    Method("location.buildingNumber", "", "A number of a building.",
           built(lambda: NumberRange(1, 9_999)), "location.buildingNumber", r"\d{1,4}"),
    Method("location.continent", "", "A continent.",
           constant(Pick(["Africa", "Antarctica", "Asia", "Australia", "Europe", "North America",
                          "South America"])), "location.continent", "[A-Z][A-Za-z ]+"),
    Method("airline.flightNumber", "({length})", "A flight's number.", flight_number,
           "airline.flightNumber", r"[1-9]{4}"),
    Method("airline.recordLocator", "", "A booking's code.", built(lambda: Chars(UPPER, 6)),
           "airline.recordLocator", "[A-Z]{6}"),
    Method("airline.seat", "", "A seat.", built(seat), "airline.seat", r"\d{1,2}[A-F]"),
    Method("vehicle.vehicle", "", "Manufacturer and model.", built(vehicle), "vehicle.vehicle",
           r"\S.+"),
    Method("word.noun", "", "An English noun.", english("noun"), "word.noun", WORD_SHAPE),
    Method("word.verb", "", "An English verb.", english("verb"), "word.verb", WORD_SHAPE),
    Method("word.adjective", "", "An English adjective.", english("adjective"), "word.adjective",
           WORD_SHAPE),
    Method("word.adverb", "", "An English adverb.", english("adverb"), "word.adverb", WORD_SHAPE),
    Method("word.sample", "", "An English word.", drawn(lists.words), "word.sample", WORD_SHAPE),
    Method("word.words", "(count)", "English words, three by default.", trimmed_words,
           "word.words(2)", f"{WORD_SHAPE} {WORD_SHAPE}"),
    Method("system.cron", "", "A schedule of cron.", built(cron), "system.cron",
           r"(\S+ ){4}\S+"),
    Method("system.networkInterface", "", "The name of a network interface.",
           built(lambda: Joined(["eth", "en", "wlan", "wl"], NumberRange(0, 10))),
           "system.networkInterface", r"[a-z]+\d"),
    Method("internet.jwt", "", "Three parts like those of a web token, not signed by anybody.",
           built(token), "internet.jwt", r"eyJ[\w-]+\.eyJ[\w-]+\.[\w-]+"),
    Method("internet.emoji", "", "An emoji.", drawn(emoji), "internet.emoji", r".+"),
    Method("git.commitDate", "(days)", "A date as git writes it.",
           _git_date, "git.commitDate", r"\w{3} \w{3} \d+ [\d:]+ \d{4} \+0000"),
)  # fmt: skip
