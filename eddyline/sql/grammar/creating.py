"""CREATE and DROP: tables, views, databases, catalogs, functions."""

from __future__ import annotations

from eddyline.errors import Span
from eddyline.sql import statement as st
from eddyline.sql.dialect import TokenType, span_at
from eddyline.sql.grammar.definitions import DefinitionGrammar, TableElements

_FEATURES = (
    "ALL", "CONSTRAINTS", "DISTRIBUTION", "GENERATED", "METADATA", "OPTIONS", "PARTITIONS",
    "WATERMARKS",
)  # fmt: skip
_MODES = ("INCLUDING", "EXCLUDING", "OVERWRITING")
# What cannot be created here, and what to write instead.
_REFUSED = {
    "MODEL": "no model provider can be called here; ML_DETECT_ANOMALIES and DETECT_ANOMALIES "
    "need no model",
    "CONNECTION": "give a table's options in WITH (…)",
}


class CreateGrammar(DefinitionGrammar):
    """Reads CREATE and DROP statements."""

    def _create(self) -> st.Statement:
        self.expect("CREATE")
        replace = self.match("OR", "REPLACE")
        if self.match("OR", "ALTER") or self.sees("MATERIALIZED"):
            hint = "write CREATE TABLE … AS SELECT, which keeps a job running"
            raise self.unsupported("MATERIALIZED TABLE", self.here(), hint)
        temporary = self.match("TEMPORARY")
        system = self.match("SYSTEM")
        if self.match("FUNCTION"):
            exists = self.match("IF", "NOT", "EXISTS")
            return self.function(temporary, system, exists, replace)
        if self.match("TABLE"):
            return self._create_table(temporary, replace)
        if self.match("VIEW"):
            return self._create_view(temporary, replace)
        if self.match("DATABASE"):
            exists = self.match("IF", "NOT", "EXISTS")
            name = self.dotted_name("a database")
            comment = self.comment()
            options = self.options()
            return st.CreateDatabase(self.end(), name, exists, comment, options)
        if self.match("CATALOG"):
            exists = self.match("IF", "NOT", "EXISTS")
            name = self.dotted_name("a catalog")
            comment = self.comment()
            options = self.options()
            return st.CreateCatalog(self.end(), name, options, comment, exists)
        if self.word() in ("STREAM", "PUMP"):
            hint = "write CREATE TABLE with 'connector' = 'kinesis', and INSERT INTO … SELECT"
            raise self.unsupported(
                f"CREATE {self.word()} (Kinesis Analytics SQL)", self.here(), hint
            )
        if self.word() in _REFUSED:
            what = f"CREATE {self.word()}"
            raise self.unsupported(what, self.here(), _REFUSED[self.word()])
        return self.unexpected("TABLE, VIEW, DATABASE, CATALOG or FUNCTION")

    def _replace(self) -> st.Statement:
        """REPLACE TABLE … AS SELECT."""
        self.expect("REPLACE", "TABLE")
        return self._create_table(False, True)

    def _create_table(self, temporary: bool, replace: bool) -> st.Statement:
        exists = self.match("IF", "NOT", "EXISTS")
        name = self.dotted_name("the table's name")
        elements = TableElements()
        order: tuple[str, ...] = ()
        if self.is_type(TokenType.L_PAREN):
            if self._only_names():
                order = self.name_list()
            else:
                elements = self.table_elements()
        comment = self.comment()
        distribution = self.distribution()
        partitions = self.name_list() if self.match("PARTITIONED", "BY") else ()
        options = self.options()
        like = self._like() if self.match("LIKE") else None
        query = self.query() if self.match("AS") else None
        if replace and query is None:
            hint = "write CREATE OR REPLACE TABLE … AS SELECT, or DROP TABLE and CREATE TABLE"
            raise self.unsupported("CREATE OR REPLACE TABLE", self.tokens_span(0, 3), hint)
        if like is not None and query is not None:
            raise self.error("a table is LIKE another or AS a query, not both", name.span)
        if order and query is None:
            raise self.error("a column needs a type", name.span, f"for example {order[0]} STRING")
        return st.CreateTable(
            self.end(),
            name,
            tuple(elements.columns),
            elements.watermark,
            elements.primary_key,
            partitions,
            options,
            comment,
            temporary,
            exists,
            query,
            replace,
            like,
            order,
            distribution,
        )

    def _only_names(self) -> bool:
        """Whether the parentheses here hold names alone: CREATE TABLE t (b, a) AS SELECT."""
        place = 1
        while self.is_name(place):
            if self.is_type(TokenType.R_PAREN, place + 1):
                return True
            if not self.is_type(TokenType.COMMA, place + 1):
                return False
            place += 2
        return False

    def _like(self) -> st.LikeClause:
        name = self.dotted_name("the table to copy")
        rules: list[tuple[str, str]] = []
        if self.match_type(TokenType.L_PAREN):
            while not self.match_type(TokenType.R_PAREN):
                mode = self.word()
                if mode not in _MODES:
                    self.unexpected(", ".join(_MODES))
                self.advance()
                feature = self.word()
                if feature not in _FEATURES:
                    self.unexpected(", ".join(_FEATURES))
                self.advance()
                rules.append((feature, mode))
        return st.LikeClause(name, tuple(rules))

    def tokens_span(self, first: int, count: int) -> Span:
        """The place of ``count`` tokens from number ``first``."""
        last = self.tokens[min(first + count, len(self.tokens)) - 1]
        return span_at(self.text, self.tokens[first].start, last.end + 1)

    def _create_view(self, temporary: bool, replace: bool) -> st.Statement:
        exists = self.match("IF", "NOT", "EXISTS")
        name = self.dotted_name("the view's name")
        columns = self.name_list() if self.is_type(TokenType.L_PAREN) else ()
        comment = self.comment()
        self.expect("AS")
        start = self.at
        query = self.query()
        source, text = self.end(), self.text_from(start)
        return st.CreateView(
            source, name, columns, query, text, comment, temporary, exists, replace
        )

    def function(
        self, temporary: bool, system: bool, if_not_exists: bool, replace: bool
    ) -> st.Statement:
        """The rest of CREATE or ALTER FUNCTION, from its name on."""
        if system and not temporary:
            hint = "write CREATE TEMPORARY SYSTEM FUNCTION"
            raise self.error("a system function is temporary", self.here(), hint)
        name = self.dotted_name("the function's name")
        self.expect("AS")
        reference = self.string("'module.function' in quotes")
        language = "JAVA"
        if self.match("LANGUAGE"):
            language = self.advance().text.upper()
        if self.sees("USING"):
            hint = "a module is found in the folders and files of SET 'python.files'"
            raise self.unsupported("USING …", self.here(), hint)
        return st.CreateFunction(
            self.end(), name, reference, language, temporary, system, if_not_exists, replace
        )

    def _drop(self) -> st.Statement:
        self.expect("DROP")
        temporary = self.match("TEMPORARY")
        system = self.match("SYSTEM")
        kind = self.word()
        if kind not in ("TABLE", "VIEW", "DATABASE", "CATALOG", "FUNCTION"):
            hint = "SHOW TABLES and SHOW VIEWS list what can be dropped"
            raise self.unsupported(f"DROP {kind}", self.here(), hint)
        self.advance()
        exists = self.match("IF", "EXISTS")
        name = self.dotted_name(f"a {kind.lower()}")
        if kind == "DATABASE":
            cascade = self.match("CASCADE")
            if not cascade:
                self.match("RESTRICT")
            return st.DropDatabase(self.end(), name, exists, cascade)
        if kind == "CATALOG":
            return st.DropCatalog(self.end(), name, exists)
        if kind == "FUNCTION":
            return st.DropFunction(self.end(), name, exists, temporary, system)
        make = st.DropTable if kind == "TABLE" else st.DropView
        return make(self.end(), name, exists, temporary)
