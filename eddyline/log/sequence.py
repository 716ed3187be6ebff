"""Sequence numbers: 56 decimal digits that order a shard's records and can be read back.

Inside, a record is (shard, offset), offsets counting 0, 1, 2, … Outside it is a number made of
fixed digit fields, so that it grows with the offset, differs between a stream and a later one of
the same name, and inverts::

    49 | created_ms (14) | 00 | offset (20) | shard index (12) | 000000
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NewType

from eddyline.errors import EddylineError

SequenceNumber = NewType("SequenceNumber", str)
DIGITS = 56
_HEAD, _GAP, _TAIL = "49", "00", "000000"


@dataclass(frozen=True, slots=True)
class Position:
    """What a sequence number says: the shard, when that shard was created, the record's offset."""

    shard: int
    created_ms: int
    offset: int


def sequence_number(shard: int, created_ms: int, offset: int) -> SequenceNumber:
    """The public number of a record."""
    return SequenceNumber(f"{_HEAD}{created_ms:014d}{_GAP}{offset:020d}{shard:012d}{_TAIL}")


def sequence_numbers(shard: int, created_ms: int, offsets: Iterable[int]) -> list[SequenceNumber]:
    """Numbers of many records of one shard; plain ints format fastest."""
    head, tail = f"{_HEAD}{created_ms:014d}{_GAP}", f"{shard:012d}{_TAIL}"
    return [SequenceNumber(f"{head}{o:020d}{tail}") for o in offsets]


def before_first(shard: int, created_ms: int) -> SequenceNumber:
    """The number just below that of the shard's first record; ``parse`` gives it offset -1."""
    return SequenceNumber(str(int(sequence_number(shard, created_ms, 0)) - 1))


def parse(text: str) -> Position:
    """The position a number stands for.

    Raises:
        EddylineError: ``invalid_argument`` when no stream of ours gave it out.
    """
    if len(text) == DIGITS and text.isascii() and text.isdigit():
        below = text.endswith("9" * len(_TAIL))  # that of ``before_first``, and only that
        digits = str(int(text) + 1) if below else text
        position = Position(int(digits[38:50]), int(digits[2:16]), int(digits[18:38]))
        if digits == sequence_number(position.shard, position.created_ms, position.offset):
            if not below:
                return position
            if position.offset == 0:
                return Position(position.shard, position.created_ms, -1)
    msg = f"{text[: DIGITS + 4]!r} is not a sequence number"
    raise EddylineError("invalid_argument", msg, hint="use a SequenceNumber that a put answered")


def offset_of(text: str, shard: int, created_ms: int) -> int:
    """The offset a number of this shard stands for.

    Raises:
        EddylineError: ``invalid_argument`` when it is no number of this shard.
    """
    position = parse(text)
    if (position.shard, position.created_ms) != (shard, created_ms):
        msg = f"sequence number {text} does not belong to shardId-{shard:012d}"
        hint = "use a SequenceNumber that this shard of this stream gave out"
        raise EddylineError("invalid_argument", msg, hint=hint)
    return position.offset
