"""The rows of a judged file as they are printed: the file's columns, and the verdict beside them.

A file's own column that is called as one of the verdict's fields, say ``reason``, gets a ``_``
behind its name.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa

from eddyline.anomaly import reasons
from eddyline.cli.detect_file import JudgedFile

SHORT = ("score", "grade", "alert")
DETAILS = (
    "verdict", "probability", "expected", "lower", "upper", "reason", "attribution", "episode",
)  # fmt: skip
_BATCH = 10_000


def names_of(judged: JudgedFile, details: bool) -> list[str]:
    """The fields of ``rows``, in order."""
    added = [*SHORT, *(DETAILS if details else ())]
    own = judged.reading.table.column_names
    return [*(f"{n}_" if n in added else n for n in own), *added]


def rows(judged: JudgedFile, alerts_only: bool, details: bool) -> Iterator[dict[str, Any]]:
    """Rows in the order of the file; details: with all that the detector says of them."""
    names = names_of(judged, details)
    table, texts = judged.reading.table, judged.reading.texts
    shown = [
        texts[name] if name in texts and not _is_number(table[name]) else table[name]
        for name in table.column_names
    ]
    mixed = [texts.get(n) if _is_number(table[n]) else None for n in table.column_names]
    place = np.full(judged.count, -1)
    place[judged.rows] = np.arange(len(judged.rows))
    alert = np.zeros(judged.count, np.bool_)
    alert[judged.rows] = judged.verdicts.alert
    chosen = np.flatnonzero(alert) if alerts_only else np.arange(judged.count)
    for first in range(0, len(chosen), _BATCH):
        part = chosen[first : first + _BATCH]
        columns = [_values(c, m, part) for c, m in zip(shown, mixed, strict=True)]
        for nth, row in enumerate(part.tolist()):
            verdict = _verdict(judged, row, int(place[row]), details)
            own = [column[nth] for column in columns]
            yield dict(zip(names, [*own, *verdict], strict=True))


def _is_number(column: pa.ChunkedArray) -> bool:
    return bool(pa.types.is_integer(column.type) or pa.types.is_floating(column.type))


def _values(column: pa.ChunkedArray, texts: pa.ChunkedArray | None, part: Any) -> list[Any]:
    """Cells as CSV and JSON can hold them; what is no number among numbers, as it is written."""
    at = pa.array(part)
    values = [_plain(v) for v in column.take(at).to_pylist()]
    if texts is None:
        return values
    written = texts.take(at).to_pylist()
    return [t if v is None and t else v for v, t in zip(values, written, strict=True)]


def _plain(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    whole = value is None or isinstance(value, bool | int | float | str | list | dict)
    return value if whole else str(value)


def _verdict(judged: JudgedFile, row: int, at: int, details: bool) -> list[Any]:
    """What the detector says of a row; at: its place among the verdicts, -1 for none."""
    v = judged.verdicts
    if at < 0:
        return [0.0, 0.0, False, *([None] * len(DETAILS) if details else [])]
    out: list[Any] = [float(v.score[at]), float(v.grade[at]), bool(v.alert[at])]
    if not details:
        return out
    lead, known = int(v.lead[at]), v.verdict[at] > 0
    point = judged.points[row]
    words = reasons.reason(judged.columns, point, v, at)
    run = judged.run(at) if v.alert[at] else None
    if run is not None:
        words = run.sentence(judged.columns[lead])
    why = reasons.attribution_json(judged.columns, point, v, at)
    return [
        *out,
        reasons.NAMES[int(v.verdict[at])],
        float(10.0 ** -v.rarity[at]) if known else None,
        *(_plain(float(bound[at, lead])) for bound in (v.expected, v.lower, v.upper)),
        words or None,
        json.loads(why) if v.grade[at] > 0.0 else None,
        int(v.episode[at]) or None,
    ]
