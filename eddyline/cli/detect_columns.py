"""Which columns of a file are no measures, and why: times, row numbers, codes, labels."""

from __future__ import annotations

import re

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from eddyline.anomaly.kernel import Doubles, Int64s
from eddyline.anomaly.measures import identifies_rows
from eddyline.cli.detect_time import holds_times

# Fewer rows than these can rise by equal steps by chance.
_COUNTED_ROWS = 12
_CALENDAR = re.compile(
    r"(?i)year|month|day|hour|minute|second|week|weekday|quarter|"
    r"(hour|minute|day)_?of_?(day|hour|week|month|year)"
)
_LABELS = re.compile(r"(?i)label|labels|is_?anomaly|is_?outlier|anomaly|outlier|ground_?truth")


def why_no_measure(
    table: pa.Table, name: str, keys: Int64s | None = None, codes: frozenset[str] = frozenset()
) -> str:
    """Why a column of numbers is not to be judged unless it is named; empty if it is.

    keys (n,): number of each row's series. codes: columns whose numbers have leading zeros.
    """
    if holds_times(table, name):
        return "holds times"
    values = table[name].drop_null().to_numpy()
    whole = pa.types.is_integer(table[name].type) or _all_whole(values)
    if whole and _counts_rows(table[name], keys):
        return "counts rows"
    if name in codes:
        return "holds codes with leading zeros"
    if whole and identifies_rows(name):
        return "identifies rows"
    if whole and _CALENDAR.fullmatch(name):
        return "tells a part of the time"
    if whole and _LABELS.fullmatch(name) and len(np.unique(values)) <= 2:
        return "holds labels"
    return ""


def key_column(table: pa.Table, times: Int64s) -> str | None:
    """The first column of texts that tells rows of one time apart, where several have one: it is
    likely to name their series. times (n,)."""
    if len(np.unique(times)) == len(times):
        return None
    names: list[str] = table.column_names
    for name in names:
        if not pa.types.is_string(table[name].type):
            continue
        codes = table[name].combine_chunks().dictionary_encode().indices
        series = np.asarray(pc.fill_null(codes, -1))
        both = np.unique(np.column_stack([times, series]), axis=0)
        if len(both) == len(times) and len(np.unique(series)) <= len(times) // 2:
            return name
    return None


def _all_whole(values: Doubles) -> bool:
    finite = values[np.isfinite(values)]
    return bool(len(finite)) and bool((finite == np.floor(finite)).all())


def _counts_rows(column: pa.ChunkedArray, keys: Int64s | None) -> bool:
    """Whether a column numbers rows: whole numbers at equal steps, in any order of the rows, over
    the file or within each series."""
    if column.null_count or len(column) < _COUNTED_ROWS:
        return False
    values: npt.NDArray[np.float64] = column.to_numpy().astype(np.float64)
    if _even(np.sort(values)):
        return True
    if keys is None or int(keys.max(initial=0)) == 0:
        return False
    order = np.lexsort((values, keys))
    same = np.diff(keys[order]) == 0
    steps = np.diff(values[order])[same]
    return len(steps) >= _COUNTED_ROWS and bool(steps[0] > 0 and (steps == steps[0]).all())


def _even(values: Doubles) -> bool:
    steps = np.diff(values)
    return bool(steps[0] > 0 and (steps == steps[0]).all())
