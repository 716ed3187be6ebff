"""Numbers as Java spells them: Double.toString, Float.toString."""

from __future__ import annotations

import math
import struct

import numpy as np


def double_text(value: float) -> str:
    """Plain from 10⁻³ up to 10⁷, else with E; always at least one digit behind the point."""
    return _text(value, _whole_digits(abs(value), 53) or repr(abs(value)))


def float_text(value: float) -> str:
    """As ``double_text``, with the digits of a 32-bit number."""
    return _text(value, _whole_digits(abs(value), 24) or str(abs(np.float32(value))))


def _whole_digits(value: float, bits: int) -> str | None:
    """The digits of a whole number with more bits than its type holds, None for others.

    Java (before 19) drops only those that its low bits cannot tell apart, so that it may print
    more digits than are needed to read the number again.
    """
    if not 2.0 ** (bits + 1) <= value < 2.0**63:
        return None
    number = int(value)
    spare = number.bit_length() - 1 - bits - 1
    digits = len(str(1 << spare)) - 1 if spare > 3 else 0
    whole, rest = divmod(number, 10**digits)
    return str((whole + (2 * rest >= 10**digits > 1)) * 10**digits)


def _text(value: float, digits_text: str) -> str:
    if math.isnan(value):
        return "NaN"
    sign = "-" if math.copysign(1.0, value) < 0 else ""
    if math.isinf(value):
        return sign + "Infinity"
    if value == 0:
        return sign + "0.0"
    if digits_text == "5e-324":  # Java gives two digits even where one would do
        return sign + "4.9E-324"
    mantissa, _, exponent = digits_text.lower().partition("e")
    whole, _, part = mantissa.partition(".")
    digits = (whole + part).lstrip("0")
    point = len(whole) + int(exponent or 0) - (len(whole + part) - len(digits))
    digits = digits.rstrip("0") or "0"
    if -3 < point <= 7:
        if point <= 0:
            return f"{sign}0.{'0' * -point}{digits}"
        padded = digits.ljust(point, "0")
        return f"{sign}{padded[:point]}.{padded[point:] or '0'}"
    return f"{sign}{digits[0]}.{digits[1:] or '0'}E{point - 1}"


def hexadecimal_text(value: float) -> str:
    """Double.toHexString."""
    if math.isnan(value) or math.isinf(value):
        return double_text(value)
    sign = "-" if math.copysign(1.0, value) < 0 else ""
    if value == 0:
        return f"{sign}0x0.0p0"
    mantissa, _, exponent = abs(value).hex().partition("p")
    whole, _, part = mantissa.partition(".")
    return f"{sign}{whole}.{part.rstrip('0') or '0'}p{int(exponent)}"


def double_hash(value: float) -> int:
    """Double.hashCode, unsigned."""
    (bits,) = struct.unpack(">q", struct.pack(">d", value))
    return int(bits ^ (bits >> 32 & 0xFFFFFFFF)) & 0xFFFFFFFF
