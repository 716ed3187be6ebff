"""Whole statements, told apart by their first words."""

from __future__ import annotations

from collections.abc import Callable

from eddyline.errors import EddylineError, Span, nearest
from eddyline.sql import statement as st
from eddyline.sql import syntax as s
from eddyline.sql.dialect import Token, TokenType, span_at
from eddyline.sql.grammar.definitions import DefinitionGrammar, TableElements
from eddyline.sql.grammar.hints import execution_hints, hint_end

_SHOW_PLAIN = (
    "TABLES", "VIEWS", "DATABASES", "CATALOGS", "FUNCTIONS", "MODULES", "JOBS", "STREAMS"
)  # fmt: skip
_EXPLAIN_DETAILS = ("ESTIMATED_COST", "CHANGELOG_MODE", "JSON_EXECUTION_PLAN", "PLAN_ADVICE")


class StatementGrammar(DefinitionGrammar):
    """Reads one statement from all of its tokens."""

    def statement(self) -> st.Statement:
        """The statement.

        Raises:
            EddylineError: ``sql_syntax`` or ``sql_unsupported``, with the place.
        """
        word = self.word()
        if word in ("SELECT", "WITH", "VALUES") or self.is_type(TokenType.L_PAREN):
            query = self.query()
            found: st.Statement = st.Query(self._end(), query)
            return found
        method = _STATEMENTS.get(word)
        if method is None:
            raise self._unknown(word)
        return method(self)

    def _unknown(self, word: str) -> EddylineError:
        if word in _LATER:
            return self.unsupported(f"{word} …", self.here(), _LATER[word])
        near = nearest(word, [*_STATEMENTS, "SELECT", "WITH"]) if word else []
        hint = f"did you mean {near[0]}?" if near else "for example SELECT, CREATE TABLE, INSERT"
        token = self.tokens[0]
        shown = self.text[token.start : token.end + 1]
        return self.error(f"no statement begins with {shown}", self.here(), hint)

    def _end(self) -> st.Source:
        """The statement must be over here."""
        if not self.done:
            self.unexpected("the end of the statement")
        first, last = self.tokens[0], self.tokens[-1]
        text = self.text[first.start : hint_end(last, self.text)]
        hints = execution_hints(self.tokens, self.hinted, self.text)
        return st.Source(text, self.text, span_at(self.text, first.start, last.end + 1), hints)

    # CREATE, ALTER, DROP

    def _create(self) -> st.Statement:
        self.expect("CREATE")
        replace = self.match("OR", "REPLACE")
        temporary = self.match("TEMPORARY")
        if self.match("TABLE"):
            return self._create_table(temporary, replace)
        if self.match("VIEW"):
            return self._create_view(temporary, replace)
        if self.match("DATABASE"):
            exists = self.match("IF", "NOT", "EXISTS")
            name = self.dotted_name("a database")
            comment = self.comment()
            self.options()
            return st.CreateDatabase(self._end(), name, exists, comment)
        if self.word() in ("STREAM", "PUMP"):
            hint = "write CREATE TABLE with 'connector' = 'kinesis', and INSERT INTO … SELECT"
            raise self.unsupported(
                f"CREATE {self.word()} (Kinesis Analytics SQL)", self.here(), hint
            )
        if self.word() in ("FUNCTION", "SYSTEM"):
            return self._create_function(temporary, replace)
        if self.word() in ("CATALOG", "MODEL", "MATERIALIZED"):
            raise self.unsupported(f"CREATE {self.word()}", self.here())
        return self.unexpected("TABLE, VIEW or DATABASE")

    def _create_table(self, temporary: bool, replace: bool) -> st.Statement:
        exists = self.match("IF", "NOT", "EXISTS")
        name = self.dotted_name("the table's name")
        elements = TableElements()
        if self.is_type(TokenType.L_PAREN):
            elements = self.table_elements()
        comment = self.comment()
        if self.sees("DISTRIBUTED"):
            raise self.unsupported("DISTRIBUTED BY", self.here(), "leave it out")
        partitions = self.name_list() if self.match("PARTITIONED", "BY") else ()
        options = self.options()
        if self.sees("LIKE"):
            raise self.unsupported("CREATE TABLE … LIKE", self.here(), "write the columns out")
        query = self.query() if self.match("AS") else None
        if replace and query is None:
            raise self.unsupported("CREATE OR REPLACE TABLE", self.tokens_span(0, 3))
        return st.CreateTable(
            self._end(),
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
        )

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
        source, text = self._end(), self.text_from(start)
        return st.CreateView(
            source, name, columns, query, text, comment, temporary, exists, replace
        )

    def _create_function(self, temporary: bool, replace: bool) -> st.Statement:
        system = self.match("SYSTEM")
        if system and not temporary:
            hint = "write CREATE TEMPORARY SYSTEM FUNCTION"
            raise self.error("a system function is temporary", self.here(), hint)
        self.expect("FUNCTION")
        exists = self.match("IF", "NOT", "EXISTS")
        name = self.dotted_name("the function's name")
        self.expect("AS")
        reference = self.string("the function as 'module.name' in quotes")
        language = "JAVA"
        if self.match("LANGUAGE"):
            language = self.advance().text.upper()
        if self.sees("USING"):
            hint = "a module is found in the folders and files of SET 'python.files'"
            raise self.unsupported("USING …", self.here(), hint)
        return st.CreateFunction(
            self._end(), name, reference, language, temporary, system, exists, replace
        )

    def _drop_function(self, temporary: bool) -> st.Statement:
        system = self.match("SYSTEM")
        self.expect("FUNCTION")
        exists = self.match("IF", "EXISTS")
        name = self.dotted_name("a function")
        return st.DropFunction(self._end(), name, exists, temporary, system)

    def _alter(self) -> st.Statement:
        self.expect("ALTER")
        if not self.match("TABLE"):
            raise self.unsupported(f"ALTER {self.word()}", self.here())
        self.match("IF", "EXISTS")
        name = self.dotted_name()
        if self.match("RENAME", "TO"):
            new = self.name("the new name")[0]
            return st.AlterTable(self._end(), name, rename=new)
        if self.match("SET"):
            options = self.option_list()
            return st.AlterTable(self._end(), name, set_options=options)
        if self.match("RESET"):
            self.l_paren()
            keys = [self.string("an option in quotes")]
            while self.comma():
                keys.append(self.string("an option in quotes"))
            self.r_paren()
            return st.AlterTable(self._end(), name, reset_options=tuple(keys))
        raise self.unsupported(f"ALTER TABLE … {self.word()}", self.here(), "drop and create it")

    def _drop(self) -> st.Statement:
        self.expect("DROP")
        temporary = self.match("TEMPORARY")
        kind = self.word()
        if kind in ("FUNCTION", "SYSTEM"):
            return self._drop_function(temporary)
        if kind not in ("TABLE", "VIEW", "DATABASE"):
            raise self.unsupported(f"DROP {kind}", self.here())
        self.advance()
        exists = self.match("IF", "EXISTS")
        name = self.dotted_name(f"a {kind.lower()}")
        if kind == "DATABASE":
            cascade = self.match("CASCADE")
            if not cascade:
                self.match("RESTRICT")
            return st.DropDatabase(self._end(), name, exists, cascade)
        make = st.DropTable if kind == "TABLE" else st.DropView
        return make(self._end(), name, exists, temporary)

    # looking around

    def _use(self) -> st.Statement:
        self.expect("USE")
        if self.sees("MODULES"):
            raise self.unsupported("USE MODULES", self.here())
        if self.match("CATALOG"):
            name = self.dotted_name("a catalog")
            return st.UseCatalog(self._end(), name)
        name = self.dotted_name("a database")
        return st.UseDatabase(self._end(), name)

    def _show(self) -> st.Statement:
        self.expect("SHOW")
        if self.match("CREATE"):
            kind = "VIEW" if self.match("VIEW") else "TABLE"
            if kind == "TABLE":
                self.expect("TABLE")
            name = self.dotted_name()
            return st.Show(self._end(), f"CREATE {kind}", name)
        if self.match("CURRENT"):
            what = self.word()
            if what not in ("CATALOG", "DATABASE"):
                self.unexpected("CATALOG or DATABASE")
            self.advance()
            return st.Show(self._end(), f"CURRENT {what}")
        user = self.match("USER")
        self.match("FULL")
        what = self.word()
        if what not in (*_SHOW_PLAIN, "COLUMNS"):
            self.unexpected(", ".join(_SHOW_PLAIN))
        self.advance()
        what = f"USER {what}" if user else what
        place = self.dotted_name("a name") if self.match("FROM") or self.match("IN") else None
        negated = self.match("NOT")
        like = None
        if self.match("LIKE") or self.match("ILIKE"):
            like = self.string("a pattern in quotes")
        if negated:
            raise self.unsupported("NOT LIKE here", self.here())
        return st.Show(self._end(), what, place, like)

    def _describe(self) -> st.Statement:
        self.advance()
        self.match("EXTENDED")
        if self.word() in ("CATALOG", "JOB"):
            raise self.unsupported(f"DESCRIBE {self.word()}", self.here())
        name = self.dotted_name()
        return st.Describe(self._end(), name)

    # settings

    def _set(self) -> st.Statement:
        self.expect("SET")
        if self.done:
            return st.SetOption(self._end())
        if self.is_type(TokenType.STRING):
            key = self.string()
            self.expect_type(TokenType.EQ, "'='")
            value = self.string("the value in quotes")
            return st.SetOption(self._end(), key, value)
        return self._set_bare()

    def _set_bare(self) -> st.Statement:
        """``SET key = value`` without quotes, as Zeppelin's notes have it."""
        start = self.tokens[self.at].start
        while not self.is_type(TokenType.EQ):
            self.advance()
        key = self.text[start : self.tokens[self.at].start].strip()
        self.advance()
        if self.done:
            self.unexpected("a value")
        begin = self.tokens[self.at]
        value = self.text[begin.start : self.tokens[-1].end + 1].strip()
        if begin.token_type is TokenType.STRING:
            value = begin.text
        self.at = len(self.tokens)
        return st.SetOption(self._end(), key, value)

    def _reset(self) -> st.Statement:
        self.expect("RESET")
        if self.done:
            return st.ResetOption(self._end())
        start = self.tokens[self.at]
        if start.token_type is TokenType.STRING:
            key = self.string()
            return st.ResetOption(self._end(), key)
        key = self.text[start.start : self.tokens[-1].end + 1].strip()
        self.at = len(self.tokens)
        return st.ResetOption(self._end(), key)

    # work

    def _insert(self) -> st.Insert:
        insert = self._insert_parts()
        return st.Insert(self._end(), *insert)

    def _insert_parts(
        self,
    ) -> tuple[s.Name, tuple[str, ...], s.Query, tuple[Span, ...], tuple[tuple[str, str], ...]]:
        self.expect("INSERT")
        if self.sees("OVERWRITE"):
            hint = "a stream is only ever added to: use INSERT INTO"
            raise self.unsupported("INSERT OVERWRITE", self.here(), hint)
        self.expect("INTO")
        self.match("TABLE")
        name = self.dotted_name("the table to write to")
        options = self.table_options()
        if self.sees("PARTITION"):
            raise self.unsupported("PARTITION (…) of an INSERT", self.here())
        columns: tuple[str, ...] = ()
        spans: tuple[Span, ...] = ()
        opens = self.is_type(TokenType.L_PAREN)
        if opens and self.word(1) not in ("SELECT", "WITH", "VALUES"):
            columns, spans = self.column_names()
        query = self.query()
        return name, columns, query, spans, options

    def _explain(self) -> st.Statement:
        self.expect("EXPLAIN")
        details: list[str] = []
        if self.match("PLAN", "FOR"):
            pass
        while self.word() in _EXPLAIN_DETAILS:
            details.append(self.advance().text.upper())
            self.comma()
        inner: st.Statement
        if self.sees("INSERT"):
            inner = self._insert()
        elif self.sees("STATEMENT", "SET"):
            raise self.unsupported("EXPLAIN STATEMENT SET", self.here(), "explain each INSERT")
        else:
            query = self.query()
            inner = st.Query(self._end(), query)
        assert isinstance(inner, st.Query | st.Insert)
        return st.Explain(self._end(), inner, tuple(details))

    def _statement_set(self) -> st.Statement:
        self.match("EXECUTE")
        if self.match("STATEMENT", "SET"):
            self.expect("BEGIN")
        else:
            self.expect("BEGIN", "STATEMENT", "SET")
            self.match_type(TokenType.SEMICOLON)
        inserts: list[st.Insert] = []
        while not self.match("END"):
            start = self.at
            parts = self._insert_parts()
            text, span = self.text_from(start), self.span_from(start)
            tables = {place - start for place in self.hinted}
            hints = execution_hints(self.tokens[start : self.at], tables, self.text)
            inserts.append(st.Insert(st.Source(text, self.text, span, hints), *parts))
            if not self.match_type(TokenType.SEMICOLON) and not self.sees("END"):
                self.unexpected("';' or END")
        if not inserts:
            raise self.error("a statement set needs at least one INSERT", self.here())
        return st.StatementSet(self._end(), tuple(inserts))

    def _stop(self) -> st.Statement:
        self.expect("STOP", "JOB")
        job = self.string("the job's id in quotes")
        savepoint = self.match("WITH", "SAVEPOINT")
        return st.StopJob(self._end(), job, savepoint)

    def _help(self) -> st.Statement:
        self.expect("HELP")
        return st.Help(self._end())


