"""What the monitor keeps: scored points, their series, alerts, and incidents over many keys."""

from __future__ import annotations

from typing import Any

import msgspec


class Point(msgspec.Struct, frozen=True):
    """A scored point: its time (epoch ms), values by column (None: it had none), and its verdict.

    nth: its number among the forest's points; its time does where that is not known. lower, upper:
    the band by column. rarity: in decades, None while the key is learnt. episode: its number in the
    key. event, incident: as the forest tells them. reason: in words, of an anomalous point. side: 1
    or -1 where the point is one of several rows that are too high or too low together.
    """

    time_ms: int
    values: list[float | None]
    score: float
    grade: float
    alert: bool
    expected: list[float | None] | None = None
    explanation: dict[str, Any] | None = None
    nth: int | None = None
    lower: list[float | None] | None = None
    upper: list[float | None] | None = None
    rarity: float | None = None
    episode: int = 0
    event: str = ""
    reason: str = ""
    incident: str = ""
    side: int = 0

    @property
    def number(self) -> int:
        """What it is known by within its series."""
        return self.time_ms if self.nth is None else self.nth


class SeriesInfo(msgspec.Struct, frozen=True):
    """A series of scored points: one key of one forest of one job (or of a SELECT's run)."""

    series_id: str
    job_id: str
    node: str
    key: str
    columns: list[str]
    last_ms: int
    points: int
    alerts: int


class Alert(msgspec.Struct, frozen=True):
    """An anomaly from its first to its newest anomalous point. ended_ms: when its episode ended,
    None while it lasts. updates: what changed meanwhile, by time. incident_id: the incident over
    many keys that it belongs to. muted: why it is told to nobody."""

    id: int
    series_id: str
    job_id: str
    key: str
    start_ms: int
    end_ms: int
    peak_score: float
    grade: float
    sentence: str
    explanation: dict[str, Any] | None = None
    ended_ms: int | None = None
    updates: list[dict[str, Any]] = []
    incident_id: int | None = None
    muted: str | None = None


class Incident(msgspec.Struct, frozen=True):
    """Many keys at once, as ``forest_incidents`` tells it."""

    id: int
    job_id: str
    start_ms: int
    column: str
    direction: str
    keys: int
    of: int
    change: float | None
    explained_by: dict[str, list[str]]
    sentence: str
