"""The column of times of a file: which one it is, its instants, and what is odd about them.

Whole or decimal numbers can be times since 1970 in seconds, milliseconds, microseconds or
nanoseconds: for the years from 1971 to 2200 each unit has a range of magnitudes of its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from eddyline.anomaly.choices import zone_of
from eddyline.anomaly.kernel import Bools, Doubles, Int64s
from eddyline.anomaly.measures import names_a_time
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
_OFFSET = re.compile(r":\d\d(?:\.\d+)?\s*([+-])(\d\d):?(\d\d)\s*$")
_UNNAMED = re.compile(r"column_\d+")
# Of a column of times rows may be out of order, but few.
_ONE_WAY = 0.9
# A step is the distance of rows in time only if at least this share of a series' rows keep it.
_REGULAR = 0.5
# A longer step than this many usual ones is a gap: rows come a little late without one.
_GAP = 1.5
# Rows without a time are left out, up to this share of them.
ABSENT_MAX = 0.1
_HOUR_MS, _DAY_MS = 3_600_000, 86_400_000
_LENGTHS = ((86_400_000, "d"), (3_600_000, "h"), (60_000, "min"), (1_000, "s"), (1, "ms"))


def time_column(table: pa.Table, key: str | None = None) -> str | None:
    """The one column of times; None if there is none, or more than one.

    Timestamps come first, then dates. Without any, numbers count that lie in this century, if the
    column's name says so, or if it is the first one, or one without a name, and hardly ever turns.
    """
    names = time_columns(table, key)
    few = len(names) == 1 and table[names[0]].null_count <= ABSENT_MAX * table.num_rows
    return names[0] if few else None


def time_columns(table: pa.Table, key: str | None = None) -> list[str]:
    """The columns that ``time_column`` would choose from."""
    names = [n for n in table.column_names if pa.types.is_timestamp(table[n].type)]
    names = names or [n for n in table.column_names if pa.types.is_date(table[n].type)]
    return names or [n for n in table.column_names if n != key and holds_times(table, n)]


def holds_times(table: pa.Table, name: str) -> bool:
    """Whether the numbers of a column are likely to be times; some may be absent."""
    if not is_number(table[name]) or table[name].null_count == len(table):
        return False
    values = table[name].drop_null().to_numpy()
    if _unit(values, _LIKELY) is None:
        return False
    if names_a_time(name):
        return True
    steps = np.diff(values)
    one_way = max(np.count_nonzero(steps >= 0), np.count_nonzero(steps <= 0))
    likely = name == table.column_names[0] or _UNNAMED.fullmatch(name) is not None
    return likely and bool(one_way >= _ONE_WAY * len(steps) and values[0] != values[-1])


def is_number(column: pa.ChunkedArray) -> bool:
    kind = column.type
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))


def unit_of(column: pa.ChunkedArray) -> str | None:
    """What the numbers of a column count since 1970; None for timestamps."""
    if not is_number(column):
        return None
    unit = _unit(column.to_numpy(), _POSSIBLE)
    return None if unit is None else unit[0]


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
    unit = _unit(values, _POSSIBLE)
    if unit is None:
        msg = f"column {name} holds numbers that are no times of the years 1971 to 2200 in one unit"
        raise EddylineError("invalid_argument", msg, hint=hint)
    if unit[1] > 1_000 and values.dtype.kind in "iu":
        whole: Int64s = values.astype(np.int64) // (unit[1] // 1_000)
        return whole
    millis: Int64s = np.rint(values.astype(np.float64) * (1_000 / unit[1])).astype(np.int64)
    return millis


def zone_shown(column: pa.ChunkedArray, time_zone: str) -> tzinfo | None:
    """The zone in which a column's times are written: none for wall times, which a file holds
    without a zone; for instants the one that is stated, else the column's, else UTC."""
    own = getattr(column.type, "tz", None)
    if not is_number(column) and own is None:
        return None
    return zone_of(time_zone) or (zone_of(own) if own else None) or UTC


@dataclass(frozen=True, slots=True)
class Times:
    """The times of n rows: ms (n,): instants, epoch ms; known (n,): rows that have one; shown (n,):
    what is written, which differs from ms where wall times were taken in a zone. axis: the zone of
    an axis that they are drawn over."""

    ms: Int64s
    known: Bools
    shown: Int64s
    zone: tzinfo | None = None
    texts: pa.ChunkedArray | None = None
    axis: tzinfo = UTC

    def text(self, row: int) -> str:
        """A row's time as the file writes it, or as ``written`` does."""
        if self.texts is not None and (text := self.texts[row].as_py()):
            return str(text).strip()
        return written(int(self.shown[row]), self.zone)


