"""The column of times of a file: which one it is, its instants, and what is odd about them.

Whole or decimal numbers can be times since 1970 in seconds, milliseconds, microseconds or
nanoseconds: for the years from 1971 to 2200 each unit has a range of magnitudes of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, tzinfo

import numpy as np
import pyarrow as pa

from eddyline.anomaly.choices import zone_of
from eddyline.anomaly.kernel import Bools, Doubles, Int64s
from eddyline.errors import EddylineError

# (unit, units in a second), and the seconds of the years from which and up to which numbers that
# nobody has named may be times: 2000 to 2100.
EPOCHS = (
    ("seconds", 1),
    ("milliseconds", 1_000),
    ("microseconds", 1_000_000),
    ("nanoseconds", 1_000_000_000),
)
_LIKELY = (946_684_800, 4_102_444_800)
_POSSIBLE = (31_536_000, 7_258_118_400)
_TIME_NAME = re.compile(
    r"(?i)(.*_)?(time|timestamp|ts|at|date|datetime|epoch|when)(_?(s|ms|us|ns|utc))?"
)
# A step is the distance of rows in time only if at least this share of a series' rows keep it.
_REGULAR = 0.5
# A longer step than this many usual ones is a gap: rows come a little late without one.
_GAP = 1.5
_LENGTHS = ((86_400_000, "d"), (3_600_000, "h"), (60_000, "min"), (1_000, "s"), (1, "ms"))


def time_column(table: pa.Table, key: str | None = None) -> str | None:
    """The one column of times; None if there is none, or more than one.

    Timestamps come first, then dates. Without any, numbers count that lie in this century, if the
    column's name says so or if it is the first one and never falls.
    """
    names = [n for n in table.column_names if pa.types.is_timestamp(table[n].type)]
    names = names or [n for n in table.column_names if pa.types.is_date(table[n].type)]
    if not names:
        names = [n for n in table.column_names if n != key and holds_times(table, n)]
    return names[0] if len(names) == 1 and not table[names[0]].null_count else None


def holds_times(table: pa.Table, name: str) -> bool:
    """Whether the numbers of a column are likely to be times; some may be absent."""
    if not is_number(table[name]) or table[name].null_count == len(table):
        return False
    values = table[name].drop_null().to_numpy()
    if _unit(values, _LIKELY) is None:
        return False
    rises = name == table.column_names[0] and bool((np.diff(values) >= 0).all())
    return _TIME_NAME.fullmatch(name) is not None or (rises and bool(values[0] != values[-1]))


def is_number(column: pa.ChunkedArray) -> bool:
    kind = column.type
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))


def unit_of(column: pa.ChunkedArray) -> str | None:
    """What the numbers of a column count since 1970; None for timestamps."""
    if not is_number(column):
        return None
    found = _unit(column.to_numpy(), _POSSIBLE)
    return None if found is None else found[0]


def _unit(values: Doubles | Int64s, years: tuple[int, int]) -> tuple[str, int] | None:
    """The unit for which all values lie in these years, given as seconds."""
    low, high = float(values.min()), float(values.max())
    for unit, per_second in EPOCHS:
        if years[0] * per_second <= low and high <= years[1] * per_second:
            return unit, per_second
    return None


def times_of(table: pa.Table, name: str) -> Int64s:
    """Epoch milliseconds of a column of times.

    Raises:
        EddylineError: ``invalid_argument`` if it holds something else, or no time in some row.
    """
    column = table[name]
    hint = "write it as 2026-01-31 23:59:00, or as seconds or milliseconds since 1970"
    number = is_number(column)
    if not (number or pa.types.is_timestamp(column.type) or pa.types.is_date(column.type)):
        msg = f"column {name} is {column.type}, no timestamp"
        raise EddylineError("invalid_argument", msg, hint=hint)
    if column.null_count:
        msg = f"column {name} has no time in {column.null_count:,} of its rows"
        raise EddylineError("invalid_argument", msg, hint="filter such rows out")
    if not number:
        times: Int64s = column.cast(pa.timestamp("ms"), safe=False).cast(pa.int64()).to_numpy()
        return times
    values = column.to_numpy()
    found = _unit(values, _POSSIBLE)
    if found is None:
        msg = f"column {name} holds numbers that are no times of the years 1971 to 2200 in one unit"
        raise EddylineError("invalid_argument", msg, hint=hint)
    if found[1] > 1_000 and values.dtype.kind in "iu":
        whole: Int64s = values.astype(np.int64) // (found[1] // 1_000)
        return whole
    millis: Int64s = np.rint(values.astype(np.float64) * (1_000 / found[1])).astype(np.int64)
    return millis


def zone_shown(column: pa.ChunkedArray, time_zone: str) -> tzinfo | None:
    """The zone in which a column's times are written: none for wall times, which a file holds
    without a zone; for instants the one that is stated, else UTC."""
    if not is_number(column) and getattr(column.type, "tz", None) is None:
        return None
    return zone_of(time_zone) or UTC


def oddities(keys: Int64s, times: Int64s, zone: tzinfo | None = None) -> Iterator[str]:
    """What is odd about the times: a sentence each on disorder, equal times and gaps.

    keys (n,): number of each row's series; times (n,): epoch milliseconds; zone: for the text.
    """
    order = np.lexsort((np.arange(len(keys)), keys))
    same = np.diff(keys[order]) == 0
    back = order[1:][same & (np.diff(times[order]) < 0)]
    if len(back):
        yield _counted(
            back, times, "is earlier than the row before", "are earlier than the row before", zone
        )
    order = np.lexsort((np.arange(len(keys)), times, keys))
    same, steps = np.diff(keys[order]) == 0, np.diff(times[order])
    equal = order[1:][same & (steps == 0)]
    if len(equal):
        one, many = "has the time of an earlier row", "have the time of an earlier row"
        yield _counted(equal, times, one, many, zone)
    yield from _gaps(order, same & (steps > 0), steps, times, zone)


def _counted(rows: Int64s, times: Int64s, one: str, many: str, zone: tzinfo | None) -> str:
    first = int(rows.min())
    words = f"1 row {one}" if len(rows) == 1 else f"{len(rows):,} rows {many}"
    place = f"row {first + 1:,}, {written(int(times[first]), zone)}"
    return f"{words} in the same series: the first is {place}"


def _gaps(
    order: Int64s, follows: Bools, steps: Int64s, times: Int64s, zone: tzinfo | None
) -> Iterator[str]:
    if not follows.any():
        return
    lengths, counts = np.unique(steps[follows], return_counts=True)
    usual = int(lengths[np.argmax(counts)])
    if counts.max() < _REGULAR * counts.sum():
        return
    at = np.flatnonzero(follows & (steps > _GAP * usual))
    if not len(at):
        return
    first = at[np.argmin(order[at])]
    row, s = int(order[first]), "" if len(at) == 1 else "s"
    yield (
        f"{len(at):,} gap{s} between rows that are {length(usual)} apart: the first is after row "
        f"{row + 1:,}, {written(int(times[row]), zone)}, and {length(int(steps[first]))} long"
    )


def written(ms: int, zone: tzinfo | None = None) -> str:
    """An instant as text, with milliseconds where it has some, and with its offset in a zone."""
    moment = datetime.fromtimestamp(ms / 1000, zone or UTC)
    moment = moment if zone else moment.replace(tzinfo=None)
    return moment.isoformat(" ", "milliseconds" if ms % 1000 else "seconds")


def length(ms: int) -> str:
    """A span of time in the largest unit that it is at least once, to three digits."""
    for unit_ms, unit in _LENGTHS:
        if ms >= unit_ms:
            return f"{ms / unit_ms:.3g} {unit}"
    return "0 ms"
