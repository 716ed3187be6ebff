"""Labelled clickstream faults: what share is found at a stated rate of false alarms.

    python -m benchmarks.faults [--keys N] [--worlds plain,weekend,...] [--rates 1/week,0.1/week]

Every key of a world (``benchmarks.worlds``) is judged with the options that users get, apart from
the stated rate. Alerts of a key within three hours count as one. A fault is found by an alert
inside it, or up to 12 bins after a spike or a burst. An alert that touches no fault, three hours
after its end included, is a false alarm; they are counted per key and week over all weeks. Beside
the detector stand a seasonal z, a plain forest, the ceiling with the true law known and, with
``--peer-python``, river's half-space trees (``benchmarks.yardsticks``), whose thresholds are set on
the run.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from benchmarks.worlds import COLUMNS, KINDS, RECIPES, VOLUMES, Fault, World, world
from benchmarks.yardsticks import HALF_SPACE, YARDSTICKS, half_space_trees
from eddyline.anomaly.detector import DetectorOptions, Detectors, ForestOptions
from eddyline.anomaly.rates import FalseAlarms

# Names of the kinds of evidence, by their codes (``eddyline.anomaly.column.row``).
EVIDENCE = ("point", "level", "drift", "relation", "shape", "place", "forest")
SHORT = ("spike", "bot burst")
# Thresholds that are tried: those that this share of all rows exceed, and so much more each time.
SHARE_LEAST, SHARE_STEP = 1e-5, 1.08
MORE_BINS, MERGED_MS = 12, 3 * 3_600_000
WEEK_MS = 7 * 86_400_000


@dataclass(slots=True)
class Tally:
    """Found and injected faults by name, delays in bins, alerts within faults, false alarms.

    detected_by, false_by: which kind of evidence, on which column, found a fault first, or was
    wrong.
    """

    detected: dict[object, list[bool]] = field(default_factory=dict)
    delays: dict[str, list[int]] = field(default_factory=dict)
    alerts: int = 0
    false: int = 0
    first_week: int = 0
    weeks: float = 0.0
    detected_by: Counter[str] = field(default_factory=Counter)
    false_by: Counter[str] = field(default_factory=Counter)

    def recall(self, name: object = "all") -> float:
        """Share of faults found, in percent."""
        return round(100 * float(np.mean(self.detected.get(name, [False]))), 1)


def alerts_of(one: World, rate: str, trees: int) -> Iterator[tuple[np.ndarray, list[str]]]:
    """Rows with an alert, and by what evidence each was raised, key by key."""
    options = DetectorOptions(
        ForestOptions(number_of_trees=trees), normalize=True, false_alarms=rate, timed=True
    )
    for values in one.values:
        detectors = Detectors(options, values.shape[1])
        verdicts = detectors.process(np.zeros(len(values), np.int64), values, one.times)
        rows = np.flatnonzero(verdicts.alert)
        by = zip(verdicts.kind[rows].tolist(), verdicts.lead[rows].tolist(), strict=True)
        yield rows, [f"{EVIDENCE[kind]} {COLUMNS[column]}" for kind, column in by]


def count(one: World, key: int, alerts: np.ndarray, by: list[str], tally: Tally) -> None:
    """Add one key's alerts to a tally."""
    evidence = dict(zip(alerts.tolist(), by, strict=True))
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
            tally.detected.setdefault(name, []).append(bool(inside))
        if inside:
            tally.delays.setdefault(fault.kind, []).append(inside[0] - fault.start)
            tally.detected_by[evidence[inside[0]]] += 1
            tally.alerts += sum(fault.start <= r < _end(fault) for r in merged)
    for row in merged:
        if not any(f.start <= row < _end(f) + MERGED_MS // step for f in mine):
            tally.false += 1
            tally.false_by[f"{evidence[row]} {one.volume[key]:g}"] += 1
            tally.first_week += int(one.times[row] - one.times[0] < WEEK_MS)
    tally.weeks += (one.times[-1] - one.times[0]) / WEEK_MS


def _end(fault: Fault) -> int:
    return fault.stop + (MORE_BINS if fault.kind in SHORT else 0)


def yardstick(one: World, evidence: list[np.ndarray], per_week: float) -> Tally:
    """The tally at the least threshold for all keys at which the rate is kept."""
    values = np.sort(np.concatenate(evidence))[::-1]

    def at(share: float) -> Tally:
        return _at(one, evidence, float(values[int(share * len(values))]))

    best = tally = Tally(weeks=1.0)
    kept = share = SHARE_LEAST
    # From above: below the threshold, alerts would run into one another and be few again.
    while share < 0.5:
        tally = at(share)
        if tally.false > per_week * tally.weeks:
            break
        best, kept = tally, share
        share *= SHARE_STEP
    for _ in range(10):
        middle = (kept * share) ** 0.5
        tally = at(middle)
        if tally.false > per_week * tally.weeks:
            share = middle
        else:
            best, kept = tally, middle
    return best


def _at(one: World, evidence: list[np.ndarray], threshold: float) -> Tally:
    tally = Tally()
    for key, mine in enumerate(evidence):
        rows = np.flatnonzero(mine >= threshold)
        count(one, key, rows, [""] * len(rows), tally)
    return tally


def line(name: str, rate: str, what: str, keys: int, tally: Tally) -> dict[str, object]:
    """One line of results."""
    detected = max(sum(tally.detected["all"]), 1)
    out: dict[str, object] = {
        "world": name, "stated": rate, "detector": what, "faults": len(tally.detected["all"]),
        "recall": tally.recall(), "false per key-week": round(tally.false / tally.weeks, 3),
        "first-week false per key": round(tally.first_week / keys, 3),
        "alerts per found fault": round(tally.alerts / detected, 2),
        "by volume": {v: tally.recall(v) for v in VOLUMES},
        "by kind": {k: tally.recall(k) for k in KINDS if k in tally.detected},
        "median delay": {k: float(np.median(v)) for k, v in sorted(tally.delays.items())},
    }  # fmt: skip
    if what == "ours":
        out["found by"] = dict(tally.detected_by.most_common())
        out["false by, with volume"] = dict(tally.false_by.most_common())
    return out


def measured(
    name: str, rates: list[str], keys: int, faults: int, seed: int, trees: int,
    beside: list[str], python: str,
) -> Iterator[dict[str, object]]:  # fmt: skip
    """Lines of results for a world: ours, then what it is held against."""
    one = world(seed, keys, RECIPES[name], faults)
    for rate in rates:
        tally = Tally()
        for key, (alerts, by) in enumerate(alerts_of(one, rate, trees)):
            count(one, key, alerts, by, tally)
        yield line(name, rate, "ours", keys, tally)
    for what in beside:
        if what == HALF_SPACE:
            evidence = half_space_trees(one, python)
        else:
            evidence = [YARDSTICKS[what](one, key, RECIPES[name]) for key in range(keys)]
        for rate in rates:
            per_week = FalseAlarms.parse(rate).rate
            yield line(name, rate, what, keys, yardstick(one, evidence, per_week))


def main() -> None:
    """Print one JSON line per world, rate and detector."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--keys", type=int, default=300)
    parser.add_argument("--faults", type=int, default=3, help="per key")
    parser.add_argument("--worlds", default="plain")
    parser.add_argument("--rates", default="1/week,0.1/week")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--trees", type=int, default=100)
    parser.add_argument("--beside", default=",".join(YARDSTICKS), help="empty for ours alone")
    parser.add_argument("--peer-python", default="", help="a Python that has river, for its trees")
    given = parser.parse_args()
    rates, beside = given.rates.split(","), [w for w in given.beside.split(",") if w]
    if given.peer_python:
        beside.append(HALF_SPACE)
    size = (given.keys, given.faults, given.seed, given.trees)
    for name in given.worlds.split(","):
        some = measured(name, rates, *size, beside, given.peer_python)
        for one in some:
            print(json.dumps(one), flush=True)


if __name__ == "__main__":
    main()
