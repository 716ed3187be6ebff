"""The ``date`` and ``current`` modules of the template language."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC
from typing import Any

import numpy as np

from eddyline.generator.arguments import Arguments, shown, text_of
from eddyline.generator.column import At, GeneratedColumn, Pick, Texts, Uniforms
from eddyline.generator.iso import parse_iso
from eddyline.generator.methods.method import Method
from eddyline.generator.moment import (
    DAY_MS,
    DAYS,
    ISO_LOCAL,
    ISO_UTC,
    JS_DATE,
    MONTHS,
    TimeFormat,
    Zone,
    compile_format,
    zone_named,
)

YEAR_MS = 365 * DAY_MS
JS = compile_format(JS_DATE + " [(Coordinated Universal Time)]")
JS_SHAPE = (
    r"(Sun|Mon|Tue|Wed|Thu|Fri|Sat) [A-Z][a-z]{2} \d\d \d{4} \d\d:\d\d:\d\d "
    r"GMT\+0000 \(Coordinated Universal Time\)"
)


@dataclass(frozen=True, slots=True)
class Now:
    """The instant a record is due, or that of the simulated clock, in a moment format."""

    format: TimeFormat
    zone: Zone
    simulated: bool = False
    slots: int = 0

    @property
    def width(self) -> int:
        return self.format.width

    def build(self, u: Uniforms, at: At) -> Texts:
        ms = at.sim_ms if self.simulated else at.now_ms
        return self.format.render_sorted(ms, zone=self.zone)


@dataclass(frozen=True, slots=True)
class Near:
    """An instant between two distances (ms) from a reference, or from the simulated clock.

    Where no clock is simulated, that is the record's instant.
    """

    low_ms: int
    high_ms: int
    reference_ms: int | None = None
    format: TimeFormat = JS
    zone: Zone = UTC
    slots: int = 1

    @property
    def width(self) -> int:
        return self.format.width

    def build(self, u: Uniforms, at: At) -> Texts:
        base = at.sim_ms if self.reference_ms is None else self.reference_ms
        shift = self.low_ms + (u[:, 0] * (self.high_ms - self.low_ms)).astype(np.int64)
        return self.format.render(base + shift, zone=self.zone)


def form(args: Arguments, given: dict[str, Any], default: TimeFormat, zone: Zone) -> dict[str, Any]:
    """The arguments ``format`` and ``zone`` of a date, as members of its column.

    A format without a zone writes UTC, as JavaScript's own texts of random dates do.
    """
    made = compile_format(text_of(given["format"])) if "format" in given else default
    if "zone" in given:
        try:
            zone = zone_named(text_of(given["zone"]))
        except ValueError:
            hint = "write UTC, local or a name such as Europe/Berlin"
            args.fail(f"no zone is called {text_of(given['zone'])[:40]!r}", hint)
    return {"format": made, "zone": zone}


def clock(
    default: str, zone: Zone, *, is_simulated: bool = False
) -> Callable[[Arguments], GeneratedColumn]:
    """The compiler of a method that writes the record's instant."""

    def compile_clock(args: Arguments) -> GeneratedColumn:
        given = args.named("format", "zone")
        if len(args.values) == 1 and not isinstance(args.first(), dict):
            given = {"format": args.first()}  # a number is a format, too
        made = form(args, given, compile_format(default), zone)
        return Now(made["format"], made["zone"], is_simulated)

    return compile_clock


def past(args: Arguments) -> GeneratedColumn:
    return _years(args, -1)


def future(args: Arguments) -> GeneratedColumn:
    return _years(args, 1)


def _years(args: Arguments, sign: int) -> GeneratedColumn:
    given = args.named("years", "refDate", "format", "zone")
    span = int(args.number(given, "years", 1, 0, 1000) * YEAR_MS)
    return _near(args, given, min(0, sign * span), max(0, sign * span))


def recent(args: Arguments) -> GeneratedColumn:
    given = args.named("days", "refDate", "format", "zone")
    return _near(args, given, -int(args.number(given, "days", 1, 0, 365_000) * DAY_MS), 0)


def soon(args: Arguments) -> GeneratedColumn:
    given = args.named("days", "refDate", "format", "zone")
    return _near(args, given, 0, int(args.number(given, "days", 1, 0, 365_000) * DAY_MS))


def anytime(args: Arguments) -> GeneratedColumn:
    return _near(args, args.named("refDate", "format", "zone"), -YEAR_MS, YEAR_MS)


