"""Event times in a form of the user's own, ``--time-format``, read and written by DuckDB."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from eddyline.errors import EddylineError
from eddyline.generator.column import Integers

# Letters of Java's patterns and what strftime calls them, longest first.
_JAVA = (
    ("yyyy", "%Y"), ("uuuu", "%Y"), ("MMMM", "%B"), ("MMM", "%b"), ("EEEE", "%A"), ("EEE", "%a"),
    ("SSSSSS", "%f"), ("SSS", "%g"), ("XXX", "%z"), ("MM", "%m"), ("dd", "%d"), ("HH", "%H"),
    ("hh", "%I"), ("mm", "%M"), ("ss", "%S"), ("yy", "%y"), ("Z", "%z"), ("z", "%Z"), ("a", "%p"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class TimePattern:
    """A strftime form such as ``%d.%m.%Y %H:%M:%S``; ``value`` is what the user wrote."""

    value: str
    form: str

    def parse(self, texts: Any) -> tuple[Integers, Any]:
        """Epoch ms of each text (UTC without an offset), and which could be read."""
        stamps = _column("epoch_ms(try_strptime(x, $form))", texts, self.form)
        valid = np.asarray(stamps.is_valid())
        return np.asarray(pc.fill_null(stamps, 0)).astype(np.int64), valid

    def move(self, texts: Any, offset_s: int) -> Any:
        """The times moved by whole seconds, in the same form."""
        ms, _ = self.parse(texts)
        moved = pa.array(ms + offset_s * 1000)
        form = self.form.replace("%z", "+0000").replace("%Z", "UTC")  # what ms are counted in
        return _column("strftime(make_timestamp(x * 1000), $form)", moved, form)


def time_pattern(text: str) -> TimePattern:
    """The form of ``--time-format``: strftime's letters, or Java's where there is no percent sign.

    Raises:
        EddylineError: ``invalid_argument``.
    """
    form = text if "%" in text else _of_java(text)
    pattern = TimePattern(text, form)
    try:
        pattern.parse(pa.array(["2026-01-01"]))
    except EddylineError as error:
        hint = "as in %d/%b/%Y:%H:%M:%S or dd.MM.yyyy HH:mm"
        message = f"{text!r} is no time format: {error.message}"
        raise EddylineError("invalid_argument", message, hint=hint) from None
    return pattern


def _of_java(text: str) -> str:
    out = []
    for k, piece in enumerate(text.split("'")):
        if not k % 2:
            place = 0
            while place < len(piece):
                for java, form in _JAVA:
                    if piece.startswith(java, place):
                        out.append(form)
                        place += len(java)
                        break
                else:
                    out.append(piece[place])
                    place += 1
        else:
            out.append(piece or "'")
    return "".join(out)


@cache
def _connection() -> Any:
    import duckdb

    return duckdb.connect(":memory:", config={"enable_external_access": False, "threads": 1})


def _column(expression: str, values: Any, form: str) -> Any:
    import duckdb

    cursor = _connection().cursor()
    literal = "'" + form.replace("'", "''") + "'"
    query = f"SELECT {expression.replace('$form', literal)} AS y FROM batch"
    try:
        cursor.register("batch", pa.table({"x": values}))
        return cursor.sql(query).to_arrow_table().column(0).combine_chunks()
    except duckdb.Error as error:
        raise EddylineError("bad_file", str(error).split("\n")[0]) from None
    finally:
        cursor.close()
