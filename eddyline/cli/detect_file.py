"""A file as columns, and its rows judged by forests."""

from __future__ import annotations

import gzip
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import tzinfo
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json
import pyarrow.parquet as pq

from eddyline.anomaly.detector import Detectors, Verdicts, explanation_json
from eddyline.anomaly.kernel import Bools, Doubles, Int64s
from eddyline.anomaly.layout import Layout
from eddyline.anomaly.options import DetectorOptions, check_dimensions
from eddyline.cli.detect_csv import read_csv
from eddyline.cli.detect_time import holds_times, is_number, times_of, written, zone_shown
from eddyline.errors import EddylineError
from eddyline.service.anomalies import Point, sentence

MEMORY_MAX = 4 << 30
_BATCH = 10_000
# Fewer rows than these can rise by equal steps by chance.
_COUNTED_ROWS = 12


def load(path: Path) -> pa.Table:
    """The rows of a CSV, NDJSON or Parquet file.

    Raises:
        EddylineError: ``bad_file`` if it is neither, or has no rows.
    """
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            first = file.read(4096).lstrip(b"\xef\xbb\xbf \r\n")
        if first[:4] == b"PAR1":
            table = pq.read_table(path)
        else:
            with pa.input_stream(path) as source:
                table = pa.json.read_json(source) if first[:1] == b"{" else read_csv(source, first)
    except (pa.ArrowInvalid, OSError, EOFError) as error:
        hint = "CSV with a header line, one JSON object a line, or Parquet"
        raise EddylineError("bad_file", f"{path} cannot be read: {error}", hint=hint) from None
    if not table.num_rows:
        raise EddylineError("bad_file", f"{path} has no rows", hint="CSV needs a header line, too")
    twice = [n for n in table.column_names if table.column_names.count(n) > 1]
    if twice:
        msg = f"{path} has more than one column called {twice[0]!r}"
        raise EddylineError("bad_file", msg, hint="rename it in the file")
    return table


def measures(
    table: pa.Table, key: str | None, time: str | None = None
) -> tuple[list[str], list[str]]:
    """(numbers to judge, numbers that count rows or are times): all but the key and the time."""
    numbers = [c for c in table.column_names if c not in (key, time) and is_number(table[c])]
    counters = [c for c in numbers if _counts_rows(table[c]) or holds_times(table, c)]
    return [c for c in numbers if c not in counters], counters


def _counts_rows(column: pa.ChunkedArray) -> bool:
    """Whether a column is a row's number or an evenly spaced time: whole, rising by equal steps."""
    if not pa.types.is_integer(column.type) or column.null_count or len(column) < _COUNTED_ROWS:
        return False
    steps = np.diff(column.to_numpy().astype(np.float64))
    return bool(steps[0] > 0 and (steps == steps[0]).all())


@dataclass(frozen=True, slots=True)
class Judged:
    """A table and what detectors say of it. keys (n,): number of each row's series; points (n, d);
    whole (n,): rows that could be judged, which verdicts are of; times (n,): epoch ms, else 0.
    key, time: the columns that they come from;
    zone: in which times are written, if any."""

    table: pa.Table
    columns: list[str]
    labels: list[str]
    keys: Int64s
    points: Doubles
    whole: Bools
    times: Int64s
    verdicts: Verdicts
    key: str | None = None
    time: str | None = None
    zone: tzinfo | None = None

    @property
    def count(self) -> int:
        return len(self.keys)

    @property
    def left_out(self) -> int:
        return int(np.count_nonzero(~self.whole))

    @property
    def names(self) -> list[str]:
        """Columns of ``rows``."""
        return [*self.table.column_names, "score", "grade", "alert"]

    @property
    def chief(self) -> int:
        """The series with most alerts, the first of equals."""
        keys = self.keys[self.whole][self.verdicts.alert]
        return int(np.argmax(np.bincount(keys, minlength=len(self.labels))))

    def label(self, key: int) -> str:
        """A series as a person names it."""
        return self.labels[key] or ", ".join(self.columns)

    def when(self, at: int) -> str:
        """The time of a row as text."""
        return written(int(self.times[at]), self.zone)

    def rows(self, alerts_only: bool) -> Iterator[dict[str, Any]]:
        """Rows with score, grade and alert, in order."""
        table = self.table
        for name in ("score", "grade", "alert"):
            column = np.zeros(self.count, bool if name == "alert" else float)
            column[self.whole] = getattr(self.verdicts, name)
            table = table.append_column(name, pa.array(column))
        for batch in table.to_batches(_BATCH):
            for row in batch.to_pylist():
                if row["alert"] or not alerts_only:
                    yield {k: _plain(v) for k, v in row.items()}

    def alerts(self) -> list[tuple[int, str]]:
        """(row, sentence) of each alert."""
        found, v = [], self.verdicts
        where = np.flatnonzero(self.whole)
        for i in np.flatnonzero(v.alert).tolist():
            why = explanation_json(self.columns, v.attribution_high[i], v.attribution_low[i])
            at = int(where[i])
            point = Point(
                at, _values(self.points[at]), float(v.score[i]), float(v.grade[i]), True,
                _values(v.expected[i]), json.loads(why),
            )  # fmt: skip
            found.append((at, sentence(self.labels[self.keys[at]], self.columns, point)))
        return found


