"""Expressions, by precedence climbing: OR, AND, NOT, IS, comparison, sums, products, signs."""

from __future__ import annotations

import re

from eddyline.errors import Span
from eddyline.sql import syntax as s
from eddyline.sql.dialect import Token, TokenType
from eddyline.sql.grammar.calls import CallGrammar
from eddyline.sql.grammar.reserved import CALLABLE, NILADIC, RESERVED, UNITS
from eddyline.sql.query_conditions import quantified, quantified_list

_COMPARISONS = {
    TokenType.EQ: "=",
    TokenType.NEQ: "<>",
    TokenType.LT: "<",
    TokenType.LTE: "<=",
    TokenType.GT: ">",
    TokenType.GTE: ">=",
}
# Character sets before a text: every text is Unicode here, as in Flink.
_CHARACTER_SETS = ("_UTF8", "_UTF16", "_LATIN1")
# Units that follow (a - b) in a difference of times.
_SPANS = ("DAY", "HOUR", "MINUTE", "SECOND", "YEAR", "MONTH")
_SUMS = {TokenType.PLUS: "+", TokenType.DASH: "-"}
_PRODUCTS = {
    TokenType.STAR: "*",
    TokenType.SLASH: "/",
    TokenType.MOD: "%",
    TokenType.DPIPE: "||",
}


