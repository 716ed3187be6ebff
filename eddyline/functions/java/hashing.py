"""The order in which Java's HashMap gives its keys: maps that Flink builds so print in it."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from eddyline.record.types import Root


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
    return order_of_hashes([0 if key is None else string_hash(key) for key in keys], capacity)


def order_of_hashes(hashes: Sequence[int], capacity: int = 16) -> list[int]:
    """As ``hash_order``, of keys with these values of hashCode."""
    size = 1
    while size < capacity:
        size *= 2
    while len(hashes) > size * 3 // 4 and len(hashes) > size * 0.75:
        size *= 2

    def bucket(place: int) -> int:
        value = hashes[place] & 0xFFFFFFFF
        return (value ^ value >> 16) & (size - 1)

    return sorted(range(len(hashes)), key=bucket)


def _long_hash(value: int) -> int:
    return (value ^ (value >> 32)) & 0xFFFFFFFF


def _decimal_hash(value: Decimal) -> int:
    """BigDecimal.hashCode: of the unscaled number, and the scale."""
    sign, digits, exponent = value.as_tuple()
    magnitude, number = int("".join(map(str, digits))), 0
    for place in range((magnitude.bit_length() + 31) // 32 - 1, -1, -1):
        number = (31 * number + (magnitude >> 32 * place & 0xFFFFFFFF)) & 0xFFFFFFFF
    return 31 * (-number if sign else number) - int(exponent)


def _timestamp_hash(value: datetime) -> int:
    """TimestampData.hashCode: of the milliseconds, and the nanoseconds within one."""
    since = value.replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    micros = (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
    return 31 * _long_hash(micros // 1000) + micros % 1000 * 1000


def text_hash(text: str) -> int:
    """BinaryStringData.hashCode: Murmur3 over the text's bytes, which Flink pads by none."""
    raw = text.encode("utf-8", "surrogatepass")
    whole = len(raw) & ~3
    hashed = 42
    blocks = [int.from_bytes(raw[i : i + 4], "little") for i in range(0, whole, 4)]
    # A byte behind the last whole block is a block of its own, with its sign.
    blocks += [b - 256 if b > 127 else b for b in raw[whole:]]
    for block in blocks:
        mixed = (block * 0xCC9E2D51) & 0xFFFFFFFF
        mixed = ((mixed << 15 | mixed >> 17) * 0x1B873593) & 0xFFFFFFFF
        hashed ^= mixed
        hashed = ((hashed << 13 | hashed >> 19) & 0xFFFFFFFF) * 5 + 0xE6546B64 & 0xFFFFFFFF
    hashed ^= len(raw)
    hashed = (hashed ^ hashed >> 16) * 0x85EBCA6B & 0xFFFFFFFF
    hashed = (hashed ^ hashed >> 13) * 0xC2B2AE35 & 0xFFFFFFFF
    return hashed ^ hashed >> 16


# hashCode of what Flink holds a value of a type in; of other types the order is that of arrival.
HASHES: dict[Root, Callable[[Any], int]] = {
    Root.BOOLEAN: lambda v: 1231 if v else 1237,
    Root.TINYINT: int,
    Root.SMALLINT: int,
    Root.INT: int,
    Root.BIGINT: _long_hash,
    Root.FLOAT: lambda v: struct.unpack("<i", struct.pack("<f", v))[0],
    Root.DOUBLE: lambda v: _long_hash(struct.unpack("<q", struct.pack("<d", v))[0]),
    Root.DECIMAL: _decimal_hash,
    Root.CHAR: text_hash,
    Root.VARCHAR: text_hash,
    Root.DATE: lambda v: (v - date(1970, 1, 1)).days,
    Root.TIMESTAMP: _timestamp_hash,
    Root.TIMESTAMP_LTZ: _timestamp_hash,
}
