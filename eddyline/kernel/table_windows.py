"""Windows of the Table API: ``Tumble``, ``Slide``, ``Session`` and ``Over``, as SQL."""

from __future__ import annotations

import re
from typing import Any

from eddyline.kernel.expression_functions import WINDOW_MARK
from eddyline.kernel.expressions import Expression, lit, quoted, text_of
from eddyline.sql.grammar.reserved import RESERVED

_PART = re.compile(rf"{WINDOW_MARK}(START|END|ROWTIME|PROCTIME)\((`(?:[^`]|``)*`)\)")


# PyFlink's intervals as text: ``10.minutes``.
_INTERVAL = re.compile(r"\s*(\d+)\s*\.\s*([a-z]+)\s*")


def _column(value: Any) -> str:
    if isinstance(value, Expression):
        return value.text
    name = str(value).strip()
    return quoted(name) if name.upper() in RESERVED else name


def _interval(value: Any) -> str:
    match = _INTERVAL.fullmatch(value) if isinstance(value, str) else None
    return text_of(getattr(lit(int(match[1])), match[2]) if match else value)


class GroupWindow:
    """A window of GROUP BY. kind: TUMBLE, HOP or SESSION; sizes: its intervals as SQL."""

    def __init__(self, kind: str, sizes: tuple[str, ...], time: str = "", name: str = "") -> None:
        self.kind = kind
        self.sizes = sizes
        self.time = time
        self.name = name

    def every(self, slide: Any) -> GroupWindow:
        """The distance of windows that slide."""
        return GroupWindow(self.kind, (_interval(slide), *self.sizes), self.time, self.name)

    def on(self, time_field: Any) -> GroupWindow:
        """The column whose time counts."""
        return GroupWindow(self.kind, self.sizes, _column(time_field), self.name)

    def alias(self, alias: str) -> GroupWindow:
        """The name under which ``group_by`` and ``select`` know it."""
        return GroupWindow(self.kind, self.sizes, self.time, alias)

    @property
    def key(self) -> str:
        """The call in GROUP BY."""
        return f"{self.kind}({self._arguments()})"

    def _arguments(self) -> str:
        if not self.time or not self.name:
            msg = "a window needs on(col('ts')) and alias('w')"
            raise ValueError(msg)
        return ", ".join([self.time, *self.sizes])

    def is_alias(self, text: str) -> bool:
        """Whether a key means this window."""
        return text in (quoted(self.name), self.name)

    def resolved(self, text: str) -> str:
        """A text whose ``col('w').start`` has become SQL."""
        call = self._arguments()
        return _PART.sub(lambda m: f"{self.kind}_{m[1]}({call})", text)

    def columns(self) -> list[str]:
        """The window's bounds as columns of a subquery."""
        call = self._arguments()
        return [f"{self.kind}_{part}({call}) AS `$w{part}`" for part in ("START", "END", "ROWTIME")]

    def renamed(self, text: str) -> str:
        """A text whose ``col('w').start`` names a column of that subquery."""
        return _PART.sub(lambda m: f"`$w{m[1]}`", text)


class Tumble:
    """Windows side by side: ``Tumble.over(lit(10).minutes).on(col('ts')).alias('w')``."""

    @staticmethod
    def over(size: Any) -> GroupWindow:
        """Windows of this size."""
        return GroupWindow("TUMBLE", (_interval(size),))


class Slide:
    """Windows that overlap: ``Slide.over(lit(10).minutes).every(lit(5).minutes)…``."""

    @staticmethod
    def over(size: Any) -> GroupWindow:
        """Windows of this size; ``every`` follows."""
        return GroupWindow("HOP", (_interval(size),))


class Session:
    """Windows that end with a pause: ``Session.with_gap(lit(10).minutes)…``."""

    @staticmethod
    def with_gap(gap: Any) -> GroupWindow:
        """Windows that end after a pause of this length."""
        return GroupWindow("SESSION", (_interval(gap),))


class OverWindow:
    """A window of OVER, made by ``Over``."""

    def __init__(self, partitions: tuple[Any, ...] = (), order: Any = None) -> None:
        self._partitions = partitions
        self._order = order
        self._preceding: Any = None
        self.name = ""

    def order_by(self, order: Any) -> OverWindow:
        """The time column."""
        self._order = order
        return self

    def preceding(self, preceding: Any) -> OverWindow:
        """How far it reaches back: an interval, ``lit(5).rows`` or UNBOUNDED_RANGE."""
        self._preceding = preceding
        return self

    def following(self, following: Any) -> OverWindow:
        """How far it reaches on; only to the current row.

        Raises:
            ValueError: for any other end, which Flink refuses as well.
        """
        if getattr(following, "text", "") != "CURRENT ROW":
            msg = "an OVER window ends with the current row: following(CURRENT_ROW)"
            raise ValueError(msg)
        return self

    def alias(self, alias: str) -> OverWindow:
        """The name for ``over(col('w'))``."""
        self.name = alias
        return self

    @property
    def text(self) -> str:
        """The window as SQL."""
        parts = []
        if self._partitions:
            parts.append("PARTITION BY " + ", ".join(map(_column, self._partitions)))
        if self._order is not None:
            parts.append(f"ORDER BY {_column(self._order)}")
        preceding = self._preceding
        if preceding is not None:
            unit = "ROWS" if _counts_rows(preceding) else "RANGE"
            parts.append(f"{unit} BETWEEN {_column(preceding)} PRECEDING AND CURRENT ROW")
        return " ".join(parts)


def _counts_rows(preceding: Any) -> bool:
    return isinstance(preceding, Expression) and (
        preceding.value == "ROWS" or isinstance(preceding.value, int)
    )


class Over:
    """``Over.partition_by(col('k')).order_by(col('ts')).preceding(…).alias('w')``."""

    @staticmethod
    def partition_by(*columns: Any) -> OverWindow:
        """The columns that part the rows."""
        return OverWindow(columns)

    @staticmethod
    def order_by(order: Any) -> OverWindow:
        """The time column, without parts."""
        return OverWindow((), order)