def read_times(
    table: pa.Table, name: str, keys: Int64s, time_zone: str, texts: pa.ChunkedArray | None
) -> Times:
    """The times of all rows. Wall times are taken in the zone that is stated, else in UTC.

    keys (n,): number of each row's series, which tells the hour that clocks show twice.

    Raises:
        EddylineError: ``invalid_argument`` if the column holds no times, or too few.
    """
    column = table[name]
    known: Bools = np.asarray(pc.is_valid(column))
    if column.null_count > ABSENT_MAX * len(column):
        times_of(table, name)
    kept = table if known.all() else table.filter(pa.array(known))
    shown = np.zeros(len(column), np.int64)
    shown[known] = times_of(kept, name)
    zone, stated = zone_shown(column, time_zone), zone_of(time_zone)
    ms = shown
    if zone is None and stated is not None:
        ms = np.zeros(len(column), np.int64)
        ms[known] = _instants(shown[known], keys[known], stated)
    texts = None if is_number(column) else texts
    return Times(ms, known, shown, zone, texts, stated or _written_zone(texts) or zone or UTC)


def _written_zone(texts: pa.ChunkedArray | None) -> tzinfo | None:
    """The zone of the first text that has one."""
    for text in [] if texts is None else texts.slice(0, 1).to_pylist():
        if match := _OFFSET.search(text or ""):
            minutes = int(match[2]) * 60 + int(match[3])
            return timezone(timedelta(minutes=-minutes if match[1] == "-" else minutes))
    return None


def _instants(wall: Int64s, keys: Int64s, zone: ZoneInfo) -> Int64s:
    """Wall times of a zone as instants. Of an hour that clocks show twice, a series' rows from the
    one on that goes back in it are those of the second time."""
    naive = pa.array(wall, pa.timestamp("ms"))

    def taken(which: str) -> Int64s:
        zoned = pc.assume_timezone(naive, str(zone), ambiguous=which, nonexistent=which)
        out: Int64s = np.asarray(zoned.cast(pa.int64()))
        return out

    early, late = taken("earliest"), taken("latest")
    out = early.copy()
    last: dict[int, tuple[int, bool]] = {}
    for row in np.flatnonzero((late - early > 0) & (late - early < _DAY_MS)).tolist():
        before, second = last.get(int(keys[row]), (-1, False))
        near = abs(int(wall[row]) - before) < 2 * _HOUR_MS
        second = near and (second or wall[row] <= before)
        if second:
            out[row] = late[row]
        last[int(keys[row])] = int(wall[row]), second
    return out


def oddities(
    keys: Int64s, times: Int64s, text: Callable[[int], str] | None = None,
    number: Callable[[int], int] = int,
) -> Iterator[str]:  # fmt: skip
    """What is odd about the times: a sentence each on disorder, equal times and gaps.

    keys (n,): number of each row's series; times (n,): epoch milliseconds; text: of a row's time;
    number: of a row in the file.
    """
    show = text or (lambda row: written(int(times[row])))
    order = np.lexsort((np.arange(len(keys)), keys))
    same = np.diff(keys[order]) == 0
    back = order[1:][same & (np.diff(times[order]) < 0)]
    if len(back):
        one, many = "is earlier than the row before", "are earlier than the row before"
        yield _counted(back, one, many, show, number)
    order = np.lexsort((np.arange(len(keys)), times, keys))
    same, steps = np.diff(keys[order]) == 0, np.diff(times[order])
    equal = order[1:][same & (steps == 0)]
    if len(equal):
        one, many = "has the time of an earlier row", "have the time of an earlier row"
        yield _counted(equal, one, many, show, number)
    yield from _gaps(order, same & (steps > 0), steps, show, number)


def _counted(
    rows: Int64s, one: str, many: str, show: Callable[[int], str], number: Callable[[int], int]
) -> str:
    first = int(rows.min())
    words = f"1 row {one}" if len(rows) == 1 else f"{len(rows):,} rows {many}"
    return f"{words} in the same series: the first is row {number(first) + 1:,}, {show(first)}"


def _gaps(
    order: Int64s, follows: Bools, steps: Int64s, show: Callable[[int], str],
    number: Callable[[int], int],
) -> Iterator[str]:  # fmt: skip
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
        f"{number(row) + 1:,}, {show(row)}, and {length(int(steps[first]))} long"
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
