"""An attribution as JSON text, in the form of ``RANDOM_CUT_FOREST_WITH_EXPLANATION``.

Per column ``{"DIRECTION": "HIGH"|"LOW", "STRENGTH": "0.8567", "ATTRIBUTION_SCORE": "1.7447"}``:
numbers are text with four decimals, and the attribution scores add up to the anomaly score.
STRENGTH is how one-sided the direction is: 1 where all trees that find the column unusual find
it too high (or too low), 0 where they are divided.
"""

from __future__ import annotations

import json

from eddyline.anomaly.kernel import Doubles


def explanation_json(columns: list[str], high: Doubles, low: Doubles) -> str:
    """One row's attribution, high and low (d,) per column, as JSON keyed by column."""
    out = {}
    for name, up, down in zip(columns, high.tolist(), low.tolist(), strict=True):
        total = up + down
        out[name] = {
            "DIRECTION": "HIGH" if up >= down else "LOW",
            "STRENGTH": f"{abs(up - down) / total if total > 0 else 0.0:.4f}",
            "ATTRIBUTION_SCORE": f"{total:.4f}",
        }
    return json.dumps(out)
