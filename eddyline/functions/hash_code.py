"""HASH_CODE: Java's hash of a value, by which people spread keys over buckets."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Any

from eddyline.functions.java.hashing import HASHES, string_hash
from eddyline.functions.registry import (
    Arguments,
    Built,
    CallContext,
    Function,
    check,
    mismatch,
    register,
    strict,
)
from eddyline.record.types import INT
from eddyline.record.vector import by_distinct_row, define


def _signed(hashed: Callable[[Any], int]) -> Callable[[Any], int]:
    """The hash as Java's int, which has a sign."""

    def of(value: Any) -> int:
        bits = hashed(value) & 0xFFFFFFFF
        return bits - (1 << 32) if bits >= 1 << 31 else bits

    return of


def _of_text(text: str) -> int:
    """A text's hash has no sign, as in Flink."""
    return abs(string_hash(text))


def _hash_code(args: Arguments, context: CallContext) -> Built:
    check("HASH_CODE", args, ("any",))
    kind = args[0].type
    hashed = _of_text if kind.is_text else HASHES.get(kind.root)
    if hashed is None:
        raise mismatch("HASH_CODE", args, "a text, number, boolean, date or timestamp")
    name = f"hash_code_{zlib.crc32(str(kind.root).encode()):08x}"
    function = define(name, INT, by_distinct_row(_signed(hashed), INT))
    return Built(strict(INT, args), f"{function}({{0}})")


register(
    (
        Function(
            ("HASH_CODE",),
            (1, 1),
            _hash_code,
            "Java's hash of a value as an INT; a text's has no sign.",
            ("HASH_CODE('x')", 120),
        ),
    )
)
