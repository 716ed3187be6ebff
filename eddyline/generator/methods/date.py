"""The ``date`` and ``current`` modules of the template language."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from eddyline.generator.arguments import Arguments, shown, text_of
from eddyline.generator.column import At, Column, Pick, Texts, Uniforms
from eddyline.generator.iso import parse_iso
from eddyline.generator.methods.method import Method
from eddyline.generator.moment import (
    DAY_MS,
    DAYS,
    ISO_LOCAL,
    ISO_UTC,
    JS_DATE,
    MONTHS,
    Format,
    compile_format,
)

YEAR_MS = 365 * DAY_MS
_JS = compile_format(JS_DATE + " [(Coordinated Universal Time)]")
JS_SHAPE = (
    r"(Sun|Mon|Tue|Wed|Thu|Fri|Sat) [A-Z][a-z]{2} \d\d \d{4} \d\d:\d\d:\d\d "
    r"GMT\+0000 \(Coordinated Universal Time\)"
)


@dataclass(frozen=True, slots=True)
class Now:
    """The instant a record is due, or that of the simulated clock, in a moment format."""

    format: Format
    utc: bool
    simulated: bool = False
    slots: int = 0

    @property
    def width(self) -> int:
        return self.format.width

    def build(self, u: Uniforms, at: At) -> Texts:
        ms = at.sim_ms if self.simulated else at.now_ms
        return self.format.render_sorted(ms, utc=self.utc)


@dataclass(frozen=True, slots=True)
class Near:
    """An instant between two distances (ms) from a reference, or from now."""

    low_ms: int
    high_ms: int
    reference_ms: int | None = None
    slots: int = 1

    @property
    def width(self) -> int:
        return _JS.width

    def build(self, u: Uniforms, at: At) -> Texts:
        base = at.now_ms if self.reference_ms is None else self.reference_ms
        shift = self.low_ms + (u[:, 0] * (self.high_ms - self.low_ms)).astype(np.int64)
        return _JS.render(base + shift, utc=True)


def local(args: Arguments) -> Column:
    return Now(compile_format(args.text(ISO_LOCAL)), utc=False)


def utc(args: Arguments) -> Column:
    return Now(compile_format(args.text(ISO_UTC)), utc=True)


def simulated(args: Arguments) -> Column:
    return Now(compile_format(args.text(ISO_LOCAL)), utc=False, simulated=True)


def past(args: Arguments) -> Column:
    return _years(args, -1)


def future(args: Arguments) -> Column:
    return _years(args, 1)


def _years(args: Arguments, sign: int) -> Column:
    given = args.named("years", "refDate")
    span = int(args.number(given, "years", 1, 0, 1000) * YEAR_MS)
    reference = _instant(args, given["refDate"]) if "refDate" in given else None
    return Near(min(0, sign * span), max(0, sign * span), reference)


def recent(args: Arguments) -> Column:
    days = args.number(args.named("days"), "days", 1, 0, 365_000)
    return Near(-int(days * DAY_MS), 0)


def between(args: Arguments) -> Column:
    given = args.named("from", "to")
    if len(given) < 2:
        args.fail("two dates are needed", 'as in {{date.between("2020-01-01","2020-12-31")}}')
    start, end = sorted(_instant(args, given[k]) for k in ("from", "to"))
    return Near(0, end - start, start)


def _instant(args: Arguments, value: object) -> int:
    ms = int(value) if isinstance(value, (int, float)) else parse_iso(text_of(value))
    if ms is None or abs(ms) > 10**14:
        args.fail(f"{shown(value)} is no date", 'write ISO 8601, as in "2020-12-31T23:59:59Z"')
    return ms


def month(args: Arguments) -> Column:
    return Pick([m[:3] for m in MONTHS] if args.named("abbr").get("abbr") is True else MONTHS)


def weekday(args: Arguments) -> Column:
    return Pick([d[:3] for d in DAYS] if args.named("abbr").get("abbr") is True else DAYS)


_FORMAT = "(format)"
_ISO_SHAPE = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d"

METHODS = (
    Method(
        "date.now",
        _FORMAT,
        "The record's instant in local time, in moment's tokens.",
        local,
        'date.now("YYYY-MM-DDTHH:mm:ss.SSS")',
        _ISO_SHAPE + r"\.\d{3}",
    ),
    Method(
        "date.utc",
        _FORMAT,
        "The record's instant in UTC, in moment's tokens.",
        utc,
        "date.utc",
        _ISO_SHAPE + "Z",
    ),
    Method(
        "current.timestamp",
        _FORMAT,
        "An old name of date.now.",
        local,
        "current.timestamp",
        _ISO_SHAPE + r"[+-]\d\d:\d\d",
    ),
    Method(
        "date.simTime",
        _FORMAT,
        "The simulated clock; the record's instant where none is set.",
        simulated,
        "date.simTime(x)",
        r"\d+",
    ),
    Method(
        "date.past",
        "(years, refDate)",
        "Within the years before.",
        past,
        "date.past(2)",
        JS_SHAPE,
    ),
    Method(
        "date.future",
        "(years, refDate)",
        "Within the years to come.",
        future,
        "date.future",
        JS_SHAPE,
    ),
    Method(
        "date.recent",
        "(days)",
        "Within the days before.",
        recent,
        "date.recent(3)",
        JS_SHAPE,
    ),
    Method(
        "date.between",
        "(from, to)",
        "Between two dates.",
        between,
        'date.between("2020-01-01","2020-12-31")',
        JS_SHAPE.replace(r"\d{4} ", "2020 "),
    ),
    Method("date.month", '({"abbr":true})', "A month.", month, "date.month", "|".join(MONTHS)),
    Method(
        "date.weekday", '({"abbr":true})', "A weekday.", weekday, "date.weekday", "|".join(DAYS)
    ),
)
