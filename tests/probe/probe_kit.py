"""The probe: constructs, functions and casts of Flink 2.3 with the answers that Flink gave.

``constructs.sql`` holds one construct a paragraph, ``functions.tsv`` one function a line, and
``answers.json`` the rows, values and refusals recorded from Apache Flink 2.3.0. All statements run
in one session of this process, as in one shell.
"""

from __future__ import annotations

import json
import re
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from eddyline.clock import SYSTEM
from eddyline.service.events import Progress, RowsAppended, RunFinished, TableSnapshot
from eddyline.service.messages import Run
from eddyline.service.script import Script
from eddyline.service.session import Session
from eddyline.settings import Settings

HERE = Path(__file__).parent
FLAGS = ("~", "client", "nojar", "no")
# A query over a stream is ended when it first reports, a second after its beginning.
TICK_S, PATIENCE_S = 0.05, 30.0
# Groups whose paragraphs are lists of expressions over a table of one row.
LISTS = ("functions", "types and casts")
INTERNAL = re.compile(
    r"internal error|Traceback|duckdb|(Binder|Conversion|Catalog|Parser) Error|a fault in Eddyline|"
    r"destination type|Use TRY\(|Out of Range|Could not convert|STRUCT\(|HUGEINT",
    re.IGNORECASE,
)
AGGREGATE = re.compile(
    r"\b(AVG|COUNT|SUM|MIN|MAX|COLLECT|LISTAGG|FIRST_VALUE|LAST_VALUE|STDDEV\w*|VAR\w*|PERCENTILE|"
    r"ARRAY_AGG|JSON_ARRAYAGG|JSON_OBJECTAGG|BITMAP_\w*AGG)\(|\$SUM0"
)
_DAY = "2026-01-01 00:"
_ROWS: dict[str, tuple[str, str, list[tuple[Any, ...]]]] = {
    "ev": ("id k v p ts", "ts", [
        (1, "a", 10, 1.25, "00:01"), (2, "b", 20, None, "00:04"), (3, "a", None, 2.50, "00:12"),
        (4, "a", 5, 3.00, "00:09"), (5, "c", 7, 0.10, "00:23"), (6, None, 8, 9.99, "00:05"),
        (7, "b", 20, 4.00, "00:31"), (8, "a", 2147483647, 5.55, "00:33"),
        (9, "a", 1, 5.45, "00:33"),
    ]),
    "pay": ("oid k amt pts", "pts", [
        (1, "a", 3, "00:02"), (1, "a", 30, "00:08"), (2, "b", 20, "00:04"), (4, "x", 9, "00:15"),
        (5, "c", 7, "00:40"), (9, None, None, "00:41"),
    ]),
    "rates": ("cur rate rts", "rts", [
        ("a", 1.0, "00:00"), ("b", 2.0, "00:00"), ("a", 1.5, "00:10"), ("b", 2.25, "00:20"),
        ("a", 1.75, "00:30"), ("z", 9.0, "01:00"),
    ]),
    "dim": ("k name", "", [("a", "Ann"), ("a", "Anna"), ("b", "Bob"), ("d", "Dan"), (None, "Nil")]),
    "ticks": ("sym price ts", "ts", [
        ("A", 12, "00:01"), ("A", 11, "00:02"), ("A", 9, "00:03"), ("A", 10, "00:04"),
        ("B", 20, "00:05"), ("A", 13, "00:06"), ("A", 12, "00:07"), ("B", 15, "00:08"),
        ("A", 8, "00:09"), ("B", 30, "00:20"), ("A", 9, "00:21"),
    ]),
    "neg": ("x at", "", [
        (1, "1969-12-31 23:59:59.999"), (2, "1970-01-01 00:00:00"), (3, "1970-01-01 23:59:59.999"),
        (4, "1970-01-02 00:00:00"),
    ]),
    "chg": ("id op v", "", [
        (1, "INSERT", 5), (1, "UPDATE_BEFORE", 5), (1, "UPDATE_AFTER", 6), (2, "INSERT", 1),
        (2, "DELETE", 1),
    ]),
    "none": ("x", "", []),
}  # fmt: skip
_RECORDS: dict[str, list[dict[str, Any]]] = {
    "lone": [
        {"i": 5, "s": "Grün_Å", "d": 2.50, "t": "2026-03-29 01:30:00.123", "n": None, "z": None}
    ],
    "nest": [
        {"id": 1, "arr": [1, 2, 2], "m": {"a": 1, "b": 2}, "r": {"x": 1, "y": "q"},
         "rs": [{"a": 1, "b": "u"}, {"a": 2, "b": None}]},
        {"id": 2, "arr": [], "m": {}, "r": None, "rs": []},
        {"id": 3, "arr": None, "m": None, "r": {"x": None, "y": "w"}, "rs": None},
    ],
    "dbz": [
        {"before": None, "after": {"id": 1, "k": "a"}, "op": "c"},
        {"before": {"id": 1, "k": "a"}, "after": {"id": 1, "k": "b"}, "op": "u"},
        {"before": None, "after": {"id": 2, "k": "z"}, "op": "r"},
        {"before": {"id": 2, "k": "z"}, "after": None, "op": "d"},
    ],
}  # fmt: skip
_CSV = '1,"a, ""b""",1.50\n2,x,7\n3,é,-0.25\n'
_FUNCTION = """\
from pyflink.table.udf import udf
@udf(result_type='BIGINT')
def twice(x):
    return None if x is None else 2 * x
"""
_FORMATS = {
    "file": (".json", "json"), "csv": (".csv", "csv"), "raw": (".csv", "raw"),
    "dbz": (".json", "debezium-json"), "out": ("", "json"), "outcsv": ("", "csv"),
}  # fmt: skip


