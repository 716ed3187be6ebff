"""What travels between operators: a batch of rows with kinds of change, or a watermark.

A batch is columnar. ``kinds`` is None for the common case of insert-only rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt
import pyarrow as pa

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


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows.

    rows: columns by name, n rows, in order of arrival.
    kinds: (n,) int8 of Kind, or None when every row is an INSERT.
    watermarks: (n,) int64 epoch ms, the watermark in force just BEFORE each row (so that a row's
        lateness never depends on how rows were cut into batches); None downstream of the first
        operator that consumes time, whose output is never late.
    """

    rows: pa.Table
    kinds: npt.NDArray[np.int8] | None = None
    watermarks: npt.NDArray[np.int64] | None = None

    @property
    def num_rows(self) -> int:
        return int(self.rows.num_rows)


@dataclass(frozen=True, slots=True)
class Watermark:
    """No row with an earlier time will be taken: epoch ms, as Flink counts (fires at end - 1)."""

    timestamp_ms: int


@dataclass(frozen=True, slots=True)
class End:
    """A bounded input is over: everything still open fires."""


Element = Batch | Watermark | End
