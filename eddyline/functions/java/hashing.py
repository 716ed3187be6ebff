"""The order in which Java's HashMap gives its keys: maps that Flink builds so print in it."""

from __future__ import annotations

from collections.abc import Sequence


def string_hash(text: str) -> int:
    """String.hashCode: over units of UTF-16, as a signed 32-bit number."""
    value = 0
    raw = text.encode("utf-16-be", "surrogatepass")
    for place in range(0, len(raw), 2):
        value = (31 * value + (raw[place] << 8 | raw[place + 1])) & 0xFFFFFFFF
    return value - (1 << 32) if value >= 1 << 31 else value


def hash_order(keys: Sequence[str | None], capacity: int = 16) -> list[int]:
    """Places of ``keys``, which are distinct, in the order of a HashMap.

    ``capacity`` is what the map was made for; it grows as Java's does.
    """
    size = 1
    while size < capacity:
        size *= 2
    while len(keys) > size * 3 // 4 and len(keys) > size * 0.75:
        size *= 2

    def bucket(place: int) -> int:
        key = keys[place]
        value = 0 if key is None else string_hash(key) & 0xFFFFFFFF
        return (value ^ value >> 16) & (size - 1)

    return sorted(range(len(keys)), key=bucket)
