"""CREATE TABLE and CREATE VIEW: columns, metadata, watermark, keys, options."""

from __future__ import annotations

from dataclasses import dataclass, field

from eddyline.errors import Span
from eddyline.sql.dialect import TokenType, span_at
from eddyline.sql.grammar.hints import execution_hints, hint_end, state_ttls
from eddyline.sql.grammar.queries import QueryGrammar
from eddyline.sql.statement import ColumnDefinition, StatementSource, WatermarkDefinition


@dataclass(slots=True)
class TableElements:
    """What stands between the parentheses of CREATE TABLE."""

    columns: list[ColumnDefinition] = field(default_factory=list)
    watermark: WatermarkDefinition | None = None
    primary_key: tuple[str, ...] = ()


class DefinitionGrammar(QueryGrammar):
    """Reads the parts of a table's definition."""

    def end(self) -> StatementSource:
        """The statement must be over here; where it stands."""
        if not self.done:
            self.unexpected("the end of the statement")
        first, last = self.tokens[0], self.tokens[-1]
        text = self.text[first.start : hint_end(last, self.text)]
        hints = execution_hints(self.tokens, self.hinted, self.text)
        span = span_at(self.text, first.start, last.end + 1)
        return StatementSource(text, self.text, span, hints, state_ttls(self.tokens, self.text))

    def distribution(self) -> str | None:
        """``DISTRIBUTED [BY [HASH | RANGE] (…)] [INTO n BUCKETS]`` as text, or None."""
        if not (self.match("DISTRIBUTED") or self.match("DISTRIBUTION")):
            return None
        start = self.at
        if self.match("BY"):
            if not self.match("HASH"):
                self.match("RANGE")
            self.name_list()
        if self.match("INTO"):
            self.integer("a number of buckets")
            self.expect("BUCKETS")
        if self.at == start:
            self.unexpected("BY or INTO")
        return self.text_from(start)

    def table_elements(self) -> TableElements:
        """``(column type, …, WATERMARK FOR …, PRIMARY KEY (…) NOT ENFORCED)``"""
        elements = TableElements()
        self.l_paren()
        while True:
            self.table_element(elements)
            if not self.comma():
                break
        self.r_paren()
        return elements

    def table_element(self, elements: TableElements) -> None:
        """One column, watermark or key, added to ``found``."""
        if self.sees("WATERMARK", "FOR"):
            if elements.watermark:
                raise self.error("a table has one watermark", self.here())
            elements.watermark = self._watermark()
            return
        named = self.match("CONSTRAINT")
        if named:
            self.name("a constraint's name")
        if self.sees("PRIMARY", "KEY"):
            elements.primary_key = self._primary_key()
            return
        if named or self.sees("UNIQUE"):
            raise self.error("UNIQUE is not known to Flink", self.here(), "use PRIMARY KEY")
        column = self._column()
        if any(c.name == column.name for c in elements.columns):
            raise self.error(f"column {column.name} is there twice", column.span)
        elements.columns.append(column)
        if self.sees("PRIMARY", "KEY"):
            elements.primary_key = (column.name,)
            self._enforced()

    def _watermark(self) -> WatermarkDefinition:
        start = self.at
        self.expect("WATERMARK", "FOR")
        column, _ = self.name("the row-time column")
        self.expect("AS")
        begin = self.at
        expression = self.expression()
        text = self.text_from(begin)
        return WatermarkDefinition(column, expression, text, self.span_from(start))

    def _primary_key(self) -> tuple[str, ...]:
        self.expect("PRIMARY", "KEY")
        names = self.name_list()
        self._not_enforced()
        return names

    def _enforced(self) -> None:
        self.expect("PRIMARY", "KEY")
        self._not_enforced()

    def _not_enforced(self) -> None:
        span = self.here()
        if not self.match("NOT", "ENFORCED"):
            msg = "a primary key must say NOT ENFORCED, because nothing checks it"
            raise self.error(msg, span, "write PRIMARY KEY (…) NOT ENFORCED")

    def _column(self) -> ColumnDefinition:
        name, span = self.name("a column")
        if self.match("AS"):
            begin = self.at
            expression = self.expression()
            text = self.text_from(begin)
            comment = self._comment()
            return ColumnDefinition(
                name, None, span, computed=expression, computed_text=text, comment=comment
            )
        kind = self.data_type()
        if self.sees("DEFAULT"):
            raise self.error("DEFAULT is not known to Flink", self.here(), "leave it out")
        if self.match("METADATA"):
            key = self.string("the metadata's key") if self.match("FROM") else name
            virtual = self.match("VIRTUAL")
            return ColumnDefinition(name, kind, span, True, key, virtual, comment=self._comment())
        return ColumnDefinition(name, kind, span, comment=self._comment())

    def _comment(self) -> str | None:
        return self.string("a comment in quotes") if self.match("COMMENT") else None

    def comment(self) -> str | None:
        """COMMENT '…' of a table, view or database."""
        return self._comment()

    def options(self) -> dict[str, str]:
        """``WITH ('key' = 'value', …)``, or nothing."""
        if not self.match("WITH"):
            return {}
        return self.option_list()

    def option_list(self) -> dict[str, str]:
        """``('key' = 'value', …)``"""
        self.l_paren()
        options: dict[str, str] = {}
        while not self.is_type(TokenType.R_PAREN):
            span = self.here()
            key = self.string("an option in quotes, such as 'connector'")
            self.expect_type(TokenType.EQ, "'='")
            if key in options:
                raise self.error(f"option '{key}' is there twice", span)
            options[key] = self.string("the option's value in quotes")
            if not self.comma():
                break
        self.r_paren()
        return options

    def column_names(self) -> tuple[tuple[str, ...], tuple[Span, ...]]:
        """``(a, b)`` with places."""
        self.l_paren()
        names: list[str] = []
        spans: list[Span] = []
        while not names or self.comma():
            name, span = self.name("a column")
            names.append(name)
            spans.append(span)
        self.r_paren()
        return tuple(names), tuple(spans)
