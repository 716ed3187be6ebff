"""river's half-space trees over a world's keys; runs with a Python that has river.

    python half_space.py FILE.npz

The file holds ``values`` (k, n, d). Each key has a forest with river's defaults, whose columns are
scaled to 0 and 1 as river's manual does it. Scores (k, n), each row's before it is learnt, are
written to ``FILE.npz.scores.npy``.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np


def main() -> None:
    """Score the file."""
    import river.anomaly
    import river.compose
    import river.preprocessing

    with np.load(sys.argv[1]) as given:
        values = given["values"]
    scores = np.zeros(values.shape[:2])
    names = [f"x{i}" for i in range(values.shape[2])]
    for key, rows in enumerate(values):
        scaler, trees = river.preprocessing.MinMaxScaler(), river.anomaly.HalfSpaceTrees(seed=1)
        model: Any = river.compose.Pipeline(scaler, trees)
        for nth, row in enumerate(rows.tolist()):
            point = dict(zip(names, row, strict=True))
            scores[key, nth] = model.score_one(point)
            model.learn_one(point)
    np.save(f"{sys.argv[1]}.scores.npy", scores)


if __name__ == "__main__":
    main()
