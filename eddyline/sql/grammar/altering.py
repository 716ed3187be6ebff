"""ALTER: tables, views, databases, catalogs, functions."""

from __future__ import annotations

from eddyline.sql import statement as st
from eddyline.sql import syntax as s
from eddyline.sql.dialect import TokenType
from eddyline.sql.grammar.creating import CreateGrammar
from eddyline.sql.grammar.definitions import TableElements

_PARTITIONS = "rows go to the partition of their value by themselves; SHOW PARTITIONS lists them"


class AlterGrammar(CreateGrammar):
    """Reads ALTER statements."""

    def _alter(self) -> st.Statement:
        self.expect("ALTER")
        if self.match("TABLE"):
            return self._alter_table()
        if self.match("VIEW"):
            return self._alter_view()
        if self.match("DATABASE"):
            name = self.dotted_name("a database")
            self.expect("SET")
            options = self.option_list()
            return st.AlterDatabase(self.end(), name, options)
        if self.match("CATALOG"):
            return self._alter_catalog()
        temporary = self.match("TEMPORARY")
        system = self.match("SYSTEM")
        if self.match("FUNCTION"):
            exists = self.match("IF", "EXISTS")
            return self.function(temporary, system, exists, True)
        hint = "TABLE, VIEW, DATABASE, CATALOG and FUNCTION can be altered"
        raise self.unsupported(f"ALTER {self.word()}", self.here(), hint)

    def _alter_catalog(self) -> st.Statement:
        name = self.dotted_name("a catalog")
        if self.match("SET"):
            options = self.option_list()
            return st.AlterCatalog(self.end(), name, options)
        if self.match("RESET"):
            keys = self._keys()
            return st.AlterCatalog(self.end(), name, reset_options=keys)
        comment = self.comment()
        if comment is None:
            self.unexpected("SET, RESET or COMMENT")
        return st.AlterCatalog(self.end(), name, comment=comment)

    def _alter_view(self) -> st.Statement:
        name = self.dotted_name("a view")
        if self.match("RENAME", "TO"):
            new = self.name("the new name")[0]
            return st.AlterView(self.end(), name, rename=new)
        self.expect("AS")
        start = self.at
        query = self.query()
        text = self.text_from(start)
        return st.AlterView(self.end(), name, query=query, query_text=text)

    def _alter_table(self) -> st.Statement:
        exists = self.match("IF", "EXISTS")
        name = self.dotted_name()
        if self.match("RENAME", "TO"):
            new = self.name("the new name")[0]
            return st.AlterTable(self.end(), name, rename=new, if_exists=exists)
        if self.match("SET"):
            options = self.option_list()
            return st.AlterTable(self.end(), name, set_options=options, if_exists=exists)
        if self.match("RESET"):
            keys = self._keys()
            return st.AlterTable(self.end(), name, reset_options=keys, if_exists=exists)
        change = self._schema_change(name)
        return st.AlterTable(self.end(), name, change=change, if_exists=exists)

    def _keys(self) -> tuple[str, ...]:
        self.l_paren()
        keys = [self.string("an option in quotes")]
        while self.comma():
            keys.append(self.string("an option in quotes"))
        self.r_paren()
        return tuple(keys)

    def _schema_change(self, name: s.Name) -> st.SchemaChange:
        if self.match("RENAME"):
            old = self.name("a column")[0]
            self.expect("TO")
            return st.RenameColumn(old, self.name("the new name")[0])
        word = self.word()
        if word not in ("ADD", "MODIFY", "DROP"):
            self.unexpected("ADD, MODIFY, DROP, RENAME, SET or RESET")
        self.advance()
        partition = self.sees("PARTITION") or self.sees("IF", "NOT", "EXISTS")
        if partition or self.sees("IF", "EXISTS", "PARTITION"):
            raise self.unsupported(f"ALTER TABLE … {word} PARTITION", self.here(), _PARTITIONS)
        return self._dropped() if word == "DROP" else self._added(modify=word == "MODIFY")

    def _dropped(self) -> st.DropElements:
        if self.match("WATERMARK"):
            return st.DropElements(part="WATERMARK")
        if self.match("PRIMARY", "KEY"):
            return st.DropElements(part="PRIMARY KEY")
        if self.match("CONSTRAINT"):
            self.name("a constraint's name")
            return st.DropElements(part="PRIMARY KEY")
        if self.match("DISTRIBUTION"):
            return st.DropElements(part="DISTRIBUTION")
        self.match("COLUMN")
        if self.is_type(TokenType.L_PAREN):
            return st.DropElements(self.name_list())
        return st.DropElements((self.name("a column")[0],))

    def _added(self, *, modify: bool) -> st.AddElements:
        elements, columns = TableElements(), []
        if self.sees("DISTRIBUTION") or self.sees("DISTRIBUTED"):
            return st.AddElements(modify, distribution=self.distribution())
        many = self.match_type(TokenType.L_PAREN) is not None
        while True:
            before = len(elements.columns)
            self.match("COLUMN")
            self.table_element(elements)
            if len(elements.columns) > before:
                columns.append(st.PlacedColumn(elements.columns[-1], self._place()))
            if not many or not self.comma():
                break
        if many:
            self.r_paren()
        return st.AddElements(modify, tuple(columns), elements.watermark, elements.primary_key)

    def _place(self) -> str | None:
        if self.match("FIRST"):
            return ""
        return self.name("a column")[0] if self.match("AFTER") else None
