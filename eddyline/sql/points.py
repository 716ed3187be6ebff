"""Table functions that take a row's numbers as a point, over an input of either plan."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from eddyline.anomaly.choices import Choices
from eddyline.record.schema import Schema

N = TypeVar("N")


@dataclass(frozen=True, slots=True)
class ForestOver(Generic[N]):
    """RANDOM_CUT_FOREST and its sisters over an input of this plan or of the logical one.

    columns: a point's dimensions. partition_by: key columns. score, grade, explanation: output
    columns, None where the function does not give them; details: those that DETECT_ANOMALIES adds
    beside, in the order of ``DETAILS``. time_column: points are taken in order of (time, arrival)
    as the watermark allows. fill: the value of a window without rows, per key seen; it needs
    window_ms, the distance of windows, and fills window_columns along.
    """

    input: N
    columns: tuple[str, ...]
    partition_by: tuple[str, ...]
    number_of_trees: int
    sub_sample_size: int
    time_decay: int
    shingle_size: int
    tolerance: float
    seed: int
    fill: float | None
    window_ms: int
    time_column: str | None
    window_columns: tuple[str, ...]
    score: str
    grade: str | None
    explanation: str | None
    schema: Schema
    false_alarms: str = ""
    details: tuple[str, ...] = ()
    choices: Choices = Choices()


@dataclass(frozen=True, slots=True)
class HotspotsOver(Generic[N]):
    """HOTSPOTS over an input of this plan or of the logical one.

    columns: a point's dimensions. partition_by: key columns. A point is looked at among the newest
    window_size of its key; points within scan_radius of one another, at least minimum_points of
    them, are a hotspot. time_column: points are taken in order of (time, arrival). result: the
    output column.
    """

    input: N
    columns: tuple[str, ...]
    partition_by: tuple[str, ...]
    window_size: int
    scan_radius: float
    minimum_points: int
    time_column: str | None
    result: str
    schema: Schema
