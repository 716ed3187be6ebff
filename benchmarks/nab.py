"""The Numenta Anomaly Benchmark: our detector's three profile scores, as JSON.

    python -m benchmarks.nab [FOLDER]

FOLDER, or the variable EDDYLINE_NAB, is a clone of https://github.com/numenta/NAB with its
``data`` and ``labels/combined_windows.json``; files that are not there are left out. One set of
parameters for all files, strictly causal: a row is judged by the rows before it. Two readings of
the same run: alerts as they are raised (no threshold is tuned), and the grade of an alert against
the threshold that is best over these files (what NAB does) or over the other files (``cv5``: five
folds, mean of five shuffles). Published scores are over all 58 files and can be compared only if
all are there.

Scoring after Lavin and Ahmad, Evaluating Real-time Anomaly Detection Algorithms (ICMLA 2015).
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from eddyline.anomaly.detector import DetectorOptions, Detectors, ForestOptions

Doubles = npt.NDArray[np.float64]
# Weights of a false positive and of a false negative; a true positive has 1.
PROFILES = {"standard": (0.11, 1.0), "low_fp": (0.22, 1.0), "low_fn": (0.11, 2.0)}
OPTIONS = DetectorOptions(ForestOptions(100, 1000, 100_000, 1, seed=1))
PROBATION, PROBATION_ROWS = 0.15, 750
LABELS = "labels/combined_windows.json"


@dataclass(frozen=True, slots=True)
class Series:
    """values (n,); worth (n,): of a detection at a row, 1 to 0 in a window, else 0 to -1; window
    (n,): number of the row's window in the file, -1 outside; start: first row that counts."""

    values: Doubles
    worth: Doubles
    window: npt.NDArray[np.int64]
    windows: int
    start: int


def sigmoid(x: Doubles) -> Doubles:
    """From 1 well before a window's end over 0 at it to -1 well after it."""
    return np.where(x > 3.0, -1.0, 2.0 / (1.0 + np.exp(5.0 * np.minimum(x, 3.0))) - 1.0)


def series(path: Path, labels: list[list[str]]) -> Series:
    """A file with its labelled windows."""
    with path.open() as file:
        rows = list(csv.reader(file))[1:]
    first: dict[str, int] = {}
    for i, row in enumerate(rows):
        first.setdefault(row[0][:19], i)
    n = len(rows)
    worth, window = np.full(n, -1.0), np.full(n, -1)
    spans = [(first[a[:19]], first[z[:19]]) for a, z in labels]
    for number, (a, z) in enumerate(spans):
        inside = np.arange(a, z + 1)
        worth[inside] = sigmoid((inside - z - 1) / (z + 1 - a)) / sigmoid(np.array(-1.0))
        window[inside] = number
        end = spans[number + 1][0] if number + 1 < len(spans) else n
        after = np.arange(z + 1, end)
        worth[after] = sigmoid((after - z) / max(z - a, 1))
    start = math.ceil(min(math.floor(PROBATION * n), PROBATION_ROWS))
    values = np.array([float(row[1]) for row in rows])
    return Series(values, worth, window, len(spans), start)


def total(one: Series, marks: Doubles, threshold: float, profile: str) -> float:
    """A file's raw score: marks (n,) at or above the threshold are detections."""
    false, missed = PROFILES[profile]
    hit = marks >= threshold
    hit[: one.start] = False
    out = false * one.worth[hit & (one.window < 0)].sum()
    for number in np.unique(one.window[one.start :][one.window[one.start :] >= 0]):
        inside = hit & (one.window == number)
        out += one.worth[inside].max() if inside.any() else -missed
    return float(out)


def steps(one: Series, marks: Doubles, profile: str) -> tuple[Doubles, Doubles]:
    """What a file's raw score gains as the threshold falls to each mark: marks (e,), gains (e,).

    A row outside windows costs its own worth; in a window only a row better than those before it
    counts, and the first one takes the miss back.
    """
    false, missed = PROFILES[profile]
    rows = np.flatnonzero(marks > 0)
    rows = rows[rows >= one.start]
    rows = rows[np.argsort(-marks[rows], kind="stable")]
    gains = false * one.worth[rows]
    for number in np.unique(one.window[rows]):
        if number >= 0:
            inside = one.window[rows] == number
            highest = np.maximum.accumulate(one.worth[rows[inside]])
            gains[inside] = np.diff(highest, prepend=-missed)
    return marks[rows], gains


