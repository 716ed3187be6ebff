"""Expressions of the Table API: ``col``, ``lit`` and what is called on them, as SQL text.

Every function of PyFlink's ``Expression`` is a row of a table here: its name and the SQL that it
becomes. PyFlink has some as properties and some as methods; here both spellings work for those
without arguments.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any

from eddyline.kernel.expression_functions import AGGREGATES, METHODS, PROPERTIES
from eddyline.kernel.row_fields import row_names
from eddyline.sql.internal_names import TABLE_API_PLUS
from eddyline.udf.data_types import as_type
from eddyline.udf.row import Row

_UNITS = {
    "second": "SECOND", "minute": "MINUTE", "hour": "HOUR", "day": "DAY", "month": "MONTH",
    "year": "YEAR", "week": "WEEK", "quarter": "QUARTER",
}  # fmt: skip


class Expression:
    """A SQL expression. ``names``: what it is called in a result, if it has a name.

    value: the Python value of a literal. is_aggregate: it is the call of an aggregate function.
    """

    def __init__(
        self, text: str, names: tuple[str, ...] = (), value: Any = None, wrapper: Any = None,
        *, is_aggregate: bool = False,
    ) -> None:  # fmt: skip
        self.text = text
        self.is_aggregate = is_aggregate
        self.names = names
        self.value = value
        self.wrapper = wrapper  # the function, if this is a call of a Python function

    def __call__(self) -> Expression:
        """The expression itself: ``x.is_null()`` and ``x.is_null`` mean the same."""
        return self

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if name in PROPERTIES:
            text = PROPERTIES[name].format(self.text)
            return Expression(text, is_aggregate=name in AGGREGATES)
        if name in METHODS:
            return _Method(self, name, METHODS[name])
        if name.rstrip("s") in _UNITS or name in ("milli", "millis"):
            return self._interval(name)
        from eddyline.kernel.json_expressions import METHODS as JSON_METHODS

        if name in JSON_METHODS:
            return partial(JSON_METHODS[name], self)
        msg = (
            f"Expression.{name} is not available here; write the expression as SQL: "
            'select("f(a) AS b"), or in execute_sql'
        )
        raise AttributeError(msg)

    def _interval(self, name: str) -> Expression:
        if not isinstance(self.value, int):
            if name in _UNITS and name.rstrip("s") == name:
                return Expression(f"EXTRACT({_UNITS[name]} FROM {self.text})")
            msg = f"an interval begins with a whole number: lit(10).{name}"
            raise TypeError(msg)
        if name.startswith("milli"):
            return Expression(f"INTERVAL '{self.value / 1000:.3f}' SECOND")
        if name.startswith("quarter"):
            return Expression(f"INTERVAL '{self.value * 3}' MONTH")
        if name.startswith("week"):
            return Expression(f"INTERVAL '{self.value * 7}' DAY")
        return Expression(f"INTERVAL '{self.value}' {_UNITS[name.rstrip('s')]}")

    @property
    def rows(self) -> Expression:
        """A number of rows: ``preceding(lit(5).rows)``."""
        return Expression(self.text, value=self.value)

    def alias(self, name: str, *more: str) -> Expression:
        """The same value under a name; a call of a table function takes several."""
        names, is_aggregate = (name, *more), self.is_aggregate
        return Expression(self.text, names, self.value, self.wrapper, is_aggregate=is_aggregate)

    def get(self, name: str | int) -> Expression:
        """A field of a ROW, by name; a column's field is called ``column$field``."""
        names = tuple(f"{own}${name}" for own in self.names[:1])
        return Expression(f"{self.text}.{quoted(str(name))}", names)

    def cast(self, data_type: Any) -> Expression:
        """The value as another type."""
        return Expression(f"CAST({self.text} AS {as_type(data_type)})", value=self.value)

    def try_cast(self, data_type: Any) -> Expression:
        """The value as another type, or NULL."""
        return Expression(f"TRY_CAST({self.text} AS {as_type(data_type)})")

    def in_(self, first: Any, *more: Any) -> Expression:
        """Whether it is one of these values, or a value of a table's only column."""
        query = getattr(first, "_query", None)
        items = query or ", ".join(text_of(v) for v in (first, *more))
        return Expression(f"({self.text} IN ({items}))")

    def over(self, window: Any) -> Expression:
        """An aggregate over a window that ``over_window`` has named."""
        name = window.text if isinstance(window, Expression) else quoted(str(window))
        return Expression(f"{self.text} OVER {name}")

    @property
    def distinct(self) -> Expression:
        """An aggregate over each value once: ``col('a').count.distinct``."""
        function, bracket, rest = self.text.partition("(")
        return Expression(
            f"{function}{bracket}DISTINCT {rest}" if bracket else f"DISTINCT {function}",
            is_aggregate=self.is_aggregate,
        )

    def floor(self, unit: Any = None) -> Expression:
        """Rounded down, a time to a unit."""
        return Expression(f"FLOOR({self.text}{_to(unit)})")

    def ceil(self, unit: Any = None) -> Expression:
        """Rounded up, a time to a unit."""
        return Expression(f"CEIL({self.text}{_to(unit)})")

    def extract(self, unit: Any) -> Expression:
        """A part of a time."""
        return Expression(f"EXTRACT({getattr(unit, 'name', unit)} FROM {self.text})")

    def trim(self, character: Any = None) -> Expression:
        """Without leading and trailing blanks or characters."""
        return _trimmed("BOTH", self, character)

    def trim_leading(self, character: Any = None) -> Expression:
        """Without leading blanks or characters."""
        return _trimmed("LEADING", self, character)

    def trim_trailing(self, character: Any = None) -> Expression:
        """Without trailing blanks or characters."""
        return _trimmed("TRAILING", self, character)

    def overlay(self, new: Any, start: Any, length: Any = None) -> Expression:
        """Part of a text replaced."""
        size = "" if length is None else f" FOR {text_of(length)}"
        part = f"PLACING {text_of(new)} FROM {text_of(start)}{size}"
        return Expression(f"OVERLAY({self.text} {part})")

    def position(self, haystack: Any) -> Expression:
        """The place of this text in another."""
        return Expression(f"POSITION({self.text} IN {text_of(haystack)})")

    def log(self, base: Any = None) -> Expression:
        """The natural logarithm, or one to a base."""
        start = "" if base is None else f"{text_of(base)}, "
        return Expression(f"{'LOG' if start else 'LN'}({start}{self.text})")

    @property
    def flatten(self) -> Flattened:
        """The fields of a ROW, each a column."""
        return Flattened(self)

    def __add__(self, other: Any) -> Expression:
        return _sum(self, other)

    def __radd__(self, other: Any) -> Expression:
        return _sum(other, self)

    def __sub__(self, other: Any) -> Expression:
        return _binary(self, "-", other)

    def __rsub__(self, other: Any) -> Expression:
        return _binary(other, "-", self)

    def __mul__(self, other: Any) -> Expression:
        return _binary(self, "*", other)

    def __rmul__(self, other: Any) -> Expression:
        return _binary(other, "*", self)

    def __truediv__(self, other: Any) -> Expression:
        return _binary(self, "/", other)

    def __rtruediv__(self, other: Any) -> Expression:
        return _binary(other, "/", self)

    def __mod__(self, other: Any) -> Expression:
        return _binary(self, "%", other)

    def __rmod__(self, other: Any) -> Expression:
        return _binary(other, "%", self)

    def __pow__(self, other: Any) -> Expression:
        return Expression(f"POWER({self.text}, {text_of(other)})")

    def __neg__(self) -> Expression:
        return Expression(f"(-{self.text})")

    def __eq__(self, other: object) -> Expression:  # type: ignore[override]
        return _binary(self, "=", other)

    def __ne__(self, other: object) -> Expression:  # type: ignore[override]
        return _binary(self, "<>", other)

    def __lt__(self, other: Any) -> Expression:
        return _binary(self, "<", other)

    def __le__(self, other: Any) -> Expression:
        return _binary(self, "<=", other)

    def __gt__(self, other: Any) -> Expression:
        return _binary(self, ">", other)

    def __ge__(self, other: Any) -> Expression:
        return _binary(self, ">=", other)

    def __and__(self, other: Any) -> Expression:
        return _binary(self, "AND", other)

    def __rand__(self, other: Any) -> Expression:
        return _binary(other, "AND", self)

    def __or__(self, other: Any) -> Expression:
        return _binary(self, "OR", other)

    def __ror__(self, other: Any) -> Expression:
        return _binary(other, "OR", self)

    def __invert__(self) -> Expression:
        return Expression(f"(NOT {self.text})")

    def __bool__(self) -> bool:
        msg = "an expression has no truth value in Python: write & for and, | for or, ~ for not"
        raise TypeError(msg)

    def __hash__(self) -> int:
        return hash(self.text)

    def __repr__(self) -> str:
        return self.text

    def selected(self, default: str = "") -> str:
        """The text in a SELECT list. default: the name of a column that has none of its own."""
        name = self.names[0] if self.names else default
        return f"{self.text} AS {quoted(name)}" if name else self.text


