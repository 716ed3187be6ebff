"""Calls that build and query JSON: JSON_OBJECT, JSON_ARRAY, aggregates, JSON_VALUE, JSON_QUERY.

They become ordinary calls. A value becomes JSON text by JSON_STRING, unless it is JSON text already
(``JSON_OBJECT(…)``, ``JSON_ARRAY(…)``, ``JSON(…)``); what NULL becomes is part of the name.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace

from eddyline.record.types import STRING
from eddyline.sql import syntax as s
from eddyline.sql.dialect import TokenType
from eddyline.sql.grammar.types import TypeGrammar

_JSON_ALREADY = (
    "JSON", "JSON_OBJECT", "JSON_OBJECT_ABSENT_ON_NULL", "JSON_ARRAY", "JSON_ARRAY_NULL_ON_NULL",
    "JSON_STRING",
)  # fmt: skip


class JsonGrammar(TypeGrammar, ABC):
    """Reads what stands between the brackets of these calls."""

    @abstractmethod
    def expression(self) -> s.Expression:
        """One expression."""

    @abstractmethod
    def order_items(self) -> tuple[s.OrderItem, ...]:
        """What follows ORDER BY."""

    @abstractmethod
    def _finish(self, name: str, start: int, *args: s.Expression) -> s.FunctionCall:
        """The call, whose closing bracket is next."""

    @abstractmethod
    def _tail(self, call: s.FunctionCall, start: int) -> s.FunctionCall:
        """FILTER and OVER behind a call."""

    def _json_object(self, name: str, start: int) -> s.Expression | None:
        args: list[s.Expression] = []
        while not self.is_type(TokenType.R_PAREN) and not self._sees_nulls():
            key, value = self._pair()
            args += [key, _as_json(value)]
            if not self.comma():
                break
        absent = self._absent(False)
        return self._finish("JSON_OBJECT_ABSENT_ON_NULL" if absent else name, start, *args)

    def _json_array(self, name: str, start: int) -> s.Expression | None:
        args: list[s.Expression] = []
        while not self.is_type(TokenType.R_PAREN) and not self._sees_nulls():
            args.append(_as_json(self.expression()))
            if not self.comma():
                break
        absent = self._absent(True)
        return self._finish(name if absent else "JSON_ARRAY_NULL_ON_NULL", start, *args)

    def _json_array_agg(self, name: str, start: int) -> s.Expression | None:
        value = _as_json(self.expression())
        order = self.order_items() if self.match("ORDER", "BY") else ()
        word = "ABSENT" if self._absent(True) else "NULL"
        call = self._finish(f"{name}_{word}_ON_NULL", start, value)
        return self._tail(replace(call, order_by=order), start)

    def _json_object_agg(self, name: str, start: int) -> s.Expression | None:
        """The aggregate takes one text per row, the pair, which is NULL if it is to be left out."""
        key, value = self._pair()
        absent = self._absent(False)
        json = _as_json(value)
        if not absent:
            null = s.Literal("string", "null", value.span)
            json = s.FunctionCall("COALESCE", (json, null), value.span, value.span)
        colon = s.Literal("string", ":", key.span)
        named = s.Binary("||", _as_json(key), colon, key.span)
        pair = s.Binary("||", named, json, value.span)
        word = "ABSENT" if absent else "NULL"
        return self._tail(self._finish(f"{name}_{word}_ON_NULL", start, pair), start)

    def _pair(self) -> tuple[s.Expression, s.Expression]:
        """``[KEY] k VALUE v`` or ``k : v``."""
        if self.sees("KEY") and self.word(1) != "VALUE" and not self.is_type(TokenType.COLON, 1):
            self.advance()
        key = self.expression()
        if not self.match("VALUE") and self.match_type(TokenType.COLON) is None:
            self.unexpected("VALUE and the key's value")
        return key, self.expression()

    def _sees_nulls(self) -> bool:
        return self.sees("NULL", "ON", "NULL") or self.sees("ABSENT", "ON", "NULL")

    def _absent(self, default: bool) -> bool:
        """Whether a NULL is left out."""
        if self.match("NULL", "ON", "NULL"):
            return False
        return self.match("ABSENT", "ON", "NULL") or default

    def _json_value(self, name: str, start: int) -> s.Expression | None:
        operand = self.expression()
        self.expect_type(TokenType.COMMA, "','")
        path = self.expression()
        kind = self.data_type() if self.match("RETURNING") else None
        clauses: dict[str, tuple[s.Expression, s.Expression]] = {}
        while not self.is_type(TokenType.R_PAREN):
            clause = self._behaviour()
            event = "EMPTY" if self.match("EMPTY") else "ERROR"
            if event == "ERROR":
                self.expect("ERROR")
            clauses[event] = clause
        if not clauses:
            call = self._finish(name, start, operand, path)
        else:
            null = s.Literal("string", "NULL", operand.span)
            words = [clauses.get(event, (null, null)) for event in ("EMPTY", "ERROR")]
            args = (w for pair in words for w in pair)
            call = self._finish("JSON_VALUE_OTHERWISE", start, operand, path, *args)
        return call if kind is None else s.CastExpression(call, kind, True, call.span)

    def _behaviour(self) -> tuple[s.Expression, s.Expression]:
        """``NULL ON``, ``ERROR ON`` or ``DEFAULT x ON``: the word, and the value as text."""
        place = self.here()
        if self.match("DEFAULT"):
            word, value = "DEFAULT", self.expression()
        else:
            word, value = "ERROR" if self.match("ERROR") else "NULL", None
            if word == "NULL":
                self.expect("NULL")
        self.expect("ON")
        literal = s.Literal("string", word, place)
        return literal, literal if value is None else s.CastExpression(
            value, STRING, False, value.span
        )

    def _json_exists(self, name: str, start: int) -> s.Expression | None:
        operand = self.expression()
        self.expect_type(TokenType.COMMA, "','")
        args = [operand, self.expression()]
        place = self.here()
        for word in ("TRUE", "FALSE", "UNKNOWN", "ERROR"):
            if self.match(word, "ON", "ERROR"):
                args.append(s.Literal("string", word, place))
                break
        return self._finish(name, start, *args)

    def _json_query(self, name: str, start: int) -> s.Expression | None:
        operand = self.expression()
        self.expect_type(TokenType.COMMA, "','")
        path = self.expression()
        if self.match("RETURNING"):
            place, kind = self.here(), self.data_type()
            if kind.root.value == "ARRAY" and kind.children[0].is_text:
                name = "JSON_QUERY_ARRAY"
            elif not kind.is_text:
                raise self.error("JSON_QUERY returns STRING or ARRAY<STRING>", place)
        without = self.match("WITHOUT")
        if without or self.match("WITH"):
            conditional = self.match("CONDITIONAL")
            if not conditional:
                self.match("UNCONDITIONAL")
            self.match("ARRAY")
            self.expect("WRAPPER")
            if not without:
                name = f"JSON_QUERY_{'CONDITIONAL_' if conditional else ''}WRAPPER"
        place = self.here()
        words = self._query_words()
        if set(words.values()) <= {"NULL"}:
            return self._finish(name, start, operand, path)
        if name != "JSON_QUERY":
            raise self.unsupported("this ON clause beside a wrapper or RETURNING", place)
        chosen = (words.get(event, "NULL") for event in ("EMPTY", "ERROR"))
        literals = (s.Literal("string", word, place) for word in chosen)
        return self._finish("JSON_QUERY_OTHERWISE", start, operand, path, *literals)

    def _query_words(self) -> dict[str, str]:
        """``EMPTY ARRAY ON ERROR`` and its like: the word for each of EMPTY and ERROR."""
        words: dict[str, str] = {}
        while not self.is_type(TokenType.R_PAREN):
            if self.match("EMPTY"):
                word = "ARRAY" if self.match("ARRAY") else "OBJECT"
                if word == "OBJECT":
                    self.expect("OBJECT")
            else:
                word = "ERROR" if self.match("ERROR") else "NULL"
                if word == "NULL":
                    self.expect("NULL")
            self.expect("ON")
            event = "EMPTY" if self.match("EMPTY") else "ERROR"
            if event == "ERROR":
                self.expect("ERROR")
            words[event] = word
        return words


def _as_json(value: s.Expression) -> s.Expression:
    if isinstance(value, s.FunctionCall) and value.name in _JSON_ALREADY:
        return value
    return s.FunctionCall("JSON_STRING", (value,), value.span, value.span)
