"""Files of delimited columns (CSV, W3C extended logs, load balancers' logs) as JSON objects.

What a column holds is inferred from the first chunk: number (written as in the file, to the digit;
a decimal comma becomes a point), boolean, or text. A later value that does not fit its column makes
its row malformed rather than change the column's type under a running query.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from eddyline.errors import EddylineError
from eddyline.generator.column import Integers
from eddyline.generator.replay.batch import ReplayBatch
from eddyline.generator.replay.columns import ColumnReader, objects
from eddyline.generator.replay.directives import DataStream, fields_of
from eddyline.generator.replay.instant import read_times
from eddyline.generator.replay.text import CHUNK_BYTES, RemainingStream
from eddyline.generator.replay.time_field import SAMPLE_LINES, find_time
from eddyline.generator.replay.time_pattern import TimePattern

_NUMBER = r"^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$"
_BOOLEAN = r"^(?i:true|false)$"
_DECIMAL_COMMA = r"^-?(?:0|[1-9]\d*),\d+$"
KINDS = {"number": _NUMBER, "decimal comma": _NUMBER.replace(r"\.", "[.,]"), "boolean": _BOOLEAN}
DELIMITERS = ",;\t|"
# A first row that holds one of these holds values, not names.
_VALUE = r"^-?\d+([.,:]\d+)*$|^\d{4}-\d\d-\d\d"
# The fields of an Application Load Balancer's log, in order.
ALB = (
    "type", "time", "elb", "client", "target", "request_processing_time",
    "target_processing_time", "response_processing_time", "elb_status_code",
    "target_status_code", "received_bytes", "sent_bytes", "request", "user_agent", "ssl_cipher",
    "ssl_protocol", "target_group_arn", "trace_id", "domain_name", "chosen_cert_arn",
    "matched_rule_priority", "request_creation_time", "actions_executed", "redirect_url",
    "error_reason", "targets", "target_status_codes", "classification", "classification_reason",
    "conn_trace_id", "transformed_host", "transformed_uri", "transform_status",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class DelimitedLayout:
    """How a file of columns is laid out; what is None is detected.

    ``names`` are the columns of a file without a header, ``absent`` the text that stands for no
    value, ``date_and_time`` whether the columns ``date`` and ``time`` become one.
    """

    delimiter: str | None = None
    decimal: str | None = None
    header: bool | None = None
    names: tuple[str, ...] | None = None
    absent: str = ""
    date_and_time: bool = False
    format: str = "csv"


class CsvReader(ColumnReader):
    """Reads rows by column through pyarrow, every value as its text."""

    format = "csv"
    first_row = 2  # row 1 is the header; a quoted newline does not begin a row

    def __init__(
        self,
        source: IO[bytes],
        path: Path,
        time_field: str | None,
        pattern: TimePattern | None = None,
        layout: DelimitedLayout = DelimitedLayout(),
    ) -> None:
        super().__init__(source, path, time_field, pattern)
        self._layout = layout
        self._blank: set[str] | None = None  # columns after whose delimiter a blank stands
        self.facts.format = layout.format

    def _tables(self) -> Iterator[Any]:
        names, delimiter, first = self._columns()
        options = {
            "read_options": csv.ReadOptions(
                # Rows have numbers in one thread only, and more would save nothing here.
                use_threads=False,
                block_size=CHUNK_BYTES,
                column_names=names,
            ),
            "parse_options": csv.ParseOptions(
                delimiter=delimiter,
                newlines_in_values=self._layout.format == "csv",
                invalid_row_handler=self._invalid,
            ),
            "convert_options": csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
            ),
        }
        try:
            source: Any = self._source
            if self._layout.date_and_time:
                source = DataStream(source, self._path, self._layout.names)
            if first is not None:
                source = RemainingStream(first, source)
            with csv.open_csv(source, **options) as reader:
                for table in reader:
                    yield self._joined(table)
        except pa.ArrowInvalid as error:
            if "Empty CSV" in str(error):
                return
            raise EddylineError("bad_file", f"{self._path} is no CSV: {error}") from error

    def _columns(self) -> tuple[list[str], str, bytes | None]:
        """The columns' names, the delimiter, and the first line where it holds values."""
        line = self._first_line()
        delimiter = self._layout.delimiter or _delimiter(line)
        text = line.decode("utf-8", "replace").removeprefix("\ufeff").strip("\r\n")
        if not text.strip():
            message = f"{self._path} has no first line that names columns"
            hint = "the first line names the columns; without one, give --no-header"
            raise EddylineError("bad_file", message, hint=hint)
        if "\r" in text:
            message = f"the lines of {self._path} end in carriage returns alone"
            hint = "tr '\\r' '\\n' < FILE | eddyline replay - … reads them"
            raise EddylineError("bad_file", message, hint=hint)
        import csv as reader

        cells = [n.strip() for n in next(reader.reader([text], delimiter=delimiter))]
        if self._layout.names is not None:
            return self._given(list(self._layout.names), len(cells)), delimiter, line
        has_header = self._layout.header
        if has_header is None:
            has_header = not any(re.match(_VALUE, cell) for cell in cells)
        if not has_header:
            self.first_row = 1
            self.facts.notes.append("no header: columns are named column1, column2 …")
            return [f"column{k}" for k in range(1, len(cells) + 1)], delimiter, line
        if len(set(cells)) != len(cells) or "" in cells:
            message = f"the header of {self._path} names a column twice or not at all"
            raise EddylineError("bad_file", message, hint=f"it is: {text[:200]}")
        return cells, delimiter, None

    def _first_line(self) -> bytes:
        """The first line; of W3C logs the one after the directives, which name the columns."""
        line = self._source.readline()
        while self._layout.date_and_time and line.startswith(b"#"):
            names = fields_of(line)
            if names is not None:
                self._layout = replace(self._layout, names=names)
                self.first_row += 1
            line = self._source.readline()
        return line

    def _given(self, names: list[str], count: int) -> list[str]:
        """The names of so many columns; a newer log has more, an older one fewer."""
        self.first_row = 1
        return [*names[:count], *(f"field{k}" for k in range(len(names) + 1, count + 1))]

    def _joined(self, table: Any) -> Any:
        """The rows with ``date`` and ``time`` as one column, and nothing where nothing is."""
        names = list(table.schema.names)
        columns = {n: table.column(n) for n in names}
        if self._layout.absent:
            columns = {
                n: pc.if_else(pc.equal(c, self._layout.absent), "", c) for n, c in columns.items()
            }
        if self._blank is None and len(table):
            self._blank = {n for n, column in columns.items() if _begins_with_blank(column)}
        for name in self._blank or ():
            columns[name] = pc.utf8_ltrim_whitespace(columns[name])
        if self._layout.date_and_time and {"date", "time"} <= columns.keys():
            stamp = pc.binary_join_element_wise(columns.pop("date"), columns["time"], "T")
            columns = {"time": stamp, **{n: c for n, c in columns.items() if n != "time"}}
        return pa.RecordBatch.from_pydict(columns)

    def _invalid(self, row: Any) -> str:
        number = row.number + self.first_row - 1
        self.faults.add(number, f"{row.actual_columns} values for {row.expected_columns} columns")
        return "skip"

    def _infer(self, table: Any) -> None:
        for name in table.schema.names:
            self.facts.columns[name] = _kind(table.column(name), self._layout)

        def sample(name: str) -> list[str]:
            texts: list[str] = table.column(name).slice(0, SAMPLE_LINES).to_pylist()
            return texts

        find_time(self.facts, self._path, list(table.schema.names), sample)

    def _batch(self, table: Any, first: int) -> ReplayBatch:
        style, field = self.facts.style, self.facts.time_field
        fits = np.ones(len(table), np.bool_)
        for name, kind in self.facts.columns.items():
            fits &= self._check(table.column(name), name, kind, first, fits)
        ms = np.zeros(len(table), np.int64)
        if style is not None:
            ms, valid = read_times(table.column(field), style)
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

    def _records(self, table: Any, ms: Integers) -> ReplayBatch:
        has_absent = bool(self._layout.absent)
        columns = (
            (n, *_texts(table.column(n), k, has_absent)) for n, k in self.facts.columns.items()
        )
        return objects(columns, self.facts.time_field if self.facts.style else None, ms)


