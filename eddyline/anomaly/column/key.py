"""Where the numbers that all columns of a key share lie: its clock, its relation, its alerts."""

from __future__ import annotations

from eddyline.anomaly.column.places import BLOCKS, _Counter

_doubles = _Counter()
_take = _doubles.take
ROWS = _take()  # rows so far
LAST_S = _take()  # local time of the newest row, in seconds
STEP_S = _take()  # the usual distance of rows in seconds; 0 while it is not known
STEPS = 32
STEP_RING = _take(STEPS)  # the newest distances
FOREST_TAIL = _take(2)  # rows in the tail of forest scores, and its reference
NOVEL = _take(5)  # calibration of shape, place and forest together
TOGETHER = _take(5)  # calibration of the relation of columns
BAR = _take()  # how much past alerts have raised the bar
HABIT = _take()  # the same for alerts of single columns, in alerts
ACTIVE = _take()  # 1 while an episode lasts
NUMBER = _take()  # of episodes so far
START_ROW = _take()
START_MS = _take()
ALERT_ROW = _take()  # row of the last alert
PEAK = _take()  # greatest rarity of the episode
STRENGTH = _take()  # evidence per row that began the episode
QUIET = _take()
COLUMN = _take()  # of the episode: the column that began it, kind, side
KIND = _take()
SIDE = _take()
KEY_DOUBLES = _doubles.size

_singles = _Counter()
_take = _singles.take
BINS = 64
FOREST_BINS = _take(2 * BINS)
NOVEL_RING = _take(BLOCKS)
TOGETHER_RING = _take(BLOCKS)
KEY_SINGLES = _singles.size
