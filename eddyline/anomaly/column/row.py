"""A key's row: its columns judged one by one and together, then one verdict.

``judge_columns`` does everything that needs no forest; ``conclude`` adds the forest's score and
decides. Both work row by row, so that an alert bears on the rows after it wherever rows are cut.
"""

from __future__ import annotations

from math import log10, sqrt
from typing import NamedTuple

import numpy as np

from eddyline.anomaly.column import episode
from eddyline.anomaly.column.band import band_of, too_small
from eddyline.anomaly.column.calibration import (
    GREAT_PRIOR,
    NOVEL_PRIOR,
    QUICK_PRIOR,
    SLOW_PRIOR,
    TOGETHER_PRIOR,
    as_exact,
    calibrated,
    note,
    talkative,
)
from eddyline.anomaly.column.clock import RELATIONS, TIMED, allowed, tick
from eddyline.anomaly.column.expectation import SPARSE
from eddyline.anomaly.column.key import (
    ACTIVE,
    ALERT_ROW,
    BAR,
    COLUMN,
    FOREST_BINS,
    FOREST_TAIL,
    HABIT,
    KEY_DOUBLES,
    KEY_SINGLES,
    KIND,
    NOVEL,
    NOVEL_RING,
    NUMBER,
    PEAK,
    QUIET,
    ROWS,
    SIDE,
    START_MS,
    START_ROW,
    STEP_S,
    STRENGTH,
    TOGETHER,
    TOGETHER_RING,
)
from eddyline.anomaly.column.model import (
    DEPARTURE,
    FREEZE_ROWS,
    GREAT,
    JUDGED,
    OFF,
    QUICK,
    QUICK_WINDOW,
    SCRATCH,
    SLOW,
    SLOW_WINDOW,
    judge_value,
)
from eddyline.anomaly.column.places import (
    BLOCKS,
    BORN,
    CALIBRATION,
    CALIBRATION_RING,
    CHOSEN,
    COUNT,
    DOUBLES,
    HISTORY,
    LARGE_ROW,
    LAW,
    LEVEL_F,
    LEVEL_X,
    ON,
    ONE_SIDE,
    PLACE_SEEN,
    PLACE_TAIL,
    SEEN,
    SHAPE_SEEN,
    SHAPE_TAIL,
    SHARE_OF,
    SINGLES,
    TRACKS,
    WINDOW_S,
    WINDOW_V,
)
from eddyline.anomaly.column.relation import forget_relation, judge_relation
from eddyline.anomaly.column.similarity import LENGTH, LEVEL_ROWS, place_distance, shape_distance
from eddyline.anomaly.column.surprise import surprise
from eddyline.anomaly.column.windows import LENGTHS
from eddyline.anomaly.kernel import Bools, Doubles, Int64s, Singles, entry, kernel

