"""Where the numbers of one column's model lie: offsets into its float64 and float32 arrays.

Every kernel takes the two arrays of a column and these constants, so that a key's whole state is
two contiguous runs of memory, which can be copied to disk and back as they are.
"""

from __future__ import annotations

# The laws a column can follow; AUTO lets the data choose.
REAL, COUNT, POSITIVE, AUTO = 0, 1, 2, 3

# Seasons that are tried, each a refinement of the one before: none, hour of the day, by kind of day
# and times the weekday, hour of the week, bin of the day.
SEASONS = 5
# Local experts: the season alone; ratios to it over three memories; the last value; a damped last
# value (AR 1); a level with a trend (Holt).
EXPERTS = 7
FILTERS = 3
# Windows over which residuals are summed: the last has a fading memory, the others are exact.
WINDOWS = 9
# Rows of the longest exact window.
EXACT = 128
# The quick expectation (with local experts) and the slow one (seasons alone).
TRACKS = 2
# Options of a column.
CHOSEN, SHARE_OF, LEAST, LEAST_SHARE, ONE_SIDE = 0, 1, 2, 3, 4
COLUMN_OPTIONS = 5


class _Counter:
    """Hands out consecutive places."""

    def __init__(self) -> None:
        self.size = 0

    def take(self, count: int = 1) -> int:
        first = self.size
        self.size += count
        return first


# --- float64
_doubles = _Counter()
_take = _doubles.take
SEEN = _take()  # rows with a value so far
ROWS = _take()  # of them those that the present model has learnt
LAW = _take()
AGE = _take()  # days since the first value: greatest so far
BORN = _take()  # 1 once there is a model
ORIGIN = _take()  # the first value; single-precision history is kept relative to it
FIRST_S = _take()  # local time of the first row, in seconds
LOW = _take()  # least and greatest value so far
HIGH = _take()
WHOLE = _take()  # 1 while all values are whole numbers of 0 or more
USUAL = _take()  # values that equal the first one
SUM_X = _take()  # of the first rows, for a share's beginning
SUM_E = _take()
LEVEL_X = _take(SEASONS)  # fading sums behind the level of each season
LEVEL_F = _take(SEASONS)
SEASON_LOSS = _take(SEASONS)
EXPERT_LOSS = _take(EXPERTS)
LOSS_ROWS = _take()
FILTER_D = _take(FILTERS)
FILTER_E = _take(FILTERS)
LAST_X = _take()  # the last value, and what the season expected then
LAST_M = _take()
AR_XY = _take()
AR_XX = _take()
HOLT_LEVEL = _take()
HOLT_TREND = _take()
VAR_C = _take(TRACKS)  # variance = c + a * mean + b * mean ** 2
VAR_A = _take(TRACKS)
VAR_B = _take(TRACKS)
TAIL = _take(TRACKS)  # running advantage of the heavy-tailed law
UNIT = _take()  # of the sums over exact windows: the standard deviation at the beginning
WINDOW_N = _take(TRACKS)  # rows since the windows began
WINDOW_S = _take(TRACKS * WINDOWS)  # sums of residuals, variances, means
WINDOW_V = _take(TRACKS * WINDOWS)
WINDOW_M = _take(TRACKS * WINDOWS)
WINDOW_Q = _take(TRACKS * WINDOWS)  # running mean of S ** 2 / V
CALIBRATION = _take(5 * TRACKS)
LARGE_ROW = _take()  # values seen when one was last off by what matters
RECENT_ROWS = _take()  # values in RECENT
MEAN_SUM = _take()  # sum of the newest 24 values
MEANS = _take()  # means kept so far
SHAPE_SEEN = _take(2)  # rows in the tail of shape, and its reference
PLACE_SEEN = _take(2)
HIGH_SEEN = _take(2)  # the same of residuals above and below what was expected
LOW_SEEN = _take(2)
RESIDUAL = _take()  # the newest standardised residual of the quick track
ON = _take()  # 1 while the column is in an episode
ON_TRACK = _take()  # the track and window that began it, rows since, quiet rows, side
ON_WINDOW = _take()
ON_ROWS = _take()
ON_QUIET = _take()
ON_SIDE = _take()
ON_EXPECTED = _take()  # the value expected when it began, and the standard deviation
ON_SIGMA = _take()
LONG_END = _take()  # values seen when its last long episode ended
ON_FILTER = _take(FILTERS)  # what the filters said when it began
EVENTS = 2
EVENT_ROW = _take(EVENTS)  # of the newest single values that were an alert's: row, and how far off
EVENT_OFF = _take(EVENTS)
DOUBLES = _doubles.size

# --- float32
_singles = _Counter()
_take = _singles.take
BLOCKS = 64  # blocks a calibration keeps
CALIBRATION_RING = _take(BLOCKS * TRACKS)
WINDOW_RING = _take(TRACKS * EXACT * 3)  # residual, variance, mean of the newest rows, in units
TIMES = 160
TIME = _take(TIMES)  # seconds since FIRST_S of the first rows
HOD = _take(24 * 2)  # sums and weights
WD = _take(7 * 2)
STRAY = _take(24 * 2)  # squared standardised residuals by hour, and how many
KOD = _take(2 * 24 * 3)  # by kind of day (working day, weekend) and hour
HOW = _take(168 * 3)
WEEK_OFF = _take(168)  # by hour of the week: when it was off last (``season``)
BOD = _take(288 * 4)
BINS = 64  # of the tail of shape and of place: counts, then sums
SHAPE_TAIL = _take(2 * BINS)
PLACE_TAIL = _take(2 * BINS)
HIGH_TAIL = _take(2 * BINS)
LOW_TAIL = _take(2 * BINS)
MEANS_KEPT = 1000
MEAN_RING = _take(MEANS_KEPT)
MEAN_ORDER = _take(MEANS_KEPT)
HISTORY, ROOM = 1508, 2048
RECENT = _take(ROOM)  # values relative to ORIGIN, the oldest first
SINGLES = _singles.size
