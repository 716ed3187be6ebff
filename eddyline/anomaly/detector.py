"""Detectors, one per key: a forest's score, and a verdict with a grade, an alert and reasons.

The score is exactly what ``RANDOM_CUT_FOREST`` gives: 0 for a key's first S rows, then scored
before it is learnt. It is one of several kinds of evidence for the verdict (``verdicts``). Beside a
verdict the score is shown ``early``, from the first row on that can be judged.

An attribution of the score must be taken from the forest as it was before the row was learnt, and
only where all rows are to be explained; that of a verdict comes from the columns' models.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal

import numpy as np

from eddyline.anomaly import compact, state
from eddyline.anomaly.calendar import calendar_of, column_options
from eddyline.anomaly.choices import Choices, live_from_ms, of_columns
from eddyline.anomaly.column.key import KEY_SINGLES
from eddyline.anomaly.column.places import SINGLES
from eddyline.anomaly.column.row import ANOMALOUS, DRIFT, LEVEL
from eddyline.anomaly.explanation import explanation_json
from eddyline.anomaly.forest import ForestBank, Scores
from eddyline.anomaly.kernel import Bools, Doubles, Int64s
from eddyline.anomaly.options import DetectorOptions, ForestOptions
from eddyline.anomaly.packed import pack, unpack
from eddyline.anomaly.units import WINDOW, Units
from eddyline.anomaly.verdicts import Judged, Judges, doubles
from eddyline.errors import EddylineError

__all__ = [
    "DetectorOptions",
    "Detectors",
    "ForestOptions",
    "Verdicts",
    "explanation_json",
    "warm",
]

# Options beside the forest's that a saved state carries.
_OWN = ("tolerance", "normalize", "false_alarms", "timed")
# In place of the rows that are missing, where a row only teaches.
HISTORY = -1
# Rows after which a forest's score is evidence, even if its samples are not full.
EARLY = 64
_UNITS = ("scale", "rows", "first")


@dataclass(frozen=True, slots=True)
class Verdicts:
    """What the detectors say of n rows over d columns, in the order of the rows.

    score (n,): 0 for a key's first S rows, or those that cannot be judged. grade (n,): 0 ordinary
    to 1 certainly not. alert (n,): the first row of an episode. expected, lower, upper (n, d): the
    value expected and the bounds beyond which a single value would be an alert; NaN while nothing
    is known. attribution_high,
    attribution_low (n, d): shares of the score, adding up to it, of rows with a grade (of all rows
    with a score if all are to be explained); 0 elsewhere. verdict (n,): 0 learning, 1 ordinary, 2
    anomalous. rarity (n,): -log10 of the share of the key's rows that are as far off. episode (n,):
    its number in the key, 0 outside one. lead, kind, side (n,): the column that is farthest off,
    the kind of evidence (``column.row``), and 1 for too high, -1 for too low. missing (n,): rows
    that the key still needs to be judged; HISTORY of rows before ``live_from``.
    """

    score: Doubles
    grade: Doubles
    alert: Bools
    expected: Doubles
    lower: Doubles
    upper: Doubles
    attribution_high: Doubles
    attribution_low: Doubles
    verdict: Int64s
    rarity: Doubles
    episode: Int64s
    lead: Int64s
    kind: Int64s
    side: Doubles
    missing: Int64s


class Detectors:
    """One detector per key, made when the key is first seen; keys are dense numbers 0, 1, 2, …"""

    def __init__(
        self,
        options: DetectorOptions,
        dimensions: int,
        explain: Literal["alerts", "all"] = "alerts",
        columns: tuple[str, ...] = (),
        early: bool = False,
    ) -> None:
        """columns: their names, which some options refer to. early: a row that can be judged has a
        score even before its key's forest has seen S rows, so that no alert has the score 0.

        Raises:
            EddylineError: ``invalid_argument`` naming the option that is out of range.
        """
        options.validate()
        self.columns = columns
        self.options = options
        self.dimensions = dimensions
        self.explain = explain
        self.early = early
        self._forests = ForestBank(options.forest, dimensions)
        self._units = Units(dimensions) if options.normalize and dimensions > 1 else None
        names = list(columns) or [str(i) for i in range(dimensions)]
        chosen = column_options(of_columns(options.choices, names, options.tolerance))
        calendar = calendar_of(options.choices)
        self._judges = Judges(options.allowed, options.timed, chosen, calendar)
        self._live_from_ms = live_from_ms(options.choices) if options.timed else None

    def process(self, keys: Int64s, points: Doubles, times: Int64s | None = None) -> Verdicts:
        """Judge rows, then learn them, in order. keys (n,) int64, points (n, d) float64.

        A point may hold NaN where a column has no value; the other columns are judged, and the
        forest, which takes whole points only, gives no score. times (n,): epoch ms, where the
        options say that rows are timed.

        Raises:
            EddylineError: ``invalid_argument`` for a wrong shape, an infinite value or a point
                without any value; nothing has been learnt then.
        """
        keys, points = self._checked(keys, points)
        models = int(keys.max()) + 1 if len(keys) else 0
        self.make_room(models)
        times = np.zeros(len(keys), np.int64) if times is None else times
        times = np.ascontiguousarray(times, np.int64)
        return self._process(keys, points, times)

    def _checked(self, keys: Int64s, points: Doubles) -> tuple[Int64s, Doubles]:
        points = np.ascontiguousarray(points, np.float64)
        gaps = np.isnan(points)
        keys, _ = self._forests.checked(keys, np.where(gaps, 0.0, points))
        if len(points) and gaps.all(axis=1).any():
            row = int(np.argmax(gaps.all(axis=1)))
            msg = f"row {row} has no value in any column; a detector takes finite numbers"
            raise EddylineError("invalid_argument", msg, hint="leave such rows out")
        return keys, points

    def _process(self, keys: Int64s, points: Doubles, times: Int64s) -> Verdicts:
        scored = self._scored(keys, points)
        samples, shingle = self.options.forest.sub_sample_size, self.options.forest.shingle_size
        score = np.where(scored.rows < max(samples, shingle), 0.0, scored.score)
        has_score = score > 0.0
        before = self._judges.rows_before(keys)
        early = (scored.rows >= max(min(samples, EARLY), shingle)) & (scored.score > 0.0)
        evidence = np.where(early, scored.score, np.nan)
        judged = self._judges.judge(keys, times, points, evidence)
        if self._units is not None:
            judged = _after_units(judged, before)
        if self._live_from_ms is not None:
            judged = _after_history(judged, times < self._live_from_ms)
        if self.early:
            known = (judged.results.verdict > 0) & (scored.rows >= shingle)
            score = np.where(known, scored.score, score)
            has_score = score > 0.0
        total = np.where(has_score, score, 1.0)[:, None]
        # The explanation of RANDOM_CUT_FOREST is the forest's own, whatever the verdict.
        own = self.explain == "all" and not self.options.normalize
        odd = ((judged.grade > 0.0) & (not own))[:, None]
        up, down = _sides(judged, points)
        high = np.where(odd, up * total, scored.high * has_score[:, None])
        low = np.where(odd, down * total, scored.low * has_score[:, None])
        r = judged.results
        return Verdicts(
            score, judged.grade, judged.alert, r.expected, r.lower, r.upper, high, low, r.verdict,
            r.rarity, r.number, r.lead, r.kind, r.side, r.missing,
        )  # fmt: skip

    def _scored(self, keys: Int64s, points: Doubles) -> Scores:
        """The forest's scores; 0 of points that are not whole, which it does not learn."""
        whole = ~np.isnan(points).any(axis=1)
        if whole.all():
            return self._scored_whole(keys, points)
        n, d = points.shape
        out = Scores(np.zeros(n), np.zeros(n, np.int64), np.zeros((n, d)), np.zeros((n, d)))
        scores = self._scored_whole(keys[whole], points[whole])
        out.score[whole], out.rows[whole] = scores.score, scores.rows
        out.high[whole], out.low[whole] = scores.high, scores.low
        return out

    def _scored_whole(self, keys: Int64s, points: Doubles) -> Scores:
        explained = np.full(len(keys), self.explain == "all")
        if self._units is None:
            return self._forests.score(keys, points, explained)
        return self._units.plan(keys, points).score(self._forests, explained)

    def dumps(self) -> bytes:
        """All keys' detectors; ``loads`` goes on from here bit for bit."""
        header, arrays = compact.saved(self._forests)
        if self._units is not None:
            for name in _UNITS:
                arrays[f"units.{name}"] = getattr(self._units, name)
        arrays["judges.heads"], arrays["judges.tails"] = self._judges.heads, self._judges.tails
        own = {n: getattr(self.options, n) for n in _OWN}
        own |= {"choices": asdict(self.options.choices), "names": list(self.columns)}
        own |= {"explain": self.explain, "early": self.early}
        return state.pack({**header, **own}, arrays)

    @classmethod
    def loads(cls, saved: bytes) -> Detectors:
        """The detectors that ``dumps`` gave.

        Raises:
            EddylineError: ``corrupt_data`` if the state is damaged, ``newer_format`` if a later
                version wrote it, ``state_mismatch`` if an earlier one did.
        """
        header, arrays = state.unpack(saved)
        widths = [
            arrays[n].shape[-1] if n in arrays else 0 for n in ("judges.heads", "judges.tails")
        ]
        if widths != [doubles(header["columns"]), KEY_SINGLES + header["columns"] * SINGLES]:
            msg = "the saved detectors are those of another version"
            raise EddylineError("state_mismatch", msg, hint="begin with empty detectors")
        own = {name: header[name] for name in _OWN}
        choices = Choices(**header["choices"])
        options = DetectorOptions(ForestOptions(**header["forest"]), choices=choices, **own)
        out = cls(options, header["columns"], header["explain"], tuple(header["names"]))
        out.early = header.get("early", False)
        out._forests = compact.restored(header, arrays)
        if out._units is not None:
            for name in _UNITS:
                setattr(out._units, name, arrays[f"units.{name}"].copy())
        out._judges.heads = arrays["judges.heads"].copy()
        out._judges.tails = arrays["judges.tails"].copy()
        return out

    def pack(self, models: Int64s) -> list[bytes]:
        """All that each of these keys has learnt, as bytes; ``unpack`` goes on bit for bit."""
        return [pack(m, self._judges, self._units, self._forests) for m in models.tolist()]

    def unpack(self, models: Int64s, packed: Sequence[bytes]) -> None:
        """Give keys, whose models hold nothing yet, what ``pack`` gave.

        Raises:
            EddylineError: ``corrupt_data`` if the bytes are not those of such keys.
        """
        self.make_room(int(models.max()) + 1 if len(models) else 0)
        for model, one in zip(models.tolist(), packed, strict=True):
            unpack(one, model, self._judges, self._units, self._forests)

    def make_room(self, models: int) -> None:
        """Memory for keys 0 to ``models`` - 1; what is not used stays untouched."""
        self._judges.make_room(models)
        if self._units is not None:
            self._units.make_room(models)

    def rows_before(self, models: Int64s) -> Int64s:
        """How many rows a key has had before each of these rows, which come next."""
        return self._judges.rows_before(models)

    def forget(self, models: Int64s) -> None:
        """Make models as if they had seen no row."""
        if self._units is not None:
            self._units.forget(models)
        self._judges.forget(models)
        self._forests.forget(models)


