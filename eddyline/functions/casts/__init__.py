"""CAST, TRY_CAST and implicit casts: from any type to any other, with Flink's meaning.

Numbers are cut, not rounded, and wrap around where Java's casts do; text that is not a number
fails the job (TRY_CAST gives NULL); timestamps print with exactly their precision; conditions
print in capitals. Each family of types has a module; ``RULES`` is the table of all of them.
"""

from __future__ import annotations

from eddyline.errors import EddylineError
from eddyline.functions.casts import nested, numbers, texts, times
from eddyline.functions.casts.rule import Cast, Convert
from eddyline.functions.casts.times import fraction, from_local, timestamp_shown, to_local
from eddyline.functions.registry import CallContext
from eddyline.record.types import DataType, Root, duckdb_type

__all__ = [
    "cast",
    "castable",
    "fraction",
    "from_local",
    "timestamp_shown",
    "to_local",
]

RULES: tuple[tuple[tuple[Root, ...], tuple[Root, ...], Convert], ...] = (
    *numbers.RULES,
    *texts.RULES,
    *times.RULES,
    *nested.RULES,
)
_HINTS = {
    (Root.BIGINT, Root.TIMESTAMP): "use TO_TIMESTAMP_LTZ(x, 3) for epoch milliseconds",
    (Root.BIGINT, Root.TIMESTAMP_LTZ): "use TO_TIMESTAMP_LTZ(x, 3) for epoch milliseconds",
    (Root.INT, Root.TIMESTAMP): "use TO_TIMESTAMP_LTZ(x, 0) for epoch seconds",
    (Root.INT, Root.TIMESTAMP_LTZ): "use TO_TIMESTAMP_LTZ(x, 0) for epoch seconds",
    (Root.TIMESTAMP, Root.BIGINT): "use UNIX_TIMESTAMP(CAST(x AS STRING))",
}


def cast(text: str, source: DataType, target: DataType, context: CallContext, attempt: bool) -> str:
    """``text`` of type ``source`` as ``target``; ``attempt`` gives NULL instead of failing.

    The result is a template, as ``text`` is one: braces that are meant are doubled.

    Raises:
        EddylineError: ``sql_semantic`` when no such cast exists.
    """
    if source.root is Root.NULL:
        return f"CAST({text} AS {duckdb_type(target)})"
    if source.same_as(target):
        return text
    rule = _find(source, target)
    if rule is None or nested.pairs(source, target) is None:
        msg = f"a value of type {source.plain()} cannot be cast to {target}"
        hint = _HINTS.get((source.root, target.root))
        raise EddylineError("sql_semantic", msg, hint=hint)
    if attempt and source.root in nested.COLLECTIONS:  # one bad element makes all of it NULL
        return f"TRY({rule(Cast(text, source, target, context, False, cast))})"
    return rule(Cast(text, source, target, context, attempt, cast))


def castable(source: DataType, target: DataType) -> bool:
    """Whether a cast exists."""
    if source.root is Root.NULL or source.same_as(target):
        return True
    if _find(source, target) is None:
        return False
    pairs = nested.pairs(source, target)
    return pairs is not None and all(castable(a, b) for a, b in pairs)


def _find(source: DataType, target: DataType) -> Convert | None:
    for sources, targets, convert in RULES:
        if source.root in sources and target.root in targets:
            return convert
    return None