DAY_S = 86_400.0
# In place of a weekday: the row's own, and that no season is wanted.
OWN_WEEKDAY, NO_SEASON = -1, -2
# One false alarm in ten keys, spread over the rows of a key's first weeks as 1 / row: decades
# beyond those of its rows.
_YOUNG_DECADES = 2.0
# Kinds of evidence.
POINT, LEVEL, DRIFT, RELATION, SHAPE, PLACE, FOREST = 0, 1, 2, 3, 4, 5, 6
# Rows before shape, place and forest say anything.
_NOVEL_ROWS = 100.0
_FOREST_WEIGHT = 0.7
# Where many false alarms are allowed (from one in so many decades of rows on, over so many decades
# more and more), kinds of evidence are heard together.
_AT_ONCE_FROM, _AT_ONCE_OVER = 3.25, 0.25
# Then a column alone must be
# rarer by so many decades, and its rarity, less and up to a bound, counts with such a weight.
_ALONE, _COLUMN_WEIGHT, _COLUMN_LESS, _COLUMN_MOST = 2.15, 0.4, 0.3, 6.0
# The window, of 8 rows, that says on which side a column's newest rows are.
_SIDE_WINDOW = 3
# So many deviations a share must be off over these rows.
_SHARE_OFF = 2.0
# Rows that a shape, a place or a forest's score tells of.
_NOVEL_LENGTH = 8.0
# Counts of a greater mean take part in the relation of columns.
_SOLID = 4.0
# The greatest evidence of a block says nothing of sparse counts, of which most blocks have none:
# they are at most so many decades rarer than their law has it.
_SPARSE_MORE = 0.3
# Decades beyond those of its rows that a past can support.
_NOVEL_SUPPORT = 0.75
_REST_ROWS, _NOVEL_REST = 36.0, 100.0
_RARER = 1.0
# Evidence per row so many times that of the episode's beginning is no part of it.
_STRONGER = 8.0
# The longest window, of 4 rows, that is no slow growth of an episode.
_SUDDEN = 2.0
_HABIT, _HABIT_ROWS = 0.06, 20_000.0
_COLUMN_HABIT, _COLUMN_HABIT_ROWS = 0.5, 1000.0
# Of a row, handed from ``judge_columns`` to ``conclude``.
(
    RARITY,
    RARITY_COLUMN,
    RARITY_KIND,
    RARITY_SIDE,
    RARITY_WINDOW,
    NOVEL_SQUARE,
    NOVEL_COLUMN,
    NOVEL_KIND,
    ALLOWED,
    BUSY,
    READY,
    TALK,
    BOTH,
    ROW_STRENGTH,
    COLUMN_SHARE,
    AT_ONCE,
    LARGE,
) = 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16
PASSED = 17


class Room(NamedTuple):
    """Scratch memory of ``judge_rows``, which itself allocates nothing."""

    scratch: Doubles
    judged: Doubles
    history: Singles
    work: Doubles  # (d, d)
    residual: Doubles  # (d,)
    solid: Doubles  # (d,)
    row: Doubles  # (PASSED,)


def room_for(columns: int) -> Room:
    """Scratch memory for rows of so many columns."""
    square, each = np.zeros((columns, columns)), np.zeros(columns)
    history: Singles = np.zeros(HISTORY, np.float32)
    return Room(
        np.zeros(SCRATCH), np.zeros(JUDGED), history, square, each, each.copy(), np.zeros(PASSED)
    )  # fmt: skip


class Rows(NamedTuple):
    """n rows over d columns as they are to be judged."""

    models: Int64s  # (n,) row of heads and tails
    times: Int64s  # (n,) epoch ms
    local_s: Doubles  # (n,) local time in seconds
    weekday: Int64s  # (n,) in place of the time's own, or -1
    points: Doubles  # (n, d) NaN where there is no value
    exposure: Doubles  # (n, d) denominators of shares, else 1
    forest: Doubles  # (n,) the forest's scores, NaN for none


class Results(NamedTuple):
    """What is said of n rows over d columns."""

    evidence: Doubles  # (n, d) signed decades by column
    expected: Doubles  # (n, d) NaN where nothing is known
    lower: Doubles  # (n, d)
    upper: Doubles  # (n, d)
    limit: Doubles  # (n,) decades that an alert needs; 0 while that is not known
    rarity: Doubles  # (n,) decades of the row
    side: Doubles  # (n,) 1 too high, -1 too low, 0 neither
    verdict: Int64s  # (n,) LEARNING, ORDINARY or ANOMALOUS
    number: Int64s  # (n,) of the key's episode, 0 outside one
    lead: Int64s  # (n,) the column that is farthest off
    kind: Int64s  # (n,) of evidence
    missing: Int64s  # (n,) rows that the key still needs to be judged
    alert: Bools  # (n,) the first row of an episode


