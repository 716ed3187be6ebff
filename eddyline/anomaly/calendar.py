"""Local time and kind of day of rows, and the options of columns, as the kernels take them."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np

from eddyline.anomaly.choices import Choices, ColumnChoice, days_of, season_of, zone_of
from eddyline.anomaly.column.places import (
    CHOSEN,
    COLUMN_OPTIONS,
    LEAST,
    LEAST_SHARE,
    ONE_SIDE,
    SHARE_OF,
)
from eddyline.anomaly.column.row import NO_SEASON, OWN_WEEKDAY
from eddyline.anomaly.kernel import Doubles, Int64s

SUNDAY = 6


@dataclass(frozen=True, slots=True)
class Calendar:
    """When a row is, locally, and what kind of day it belongs to."""

    season: str
    zone: ZoneInfo | None
    holidays: frozenset[int]  # days since 1970

    def local(self, times: Int64s) -> tuple[Doubles, Int64s]:
        """Local seconds (n,) and weekdays (n,) of epoch milliseconds."""
        seconds = times / 1000.0
        if self.zone is not None:
            seconds = seconds + self._offsets(times)
        weekday: Int64s = np.full(len(times), OWN_WEEKDAY, np.int64)
        if self.season == "none":
            weekday[:] = NO_SEASON
        elif self.season == "day":
            weekday[:] = 0
        elif self.holidays:
            days = np.floor_divide(seconds, 86_400.0).astype(np.int64)
            weekday[np.isin(days, list(self.holidays))] = SUNDAY
        return seconds, weekday

    def _offsets(self, times: Int64s) -> Doubles:
        """Seconds between UTC and local time; they are looked up once per quarter of an hour."""
        quarters, back = np.unique(np.floor_divide(times, 900_000), return_inverse=True)
        epoch = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
        out = np.empty(len(quarters))
        for i, quarter in enumerate(quarters.tolist()):
            try:
                there = (epoch + datetime.timedelta(seconds=quarter * 900)).astimezone(self.zone)
                offset = there.utcoffset()
            except OverflowError:
                offset = None
            out[i] = offset.total_seconds() if offset is not None else 0.0
        return out[back.ravel()]


def calendar_of(choices: Choices) -> Calendar:
    """The calendar that the options state."""
    return Calendar(
        season_of(choices.season), zone_of(choices.time_zone), days_of(choices.holidays)
    )


def column_options(chosen: list[ColumnChoice]) -> Doubles:
    """(d, COLUMN_OPTIONS) for the kernels."""
    out = np.zeros((len(chosen), COLUMN_OPTIONS))
    for j, one in enumerate(chosen):
        out[j, CHOSEN], out[j, SHARE_OF], out[j, ONE_SIDE] = one.law, one.share_of, one.side
        out[j, LEAST], out[j, LEAST_SHARE] = one.least, one.least_share
    return out


def exposures(options: Doubles, points: Doubles) -> Doubles:
    """(n, d): the denominator of each share, 1 for other columns, 0 where there is none."""
    out = np.ones(points.shape)
    for j in np.flatnonzero(options[:, SHARE_OF] >= 0.0).tolist():
        whole = points[:, int(options[j, SHARE_OF])]
        out[:, j] = np.where(np.isnan(whole), 0.0, np.maximum(whole, 0.0))
    return out
