"""What a forest has scored, as it goes to whoever draws or alerts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ScorePoints:
    """n scored rows of one forest, in the order in which they were learnt.

    node: the forest's name in the job, stable over restarts. nth: (n,) the row's number among all
    that the forest has learnt, the same after a restart. time_ms: (n,) row time, epoch ms (the
    wall time of the batch if the rows have none). keys: n texts, the partition's key values joined
    by '|'. columns: d names; values, expected: (n, d), expected NaN where the forest gives none.
    score, grade: (n,). alert: (n,) bool, the first row of an anomaly. explanation: n JSON texts,
    empty where the row is ordinary.
    """

    node: str
    nth: npt.NDArray[np.int64]
    time_ms: npt.NDArray[np.int64]
    keys: tuple[str, ...]
    columns: tuple[str, ...]
    values: Doubles
    score: Doubles
    grade: Doubles
    alert: npt.NDArray[np.bool_]
    expected: Doubles
    explanation: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.keys)

    def table(self) -> pa.Table:
        """The points as rows, to be kept until they are told."""
        return pa.table(
            {
                "nth": pa.array(self.nth, pa.int64()),
                "time_ms": pa.array(self.time_ms, pa.int64()),
                "key": pa.array(self.keys, pa.string()),
                "point": _lists(self.values),
                "score": pa.array(self.score),
                "grade": pa.array(self.grade),
                "alert": pa.array(self.alert),
                "expected": _lists(self.expected),
                "explanation": pa.array(self.explanation, pa.string()),
            }
        )

    @staticmethod
    def of(table: pa.Table, node: str, columns: tuple[str, ...]) -> ScorePoints:
        """The points out of ``table()``."""
        width = len(columns)

        def doubles(name: str) -> Doubles:
            column = table[name].combine_chunks()
            values = column.flatten() if pa.types.is_list(column.type) else column
            found: Doubles = values.to_numpy(zero_copy_only=False)
            return found

        return ScorePoints(
            node=node,
            nth=table["nth"].combine_chunks().to_numpy(),
            time_ms=table["time_ms"].combine_chunks().to_numpy(),
            keys=tuple(table["key"].to_pylist()),
            columns=columns,
            values=doubles("point").reshape(-1, width),
            score=doubles("score"),
            grade=doubles("grade"),
            alert=table["alert"].combine_chunks().to_numpy(zero_copy_only=False),
            expected=doubles("expected").reshape(-1, width),
            explanation=tuple(table["explanation"].to_pylist()),
        )


TABLE = (
    "nth BIGINT, time_ms BIGINT, key VARCHAR, point DOUBLE[], score DOUBLE, grade DOUBLE, "
    "alert BOOLEAN, expected DOUBLE[], explanation VARCHAR"
)


def doubles_of(column: pa.ChunkedArray) -> Doubles:
    """A column of numbers; NaN where there is none."""
    values: Doubles = pc.fill_null(column.cast(pa.float64()), float("nan")).to_numpy()
    return values


def _lists(values: Doubles) -> pa.Array:
    flat = pa.array(np.ascontiguousarray(values).ravel())
    width = values.shape[1]
    return pa.FixedSizeListArray.from_arrays(flat, width).cast(pa.list_(pa.float64()))