class Flattened(Expression):
    """The fields of a column that is a ROW; ``select`` knows what they are."""

    def __init__(self, column: Expression) -> None:
        super().__init__(column.text)
        self._column = column

    def fields(self, types: dict[str, str]) -> list[str]:
        """The fields as a SELECT list. types: of the table's columns.

        Raises:
            ValueError: it is no column, or no ROW.
        """
        name = self._column.names[0] if self._column.names else ""
        fields = row_names(types.get(name, ""))
        if not fields:
            msg = f"flatten takes a column that is a ROW; {self.text} is {types.get(name, 'none')}"
            raise ValueError(msg)
        return [f"{self.text}.{quoted(f)} AS {quoted(f'{name}${f}')}" for f in fields]


class _Method:
    """A function that waits for its arguments."""

    def __init__(self, expression: Expression, name: str, template: str) -> None:
        self._expression = expression
        self._name = name
        self._template = template

    def __getattr__(self, name: str) -> Any:
        """PyFlink has some functions as properties where their arguments may be left out."""
        if name.startswith("__") or not self._template.endswith("(…)"):
            raise AttributeError(name)
        return getattr(self(), name)

    def __call__(self, *args: Any) -> Expression:
        texts = [text_of(a) for a in args]
        if self._template.endswith("(…)"):
            function = self._template.removesuffix("(…)")
            return Expression(f"{function}({', '.join([self._expression.text, *texts])})")
        try:
            return Expression(self._template.format(self._expression.text, *texts))
        except IndexError:
            msg = f"{self._name}() needs more arguments: {self._template}"
            raise TypeError(msg) from None