@entry
def judge_rows(
    rows: Rows, heads: Doubles, tails: Singles, options: Doubles, column_options: Doubles,
    results: Results, space: Room,
) -> None:  # fmt: skip
    """Judge rows and learn them, in order."""
    for r in range(len(rows.models)):
        m = rows.models[r]
        judge_columns(r, rows, heads[m], tails[m], options, column_options, results, space)
        conclude(r, rows, heads[m], tails[m], results, space.row)


@kernel
def judge_columns(
    r: int, rows: Rows, head: Doubles, tail: Singles, options: Doubles, column_options: Doubles,
    results: Results, space: Room,
) -> None:  # fmt: skip
    """Judge one row's columns and learn them: all but the forest."""
    scratch, judged, room, work, residual, solid, row = space
    evidence = results.evidence
    d = rows.points.shape[1]
    split = log10(1.0 + 0.35 * (2.0 * d - 1.0))
    k, ks = head[:KEY_DOUBLES], tail[:KEY_SINGLES]
    tick(k, options, rows.local_s[r])
    for i in range(PASSED):
        row[i] = 0.0
    limit = allowed(k, options)
    talk = min(max((4.3 - limit) / 1.3, 0.0), 1.0)
    if limit > 0.0 and k[ROWS] > _NOVEL_ROWS:
        row[AT_ONCE] = min(max((_AT_ONCE_FROM - limit) / _AT_ONCE_OVER, 0.0), 1.0)
    # A young key has few rows in which a false alarm can be: what it may spend is spread over them.
    if limit > 0.0:
        limit = min(limit, log10(max(k[ROWS], 2.0)) + _YOUNG_DECADES)
    row[ALLOWED], row[TALK] = limit, talk
    k[HABIT] *= 1.0 - 1.0 / _COLUMN_HABIT_ROWS
    timed = options[TIMED] > 0.0 and k[STEP_S] > 0.0 and rows.weekday[r] > NO_SEASON
    day_rows = DAY_S / k[STEP_S] if k[STEP_S] > 0.0 else 288.0
    share = log10((0.9 if d == 1 else 0.8) - 0.45 * talk) - _ALONE * row[AT_ONCE]
    row[COLUMN_SHARE] = share - _COLUMN_HABIT * k[HABIT]
    row[RARITY], row[NOVEL_SQUARE] = -1.0, -1.0
    whole, busy = True, False
    for j in range(d):
        h = head[KEY_DOUBLES + j * DOUBLES : KEY_DOUBLES + (j + 1) * DOUBLES]
        c = tail[KEY_SINGLES + j * SINGLES : KEY_SINGLES + (j + 1) * SINGLES]
        x = rows.points[r, j]
        residual[j], solid[j] = 0.0, 0.0
        evidence[r, j] = 0.0
        results.expected[r, j], results.lower[r, j], results.upper[r, j] = np.nan, np.nan, np.nan
        if x != x or rows.exposure[r, j] <= 0.0:
            whole = False
            continue
        o = column_options[j]
        judge_value(
            h, c, x, rows.exposure[r, j], rows.local_s[r], int(rows.weekday[r]), day_rows, timed,
            int(o[CHOSEN]), o[SHARE_OF] >= 0.0, h[ON] > 0.0, scratch, judged,
        )  # fmt: skip
        if h[BORN] > 0.0 and h[SEEN] > 12.0:
            part = row[COLUMN_SHARE]
            band_of(
                h, judged, limit, split - part, r, j, results.expected, results.lower,
                results.upper,
            )  # fmt: skip
            _column(h, c, judged, limit, part, split, o, j, day_rows, row, evidence[r])
            residual[j] = judged[OFF]
            solid[j] = 1.0 if h[LAW] != COUNT or h[LEVEL_X] >= _SOLID * h[LEVEL_F] else 0.0
            busy |= h[ON] > 0.0
        since = LEVEL_ROWS if _beside_the_point(h, o) else h[SEEN] - h[LARGE_ROW]
        _similar(h, c, j, room, since, row)
    if d > 1 and whole and options[RELATIONS] > 0.0:
        if timed and k[ROWS] - 1.0 >= day_rows > k[ROWS] - 2.0:
            forget_relation(head, KEY_DOUBLES + d * DOUBLES, d)
        _related(k, ks, head, KEY_DOUBLES + d * DOUBLES, residual, solid, busy, work, limit, row)
    row[BUSY] = 1.0 if busy else 0.0
    row[READY] = k[ROWS]


