"""The datagen connector: rows of random values or of sequences, at a rate.

Values depend only on the table's name and the row's number, so that a job that is restarted
continues with the rows it would have made. Options of nested values have the path of the part:
``fields.<row>.<field>.…``, ``fields.<array>.element.…``, ``fields.<map>.key.…``.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from eddyline.engine.sources.paced import Offsets, PacedSource
from eddyline.engine.sources.source import SourceContext
from eddyline.errors import EddylineError
from eddyline.options.connectors import datagen as options
from eddyline.options.connectors.datagen import ValueGenerator
from eddyline.options.connectors.paced import NULL_RATE, NUMBER_OF_ROWS
from eddyline.options.formats import own_options
from eddyline.record.schema import Schema
from eddyline.record.types import BYTES, VARCHAR_MAX, DataType, Root, arrow_type

_BITS = {Root.TINYINT: 7, Root.SMALLINT: 15, Root.INT: 31, Root.BIGINT: 63}
_DOUBLE_MAX = {Root.FLOAT: float(np.finfo(np.float32).max), Root.DOUBLE: float(np.finfo(float).max)}
_LETTERS = np.frombuffer(b"0123456789abcdef", np.uint8)
TEXT_LENGTH, COLLECTION_LENGTH = 100, 3
_INTERVALS_MAX = {Root.INTERVAL_MONTH: 120_000, Root.INTERVAL_SECOND: 2**31}


class DatagenSource(PacedSource):
    """Rows by ``fields.<column>.kind`` = random or sequence."""

    def __init__(self, context: SourceContext, schema: Schema) -> None:
        self._fields = [DatagenField(c.name, c.type, context.options) for c in schema]
        counts = [f.count for f in self._fields if f.count is not None]
        total = NUMBER_OF_ROWS.get(context.options)
        counts += [] if total is None else [total]
        super().__init__(context, schema, min(counts, default=None))

    def _columns(self, offset: Offsets, now_ms: int) -> list[Any]:
        seed = zlib.crc32(self.context.name.encode())
        rng = np.random.default_rng([seed, int(offset[0])])
        return [field.build(offset, now_ms, rng) for field in self._fields]


class DatagenField:
    """One column, or one part of a nested column."""

    def __init__(self, path: str, kind: DataType, table_options: Mapping[str, str]) -> None:
        self._path, self._type = path, kind
        own = own_options(path, table_options, "fields.")
        self._null_rate = NULL_RATE.read(own)
        self._max_past_ms = options.MAX_PAST.read(own)
        self._varies = options.VAR_LEN.read(own)
        self._length = self._length_of(kind, options.LENGTH.get(own))
        self._start = self.count = None
        parts: tuple[str, ...] = kind.names if kind.root is Root.ROW else ("key", "value")
        parts = ("element",) if kind.root is Root.ARRAY else parts
        pairs = zip(parts, kind.children, strict=True) if kind.children else ()
        self._parts = [DatagenField(f"{path}.{n}", t, table_options) for n, t in pairs]
        if options.KIND.read(own) is ValueGenerator.SEQUENCE:
            self._start = self._needed(options.START.name, options.START.get(own))
            last = self._needed(options.END.name, options.END.get(own))
            self.count = max(0, last - self._start + 1)
        self._least, self._most = self._bounds(own)

    def build(self, offset: Offsets, now_ms: int, rng: np.random.Generator) -> Any:
        """Values of the rows ``offset`` as an Arrow array of the column's type."""
        target = arrow_type(self._type)
        if self._start is not None:
            numbers = pa.array(offset + self._start)
            if self._type.root is Root.DECIMAL:
                return numbers.cast(pa.decimal128(38, 0)).cast(target)
            return numbers.cast(target)
        values = self._random(len(offset), now_ms, rng)
        if self._null_rate:
            gone = pa.array(rng.random(len(offset)) < self._null_rate)
            values = pc.if_else(gone, pa.scalar(None, values.type), values)
        return values

    def _random(self, n: int, now_ms: int, rng: np.random.Generator) -> Any:
        t, target = self._type, arrow_type(self._type)
        if t.root in _BITS or t.root in _INTERVALS_MAX:
            low, high = int(self._least), int(self._most)
            return pa.array(rng.integers(low, high, n, endpoint=True)).cast(target)
        if t.root in _DOUBLE_MAX:
            least, most = float(self._least), float(self._most)
            return pa.array(least + rng.random(n) * (most - least)).cast(target, safe=False)
        if t.root is Root.DECIMAL:
            return self._decimals(n, rng)
        if t.is_text or t.root in BYTES:
            return self._texts(n, rng).cast(target)
        if t.root is Root.BOOLEAN:
            return pa.array(rng.random(n) < 0.5)
        if t.is_timestamp or t.root in (Root.DATE, Root.TIME):
            past = rng.integers(0, self._max_past_ms, n, endpoint=True)
            times = pa.array((now_ms - past) * 1000).cast(pa.timestamp("us"))
            if t.root is Root.TIME:
                return times.cast(pa.time64("us")).cast(target, safe=False)
            return times.cast(target, safe=False)
        return self._nested(n, now_ms, rng)

    def _nested(self, n: int, now_ms: int, rng: np.random.Generator) -> Any:
        t = self._type
        if t.root is Root.ROW:
            fields = [part.build(np.arange(n), now_ms, rng) for part in self._parts]
            return pa.StructArray.from_arrays(fields, names=list(t.names))
        if t.root not in (Root.ARRAY, Root.MAP):
            msg = f"datagen cannot make values of type {t} for column {self._path}"
            raise EddylineError("sql_unsupported", msg, hint="leave the column out")
        parts = [part.build(np.arange(n * self._length), now_ms, rng) for part in self._parts]
        offsets = pa.array(np.arange(n + 1, dtype=np.int32) * self._length)
        if t.root is Root.ARRAY:
            return pa.ListArray.from_arrays(offsets, parts[0])
        maps = pa.MapArray.from_arrays(offsets, *parts).to_pylist()
        return pa.array([list(dict(pairs).items()) for pairs in maps], arrow_type(t))

    def _decimals(self, n: int, rng: np.random.Generator) -> Any:
        low, high = float(self._least), float(self._most)
        drawn = low + rng.random(n) * (high - low)
        step = Decimal(1).scaleb(-self._type.scale)
        least, most = Decimal(self._least), Decimal(self._most)
        values = [min(max(Decimal(x).quantize(step), least), most) for x in drawn.tolist()]
        return pa.array([v.quantize(step) for v in values], arrow_type(self._type))

    def _texts(self, n: int, rng: np.random.Generator) -> Any:
        length = self._length
        sizes = np.full(n, length, np.int64)
        if self._varies and length:
            sizes = rng.integers(1, length, n, endpoint=True)
        total = int(sizes.sum())
        if self._type.is_text:
            body = _LETTERS[rng.integers(0, 16, total)].tobytes()
        else:
            body = rng.integers(0, 256, total, np.uint8).tobytes()
        offsets = np.concatenate(([0], np.cumsum(sizes))).astype(np.int32)
        kind = pa.string() if self._type.is_text else pa.binary()
        return pa.Array.from_buffers(kind, n, [None, pa.py_buffer(offsets), pa.py_buffer(body)])

    def _length_of(self, t: DataType, given: int | None) -> int:
        """The length of a text or collection.

        Raises:
            EddylineError: ``sql_semantic`` for one that the column's type does not have.
        """
        fixed = t.root in (Root.CHAR, Root.BINARY)
        variable = t.root in (Root.VARCHAR, Root.VARBINARY)
        most = t.precision if fixed or variable else VARCHAR_MAX
        if self._varies and not variable:
            self._refuse("var-len", f"its type {t} has no length that could vary")
        if given is None:
            if variable:
                return TEXT_LENGTH if most >= VARCHAR_MAX else most
            return most if fixed else COLLECTION_LENGTH
        if fixed:
            self._refuse("length", f"its type {t} says the length")
        if given > most:
            self._refuse("length", f"its type {t} holds at most {most}")
        return given

    def _refuse(self, setting: str, reason: str) -> None:
        message = f"option 'fields.{self._path}.{setting}' does not fit: {reason}"
        raise EddylineError("sql_semantic", message, hint="leave the option out")

    def _needed(self, setting: str, text: str | None) -> int:
        """The first or last value of a sequence."""
        t = self._type
        known = t.is_text or t.root in (*_BITS, *_DOUBLE_MAX, Root.DECIMAL)
        if not known:
            self._refuse("kind", f"there is no sequence of {t}")
        key = f"fields.{self._path}.{setting}"
        if text is None:
            message = f"the option '{key}' is missing"
            raise EddylineError("sql_semantic", message, hint="a sequence has a start and an end")
        return int(self._number(key, text, whole=True))

    def _bounds(self, own: Mapping[str, str]) -> tuple[Decimal | float, Decimal | float]:
        """The least and the greatest random value."""
        t = self._type
        low: Decimal | float = 0
        high: Decimal | float = _INTERVALS_MAX.get(t.root, 0)
        if t.root in _BITS:
            low, high = -(2 ** _BITS[t.root]), 2 ** _BITS[t.root] - 1
        elif t.root in _DOUBLE_MAX:
            high = _DOUBLE_MAX[t.root]
        elif t.root is Root.DECIMAL:
            limit = Decimal(10**t.precision - 1).scaleb(-t.scale)
            low, high = -limit, limit
        out: list[Decimal | float] = []
        given: tuple[tuple[Any, str | None, Decimal | float], ...] = (
            (options.MIN, options.MIN.get(own), low),
            (options.MAX, options.MAX.get(own), high),
        )
        for option, text, default in given:
            key = f"fields.{self._path}.{option.name}"
            if text is None:
                out.append(default)
                continue
            if not (low or high):
                self._refuse(option.name, f"values of {t} have no bounds")
            value = self._number(key, text, whole=t.root in _BITS or t.root in _INTERVALS_MAX)
            if not -float(high) - 1 <= value <= float(high):
                self._refuse(option.name, f"it is not a {t.null()}")
            out.append(value)
        if out[0] > out[1]:
            self._refuse("min", "it is greater than 'max'")
        return out[0], out[1]

    def _number(self, key: str, text: str, *, whole: bool) -> Decimal:
        try:
            value = Decimal(text.strip())
            if not value.is_finite() or (whole and value != math.floor(value)):
                raise InvalidOperation
        except InvalidOperation:
            hint = "it must be an integer" if whole else "it must be a number"
            raise EddylineError("sql_semantic", f"option '{key}' is '{text}'", hint=hint) from None
        return value
