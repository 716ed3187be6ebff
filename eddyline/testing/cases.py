"""Golden cases: one readable text file, many runs.

A case is statements, rows in steps, one query and the rows it must give: a SELECT's own, or
those that an INSERT leaves in its table. The file is read here;
``tests/cases/record.py`` writes the expected rows from a real Flink, ``tests/test_cases.py`` runs
the same file straight, cut into single rows, with a crash after every step, and over several
shards.

The format, by lines that begin with ``-- ``::

    -- title: what the case shows
    -- recorded: Apache Flink 2.3.0        (or: derived: by hand, because …)
    CREATE TABLE … (columns and watermark; the runner adds the WITH options)
    -- rows: TABLE        JSON lines follow
    -- step               a new step: rows that arrive later
    -- query:             one SELECT, or one INSERT INTO a table of the case
    -- types: …           the result's column types, as Flink names them
    -- expect: insert-only | updating      the folded result, one JSON array per row, sorted
    -- fail: message      instead of expect: the error's sentence
"""

from __future__ import annotations

import datetime as dt
import decimal
import json
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_INSERT = re.compile(r"\s*INSERT INTO (\w+)")
_MARK = re.compile(r"^-- (title|recorded|derived|rows|step|query|types|expect|fail)(?:: ?(.*))?$")


@dataclass(slots=True)
class Case:
    """One golden case. ``steps``: per step, the JSON lines of each table."""

    path: Path
    title: str = ""
    recorded: str | None = None
    derived: str | None = None
    setup: str = ""
    steps: list[dict[str, list[str]]] = field(default_factory=lambda: [{}])
    query: str = ""
    types: str | None = None
    changelog: str | None = None
    expect: list[str] = field(default_factory=list)
    fail: str | None = None

    @property
    def name(self) -> str:
        return self.path.stem

    @property
    def sink(self) -> str | None:
        """The table an INSERT writes to; its rows are the result. None for a SELECT."""
        match = _INSERT.match(self.query)
        return match[1] if match else None

    def tables(self) -> list[str]:
        """Tables that get rows, in order of first appearance."""
        return list(dict.fromkeys(name for step in self.steps for name in step))

    def rows(self, table: str) -> list[str]:
        """All rows of a table, over all steps."""
        return [line for step in self.steps for line in step.get(table, ())]

    def text(self) -> str:
        """The file's text."""
        out = [f"-- title: {self.title}"]
        if self.recorded:
            out.append(f"-- recorded: {self.recorded}")
        if self.derived:
            out.append(f"-- derived: {self.derived}")
        out += ["", self.setup.strip(), ""] if self.setup.strip() else [""]
        for n, step in enumerate(self.steps):
            out += ["-- step"] if n else []
            for table, lines in step.items():
                out += [f"-- rows: {table}", *lines]
        out += ["", "-- query:", self.query.strip(), ""]
        out += [f"-- types: {self.types}"] if self.types else []
        if self.fail is not None:
            out.append(f"-- fail: {self.fail}")
        elif self.changelog is not None:
            out += [f"-- expect: {self.changelog}", *self.expect]
        return re.sub(r"\n{3,}", "\n\n", "\n".join(out).strip()) + "\n"


def read(path: Path) -> Case:
    """Read a case file."""
    case = Case(path)
    section, table = "setup", ""
    for line in path.read_text().splitlines():
        mark = _MARK.match(line)
        if mark:
            section, table = _open(case, mark[1], mark[2] or "")
        elif section == "setup":
            case.setup += line + "\n"
        elif section == "rows" and line.strip():
            case.steps[-1].setdefault(table, []).append(line)
        elif section == "query":
            case.query += line + "\n"
        elif section == "expect" and line.strip():
            case.expect.append(line)
    return case


def _open(case: Case, word: str, rest: str) -> tuple[str, str]:
    if word == "step":
        case.steps.append({})
    elif word == "expect":
        case.changelog = rest
    elif word in ("title", "recorded", "derived", "types", "fail"):
        setattr(case, word, rest)
        return "setup", ""
    return word, rest


def discover(folder: Path) -> list[Case]:
    """All cases of a folder, by name."""
    return [read(p) for p in sorted(folder.glob("*.case"))]


def fold(changes: Iterable[tuple[str, list[Any]]]) -> list[str]:
    """(kind, values) changes folded into the rows that remain, as sorted JSON lines.

    Raises:
        AssertionError: when a row is taken back that never was there.
    """
    rows: Counter[str] = Counter()
    for kind, values in changes:
        line = json.dumps([canonical(v) for v in values], ensure_ascii=False)
        rows[line] += 1 if kind in ("+I", "+U") else -1
    wrong = [line for line, n in rows.items() if n < 0]
    assert not wrong, f"taken back but never given: {wrong}"
    return sorted(rows.elements())


def canonical(value: Any) -> Any:
    """A value as JSON: times as SQL text without trailing zeros, decimals as text."""
    if isinstance(value, dt.datetime):
        text = value.strftime("%Y-%m-%d %H:%M:%S").rjust(19, "0")
        return text + (f".{value.microsecond:06d}".rstrip("0") if value.microsecond else "")
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, decimal.Decimal):
        return format(value, "f")
    if isinstance(value, dict):
        return {str(k): canonical(v) for k, v in sorted(value.items())}
    if isinstance(value, list | tuple):
        return [canonical(v) for v in value]
    if isinstance(value, bytes):
        return value.hex()
    return value


def same(left: list[str], right: list[str], tolerance: float = 1e-12) -> bool:
    """Equal row by row; doubles to ``tolerance`` relative."""
    if len(left) != len(right):
        return False
    pairs = zip(left, right, strict=True)
    return all(a == b or _close(json.loads(a), json.loads(b), tolerance) for a, b in pairs)


def _close(a: Any, b: Any, tolerance: float) -> bool:
    if isinstance(a, float) and isinstance(b, float | int):
        return abs(a - b) <= tolerance * max(abs(a), abs(b))
    if isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        return all(_close(x, y, tolerance) for x, y in zip(a, b, strict=True))
    return bool(a == b)
