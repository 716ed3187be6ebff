"""A file as columns, and its rows judged by forests."""

from __future__ import annotations

import contextlib
import json
import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from eddyline.anomaly.column.row import DRIFT, LEVEL
from eddyline.anomaly.detector import Detectors, Verdicts, explanation_json
from eddyline.anomaly.kernel import Bools, Doubles, Int64s
from eddyline.anomaly.layout import Layout
from eddyline.anomaly.options import DetectorOptions, check_dimensions
from eddyline.anomaly.reasons import EvidenceRows, run_of
from eddyline.cli.detect_columns import why_no_measure
from eddyline.cli.detect_csv import read_csv
from eddyline.cli.detect_dates import compact_dates
from eddyline.cli.detect_json import read_json
from eddyline.cli.detect_log import FORMS, read_log
from eddyline.cli.detect_reading import Reading
from eddyline.cli.detect_time import Times, is_number, read_times
from eddyline.errors import EddylineError
from eddyline.generator.replay.run import sniff
from eddyline.generator.replay.source import SNIFF_BYTES, TORN, open_input
from eddyline.service.anomalies import Point, sentence

MEMORY_MAX = 4 << 30


def load(path: Path) -> pa.Table:
    """The rows of a file as ``read`` has them."""
    return read(path).table


def read(path: Path, key: str | None = None, every_ms: int | None = None) -> Reading:
    """The rows of a CSV, JSON or Parquet file, packed or not, or a log's lines in windows.

    key: column of a series' name, which stays text. every_ms: width of a log's windows.

    Raises:
        EddylineError: ``bad_file`` if it is none of these, or has no rows.
    """
    try:
        with open_input(path) as source:
            reading = _dated(_read(source, path, key, every_ms))
    except (pa.ArrowInvalid, *TORN) as error:
        hint = "CSV with a header line, one JSON object per line, Parquet, or a web server's log"
        raise EddylineError("bad_file", f"{path} cannot be read: {error}", hint=hint) from None
    table = reading.table
    if not table.num_rows:
        raise EddylineError("bad_file", f"{path} has no rows", hint="CSV needs a header line, too")
    twice = [n for n in table.column_names if table.column_names.count(n) > 1]
    if twice:
        msg = f"{path} has more than one column called {twice[0]!r}"
        raise EddylineError("bad_file", msg, hint="rename it in the file")
    return reading if key is None else reading.as_text(key)


def _read(source: IO[bytes], path: Path, key: str | None, every_ms: int | None) -> Reading:
    first = source.peek(SNIFF_BYTES)  # type: ignore[attr-defined]
    if first[:4] == b"PAR1":
        return Reading(_plain_numbers(pq.read_table(pa.BufferReader(source.read()))))
    first = first.removeprefix(b"\xef\xbb\xbf")
    if not first.strip():
        raise pa.ArrowInvalid("it is empty")
    form = "csv"
    with contextlib.suppress(EddylineError):
        form = sniff(source, path)
    if form in FORMS:
        return read_log(source, path, form, key, every_ms)
    if first.lstrip()[:1] in (b"{", b"["):
        return read_json(source, first)
    return read_csv(source, first)


def _dated(reading: Reading) -> Reading:
    """With whole numbers such as 20260131 as dates, unless another column has times."""
    table = reading.table
    names = set(table.column_names)
    if len(names) < table.num_columns or any(pa.types.is_temporal(f.type) for f in table.schema):
        return reading
    for at, name in enumerate(table.column_names):
        column = table[name]
        if pa.types.is_integer(column.type) and (days := compact_dates(column)) is not None:
            texts = {**reading.texts, name: column.cast(pa.string())}
            return replace(reading, table=table.set_column(at, name, days), texts=texts)
    return reading


def _plain_numbers(table: pa.Table) -> pa.Table:
    """With decimal numbers as binary ones."""
    for at, one in enumerate(table.schema):
        if pa.types.is_decimal(one.type):
            table = table.set_column(at, one.name, table[one.name].cast(pa.float64()))
    return table


