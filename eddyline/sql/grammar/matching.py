"""MATCH_RECOGNIZE: its clauses and its pattern."""

from __future__ import annotations

from abc import abstractmethod

from eddyline.sql import syntax as s
from eddyline.sql.dialect import TokenType
from eddyline.sql.grammar.expressions import ExpressionGrammar

# Quantifiers of one character: least and most rows.
_QUANTIFIERS: dict[TokenType, tuple[int, int | None]] = {
    TokenType.STAR: (0, None),
    TokenType.PLUS: (1, None),
    TokenType.PLACEHOLDER: (0, 1),
}


class MatchGrammar(ExpressionGrammar):
    """Reads what follows MATCH_RECOGNIZE."""

    @abstractmethod
    def alias(self) -> tuple[str | None, tuple[str, ...]]:
        """``[AS] name [(columns)]``, or nothing."""

    def match_recognize(self, source: s.Relation, start: int) -> s.MatchRecognize:
        """``MATCH_RECOGNIZE (…)`` behind ``source``, which began at token ``start``."""
        self.expect("MATCH_RECOGNIZE")
        self.l_paren()
        partition = self._expressions() if self.match("PARTITION", "BY") else ()
        order = self.order_items() if self.match("ORDER", "BY") else ()
        measures = self._measures() if self.match("MEASURES") else ()
        if self.sees("ALL", "ROWS"):
            hint = "write ONE ROW PER MATCH, and give values of the rows as MEASURES"
            raise self.unsupported("ALL ROWS PER MATCH", self.here(), hint)
        self.match("ONE", "ROW", "PER", "MATCH")
        skip, variable = self._skip()
        self.expect("PATTERN")
        pattern = self._row_pattern()
        within = self.term() if self.match("WITHIN") else None
        if self.sees("SUBSET"):
            hint = "write the condition for each of the variables"
            raise self.unsupported("SUBSET", self.here(), hint)
        self.expect("DEFINE")
        defines = self._defines()
        self.r_paren()
        alias, columns = self.alias()
        span = self.span_from(start)
        return s.MatchRecognize(
            source, partition, order, measures, skip, variable, pattern, within, defines, alias,
            columns, span,
        )  # fmt: skip

    def _expressions(self) -> tuple[s.Expression, ...]:
        expressions = [self.expression()]
        while self.comma():
            expressions.append(self.expression())
        return tuple(expressions)

    def _measures(self) -> tuple[tuple[s.Expression, str], ...]:
        measures: list[tuple[s.Expression, str]] = []
        while not measures or self.comma():
            for word in ("FINAL", "RUNNING"):
                if self.sees(word) and not self.is_type(TokenType.DOT, 1):
                    hint = "leave it out: a measure is computed over the whole match"
                    raise self.unsupported(f"{word} in MEASURES", self.here(), hint)
            expression = self.expression()
            self.expect("AS")
            measures.append((expression, self.name("the measure's name")[0]))
        return tuple(measures)

    def _skip(self) -> tuple[str, str | None]:
        if not self.match("AFTER", "MATCH"):
            return "TO NEXT ROW", None
        self.expect("SKIP")
        if self.match("PAST", "LAST", "ROW"):
            return "PAST LAST ROW", None
        self.expect("TO")
        if self.match("NEXT", "ROW"):
            return "TO NEXT ROW", None
        first = self.match("FIRST")
        if not first:
            self.match("LAST")
        return f"TO {'FIRST' if first else 'LAST'}", self.name("a pattern variable")[0]

    def _row_pattern(self) -> tuple[s.PatternVariable, ...]:
        self.l_paren()
        variables: list[s.PatternVariable] = []
        while not self.match_type(TokenType.R_PAREN):
            start = self.at
            if self.is_type(TokenType.L_PAREN) or self.is_type(TokenType.PIPE):
                hint = "write a sequence of variables, each with a quantifier: (A B+ C)"
                raise self.unsupported("a group or an alternative in a pattern", self.here(), hint)
            if not self.is_name():
                self.unexpected("a pattern variable or ')'")
            name = self.name("a pattern variable")[0]
            if any(v.name == name for v in variables):
                hint = "give each place of the pattern a variable of its own"
                span = self.span_from(start)
                raise self.unsupported(f"the variable {name} twice in a pattern", span, hint)
            least, most = self._quantifier()
            reluctant = (least, most) != (1, 1) and self.match_type(TokenType.PLACEHOLDER)
            variable = s.PatternVariable(name, least, most, not reluctant, self.span_from(start))
            if reluctant and (least, most) == (0, 1):
                hint = "write ? or *?"
                raise self.unsupported("a reluctant optional variable", variable.span, hint)
            variables.append(variable)
        if not variables:
            raise self.error("a pattern needs a variable", self.here(), "for example (A B+ C)")
        last = variables[-1]
        if last.greedy and last.least != last.most and (last.least, last.most) != (0, 1):
            hint = f"end the pattern with a variable without quantifier, or write {last.name}+?"
            raise self.unsupported("a greedy quantifier at the end of a pattern", last.span, hint)
        return tuple(variables)

    def _quantifier(self) -> tuple[int, int | None]:
        for kind, bounds in _QUANTIFIERS.items():
            if self.match_type(kind):
                return bounds
        span = self.here()
        if not self.match_type(TokenType.L_BRACE):
            return 1, 1
        least = None if self.is_type(TokenType.COMMA) else self.integer("a number of rows")
        most = least
        if self.comma():
            most = None if self.is_type(TokenType.R_BRACE) else self.integer("a number of rows")
        self.expect_type(TokenType.R_BRACE, "'}'")
        if most is not None and (most == 0 or most < (least or 0)):
            raise self.error("this quantifier allows no row", span, "for example {1,3}")
        return least or 0, most

    def _defines(self) -> tuple[tuple[str, s.Expression], ...]:
        defines: list[tuple[str, s.Expression]] = []
        while not defines or self.comma():
            name, span = self.name("a pattern variable")
            if any(name == n for n, _ in defines):
                raise self.error(f"{name} is defined twice", span)
            self.expect("AS")
            defines.append((name, self.expression()))
        return tuple(defines)
