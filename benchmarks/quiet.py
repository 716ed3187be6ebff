"""How quiet the detector is on ordinary input: alerts beside the stated rate, law by law.

    python -m benchmarks.quiet [--keys N] [--rows N] [--laws LAWS] [--rates RATES]

Each law is judged without time, at the default and at the sensitive setting, over keys of their own
seed; every alert is a false one. The first rows of keys count, too.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from eddyline.anomaly.detector import DetectorOptions, Detectors, ForestOptions

Doubles = npt.NDArray[np.float64]
Rng = np.random.Generator
DAY, BIN_MS, START_MS = 288, 300_000, 1_767_571_200_000


def _walk(rng: Rng, n: int) -> Doubles:
    return np.asarray(1000 + np.cumsum(rng.normal(0, 1, n)))


def _recurrent(rng: Rng, n: int) -> Doubles:
    out, steps = np.zeros(n), rng.normal(0, 1, n)
    for i in range(1, n):
        out[i] = 0.9 * out[i - 1] + steps[i]
    return out + 50


def _cron(rng: Rng, n: int) -> Doubles:
    out = rng.poisson(20, n).astype(float)
    out[rng.integers(0, 12) :: 12] += 200
    return out


def _office(rng: Rng, n: int) -> Doubles:
    t = np.arange(n)
    hour, day = (t % DAY) / 12, (t // DAY) % 7
    return rng.poisson(np.where((hour >= 8) & (hour < 18) & (day < 5), 80.0, 3.0)).astype(float)


LAWS: dict[str, Callable[[Rng, int], Doubles]] = {
    "normal": lambda r, n: r.normal(100, 5, n),
    "poisson 0.05": lambda r, n: r.poisson(0.05, n).astype(float),
    "poisson 0.3": lambda r, n: r.poisson(0.3, n).astype(float),
    "poisson 3": lambda r, n: r.poisson(3, n).astype(float),
    "poisson 30": lambda r, n: r.poisson(30, n).astype(float),
    "poisson 300": lambda r, n: r.poisson(300, n).astype(float),
    "binary 1 %": lambda r, n: (r.random(n) < 0.01).astype(float),
    "lognormal": lambda r, n: r.lognormal(3, 1, n),
    "pareto": lambda r, n: 1 + r.pareto(2, n),
    "student t3": lambda r, n: r.standard_t(3, n),
    "exponential": lambda r, n: r.exponential(10, n),
    "AR(1)": _recurrent,
    "random walk": _walk,
    "trend": lambda r, n: 100 + 0.01 * np.arange(n) + r.normal(0, 2, n),
    "sawtooth": lambda r, n: (np.arange(n) % 50) + r.normal(0, 0.5, n),
    "cron burst": _cron,
    "office hours": _office,
    "constant": lambda r, n: np.full(n, 7.0),
}
TIMED = ("office hours",)


def measured(law: str, rate: str, keys: int, rows: int) -> dict[str, object]:
    """One line of results."""
    timed = law in TIMED
    alerts, young = 0, 0
    for key in range(keys):
        x = LAWS[law](np.random.default_rng(key), rows)[:, None]
        options = DetectorOptions(ForestOptions(100, 256), false_alarms=rate, timed=timed)
        times = START_MS + np.arange(rows) * BIN_MS if timed else None
        flagged = Detectors(options, 1).process(np.zeros(rows, np.int64), x, times).alert
        alerts += int(flagged.sum())
        young += int(flagged[:1000].sum())
    per = 10_000 / (keys * rows)
    return {
        "law": law, "stated": rate, "rows": keys * rows, "keys": keys,
        "alerts per 10,000 rows": round(alerts * per, 3),
        "of them in the first 1,000 rows of keys, per key": round(young / keys, 3),
    }  # fmt: skip


def main() -> None:
    """Print one JSON line per law and rate."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--keys", type=int, default=40)
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--laws", default=",".join(LAWS))
    parser.add_argument("--rates", default="0.5/10000 rows,10/10000 rows")
    given = parser.parse_args()
    for law in given.laws.split(","):
        for rate in given.rates.split(","):
            print(json.dumps(measured(law, rate, given.keys, given.rows)), flush=True)


if __name__ == "__main__":
    main()
