"""Functions of Flink that are not here yet, each with the reason.

``tests/functions`` proves that every built-in name of Flink 2.3 is a row of the table or here.
"""

from __future__ import annotations

UNSUPPORTED: dict[str, str] = {
    "APPROX_COUNT_DISTINCT": "use COUNT(DISTINCT x), which is exact",
    "ML_PREDICT": "models are not there yet; RANDOM_CUT_FOREST is",
    "SOURCE_WATERMARK": "the source gives none; write the expression out",
}
