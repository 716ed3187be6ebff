"""Types as they are written: ``DECIMAL(10, 2) NOT NULL``, ``ARRAY<ROW<a INT, b STRING>>``."""

from __future__ import annotations

from collections.abc import Callable

from eddyline.errors import nearest
from eddyline.record import types as t
from eddyline.record.types import DataType, Root
from eddyline.sql.dialect import TokenType
from eddyline.sql.grammar.cursor import Cursor

_PLAIN = {
    "BOOLEAN": t.BOOLEAN,
    "TINYINT": t.TINYINT,
    "SMALLINT": t.SMALLINT,
    "INT": t.INT,
    "INTEGER": t.INT,
    "BIGINT": t.BIGINT,
    "FLOAT": t.FLOAT,
    "STRING": t.STRING,
    "BYTES": t.BYTES_TYPE,
    "DATE": t.DATE,
    "VARIANT": t.variant(),
}
# word: (family, length if none is written, longest). VARCHAR alone is STRING, in casts and columns.
_SIZED = {
    "CHAR": (Root.CHAR, 1, t.VARCHAR_MAX),
    "CHARACTER": (Root.CHAR, 1, t.VARCHAR_MAX),
    "VARCHAR": (Root.VARCHAR, t.VARCHAR_MAX, t.VARCHAR_MAX),
    "BINARY": (Root.BINARY, 1, t.VARCHAR_MAX),
    "VARBINARY": (Root.VARBINARY, t.VARCHAR_MAX, t.VARCHAR_MAX),
    "TIMESTAMP_LTZ": (Root.TIMESTAMP_LTZ, 6, 9),
}
_VARYING = {"CHAR": "VARCHAR", "CHARACTER": "VARCHAR", "BINARY": "VARBINARY"}
_KNOWN = [*_PLAIN, *_SIZED, "DOUBLE", "DECIMAL", "NUMERIC", "TIME", "TIMESTAMP", "ARRAY", "MAP",
          "MULTISET", "ROW", "STRUCTURED"]  # fmt: skip


class TypeGrammar(Cursor):
    """Reads one type."""

    def data_type(self) -> DataType:
        """A type with its nullability.

        Raises:
            EddylineError: ``sql_syntax`` for an unknown type, with the nearest known one.
        """
        kind = self._nullability(self._bare_type())
        while self.word() in _SUFFIXES:
            of = _SUFFIXES[self.word()]
            self.advance()
            kind = self._nullability(of(kind))
        return kind

    def _nullability(self, kind: DataType) -> DataType:
        if self.match("NOT", "NULL"):
            return kind.not_null()
        self.match("NULL")
        return kind

    def _bare_type(self) -> DataType:
        word = self.word()
        if word in _PLAIN:
            self.advance()
            return _PLAIN[word]
        if word in _SIZED:
            self.advance()
            return self._sized(word)
        method = _METHODS.get(word)
        if method:
            self.advance()
            return method(self)
        near = nearest(word, _KNOWN) if word else []
        hint = f"did you mean {near[0]}?" if near else "for example INT, DOUBLE, STRING"
        token = self.peek()
        if token is None:
            self.unexpected("a type")
        raise self.error(f"unknown type {token.text}", self.here(), hint)

    def _sized(self, word: str) -> DataType:
        if word in _VARYING and self.match("VARYING"):
            word = _VARYING[word]
        root, usual, most = _SIZED[word]
        return DataType(root, self._length(usual, most))

    def _length(self, usual: int, most: int) -> int:
        if not self.match_type(TokenType.L_PAREN):
            return usual
        span = self.here()
        length = self.integer("a length")
        least = 0 if most == 9 else 1
        if not least <= length <= most:
            raise self.error(f"{length} is not between {least} and {most}", span)
        self.r_paren()
        return length

    def _double(self) -> DataType:
        self.match("PRECISION")
        return t.DOUBLE

    def _decimal(self) -> DataType:
        if not self.match_type(TokenType.L_PAREN):
            return t.decimal(10, 0)
        span = self.here()
        precision = self.integer("a precision")
        scale = self.integer("a scale") if self.comma() else 0
        self.r_paren()
        if not 1 <= precision <= 38 or scale > precision:
            msg = f"DECIMAL({precision}, {scale}) is not possible"
            raise self.error(
                msg, span, "at most 38 digits, and no more behind the point than in all"
            )
        return t.decimal(precision, scale)

    def _time(self) -> DataType:
        precision = self._length(0, 9)
        self.match("WITHOUT", "TIME", "ZONE")
        return DataType(Root.TIME, precision)

    def _timestamp(self) -> DataType:
        precision = self._length(6, 9)
        if self.match("WITH", "LOCAL", "TIME", "ZONE"):
            return t.timestamp_ltz(precision)
        if self.sees("WITH", "TIME", "ZONE"):
            hint = "use TIMESTAMP_LTZ"
            raise self.unsupported("TIMESTAMP WITH TIME ZONE", self.here(), hint)
        self.match("WITHOUT", "TIME", "ZONE")
        return t.timestamp(precision)

    def _array(self) -> DataType:
        self.expect_type(TokenType.LT, "'<'")
        element = self.data_type()
        self.expect_type(TokenType.GT, "'>'")
        return t.array(element)

    def _multiset(self) -> DataType:
        self.expect_type(TokenType.LT, "'<'")
        element = self.data_type()
        self.expect_type(TokenType.GT, "'>'")
        return t.multiset(element)

    def _map(self) -> DataType:
        self.expect_type(TokenType.LT, "'<'")
        key = self.data_type()
        self.expect_type(TokenType.COMMA, "','")
        value = self.data_type()
        self.expect_type(TokenType.GT, "'>'")
        return t.map_of(key, value)

    def _row_type(self) -> DataType:
        closer = TokenType.GT
        if self.match_type(TokenType.L_PAREN):
            closer = TokenType.R_PAREN
        else:
            self.expect_type(TokenType.LT, "'<'")
        names, children = self._fields()
        self.expect_type(closer, "the end of the ROW type")
        return t.row(names, children)

    def _fields(self) -> tuple[tuple[str, ...], tuple[DataType, ...]]:
        names: list[str] = []
        children: list[DataType] = []
        while not names or self.comma():
            names.append(self.name("a field name")[0])
            children.append(self.data_type())
            if self.is_type(TokenType.STRING):  # a field's comment, which no type keeps
                self.advance()
        return tuple(names), tuple(children)

    def _structured(self) -> DataType:
        self.expect_type(TokenType.LT, "'<'")
        name = self.string("the name of a class in quotes")
        names, children = self._fields() if self.comma() else ((), ())
        self.expect_type(TokenType.GT, "the end of the STRUCTURED type")
        return t.structured(name, names, children)


_SUFFIXES: dict[str, Callable[[DataType], DataType]] = {"ARRAY": t.array, "MULTISET": t.multiset}
_METHODS: dict[str, Callable[[TypeGrammar], DataType]] = {
    "DOUBLE": TypeGrammar._double,
    "DECIMAL": TypeGrammar._decimal,
    "DEC": TypeGrammar._decimal,
    "NUMERIC": TypeGrammar._decimal,
    "TIME": TypeGrammar._time,
    "TIMESTAMP": TypeGrammar._timestamp,
    "ARRAY": TypeGrammar._array,
    "MAP": TypeGrammar._map,
    "MULTISET": TypeGrammar._multiset,
    "STRUCTURED": TypeGrammar._structured,
    "ROW": TypeGrammar._row_type,
}