@kernel
def _column(
    h: Doubles, c: Singles, judged: Doubles, limit: float, share: float, split: float,
    o: Doubles, j: int, day_rows: float, row: Doubles, evidence: Doubles,
) -> None:  # fmt: skip
    """One column's evidence: calibrated, and its own episode."""
    best, track = -10.0, 0
    for t in range(TRACKS):
        e = judged[QUICK] if t == 0 else judged[SLOW]
        a = abs(e)
        if o[ONE_SIDE] * e < 0.0:
            a = 0.0
        at, ring = CALIBRATION + 5 * t, CALIBRATION_RING + BLOCKS * t
        prior = QUICK_PRIOR if t == 0 else SLOW_PRIOR
        if t == 0 and judged[GREAT] > 0.0:
            prior = GREAT_PRIOR
        rarity = calibrated(h, at, prior, a)
        if h[LAW] == COUNT and h[LEVEL_X] < SPARSE * h[LEVEL_F]:
            rarity = min(rarity, as_exact(prior, a) + _SPARSE_MORE)
        if h[ON] == 0.0 or h[SEEN] < FREEZE_ROWS:  # an episode counts by its beginning
            note(h, at, c, ring, prior, a)
        if rarity > best:
            best, track = rarity, t
    rarity = best + share - split
    e = judged[QUICK] if track == 0 else judged[SLOW]
    if judged[DEPARTURE] > rarity and o[ONE_SIDE] * judged[OFF] >= 0.0:
        # As alone: other columns say nothing about one that was constant.
        rarity, track, e = judged[DEPARTURE], 0, judged[OFF]
    evidence[j] = max(rarity, 0.0) if e > 0.0 else -max(rarity, 0.0)
    if too_small(h, judged, o):
        rarity = min(rarity, 0.0)
    else:
        h[LARGE_ROW] = h[SEEN]
    single = (judged[QUICK_WINDOW] if track == 0 else judged[SLOW_WINDOW]) < 1.0
    if single and rarity >= limit > 0.0 and episode.recurs(h, judged):
        rarity = 0.0
    if rarity >= limit > 0.0 and episode.known(h, judged, e, track):
        rarity = 0.0
    if h[ON] > 0.0:
        episode.go_on(h, judged, min(max(day_rows, 50.0), 300.0))
    elif rarity >= limit and limit > 0.0:
        episode.begin(h, judged, track)
    if rarity > row[RARITY]:
        window = judged[QUICK_WINDOW] if track == 0 else judged[SLOW_WINDOW]
        row[RARITY], row[RARITY_COLUMN] = rarity, j
        least = min(abs(judged[QUICK]), abs(judged[SLOW]))
        row[ROW_STRENGTH] = least / LENGTHS[int(window)]
        row[BOTH] = 1.0 if judged[QUICK] * judged[SLOW] > 0.0 and least > 3.0 else 0.0
        row[RARITY_KIND] = (
            DRIFT if track == 1 and window >= 4.0 else (POINT if window < 1.0 else LEVEL)
        )
        row[RARITY_SIDE], row[RARITY_WINDOW] = 1.0 if e > 0.0 else -1.0, window


