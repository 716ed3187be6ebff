"""Shard iterators and page tokens: opaque texts that carry their place and their age.

They hold all they stand for, so that any worker can use them, also after a restart. Nothing in
them is secret, and one made up by hand gives no more than a request would: the checksum is there
to tell a damaged one from a good one.
"""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from typing import Any

import msgspec

from eddyline.aws.errors import AwsError
from eddyline.aws.instant import http_date
from eddyline.checksum import crc32
from eddyline.clock import Clock

PAGE_MS = 300_000


@dataclass(frozen=True, slots=True)
class IteratorPosition:
    """Where an iterator stands: the next record it will give."""

    stream: str
    created_ms: int
    shard: int
    offset: int


def iterator(place: IteratorPosition, clock: Clock) -> str:
    """The text of a shard iterator."""
    fields = (clock.now_ms(), place.stream, place.created_ms, place.shard, place.offset)
    return _packed(fields)


def place_of(text: str, clock: Clock, life_s: int) -> IteratorPosition:
    """Where an iterator stands.

    Raises:
        AwsError: ``InvalidArgumentException``, or ``ExpiredIteratorException`` for an old one.
    """
    try:
        issued_ms, *fields = _unpacked(text, tuple[int, str, int, int, int])
    except ValueError:
        raise AwsError("InvalidArgumentException", "Invalid ShardIterator.") from None
    now_ms = clock.now_ms()
    if now_ms - issued_ms > life_s * 1000:
        words = (
            f"Iterator expired. The iterator was created at time {http_date(issued_ms)} while "
            f"right now it is {http_date(now_ms)} which is further in the future than the "
            f"tolerated delay of {life_s * 1000} milliseconds."
        )
        raise AwsError("ExpiredIteratorException", words)
    return IteratorPosition(*fields)


def page(kind: str, fields: list[Any], clock: Clock) -> str:
    """A token for the next page of a listing; ``fields`` say what and where."""
    return _packed((kind, clock.now_ms(), fields))


def page_of(kind: str, text: str, clock: Clock) -> list[Any]:
    """The fields of a page's token.

    Raises:
        AwsError: ``InvalidArgumentException``, or ``ExpiredNextTokenException`` after 300 s.
    """
    try:
        token_kind, issued_ms, fields = _unpacked(text, tuple[str, int, list[Any]])
        if token_kind != kind:
            raise ValueError(token_kind)
    except ValueError:
        raise AwsError("InvalidArgumentException", "Invalid NextToken.") from None
    if clock.now_ms() - issued_ms > PAGE_MS:
        words = f"NextToken expired. It was created at time {http_date(issued_ms)}."
        raise AwsError("ExpiredNextTokenException", words)
    return list(fields)


def _packed(fields: Any) -> str:
    raw = msgspec.msgpack.encode(fields)
    return urlsafe_b64encode(crc32(raw).to_bytes(4, "big") + raw).decode()


def _unpacked(text: str, kind: Any) -> Any:
    """Raises ValueError for what is none of ours."""
    try:
        raw = urlsafe_b64decode(text.encode("ascii"))
        if crc32(raw[4:]).to_bytes(4, "big") != raw[:4]:
            raise ValueError("checksum")
        return msgspec.msgpack.decode(raw[4:], type=kind)
    except (binascii.Error, UnicodeError, msgspec.DecodeError) as error:
        raise ValueError(str(error)) from None