_STATEMENTS: dict[str, Callable[[StatementGrammar], st.Statement]] = {
    "CREATE": StatementGrammar._create,
    "ALTER": StatementGrammar._alter,
    "DROP": StatementGrammar._drop,
    "USE": StatementGrammar._use,
    "SHOW": StatementGrammar._show,
    "DESCRIBE": StatementGrammar._describe,
    "DESC": StatementGrammar._describe,
    "SET": StatementGrammar._set,
    "RESET": StatementGrammar._reset,
    "INSERT": StatementGrammar._insert,
    "EXPLAIN": StatementGrammar._explain,
    "BEGIN": StatementGrammar._statement_set,
    "EXECUTE": StatementGrammar._statement_set,
    "STOP": StatementGrammar._stop,
    "HELP": StatementGrammar._help,
}

# Statements of Flink that are known by name only, and what to do instead.
_LATER: dict[str, str | None] = {
    "ADD": None,
    "ANALYZE": None,
    "CALL": None,
    "COMPILE": None,
    "DELETE": "a stream is only ever added to",
    "LOAD": None,
    "MERGE": "Flink has none either",
    "REMOVE": None,
    "TRUNCATE": "delete the stream and create it again",
    "UNLOAD": None,
    "UPDATE": "a stream is only ever added to",
}


def first_words(tokens: list[Token]) -> tuple[str, ...]:
    """The first three bare words in upper case, for telling a statement set from the rest."""
    return tuple(t.text.upper() for t in tokens[:3])
