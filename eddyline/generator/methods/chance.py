"""The ``random`` and ``helpers`` modules of the template language."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from eddyline.generator.arguments import Arguments, text_of
from eddyline.generator.column import (
    At,
    Chars,
    Either,
    GeneratedColumn,
    Joined,
    NumberRange,
    Pick,
    SameText,
    Texts,
    Uniforms,
    decimals,
    from_matrix,
    join,
)
from eddyline.generator.methods import lists
from eddyline.generator.methods.method import Method, constant
from eddyline.generator.methods.word import (
    ALPHANUMERIC,
    DIGITS,
    HEX,
    LOWER,
    UPPER,
    WORD_SHAPE,
    drawn,
    replaced,
)

UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
# Up to here a table of ready texts is quicker than writing numbers.
TABLE_MAX = 4096

_HEX = np.frombuffer(b"".join(b"%02x" % k for k in range(256)), np.uint8).reshape(256, 2)
_UUID_PLACES = [k for k in range(36) if k not in (8, 13, 18, 23)]


@dataclass(frozen=True, slots=True)
class Uuid:
    """Version 4 UUIDs: 122 random bits."""

    slots: int = 4
    width: int = 36

    def build(self, u: Uniforms, at: At) -> Texts:
        octets = (u * 2.0**32).astype(np.uint32).view(np.uint8).reshape(len(u), 16)
        octets[:, 6] = octets[:, 6] & 0x0F | 0x40
        octets[:, 8] = octets[:, 8] & 0x3F | 0x80
        out = np.full((len(u), 36), ord("-"), np.uint8)
        out[:, _UUID_PLACES] = _HEX[octets].reshape(len(u), 32)
        return from_matrix(out)


def number_column(low: float, high: float, step: float) -> GeneratedColumn | None:
    """Multiples of ``step`` from ``low`` to ``high``, both included; None if there is none."""
    first = math.ceil(round(low / step, 9))
    count = math.floor(round(high / step, 9)) - first + 1
    if count < 1:
        return None
    if count > TABLE_MAX:
        return NumberRange(first, count, step if step != int(step) else int(step))
    places = decimals(step)
    return Pick([text_of(round((first + k) * step, places)) for k in range(count)])


def number(args: Arguments) -> GeneratedColumn:
    given = args.named("min", "max", "precision")
    if args.values and not isinstance(args.first(), dict):
        given = {} if args.first() is None else {"max": args.first()}
    low = args.number(given, "min", 0)
    high = args.number(given, "max", max(99_999, low) if "max" not in given else 99_999)
    step = args.number(given, "precision", 1, 1e-9)
    column = number_column(low, high, step)
    if column is None:
        args.fail(f"no number lies between min {low:g} and max {high:g} at precision {step:g}")
    return column


def array_element(args: Arguments) -> GeneratedColumn:
    return Pick([text_of(v) for v in args.items(args.first(), "the argument", ["a", "b", "c"])])


def weighted_element(args: Arguments) -> GeneratedColumn:
    given = args.named("weights", "data")
    if not args.values:
        given = {"data": ["a", "b", "c"], "weights": [0.25, 0.5, 0.25]}
    elif isinstance(args.first(), list) and len(args.values) == 1:
        given = _pairs(args, args.values[0])
    data = args.items(given.get("data"), "data", [])
    weights = args.items(given.get("weights"), "weights", [])
    if not data or not weights:
        args.fail("weights and data are needed", 'as in {"weights":[0.8,0.2],"data":["a","b"]}')
    if len(data) != len(weights):
        args.fail(f"{len(weights)} weights stand against {len(data)} values")
    sizes = [args.number({"weight": w}, "weight", 0, 0) for w in weights]
    if not sum(sizes) > 0:
        args.fail("all weights are zero", "give at least one weight above 0")
    return Pick([text_of(v) for v in data], sizes)


def _pairs(args: Arguments, rows: list[Any]) -> dict[str, Any]:
    """Weights and data of faker's later form, ``[{"weight":5,"value":"a"}, …]``."""
    if not all(isinstance(r, dict) and {"weight", "value"} <= r.keys() for r in rows):
        args.fail("each element needs a weight and a value", 'as in [{"weight":5,"value":"a"}]')
    return {"data": [r["value"] for r in rows], "weights": [r["weight"] for r in rows]}


