"""What travels between operators: a batch of rows with kinds of change, or a watermark.

A batch is columnar. ``kinds`` is None for the common case of insert-only rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from eddyline.record.plain_rows import PlainRows

MIN_WATERMARK = -(2**63)
MAX_WATERMARK = 2**63 - 1


class ChangeKind(IntEnum):
    """Flink's row kinds, in Flink's own numbers."""

    INSERT = 0
    UPDATE_BEFORE = 1
    UPDATE_AFTER = 2
    DELETE = 3

    @property
    def short(self) -> str:
        """``+I``, ``-U``, ``+U`` or ``-D``."""
        return ("+I", "-U", "+U", "-D")[self]


class Batch:
    """Rows.

    rows: columns by name, n rows, in order of arrival; of plain ones, an Arrow table is made when
        it is first asked for.
    kinds: (n,) int8 of Kind, or None when every row is an INSERT.
    watermarks: (n,) int64 epoch ms, the watermark in force just BEFORE each row (so that a row's
        lateness never depends on how rows were cut into batches); None downstream of the first
        operator that consumes time, whose output is never late.
    plain: the rows as Python values; None if they are not.
    """

    __slots__ = ("_rows", "kinds", "plain", "watermarks")

    def __init__(
        self,
        rows: pa.Table | PlainRows,
        kinds: npt.NDArray[np.int8] | None = None,
        watermarks: npt.NDArray[np.int64] | None = None,
    ) -> None:
        self.plain = rows if isinstance(rows, PlainRows) else None
        self._rows = None if self.plain is not None else rows
        self.kinds = kinds
        self.watermarks = watermarks

    @property
    def rows(self) -> pa.Table:
        if self._rows is None:
            assert self.plain is not None
            self._rows = self.plain.table()
        return self._rows

    @property
    def num_rows(self) -> int:
        return self.plain.num_rows if self.plain is not None else int(self.rows.num_rows)


@dataclass(frozen=True, slots=True)
class Watermark:
    """No row with an earlier time will be taken: epoch ms, as Flink counts (fires at end - 1)."""

    timestamp_ms: int


@dataclass(frozen=True, slots=True)
class End:
    """A bounded input is over: everything still open fires."""


Element = Batch | Watermark | End
