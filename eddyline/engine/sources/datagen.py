"""The datagen connector: rows made up, at a rate.

Values depend only on the table's name and the row's number, so that a job that is started again
goes on with the rows it would have made.
"""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np
import pyarrow as pa

from eddyline.engine.sources.paced import Offsets, PacedSource
from eddyline.engine.sources.source import SourceContext
from eddyline.errors import EddylineError
from eddyline.record.schema import Schema
from eddyline.record.types import DataType, Root, arrow_type

_RANGES = {Root.TINYINT: 2**7, Root.SMALLINT: 2**15, Root.INT: 2**31, Root.BIGINT: 2**62}
_LETTERS = np.frombuffer(b"0123456789abcdef", np.uint8)


class DatagenSource(PacedSource):
    """Rows by ``fields.<column>.kind`` = random or sequence."""

    def __init__(self, context: SourceContext, schema: Schema) -> None:
        options = context.options
        total = options.get("number-of-rows")
        ends = [options.get(f"fields.{c.name}.end") for c in schema]
        starts = [options.get(f"fields.{c.name}.start", "0") for c in schema]
        counts = [int(e) - int(s) + 1 for s, e in zip(starts, ends, strict=True) if e]
        if total is not None:
            counts.append(int(total))
        super().__init__(context, schema, min(counts, default=None))

    def _columns(self, offset: Offsets, now_ms: int) -> list[Any]:
        seed = zlib.crc32(self.context.name.encode())
        rng = np.random.default_rng([seed, int(offset[0])])
        return [self._column(c.name, c.type, offset, rng) for c in self._schema]

    def _column(
        self,
        name: str,
        t: DataType,
        offset: np.ndarray[Any, np.dtype[np.int64]],
        rng: np.random.Generator,
    ) -> pa.Array:
        option = self.context.options.get
        if option(f"fields.{name}.kind") == "sequence":
            values = pa.array(offset + int(option(f"fields.{name}.start", "0")))
            return values.cast(arrow_type(t))
        values = self._random(name, t, len(offset), rng)
        share = float(option(f"fields.{name}.null-rate", "0"))
        if share:
            values = pa.array(values.to_pylist(), values.type, mask=rng.random(len(offset)) < share)
        return values

    def _random(self, name: str, t: DataType, n: int, rng: np.random.Generator) -> pa.Array:
        option = self.context.options.get
        if t.root in _RANGES:
            low = int(option(f"fields.{name}.min", str(-_RANGES[t.root])))
            high = int(option(f"fields.{name}.max", str(_RANGES[t.root] - 1)))
            return pa.array(rng.integers(low, high, n, endpoint=True)).cast(arrow_type(t))
        if t.root in (Root.FLOAT, Root.DOUBLE, Root.DECIMAL):
            least, most = (float(option(f"fields.{name}.{w}", d)) for w, d in _BOUNDS)
            values = pa.array(np.round(rng.uniform(least, most, n), 6))
            return values.cast(arrow_type(t), safe=False)
        if t.is_text:
            length = int(option(f"fields.{name}.length", "100"))
            body = _LETTERS[rng.integers(0, 16, (n, length))].tobytes()
            offsets = np.arange(n + 1, dtype=np.int32) * length
            return pa.StringArray.from_buffers(n, pa.py_buffer(offsets), pa.py_buffer(body))
        if t.root is Root.BOOLEAN:
            return pa.array(rng.random(n) < 0.5)
        if t.is_timestamp:
            now = self.context.clock.now_ms()
            return pa.array(np.full(n, now * 1000)).cast(pa.timestamp("us"))
        msg = f"datagen cannot make values of type {t} for column {name}"
        raise EddylineError("sql_unsupported", msg)


_BOUNDS = (("min", "0"), ("max", "1"))
