"""The forest's test vectors for other engines: the product and a plain reading of the page agree.

After a change of the arithmetic: ``python -m tests.anomaly.test_vectors`` writes them.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from eddyline.anomaly.forest import ForestBank
from eddyline.anomaly.options import ForestOptions
from tests.anomaly import plain_forest

VECTORS = Path(__file__).resolve().parents[2] / "docs" / "reference" / "forest-vectors.json"
SHAPES = (
    {"trees": 10, "samples": 16, "decay": 100, "shingle": 1, "seed": 0, "columns": 1},
    {"trees": 5, "samples": 32, "decay": 1000, "shingle": 1, "seed": 7, "columns": 3},
    {"trees": 4, "samples": 12, "decay": 50, "shingle": 4, "seed": 1, "columns": 1},
    {"trees": 3, "samples": 20, "decay": 200, "shingle": 3, "seed": 2**62, "columns": 4},
)
ROWS = 240


def points_of(shape: dict[str, int]) -> list[list[float]]:
    """A wave with noise, equal points and a few far off."""
    rng = np.random.default_rng(shape["columns"] * 100 + shape["shingle"])
    wave = 50 + 10 * np.sin(np.arange(ROWS) / 9)[:, None]
    points = np.round(wave + rng.normal(0, 2, (ROWS, shape["columns"])), 2)
    points[60:70], points[150], points[200] = points[60], 400.0, -1e40
    out: list[list[float]] = points.tolist()
    return out


def product_scores(shape: dict[str, int], points: list[list[float]]) -> list[float]:
    """What the product says, by batches of different sizes."""
    options = ForestOptions(
        shape["trees"], shape["samples"], shape["decay"], shape["shingle"], shape["seed"]
    )
    bank = ForestBank(options, shape["columns"])
    out: list[float] = []
    for rows in np.array_split(np.array(points), [1, 8, 100]):
        out += bank.score(np.zeros(len(rows), np.int64), rows).score.tolist()
    return out


def vectors() -> list[dict[str, Any]]:
    cases: list[dict[str, Any]] = json.loads(VECTORS.read_text())
    return cases


@pytest.mark.parametrize("case", range(len(SHAPES)))
def test_the_product_gives_the_scores_of_the_vectors(case: int) -> None:
    vector = vectors()[case]
    assert vector["options"] == SHAPES[case]
    scores = product_scores(vector["options"], vector["points"])
    np.testing.assert_allclose(scores, vector["scores"], rtol=0, atol=1e-9)
    assert max(vector["scores"]) > 1.5


@pytest.mark.parametrize("case", range(len(SHAPES)))
def test_a_forest_written_after_the_page_gives_them_too(case: int) -> None:
    vector = vectors()[case]
    options = {k: v for k, v in vector["options"].items() if k != "columns"}
    scores = plain_forest.scores(vector["points"], **options)
    np.testing.assert_allclose(scores, vector["scores"], rtol=0, atol=1e-9)


def test_the_random_stream_is_that_of_the_page() -> None:
    stream = plain_forest.Stream(0, 0)
    drawn = [stream.uniform() for _ in range(3)]
    page = (VECTORS.parent / "forest-arithmetic.md").read_text()
    assert f"{drawn[0]:.12f}, {drawn[1]:.12f}, {drawn[2]:.12f}" in page


if __name__ == "__main__":
    made = [
        {
            "options": shape,
            "points": points_of(shape),
            "scores": product_scores(shape, points_of(shape)),
        }
        for shape in SHAPES
    ]
    VECTORS.write_text(json.dumps(made) + "\n")
