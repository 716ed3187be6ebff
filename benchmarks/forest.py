"""Random cut forests a second: ours beside other libraries in the same run, as JSON.

    python -m benchmarks.forest [--peer-python PYTHON] [--rounds 3]

Each forest has 100 trees of 256 samples and takes 10,000 points, each scored and then learnt, from
nothing (cold) and once more (warm). Figures are points a second of processor time, medians over
rounds in which the libraries take turns. Peers (rcf3, krcf: the extra ``bench``) are measured by
``--peer-python``, an interpreter that has them, as far as it has.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

POINTS, TREES, SAMPLES, DECAY, BATCH = 10_000, 100, 256, 100_000, 500
SHAPES = ((1, 8), (4, 1), (1, 1))  # columns, shingle
Doubles = npt.NDArray[np.float64]


def points_of(columns: int) -> Doubles:
    """The same points for all."""
    return np.random.default_rng(0).normal(size=(POINTS, columns))


def ours(columns: int, shingle: int) -> dict[str, float]:
    """Batches of rows, as the engine hands them over."""
    from eddyline.anomaly.forest import ForestBank
    from eddyline.anomaly.options import ForestOptions

    points, keys = points_of(columns), np.zeros(BATCH, np.int64)
    bank = ForestBank(ForestOptions(TREES, SAMPLES, DECAY, shingle), columns)
    ForestBank(bank.options, columns).score(keys[:50], points[:50])  # compiled, not timed

    def take() -> None:
        for at in range(0, POINTS, BATCH):
            bank.score(keys, points[at : at + BATCH])

    return {"cold": rate(take), "warm": rate(take)}


def rcf3(columns: int, shingle: int) -> dict[str, float]:
    """A row per call: it has no other way."""
    import rcf3

    forest = rcf3.Forest(
        columns,
        shingle_size=shingle,
        num_trees=TREES,
        capacity=SAMPLES,
        time_decay=1 / DECAY,
        seed=1,
    )
    return _by_row(forest, points_of(columns).tolist())


def krcf(columns: int, shingle: int) -> dict[str, float]:
    """A row per call, shingles made by it."""
    import krcf

    forest = krcf.RandomCutForest(
        {
            "dimensions": columns,
            "shingle_size": shingle,
            "num_trees": TREES,
            "sample_size": SAMPLES,
            "output_after": 1,
            "random_seed": 1,
            "lambda": 1 / DECAY,
            "internal_shingling": True,
        }
    )
    return _by_row(forest, points_of(columns).tolist())


def _by_row(forest: Any, rows: list[list[float]]) -> dict[str, float]:
    def take() -> None:
        for row in rows:
            forest.score(row)
            forest.update(row)

    return {"cold": rate(take), "warm": rate(take)}


def rate(take: Any) -> float:
    """Points a second of processor time."""
    began = time.process_time()
    take()
    return POINTS / (time.process_time() - began)


LIBRARIES = {"ours": ours, "rcf3": rcf3, "krcf": krcf}


def measured(library: str, python: str) -> dict[str, dict[str, float]] | None:
    """One library's figures by shape, from a process of its own; None if it is not there."""
    command = [python, __file__, "--one", library]
    root = str(Path(__file__).resolve().parents[1])
    done = subprocess.run(command, capture_output=True, text=True, cwd=root, check=False)
    if done.returncode:
        reason = [line for line in done.stderr.splitlines() if "Error" in line] or ["it failed"]
        print(f"{library}: {reason[-1]}", file=sys.stderr)
        return None
    parsed: dict[str, dict[str, float]] = json.loads(done.stdout)
    return parsed


def median(rounds: list[dict[str, dict[str, float]]]) -> dict[str, dict[str, int]]:
    """Shape by shape."""
    return {
        shape: {k: round(statistics.median(r[shape][k] for r in rounds)) for k in rounds[0][shape]}
        for shape in rounds[0]
    }


def first_use_seconds() -> list[float]:
    """Processor time of a first use: kernels compiled into an empty cache, then read from it."""
    code = (
        "import time; from eddyline.anomaly.detector import warm; began = time.process_time(); "
        "warm(); print(time.process_time() - began)"
    )
    took = []
    with tempfile.TemporaryDirectory() as folder:
        places = {"NUMBA_CACHE_DIR": folder, "PYTHONPATH": str(Path(__file__).parents[1])}
        for _ in range(2):
            done = subprocess.run(
                [sys.executable, "-c", code],
                capture_output=True,
                text=True,
                check=True,
                env={**os.environ, **places},
            )
            took.append(round(float(done.stdout), 1))
    return took


def state_bytes() -> int:
    """One key's saved detector, 100 × 256, shingle 8."""
    from eddyline.anomaly.detector import DetectorOptions, Detectors, ForestOptions

    detectors = Detectors(DetectorOptions(ForestOptions(TREES, SAMPLES, DECAY, 8)), 1)
    detectors.process(np.zeros(POINTS, np.int64), points_of(1))
    return len(detectors.dumps())


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peer-python", default=sys.executable)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--one", choices=LIBRARIES)
    args = parser.parse_args()
    if args.one:
        shapes = {f"columns {d}, shingle {k}": LIBRARIES[args.one](d, k) for d, k in SHAPES}
        print(json.dumps(shapes))
        return
    rounds: dict[str, list[dict[str, dict[str, float]]]] = {name: [] for name in LIBRARIES}
    for _ in range(args.rounds):
        for name in LIBRARIES:
            figures = measured(name, sys.executable if name == "ours" else args.peer_python)
            if figures is not None:
                rounds[name].append(figures)
    for name, some in rounds.items():
        if some:
            print(json.dumps({"points a CPU second": name, **median(some)}))
    compiled, read = first_use_seconds()
    own = {
        "compiled once, CPU seconds": compiled,
        "read from the cache, CPU seconds": read,
        "a saved key of 100 trees × 256, KiB": state_bytes() // 1024,
    }
    for name, figure in own.items():
        print(json.dumps({"ours": name, "figure": figure}))


if __name__ == "__main__":
    if str(Path(__file__).resolve().parents[1]) not in sys.path:
        sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    main()
