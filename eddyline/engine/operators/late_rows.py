"""Which rows come too late for an operator that gives rows in order of time.

Flink's rule there is not the watermark but the newest time that was given (of the row's key): a
row behind the watermark is still taken while nothing newer has been given. Rows wait in a table
until the watermark has passed them, so what had been given when a row came follows from the rows
before it and the watermarks between, and is found for the late candidates alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from eddyline.engine.database import Database
from eddyline.engine.operators.accumulate import KeyColumn, listed, matching
from eddyline.engine.operators.operator import Int64s
from eddyline.record.batch import MIN_WATERMARK
from eddyline.record.types import quote

T, SEQ, AFTER = quote("$t"), quote("$seq"), quote("$after")


@dataclass(frozen=True, slots=True)
class RowsBeforeWatermark:
    """The tables of an operator whose rows wait for the watermark.

    pending: rows with ``$t`` (time), ``$seq`` (arrival) and ``$after``: the row may be given only
    under a watermark beyond this one. given: per key the newest time given, in ``$t``. forget_ms:
    how long after it a key's newest time is forgotten, None for never.
    """

    db: Database
    keys: list[KeyColumn]
    pending: str
    given: str
    forget_ms: int | None = None

    def create(self, columns: str) -> None:
        """Both tables; ``columns``: definitions of the rows' own columns."""
        self.db.run(
            f"CREATE TABLE {self.pending} ({columns}, {T} BIGINT, {SEQ} BIGINT, {AFTER} BIGINT)"
        )
        keys = "".join(f"{quote(k.name)} {k.type}, " for k in self.keys)
        self.db.run(f"CREATE TABLE {self.given} ({keys}{T} BIGINT)")

    def late(self, rows: pa.Table, watermarks: Int64s | None) -> npt.NDArray[np.bool_]:
        """(n,) whether each row is too late. ``rows`` hold the keys, ``$t`` and ``$seq``."""
        late = np.zeros(rows.num_rows, np.bool_)
        if watermarks is None:
            return late
        times = rows["$t"].combine_chunks().to_numpy()
        behind = times <= watermarks
        if not behind.any():
            return late
        rows = rows.append_column("$wm", pa.array(watermarks))
        candidates = rows.filter(pa.array(behind))
        match = matching(self.keys, "l", "o")
        keys = "".join(f"{k}, " for k in listed(self.keys))
        # All that may have been given before a candidate came: what has been, what waits, and
        # the batch's own rows before it.
        others = (
            f"SELECT {keys}{T}, -1 AS {SEQ}, {MIN_WATERMARK + 1} AS a FROM {self.given} UNION ALL "
            f"SELECT {keys}{T}, -1, {AFTER} FROM {self.pending} UNION ALL "
            f'SELECT {keys}{T}, {SEQ}, CASE WHEN {T} <= "$wm" THEN "$wm" '
            f"ELSE {MIN_WATERMARK + 1} END FROM b"
        )
        newest = (
            f'SELECT l.{SEQ}, any_value(l.{T}) AS t, any_value(l."$wm") AS w, max(o.{T}) AS m '
            f'FROM l JOIN ({others}) o ON {match} AND o.{SEQ} < l.{SEQ} AND o.{T} <= l."$wm" '
            f'AND o.a < l."$wm" GROUP BY l.{SEQ}'
        )
        still = "" if self.forget_ms is None else f" AND w < m + {self.forget_ms}"
        sql = f"SELECT {SEQ} AS s FROM ({newest}) WHERE t <= m{still}"
        dropped = self.db.query(sql, b=rows, l=candidates)["s"].combine_chunks().to_numpy()
        if len(dropped):
            order = rows["$seq"].combine_chunks().to_numpy()
            late = np.isin(order, dropped)
        return late

    def keep(self, rows: pa.Table, watermarks: Int64s | None, columns: str) -> None:
        """Rows that are not late wait. ``rows`` hold ``columns``, ``$t`` and ``$seq``."""
        after = np.full(rows.num_rows, MIN_WATERMARK + 1)
        if watermarks is not None:
            times = rows["$t"].combine_chunks().to_numpy()
            after = np.where(times <= watermarks, watermarks, after)
        rows = rows.append_column("$after", pa.array(after))
        self.db.run(
            f"INSERT INTO {self.pending} SELECT {columns}, {T}, {SEQ}, {AFTER} FROM b", b=rows
        )

    def next(self) -> int | None:
        """The least watermark under which a row is given."""
        least: int | None = self.db.one(
            f"SELECT min(greatest({T}, {AFTER} + 1)) FROM {self.pending}"
        )
        return least

    @staticmethod
    def due(watermark: int) -> str:
        """Text of the condition that a row is given under ``watermark``."""
        return f"{T} <= {watermark} AND {AFTER} < {watermark}"

    def remember(self, source: str, watermark: int) -> None:
        """Note the newest time of each key of ``source``, whose rows are being given."""
        keys = listed(self.keys)
        group = f"GROUP BY {', '.join(keys)}" if keys else "HAVING count(*) > 0"
        newest = f"SELECT {''.join(k + ', ' for k in keys)}max({T}) AS {T} FROM {source} {group}"
        match = matching(self.keys, "s", "n")
        names = ", ".join([*keys, T])
        values = ", ".join(f"n.{c}" for c in [*keys, T])
        self.db.run(
            f"MERGE INTO {self.given} AS s USING ({newest}) AS n ON {match} "
            f"WHEN MATCHED THEN UPDATE SET {T} = greatest(s.{T}, n.{T}) "
            f"WHEN NOT MATCHED THEN INSERT ({names}) VALUES ({values})"
        )
        if self.forget_ms is not None:
            self.db.run(f"DELETE FROM {self.given} WHERE {watermark} >= {T} + {self.forget_ms}")