@kernel
def _beside_the_point(h: Doubles, o: Doubles) -> bool:
    """Whether a column's newest rows are not off on the side that matters; or a share is not off,
    of which shape and place know the numerator only."""
    off, sigma = h[WINDOW_S + _SIDE_WINDOW], sqrt(h[WINDOW_V + _SIDE_WINDOW])
    if o[ONE_SIDE] != 0.0 and o[ONE_SIDE] * off < sigma:
        return True
    return bool(o[SHARE_OF] >= 0.0 and abs(off) < _SHARE_OFF * sigma)


@kernel
def _similar(h: Doubles, c: Singles, j: int, room: Singles, since: float, row: Doubles) -> None:
    """Shape and place of a column, into the row's greatest. since: rows for which the column has
    not been off by what matters: if none of a stretch was, it is no news."""
    a, b = shape_distance(h, c, room), place_distance(h, c)
    s = surprise(h, SHAPE_SEEN, c, SHAPE_TAIL, a) if a >= 0.0 else 0.0
    p = surprise(h, PLACE_SEEN, c, PLACE_TAIL, b) if b >= 0.0 else 0.0
    if since < LENGTH:
        row[LARGE] = 1.0
    else:
        s = 0.0
    if since >= LEVEL_ROWS:
        p = 0.0
    if h[SEEN] > _NOVEL_ROWS and s * s + p * p > row[NOVEL_SQUARE]:
        row[NOVEL_SQUARE], row[NOVEL_COLUMN] = s * s + p * p, j
        row[NOVEL_KIND] = SHAPE if s >= p else PLACE


@kernel
def _related(
    k: Doubles, ks: Singles, head: Doubles, at: int, residual: Doubles, solid: Doubles,
    busy: bool, work: Doubles, limit: float, row: Doubles,
) -> None:  # fmt: skip
    """The columns' relation, into the row's rarest."""
    e, column, side = judge_relation(head, at, residual, solid, busy, work)
    rarity = calibrated(k, TOGETHER, TOGETHER_PRIOR, e) - 1.0 - log10(float(len(residual)))
    note(k, TOGETHER, ks, TOGETHER_RING, TOGETHER_PRIOR, e)
    if rarity > row[RARITY] and rarity >= limit > 0.0 and row[LARGE] > 0.0:
        row[RARITY], row[RARITY_COLUMN], row[RARITY_KIND] = rarity, column, RELATION
        row[RARITY_SIDE], row[RARITY_WINDOW] = side, 0.0


# Verdict codes.
LEARNING, ORDINARY, ANOMALOUS = 0, 1, 2
LEARN_ROWS = 12.0


@kernel
def conclude(
    r: int, rows: Rows, head: Doubles, tail: Singles, results: Results, row: Doubles
) -> None:
    """The verdict on a row that ``judge_columns`` has judged."""
    columns = rows.points.shape[1]
    split = log10(1.0 + 0.7 * (columns - 1.0))
    k, ks = head[:KEY_DOUBLES], tail[:KEY_SINGLES]
    limit = row[ALLOWED]
    novel = _novel(k, ks, row, rows.forest[r], limit, split)
    best, column, kind, side = row[RARITY], row[RARITY_COLUMN], row[RARITY_KIND], row[RARITY_SIDE]
    if novel > best:
        best, column, kind, side = novel, row[NOVEL_COLUMN], row[NOVEL_KIND], 0.0
    over = limit > 0.0 and best >= limit and row[READY] > LEARN_ROWS
    by_column, busy = row[RARITY] >= limit, row[BUSY] > 0.0
    sudden = by_column and row[BOTH] > 0.0 and row[RARITY_WINDOW] <= _SUDDEN
    strength = row[ROW_STRENGTH] if by_column else novel / _NOVEL_LENGTH
    alert = _episode(
        k, row[READY], over, best, by_column, sudden, busy, column, kind, side, strength
    )  # fmt: skip
    if alert:
        k[START_MS] = rows.times[r]
    results.alert[r], results.limit[r] = alert, limit
    results.rarity[r] = max(best, 0.0) if limit > 0.0 else 0.0
    results.lead[r], results.kind[r], results.side[r] = int(column), int(kind), side
    results.verdict[r] = ORDINARY if row[READY] > LEARN_ROWS and limit > 0.0 else LEARNING
    results.missing[r] = int(max(LEARN_ROWS + 1.0 - row[READY], 0.0))
    if over and k[ACTIVE] > 0.0:
        results.verdict[r] = ANOMALOUS
    results.number[r] = int(k[NUMBER]) if k[ACTIVE] > 0.0 else 0