def judge(
    table: pa.Table, columns: list[str], key: str | None, options: DetectorOptions,
    time: str | None = None,
) -> Judged:  # fmt: skip
    """Each row judged by those of its series before it. time: column of times, if any.

    Raises:
        EddylineError: ``invalid_argument`` if a column holds no numbers or has a name that is
            taken, ``limit_exceeded`` for more series than there is memory for.
    """
    for name in ("score", "grade", "alert"):
        if name in table.column_names:
            msg = f"the file has a column {name} of its own"
            raise EddylineError("invalid_argument", msg, hint="rename it in the file")
    if not columns:
        columns, counters = measures(table, key, time)
        columns = columns or counters
    for name in columns:
        if not is_number(table[name]):
            msg = f"column {name} is {table[name].type}, no number"
            raise EddylineError("invalid_argument", msg, hint="choose numbers with --columns")
    check_dimensions(len(columns))
    labels, keys = [""], np.zeros(table.num_rows, np.int64)
    if key is not None:
        coded = pc.fill_null(table[key].cast(pa.string()), "NULL").combine_chunks()
        coded = coded.dictionary_encode()
        labels, keys = coded.dictionary.to_pylist(), coded.indices.to_numpy().astype(np.int64)
    forest = options.forest
    shape = Layout(
        forest.number_of_trees, forest.sub_sample_size, len(columns), forest.shingle_size
    )
    if len(labels) * shape.model_bytes > MEMORY_MAX:
        most = MEMORY_MAX // shape.model_bytes
        msg = f"{len(labels):,} series; there is memory for {most:,} forests of this size"
        raise EddylineError("limit_exceeded", msg, hint="choose fewer --trees or --samples")
    points = np.column_stack([_doubles(table[c]) for c in columns])
    points[~np.isfinite(points)] = np.nan
    whole: Bools = np.asarray(~np.isnan(points).all(axis=1))
    times = times_of(table, time) if time is not None else np.zeros(table.num_rows, np.int64)
    zone = None if time is None else zone_shown(table[time], options.choices.time_zone)
    options = replace(options, normalize=len(columns) > 1, timed=time is not None)
    detectors = Detectors(options, len(columns), columns=tuple(columns))
    verdicts = detectors.process(keys[whole], points[whole], None, times[whole])
    return Judged(table, columns, labels, keys, points, whole, times, verdicts, key, time, zone)


def _values(row: Doubles) -> list[float | None]:
    """Numbers, None for NaN."""
    return [None if math.isnan(v) else v for v in row.tolist()]


def _doubles(column: pa.ChunkedArray) -> Doubles:
    values: Doubles = pc.fill_null(column.cast(pa.float64()), math.nan).to_numpy()
    return values


def _plain(value: Any) -> Any:
    """A value as CSV and JSON can hold it."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)
