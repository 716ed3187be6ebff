"""Whole statements, told apart by their first words."""

from __future__ import annotations

from collections.abc import Callable

from eddyline.errors import EddylineError, Span, nearest
from eddyline.sql import statement as st
from eddyline.sql import syntax as s
from eddyline.sql.dialect import Token, TokenType
from eddyline.sql.grammar.hints import execution_hints, state_ttls
from eddyline.sql.grammar.showing import ShowGrammar

_EXPLAIN_DETAILS = ("ESTIMATED_COST", "CHANGELOG_MODE", "JSON_EXECUTION_PLAN", "PLAN_ADVICE")


class StatementGrammar(ShowGrammar):
    """Reads one statement from all of its tokens."""

    def statement(self) -> st.Statement:
        """The statement.

        Raises:
            EddylineError: ``sql_syntax`` or ``sql_unsupported``, with the place.
        """
        word = self.word()
        if word in ("SELECT", "WITH", "VALUES") or self.is_type(TokenType.L_PAREN):
            query = self.query()
            return st.Query(self.end(), query)
        method = _STATEMENTS.get(word)
        if method is None:
            raise self._unknown(word)
        return method(self)

    def _unknown(self, word: str) -> EddylineError:
        if word in _LATER:
            return self.unsupported(word, self.here(), _LATER[word])
        near = nearest(word, [*_STATEMENTS, "SELECT", "WITH"]) if word else []
        hint = f"did you mean {near[0]}?" if near else "for example SELECT, CREATE TABLE, INSERT"
        token = self.tokens[0]
        shown = self.text[token.start : token.end + 1]
        return self.error(f"no statement begins with {shown}", self.here(), hint)

    # settings

    def _set(self) -> st.Statement:
        self.expect("SET")
        if self.done:
            return st.SetOption(self.end())
        if self.is_type(TokenType.STRING):
            key = self.string()
            self.expect_type(TokenType.EQ, "'='")
            value = self.string("the value in quotes")
            return st.SetOption(self.end(), key, value)
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
        return st.SetOption(self.end(), key, value)

    def _reset(self) -> st.Statement:
        self.expect("RESET")
        if self.done:
            return st.ResetOption(self.end())
        start = self.tokens[self.at]
        if start.token_type is TokenType.STRING:
            key = self.string()
            return st.ResetOption(self.end(), key)
        key = self.text[start.start : self.tokens[-1].end + 1].strip()
        self.at = len(self.tokens)
        return st.ResetOption(self.end(), key)

    # work

    def _insert(self) -> st.Insert:
        return self._insert_from(self.at)

    def _insert_from(self, start: int) -> st.Insert:
        """The INSERT from token ``start`` on, which ends the statement."""
        insert = self._insert_parts(start)
        self.end()
        return insert

    def _insert_parts(self, start: int) -> st.Insert:
        """An INSERT that begins at token ``start``, up to its end or a semicolon."""
        self.expect("INSERT")
        overwrite = self.match("OVERWRITE")
        if not overwrite:
            self.expect("INTO")
        self.match("TABLE")
        name = self.dotted_name("the table to write to")
        options = self.table_options()
        partition = self._partition() if self.match("PARTITION") else ()
        columns: tuple[str, ...] = ()
        spans: tuple[Span, ...] = ()
        opens = self.is_type(TokenType.L_PAREN)
        if opens and self.word(1) not in ("SELECT", "WITH", "VALUES"):
            columns, spans = self.column_names()
        query = self.query()
        conflict = self._on_conflict()
        text, span = self.text_from(start), self.span_from(start)
        tables = {place - start for place in self.hinted}
        hints = execution_hints(self.tokens[start : self.at], tables, self.text)
        ttls = state_ttls(self.tokens[start : self.at], self.text)
        source = st.StatementSource(text, self.text, span, hints, ttls)
        return st.Insert(
            source, name, columns, query, spans, options, partition, overwrite, conflict
        )

    def _partition(self) -> tuple[tuple[str, s.Expression], ...]:
        self.l_paren()
        values: list[tuple[str, s.Expression]] = []
        while not values or self.comma():
            name = self.name("a partition column")[0]
            self.expect_type(TokenType.EQ, "'=' and a constant")
            values.append((name, self.expression()))
        self.r_paren()
        return tuple(values)

    def _on_conflict(self) -> str | None:
        """``ON CONFLICT DO DEDUPLICATE``; Flink's other two actions are refused by name."""
        if not self.match("ON", "CONFLICT", "DO"):
            return None
        action = self.word()
        if action not in ("DEDUPLICATE", "ERROR", "NOTHING"):
            self.unexpected("DEDUPLICATE")
        if action != "DEDUPLICATE":
            hint = "write ON CONFLICT DO DEDUPLICATE, or deduplicate with ROW_NUMBER"
            raise self.unsupported(f"ON CONFLICT DO {action}", self.here(), hint)
        self.advance()
        return action

    def _explain(self) -> st.Statement:
        self.expect("EXPLAIN")
        details: list[str] = []
        if self.match("PLAN", "FOR"):
            pass
        while self.word() in _EXPLAIN_DETAILS:
            details.append(self.advance().text.upper())
            self.comma()
        inner: st.Statement
        self.match("EXECUTE")
        if self.sees("INSERT"):
            inner = self._insert()
        elif self.sees("STATEMENT", "SET") or self.sees("BEGIN"):
            inner = self._statement_set()
        else:
            query = self.query()
            inner = st.Query(self.end(), query)
        assert isinstance(inner, st.Query | st.Insert | st.StatementSet)
        return st.Explain(self.end(), inner, tuple(details))

    def _execute(self) -> st.Statement:
        """EXECUTE STATEMENT SET, EXECUTE PLAN, EXECUTE SELECT and EXECUTE INSERT."""
        self.expect("EXECUTE")
        if self.sees("STATEMENT"):
            return self._statement_set()
        if self.match("PLAN"):
            path = self.string("the plan's path in quotes")
            return st.ExecutePlan(self.end(), path)
        if self.sees("INSERT"):
            return self._insert_from(self.at)
        query = self.query()
        return st.Query(self.end(), query)

    def _compile(self) -> st.Statement:
        """COMPILE [AND EXECUTE] PLAN 'path' [IF NOT EXISTS] FOR …"""
        self.expect("COMPILE")
        execute = self.match("AND", "EXECUTE")
        self.expect("PLAN")
        path = self.string("the plan's path in quotes")
        exists = self.match("IF", "NOT", "EXISTS")
        self.expect("FOR")
        is_set = self.sees("STATEMENT") or self.sees("BEGIN")
        inner = self._statement_set() if is_set else self._insert_parts(self.at)
        return st.CompilePlan(self.end(), path, exists, inner, execute)

    def _statement_set(self) -> st.StatementSet:
        if self.match("STATEMENT", "SET"):
            self.expect("BEGIN")
        else:
            self.expect("BEGIN", "STATEMENT", "SET")
            self.match_type(TokenType.SEMICOLON)
        inserts: list[st.Insert] = []
        while not self.match("END"):
            inserts.append(self._insert_parts(self.at))
            if not self.match_type(TokenType.SEMICOLON) and not self.sees("END"):
                self.unexpected("';' or END")
        if not inserts:
            raise self.error("a statement set needs at least one INSERT", self.here())
        return st.StatementSet(self.end(), tuple(inserts))

    def _stop(self) -> st.Statement:
        self.expect("STOP", "JOB")
        job = self.string("the job's id in quotes")
        savepoint = self.match("WITH", "SAVEPOINT")
        return st.StopJob(self.end(), job, savepoint)

    def _help(self) -> st.Statement:
        self.expect("HELP")
        return st.Help(self.end())


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
    "EXECUTE": StatementGrammar._execute,
    "COMPILE": StatementGrammar._compile,
    "REPLACE": StatementGrammar._replace,
    "LOAD": StatementGrammar._module,
    "UNLOAD": StatementGrammar._module,
    "ADD": StatementGrammar._jar,
    "REMOVE": StatementGrammar._jar,
    "STOP": StatementGrammar._stop,
    "HELP": StatementGrammar._help,
}

# Statements of Flink that are known by name only, and what to do instead.
_LATER: dict[str, str] = {
    "ANALYZE": "queries are planned without statistics here",
    "CALL": "no catalog here has procedures",
    "DELETE": "a stream is only ever added to; filter the rows in a view",
    "MERGE": "Flink has none either; join the two and INSERT the result",
    "TRUNCATE": "delete the stream or the files, and create them again",
    "UPDATE": "a stream is only ever added to; compute the new value in a view",
}


def first_words(tokens: list[Token]) -> tuple[str, ...]:
    """The first bare words in upper case, for telling a statement set from the rest."""
    return tuple(t.text.upper() for t in tokens[:12])