@kernel
def _novel(
    k: Doubles, ks: Singles, row: Doubles, score: float, limit: float, split: float
) -> float:
    """Rarity of shape, place and forest together."""
    f = 0.0
    if score == score:
        f = min(score, surprise(k, FOREST_TAIL, ks, FOREST_BINS, score))
    if row[LARGE] == 0.0:
        f = 0.0
    k[BAR] *= 1.0 - 1.0 / _HABIT_ROWS
    if row[READY] <= _NOVEL_ROWS:
        return -1.0
    own = min(max(row[RARITY] - row[COLUMN_SHARE] - _COLUMN_LESS, 0.0), _COLUMN_MOST)
    own *= _COLUMN_WEIGHT * row[AT_ONCE]
    square = max(row[NOVEL_SQUARE], 0.0)
    e = sqrt(square + (_FOREST_WEIGHT * f) ** 2 + own * own) / (1.0 + _HABIT * k[BAR])
    if own > max(sqrt(square), _FOREST_WEIGHT * f):
        row[NOVEL_KIND], row[NOVEL_COLUMN] = row[RARITY_KIND], row[RARITY_COLUMN]
    elif _FOREST_WEIGHT * f > sqrt(square):
        row[NOVEL_KIND] = FOREST
    prior = talkative(NOVEL_PRIOR, row[TALK])
    out = calibrated(k, NOVEL, prior, e)
    note(k, NOVEL, ks, NOVEL_RING, prior, e)
    out = min(out, log10(row[READY]) + _NOVEL_SUPPORT)
    return out + log10(0.1 + 0.45 * (row[TALK] + row[AT_ONCE])) - split


@kernel
def _episode(
    k: Doubles, row: float, over: bool, rarity: float, by_column: bool, sudden: bool, busy: bool,
    column: float, kind: float, side: float, strength: float,
) -> bool:  # fmt: skip
    """Whether the row begins an episode; it may prolong or end one.

    sudden: a few rows are far from what was expected by the season and from what was nearby, so
    that it is no return from an episode: ten times as rare as all of that, it begins another one.
    """
    since = row - k[ALERT_ROW] if k[NUMBER] > 0.0 else 1e18
    if k[ACTIVE] > 0.0:
        peak = k[PEAK]
        k[PEAK] = max(peak, rarity)
        k[QUIET] = 0.0 if (over or busy) else k[QUIET] + 1.0
        lasts = busy or k[QUIET] < 3.0
        if k[KIND] >= SHAPE and not busy and since >= _NOVEL_REST:
            lasts = False
        news = since >= _REST_ROWS or strength >= _STRONGER * k[STRENGTH]
        if lasts and not (sudden and news and rarity >= peak + _RARER):
            return False
        k[ACTIVE] = 0.0
    if not over:
        return False
    rest = _REST_ROWS if by_column else _NOVEL_REST
    same = not by_column or column == k[COLUMN]
    if since < rest and same and rarity < k[PEAK] + _RARER:
        return False
    k[ACTIVE], k[NUMBER], k[START_ROW], k[ALERT_ROW] = 1.0, k[NUMBER] + 1.0, row, row
    k[PEAK], k[QUIET], k[STRENGTH] = rarity, 0.0, strength
    k[COLUMN], k[KIND], k[SIDE] = column, kind, side
    k[BAR] += 1.0
    k[HABIT] += 1.0
    return True
