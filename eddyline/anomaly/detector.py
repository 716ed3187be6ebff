"""Detectors, one a key: a forest's score, a grade, an alert, what was expected, and why.

The score is exactly what ``RANDOM_CUT_FOREST`` gives: 0 for a key's first S rows, then scored
before learnt. Grade, alert and expected value are this project's own and begin after ten rows,
since a grade does not need a full forest.

An attribution must be taken from the forest as it was before the row was learnt. Whether a row's
values are far from usual is known beforehand, so exactly those rows are attributed on the way.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeVar

import numpy as np

from eddyline.anomaly import compact, state, thresholds, usual
from eddyline.anomaly.explanation import explanation_json
from eddyline.anomaly.forest import ForestBank, Scores
from eddyline.anomaly.kernel import Bools, Doubles, Int64s
from eddyline.anomaly.options import DetectorOptions, ForestOptions
from eddyline.anomaly.rates import FalseAlarms
from eddyline.anomaly.units import Units
from eddyline.anomaly.verdicts import Judges

__all__ = [
    "DetectorOptions",
    "Detectors",
    "ForestOptions",
    "Verdicts",
    "explanation_json",
    "warm",
]

# Options beside the forest's that a saved state carries.
_OWN = ("tolerance", "cool_down", "normalize", "false_alarms", "timed")

M = TypeVar("M", usual.Usual, thresholds.Watch)


@dataclass(frozen=True, slots=True)
class Verdicts:
    """What the detectors say of n rows over d columns, in the order of the rows.

    score (n,): 0 for a key's first S rows. grade (n,): 0 ordinary to 1 certainly not. alert (n,):
    the first row of an episode. expected (n, d): the usual value, NaN before the tenth row.
    attribution_high, attribution_low (n, d): shares of the score, adding up to it, of rows with
    a grade (of all rows with a score if all are to be explained); 0 elsewhere.
    """

    score: Doubles
    grade: Doubles
    alert: Bools
    expected: Doubles
    attribution_high: Doubles
    attribution_low: Doubles


class Detectors:
    """One detector a key, made when the key is first seen; keys are dense numbers 0, 1, 2, …"""

    def __init__(
        self,
        options: DetectorOptions,
        dimensions: int,
        explain: Literal["alerts", "all"] = "alerts",
    ) -> None:
        """Raises EddylineError ``invalid_argument`` naming the option that is out of range."""
        options.validate()
        self.options = options
        self.dimensions = dimensions
        self.explain = explain
        self._forests = ForestBank(options.forest, dimensions)
        self._units = Units(dimensions) if options.normalize and dimensions > 1 else None
        self._usual = usual.empty(0, dimensions)
        self._watch = thresholds.empty(0, dimensions)
        self._judges: Judges | None = None
        if options.false_alarms:
            allowed = FalseAlarms.parse(options.false_alarms)
            self._judges = Judges(allowed, dimensions, options.timed)

    def process(
        self,
        keys: Int64s,
        points: Doubles,
        began: Bools | None = None,
        times: Int64s | None = None,
    ) -> Verdicts:
        """Judge rows, then learn them, in order. keys (n,) int64, points (n, d) float64.

        times (n,): epoch ms, where the options say that rows are timed.
        began (n,): rows before which what was learnt of their key is forgotten, since another one
        has its number now.

        Raises:
            EddylineError: ``invalid_argument`` for a wrong shape or a value that is not finite;
                nothing has been learnt then.
        """
        keys, points = self._forests.checked(keys, points)
        self._make_room(int(keys.max()) + 1 if len(keys) else 0)
        times = np.zeros(len(keys), np.int64) if times is None else times
        if began is None or not began.any():
            return self._process(keys, points, times)
        parts = []
        for a, z in runs(keys, began):
            self._forget(keys[a:z][began[a:z]])
            parts.append(self._process(keys[a:z], points[a:z], times[a:z]))
        fields = Verdicts.__dataclass_fields__
        return Verdicts(**{f: np.concatenate([getattr(p, f) for p in parts]) for f in fields})

    def _process(self, keys: Int64s, points: Doubles, times: Int64s) -> Verdicts:
        n, d = points.shape
        plan = self._units.plan(self._usual, keys, points) if self._units else None
        expected, odd = np.empty((n, d)), np.empty((n, d))
        usual.measure(self._usual, keys, points, self.options.tolerance, expected, odd)
        wanted = np.abs(odd).max(axis=1, initial=0.0) > thresholds.ODD_MIN
        if self._judges is not None:
            wanted[:] = False
        if self.explain == "all":
            wanted[:] = True
        if plan is None:
            found = self._forests.score(keys, points, wanted)
        else:
            found = plan.score(self._forests, wanted)
        samples, shingle = self.options.forest.sub_sample_size, self.options.forest.shingle_size
        if self._judges is not None:
            return self._judged(keys, points, times, found)
        grade, alert = np.empty(n), np.empty(n, np.bool_)
        rows = thresholds.Row(keys, points, expected, odd, found.score)
        tolerance, cool_down = self.options.tolerance, self.options.cool_down
        thresholds.judge(self._watch, rows, (samples, shingle), tolerance, cool_down, grade, alert)
        score = np.where(found.rows < max(samples, shingle), 0.0, found.score)
        shown = ((grade > 0.0) | ((self.explain == "all") & (score > 0.0)))[:, None]
        return Verdicts(score, grade, alert, expected, found.high * shown, found.low * shown)

    def _judged(self, keys: Int64s, points: Doubles, times: Int64s, found: Scores) -> Verdicts:
        """The verdict of the columns' models, with the forest's scores as one witness."""
        assert self._judges is not None
        samples, shingle = self.options.forest.sub_sample_size, self.options.forest.shingle_size
        score = np.where(found.rows < max(samples, shingle), 0.0, found.score)
        scores = np.where(score > 0.0, score, np.nan)
        judged = self._judges.judge(keys, np.ascontiguousarray(times, np.int64), points, scores)
        whole = np.where(score > 0.0, score, 1.0)[:, None]
        odd = (judged.grade > 0.0)[:, None]
        high = np.where(odd, judged.high * whole, found.high * (score > 0.0)[:, None])
        low = np.where(odd, judged.low * whole, found.low * (score > 0.0)[:, None])
        return Verdicts(score, judged.grade, judged.alert, judged.expected, high, low)

    def dumps(self) -> bytes:
        """All keys' detectors; ``loads`` goes on from here bit for bit."""
        header, arrays = compact.saved(self._forests)
        for kind, memory in (("usual", self._usual), ("watch", self._watch)):
            arrays |= {f"{kind}.{name}": part for name, part in memory._asdict().items()}
        if self._units is not None:
            arrays["units"] = self._units.scale
        if self._judges is not None:
            arrays["judges.heads"], arrays["judges.tails"] = self._judges.heads, self._judges.tails
        own = {n: getattr(self.options, n) for n in _OWN}
        return state.pack({**header, **own, "explain": self.explain}, arrays)

    @classmethod
    def loads(cls, saved: bytes) -> Detectors:
        """The detectors that ``dumps`` gave.

        Raises:
            EddylineError: ``corrupt_data`` if the state is damaged, ``newer_format`` if a later
                version wrote it.
        """
        header, arrays = state.unpack(saved)
        options = DetectorOptions(
            ForestOptions(**header["forest"]),
            header["tolerance"],
            header["cool_down"],
            header["normalize"],
            header.get("false_alarms", ""),
            header.get("timed", False),
        )
        out = cls(options, header["columns"], header["explain"])
        out._forests = compact.restored(header, arrays)
        out._usual = _memory(usual.Usual, "usual", arrays)
        quiet = arrays["watch.quiet"]
        if quiet.ndim == 1:  # one count for all columns, as it was once
            arrays["watch.quiet"] = np.repeat(quiet[:, None], out.dimensions, axis=1)
        out._watch = _memory(thresholds.Watch, "watch", arrays)
        if out._units is not None:
            out._units.scale = arrays["units"].copy()
        if out._judges is not None:
            heads, tails = arrays["judges.heads"], arrays["judges.tails"]
            out._judges.heads, out._judges.tails = heads.copy(), tails.copy()
        return out

    def _forget(self, models: Int64s) -> None:
        for memory in (*self._usual, *self._watch):
            memory[models] = 0
        if self._units is not None:
            self._units.scale[models[models < len(self._units.scale)]] = 0.0
        if self._judges is not None:
            self._judges.forget(models)
        self._forests.forget(models)

    def _make_room(self, models: int) -> None:
        """Memory for keys 0 to ``models`` - 1, doubled when it is short."""
        if self._judges is not None:
            self._judges.make_room(models)
        have = len(self._watch.rows)
        if models <= have:
            return
        more = max(models, 2 * have) - have
        self._usual = _joined(self._usual, usual.empty(more, self.dimensions))
        self._watch = _joined(self._watch, thresholds.empty(more, self.dimensions))


def runs(keys: Int64s, began: Bools) -> list[tuple[int, int]]:
    """Rows in runs within which no key has a row before the one it begins anew with."""
    edges = [0]
    for row in np.flatnonzero(began).tolist():
        if (keys[edges[-1] : row] == keys[row]).any():
            edges.append(row)
    return list(zip(edges, [*edges[1:], len(keys)], strict=True))


def _joined(memory: M, more: M) -> M:
    parts = [np.concatenate([a, b]) for a, b in zip(memory, more, strict=True)]
    return type(memory)(*parts)


def _memory(kind: type[M], name: str, arrays: state.Arrays) -> M:
    return kind(*[arrays[f"{name}.{part}"].copy() for part in kind._fields])


def warm(dimensions: tuple[int, ...] = (1,)) -> None:
    """Compile (or read from the cache) what points of these dimensions need; takes a while.

    For a thread in the background at start, so that the first row need not wait.
    """
    for d in dimensions:
        points = np.zeros((12, d))
        points[-1] = 1.0
        detectors = Detectors(DetectorOptions(ForestOptions(1, 10)), d, explain="all")
        detectors.process(np.zeros(12, np.int64), points)