def quoted(name: str) -> str:
    """A name as SQL."""
    return "`" + name.replace("`", "``") + "`"


def literal(value: Any) -> str:
    """A Python value as a SQL literal.

    Raises:
        TypeError: for a value that SQL has no literal of.
    """
    for kind, make in _LITERALS:
        if isinstance(value, kind):
            return make(value)
    msg = f"lit() takes no {type(value).__name__}"
    raise TypeError(msg)


def _text_literal(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _interval_literal(value: datetime.timedelta) -> str:
    return f"INTERVAL '{value.total_seconds():.3f}' SECOND"


_LITERALS: tuple[tuple[Any, Callable[[Any], str]], ...] = (
    (type(None), lambda v: "NULL"),
    (bool, lambda v: "TRUE" if v else "FALSE"),
    (int, str),
    (float, lambda v: f"{v!r}" if "e" in repr(v) else f"{v!r}E0"),
    (Decimal, lambda v: f"{v:f}"),
    (str, _text_literal),
    ((bytes, bytearray), lambda v: f"X'{bytes(v).hex()}'"),
    (datetime.datetime, lambda v: f"TIMESTAMP '{v.replace(tzinfo=None).isoformat(' ')}'"),
    (datetime.date, lambda v: f"DATE '{v.isoformat()}'"),
    (datetime.time, lambda v: f"TIME '{v.isoformat()}'"),
    (datetime.timedelta, _interval_literal),
    ((tuple, Row), lambda v: f"ROW({', '.join(map(text_of, v))})"),
    (list, lambda v: f"ARRAY[{', '.join(map(text_of, v))}]"),
    (dict, lambda v: f"MAP[{', '.join(text_of(x) for pair in v.items() for x in pair)}]"),
)


def text_of(value: Any) -> str:
    """An expression or a Python value as SQL."""
    return value.text if isinstance(value, Expression) else literal(value)


def _binary(left: Any, operator: str, right: Any) -> Expression:
    return Expression(f"({text_of(left)} {operator} {text_of(right)})")


def _sum(left: Any, right: Any) -> Expression:
    """PyFlink's plus, which joins texts. Only SQL knows the types, unless one is a number."""
    if any(map(_is_amount, (left, right))):
        return _binary(left, "+", right)
    return Expression(f"{quoted(TABLE_API_PLUS)}({text_of(left)}, {text_of(right)})")


def _is_amount(operand: Any) -> bool:
    """Whether it is a number or an interval, as far as Python knows."""
    value = operand.value if isinstance(operand, Expression) else operand
    is_number = isinstance(value, int | float | Decimal | datetime.timedelta)
    return is_number or getattr(operand, "text", "").startswith("INTERVAL ")


def _to(unit: Any) -> str:
    return "" if unit is None else f" TO {getattr(unit, 'name', unit)}"


def _trimmed(where: str, text: Expression, character: Any) -> Expression:
    characters = "" if character is None else f"{text_of(character)} "
    return Expression(f"TRIM({where} {characters}FROM {text.text})")


def col(name: str) -> Expression:
    """A column; ``*`` stands for all of them."""
    return Expression("*") if name == "*" else Expression(quoted(name), (name,))


def lit(value: Any, data_type: Any = None) -> Expression:
    """A literal, of a type of its own or of ``data_type``."""
    text = literal(value)
    if data_type is not None:
        text = f"CAST({text} AS {as_type(data_type)})"
    return Expression(text, value=value)
