"""Labelled clickstream faults: what share is found at a stated rate of false alarms.

    python -m benchmarks.faults [--keys N] [--worlds plain,weekend,...] [--rates 1/week,0.1/week]

Every key of a world (``benchmarks.worlds``) is judged with the options that users get, apart from
the stated rate. Alerts of a key within three hours count as one. A fault is found by an alert
inside it, or up to 12 bins after a spike or a burst. An alert that touches no fault, three hours
after its end included, is a false alarm; they are counted per key and week over all weeks.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from benchmarks.worlds import KINDS, RECIPES, VOLUMES, Fault, World, world
from eddyline.anomaly.detector import DetectorOptions, Detectors, ForestOptions

SHORT = ("spike", "bot burst")
MORE_BINS, MERGED_MS = 12, 3 * 3_600_000
WEEK_MS = 7 * 86_400_000


@dataclass(slots=True)
class Tally:
    """Found and injected faults by name, delays in bins, alerts within faults, false alarms."""

    found: dict[object, list[bool]] = field(default_factory=dict)
    delays: dict[str, list[int]] = field(default_factory=dict)
    alerts: int = 0
    false: int = 0
    first_week: int = 0
    weeks: float = 0.0

    def recall(self, name: object = "all") -> float:
        """Share of faults found, in percent."""
        return round(100 * float(np.mean(self.found.get(name, [False]))), 1)


def alerts_of(one: World, rate: str, trees: int) -> Iterator[np.ndarray]:
    """Rows with an alert, key by key."""
    options = DetectorOptions(
        ForestOptions(number_of_trees=trees), normalize=True, false_alarms=rate, timed=True
    )
    for values in one.values:
        detectors = Detectors(options, values.shape[1])
        verdicts = detectors.process(np.zeros(len(values), np.int64), values, None, one.times)
        yield np.flatnonzero(verdicts.alert)


def count(one: World, key: int, alerts: np.ndarray, tally: Tally) -> None:
    """Add one key's alerts to a tally."""
    merged, last = [], -(1 << 60)
    for row in alerts.tolist():
        if one.times[row] - last > MERGED_MS:
            merged.append(row)
        last = int(one.times[row])
    step = int(one.times[1] - one.times[0])
    mine = [f for f in one.faults if f.key == key]
    for fault in mine:
        inside = [r for r in alerts.tolist() if fault.start <= r < _end(fault)]
        for name in ("all", fault.kind, fault.volume):
            tally.found.setdefault(name, []).append(bool(inside))
        if inside:
            tally.delays.setdefault(fault.kind, []).append(inside[0] - fault.start)
            tally.alerts += sum(fault.start <= r < _end(fault) for r in merged)
    for row in merged:
        if not any(f.start <= row < _end(f) + MERGED_MS // step for f in mine):
            tally.false += 1
            tally.first_week += int(one.times[row] - one.times[0] < WEEK_MS)
    tally.weeks += (one.times[-1] - one.times[0]) / WEEK_MS


def _end(fault: Fault) -> int:
    return fault.stop + (MORE_BINS if fault.kind in SHORT else 0)


def measured(
    name: str, rate: str, keys: int, faults: int, seed: int, trees: int
) -> dict[str, object]:
    """One line of results."""
    one, tally = world(seed, keys, RECIPES[name], faults), Tally()
    for key, alerts in enumerate(alerts_of(one, rate, trees)):
        count(one, key, alerts, tally)
    found = max(sum(tally.found["all"]), 1)
    return {
        "world": name, "stated": rate, "faults": len(tally.found["all"]),
        "recall": tally.recall(), "false per key-week": round(tally.false / tally.weeks, 3),
        "first-week false per key": round(tally.first_week / keys, 3),
        "alerts per found fault": round(tally.alerts / found, 2),
        "by volume": {v: tally.recall(v) for v in VOLUMES},
        "by kind": {k: tally.recall(k) for k in KINDS if k in tally.found},
        "median delay": {k: float(np.median(v)) for k, v in sorted(tally.delays.items())},
    }  # fmt: skip


def main() -> None:
    """Print one JSON line per world and rate."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--keys", type=int, default=300)
    parser.add_argument("--faults", type=int, default=3, help="per key")
    parser.add_argument("--worlds", default="plain")
    parser.add_argument("--rates", default="1/week,0.1/week")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--trees", type=int, default=100)
    given = parser.parse_args()
    for name in given.worlds.split(","):
        for rate in given.rates.split(","):
            line = measured(name, rate, given.keys, given.faults, given.seed, given.trees)
            print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