class ExpressionGrammar(CallGrammar):
    """Reads expressions; ``query`` and ``relation`` come from the grammar above it."""

    def expression(self) -> s.Expression:
        """One expression."""
        return self._or()

    def term(self) -> s.Expression:
        """An expression without comparison, IN, AND or OR at its top."""
        return self._sum()

    def _or(self) -> s.Expression:
        start, left = self.at, self._and()
        while self.match("OR"):
            left = s.Binary("OR", left, self._and(), self.span_from(start))
        return left

    def _and(self) -> s.Expression:
        start, left = self.at, self._not()
        while self.match("AND"):
            left = s.Binary("AND", left, self._not(), self.span_from(start))
        return left

    def _not(self) -> s.Expression:
        start = self.at
        if self.match("NOT"):
            operand = self._not()
            return s.Unary("NOT", operand, self.span_from(start))
        return self._is()

    def _is(self) -> s.Expression:
        start, operand = self.at, self._comparison()
        while self.match("IS"):
            negated = self.match("NOT")
            if self.match("DISTINCT", "FROM"):
                op = "IS NOT DISTINCT FROM" if negated else "IS DISTINCT FROM"
                operand = s.Binary(op, operand, self._comparison(), self.span_from(start))
                continue
            word = self.word()
            if word not in ("NULL", "TRUE", "FALSE", "UNKNOWN", "JSON"):
                self.unexpected("NULL, TRUE, FALSE, UNKNOWN or DISTINCT FROM")
            self.advance()
            if word == "JSON" and self.word() in ("VALUE", "ARRAY", "OBJECT", "SCALAR"):
                kind = self.advance().text.upper()
                word = "JSON" if kind == "VALUE" else f"JSON {kind}"
            operand = s.Is(operand, word, negated, self.span_from(start))
        return operand

    def _comparison(self) -> s.Expression:
        start, left = self.at, self._sum()
        while True:
            token = self.peek()
            if token is not None and token.token_type in _COMPARISONS:
                self.advance()
                op = _COMPARISONS[token.token_type]
                quantified = self._quantified(left, op, start)
                left = quantified or s.Binary(op, left, self._sum(), self.span_from(start))
                continue
            place = self.at
            negated = self.match("NOT")
            comparison = self._range(left, negated, start)
            if comparison is None:
                self.at = place
                return left
            left = comparison

    def _quantified(self, left: s.Expression, op: str, start: int) -> s.Expression | None:
        """``ALL (…)``, ``ANY (…)`` or ``SOME (…)`` behind a comparison, or None."""
        word = self.word()
        if word not in ("ALL", "ANY", "SOME") or not self.is_type(TokenType.L_PAREN, 1):
            return None
        place = self.here()
        self.advance()
        self.l_paren()
        word = "ANY" if word == "SOME" else word
        if self.word() not in ("SELECT", "WITH", "VALUES"):
            items = [self.expression()]
            while self.comma():
                items.append(self.expression())
            self.r_paren()
            return quantified_list(left, op, word, tuple(items), self.span_from(start))
        query = self.query()
        self.r_paren()
        comparison = quantified(left, op, word, query, self.span_from(start))
        if comparison is None:
            hint = "compare with MIN and MAX of the subquery"
            raise self.unsupported(f"{op} {word} (SELECT …)", place, hint)
        return comparison

    def _range(self, left: s.Expression, negated: bool, start: int) -> s.Expression | None:
        if self.match("BETWEEN"):
            symmetric = self.match("SYMMETRIC")
            self.match("ASYMMETRIC")
            low = self._sum()
            self.expect("AND")
            high = self._sum()
            return s.Between(left, low, high, negated, symmetric, self.span_from(start))
        if self.match("IN"):
            return self._in(left, negated, start)
        if not negated and self.sees("OVERLAPS"):
            return self._overlaps(left, start)
        similar = self.sees("SIMILAR", "TO")
        if self.match("LIKE") or self.match("SIMILAR", "TO"):
            pattern = self._sum()
            escape = self._sum() if self.match("ESCAPE") else None
            return s.Like(left, pattern, escape, negated, similar, self.span_from(start))
        return None

    def _overlaps(self, left: s.Expression, start: int) -> s.Expression:
        """``(from, to) OVERLAPS (from, to)``: each begins before the other ends.

        The second value may be a length, and may lie before the first.
        """
        self.advance()
        right = self._sum()
        span = self.span_from(start)
        bounds = []
        for period in (left, right):
            if not isinstance(period, s.Construct) or len(period.items) != 2:
                raise self.error("OVERLAPS needs two periods: (a, b) OVERLAPS (c, d)", span)
            first, last = period.items
            if isinstance(last, s.IntervalLiteral):
                last = s.Binary("+", first, last, span)
            low = s.FunctionCall("LEAST", (first, last), span, span)
            bounds.append((low, s.FunctionCall("GREATEST", (first, last), span, span)))
        (start_1, end_1), (start_2, end_2) = bounds
        before = s.Binary("<=", start_1, end_2, span)
        return s.Binary("AND", before, s.Binary("<=", start_2, end_1, span), span)

    def _in(self, left: s.Expression, negated: bool, start: int) -> s.Expression:
        self.l_paren()
        if self.word() in ("SELECT", "WITH", "VALUES"):
            query = self.query()
            self.r_paren()
            return s.InQuery(left, query, negated, self.span_from(start))
        items = [self.expression()]
        while self.comma():
            items.append(self.expression())
        self.r_paren()
        return s.InList(left, tuple(items), negated, self.span_from(start))

    def _sum(self) -> s.Expression:
        start, left = self.at, self._product()
        while (token := self.peek()) is not None and token.token_type in _SUMS:
            self.advance()
            left = s.Binary(_SUMS[token.token_type], left, self._product(), self.span_from(start))
        return left

    def _product(self) -> s.Expression:
        start, left = self.at, self._sign()
        while (token := self.peek()) is not None and token.token_type in _PRODUCTS:
            self.advance()
            left = s.Binary(_PRODUCTS[token.token_type], left, self._sign(), self.span_from(start))
        return left

    def _sign(self) -> s.Expression:
        start = self.at
        token = self.peek()
        if token is not None and token.token_type in _SUMS:
            self.advance()
            operand = self._sign()
            return s.Unary(_SUMS[token.token_type], operand, self.span_from(start))
        return self._postfix()

    def _postfix(self) -> s.Expression:
        start, operand = self.at, self._primary()
        while True:
            if self.match_type(TokenType.L_BRACKET):
                index = self.expression()
                self.expect_type(TokenType.R_BRACKET, "']'")
                operand = s.Index(operand, index, self.span_from(start))
            elif self.is_type(TokenType.DOT):  # behind a bare name it has been read already
                self.advance()
                name, _ = self.name("a field name")
                operand = s.FieldOf(operand, name, self.span_from(start))
            elif self.is_type(TokenType.DCOLON):
                raise self.error("'::' is not Flink SQL", self.here(), "write CAST(x AS type)")
            else:
                return operand

    def _primary(self) -> s.Expression:
        token = self.peek()
        if token is None:
            self.unexpected("an expression")
        if token.token_type in (TokenType.STRING, TokenType.NATIONAL_STRING):
            self.advance()
            return s.Literal("string", token.text, self.span_of(token))
        if (literal := self._marked_string()) is not None:
            return literal
        if token.token_type in (TokenType.NUMBER, TokenType.DOT):
            return self._number(token)
        if token.token_type is TokenType.HEX_STRING:
            self.advance()
            return s.Literal("bytes", token.text, self.span_of(token))
        if token.token_type is TokenType.L_PAREN:
            return self._parenthesised()
        if self.word():
            expression = self._keyword(self.word())
            if expression is not None:
                return expression
        return self._name_or_call()

    def _number(self, token: Token) -> s.Expression:
        start = self.at
        self.advance()
        if token.token_type is TokenType.DOT:
            self.expect_type(TokenType.NUMBER, "a number")
        follow = self.peek()
        if follow and follow.start == self.tokens[self.at - 1].end + 1 and self.word():
            self.advance()
            raise self.error("this is not a number", self.span_from(start))
        return s.Literal("number", self.text_from(start), self.span_from(start))

    def _parenthesised(self) -> s.Expression:
        start = self.at
        self.advance()
        if self.word() in ("SELECT", "WITH", "VALUES"):
            query = self.query()
            self.r_paren()
            return s.ScalarQuery(query, self.span_from(start))
        inner = self.expression()
        if not self.comma():
            self.r_paren()
            is_difference = isinstance(inner, s.Binary) and inner.op == "-"
            return self._difference(inner, start) if is_difference else inner
        items = [inner, self.expression()]
        while self.comma():
            items.append(self.expression())
        self.r_paren()
        return s.Construct("ROW", tuple(items), self.span_from(start))

    def _difference(self, inner: s.Expression, start: int) -> s.Expression:
        """``(a - b) DAY TO SECOND``: the time between two instants; ``(a - b)`` as it is."""
        if not isinstance(inner, s.Binary) or self.word() not in _SPANS:
            return inner
        unit = self._interval_unit()
        if self.match("TO"):
            self._interval_unit()
        return s.TimeBetween(inner.left, inner.right, unit, self.span_from(start))

    def _keyword(self, word: str) -> s.Expression | None:
        """A phrase that begins with a word of its own, or None."""
        start = self.at
        if word in ("TRUE", "FALSE", "NULL", "UNKNOWN"):
            self.advance()
            kind = "boolean" if word in ("TRUE", "FALSE") else "null"
            return s.Literal(kind, word, self.span_from(start))
        if word in ("DATE", "TIME", "TIMESTAMP") and self.is_type(TokenType.STRING, 1):
            self.advance()
            text = self.string()
            return s.Literal(word, text, self.span_from(start))
        if word == "INTERVAL":
            return self._interval()
        if word == "CASE":
            return self._case()
        if word in NILADIC and not self.is_type(TokenType.L_PAREN, 1):
            span = self.span_of(self.advance())
            return s.FunctionCall(word, (), span, span, parens=False)
        if word in ("ARRAY", "MAP") and self.is_type(TokenType.L_BRACKET, 1):
            return self._construct(word)
        if word == "EXISTS" and self.is_type(TokenType.L_PAREN, 1):
            self.advance()
            self.l_paren()
            query = self.query()
            self.r_paren()
            return s.Exists(query, self.span_from(start))
        return None

    def _marked_string(self) -> s.Expression | None:
        """``U&'\\00e9'`` with code points, or ``_UTF8'é'`` with a character set, else None."""
        start, first = self.at, self.tokens[self.at]
        unicode = self.word() == "U" and self.is_type(TokenType.AMP, 1)
        quote = 2 if unicode else 1
        if not (unicode or self.word() in _CHARACTER_SETS) or not self.is_type(
            TokenType.STRING, quote
        ):
            return None
        if self.tokens[self.at + quote].start != first.end + quote:
            return None
        self.at += quote
        text = self.string()
        if unicode:
            escape = self.string("an escape character") if self.match("UESCAPE") else "\\"
            text = self._unescaped(text, escape, self.span_from(start))
        return s.Literal("string", text, self.span_from(start))

    def _unescaped(self, text: str, escape: str, span: Span) -> str:
        """The text with ``\\xxxx`` as the character of that code point."""
        mark = re.escape(escape)
        pattern = re.compile(f"{mark}(?:({mark})|([0-9A-Fa-f]{{4}})|(.{{0,4}}))", re.DOTALL)

        def replaced(match: re.Match[str]) -> str:
            if match[3] is not None:
                hint = f"write four hexadecimal digits, for example {escape}00e9"
                raise self.error(f"{match[0]} is no code point", span, hint)
            return escape if match[1] else chr(int(match[2], 16))

        joined = pattern.sub(replaced, text)  # two halves of a character may have been written
        return joined.encode("utf-16", "surrogatepass").decode("utf-16", "replace")

    def _construct(self, word: str) -> s.Expression:
        start = self.at
        self.at += 2
        items: list[s.Expression] = []
        while not self.is_type(TokenType.R_BRACKET):
            items.append(self.expression())
            if not self.comma():
                break
        self.expect_type(TokenType.R_BRACKET, "']'")
        return s.Construct(word, tuple(items), self.span_from(start))

    def _interval(self) -> s.Expression:
        start = self.at
        self.advance()
        negative = self.match_type(TokenType.DASH) is not None
        text = self.string("a text such as '10'")
        unit = self._interval_unit()
        to = self._interval_unit() if self.match("TO") else None
        return s.IntervalLiteral(text, unit, to, negative, self.span_from(start))

    def _interval_unit(self) -> str:
        word = self.word()
        singular = word[:-1] if word.endswith("S") and word[:-1] in UNITS else word
        if singular not in UNITS:
            self.unexpected("a time unit such as SECOND or MINUTE")
        self.advance()
        if self.match_type(TokenType.L_PAREN):
            self.integer()
            if self.comma():
                self.integer()
            self.r_paren()
        return singular

    def _case(self) -> s.Expression:
        start = self.at
        self.advance()
        operand = None if self.sees("WHEN") else self.expression()
        whens: list[tuple[s.Expression, s.Expression]] = []
        while self.match("WHEN"):
            condition = self.expression()
            self.expect("THEN")
            whens.append((condition, self.expression()))
        if not whens:
            self.unexpected("WHEN")
        otherwise = self.expression() if self.match("ELSE") else None
        self.expect("END")
        return s.CaseExpression(operand, tuple(whens), otherwise, self.span_from(start))

    def _name_or_call(self) -> s.Expression:
        start, word = self.at, self.word()
        opens = self.is_type(TokenType.L_PAREN, 1)
        if word and opens and (word not in RESERVED or word in CALLABLE or word == "ROW"):
            return self.call()
        if self.is_type(TokenType.IDENTIFIER) and opens:
            return self.call()
        if not self.is_name() and word not in RESERVED:
            self.unexpected("an expression")
        if word in RESERVED and not self.is_type(TokenType.DOT, 1):
            self._reserved(word)
        parts: list[str] = []
        spans: list[Span] = []
        while True:
            if parts and self.is_type(TokenType.STAR):
                self.advance()
                return s.Star(".".join(parts), self.span_from(start))
            text, span = self.name("a column")
            parts.append(text)
            spans.append(span)
            if not self.match_type(TokenType.DOT):
                return s.Name(tuple(parts), self.span_from(start), tuple(spans))

    def _reserved(self, word: str) -> None:
        """A reserved word where an expression should be: a name unquoted, or a clause too early."""
        follow = self.peek(1)
        ends = follow is None or follow.token_type in (
            TokenType.COMMA,
            TokenType.R_PAREN,
            *_COMPARISONS,
            *_SUMS,
            *_PRODUCTS,
        )
        if ends or self.word(1) in ("AS", "FROM", "IS", "AND", "OR", "IN", "BETWEEN"):
            self.name("a column")
        self.unexpected("an expression")
