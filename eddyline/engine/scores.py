"""What a forest has scored, for charts and alerts."""

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
    empty where the row is ordinary. lower, upper: (n, d), the band. rarity: (n,) decades, NaN while
    the key is learnt. episode: (n,) its number in the key, 0 for none. side: (n,) 1 or -1 where
    several rows are too high or too low together. reason, event, incident: n
    texts, empty for none (``forest_episodes``, ``forest_incidents``).
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
    lower: Doubles
    upper: Doubles
    rarity: Doubles
    episode: npt.NDArray[np.int64]
    side: npt.NDArray[np.int64]
    reason: tuple[str, ...] = ()
    event: tuple[str, ...] = ()
    incident: tuple[str, ...] = ()

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
                "lower": _lists(self.lower),
                "upper": _lists(self.upper),
                "rarity": pa.array(self.rarity),
                "episode": pa.array(self.episode, pa.int64()),
                "side": pa.array(self.side, pa.int64()),
                "reason": pa.array(self._of_all(self.reason), pa.string()),
                "event": pa.array(self._of_all(self.event), pa.string()),
                "incident": pa.array(self._of_all(self.incident), pa.string()),
            }
        )

    def _of_all(self, texts: tuple[str, ...]) -> tuple[str, ...]:
        return texts or ("",) * len(self.keys)

    @staticmethod
    def of(table: pa.Table, node: str, columns: tuple[str, ...]) -> ScorePoints:
        """The points out of ``table()``."""
        width = len(columns)

        def doubles(name: str) -> Doubles:
            column = table[name].combine_chunks()
            values = column.flatten() if pa.types.is_list(column.type) else column
            array: Doubles = values.to_numpy(zero_copy_only=False)
            return array

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
            lower=doubles("lower").reshape(-1, width),
            upper=doubles("upper").reshape(-1, width),
            rarity=doubles("rarity"),
            episode=table["episode"].combine_chunks().to_numpy(),
            side=table["side"].combine_chunks().to_numpy(),
            reason=tuple(table["reason"].to_pylist()),
            event=tuple(table["event"].to_pylist()),
            incident=tuple(table["incident"].to_pylist()),
        )


TABLE = (
    "nth BIGINT, time_ms BIGINT, key VARCHAR, point DOUBLE[], score DOUBLE, grade DOUBLE, "
    "alert BOOLEAN, expected DOUBLE[], explanation VARCHAR"
)
# What later releases keep beside; the tables of older jobs get it when they resume.
MORE = (
    ("lower", "DOUBLE[]"),
    ("upper", "DOUBLE[]"),
    ("rarity", "DOUBLE"),
    ("episode", "BIGINT"),
    ("side", "BIGINT"),
    ("reason", "VARCHAR"),
    ("event", "VARCHAR"),
    ("incident", "VARCHAR"),
)


def doubles_of(column: pa.ChunkedArray) -> Doubles:
    """A column of numbers; NaN where there is none."""
    values: Doubles = pc.fill_null(column.cast(pa.float64()), float("nan")).to_numpy()
    return values


def _lists(values: Doubles) -> pa.Array:
    flat = pa.array(np.ascontiguousarray(values).ravel())
    width = values.shape[1]
    return pa.FixedSizeListArray.from_arrays(flat, width).cast(pa.list_(pa.float64()))
