"""Functions of Flink that are not here yet, each with the reason.

``tests/functions`` proves that every built-in name of Flink 2.3 is a row of the table or here.
"""

from __future__ import annotations

_TABLE_FUNCTION = "it works on a changelog, which has no text form here"
_BITMAP = "there is no bitmap type"
_VARIANT = "there is no VARIANT type"
_OBJECT = "there are no structured types"
_JSON = "its KEY … VALUE syntax is not read yet; build the text with CONCAT and JSON_STRING"
_COLLECTION = "aggregates that give a collection are not there yet"

UNSUPPORTED: dict[str, str] = {
    "ARRAY_AGG": _COLLECTION,
    "COLLECT": _COLLECTION,
    "PERCENTILE": "it needs all values of a group, which are not kept",
    "APPROX_COUNT_DISTINCT": "use COUNT(DISTINCT x), which is exact",
    "JSON_OBJECT": _JSON,
    "JSON_ARRAY": _JSON,
    "JSON_OBJECTAGG": _JSON,
    "JSON_ARRAYAGG": _JSON,
    "JSON": "it only means something inside JSON_OBJECT",
    "PARSE_JSON": _VARIANT,
    "TRY_PARSE_JSON": _VARIANT,
    "OBJECT_OF": _OBJECT,
    "OBJECT_UPDATE": _OBJECT,
    "ML_PREDICT": "models are not there yet; RANDOM_CUT_FOREST is",
    "TO_CHANGELOG": _TABLE_FUNCTION,
    "FROM_CHANGELOG": _TABLE_FUNCTION,
    "SOURCE_WATERMARK": "the source gives none; write the expression out",
    "CURRENT_DATABASE": "use SHOW CURRENT DATABASE",
    "ARRAY_INTERSECT": "use ARRAY_CONTAINS",
    "ARRAY_UNION": "use ARRAY_DISTINCT(ARRAY_CONCAT(a, b))",
    "MAP_ENTRIES": "use MAP_KEYS and MAP_VALUES",
    "MAP_UNION": "merge the maps before they come in",
    "OVERLAPS": "compare the four times instead",
    **dict.fromkeys(
        (
            "BITMAP_AND", "BITMAP_ANDNOT", "BITMAP_AND_AGG", "BITMAP_AND_CARDINALITY_AGG",
            "BITMAP_BUILD", "BITMAP_BUILD_AGG", "BITMAP_BUILD_CARDINALITY_AGG",
            "BITMAP_CARDINALITY", "BITMAP_FROM_BYTES", "BITMAP_OR", "BITMAP_OR_AGG",
            "BITMAP_OR_CARDINALITY_AGG", "BITMAP_TO_ARRAY", "BITMAP_TO_BYTES",
            "BITMAP_TO_STRING", "BITMAP_XOR", "BITMAP_XOR_AGG", "BITMAP_XOR_CARDINALITY_AGG",
        ),
        _BITMAP,
    ),
}  # fmt: skip
