"""What a forest and a detector may be told, with the ranges of the service that defined them.

Names, defaults and ranges of the forest are those of ``RANDOM_CUT_FOREST`` in Kinesis Data
Analytics for SQL. ``time_decay`` counts records there; the open-source library's parameter of
the same name is a rate, its reciprocal.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from eddyline.anomaly.choices import Choices
from eddyline.anomaly.rates import FalseAlarms
from eddyline.errors import EddylineError

COLUMNS_MAX = 30
# False alarms that are allowed unless stated otherwise: with known times, and without.
DEFAULT_TIMED, DEFAULT_UNTIMED = "0.1/week", "0.5/10000 rows"


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
    """A forest and how rows are judged.

    tolerance: a change by less than this share of the expected value is no anomaly of its column.
    normalize: columns are divided by how far each strays over a key's first rows, so that none
    rules the forest by its unit alone. A point of one column needs none; RANDOM_CUT_FOREST has
    none. false_alarms: how many a key may have with all its columns, for example ``0.1/week`` or
    ``10/10000 rows``; empty for the default. timed: rows come with their time. choices: options
    that are written as text.
    """

    forest: ForestOptions = ForestOptions()
    tolerance: float = _of(0.0, 0.0, 1000.0)
    normalize: bool = False
    false_alarms: str = ""
    timed: bool = False
    choices: Choices = Choices()

    @property
    def allowed(self) -> FalseAlarms:
        """The rate that is stated, or the default."""
        default = DEFAULT_TIMED if self.timed else DEFAULT_UNTIMED
        return FalseAlarms.parse(self.false_alarms or default)

    def validate(self) -> None:
        """Raises EddylineError ``invalid_argument`` naming the parameter and its range."""
        self.forest.validate()
        _validate(self)
        self.choices.validate()
        if self.allowed.per_week and not self.timed:
            msg = f"false_alarms is {self.false_alarms!r}, but the rows have no time"
            hint = "state it per rows: '0.5/10000 rows'"
            raise EddylineError("invalid_argument", msg, hint=hint)


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
