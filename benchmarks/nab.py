"""The Numenta Anomaly Benchmark: our detector's three profile scores, as JSON.

    python -m benchmarks.nab [FOLDER]

FOLDER, or the variable EDDYLINE_NAB, is a clone of https://github.com/numenta/NAB with its
``data`` and ``labels/combined_windows.json``; files that are not there are left out. One set of
parameters for all files, strictly causal: a row is judged by the rows before it. Alerts are read as
they are raised, without any threshold, at the sensitive setting and at the default of rows with
time, each for five seeds of the forest. Published scores are over all 58 files, with a threshold
that is best over these files, and can be compared only if all are there.

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
from eddyline.anomaly.options import DEFAULT_TIMED

Doubles = npt.NDArray[np.float64]
# Weights of a false positive and of a false negative; a true positive has 1.
PROFILES = {"standard": (0.11, 1.0), "low_fp": (0.22, 1.0), "low_fn": (0.11, 2.0)}
SETTINGS = {"sensitive": "10/10000 rows", "default": ""}
SEEDS = 5
PROBATION, PROBATION_ROWS = 0.15, 750
LABELS = "labels/combined_windows.json"


@dataclass(frozen=True, slots=True)
class Series:
    """times (n,): epoch ms. values (n,). worth (n,): of a detection at a row, 1 to 0 in a window,
    else 0 to -1. window (n,): number of the row's window in the file, -1 outside. start: first row
    that counts."""

    times: npt.NDArray[np.int64]
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
    times = np.array([row[0][:19] for row in rows], "datetime64[ms]").astype(np.int64)
    return Series(times, values, worth, window, len(spans), start)


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


def normalised(raw: float, windows: int, profile: str) -> float:
    """100 for every window found at once and nothing else, 0 for no detection at all."""
    missed = PROFILES[profile][1]
    return round(100.0 * (raw + missed * windows) / ((1.0 + missed) * windows), 2)


def judged(one: Series, false_alarms: str, samples: int, seed: int) -> Doubles:
    """A file's alerts as 0 and 1."""
    forest = ForestOptions(100, samples, 100_000, 1, seed)
    options = DetectorOptions(forest, false_alarms=false_alarms, timed=True)
    rows = one.values[:, None]
    keys = np.zeros(len(rows), np.int64)
    return Detectors(options, 1).process(keys, rows, one.times).alert.astype(float)


def scores(files: list[Series], false_alarms: str, samples: int) -> dict[str, object]:
    """The three profiles: mean over the seeds, and the least and greatest of the standard one."""
    windows, scores_by_profile = sum(f.windows for f in files), dict[str, list[float]]()
    alerts = []
    for seed in range(1, SEEDS + 1):
        marks = [judged(f, false_alarms, samples, seed) for f in files]
        alerts.append(sum(m.sum() for m in marks))
        for profile in PROFILES:
            raw = sum(total(f, m, 0.5, profile) for f, m in zip(files, marks, strict=True))
            scores_by_profile.setdefault(profile, []).append(normalised(raw, windows, profile))
    out: dict[str, object] = {p: round(float(np.mean(v)), 2) for p, v in scores_by_profile.items()}
    rows = sum(len(f.values) for f in files)
    return out | {
        "seeds": [min(scores_by_profile["standard"]), max(scores_by_profile["standard"])],
        "alerts per 10,000 rows": round(float(np.mean(alerts)) / rows * 10_000, 2),
    }


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
    size = {"files": f"{len(files)} of {len(labels)}", "windows": sum(f.windows for f in files)}
    rows, began = SEEDS * sum(len(f.values) for f in files), time.process_time()
    for name, rate in SETTINGS.items():
        for samples in (256, 1000):
            setting = {"setting": name, "false_alarms": rate or DEFAULT_TIMED, "samples": samples}
            print(json.dumps(setting | size | scores(files, rate, samples)), flush=True)
    pace = round(2 * len(SETTINGS) * rows / (time.process_time() - began))
    print(json.dumps({"measured": "all files", "rows a CPU second": pace}))


if __name__ == "__main__":
    main()
