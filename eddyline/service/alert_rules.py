"""What people have said about alerts: feedback that moves a series' threshold, and rules to mute.

"This is normal" about a point: later points that are as rare as it at most are no alert. "This was
an anomaly": later points that are as rare as it at least are one. The newest word about a series
counts from the time on that it carries. A rule mutes alerts of a statement, key, column or span of
time; muted alerts are kept, with the reason, and told to nobody.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from eddyline.errors import EddylineError

SCHEMA = """
CREATE TABLE IF NOT EXISTS feedback (
  id INTEGER PRIMARY KEY, series_id TEXT NOT NULL, point_ms INTEGER NOT NULL,
  is_anomaly INTEGER NOT NULL, rarity REAL NOT NULL, acts_from_ms INTEGER NOT NULL,
  said_ms INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS mutes (
  id INTEGER PRIMARY KEY, job_id TEXT NOT NULL, key TEXT NOT NULL, column_name TEXT NOT NULL,
  from_ms INTEGER, until_ms INTEGER, said_ms INTEGER NOT NULL
)
"""
# A point that is this much rarer than one that is said to be normal is an alert all the same.
_MARGIN = 0.3


class Feedback(msgspec.Struct, frozen=True):
    """A word about a point of a series. rarity: of the point, in decades; acts_from_ms: points from
    this time on are judged by it."""

    id: int
    series_id: str
    point_ms: int
    is_anomaly: bool
    rarity: float
    acts_from_ms: int
    said_ms: int

    @property
    def sentence(self) -> str:
        """The word as a reason."""
        what = "an anomaly" if self.is_anomaly else "normal"
        return f"a point as rare as this was said to be {what}"


class Mute(msgspec.Struct, frozen=True):
    """A rule; empty texts and None match all."""

    id: int
    job_id: str = ""
    key: str = ""
    column: str = ""
    from_ms: int | None = None
    until_ms: int | None = None
    said_ms: int = 0

    def matches(self, job_id: str, key: str, columns: Sequence[str], at_ms: int) -> bool:
        """Whether an alert of these columns is muted."""
        return (
            self.job_id in ("", job_id)
            and self.key in ("", key)
            and (not self.column or all(c == self.column for c in columns))
            and (self.from_ms is None or at_ms >= self.from_ms)
            and (self.until_ms is None or at_ms < self.until_ms)
        )

    @property
    def sentence(self) -> str:
        """The rule in words."""
        parts = [f"key {self.key}" if self.key else "", f"column {self.column}" * bool(self.column)]
        words = ", ".join(p for p in parts if p) or "all alerts"
        return f"muted by rule {self.id}: {words}"


class UserRules(msgspec.Struct, frozen=True):
    """All that has been said, as one batch of points is held against it."""

    feedback: dict[str, list[Feedback]]
    mutes: list[Mute]

    def feedback_at(self, series_id: str, at_ms: int) -> Feedback | None:
        """The newest word that acts on a series' point of this time."""
        words = [f for f in self.feedback.get(series_id, ()) if f.acts_from_ms <= at_ms]
        return max(words, key=lambda f: (f.acts_from_ms, f.id)) if words else None

    def makes_alert(self, series_id: str, at_ms: int, rarity: float | None) -> bool:
        """Whether a point is an alert because one as rare was said to be an anomaly."""
        word = self.feedback_at(series_id, at_ms)
        return bool(word and word.is_anomaly and rarity is not None and rarity >= word.rarity)

    def mutes_alert(
        self, job_id: str, series_id: str, key: str, columns: Sequence[str], at_ms: int,
        rarity: float | None,
    ) -> str | None:  # fmt: skip
        """Why an alert is told to nobody; None if it is told."""
        word = self.feedback_at(series_id, at_ms)
        if word and not word.is_anomaly and (rarity is None or rarity <= word.rarity + _MARGIN):
            return word.sentence
        rule = next((m for m in self.mutes if m.matches(job_id, key, columns, at_ms)), None)
        return rule.sentence if rule else None


def words_of(db: Any) -> UserRules:
    """What has been said, from an open database."""
    feedback: dict[str, list[Feedback]] = {}
    for row in db.execute("SELECT * FROM feedback"):
        one = Feedback(row[0], row[1], row[2], bool(row[3]), *row[4:])
        feedback.setdefault(one.series_id, []).append(one)
    return UserRules(feedback, [Mute(*row) for row in db.execute("SELECT * FROM mutes")])


def checked(mute: Mute) -> Mute:
    """Raises EddylineError ``invalid_argument`` for a span that ends before it begins."""
    if mute.from_ms is not None and mute.until_ms is not None and mute.until_ms <= mute.from_ms:
        msg = "the rule ends before it begins"
        raise EddylineError("invalid_argument", msg, hint="choose a later end")
    return mute