@dataclass(slots=True)
class Probe:
    """One construct: statements, the last of which counts. ``number`` tells its tables apart."""

    group: str
    name: str
    flags: frozenset[str]
    number: int
    statements: list[str] = field(default_factory=list)

    @property
    def key(self) -> str:
        return f"{self.group}: {self.name}"

    @property
    def items(self) -> list[str]:
        """The expressions of a probe that is a list of such."""
        match = re.fullmatch(r"SELECT (.*) FROM (lone|nest);", self.statements[-1], re.DOTALL)
        return split(match[1]) if match and self.group in LISTS else []

    def selected(self, items: list[str]) -> str:
        """A query of some of the expressions."""
        aliased = [i if re.search(r"\bAS \w+$", i) else f"{i} AS c{n}" for n, i in enumerate(items)]
        last = self.statements[-1]
        return f"SELECT {', '.join(aliased)} {last[last.rindex('FROM ') :]}"

    @property
    def read_back(self) -> str | None:
        """The query that reads what the probe has written into files."""
        writes = re.match(r"INSERT|CREATE TABLE \w+ WITH .* AS SELECT", self.statements[-1])
        to_files = f"/a{self.number}'" in "".join(self.statements)
        return f"SELECT * FROM a{self.number};" if writes and to_files else None


@dataclass(frozen=True, slots=True)
class ProbeAnswer:
    """What a statement gave: its changes, or the text of its error."""

    changes: list[tuple[str, tuple[str | None, ...]]]
    error: str | None = None

    def column(self, index: int) -> list[list[str | None]]:
        return [[row[index]] for _, row in self.changes]


def split(text: str) -> list[str]:
    """What stands between the commas outside of brackets and quotes."""
    pieces, depth, quoted = [""], 0, False
    for character in text:
        quoted ^= character == "'"
        depth += 0 if quoted else (character in "([") - (character in ")]")
        if character == "," and depth == 0 and not quoted:
            pieces.append("")
        else:
            pieces[-1] += character
    return [piece.strip() for piece in pieces]


