"""Logs of one event per line in forms that are known: syslog, web servers' error logs, and the
layouts of log4j, Spring Boot and Python.

A line that continues an event (a stack trace) is added to the message of the one before. The fields
are those of the form, and ``time`` in ISO 8601. Syslog's old form has no year: the newest one in
which the time is not in the future.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from eddyline.clock import SYSTEM
from eddyline.generator.column import Integers
from eddyline.generator.json_text import or_null, quoted
from eddyline.generator.moment import DAY_MS
from eddyline.generator.replay.batch import Facts, ReplayBatch
from eddyline.generator.replay.instant import Style, parse
from eddyline.generator.replay.source import STDIN
from eddyline.generator.replay.text import BadLines, TextLines, read_lines

LINE_MESSAGE_MAX = 1_000_000
_ISO = r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?"
_LEVEL = r"(?P<level>TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|CRITICAL|SEVERE|FATAL)"
# Apache and nginx write their levels in small letters.
_LOWER = r"(?P<level>trace\d?|debug|info|notice|warn|error|crit|alert|emerg)"
_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


@dataclass(frozen=True, slots=True)
class LineFormat:
    """One form of lines: a regular expression whose groups are the fields, ``time`` among them."""

    name: str
    pattern: str
    fields: tuple[str, ...]


FORMS = (
    LineFormat(  # syslog's old form as HAProxy sends it, without a host
        "syslog",
        r"^(?:<(?P<priority>\d{1,3})>)?(?P<month>[A-Z][a-z]{2}) +(?P<day>\d{1,2}) "
        r"(?P<clock>\d\d:\d\d:\d\d) (?P<app>[^\s:\[]+)(?:\[(?P<pid>\d+)\])?: "
        r"(?P<message>.*)$",
        ("priority", "app", "pid", "message"),
    ),
    LineFormat(  # Logback's default, and others that write the time of day alone
        "log4j",
        rf"^(?P<clock>\d\d:\d\d:\d\d(?:[.,]\d{{1,9}})?) +\[(?P<thread>[^\]]*)\] +{_LEVEL} +"
        r"(?P<logger>\S+) *[-:] ?(?P<message>.*)$",
        ("level", "thread", "logger", "message"),
    ),
    LineFormat(
        "syslog",
        rf"^<(?P<priority>\d{{1,3}})>1 (?P<time>{_ISO}) (?P<host>\S+) (?P<app>\S+) "
        r"(?P<pid>\S+) (?P<id>\S+) (?P<data>-|\[.*?\])(?: (?P<message>.*))?$",
        ("priority", "host", "app", "pid", "id", "data", "message"),
    ),
    LineFormat(
        "syslog",
        r"^(?:<(?P<priority>\d{1,3})>)?(?P<month>[A-Z][a-z]{2}) +(?P<day>\d{1,2}) "
        r"(?P<clock>\d\d:\d\d:\d\d) (?P<host>\S+) (?P<app>[^\s:\[]+)(?:\[(?P<pid>\d+)\])?: ?"
        r"(?P<message>.*)$",
        ("priority", "host", "app", "pid", "message"),
    ),
    LineFormat(  # nginx
        "error-log",
        rf"^(?P<time>\d{{4}}/\d\d/\d\d \d\d:\d\d:\d\d) \[{_LOWER}\] "
        r"(?P<pid>\d+)#(?P<thread>\d+): (?:\*(?P<connection>\d+) )?"
        r"(?P<message>.*?(?:, client: (?P<client>[^\s,]+)(?:, .*)?)?)$",
        ("level", "pid", "thread", "connection", "client", "message"),
    ),
    LineFormat(  # Apache
        "error-log",
        r"^\[[A-Z][a-z]{2} (?P<month>[A-Z][a-z]{2}) +(?P<day>\d{1,2}) "
        r"(?P<clock>\d\d:\d\d:\d\d(?:\.\d+)?) (?P<year>\d{4})\] "
        rf"\[(?:(?P<module>\w*):)?{_LOWER}\] "
        r"(?:\[pid (?P<pid>\d+)(?::tid (?P<thread>\d+))?\] )?(?:\[client (?P<client>[^\]]+)\] )?"
        r"(?P<message>.*)$",
        ("level", "module", "pid", "thread", "client", "message"),
    ),
    LineFormat(  # Spring Boot 2 and 3
        "log4j",
        rf"^(?P<time>{_ISO}) +{_LEVEL} +(?P<pid>\d+) --- (?:\[(?P<app>[^\]]*)\] )?"
        r"\[ *(?P<thread>[^\]]*)\] +(?P<logger>\S+) *: ?(?P<message>.*)$",
        ("level", "pid", "app", "thread", "logger", "message"),
    ),
    LineFormat(  # Python's logging as its manual shows it
        "log4j",
        rf"^(?P<time>{_ISO}) +- +(?P<logger>[\w.$]+) +- +{_LEVEL} +- ?(?P<message>.*)$",
        ("level", "logger", "message"),
    ),
    LineFormat(
        "log4j",
        rf"^(?P<time>{_ISO}) +\[(?P<thread>[^\]]*)\] +{_LEVEL} +(?P<logger>\S+)"
        r" *[-:] ?(?P<message>.*)$",
        ("level", "thread", "logger", "message"),
    ),
    LineFormat(
        "log4j",
        rf"^(?P<time>{_ISO}) +\[?{_LEVEL}\]? +\[(?P<thread>[^\]]*)\] +(?P<logger>[\w.$]+)"
        r" *[-:] ?(?P<message>.*)$",
        ("level", "thread", "logger", "message"),
    ),
    LineFormat(
        "log4j",
        rf"^(?P<time>{_ISO}) +(?P<logger>[\w.$]+) +{_LEVEL} +(?P<message>.*)$",
        ("level", "logger", "message"),
    ),
    LineFormat(
        "log4j",
        rf"^(?P<time>{_ISO}) *[-|]? *\[?{_LEVEL}\]? *[-|:]? +(?P<logger>[\w.$]+)"
        r" *[-:|] ?(?P<message>.*)$",
        ("level", "logger", "message"),
    ),
    LineFormat(
        "log4j",
        rf"^(?P<time>{_ISO}) *[-|]? *\[?{_LEVEL}\]? *[-:|]? ?(?P<message>.*)$",
        ("level", "message"),
    ),
    LineFormat(
        "syslog",
        rf"^(?:<(?P<priority>\d{{1,3}})>)?(?P<time>{_ISO}) (?P<host>[^\s\[\]]+) "
        r"(?P<app>[^\s:\[]+)(?:\[(?P<pid>\d+)\])?: (?P<message>.*)$",
        ("priority", "host", "app", "pid", "message"),
    ),
)
_NUMBERS = ("priority",)


def form_of(lines: list[str], name: str | None = None) -> LineFormat | None:
    """The form that most lines have, of that name where one is given; None if it is none's.

    It must be the form of the first line, or of most: others may continue an event.
    """
    sample = pa.array([line for line in lines if line and not line[0].isspace()], pa.string())
    best: tuple[int, LineFormat | None] = (0, None)
    for form in FORMS:
        if name in (None, form.name):
            hits = pc.sum(pc.match_substring_regex(sample, form.pattern)).as_py() or 0
            if hits > best[0]:
                best = (hits, form)
    most, chosen = best
    if chosen is None or name is not None or most * 2 > len(sample):
        return chosen
    begins = pc.match_substring_regex(sample.slice(0, 1), chosen.pattern)
    return chosen if pc.any(begins).as_py() else None


class LineLogReader:
    """Reads a log of one form a chunk at a time, by column."""

    def __init__(
        self, source: IO[bytes], path: Path, form: LineFormat, date: str | None = None
    ) -> None:
        self._source = source
        self._path = path
        self._form = form
        self.facts = Facts(form.name, "time", Style.ISO)
        self.faults = BadLines()
        self._day_ms = 0
        self._latest_ms = -1  # within the day
        if "(?P<clock>" in form.pattern and "(?P<month>" not in form.pattern:
            self._day_ms = self._first_day(date)

    def _first_day(self, date: str | None) -> int:
        """The day of the first line, where lines have a time of day alone; in epoch ms."""
        if date is None:
            path = self._path
            changed_ms = SYSTEM.now_ms() if str(path) == STDIN else path.stat().st_mtime_ns // 10**6
            day_ms = changed_ms - changed_ms % DAY_MS
            shown = pa.scalar(day_ms, pa.int64()).cast(pa.timestamp("ms")).as_py().date()
            words = "today" if str(path) == STDIN else "when the file was changed"
            note = f"its lines have no date: the first is taken to be of {shown}, {words}"
            self.facts.notes.append(f"{note}; --date names another")
            return day_ms
        return int(pa.scalar(date).cast(pa.date32()).cast(pa.int32()).as_py()) * DAY_MS

    def batches(self) -> Iterator[ReplayBatch]:
        for lines in read_lines(self._source, self._path, self.faults):
            batch = self._batch(lines)
            if len(batch):
                yield batch

    def _batch(self, lines: TextLines) -> ReplayBatch:
        raw = [line.rstrip(b"\r") for line in lines.lines]
        texts = pa.array([line.decode("utf-8", "replace") for line in raw])
        matches = pc.extract_regex(texts, self._form.pattern)
        begins = np.asarray(matches.is_valid())
        kept = matches.filter(pa.array(begins))
        ms, real = self._instants(kept)
        rows = np.flatnonzero(begins)
        for row in rows[~real]:
            self.faults.add(lines.first + int(row), "its time does not exist")
        values = {name: kept.field(name) for name in self._form.fields}
        values["message"] = self._continued(values["message"], texts, begins, lines.first)
        batch = _records(values, ms)
        return batch if real.all() else batch.take(np.flatnonzero(real))

    def _continued(self, messages: Any, texts: Any, begins: Any, first: int) -> Any:
        """The messages with the lines that follow them and begin no event themselves."""
        more = np.flatnonzero(~begins)
        if not len(more):
            return messages
        owner = np.cumsum(begins) - 1
        out = messages.to_pylist()
        for row in more:
            line = texts[int(row)].as_py()
            if not line.strip():
                continue
            if owner[row] < 0:
                self.faults.add(first + int(row), f"no line of {self._form.name}")
            else:
                message = out[owner[row]] or ""
                if len(message) < LINE_MESSAGE_MAX:
                    out[owner[row]] = f"{message}\n{line}"
        return pa.array(out, pa.string())

    def _instants(self, kept: Any) -> tuple[Integers, Any]:
        names = [kept.type.field(k).name for k in range(kept.type.num_fields)]
        if "time" not in names and "month" not in names:
            return self._of_day(kept.field("clock"))
        if "month" not in names:
            times = pc.replace_substring(kept.field("time"), ",", ".")
            return parse(pc.replace_substring(times, "/", "-"), Style.ISO)
        return self._of_month(kept, names)

    def _of_day(self, clocks: Any) -> tuple[Integers, Any]:
        """Times of day; a new day begins where they jump back by more than half of one."""
        texts = pc.binary_join_element_wise(
            "1970-01-01", pc.replace_substring(clocks, ",", "."), "T"
        )
        ms, real = parse(texts, Style.ISO)
        if not len(ms):
            return ms, real
        before = np.concatenate([[ms[0] if self._latest_ms < 0 else self._latest_ms], ms[:-1]])
        days = np.cumsum(ms < before - DAY_MS // 2)
        out = ms + self._day_ms + days * DAY_MS
        self._day_ms += int(days[-1]) * DAY_MS
        self._latest_ms = int(ms[-1])
        return out, real

    def _of_month(self, kept: Any, names: list[str]) -> tuple[Integers, Any]:
        """Times of syslog and Apache: the month by its name, and maybe a year."""
        number = pc.add(pc.index_in(kept.field("month"), value_set=pa.array(_MONTHS)), 1)
        month = pc.fill_null(pc.utf8_lpad(number.cast(pa.string()), 2, "0"), "00")
        day = pc.utf8_lpad(kept.field("day"), 2, "0")

        def within(y: Any) -> tuple[Integers, Any]:
            texts = pc.binary_join_element_wise(y, month, day, "-")
            return parse(pc.binary_join_element_wise(texts, kept.field("clock"), "T"), Style.ISO)

        if "year" in names:
            return within(kept.field("year"))
        now_ms = SYSTEM.now_ms()
        year = 1970 + int(now_ms / (365.2425 * DAY_MS))
        (now, real), (before, was_real) = within(str(year)), within(str(year - 1))
        past = real & (now <= now_ms + DAY_MS)
        return np.where(past, now, before), np.where(past, real, was_real)


NAMES = tuple(dict.fromkeys(form.name for form in FORMS))


def _records(values: dict[str, Any], ms: Integers) -> ReplayBatch:
    stamps = pc.replace_substring(pa.array(ms).cast(pa.timestamp("ms")).cast(pa.string()), " ", "T")
    parts: list[Any] = []
    for name, texts in values.items():
        present = pc.if_else(
            pc.is_in(texts, pa.array(["", "-"])), pa.scalar(None, pa.string()), texts
        )
        parts.append(f',"{name}":')
        parts.append(or_null(present if name in _NUMBERS else quoted(present)))
    n = len(ms)
    tail = pc.binary_join_element_wise(*[pa.repeat('"', n), *parts, "}"], "")
    return ReplayBatch(pa.repeat('{"time":"', n), stamps, tail, ms)