def _near(args: Arguments, given: dict[str, Any], low_ms: int, high_ms: int) -> GeneratedColumn:
    reference = _instant(args, given["refDate"]) if "refDate" in given else None
    return Near(low_ms, high_ms, reference, **form(args, given, JS, UTC))


def between(args: Arguments) -> GeneratedColumn:
    given = args.named("from", "to", "format", "zone")
    if "from" not in given or "to" not in given:
        args.fail("two dates are needed", 'as in {{date.between("2020-01-01","2020-12-31")}}')
    start, end = sorted(_instant(args, given[k]) for k in ("from", "to"))
    return Near(0, end - start, start, **form(args, given, JS, UTC))


def birth_date(args: Arguments) -> GeneratedColumn:
    """A date of birth for an age in years, or (mode year) within some years."""
    given = args.named("min", "max", "mode", "refDate", "format", "zone")
    if given.get("mode") == "year":
        low = args.whole(given, "min", 1940, 0, 9998)
        high = args.whole(given, "max", max(2005, low), low, 9998)
        start, end = (parse_iso(f"{year:04}-01-01") or 0 for year in (low, high + 1))
        return Near(0, end - start - 1, start, **form(args, given, JS, UTC))
    low = args.whole(given, "min", 18, 0, 150)
    high = args.whole(given, "max", max(80, low), low, 150)
    year_ms = 365.2425 * DAY_MS
    return _near(args, given, -int((high + 1) * year_ms), -int(low * year_ms))


def _instant(args: Arguments, value: object) -> int:
    ms = int(value) if isinstance(value, (int, float)) else parse_iso(text_of(value))
    if ms is None or abs(ms) > 10**14:
        args.fail(f"{shown(value)} is no date", 'write ISO 8601, as in "2020-12-31T23:59:59Z"')
    return ms


def month(args: Arguments) -> GeneratedColumn:
    return Pick([m[:3] for m in MONTHS] if args.flag("abbr", "abbreviated") else MONTHS)


def weekday(args: Arguments) -> GeneratedColumn:
    return Pick([d[:3] for d in DAYS] if args.flag("abbr", "abbreviated") else DAYS)


_FORMAT = "(format, zone)"
_ISO_SHAPE = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d"

METHODS = (
    Method("date.now", _FORMAT, "The record's instant in local time, in moment's tokens.",
           clock(ISO_LOCAL, None), 'date.now("YYYY-MM-DDTHH:mm:ss.SSS")', _ISO_SHAPE + r"\.\d{3}"),
    Method("date.utc", _FORMAT, "The record's instant in UTC, in moment's tokens.",
           clock(ISO_UTC, UTC), "date.utc", _ISO_SHAPE + "Z"),
    Method("current.timestamp", _FORMAT, "An old name of date.now.", clock(ISO_LOCAL, None),
           "current.timestamp", _ISO_SHAPE + r"[+-]\d\d:\d\d"),
    Method("date.simTime", _FORMAT, "The simulated clock; the record's instant where none is set.",
           clock(ISO_LOCAL, None, is_simulated=True), "date.simTime(x)", r"\d+"),
    Method("date.past", "(years, refDate, format, zone)", "Within the years before.", past,
           "date.past(2)", JS_SHAPE),
    Method("date.future", "(years, refDate, format, zone)", "Within the years to come.", future,
           "date.future", JS_SHAPE),
    Method("date.recent", "(days, refDate, format, zone)", "Within the days before.", recent,
           "date.recent(3)", JS_SHAPE),
    Method("date.soon", "(days, refDate, format, zone)", "Within the days to come.", soon,
           "date.soon(3)", JS_SHAPE),
    Method("date.anytime", "({refDate,format,zone})", "Within a year before or after.", anytime,
           'date.anytime({"format":"YYYY-MM-DD"})', r"\d{4}-\d\d-\d\d"),
    Method("date.between", "(from, to, format, zone)", "Between two dates.", between,
           'date.between("2020-01-01","2020-12-31")', JS_SHAPE.replace(r"\d{4} ", "2020 ")),
    Method("date.birthdate", "({min,max,mode,refDate,format,zone})",
           "A date of birth for an age in years; mode year: between two years.", birth_date,
           'date.birthdate({"min":20,"max":30,"format":"YYYY-MM-DD"})', r"\d{4}-\d\d-\d\d"),
    Method("date.month", '({abbr,abbreviated})', "A month.", month, "date.month",
           "|".join(MONTHS)),
    Method("date.weekday", '({abbr,abbreviated})', "A weekday.", weekday, "date.weekday",
           "|".join(DAYS)),
)  # fmt: skip
