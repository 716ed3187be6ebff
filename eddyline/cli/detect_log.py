"""A web server's or a program's log as rows that can be judged: its lines counted in windows.

Each window has its requests (or lines), and, of logs that have them, the errors (status from 400
on), megabytes and visitors (distinct hosts) among them. Windows without a line are rows with zeros.
With a key each of its values has windows of its own.
"""

from __future__ import annotations

from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json

from eddyline.cli.detect_dates import Int64s
from eddyline.cli.detect_reading import Reading
from eddyline.cli.detect_time import length
from eddyline.errors import EddylineError, nearest
from eddyline.generator.replay.run import reader_of
from eddyline.generator.replay.spec import ReplaySpec

FORMS = ("access-log", "alb", "w3c", "syslog", "log4j", "error-log")
# Widths of windows, in milliseconds; see _width.
_WIDTHS = tuple(1000 * s for s in (10, 60, 300, 600, 900, 1800, 3600, 7200, 21_600, 86_400))
_LINES, _EMPTY = 20, 0.1
ROWS_MAX = 5_000_000
# The names that formats have for one thing.
_STATUS = ("status", "elb_status_code", "sc-status")
_BYTES = ("bytes", "sent_bytes", "sc-bytes")
_HOST = ("host", "client", "c-ip")
_WEB = ("access-log", "alb", "w3c")


def read_log(
    source: IO[bytes], path: Path, form: str, key: str | None, width_ms: int | None
) -> Reading:
    """The lines of a log counted in windows.

    Raises:
        EddylineError: ``bad_file`` for a log without times, ``not_found`` for an unknown key.
    """
    reader = reader_of(ReplaySpec(str(path), ""), source, path)
    tables, times = [], []
    for batch in reader.batches():
        lines = batch.records(reader.facts.style, 0)
        joined = pc.binary_join(pa.array([lines.to_pylist()]), b"\n")[0].as_py()
        tables.append(pa.json.read_json(pa.BufferReader(joined)))
        times.append(batch.ms)
    if not tables:
        raise EddylineError("bad_file", f"{path} has no line of a log", hint="look at it")
    table = pa.concat_tables(tables, promote_options="permissive")
    if key is not None and key not in table.column_names:
        near = nearest(key, table.column_names) or table.column_names
        hint = f"it has {', '.join(near)}"
        raise EddylineError("not_found", f"the lines of {path} have no {key}", hint=hint)
    ms = np.concatenate(times)
    wrong = reader.faults.count
    what = "1 line is" if wrong == 1 else f"{wrong:,} lines are"
    notes = [f"{what} none of such a log and left out"] if wrong else []
    width = width_ms or _width(ms)
    words = "requests" if form in _WEB else "lines"
    notes.append(
        f"{len(ms):,} {words} of {'an ' if form[0] in 'ae' else 'a '}{form} are counted in windows "
        f"of {length(width)}; --every chooses another width"
    )
    windows = _windows(table, ms, width, key, words)
    shares = f"errors/{words}" if "errors" in windows.column_names else ""
    return Reading(windows, notes=tuple(notes), shares=shares)


def _width(ms: Int64s) -> int:
    """The least width whose windows have enough lines on average, and hardly ever none."""
    span = int(ms.max() - ms.min()) + 1
    for width in _WIDTHS:
        windows = int(ms.max() // width - ms.min() // width) + 1
        empty = 1.0 - len(np.unique(ms // width)) / windows
        if len(ms) * width >= _LINES * span and empty <= _EMPTY:
            return width
    return _WIDTHS[-1]


def _windows(table: pa.Table, ms: Int64s, width: int, key: str | None, words: str) -> pa.Table:
    bins = ms // width
    first, count = int(bins.min()), int(bins.max() - bins.min()) + 1
    labels, codes = [""], np.zeros(len(ms), np.int64)
    if key is not None:
        coded = pc.fill_null(table[key].cast(pa.string()), "NULL").combine_chunks()
        coded = coded.dictionary_encode()
        labels, codes = coded.dictionary.to_pylist(), coded.indices.to_numpy().astype(np.int64)
    if len(labels) * count > ROWS_MAX:
        msg = f"{len(labels):,} values of {key} in {count:,} windows are more than {ROWS_MAX:,}"
        raise EddylineError("limit_exceeded", msg, hint="choose wider windows with --every")
    cell = (bins - first) * len(labels) + codes
    n = len(labels) * count
    columns: dict[str, Any] = {
        "time": pa.array(np.repeat((first + np.arange(count)) * width, len(labels))).cast(
            pa.timestamp("ms", "UTC")
        )
    }
    if key is not None:
        columns[key] = pa.array(labels * count)
    columns[words] = np.bincount(cell, minlength=n)
    columns |= _measures(table, cell, n)
    return pa.table(columns)


def _measures(table: pa.Table, cell: Int64s, n: int) -> dict[str, npt.NDArray[Any]]:
    """Errors, megabytes and visitors of each window, as far as the log has them."""
    out: dict[str, npt.NDArray[Any]] = {}
    status, size, host = (
        next((table[name] for name in names if name in table.column_names), None)
        for names in (_STATUS, _BYTES, _HOST)
    )
    if status is not None:
        errors = np.asarray(pc.fill_null(status.cast(pa.float64()), 0)) >= 400
        out["errors"] = np.bincount(cell[errors], minlength=n)
    if size is not None:
        weights = np.asarray(pc.fill_null(size.cast(pa.float64()), 0)) / 1e6
        out["megabytes"] = np.bincount(cell, weights, minlength=n).round(6)
    if host is not None:
        coded = pc.fill_null(host.cast(pa.string()), "").combine_chunks().dictionary_encode()
        codes = coded.indices.to_numpy().astype(np.int64)
        pairs = np.unique(cell * len(coded.dictionary) + codes)
        out["visitors"] = np.bincount(pairs // len(coded.dictionary), minlength=n)
    return out
