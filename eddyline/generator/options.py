"""The short texts of a command line for changes of the rate and for faults."""

from __future__ import annotations

import json
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from eddyline.errors import EddylineError
from eddyline.generator.iso import parse_iso
from eddyline.generator.pattern import Burst, Periodic, Ramp, Sine
from eddyline.generator.replay.spec import parse_speed
from eddyline.generator.spec import FAULTS, Fault, Simulated, parse_duration

RAMP = "TO:OVER, as 1000:60s"
SINE = "SHARE:PERIOD, as 0.5:10m"
BURST = "START:LENGTH:FACTOR, as 30s:10s:5 or 30s:10s:0"
CLOCK = "START..END@SPEED, as 2020-01-01..2020-01-08@3600x or 2020-01-01@max"
FAULT = "KIND:CHANCE and settings, as outlier:0.01:field=temperature:factor=10"
WEEK = 'a JSON file, {"mean": [7 rows of 24 numbers], "deviation": [...], "smooth": true}'
_DURATIONS = {"delay": "delay_s", "start": "start_s", "for": "duration_s"}


def parse_ramp(text: str) -> Ramp:
    """``1000:60s``. Raises ``invalid_argument``."""
    to, over = _parts(text, 2, "ramp", RAMP)
    return Ramp(_number(to, "ramp", RAMP), parse_duration(over))


def parse_sine(text: str) -> Sine:
    """``0.5:10m``. Raises ``invalid_argument``."""
    share, period = _parts(text, 2, "sine", SINE)
    return Sine(_number(share, "sine", SINE), parse_duration(period))


def parse_burst(text: str) -> Burst:
    """``30s:10s:5``. Raises ``invalid_argument``."""
    start, length, factor = _parts(text, 3, "burst", BURST)
    return Burst(parse_duration(start), parse_duration(length), _number(factor, "burst", BURST))


def parse_clock(text: str) -> Simulated:
    """``2020-01-01..2020-01-08@3600x``. Raises ``invalid_argument``."""
    span, _, speed = text.partition("@")
    start, _, end = span.partition("..")
    times = [parse_iso(t) if t else None for t in (start, end)]
    if times[0] is None or (end and times[1] is None):
        raise _wrong("simulated clock", text, CLOCK)
    return Simulated(times[0], times[1], parse_speed(speed) if speed else 1.0)


def parse_fault(text: str) -> Fault:
    """``outlier:0.01:field=temperature``. Raises ``invalid_argument``."""
    kind, *rest = text.split(":")
    if kind not in FAULTS or not rest:
        hint = f"{FAULT}; kinds are {', '.join(FAULTS)}"
        raise _wrong("fault", text, hint)
    settings: dict[str, Any] = {"chance": _number(rest[0], "fault", FAULT)}
    for setting in rest[1:]:
        name, _, value = setting.partition("=")
        if name == "field":
            settings[name] = value
        elif name == "factor":
            settings[name] = _number(value, "fault", FAULT)
        elif name in _DURATIONS:
            settings[_DURATIONS[name]] = parse_duration(value)
        else:
            hint = "settings are field, factor, delay, start and for"
            raise _wrong("fault", text, hint)
    return Fault(kind, **settings)


def clock_text(clock: Simulated) -> str:
    """What :func:`parse_clock` reads as this clock."""
    end = "" if clock.end_ms is None else f"..{_iso(clock.end_ms)}"
    return f"{_iso(clock.start_ms)}{end}@{'max' if clock.speed is None else f'{clock.speed:g}x'}"


def fault_text(fault: Fault) -> str:
    """What :func:`parse_fault` reads as this fault; what is as it is anyway is left out."""
    usual, parts = Fault(fault.kind), [fault.kind, f"{fault.chance:.12g}"]
    if fault.field is not None:
        parts.append(f"field={fault.field}")
    if fault.factor != usual.factor:
        parts.append(f"factor={fault.factor:.12g}")
    for name, member in _DURATIONS.items():
        value = getattr(fault, member)
        if value != getattr(usual, member):
            parts.append(f"{name}={_plain(value)}s")
    return ":".join(parts)


def _iso(ms: int) -> str:
    """An instant without what is zero at its end; UTC, so without an offset."""
    text = datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3]
    return text.removesuffix(".000").removesuffix("T00:00:00")


def _plain(value: float) -> str:
    """A number without an exponent."""
    return f"{value:.6f}".rstrip("0").rstrip(".")


def read_week(path: str) -> Periodic:
    """A file's table of rates. Raises ``not_found``, ``bad_file``."""
    try:
        table = json.loads(Path(path).read_bytes())
    except FileNotFoundError:
        raise EddylineError("not_found", f"there is no file {path}", hint=WEEK) from None
    except (OSError, ValueError, RecursionError) as error:
        raise EddylineError("bad_file", f"{path} is no JSON: {error}", hint=WEEK) from None
    return week_of(table, path)


def week_of(table: Any, where: str = "the table") -> Periodic:
    """A table of rates as JSON has it; a list is the means alone. Raises ``bad_file``."""
    if isinstance(table, list):
        table = {"mean": table}
    known = {f.name for f in fields(Periodic)}
    if not isinstance(table, dict) or "mean" not in table or set(table) - known:
        raise EddylineError("bad_file", f"{where} is no table of rates", hint=WEEK)
    try:
        rows = {
            name: tuple(tuple(float(v) for v in row) for row in table.get(name) or ())
            for name in ("mean", "deviation")
        }
    except (TypeError, ValueError):
        raise EddylineError("bad_file", f"{where} is no table of numbers", hint=WEEK) from None
    return Periodic(rows["mean"], rows["deviation"], bool(table.get("smooth", True)))


def _parts(text: str, count: int, what: str, hint: str) -> list[str]:
    parts = text.split(":")
    if len(parts) != count:
        raise _wrong(what, text, hint)
    return parts


def _number(text: str, what: str, hint: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise _wrong(what, text, hint) from None


def _wrong(what: str, text: str, hint: str) -> EddylineError:
    return EddylineError("invalid_argument", f"{text!r} is no {what}", hint=hint)
