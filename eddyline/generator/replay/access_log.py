"""Web servers' access logs in combined (or common) log format, as JSON records.

A virtual host before the line (Apache's vhost_combined) becomes ``vhost``; what follows the user
agent becomes ``forwarded_for`` where it is one quoted value (nginx's main format), else ``extra``.

Each line becomes ``host, ident, user, time, method, path, protocol, status, bytes, referrer,
user_agent``. ``time`` is UTC as ``2015-05-17T10:05:03.000``; ``status`` and ``bytes`` are
numbers. A ``-`` is null, but in ``bytes``, where it means that no body was sent, it is 0. A
request line that is no ``METHOD path protocol`` stands in ``path`` as it is. The format:
https://httpd.apache.org/docs/2.4/logs.html#combined
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from eddyline.generator.column import Integers
from eddyline.generator.json_text import or_null, quoted
from eddyline.generator.moment import DAY_MS
from eddyline.generator.replay.batch import Facts, ReplayBatch, together
from eddyline.generator.replay.instant import Style, days_of, parse
from eddyline.generator.replay.text import BadLines, TextLines, read_lines
from eddyline.generator.target import contents

LINE = (
    r"^(?:(?P<vhost>[^\s\[\]]+:\d+) )?(?P<host>\S+) (?P<ident>\S+) (?P<user>.*?) "
    r"\[(?P<day>\d\d)/(?P<month>[A-Za-z]{3})/(?P<year>\d{4}):(?P<clock>\d\d:\d\d:\d\d)"
    r" (?P<zone>[+-]\d{4})\] "
    r'"(?P<request>(?:[^"\\]|\\.)*)" (?P<status>\d{3}) (?P<bytes>\d+|-)'
    r'(?: "(?P<referrer>(?:[^"\\]|\\.)*)" "(?P<user_agent>(?:[^"\\]|\\.)*)"'
    r"(?: (?P<extra>.*?))?)?\s*$"
)
_REQUEST = r"^(?P<method>[A-Z]+) (?P<path>\S+)(?: (?P<protocol>HTTP/[\d.]+))?$"
# The general pattern's pieces for lines without escapes, which quotes cut into seven parts.
_BEFORE = r"^(?P<host>\S+) (?P<ident>\S+) (?P<user>\S+) \[(?P<time>[!-~ ]{26})\] $"
_AFTER = r"^ (?P<status>\d{3}) (?P<bytes>\d+|-) $"
_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

# Lines that are looked at for what they hold beyond the combined format.
SAMPLE = 200

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class LogColumns:
    """The columns of parsed lines: StringArrays as logged, and the time in epoch ms."""

    host: Any
    ident: Any
    user: Any
    ms: Integers
    request: Any
    status: Any
    bytes: Any
    referrer: Any
    user_agent: Any
    vhost: Any = None
    extra: Any = None


class AccessLogReader:
    """Reads an access log a chunk at a time, by column."""

    def __init__(self, source: IO[bytes], path: Path) -> None:
        self._source = source
        self._path = path
        self.facts = Facts("access-log", "time", Style.ISO)
        self.faults = BadLines()
        # Names of what the first lines hold beyond the combined format.
        self._more: dict[str, str] | None = None

    def batches(self) -> Iterator[ReplayBatch]:
        for lines in read_lines(self._source, self._path, self.faults):
            batch = self._batch(lines)
            if len(batch):
                yield batch

    def _batch(self, lines: TextLines) -> ReplayBatch:
        texts = _texts(lines.lines)
        if self._more is None:
            self._more = _beyond(texts)
        if self._more:
            return self._extended(lines, texts)
        plain, fields = _parse_plain(texts)
        quick = _records(fields, escaped=False)
        rest = np.flatnonzero(~plain)
        if not len(rest):
            return quick
        fits, fields = _parse_any(texts.take(pa.array(rest)))
        for row in rest[~fits]:
            if lines.lines[row].strip():
                self.faults.add(lines.first + int(row), "not in combined log format")
        both = together([quick, _records(fields, escaped=True)])
        order = np.concatenate([np.flatnonzero(plain), rest[fits]])
        return both.take(np.argsort(order, kind="stable"))

    def _extended(self, lines: TextLines, texts: Any) -> ReplayBatch:
        """A chunk of a log that holds more than the combined format."""
        assert self._more is not None
        fits, fields = _parse_any(texts)
        for row in np.flatnonzero(~fits):
            if lines.lines[row].strip():
                self.faults.add(lines.first + int(row), "not in combined log format")
        return _records(fields, escaped=True, more=self._more)


def _beyond(texts: Any) -> dict[str, str]:
    """Fields beyond the combined format that a sample of lines holds, and their names here."""
    matches = pc.extract_regex(texts.slice(0, SAMPLE), LINE).drop_null()
    more = {}
    if len(matches) and pc.any(pc.not_equal(matches.field("vhost"), "")).as_py():
        more["vhost"] = "vhost"
    extra = matches.field("extra").filter(pc.not_equal(matches.field("extra"), ""))
    if len(extra):
        quoted_alone = pc.all(pc.match_substring_regex(extra, r'^"[^"]*"$')).as_py()
        more["extra"] = "forwarded_for" if quoted_alone else "extra"
    return more


def _texts(lines: list[bytes]) -> Any:
    """Lines as a StringArray; bytes that are no UTF-8 become replacement characters."""
    column = pa.array(lines, pa.binary())
    try:
        return column.cast(pa.string())
    except pa.ArrowInvalid:
        return pa.array([line.decode("utf-8", "replace") for line in lines])


def _parse_plain(texts: Any) -> tuple[Mask, LogColumns]:
    """Lines without escapes, three times as fast: which rows could be read, and those rows."""
    parts = pc.split_pattern(texts, '"')
    seven = pc.equal(pc.list_value_length(parts), 7)
    candidates = pc.and_(seven, pc.invert(pc.match_substring_regex(texts, r"[\\\x00-\x1f]")))
    values = parts.filter(candidates).flatten()
    piece = [values.take(pa.array(np.arange(k, len(values), 7))) for k in range(7)]
    before, after = pc.extract_regex(piece[0], _BEFORE), pc.extract_regex(piece[2], _AFTER)
    closed = pc.and_(pc.equal(piece[4], " "), pc.equal(piece[6], ""))
    fits = np.asarray(pc.and_(pc.and_(before.is_valid(), after.is_valid()), closed))
    times = pc.if_else(before.is_valid(), before.field("time"), "01/Jan/1970:00:00:00 +0000")
    ms, real = _instants(times)
    fits = fits & real
    plain = np.asarray(candidates).copy()
    plain[np.flatnonzero(plain)[~fits]] = False
    keep = pa.array(fits)
    columns = (before.field("host"), before.field("ident"), before.field("user"))
    host, ident, user = (c.filter(keep) for c in columns)
    later = (piece[1], after.field("status"), after.field("bytes"), piece[3], piece[5])
    rest = (c.filter(keep) for c in later)
    return plain, LogColumns(host, ident, user, ms[fits], *rest)


def _parse_any(texts: Any) -> tuple[Mask, LogColumns]:
    """Any line: which rows could be read, and those rows."""
    matches = pc.extract_regex(texts, LINE)
    fits = np.asarray(matches.is_valid())
    month = pc.index_in(matches.field("month"), value_set=pa.array(_MONTHS))
    number = pc.utf8_lpad(pc.add(month, 1).cast(pa.string()), 2, "0")
    day = pc.binary_join_element_wise(matches.field("year"), number, matches.field("day"), "-")
    clock, zone = matches.field("clock"), matches.field("zone")
    ms, real = parse(pc.fill_null(_object(day, "T", clock, zone), ""), Style.ISO)
    fits = fits & real
    kept = matches.filter(pa.array(fits))
    names = ("request", "status", "bytes", "referrer", "user_agent")
    host, ident, user = (kept.field(k) for k in ("host", "ident", "user"))
    rest = (kept.field(k) for k in (*names, "vhost", "extra"))
    return fits, LogColumns(host, ident, user, ms[fits], *rest)


def _instants(texts: Any) -> tuple[Integers, Mask]:
    """``17/May/2015:10:05:03 +0000``, 26 ASCII characters each, as epoch ms."""
    n = len(texts)
    matrix = np.frombuffer(contents(texts.cast(pa.binary())), np.uint8).reshape(n, 26)
    digits = matrix.astype(np.int64) - 48
    places = [0, 1, 7, 8, 9, 10, 12, 13, 15, 16, 18, 19, 22, 23, 24, 25]
    real = ((digits[:, places] >= 0) & (digits[:, places] <= 9)).all(axis=1)
    marks = matrix[:, [2, 6, 11, 14, 17, 20]]
    real &= (marks == np.frombuffer(b"//::: ", np.uint8)).all(axis=1)
    sign = matrix[:, 21]
    real &= (sign == ord("+")) | (sign == ord("-"))
    names = matrix[:, 3:6].astype(np.int64) @ np.array([65536, 256, 1])
    known = np.array([int.from_bytes(m.encode(), "big") for m in _MONTHS])
    order = np.argsort(known)
    at = np.minimum(np.searchsorted(known[order], names), 11)
    real &= known[order][at] == names

    def number(*columns: int) -> Integers:
        total = np.zeros(n, np.int64)
        for column in columns:
            total = total * 10 + digits[:, column]
        return total

    days, exists = days_of(np.where(real, number(7, 8, 9, 10), 1970), order[at] + 1, number(0, 1))
    hour, minute, second = number(12, 13), number(15, 16), number(18, 19)
    real &= exists & (hour < 24) & (minute < 60) & (second < 61)
    east = np.where(sign == ord("-"), -1, 1) * (number(22, 23) * 60 + number(24, 25))
    return days * DAY_MS + (((hour * 60 + minute - east) * 60) + second) * 1000, real


def _records(
    fields: LogColumns, *, escaped: bool, more: dict[str, str] | None = None
) -> ReplayBatch:
    text = _unescaped if escaped else _as_is
    quote = quoted if escaped else _quoted_plain
    request = text(fields.request)
    parts = pc.extract_regex(request, _REQUEST)
    path = pc.if_else(parts.is_valid(), parts.field("path"), request)
    method, protocol = (_absent(parts.field(k)) for k in ("method", "protocol"))
    head = _object(
        '{"host":', quote(fields.host),
        ',"ident":', or_null(quote(_absent(fields.ident))),
        ',"user":', or_null(quote(_absent(fields.user))),
        ',"time":"',
    )  # fmt: skip
    tail = _object(
        '","method":', or_null(quote(method)),
        ',"path":', quote(path),
        ',"protocol":', or_null(quote(protocol)),
        ',"status":', fields.status,
        ',"bytes":', _size(fields.bytes),
        ',"referrer":', or_null(quote(_absent(text(fields.referrer)))),
        ',"user_agent":', or_null(quote(_absent(text(fields.user_agent)))),
        *_more_members(fields, more or {}),
        "}",
    )  # fmt: skip
    return ReplayBatch(head, _iso(fields.ms), tail, fields.ms)


def _more_members(fields: LogColumns, more: dict[str, str]) -> Iterator[Any]:
    """The members of what stands beyond the combined format."""
    for field, name in more.items():
        texts = fields.vhost if field == "vhost" else fields.extra
        if name == "forwarded_for":
            texts = pc.utf8_trim(texts, characters='"')
        yield f',"{name}":'
        yield or_null(quoted(_absent(texts)))


def _object(*parts: Any) -> Any:
    return pc.binary_join_element_wise(*parts, "")


def _iso(ms: Integers) -> Any:
    stamps = pa.array(ms).cast(pa.timestamp("ms")).cast(pa.string())
    return pc.replace_substring(stamps, " ", "T")


def _absent(texts: Any) -> Any:
    """``-`` (and a group that did not take part) as null."""
    gone = pc.is_in(texts, value_set=pa.array(["-", ""]))
    return pc.if_else(gone, pa.scalar(None, pa.string()), texts)


def _as_is(texts: Any) -> Any:
    return texts


def _quoted_plain(texts: Any) -> Any:
    return pc.binary_join_element_wise('"', texts, '"', "")


def _unescaped(texts: Any) -> Any:
    r"""``\"`` and ``\\`` as the server met them; ``\x..`` stays as written."""
    return pc.replace_substring_regex(texts, r'\\(["\\])', r"\1")


def _size(texts: Any) -> Any:
    """``-`` as 0; digits without leading zeros, which JSON does not know."""
    digits = pc.if_else(pc.equal(texts, "-"), "0", texts)
    return pc.replace_substring_regex(digits, r"^0+(\d)", r"\1")
