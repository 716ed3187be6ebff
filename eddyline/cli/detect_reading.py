"""A file as it was read: typed columns, the texts behind them, and remarks on the reading."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pyarrow as pa
import pyarrow.compute as pc

from eddyline.cli.detect_dates import read_dates
from eddyline.cli.detect_values import read_values

_CLOCK = r"^\s*\d{1,2}:\d\d(:\d\d([.,]\d+)?)?(\s*[AaPp][Mm])?\s*$"
_HOURS = ("hour", "hours", "hour of day", "hour_of_day", "stunde")
_DAY = r"^\s*\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}\s*$"


@dataclass(frozen=True, slots=True)
class Reading:
    """table: typed columns. texts: of columns whose values do not show what the file has there,
    such as times. moments: texts of a date and a time of day that are columns of their own, by the
    date's name. codes: columns of numbers that are codes. notes: remarks, a sentence each. shares:
    columns that are shares of one another, as the detector's option of that name."""

    table: pa.Table
    texts: dict[str, pa.ChunkedArray] = field(default_factory=dict)
    moments: dict[str, pa.ChunkedArray] = field(default_factory=dict)
    codes: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()
    shares: str = ""

    def text_of(self, name: str) -> pa.ChunkedArray | None:
        """A column's times as the file writes them; None if that is not kept."""
        return self.moments.get(name, self.texts.get(name))

    def as_text(self, name: str) -> Reading:
        """With one column of texts as the file has them, such as a key of numbers and words."""
        texts = self.texts.get(name)
        if texts is None:
            return self
        at = self.table.column_names.index(name)
        return replace(
            self,
            table=self.table.set_column(at, name, texts),
            texts={n: t for n, t in self.texts.items() if n != name},
            codes=self.codes - {name},
            notes=tuple(n for n in self.notes if not n.startswith(f"column {name}: ")),
        )


def reading_of(table: pa.Table, decimal: str, notes: list[str]) -> Reading:
    """A table of texts as what its columns hold; other columns stay. Of columns of one name, which
    nobody can tell apart, nothing is made."""
    if len(set(table.column_names)) < table.num_columns:
        return Reading(table, notes=tuple(notes))
    columns, texts, codes = [], {}, set()
    for name, column in zip(table.column_names, table.columns, strict=True):
        if not pa.types.is_string(column.type):
            columns.append(column)
            continue
        values = read_values(name, column, decimal)
        columns.append(values.values)
        notes = [*notes, *values.notes]
        if values.texts is not None:
            texts[name] = values.texts
        if values.is_code:
            codes.add(name)
    typed = pa.table(columns, names=table.column_names)
    reading = Reading(typed, texts, {}, frozenset(codes), tuple(notes))
    return _with_moments(reading, table)


def _with_moments(reading: Reading, written: pa.Table) -> Reading:
    """With a date and a time of day in columns of their own as the times of the date's column."""
    typed = reading.table
    texts = [n for n in typed.column_names if pa.types.is_string(typed[n].type)]
    clocks = [n for n in texts if _all_match(typed[n], _CLOCK)]
    days = [n for n in typed.column_names if pa.types.is_date(typed[n].type)]
    days = days or [n for n in texts if _all_match(typed[n], _DAY)]
    hours = [n for n in typed.column_names if _holds_hours(n, typed[n])]
    if len(days) != 1 or len(clocks or hours) != 1:
        return reading
    day, clock = days[0], (clocks or hours)[0]
    moment = pc.utf8_trim_whitespace(written[clock])
    if not clocks:
        moment = pc.binary_join_element_wise(pc.utf8_lpad(moment, 2, "0"), "00", ":")
    both = pc.binary_join_element_wise(pc.utf8_trim_whitespace(written[day]), moment, " ")
    times = read_dates(both)
    if times is None:
        return reading
    return replace(
        reading,
        table=typed.set_column(typed.column_names.index(day), day, times),
        texts={**reading.texts, day: written[day]},
        moments={day: both},
        notes=(*reading.notes, f"{day} and {clock} are taken together as a time"),
    )


def _holds_hours(name: str, column: pa.ChunkedArray) -> bool:
    """Whether a column is called the hour and holds whole numbers from 0 to 23."""
    if name.strip().lower() not in _HOURS or not pa.types.is_integer(column.type):
        return False
    ends = pc.min_max(column)
    return not column.null_count and ends["min"].as_py() >= 0 and ends["max"].as_py() <= 23


def _all_match(column: pa.ChunkedArray, pattern: str) -> bool:
    return bool(pc.all(pc.match_substring_regex(column, pattern)).as_py())
