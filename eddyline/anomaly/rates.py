"""How many false alarms are allowed: a count with a unit, per key with all its columns."""

from __future__ import annotations

import re
from dataclasses import dataclass

from eddyline.errors import EddylineError

_WEEKS = {"week": 1.0, "day": 7.0, "hour": 168.0}
_FORM = re.compile(r"([0-9]*\.?[0-9]+)\s*/\s*(?:([0-9]+)\s*)?(week|day|hour|rows?)")


@dataclass(frozen=True, slots=True)
class FalseAlarms:
    """How many false alarms are allowed per key: so many per week of time, or per row."""

    rate: float
    per_week: bool

    @staticmethod
    def parse(text: object) -> FalseAlarms:
        """``0.1/week``, ``2/day``, ``10/10000 rows``.

        Raises:
            EddylineError: ``invalid_argument`` if it is nothing of the kind.
        """
        match = _FORM.fullmatch(str(text).strip())
        hint = "for example '0.1/week' or '10/10000 rows', per key"
        if match is None:
            raise EddylineError("invalid_argument", f"false_alarms is {text!r}", hint=hint)
        count, unit = float(match[1]), match[3]
        many = int(match[2] or 1)
        if unit in _WEEKS:
            rate, per_week = count / max(many, 1) * _WEEKS[unit], True
        else:
            rate, per_week = count / max(many, 1), False
        if not 0.0 < rate <= (1e6 if per_week else 0.1):
            msg = f"false_alarms is {text!r}; it must be above 0, and at most one row in ten"
            raise EddylineError("invalid_argument", msg, hint=hint)
        return FalseAlarms(rate, per_week)