def measures(
    table: pa.Table, key: str | None, time: str | None = None
) -> tuple[list[str], list[str]]:
    """(numbers to judge, numbers that are no measures): all but the key and the time."""
    column_roles = roles(Reading(table), key, time, None)
    return [n for n, why in column_roles.items() if not why], [
        n for n, why in column_roles.items() if why
    ]


def roles(
    reading: Reading, key: str | None, time: str | None, keys: Int64s | None
) -> dict[str, str]:
    """Of each column of numbers but the key and the time, why it is no measure; empty if it is."""
    table = reading.table
    numbers = [c for c in table.column_names if c not in (key, time) and is_number(table[c])]
    return {c: why_no_measure(table, c, keys, reading.codes) for c in numbers}


def keys_of(table: pa.Table, key: str | None) -> tuple[list[str], Int64s]:
    """(names of the series, number of each row's series)."""
    if key is None:
        return [""], np.zeros(table.num_rows, np.int64)
    coded = pc.fill_null(table[key].cast(pa.string()), "NULL").combine_chunks()
    coded = coded.dictionary_encode()
    return coded.dictionary.to_pylist(), coded.indices.to_numpy().astype(np.int64)


@dataclass(frozen=True, slots=True)
class JudgedFile:
    """A file and what detectors say of it.

    reading: the file. labels: names of the series; keys (n,): number of each row's series. points
    (n, d). rows (m,): the rows that could be judged, in the order in which they were, which the
    verdicts are of. times: if any. key, time: the columns that series and times come from.
    """

    reading: Reading
    columns: list[str]
    labels: list[str]
    keys: Int64s
    points: Doubles
    rows: Int64s
    verdicts: Verdicts
    times: Times | None = None
    key: str | None = None
    time: str | None = None

    @property
    def count(self) -> int:
        return len(self.keys)

    @property
    def left_out(self) -> int:
        """Rows without a number in any column."""
        return int(np.isnan(self.points).all(axis=1).sum())

    @property
    def ranked(self) -> list[int]:
        """The series, that with most alerts first."""
        keys = self.keys[self.rows][self.verdicts.alert]
        counts = np.bincount(keys, minlength=len(self.labels))
        return [int(k) for k in np.argsort(-counts, kind="stable")]

    def of_series(self, key: int) -> Int64s:
        """Places among the verdicts of a series' rows, in the order of judging."""
        return np.flatnonzero(self.keys[self.rows] == key)

    def label(self, key: int) -> str:
        """A series as a person names it."""
        return self.labels[key] or ", ".join(self.columns)

    def when(self, row: int) -> str:
        """The time of a row as text."""
        return "" if self.times is None else self.times.text(row)

    def alerts(self) -> list[int]:
        """Places of the alerts among the verdicts, in the order of the file."""
        alert_rows = np.flatnonzero(self.verdicts.alert)
        return [int(i) for i in alert_rows[np.argsort(self.rows[alert_rows], kind="stable")]]

    def sentence(self, at: int) -> str:
        """An alert in words; at: its place among the verdicts."""
        row, v = int(self.rows[at]), self.verdicts
        run = self.run(at)
        if run is not None:
            words = run.sentence(self.columns[int(v.lead[at])])
            label = self.labels[self.keys[row]]
            return f"{label}: {words}" if label else words
        why = explanation_json(self.columns, v.attribution_high[at], v.attribution_low[at])
        point = Point(
            row, _values(self.points[row]), float(v.score[at]), float(v.grade[at]), True,
            _values(v.expected[at]), json.loads(why),
        )  # fmt: skip
        return sentence(self.labels[self.keys[row]], self.columns, point)

    def run(self, at: int) -> EvidenceRows | None:
        """The rows that an alert over several rows is about; None for another one."""
        v = self.verdicts
        if int(v.kind[at]) not in (LEVEL, DRIFT):
            return None
        mine = self.of_series(int(self.keys[self.rows[at]]))
        mine = mine[: int(np.searchsorted(mine, at)) + 1]
        lead = int(v.lead[at])
        return run_of(
            self.points[self.rows[mine], lead], v.expected[mine, lead], v.lower[mine, lead],
            v.upper[mine, lead], float(v.side[at]),
        )  # fmt: skip


