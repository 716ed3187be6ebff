"""Queries: WITH, SELECT, set operations, FROM with joins and table functions."""

from __future__ import annotations

from eddyline.sql import syntax as s
from eddyline.sql.dialect import TokenType
from eddyline.sql.grammar.hints import table_options
from eddyline.sql.grammar.matching import MatchGrammar

_JOINS = ("INNER", "LEFT", "RIGHT", "FULL", "CROSS", "NATURAL", "JOIN")
# Words that Flink or others know and this grammar does not: what to do instead.
_LATER = {
    "TABLESAMPLE": "keep a share of the rows: WHERE RAND() < 0.1",
    "PIVOT": "write one aggregate per column: COUNT(*) FILTER (WHERE k = 'a') AS a",
    "UNPIVOT": "write UNION ALL of one SELECT a column",
}


class QueryGrammar(MatchGrammar):
    """Reads a query."""

    def query(self) -> s.Query:
        """A query with its WITH, ORDER BY and LIMIT."""
        start = self.at
        ctes = self._ctes() if self.match("WITH") else ()
        body = self._set_operation()
        order = self.order_items() if self.match("ORDER", "BY") else ()
        limit, offset = self._limit()
        return s.Query(body, self.span_from(start), ctes, order, limit, offset)

    def _ctes(self) -> tuple[s.With, ...]:
        if self.sees("RECURSIVE"):
            raise self.unsupported("WITH RECURSIVE", self.here(), "Flink has none either")
        ctes: list[s.With] = []
        while not ctes or self.comma():
            start = self.at
            name, _ = self.name("a name for the subquery")
            columns = self.name_list() if self.is_type(TokenType.L_PAREN) else ()
            self.expect("AS")
            self.l_paren()
            query = self.query()
            self.r_paren()
            ctes.append(s.With(name, columns, query, self.span_from(start)))
        return tuple(ctes)

    def _limit(self) -> tuple[int | None, int]:
        limit, offset = None, 0
        while True:
            if self.match("LIMIT"):
                limit = None if self.match("ALL") else self.integer("a number of rows")
            elif self.match("OFFSET"):
                offset = self.integer("a number of rows")
                if not self.match("ROWS"):
                    self.match("ROW")
            elif self.match("FETCH"):
                if not self.match("FIRST"):
                    self.expect("NEXT")
                limit = self.integer("a number of rows")
                if not self.match("ROWS"):
                    self.expect("ROW")
                self.expect("ONLY")
            else:
                return limit, offset

    def _set_operation(self) -> s.Body:
        start, left = self.at, self._body()
        while self.word() in ("UNION", "INTERSECT", "EXCEPT", "MINUS"):
            op = self.advance().text.upper()
            every = self.match("ALL")
            if not every:
                self.match("DISTINCT")
            right = self._body()
            left = s.SetOperation(op, every, left, right, self.span_from(start))
        return left

    def _body(self) -> s.Body:
        if self.match_type(TokenType.L_PAREN):
            query = self.query()
            self.r_paren()
            return query
        if self.sees("VALUES"):
            return self._values()
        if not self.sees("SELECT"):
            self.unexpected("SELECT")
        return self._select()

    def _values(self) -> s.ValuesClause:
        start = self.at
        self.advance()
        rows: list[tuple[s.Expression, ...]] = []
        while not rows or self.comma():
            if self.sees("ROW"):
                self.advance()
            if self.match_type(TokenType.L_PAREN):
                items = [self.expression()]
                while self.comma():
                    items.append(self.expression())
                self.r_paren()
            else:
                items = [self.expression()]
            rows.append(tuple(items))
        return s.ValuesClause(tuple(rows), self.span_from(start))

    def _select(self) -> s.Select:
        start = self.at
        self.advance()
        if self.sees("STREAM") and not self.is_type(TokenType.COMMA, 1):
            raise self.error(
                "SELECT STREAM is the old Kinesis Analytics SQL",
                self.here(),
                "in Flink SQL every SELECT streams: leave STREAM out",
            )
        distinct = self.match("DISTINCT")
        if not distinct:
            self.match("ALL")
        items = [self._select_item()]
        while self.comma():
            items.append(self._select_item())
        source = self._from() if self.match("FROM") else None
        where = self.expression() if self.match("WHERE") else None
        group = self._group_by() if self.match("GROUP", "BY") else None
        having = self.expression() if self.match("HAVING") else None
        windows = self._windows() if self.match("WINDOW") else ()
        qualify = self.expression() if self.match("QUALIFY") else None
        span = self.span_from(start)
        parts = (tuple(items), distinct, source, where, group, having, span, windows, qualify)
        return s.Select(*parts)

    def _windows(self) -> tuple[tuple[str, s.Over], ...]:
        """What follows WINDOW: ``name AS (…), …``"""
        windows: list[tuple[str, s.Over]] = []
        while not windows or self.comma():
            name, span = self.name("a window")
            if any(name == n for n, _ in windows):
                raise self.error(f"window {name} is defined twice", span)
            self.expect("AS")
            windows.append((name, self.window()))
        return tuple(windows)

    def _select_item(self) -> s.SelectItem:
        start = self.at
        if self.is_type(TokenType.STAR):
            span = self.span_of(self.advance())
            return s.SelectItem(s.Star(None, span), None, span)
        expression = self.expression()
        alias = None
        if self.match("AS"):
            alias, _ = self.name("an alias")
        elif self.is_name() and not isinstance(expression, s.Star):
            alias, _ = self.name()
        return s.SelectItem(expression, alias, self.span_from(start))

    def _group_by(self) -> s.Grouping:
        start = self.at
        items: list[s.Expression | s.GroupingSets] = []
        while not items or self.comma():
            items.append(self._grouping_sets() or self.expression())
        return s.Grouping(tuple(items), self.span_from(start))

    def _grouping_sets(self) -> s.GroupingSets | None:
        """GROUPING SETS, CUBE, ROLLUP or ``()``; None where an expression begins."""
        start = self.at
        if self.is_type(TokenType.L_PAREN) and self.is_type(TokenType.R_PAREN, 1):
            self.at += 2
            return s.GroupingSets("GROUPING SETS", ((),), self.span_from(start))
        kind = ""
        if self.match("GROUPING", "SETS"):
            kind = "GROUPING SETS"
        elif self.word() in ("CUBE", "ROLLUP") and self.is_type(TokenType.L_PAREN, 1):
            kind = self.advance().text.upper()
        if not kind:
            return None
        self.l_paren()
        groups: list[tuple[s.Expression, ...] | s.GroupingSets] = []
        while not groups or self.comma():
            inner = self._grouping_sets() if kind == "GROUPING SETS" else None
            if inner is not None and inner.groups == ((),):
                groups.append(())
            else:
                groups.append(inner or self._group())
        self.r_paren()
        return s.GroupingSets(kind, tuple(groups), self.span_from(start))

    def _group(self) -> tuple[s.Expression, ...]:
        """``(a, b)`` or ``a``."""
        item = self.expression()
        return item.items if isinstance(item, s.Construct) and item.kind == "ROW" else (item,)

    def order_items(self) -> tuple[s.OrderItem, ...]:
        """What follows ORDER BY."""
        items: list[s.OrderItem] = []
        while not items or self.comma():
            start = self.at
            expression = self.expression()
            descending = self.match("DESC")
            if not descending:
                self.match("ASC")
            nulls = None
            if self.match("NULLS", "FIRST"):
                nulls = True
            elif self.match("NULLS", "LAST"):
                nulls = False
            items.append(s.OrderItem(expression, descending, nulls, self.span_from(start)))
        return tuple(items)

    # FROM

    def _from(self) -> s.Relation:
        start, left = self.at, self._joined()
        while self.comma():
            right = self._joined()
            left = s.JoinClause(left, right, "CROSS", None, (), False, self.span_from(start))
        return left

    def _joined(self) -> s.Relation:
        start, left = self.at, self._relation()
        while self.word() in _JOINS:
            natural = self.match("NATURAL")
            kind = "INNER"
            if self.word() in ("INNER", "LEFT", "RIGHT", "FULL", "CROSS"):
                kind = self.advance().text.upper()
                self.match("OUTER")
            self.expect("JOIN")
            right = self._relation()
            condition: s.Expression | None = None
            using: tuple[str, ...] = ()
            if self.match("ON"):
                condition = self.expression()
            elif self.match("USING"):
                using = self.name_list()
            elif kind != "CROSS" and not natural:
                self.unexpected("ON or USING")
            span = self.span_from(start)
            left = s.JoinClause(left, right, kind, condition, using, natural, span)
        return left

    def _relation(self) -> s.Relation:
        start = self.at
        if self.match_type(TokenType.L_PAREN):
            return self._parenthesised_relation(start)
        if self.match("LATERAL"):
            return self._lateral(start)
        if self.sees("UNNEST") and self.is_type(TokenType.L_PAREN, 1):
            return self._unnest(start)
        if self.sees("TABLE") and self.is_type(TokenType.L_PAREN, 1):
            self.advance()
            self.l_paren()
            call = self._table_call()
            self.r_paren()
            alias, columns = self.alias()
            return s.TableFunctionCall(call, alias, columns, self.span_from(start))
        if self.is_type(TokenType.L_PAREN, 1):
            call = self._table_call()
            alias, columns = self.alias()
            return s.TableFunctionCall(call, alias, columns, self.span_from(start))
        table = self.table_name()
        as_of = None
        if self.match("FOR", "SYSTEM_TIME", "AS", "OF"):
            as_of = self.term()
        if self.word() in _LATER:
            raise self.unsupported(self.word(), self.here(), _LATER[self.word()])
        if self.sees("MATCH_RECOGNIZE"):
            span = self.span_from(start)
            source = s.TableName(table.name, None, (), table.options, span, as_of)
            return self.match_recognize(source, start)
        alias, columns = self.alias()
        span = self.span_from(start)
        return s.TableName(table.name, alias, columns, table.options, span, as_of)

    def _lateral(self, start: int) -> s.Relation:
        """What follows LATERAL: a table function, a collection or a subquery."""
        if self.sees("UNNEST") and self.is_type(TokenType.L_PAREN, 1):
            return self._unnest(start)
        if self.is_type(TokenType.L_PAREN):
            self.advance()
            query = self.query()
            self.r_paren()
            alias, columns = self.alias()
            return s.Derived(query, alias, columns, self.span_from(start), lateral=True)
        relation = self._relation()
        if not isinstance(relation, s.TableFunctionCall):
            hint = "LATERAL stands before TABLE(f(x)), UNNEST(x) or (SELECT …)"
            raise self.error("LATERAL cannot stand before a table", relation.span, hint)
        return relation

    def _unnest(self, start: int) -> s.Unnest:
        self.advance()
        self.l_paren()
        collection = self.expression()
        self.r_paren()
        ordinality = self.match("WITH", "ORDINALITY")
        alias, columns = self.alias()
        return s.Unnest(collection, ordinality, alias, columns, self.span_from(start))

    def _table_call(self) -> s.FunctionCall:
        if not (self.word() or self.is_type(TokenType.IDENTIFIER)):
            self.unexpected("a table function")
        span = self.here()
        call = self.call()
        if not isinstance(call, s.FunctionCall):
            raise self.error("this is not a table function", span)
        return call

    def _parenthesised_relation(self, start: int) -> s.Relation:
        if self.word() in ("SELECT", "WITH", "VALUES") or self.is_type(TokenType.L_PAREN):
            query = self.query()
            self.r_paren()
            if self.sees("MATCH_RECOGNIZE"):
                derived = s.Derived(query, None, (), self.span_from(start))
                return self.match_recognize(derived, start)
            alias, columns = self.alias()
            return s.Derived(query, alias, columns, self.span_from(start))
        inner = self._joined()
        self.r_paren()
        return inner

    def alias(self) -> tuple[str | None, tuple[str, ...]]:
        """``[AS] name [(columns)]``, or nothing."""
        alias = None
        if self.match("AS"):
            alias, _ = self.name("an alias")
        elif self.is_name():
            alias, _ = self.name()
        if alias and self.is_type(TokenType.L_PAREN):
            return alias, self.name_list()
        return alias, ()

    def name_list(self) -> tuple[str, ...]:
        """``(a, b)``"""
        self.l_paren()
        names: list[str] = []
        while not names or self.comma():
            names.append(self.name("a column")[0])
        self.r_paren()
        return tuple(names)

    def dotted_name(self, what: str = "a table") -> s.Name:
        """``t``, ``db.t`` or ``cat.db.t``."""
        start = self.at
        text, span = self.name(what)
        parts, spans = [text], [span]
        while self.match_type(TokenType.DOT):
            text, span = self.name(what)
            parts.append(text)
            spans.append(span)
        return s.Name(tuple(parts), self.span_from(start), tuple(spans))

    def table_name(self) -> s.TableName:
        """A table's name, with the options of a hint behind it."""
        start = self.at
        name = self.dotted_name()
        return s.TableName(name, None, (), self.table_options(), self.span_from(start))

    def table_options(self) -> tuple[tuple[str, str], ...]:
        """The options of the hints behind the table's name that was just read."""
        self.hinted.add(self.at - 1)
        return table_options(self.tokens[self.at - 1], self.text)