def object_element(args: Arguments) -> GeneratedColumn:
    given = args.first() if args.first() is not None else {"foo": "bar", "too": "car"}
    if not isinstance(given, dict) or not given:
        args.fail("the argument must be an object with at least one key", 'as in {"a":1,"b":2}')
    keys = len(args.values) > 1 and args.values[1] == "key"
    return Pick([text_of(v) for v in (given.keys() if keys else given.values())])


def alphanumeric(args: Arguments) -> GeneratedColumn:
    return Chars(ALPHANUMERIC, args.whole(args.named("count"), "count", 1, 0))


def hexadecimal(args: Arguments) -> GeneratedColumn:
    return Joined("0x", Chars(HEX, args.whole(args.named("count"), "count", 1, 0)))


def alpha(args: Arguments) -> GeneratedColumn:
    given = args.named("count", "upcase")
    letters = UPPER if given.get("upcase") is True else LOWER
    return Chars(letters, args.whole(given, "count", 1, 0))


def real(args: Arguments) -> GeneratedColumn:
    given = args.named("min", "max", "precision")
    if args.values and not isinstance(args.first(), dict):
        given = {} if args.first() is None else {"max": args.first()}
    low = args.number(given, "min", 0, -1e12, 1e12)
    high = args.number(given, "max", max(99_999, low), -1e12, 1e12)
    step = args.number(given, "precision", 0.01, 1e-6, 1e9)
    column = number_column(low, high, step)
    if column is None:
        args.fail(f"no number lies between min {low:g} and max {high:g} at precision {step:g}")
    return column


def random_words(args: Arguments) -> GeneratedColumn:
    word = Pick(lists.words())
    count = args.whole(args.named("count"), "count", 3, 1, 1000)
    return Joined(*[p for _ in range(count) for p in (" ", word)][1:])


def array_elements(args: Arguments) -> GeneratedColumn:
    items = args.items(args.first(), "the list", ["a", "b", "c"])
    if len(items) > 1000:
        args.fail("the list may have 1000 elements at most")
    value = args.values[1] if len(args.values) > 1 else None
    low, high = (min(n, len(items)) for n in args.size(value, "count", 2))
    texts = [json.dumps(v, ensure_ascii=False) for v in items]
    return (
        Shuffled(texts, low)
        if low == high
        else Either(*(Shuffled(texts, n) for n in range(low, high + 1)))
    )


def mustache(args: Arguments) -> GeneratedColumn:
    """``{{key}}`` of the text becomes the value of that key of the object."""
    text, data = (*args.values, None, None)[:2]
    if not isinstance(text, str) or not isinstance(data, dict):
        args.fail("a text and an object are needed", 'as in ("{{a}}!", {"a":1})')
    return SameText(re.sub(r"\{\{\s*(\w+)\s*\}\}", lambda m: text_of(data.get(m[1], "")), text))


def replace_number(args: Arguments) -> GeneratedColumn:
    given = args.named("string", "symbol")
    symbol = text_of(given.get("symbol", "#"))
    if len(symbol) != 1:
        args.fail("symbol must be one character")
    return replaced({symbol: DIGITS}, text_of(given.get("string", "###")))


def replace_symbols(args: Arguments) -> GeneratedColumn:
    return replaced({"#": DIGITS, "?": UPPER, "*": DIGITS + UPPER}, args.text("##??"))


def slugify(args: Arguments) -> GeneratedColumn:
    dashed = re.sub(r"\s+", "-", args.text("a slug").strip())
    return SameText(re.sub(r"[^\w.-]+", "", dashed))


@dataclass(frozen=True, slots=True)
class Shuffled:
    """The elements of a list in random order, all or the first ``count``, as JSON."""

    texts: Sequence[str]
    count: int

    @property
    def slots(self) -> int:
        return len(self.texts)

    @property
    def width(self) -> int:
        return sum(len(t.encode()) + 1 for t in self.texts) + 2

    def build(self, u: Uniforms, at: At) -> Texts:
        order = np.argsort(u, axis=1, kind="stable")
        table = pa.array(self.texts)
        parts: list[Any] = ["["]
        for k in range(self.count):
            parts += (
                [",", table.take(pa.array(order[:, k]))]
                if k
                else [table.take(pa.array(order[:, k]))]
            )
        return join(at.n, [*parts, "]"])