def write_files(folder: Path) -> None:
    """The rows of the fixture's tables, and the module of its function."""
    records = dict(_RECORDS)
    for table, (names, times, rows) in _ROWS.items():
        columns = names.replace("at", "ts") if table == "neg" else names
        records[table] = [
            {c: _DAY + v if c == times else v for c, v in zip(columns.split(), row, strict=True)}
            for row in rows
        ]
    for name, lines in records.items():
        text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
        (folder / f"{name}.json").write_text(text)
    (folder / "data.csv").write_text(_CSV)
    (folder / "probe_udf.py").write_text(_FUNCTION)


def read_probes(folder: Path) -> tuple[list[str], list[Probe]]:
    """The fixture's statements, and all probes."""
    fixture: list[str] = []
    probes: list[Probe] = []
    group = ""
    for paragraph in (HERE / "constructs.sql").read_text().split("\n--"):
        head, _, body = paragraph.partition("\n")
        statements = [s for s in re.split(r"(?<=;)\n", body.strip()) if s]
        if head.startswith("##"):
            group = head[2:].strip()
            fixture += statements if group == "fixture" else []
        elif head.startswith(": "):
            words = head[2:].split()
            flags = set()
            while words[-1] in FLAGS:
                flags.add(words.pop())
            number = len(probes)
            laid = [_laid(s, folder, number) for s in statements]
            probes.append(Probe(group, " ".join(words), frozenset(flags), number, laid))
    for line in (HERE / "functions.tsv").read_text().splitlines():
        name, _, call = line.partition("\t")
        if call and not line.startswith("#"):
            flags = {"~"} if name.startswith("~") else set()
            probe = Probe("functions", name.strip("~"), frozenset(flags), len(probes))
            probe.statements.append(f"SELECT {call} FROM lone;")
            probes.append(probe)
    return [_laid(s, folder, 0) for s in fixture], probes


def _laid(text: str, folder: Path, number: int) -> str:
    """A statement with its folder, its number and the options of its tables."""
    text = text.replace("{n}", str(number)).replace("{dir}", str(folder))

    def options(match: re.Match[str]) -> str:
        ending, kind = _FORMATS[match[1]]
        path = f"file://{folder}/{match[2]}{ending}"
        return f"'connector' = 'filesystem', 'path' = '{path}', 'format' = '{kind}'"

    return re.sub(r"\{(\w+):(\w+)\}", options, text)


def folded(changes: list[tuple[str, tuple[str | None, ...]]]) -> list[list[Any]]:
    """The rows left after all changes, sorted."""
    left: Counter[tuple[str | None, ...]] = Counter()
    for kind, row in changes:
        left[row] += 1 if kind in ("+I", "+U") else -1
    rows = sorted(([*row] for row, times in left.items() for _ in range(times)), key=repr)
    return rows + [["taken back, never given", *row] for row, times in left.items() if times < 0]


def same(mine: list[list[Any]], flinks: list[list[Any]]) -> bool:
    """Whether rows are equal; floating numbers to 12 digits."""
    return sorted(map(_plain, mine), key=repr) == sorted(map(_plain, flinks), key=repr)


def _plain(row: list[Any]) -> list[Any]:
    return [_number(v) if isinstance(v, str) else v for v in row]


def _number(value: str) -> str:
    if not re.fullmatch(r"-?\d*\.\d+(E-?\d+)?|-?\d+E-?\d+", value):
        return value
    if "E" in value or len(value) > 14:
        return f"{float(value):.12g}"
    return value.removesuffix(".0")


