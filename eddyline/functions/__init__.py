"""Every SQL function once: names, argument types, result type, sentence, example, kernel."""

# Each module puts its rows into the table as it is imported.
from eddyline.functions import (  # noqa: F401
    arithmetic,
    bitmaps,
    collecting,
    collections,
    conditional,
    encodings,
    hash_code,
    json,
    json_build,
    like,
    objects,
    operators,
    printf,
    temporal,
    text,
    text_search,
)
from eddyline.functions.aggregates import AGGREGATES
from eddyline.functions.registry import FUNCTIONS
from eddyline.functions.unsupported import UNSUPPORTED

__all__ = ["AGGREGATES", "FUNCTIONS", "UNSUPPORTED"]