def _after_units(judged: Judged, before: Int64s) -> Judged:
    """Several columns are judged once their units are known and the forest can speak: a key's rows
    before are those of learning, and an episode that began among them is reported after them."""
    young, first = before < WINDOW, before == WINDOW
    r = judged.results
    r.missing[young] = np.maximum(r.missing, WINDOW - before)[young]
    r.alert[young], r.verdict[young], r.number[young] = False, 0, 0
    r.alert[first] |= r.verdict[first] == ANOMALOUS
    odd = ~young[:, None]
    return Judged(
        np.where(young, 0.0, judged.grade), r.alert, judged.high * odd, judged.low * odd, r
    )


def _after_history(judged: Judged, history: Bools) -> Judged:
    """Rows of the history only teach: to the reader they are rows of learning."""
    r, live = judged.results, ~history[:, None]
    r.alert[history], r.verdict[history], r.number[history] = False, 0, 0
    r.missing[history] = HISTORY
    grade = np.where(history, 0.0, judged.grade)
    return Judged(grade, r.alert, judged.high * live, judged.low * live, r)


def _sides(judged: Judged, points: Doubles) -> tuple[Doubles, Doubles]:
    """The columns' shares (n, d), each on the side of the expected value that its value is on.

    The evidence's own side counts where no other is known, and of a column that leads by several
    rows: they can be too high together while the last of them is not.
    """
    r = judged.results
    above, below = points > r.expected, points < r.expected
    known = above | below
    several = (r.kind == LEVEL) | (r.kind == DRIFT)
    known[np.flatnonzero(several), r.lead[several]] = False
    share = judged.high + judged.low
    return np.where(known, share * above, judged.high), np.where(known, share * below, judged.low)


def warm(dimensions: tuple[int, ...] = (1,)) -> None:
    """Have the machine code that points of these dimensions need.

    For a thread in the background at start, so that the first row need not wait.
    """
    for d in dimensions:
        points = np.zeros((12, d))
        points[-1] = 1.0
        detectors = Detectors(DetectorOptions(ForestOptions(1, 10)), d, explain="all")
        detectors.process(np.zeros(12, np.int64), points)
