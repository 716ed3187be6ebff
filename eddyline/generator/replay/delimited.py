"""CSV files with a header, as JSON objects whose numbers stay numbers.

What a column holds is inferred from the first chunk: number (written as in the file, to the
digit), boolean, or text. A later value that does not fit its column makes its row malformed
rather than change the column's type under a running query.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from eddyline.errors import EddylineError
from eddyline.generator.column import Integers
from eddyline.generator.replay.batch import Batch
from eddyline.generator.replay.columns import ColumnReader, objects
from eddyline.generator.replay.instant import parse
from eddyline.generator.replay.text import CHUNK_BYTES
from eddyline.generator.replay.time_field import SAMPLE_LINES, find_time

_NUMBER = r"^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$"
_BOOLEAN = r"^(?i:true|false)$"
KINDS = {"number": _NUMBER, "boolean": _BOOLEAN}
DELIMITERS = ",;\t|"


class CsvReader(ColumnReader):
    """Reads rows by column through pyarrow, every value as its text."""

    format = "csv"
    first_row = 2  # row 1 is the header; a quoted newline does not begin a row

    def _tables(self) -> Iterator[Any]:
        header = self._source.readline()
        names = self._header(header)
        options = {
            "read_options": csv.ReadOptions(block_size=CHUNK_BYTES, column_names=names),
            "parse_options": csv.ParseOptions(
                delimiter=_delimiter(header),
                newlines_in_values=True,
                invalid_row_handler=self._invalid,
            ),
            "convert_options": csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
            ),
        }
        try:
            with csv.open_csv(self._source, **options) as reader:
                yield from reader
        except pa.ArrowInvalid as error:
            if "Empty CSV" in str(error):
                return
            raise EddylineError("bad_file", f"{self._path} is no CSV: {error}") from error

    def _header(self, line: bytes) -> list[str]:
        text = line.decode("utf-8", "replace").removeprefix("\ufeff").strip("\r\n")
        if not text.strip():
            message = f"{self._path} has no header"
            hint = "the first line names the columns"
            raise EddylineError("bad_file", message, hint=hint)
        import csv as reader

        names = [n.strip() for n in next(reader.reader([text], delimiter=_delimiter(line)))]
        if len(set(names)) != len(names) or "" in names:
            message = f"the header of {self._path} names a column twice or not at all"
            raise EddylineError("bad_file", message, hint=f"it is: {text[:200]}")
        return names

    def _invalid(self, row: Any) -> str:
        number = (row.number or 0) + 1
        self.faults.add(number, f"{row.actual_columns} values for {row.expected_columns} columns")
        return "skip"

    def _infer(self, table: Any) -> None:
        for name in table.schema.names:
            self.facts.columns[name] = _kind(table.column(name))

        def sample(name: str) -> list[str]:
            texts: list[str] = table.column(name).slice(0, SAMPLE_LINES).to_pylist()
            return texts

        find_time(self.facts, self._path, list(table.schema.names), sample)

    def _batch(self, table: Any, first: int) -> Batch:
        style, field = self.facts.style, self.facts.time_field
        fits = np.ones(len(table), np.bool_)
        for name, kind in self.facts.columns.items():
            fits &= self._check(table.column(name), name, kind, first, fits)
        ms = np.zeros(len(table), np.int64)
        if style is not None:
            ms, valid = parse(table.column(field), style)
            for row in np.flatnonzero(fits & ~valid):
                text = table.column(field)[int(row)].as_py()
                self.faults.add(first + int(row), f"{field}: {text!r} is no {style.value} time")
            fits &= valid
        if not fits.all():
            rows = np.flatnonzero(fits)
            table, ms = table.take(pa.array(rows)), ms[rows]
        return self._records(table, ms)

    def _check(self, texts: Any, name: str, kind: str, first: int, among: Any) -> Any:
        if kind == "text":
            return np.ones(len(texts), np.bool_)
        fits = np.asarray(pc.match_substring_regex(texts, KINDS[kind])) | np.asarray(
            pc.equal(texts, "")
        )
        for row in np.flatnonzero(among & ~fits):
            text = texts[int(row)].as_py()
            self.faults.add(first + int(row), f"{name}: {text!r} is no {kind}")
        return fits

    def _records(self, table: Any, ms: Integers) -> Batch:
        columns = ((n, *_texts(table.column(n), k)) for n, k in self.facts.columns.items())
        return objects(columns, self.facts.time_field if self.facts.style else None, ms)


def _texts(texts: Any, kind: str) -> tuple[Any, bool]:
    """A column's values, null where there is none, and whether they are texts."""
    if kind == "text":
        return texts, True
    present = pc.if_else(pc.equal(texts, ""), pa.scalar(None, pa.string()), texts)
    return pc.utf8_lower(present) if kind == "boolean" else present, False


def _kind(texts: Any) -> str:
    present = texts.filter(pc.not_equal(texts, ""))
    for kind, pattern in KINDS.items():
        if len(present) and pc.all(pc.match_substring_regex(present, pattern)).as_py():
            return kind
    return "text"


def _delimiter(header: bytes) -> str:
    """The likely delimiter: the one that occurs most in the header."""
    text = header.decode("utf-8", "replace")
    return max(DELIMITERS, key=text.count)