def shuffle(args: Arguments) -> GeneratedColumn:
    items = args.items(args.first(), "the argument", ["a", "b", "c"])
    if len(items) > 1000:
        args.fail("a list to shuffle may have 1000 elements at most")
    return Shuffled([json.dumps(v, ensure_ascii=False) for v in items], len(items))


METHODS = (
    Method(
        "random.number",
        "(max) or ({min,max,precision})",
        "A whole number, or a multiple of precision; both ends included.",
        number,
        'random.number({"min":10,"max":150})',
        r"-?\d+(\.\d+)?",
    ),
    Method(
        "random.arrayElement",
        "([…])",
        "One element of the list.",
        array_element,
        'random.arrayElement(["OK","FAIL","WARN"])',
        "OK|FAIL|WARN",
    ),
    Method(
        "random.weightedArrayElement",
        "({weights,data}) or ([{weight,value}])",
        "One element, by weight.",
        weighted_element,
        'random.weightedArrayElement({"weights":[0.3,0.7],"data":["dog","cat"]})',
        "dog|cat",
    ),
    Method(
        "random.objectElement",
        '({…}) or ({…},"key")',
        "One value (or key) of the object.",
        object_element,
        'random.objectElement({"a":1,"b":2})',
        "1|2",
    ),
    Method("random.uuid", "", "A version 4 UUID.", constant(Uuid()), "random.uuid", UUID),
    Method(
        "random.boolean",
        "",
        "true or false.",
        constant(Pick(["true", "false"])),
        "random.boolean",
        "true|false",
    ),
    Method(
        "random.alphaNumeric",
        "(count)",
        "Lower-case letters and digits, one by default.",
        alphanumeric,
        "random.alphaNumeric(5)",
        "[0-9a-z]{5}",
    ),
    Method("random.word", "", "An English word.", drawn(lists.words), "random.word", WORD_SHAPE),
    Method(
        "random.words",
        "(count)",
        "English words, three by default.",
        random_words,
        "random.words(2)",
        f"{WORD_SHAPE} {WORD_SHAPE}",
    ),
    Method(
        "random.locale",
        "",
        "A language's code.",
        drawn(lists.locales),
        "random.locale",
        "[a-z]{2,3}",
    ),
    Method(
        "random.float",
        "(max) or ({min,max,precision})",
        "A number of two places.",
        real,
        'random.float({"min":1,"max":2})',
        r"\d+(\.\d+)?",
    ),
    Method(
        "random.hexaDecimal",
        "(count)",
        "Hexadecimal digits after 0x.",
        hexadecimal,
        "random.hexaDecimal(6)",
        "0x[0-9a-f]{6}",
    ),
    Method("random.alpha", "(count, upcase)", "Letters.", alpha, "random.alpha(3)", "[a-z]{3}"),
    Method(
        "random.arrayElements",
        "([…], {count,min,max})",
        "Some elements of the list, as JSON.",
        array_elements,
        "random.arrayElements([1,2,3],2)",
        r"\[[123],[123]\]",
    ),
    Method(
        "helpers.mustache",
        "(text, object)",
        "The text with {{key}} replaced.",
        mustache,
        'helpers.mustache("{{a}}-{{b}}",{"a":1,"b":2})',
        "1-2",
    ),
    Method(
        "helpers.randomize",
        "([…])",
        "One element of the list.",
        array_element,
        'helpers.randomize(["a","b"])',
        "a|b",
    ),
    Method(
        "helpers.shuffle",
        "([…])",
        "The list in random order, as JSON.",
        shuffle,
        "helpers.shuffle([1,2,3])",
        r"\[[123],[123],[123]\]",
    ),
    Method(
        "helpers.slugify",
        "(text)",
        "The text with dashes for spaces.",
        slugify,
        'helpers.slugify("a b c")',
        "a-b-c",
    ),
    Method(
        "helpers.replaceSymbolWithNumber",
        "(text, symbol)",
        "Each # becomes a digit.",
        replace_number,
        'helpers.replaceSymbolWithNumber("ab-##")',
        r"ab-\d\d",
    ),
    Method(
        "helpers.replaceSymbols",
        "(text)",
        "# a digit, ? a letter, * either.",
        replace_symbols,
        'helpers.replaceSymbols("##??*")',
        r"\d\d[A-Z]{2}[A-Z0-9]",
    ),
)