def _texts(texts: Any, kind: str, has_absent: bool) -> tuple[Any, bool]:
    """A column's values, null where there is none, and whether they are texts.

    An empty text is a text, unless the file has a mark for what is absent.
    """
    if kind == "text" and not has_absent:
        return texts, True
    present = pc.if_else(pc.equal(texts, ""), pa.scalar(None, pa.string()), texts)
    if kind == "text":
        return present, True
    if kind == "decimal comma":
        return pc.replace_substring(present, ",", "."), False
    return pc.utf8_lower(present) if kind == "boolean" else present, False


def _begins_with_blank(texts: Any) -> bool:
    present = texts.filter(pc.not_equal(texts, ""))
    return len(present) > 0 and bool(pc.all(pc.starts_with(present, " ")).as_py())


def _kind(texts: Any, layout: DelimitedLayout) -> str:
    present = texts.filter(pc.not_equal(texts, ""))
    if not len(present):
        return "text"
    commas = layout.decimal == "," or (layout.decimal is None and layout.delimiter != ",")
    for kind, pattern in KINDS.items():
        if kind == "decimal comma" and not commas:
            continue
        if pc.all(pc.match_substring_regex(present, pattern)).as_py():
            return kind
    return "text"


def _delimiter(header: bytes) -> str:
    """The likely delimiter: the one that occurs most in the first line."""
    text = header.decode("utf-8", "replace")
    return max(DELIMITERS, key=text.count)


def is_delimited(lines: list[str]) -> bool:
    """Whether most lines have as many columns as the first, and more than one."""
    import csv as reader

    delimiter = _delimiter(lines[0].encode())
    counts = [len(row) for row in reader.reader(lines, delimiter=delimiter)]
    return bool(counts) and counts[0] > 1 and counts.count(counts[0]) * 2 > len(counts)
