"""Where an axis of times or row numbers has ticks, and what is written at them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

_TICKS = 9
_S, _MIN, _H, _D = 1000, 60_000, 3_600_000, 86_400_000
_STEPS = (
    *(n * _S for n in (1, 2, 5, 10, 15, 30)),
    *(n * _MIN for n in (1, 2, 5, 10, 15, 30)),
    *(n * _H for n in (1, 2, 3, 6, 12)),
    *(n * _D for n in (1, 2, 7, 14, 30, 90, 180, 365, 730, 1825, 3650)),
)


@dataclass(frozen=True, slots=True)
class Tick:
    """share: its place along the axis, 0 to 1."""

    share: float
    text: str


def ticks_of(low: float, high: float, zone: tzinfo | None) -> list[Tick]:
    """Ticks between two epoch milliseconds, in a zone; of row numbers without one."""
    if high <= low:
        return [Tick(0.0, _row(low) if zone is None else _written(_local(low, zone), _S))]
    if zone is None:
        return [Tick((at - low) / (high - low), _row(at)) for at in _round(low, high)]
    step = next((s for s in _STEPS if (high - low) / s <= _TICKS), _STEPS[-1])
    out: list[Tick] = []
    first = _local(low, zone)
    midnight = first.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    nth = -(-(first.replace(tzinfo=None) - midnight) // timedelta(milliseconds=step))
    day = None
    while True:
        wall = midnight + nth * timedelta(milliseconds=step)
        at = wall.replace(tzinfo=zone).timestamp() * 1000
        if at > high:
            return out
        if at >= low:
            out.append(Tick((at - low) / (high - low), _written(wall, step, wall.date() != day)))
            day = wall.date()
        nth += 1


def _local(ms: float, zone: tzinfo) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC).astimezone(zone)


def _written(wall: datetime, step: int, new_day: bool = True) -> str:
    if step >= 365 * _D:
        return f"{wall:%Y}"
    if step >= 14 * _D:
        return f"{wall:%d %b %Y}"
    if step >= _D:
        return f"{wall:%d %b}"
    clock = f"{wall:%H:%M:%S}" if step < _MIN else f"{wall:%H:%M}"
    return f"{wall:%d %b} {clock}" if new_day else clock


def _round(low: float, high: float) -> list[float]:
    steps = (n * 10**power for power in range(12) for n in (1, 2, 5))
    step = next(s for s in steps if (high - low) / s <= _TICKS)
    first = -(-int(low) // step) * step
    return [float(at) for at in range(first, int(high) + 1, step)]


def _row(at: float) -> str:
    return f"{at:,.0f}"