def judge(
    reading: Reading, columns: list[str], key: str | None, options: DetectorOptions,
    time: str | None = None,
) -> JudgedFile:  # fmt: skip
    """Each row judged by those of its series before it. time: column of times, if any; rows are
    then judged in its order.

    Raises:
        EddylineError: ``invalid_argument`` if a column holds no numbers or has a name that is
            taken, ``limit_exceeded`` for a series that there is no memory for.
    """
    table = reading.table
    for name in ("score", "grade", "alert"):
        if name in table.column_names:
            msg = f"the file has a column {name} of its own"
            raise EddylineError("invalid_argument", msg, hint="rename it in the file")
    labels, keys = keys_of(table, key)
    for name in columns:
        if not is_number(table[name]):
            msg = f"column {name} is {table[name].type}, no number"
            raise EddylineError("invalid_argument", msg, hint="choose numbers with --columns")
    check_dimensions(len(columns))
    points = np.column_stack([_doubles(table[c]) for c in columns])
    points[~np.isfinite(points)] = np.nan
    whole: Bools = np.asarray(~np.isnan(points).all(axis=1))
    texts = None if time is None else reading.text_of(time)
    zone = options.choices.time_zone
    times = None if time is None else read_times(table, time, keys, zone, texts)
    rows = np.flatnonzero(whole if times is None else whole & times.known)
    if times is not None:
        rows = rows[np.argsort(times.ms[rows], kind="stable")]
    ms = np.zeros(len(rows), np.int64) if times is None else times.ms[rows]
    options = replace(options, normalize=len(columns) > 1, timed=time is not None)
    verdicts = _verdicts(options, columns, keys[rows], points[rows], ms)
    return JudgedFile(reading, columns, labels, keys, points, rows, verdicts, times, key, time)


def _verdicts(
    options: DetectorOptions, columns: list[str], keys: Int64s, points: Doubles, ms: Int64s
) -> Verdicts:
    """The verdicts on rows, by as many series at a time as there is memory for."""
    forest = options.forest
    each = Layout(
        forest.number_of_trees, forest.sub_sample_size, len(columns), forest.shingle_size
    ).model_bytes
    most = MEMORY_MAX // each
    if not most:
        msg = f"a forest of this size needs {each >> 20:,} MiB"
        raise EddylineError("limit_exceeded", msg, hint="choose fewer --trees or --samples")
    series = int(keys.max(initial=0)) + 1
    if series <= most:
        return Detectors(options, len(columns), columns=tuple(columns), early=True).process(
            keys, points, ms
        )
    parts, places = [], []
    for first in range(0, series, most):
        mine = np.flatnonzero((keys >= first) & (keys < first + most))
        detectors = Detectors(options, len(columns), columns=tuple(columns), early=True)
        parts.append(detectors.process(keys[mine] - first, points[mine], ms[mine]))
        places.append(mine)
    order = np.argsort(np.concatenate(places), kind="stable")
    fields = Verdicts.__dataclass_fields__
    return Verdicts(**{f: np.concatenate([getattr(p, f) for p in parts])[order] for f in fields})


def _values(row: Doubles) -> list[float | None]:
    """Numbers, None for NaN."""
    return [None if math.isnan(v) else v for v in row.tolist()]


def _doubles(column: pa.ChunkedArray) -> Doubles:
    values: Doubles = pc.fill_null(column.cast(pa.float64()), math.nan).to_numpy()
    return values
