"""What a forest and a detector may be told, with the ranges of the service that defined them.

Names, defaults and ranges of the forest are those of ``RANDOM_CUT_FOREST`` in Kinesis Data
Analytics for SQL. ``time_decay`` counts records there; the open-source library's parameter of
the same name is a rate, its reciprocal.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from eddyline.anomaly.rates import FalseAlarms
from eddyline.errors import EddylineError

COLUMNS_MAX = 30


def _of(default: Any, low: float, high: float) -> Any:
    return field(default=default, metadata={"low": low, "high": high})


@dataclass(frozen=True, slots=True)
class ForestOptions:
    """One forest: trees, records a tree samples, records until a sample has faded, shingle."""

    number_of_trees: int = _of(100, 1, 1000)
    sub_sample_size: int = _of(256, 10, 1000)
    time_decay: int = _of(100_000, 1, 2**31 - 1)
    shingle_size: int = _of(1, 1, 30)
    seed: int = _of(0, 0, 2**63 - 1)

    def validate(self) -> None:
        """Raises EddylineError ``invalid_argument`` naming the parameter and its range."""
        _validate(self)


@dataclass(frozen=True, slots=True)
class DetectorOptions:
    """A forest and what is made of its scores.

    tolerance: a value within this share of the expected one is never an anomaly.
    cool_down: a column's episode ends after this many ordinary rows; one alert an episode.
    normalize: columns are divided by how far each strays over a key's first rows, so that none
    rules by its unit alone. A point of one column needs none; RANDOM_CUT_FOREST has none.
    false_alarms: how many a key may have, for example ``0.1/week`` or ``10/10000 rows``; the
    verdict is then that of ``verdicts``. Empty: grades are taken from the forest's scores alone.
    timed: rows come with their time.
    """

    forest: ForestOptions = ForestOptions()
    tolerance: float = _of(0.2, 0.0, 1000.0)
    cool_down: int = _of(100, 0, 1_000_000)
    normalize: bool = False
    false_alarms: str = ""
    timed: bool = False

    def validate(self) -> None:
        """Raises EddylineError ``invalid_argument`` naming the parameter and its range."""
        self.forest.validate()
        _validate(self)
        if self.false_alarms != "":
            FalseAlarms.parse(self.false_alarms)


def _validate(options: ForestOptions | DetectorOptions) -> None:
    for name, spec in type(options).__dataclass_fields__.items():
        if not spec.metadata:
            continue
        value, kind = getattr(options, name), type(spec.default)
        low, high = spec.metadata["low"], spec.metadata["high"]
        right = isinstance(value, int if kind is int else (int, float))
        if right and not isinstance(value, bool) and low <= value <= high:
            continue
        what = "a whole number" if kind is int else "a number"
        msg = f"{name} is {value!r}; it must be {what} between {low} and {high}"
        raise EddylineError("invalid_argument", msg, hint=f"the default is {spec.default}")


def check_dimensions(dimensions: int) -> None:
    """Raises EddylineError ``invalid_argument`` unless a forest takes that many columns."""
    if not 1 <= dimensions <= COLUMNS_MAX:
        msg = f"a forest over {dimensions} columns; it takes between 1 and {COLUMNS_MAX}"
        raise EddylineError("invalid_argument", msg, hint="choose the numeric columns that matter")