class ProbeSession:
    """One session, asked one statement after the other."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir()
        self._events: list[Any] = []
        self.session = Session("probe", Settings(data_dir=directory, fsync=False), self._on_event)
        self._runs = 0

    def _on_event(self, event: Any) -> bool:
        self._events.append(event)
        return True

    def ask(self, text: str) -> ProbeAnswer:
        """The changes that a statement shows, or its error."""
        self._runs += 1
        self._events = events = []
        message = Run(f"probe-{self._runs}", text, changelog=True)
        script = Script(self.session, message)
        thread = threading.Thread(target=script.run)
        thread.start()
        self._wait(thread, events)
        script.cancel()
        thread.join(PATIENCE_S)
        if thread.is_alive():
            return ProbeAnswer([], "internal error: no answer")
        return _answer(events)

    def _wait(self, thread: threading.Thread, events: list[Any]) -> None:
        """Until the run is over, or says that it does not end by itself."""
        end = SYSTEM.monotonic() + PATIENCE_S
        while thread.is_alive() and SYSTEM.monotonic() < end:
            if any(isinstance(e, Progress) and e.is_unbounded for e in list(events)):
                return
            thread.join(TICK_S)


def _answer(events: list[Any]) -> ProbeAnswer:
    changes: list[tuple[str, tuple[str | None, ...]]] = []
    for event in events:
        if isinstance(event, RowsAppended):
            rows = [tuple(row) for row in event.rows]
            changes += zip(event.kinds, rows, strict=True)
        elif isinstance(event, TableSnapshot):
            changes += [("+I", tuple(row)) for row in event.rows]
        elif isinstance(event, RunFinished) and event.error_text:
            return ProbeAnswer([], event.error_text)
    return ProbeAnswer(changes)


def answers() -> dict[str, Any]:
    """What Flink answered, by the probes' keys."""
    recorded: dict[str, Any] = json.loads((HERE / "answers.json").read_text())
    return recorded


def judge(session: ProbeSession, probe: Probe, flink: dict[str, Any] | None) -> str | None:
    """What of a construct is not as Flink has it: "wrong …", "refused …" or "broken …"."""
    answer = ProbeAnswer([])
    for statement in probe.statements:
        answer = session.ask(statement)
        if answer.error:
            return _refusal(answer.error) if is_accepted(probe, flink) else None
    if probe.read_back:
        answer = session.ask(probe.read_back)
    if flink is None or not flink["ok"] or "~" in probe.flags:
        return None
    rows = folded(answer.changes)
    return None if same(rows, flink["rows"]) else f"wrong: {rows}\n  Flink: {flink['rows']}"


def is_accepted(probe: Probe, flink: dict[str, Any] | None) -> bool:
    """Whether Flink accepts the probe, or would with a jar or its client."""
    accepted = bool(flink["ok"]) if flink else "no" not in probe.flags
    return accepted or bool(probe.flags & {"client", "nojar"})


def _refusal(error: str) -> str:
    return f"{'broken' if INTERNAL.search(error) else 'refused'}: {error}"


@dataclass(frozen=True, slots=True)
class Expression:
    """One expression that Flink takes, of which probe, and its values; None: not compared."""

    probe: Probe
    text: str
    values: list[str | None] | None

    @property
    def kind(self) -> tuple[str, bool]:
        """Expressions of one kind can stand in one query."""
        table = self.probe.statements[-1].split()[-1]
        return table, bool(AGGREGATE.search(self.text))


def expressions(probes: list[Probe], recorded: dict[str, Any]) -> list[Expression]:
    """All expressions of the probes that Flink takes."""
    taken = []
    for probe in probes:
        items = recorded.get(probe.key, {}).get("items") or [{"ok": True}] * len(probe.items)
        for text, item in zip(probe.items, items, strict=True):
            values = None if "~" in probe.flags else item.get("values")
            if item["ok"]:
                taken.append(Expression(probe, text, values))
    return taken


def judge_expressions(
    session: ProbeSession, group: list[Expression]
) -> Iterator[tuple[Probe, str]]:
    """What of expressions of one kind is not as Flink has it, as ``judge`` says it."""
    whole = session.ask(group[0].probe.selected([e.text for e in group]))
    for index, expression in enumerate(group):
        probe, text = expression.probe, expression.text
        answer = session.ask(probe.selected([text])) if whole.error else whole
        if answer.error:
            yield probe, f"{_refusal(answer.error)}\n  {text}"
        elif expression.values is not None:
            values = answer.column(0 if whole.error else index)
            if not same(values, [[v] for v in expression.values]):
                yield probe, f"wrong: {text} = {values}\n  Flink: {expression.values}"
