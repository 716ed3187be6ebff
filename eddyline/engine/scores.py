"""What a forest has scored, as it goes to whoever draws or alerts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ScorePoints:
    """n scored rows of one forest, in the order in which they were learnt.

    node: the forest's name in the job, stable over restarts. time_ms: (n,) row time, epoch ms (the
    wall time of the batch if the rows have none). keys: n texts, the partition's key values joined
    by '|'. columns: d names; values, expected: (n, d), expected NaN where the forest gives none.
    score, grade: (n,). alert: (n,) bool, the first row of an anomaly. explanation: n JSON texts,
    empty where the row is ordinary.
    """

    node: str
    time_ms: npt.NDArray[np.int64]
    keys: tuple[str, ...]
    columns: tuple[str, ...]
    values: Doubles
    score: Doubles
    grade: Doubles
    alert: npt.NDArray[np.bool_]
    expected: Doubles
    explanation: tuple[str, ...]
