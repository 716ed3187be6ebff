"""Expressions bound and computed over one row, for the tests of functions.

The row is that of ``COLUMNS``; the recorded calls of ``eddyline/functions/edges`` refer to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import duckdb

from eddyline.catalog.catalog import Catalog
from eddyline.errors import EddylineError
from eddyline.functions.casts import cast
from eddyline.functions.registry import CallContext
from eddyline.record import types as t
from eddyline.record.types import STRING, DataType, duckdb_type, quote
from eddyline.record.vector import Vectors, original
from eddyline.sql import syntax as s
from eddyline.sql.bind.expressions import ExpressionBinder
from eddyline.sql.bind.scope import Environment, Scope, ScopeField
from eddyline.sql.options import SessionConfig
from eddyline.sql.parse import parse_expression
from eddyline.sql.typed import Typed, render

NOW = "SET VARIABLE eddyline_now = TIMESTAMP '2026-11-24 10:00:00.123456'"
_TS, _LTZ, _MAP = t.timestamp(3), t.timestamp_ltz(3), t.map_of(STRING, t.INT)
_ROW = t.row(("a", "b"), (t.INT, STRING))
_LONG, _NANOS = "1234567890123456789.0123456789", "2024-02-29 23:59:59.123456789"
_JSON = '{"a":1.50,"b":[1,{"c":"é"},null],"d e":{"f":true},"n":null,"s":"x\\"y"}'
# name: (type, DuckDB text of the value, its value in JSON)
COLUMNS: dict[str, tuple[DataType, str, object]] = {
    "i": (t.INT, "5", 5), "j": (t.INT, "-3", -3), "n": (t.INT, "NULL", None),
    "y": (t.TINYINT, "7", 7), "h": (t.SMALLINT, "-300", -300),
    "l": (t.BIGINT, "9223372036854775807", 2**63 - 1),
    "f": (t.FLOAT, "1.25", 1.25), "e": (t.DOUBLE, "2.675::DOUBLE", 2.675),
    "ne": (t.DOUBLE, "NULL", None),
    "d": (t.decimal(10, 2), "2.50", 2.5), "nd": (t.decimal(10, 2), "NULL", None),
    "k": (t.decimal(38, 10), f"'{_LONG}'", _LONG),
    "s": (STRING, "'Grün_Å'", "Grün_Å"), "z": (STRING, "NULL", None), "w": (STRING, "''", ""),
    "v": (t.varchar(10), "'abc def'", "abc def"), "c": (t.char(4), "'ab  '", "ab"),
    "js": (STRING, f"'{_JSON}'", _JSON),
    "b": (t.BOOLEAN, "TRUE", True), "o": (t.BOOLEAN, "NULL", None),
    "x": (t.BYTES_TYPE, "unhex('c3a9ff')", "w6n/"), "nx": (t.BYTES_TYPE, "NULL", None),
    "t": (_TS, "'2026-03-29 01:30:00.123'", "2026-03-29 01:30:00.123"),
    "nt": (_TS, "NULL", None),
    "t9": (t.timestamp(9), f"'{_NANOS[:-3]}'", _NANOS),
    "u": (_LTZ, "'2026-03-29 01:30:00.123'", "2026-03-29 01:30:00.123Z"),
    "nu": (_LTZ, "NULL", None),
    "dt": (t.DATE, "'2024-02-29'", "2024-02-29"), "ndt": (t.DATE, "NULL", None),
    "tm": (t.TIME, "'13:45:59'", "13:45:59"), "ntm": (t.TIME, "NULL", None),
    "a": (t.array(t.INT), "[3, 1, NULL, 3]", [3, 1, None, 3]), "na": (t.array(t.INT), "NULL", None),
    "q": (t.array(STRING), "['b', 'a', NULL, '']", ["b", "a", None, ""]),
    "m": (_MAP, "MAP {'k': 1, 'p': NULL}", {"k": 1, "p": None}), "nm": (_MAP, "NULL", None),
    "r": (_ROW, "{'a': 1, 'b': 'x'}", {"a": 1, "b": "x"}), "nr": (_ROW, "NULL", None),
}  # fmt: skip
SCOPE = Scope(tuple(ScopeField(n, None, n, kind) for n, (kind, _, _) in COLUMNS.items()))


@dataclass(frozen=True)
class Answer:
    """What a call gives: its type, and its value as Flink prints it; or why it fails."""

    type: str
    value: str | None = None
    error: str | None = None


class Calculator:
    """Computes expressions over the one row."""

    def __init__(self) -> None:
        self.db = duckdb.connect(config={"threads": 1})
        self.db.execute(NOW)
        self.db.execute("SET TimeZone = 'UTC'")
        values = ", ".join(
            f"CAST({text} AS {duckdb_type(kind)}) AS {quote(n)}"
            for n, (kind, text, _) in COLUMNS.items()
        )
        self.db.execute(f"CREATE TABLE lone AS SELECT {values}")
        self._vectors = Vectors(self.db)

    def value(self, text: str) -> Any:
        """The first column of the row of a SELECT over ``lone``."""
        self._vectors.prepare(text)
        row = self.db.execute(f"SELECT {text} FROM lone").fetchone()
        assert row is not None
        return row[0]

    def row(self, texts: list[str]) -> tuple[Any, ...]:
        """All values of a SELECT over ``lone``."""
        sql = f"SELECT {', '.join(texts)} FROM lone"
        self._vectors.prepare(sql)
        row = self.db.execute(sql).fetchone()
        assert row is not None
        return tuple(row)


@cache
def calculator() -> Calculator:
    """The one calculator of the test run."""
    return Calculator()


def bound(text: str, scope: Scope | None = None, zone: str = "UTC") -> Typed:
    """An expression with its type, over the columns of ``SCOPE`` unless given."""
    config, _ = SessionConfig().with_option("table.local-time-zone", zone)
    env = Environment(Catalog(None), config, text, [])
    return ExpressionBinder(scope or SCOPE, env).bind(parse_expression(text))


def bound_syntax(e: s.Expression, scope: Scope) -> Typed:
    """Parsed syntax with its type."""
    return ExpressionBinder(scope, Environment(Catalog(None), SessionConfig(), "", [])).bind(e)


def computed(text: str, zone: str = "UTC") -> Any:
    """The value of an expression."""
    return calculator().value(render(bound(text, zone=zone)))


def printed(e: Typed, zone: str = "UTC") -> str:
    """DuckDB text of an expression's value as Flink prints it."""
    text = f"({render(e)})::{duckdb_type(e.type)}"
    context = CallContext(zone, printing=True)
    return cast("{0}", e.type, STRING, context, attempt=False).format(text)


def answer(text: str, zone: str = "UTC") -> Answer:
    """What a call gives, or the error in the product's words."""
    try:
        e = bound(text, zone=zone)
    except EddylineError as error:
        return Answer("refused", error=str(error))
    try:
        return Answer(str(e.type), calculator().value(printed(e, zone)))
    except duckdb.Error as error:
        return Answer("fails", error=str(original(error) or error))
