"""A key's clock: how far its rows usually lie apart, and how rare a false alarm must then be."""

from __future__ import annotations

from math import log10

from eddyline.anomaly.column.key import LAST_S, ROWS, STEP_RING, STEP_S, STEPS
from eddyline.anomaly.kernel import Doubles, kernel

WEEK_S = 604_800.0
# Of a key's options: rate of false alarms, whether it is per week, rows' distance if given, timed.
RATE, PER_WEEK, GIVEN_STEP_S, TIMED, RELATIONS = 0, 1, 2, 3, 4
KEY_OPTIONS = 5


@kernel
def allowed(k: Doubles, options: Doubles) -> float:
    """-log10 of the false alarms that are allowed per row; 0 while that is not known."""
    if options[PER_WEEK] == 0.0:
        return -log10(options[RATE])
    if k[STEP_S] <= 0.0:
        return 0.0
    return -log10(min(options[RATE] * k[STEP_S] / WEEK_S, 0.05))


@kernel
def tick(k: Doubles, options: Doubles, local_s: float) -> None:
    """The key's clock: how far rows usually lie apart."""
    rows = k[ROWS]
    if options[GIVEN_STEP_S] > 0.0:
        k[STEP_S] = options[GIVEN_STEP_S]
    elif rows > 0.0 and options[TIMED] > 0.0:
        k[STEP_RING + int(rows - 1.0) % STEPS] = max(local_s - k[LAST_S], 0.0)
        if rows == 11.0 or int(rows) % 200 == 50:
            k[STEP_S] = max(_median(k, int(min(rows, STEPS))), 1e-3)
    k[LAST_S] = local_s
    k[ROWS] = rows + 1.0


@kernel
def _median(k: Doubles, n: int) -> float:
    """The middle of the newest distances."""
    for i in range(n):
        value, less, same = k[STEP_RING + i], 0, 0
        for j in range(n):
            less += int(k[STEP_RING + j] < value)
            same += int(k[STEP_RING + j] == value)
        if less <= n // 2 < less + same:
            return float(value)
    return 0.0
