"""SHOW, DESCRIBE, USE and the statements about modules and JARs."""

from __future__ import annotations

from eddyline.sql import statement as st
from eddyline.sql import syntax as s
from eddyline.sql.dialect import TokenType
from eddyline.sql.grammar.altering import AlterGrammar

# What SHOW lists; a word before it that belongs to some of them only.
_LISTS = {
    "TABLES": "", "VIEWS": "", "DATABASES": "", "CATALOGS": "", "FUNCTIONS": "USER",
    "MODULES": "FULL", "JOBS": "", "STREAMS": "", "COLUMNS": "", "PARTITIONS": "", "MODELS": "",
    "JARS": "", "PROCEDURES": "",
}  # fmt: skip
_CREATED = ("TABLE", "VIEW", "CATALOG")
_DESCRIBED = ("CATALOG", "DATABASE", "FUNCTION", "JOB")
_NO_MODULES = "the module core is loaded, with all functions of SHOW FUNCTIONS"


class ShowGrammar(AlterGrammar):
    """Reads the statements that look around."""

    def _use(self) -> st.Statement:
        self.expect("USE")
        if self.match("MODULES"):
            names = [self.name("a module")[0]]
            while self.comma():
                names.append(self.name("a module")[0])
            return st.UseModules(self.end(), tuple(names))
        if self.match("CATALOG"):
            name = self.dotted_name("a catalog")
            return st.UseCatalog(self.end(), name)
        name = self.dotted_name("a database")
        return st.UseDatabase(self.end(), name)

    def _module(self) -> st.Statement:
        """LOAD MODULE and UNLOAD MODULE."""
        word = self.advance().text.upper()
        self.expect("MODULE")
        name = self.name("a module")[0]
        raise self.unsupported(f"{word} MODULE {name}", self.tokens_span(0, 3), _NO_MODULES)

    def _jar(self) -> st.Statement:
        """ADD JAR and REMOVE JAR."""
        remove = self.advance().text.upper() == "REMOVE"
        self.expect("JAR")
        path = self.string("the JAR's path in quotes")
        return st.AddJar(self.end(), path, remove)

    def _show(self) -> st.Statement:
        self.expect("SHOW")
        if self.match("CREATE"):
            kind = self.word()
            if kind not in _CREATED:
                self.unexpected(", ".join(_CREATED))
            self.advance()
            name = self.dotted_name(f"a {kind.lower()}")
            return st.Show(self.end(), f"CREATE {kind}", name)
        if self.match("CURRENT"):
            what = self.word()
            if what not in ("CATALOG", "DATABASE"):
                self.unexpected("CATALOG or DATABASE")
            self.advance()
            return st.Show(self.end(), f"CURRENT {what}")
        first = self.word()
        full = first in ("USER", "FULL") and self.match(first)
        if self.sees("MATERIALIZED", "TABLES"):
            hint = "there are none here; SHOW JOBS lists the jobs of CREATE TABLE … AS SELECT"
            raise self.unsupported("SHOW MATERIALIZED TABLES", self.here(), hint)
        what = self.word()
        if what not in _LISTS or (full and _LISTS[what] != first):
            self.unexpected(", ".join(_LISTS))
        self.advance()
        place = self._place_of(what)
        partition: tuple[tuple[str, str], ...] = ()
        if what == "PARTITIONS" and self.match("PARTITION"):
            partition = self._partition_values()
        pattern = self._like_pattern()
        return st.Show(self.end(), what, place, pattern, full, partition)

    def _place_of(self, what: str) -> s.Name | None:
        """The table or database a list is of."""
        if what == "PARTITIONS":
            return self.dotted_name("a table")
        if self.match("FROM") or self.match("IN"):
            return self.dotted_name("a name")
        if what == "COLUMNS":
            self.unexpected("FROM and a table")
        return None

    def _like_pattern(self) -> st.Pattern | None:
        negated = self.match("NOT")
        ignore_case = self.match("ILIKE")
        if ignore_case or self.match("LIKE"):
            return st.Pattern(self.string("a pattern in quotes"), negated, ignore_case)
        if negated:
            self.unexpected("LIKE or ILIKE")
        return None

    def _partition_values(self) -> tuple[tuple[str, str], ...]:
        self.l_paren()
        values: list[tuple[str, str]] = []
        while not values or self.comma():
            name = self.name("a partition column")[0]
            self.expect_type(TokenType.EQ, "'='")
            values.append((name, self.advance().text))
        self.r_paren()
        return tuple(values)

    def _describe(self) -> st.Statement:
        self.advance()
        what = self.word() if self.word() in _DESCRIBED else "TABLE"
        if what == "JOB":
            hint = "SHOW JOBS lists every job with its state"
            raise self.unsupported("DESCRIBE JOB", self.here(), hint)
        if what != "TABLE":
            self.advance()
        extended = self.match("EXTENDED")
        if what == "FUNCTION":
            start = self.at
            word = self.advance()
            name = s.Name((word.text,), self.span_from(start))
            while self.match_type(TokenType.DOT):
                name = s.Name((*name.parts, self.advance().text), self.span_from(start))
        else:
            name = self.dotted_name(f"a {what.lower()}")
        return st.Describe(self.end(), name, extended, what)