def best(files: list[tuple[Doubles, Doubles]]) -> float:
    """The threshold of the highest sum over files' ``steps``; infinite if none pays."""
    marks, gains = (np.concatenate(part) for part in zip(*files, strict=True))
    order = np.argsort(-marks, kind="stable")
    marks, sums = marks[order], np.cumsum(gains[order])
    last = np.flatnonzero(np.diff(marks, append=-1.0))  # rows of one mark fall together
    if not len(last) or sums[last].max() <= 0:
        return math.inf
    return float(marks[last][np.argmax(sums[last])])


def normalised(raw: float, windows: int, profile: str) -> float:
    """100 for every window found at once and nothing else, 0 for no detection at all."""
    missed = PROFILES[profile][1]
    return round(100.0 * (raw + missed * windows) / ((1.0 + missed) * windows), 2)


def crossed(files: list[Series], marks: list[Doubles], profile: str) -> float:
    """Each file judged by a threshold chosen on the other folds."""
    windows, found = sum(f.windows for f in files), []
    gains = [steps(f, m, profile) for f, m in zip(files, marks, strict=True)]
    for seed in range(5):
        order, raw = np.random.default_rng(seed).permutation(len(files)), 0.0
        for fold in range(5):
            test = set(order[fold::5].tolist())
            threshold = best([g for i, g in enumerate(gains) if i not in test])
            raw += sum(total(files[i], marks[i], threshold, profile) for i in test)
        found.append(normalised(raw, windows, profile))
    return round(float(np.mean(found)), 2)


def scored(files: list[Series], marks: list[Doubles], tuned: bool) -> dict[str, float | None]:
    """The three profiles, and ``cv5`` where a threshold is tuned."""
    windows, scores = sum(f.windows for f in files), dict[str, float | None]()
    for profile in PROFILES:
        pairs = list(zip(files, marks, strict=True))
        threshold = best([steps(f, m, profile) for f, m in pairs]) if tuned else 0.5
        raw = sum(total(f, m, threshold, profile) for f, m in pairs)
        scores[profile] = normalised(raw, windows, profile)
    scores["cv5"] = crossed(files, marks, "standard") if tuned else None
    return scores


def judged(files: list[Series]) -> tuple[list[Doubles], list[Doubles]]:
    """Of each file: alerts as 0 and 1, and the grades of alerts."""
    alerts, grades = [], []
    for one in files:
        keys = np.zeros(len(one.values), np.int64)
        found = Detectors(OPTIONS, 1).process(keys, one.values[:, None])
        alerts.append(found.alert.astype(float))
        grades.append(found.alert * found.grade)
    return alerts, grades


def corpus() -> Path | None:
    """The folder of the argument or of EDDYLINE_NAB; None, and why in words, if it is not there."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path, default=os.environ.get("EDDYLINE_NAB"))
    folder: Path | None = parser.parse_args().folder
    if folder is not None and (folder / LABELS).exists():
        return folder
    print(
        f"nab: {folder or 'no folder given'} has no {LABELS}, nothing is measured; clone "
        "https://github.com/numenta/NAB and set EDDYLINE_NAB to its folder",
        file=sys.stderr,
    )
    return None


def main() -> None:
    """Print the scores."""
    folder = corpus()
    if folder is None:
        return
    labels = json.loads((folder / LABELS).read_text())
    there = [name for name in sorted(labels) if (folder / "data" / name).exists()]
    files = [series(folder / "data" / name, labels[name]) for name in there]
    rows, began = sum(len(f.values) for f in files), time.process_time()
    alerts, grades = judged(files)
    pace = round(rows / (time.process_time() - began))
    size = {"files": f"{len(files)} of {len(labels)}", "windows": sum(f.windows for f in files)}
    for name, marks in (("graded alerts, tuned", grades), ("alerts as raised", alerts)):
        print(json.dumps({"reading": name, **size, **scored(files, marks, name[0] == "g")}))
    print(json.dumps({"measured": "all files", "rows": rows, "rows a CPU second": pace}))


if __name__ == "__main__":
    main()
