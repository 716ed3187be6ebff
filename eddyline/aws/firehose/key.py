"""The keys of delivered objects: Firehose's prefixes, and a name that follows from the content.

A prefix may contain ``!{timestamp:PATTERN}`` with letters of Java's date patterns,
``!{firehose:random-string}`` and, for records that are rejected,
``!{firehose:error-output-type}``. ``yyyy/MM/dd/HH/`` follows a prefix without expressions.
"""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Callable
from datetime import datetime, tzinfo

from eddyline.aws.delivery.source import ObjectStart

_EXPRESSION = re.compile(r"!\{([^{}]*)\}")
_RUN = re.compile(r"'([^']*)'|([A-Za-z])\2*")
DATE_FOLDERS = "!{timestamp:yyyy/MM/dd/HH}/"
ERROR_TYPE = "firehose:error-output-type"
RANDOM = "firehose:random-string"
REJECTED = "format-conversion-failed"
# A run of one letter of a Java date pattern -> the strftime format.
_DATES = {
    "yyyy": "%Y",
    "yy": "%y",
    "MM": "%m",
    "dd": "%d",
    "HH": "%H",
    "mm": "%M",
    "ss": "%S",
    "DDD": "%j",
}


def unknown_expressions(prefix: str, *, rejects: bool) -> list[str]:
    """The expressions of a prefix that have no meaning here."""
    known = {RANDOM, ERROR_TYPE} if rejects else {RANDOM}
    return [
        f"!{{{expression}}}"
        for expression in _EXPRESSION.findall(prefix)
        if expression not in known and not _is_timestamp(expression)
    ]


def _is_timestamp(expression: str) -> bool:
    namespace, _, pattern = expression.partition(":")
    runs = (m[0] for m in _RUN.finditer(pattern) if not m[0].startswith("'"))
    return namespace == "timestamp" and bool(pattern) and all(run in _DATES for run in runs)


def object_key(
    prefix: str, name: str, version: int, zone: tzinfo, start: ObjectStart, ending: str
) -> str:
    """The key of the object that starts with that record."""
    at = datetime.fromtimestamp(start.arrival_ms / 1000, zone)
    # The same start gives the same name, so that a repeated delivery overwrites its own object.
    origin = f"{name}/{start.stream}/{start.shard_id}/{start.arrival_ms}/{start.offset}"
    digest = hashlib.sha256(origin.encode()).digest()
    folders = prefix if _EXPRESSION.search(prefix) else prefix + DATE_FOLDERS
    path = _EXPRESSION.sub(_value(at, digest), folders)
    unique = uuid.UUID(bytes=digest[:16], version=4)
    return f"{path}{name}-{version}-{at:%Y-%m-%d-%H-%M-%S}-{unique}{ending}"


def _value(at: datetime, digest: bytes) -> Callable[[re.Match[str]], str]:
    def value(match: re.Match[str]) -> str:
        if match[1] == RANDOM:
            return digest[16:24].hex()[:11]
        if match[1] == ERROR_TYPE:
            return REJECTED
        pattern = match[1].partition(":")[2]
        return _RUN.sub(
            lambda run: run[1] if run[1] is not None else at.strftime(_DATES[run[0]]), pattern
        )

    return value
