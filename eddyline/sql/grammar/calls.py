"""Function calls, with the ones whose arguments have a grammar of their own.

Those become ordinary calls with their arguments in a fixed order: ``EXTRACT(YEAR FROM x)`` is
``EXTRACT`` of the unit YEAR and ``x``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import replace

from eddyline.sql import syntax as s
from eddyline.sql.dialect import TokenType
from eddyline.sql.grammar.json_calls import JsonGrammar
from eddyline.sql.grammar.reserved import UNITS


class CallGrammar(JsonGrammar, ABC):
    """Reads ``name(…)``."""

    @abstractmethod
    def expression(self) -> s.Expression:
        """One expression."""

    @abstractmethod
    def query(self) -> s.Query:
        """One query."""

    @abstractmethod
    def table_name(self) -> s.TableName:
        """A table's name, without an alias."""

    @abstractmethod
    def order_items(self) -> tuple[s.OrderItem, ...]:
        """What follows ORDER BY."""

    def call(self) -> s.Expression:
        """A call; the next token is the function's name and the one after it ``(``."""
        start = self.at
        token = self.advance()
        name = token.text if token.token_type is TokenType.IDENTIFIER else token.text.upper()
        self.l_paren()
        special = _SPECIAL.get(name)
        if special:
            call = special(self, name, start)
            if call is not None:
                return call
        distinct = self.match("DISTINCT")
        if not distinct:
            self.match("ALL")
        star = self.match_type(TokenType.STAR) is not None
        args = () if star else self._arguments()
        order = self.order_items() if self.match("ORDER", "BY") else ()
        self.r_paren()
        span, place = self.span_from(start), self.span_of(token)
        return self._tail(
            s.FunctionCall(name, args, span, place, distinct, star, order_by=order), start
        )

    def _arguments(self) -> tuple[s.Expression, ...]:
        if self.is_type(TokenType.R_PAREN):
            return ()
        args = [self._argument()]
        while self.comma():
            args.append(self._argument())
        return tuple(args)

    def _argument(self) -> s.Expression:
        start = self.at
        if (self.word() or self.is_type(TokenType.IDENTIFIER)) and self.is_type(
            TokenType.FARROW, 1
        ):
            name = self.advance().text
            self.advance()
            value = self._argument()
            return s.NamedArgument(name.lower(), value, self.span_from(start))
        if self.sees("TABLE"):
            return self._table_argument()
        return self.expression()

    def _table_argument(self) -> s.Expression:
        start = self.at
        self.advance()
        relation: s.Relation
        if self.match_type(TokenType.L_PAREN):
            inner = self.at
            query = self.query()
            relation = s.Derived(query, None, (), self.span_from(inner))
            self.r_paren()
        else:
            relation = self.table_name()
        return self._partitioned(relation, start)

    def _partitioned(self, relation: s.Relation, start: int) -> s.Expression:
        keys: list[s.Expression] = []
        if self.match("PARTITION", "BY"):
            wrapped = self.match_type(TokenType.L_PAREN) is not None
            keys.append(self.expression())
            # After a bare key a comma may begin the next argument (`name =>`, DESCRIPTOR, …).
            while self._another_key(wrapped):
                self.advance()
                keys.append(self.expression())
            if wrapped:
                self.r_paren()
        order = self.order_items() if self.match("ORDER", "BY") else ()
        return s.TableArgument(relation, tuple(keys), order, self.span_from(start))

    def _another_key(self, wrapped: bool) -> bool:
        if not self.is_type(TokenType.COMMA):
            return False
        if wrapped:
            return True
        named = self.is_type(TokenType.FARROW, 2)
        return self.is_name(1) and not named and self.word(1) not in ("DESCRIPTOR", "INTERVAL")

    def _tail(self, call: s.FunctionCall, start: int) -> s.FunctionCall:
        """FILTER and OVER behind a call."""
        condition = over = None
        if self.sees("FILTER") and self.is_type(TokenType.L_PAREN, 1):
            self.advance()
            self.l_paren()
            self.expect("WHERE")
            condition = self.expression()
            self.r_paren()
        if self.match("WITHIN", "GROUP"):
            raise self.unsupported("WITHIN GROUP", call.span, "use LISTAGG without it")
        if self.match("OVER"):
            over = self._over()
        if condition is None and over is None:
            return call
        return replace(call, span=self.span_from(start), filter=condition, over=over)

    def _over(self) -> s.Over:
        if self.is_type(TokenType.L_PAREN):
            return self.window()
        name, span = self.name("a window")
        return s.Over((), (), None, name, span)

    def window(self) -> s.Over:
        """``([name] [PARTITION BY …] [ORDER BY …] [ROWS | RANGE …])``"""
        start = self.at
        self.l_paren()
        name = None
        if self.is_name() and not self.sees("PARTITION", "BY"):
            name, _ = self.name("a window")
        keys: list[s.Expression] = []
        if self.match("PARTITION", "BY"):
            keys.append(self.expression())
            while self.comma():
                keys.append(self.expression())
        order = self.order_items() if self.match("ORDER", "BY") else ()
        frame = self._frame() if self.word() in ("ROWS", "RANGE") else None
        self.r_paren()
        return s.Over(tuple(keys), order, frame, name, self.span_from(start))

    def _frame(self) -> s.FrameClause:
        start = self.at
        unit = self.advance().text.upper()
        if self.match("BETWEEN"):
            first = self._bound()
            self.expect("AND")
            last = self._bound()
        else:
            first = self._bound()
            last = s.Bound("CURRENT ROW", None, first.span)
        return s.FrameClause(unit, first, last, self.span_from(start))

    def _bound(self) -> s.Bound:
        start = self.at
        if self.match("CURRENT", "ROW"):
            return s.Bound("CURRENT ROW", None, self.span_from(start))
        unbounded = self.match("UNBOUNDED")
        distance = None if unbounded else self.term()
        word = self.word()
        if word not in ("PRECEDING", "FOLLOWING"):
            self.unexpected("PRECEDING or FOLLOWING")
        self.advance()
        kind = f"UNBOUNDED {word}" if unbounded else word
        return s.Bound(kind, distance, self.span_from(start))

    # calls with a grammar of their own

    def _finish(self, name: str, start: int, *args: s.Expression) -> s.FunctionCall:
        self.r_paren()
        return s.FunctionCall(name, args, self.span_from(start), self.span_of(self.tokens[start]))

    def _cast(self, name: str, start: int) -> s.Expression | None:
        operand = self.expression()
        self.expect("AS")
        kind = self.data_type()
        self.r_paren()
        return s.CastExpression(operand, kind, name == "TRY_CAST", self.span_from(start))

    def _extract(self, name: str, start: int) -> s.Expression | None:
        unit = self.unit()
        self.expect("FROM")
        return self._finish(name, start, unit, self.expression())

    def unit(self) -> s.Unit:
        """A time unit."""
        word = self.word()
        if word not in UNITS:
            self.unexpected("a time unit such as SECOND or MINUTE")
        return s.Unit(word, self.span_of(self.advance()))

    def _rounded(self, name: str, start: int) -> s.Expression | None:
        name = "CEIL" if name == "CEILING" else name
        operand = self.expression()
        if self.match("TO"):
            return self._finish(name, start, operand, self.unit())
        return self._finish(name, start, operand)

    def _shifted(self, name: str, start: int) -> s.Expression | None:
        word = self.word().removeprefix("SQL_TSI_")
        if word not in UNITS:
            self.unexpected("a time unit such as SECOND or MINUTE")
        unit = s.Unit(word, self.span_of(self.advance()))
        self.expect_type(TokenType.COMMA, "','")
        first = self.expression()
        self.expect_type(TokenType.COMMA, "','")
        return self._finish(name, start, unit, first, self.expression())

    def _trim(self, name: str, start: int) -> s.Expression | None:
        where = self.span_of(self.tokens[start])
        side = "BOTH"
        if self.word() in ("BOTH", "LEADING", "TRAILING"):
            side = self.advance().text.upper()
        blank: s.Expression = s.Literal("string", " ", where)
        if self.match("FROM"):
            return self._finish(name, start, s.Unit(side, where), blank, self.expression())
        first = self.expression()
        if self.match("FROM"):
            return self._finish(name, start, s.Unit(side, where), first, self.expression())
        return self._finish(name, start, s.Unit(side, where), blank, first)

    def _substring(self, name: str, start: int) -> s.Expression | None:
        operand = self.expression()
        if not self.match("FROM"):
            self.expect_type(TokenType.COMMA, "',' or FROM")
        begin = self.expression()
        if self.match("FOR") or self.comma():
            return self._finish(name, start, operand, begin, self.expression())
        return self._finish(name, start, operand, begin)

    def _position(self, name: str, start: int) -> s.Expression | None:
        # The needle is read below the level where IN is an operator of its own.
        needle = self.term()
        self.expect("IN")
        return self._finish(name, start, needle, self.expression())

    @abstractmethod
    def term(self) -> s.Expression:
        """An expression without comparison, IN, AND or OR at its top."""

    def _overlay(self, name: str, start: int) -> s.Expression | None:
        operand = self.expression()
        self.expect("PLACING")
        args = [operand, self.expression()]
        self.expect("FROM")
        args.append(self.expression())
        if self.match("FOR"):
            args.append(self.expression())
        return self._finish(name, start, *args)

    def _row(self, name: str, start: int) -> s.Expression | None:
        items = self._arguments()
        self.r_paren()
        return s.Construct("ROW", items, self.span_from(start))

    def _descriptor(self, name: str, start: int) -> s.Expression | None:
        names: list[s.Name] = []
        while not names or self.comma():
            text, span = self.name("a column")
            names.append(s.Name((text,), span, (span,)))
        self.r_paren()
        return s.Descriptor(tuple(names), self.span_from(start))


_SPECIAL: dict[str, Callable[[CallGrammar, str, int], s.Expression | None]] = {
    "CAST": CallGrammar._cast,
    "TRY_CAST": CallGrammar._cast,
    "EXTRACT": CallGrammar._extract,
    "FLOOR": CallGrammar._rounded,
    "CEIL": CallGrammar._rounded,
    "CEILING": CallGrammar._rounded,
    "TIMESTAMPADD": CallGrammar._shifted,
    "TIMESTAMPDIFF": CallGrammar._shifted,
    "TRIM": CallGrammar._trim,
    "SUBSTRING": CallGrammar._substring,
    "POSITION": CallGrammar._position,
    "OVERLAY": CallGrammar._overlay,
    "ROW": CallGrammar._row,
    "DESCRIPTOR": CallGrammar._descriptor,
    "JSON_ARRAY": CallGrammar._json_array,
    "JSON_ARRAYAGG": CallGrammar._json_array_agg,
    "JSON_EXISTS": CallGrammar._json_exists,
    "JSON_OBJECT": CallGrammar._json_object,
    "JSON_OBJECTAGG": CallGrammar._json_object_agg,
    "JSON_QUERY": CallGrammar._json_query,
    "JSON_VALUE": CallGrammar._json_value,
}
