"""What if: other options of the detector replayed over the points that are kept of a series.

The replay begins with an empty model at the oldest point that is kept, so its first verdicts are
those of learning; beside it stand the alerts that the running statement has raised.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from eddyline.errors import EddylineError
from eddyline.service.anomaly_records import Point

ROWS_MAX = 20_000
# Few trees: the answer is awaited at a desk, and the forest is one kind of evidence of several.
_TREES = 30


class Outlook(msgspec.Struct, frozen=True):
    """now: times of the alerts of the running statement. then: of those with the other options.
    points: the series as it would have been judged. words: alerts with the other options."""

    now: list[int]
    then: list[int]
    points: list[Point]
    words: list[str]

    @property
    def sentence(self) -> str:
        """The comparison in words."""
        both = len(set(self.now) & set(self.then))
        then, now = (f"{len(t):,} alert{'' if len(t) == 1 else 's'}" for t in (self.then, self.now))
        return f"{then} with these options, {now} as it runs, {both:,} at the same points"


def what_if(columns: Sequence[str], points: Sequence[Point], options: dict[str, str]) -> Outlook:
    """The points judged with other options: those of ``DETECT_ANOMALIES`` that are texts.

    Raises:
        EddylineError: ``invalid_argument`` for an option that is not understood, or no points.
    """
    import numpy as np

    from eddyline.anomaly import reasons
    from eddyline.anomaly.choices import Choices
    from eddyline.anomaly.detector import DetectorOptions, Detectors, ForestOptions

    if not points:
        raise EddylineError("invalid_argument", "the series has no points", hint="wait for some")
    points = points[-ROWS_MAX:]
    given = {name: text.strip() for name, text in options.items() if text.strip()}
    rate = given.pop("false_alarms", "")
    unknown = sorted(set(given) - set(Choices.__dataclass_fields__))
    if unknown:
        msg = f"there is no option {unknown[0]}"
        raise EddylineError("invalid_argument", msg, hint="see the page on false alarms")
    values = np.array([[np.nan if v is None else v for v in p.values] for p in points], float)
    whole = ~np.isnan(values).all(axis=1)
    kept = [p for p, w in zip(points, whole.tolist(), strict=True) if w]
    times = np.array([p.time_ms for p in kept], np.int64)
    chosen = DetectorOptions(
        ForestOptions(number_of_trees=_TREES), normalize=True, false_alarms=rate, timed=True,
        choices=Choices(**given),
    )  # fmt: skip
    detectors = Detectors(chosen, len(columns), columns=tuple(columns), early=True)
    v = detectors.process(np.zeros(len(kept), np.int64), values[whole], times)
    alerts = np.flatnonzero(v.alert).tolist()
    judged = [_judged(p, v, i) for i, p in enumerate(kept)]
    words = [reasons.reason(list(columns), values[whole][i], v, i) for i in alerts]
    now = [p.time_ms for p in points if p.alert]
    return Outlook(now, [kept[i].time_ms for i in alerts], judged, words)


def _judged(point: Point, verdicts: Any, row: int) -> Point:
    import numpy as np

    def numbers(values: Any) -> list[float | None]:
        return [None if np.isnan(x) else float(x) for x in values[row]]

    return msgspec.structs.replace(
        point,
        score=float(verdicts.score[row]),
        grade=float(verdicts.grade[row]),
        alert=bool(verdicts.alert[row]),
        expected=numbers(verdicts.expected),
        lower=numbers(verdicts.lower),
        upper=numbers(verdicts.upper),
        episode=int(verdicts.episode[row]),
        event="",
    )
