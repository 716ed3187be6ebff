"""Bitmaps: sets of 32-bit integers, as RoaringBitmap writes them.

A bitmap is BYTES in RoaringBitmap's portable format, which is what BITMAP_TO_BYTES gives in Flink.
pyroaring is loaded with the first call.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import reduce
from typing import Any

from eddyline.errors import EddylineError
from eddyline.functions.registry import (
    Arguments,
    Built,
    CallContext,
    Function,
    check,
    plain,
    register,
    strict,
)
from eddyline.record.types import BIGINT, BYTES_TYPE, INT, STRING, DataType, Root, array
from eddyline.record.vector import by_distinct_row, define

_WRAP = 2**32


def _read(data: bytes) -> Any:
    from pyroaring import BitMap

    try:
        return BitMap.deserialize(data)
    except (ValueError, RuntimeError) as error:
        msg = "these bytes are not a bitmap"
        hint = "a bitmap is made by BITMAP_BUILD, or is RoaringBitmap's portable format"
        raise EddylineError("sql_runtime", msg, detail=str(error), hint=hint) from None


def _written(bitmap: Any) -> bytes:
    bitmap.run_optimize()
    return bytes(bitmap.serialize())


def _build(values: list[int | None]) -> bytes:
    from pyroaring import BitMap

    return _written(BitMap(v % _WRAP for v in values if v is not None))


def _signed(value: int) -> int:
    return value - _WRAP if value >= _WRAP // 2 else value


_OPERATIONS: dict[str, Callable[[Any, Any], Any]] = {
    "and": lambda a, b: a & b,
    "or": lambda a, b: a | b,
    "xor": lambda a, b: a ^ b,
    "andnot": lambda a, b: a - b,
}


def _combined(operation: str) -> Callable[[bytes, bytes], bytes]:
    combine = _OPERATIONS[operation]
    return lambda a, b: _written(combine(_read(a), _read(b)))


def _folded(operation: str) -> Callable[[list[bytes | None]], bytes | None]:
    combine = _OPERATIONS[operation]

    def fold(bitmaps: Iterable[bytes | None]) -> bytes | None:
        some = [_read(b) for b in bitmaps if b is not None]
        return _written(reduce(combine, some)) if some else None

    return fold


def _vector(name: str, function: Callable[..., Any], kind: DataType) -> str:
    return define(f"bitmap_{name}", kind, by_distinct_row(function, kind))


BUILD = _vector("build", _build, BYTES_TYPE)
CARDINALITY = _vector("cardinality", lambda b: len(_read(b)), BIGINT)
COMBINED = {name: _vector(name, _combined(name), BYTES_TYPE) for name in _OPERATIONS}
FOLDED = {n: _vector(f"fold_{n}", _folded(n), BYTES_TYPE) for n in ("and", "or", "xor")}
_TO_STRING = _vector("to_string", lambda b: "{" + ",".join(map(str, _read(b))) + "}", STRING)
_TO_ARRAY = _vector("to_array", lambda b: [_signed(v) for v in _read(b)], array(INT))
_CHECKED = _vector("from_bytes", lambda b: _written(_read(b)), BYTES_TYPE)
_ONE = "BITMAP_BUILD(ARRAY[1, 5])"


def _built(args: Arguments, context: CallContext) -> Built:
    check("BITMAP_BUILD", args, ("array",))
    element = args[0].type.children[0]
    if not element.is_integer or element.root is Root.BIGINT:
        check("BITMAP_BUILD", (), ("integer",))
        msg = f"BITMAP_BUILD cannot be applied to ({args[0].type})"
        raise EddylineError("sql_semantic", msg, hint="it takes ARRAY<INT>")
    return Built(strict(BYTES_TYPE, args), f"{BUILD}(CAST({{0}} AS INTEGER[]))")


def _binary(name: str, doc: str, value: str) -> Function:
    function = COMBINED[name]
    sql = f"BITMAP_{name.upper()}"
    example = f"BITMAP_TO_STRING({sql}({_ONE}, BITMAP_BUILD(ARRAY[5, 9])))"
    kinds, text = ("bytes",), f"{function}({{0}}, {{1}})"
    return Function((sql,), (2, 2), plain(sql, kinds, BYTES_TYPE, text), doc, (example, value))


def _unary(
    name: str, result: DataType, template: str, doc: str, example: tuple[str, object]
) -> Function:
    return Function((name,), (1, 1), plain(name, ("bytes",), result, template), doc, example)


register(
    (
        Function(
            ("BITMAP_BUILD",),
            (1, 1),
            _built,
            "The set of an array's integers.",
            (f"BITMAP_TO_STRING({_ONE})", "{1,5}"),
        ),
        _binary("and", "Integers that both sets have.", "{5}"),
        _binary("or", "Integers that either set has.", "{1,5,9}"),
        _binary("xor", "Integers that only one set has.", "{1,9}"),
        _binary("andnot", "Integers that the second set does not have.", "{1}"),
        _unary(
            "BITMAP_CARDINALITY",
            BIGINT,
            f"{CARDINALITY}({{0}})",
            "How many integers a set has.",
            (f"BITMAP_CARDINALITY({_ONE})", 2),
        ),
        _unary(
            "BITMAP_TO_ARRAY",
            array(INT),
            f"{_TO_ARRAY}({{0}})",
            "The integers of a set in order.",
            (f"BITMAP_TO_ARRAY({_ONE})[2]", 5),
        ),
        _unary(
            "BITMAP_TO_STRING",
            STRING,
            f"{_TO_STRING}({{0}})",
            "The integers of a set as text.",
            (f"BITMAP_TO_STRING({_ONE})", "{1,5}"),
        ),
        _unary(
            "BITMAP_TO_BYTES",
            BYTES_TYPE,
            "({0})",
            "A set in RoaringBitmap's portable format.",
            (
                "BITMAP_TO_BYTES(BITMAP_BUILD(ARRAY[1])) = X'3a3000000100000000000000100000000100'",
                True,
            ),
        ),
        _unary(
            "BITMAP_FROM_BYTES",
            BYTES_TYPE,
            f"{_CHECKED}({{0}})",
            "The set that bytes describe.",
            (f"BITMAP_CARDINALITY(BITMAP_FROM_BYTES(BITMAP_TO_BYTES({_ONE})))", 2),
        ),
    )
)
