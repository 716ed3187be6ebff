"""CBOR as the AWS SDK for Java uses it (RFC 8949, the part that is needed here).

Maps, lists, texts, byte strings, numbers, booleans and null, of definite and indefinite length.
An instant is tag 1 over milliseconds (Kinesis' own use of the tag, which elsewhere counts
seconds); it is read as seconds, as in the JSON protocol.
"""

from __future__ import annotations

import struct
from typing import Any

from eddyline.aws.errors import AwsError
from eddyline.aws.instant import Instant

DEPTH_MAX = 32
# The largest valid request, 500 records with all members, has about 4,000 items. Decoding an item
# takes a few microseconds, whereas an empty list takes a single byte of the body.
ITEMS_MAX = 20_000
_WIDTHS = {24: 1, 25: 2, 26: 4, 27: 8}
_SIMPLE = {20: False, 21: True, 22: None, 23: None}
_FLOATS = {25: (">e", 2), 26: (">f", 4), 27: (">d", 8)}
_BREAK = object()


def encode(value: Any) -> bytes:
    """The value's bytes."""
    out: list[bytes] = []
    _encode(value, out.append)
    return b"".join(out)


def head(major: int, n: int) -> bytes:
    """A data item's first bytes: its major type and its length or value."""
    if n < 24:
        return bytes((major << 5 | n,))
    if n < 1 << 8:
        return struct.pack(">BB", major << 5 | 24, n)
    if n < 1 << 16:
        return struct.pack(">BH", major << 5 | 25, n)
    if n < 1 << 32:
        return struct.pack(">BI", major << 5 | 26, n)
    return struct.pack(">BQ", major << 5 | 27, n)


def text(value: str) -> bytes:
    """A text string."""
    raw = value.encode()
    return head(3, len(raw)) + raw


def instant(ms: int) -> bytes:
    """Tag 1 over milliseconds."""
    return b"\xc1" + head(0, ms)


def _encode(value: Any, put: Any) -> None:
    if isinstance(value, str):
        put(text(value))
    elif isinstance(value, bytes):
        put(head(2, len(value)))
        put(value)
    elif isinstance(value, dict):
        put(head(5, len(value)))
        for key, inner in value.items():
            put(text(key))
            _encode(inner, put)
    elif isinstance(value, list):
        put(head(4, len(value)))
        for inner in value:
            _encode(inner, put)
    else:
        put(_encoded_scalar(value))


def _encoded_scalar(value: Any) -> bytes:
    if value is None:
        return b"\xf6"
    if isinstance(value, bool):
        return b"\xf5" if value else b"\xf4"
    if isinstance(value, int):
        return head(0, value) if value >= 0 else head(1, -1 - value)
    if isinstance(value, Instant):
        return instant(value.ms)
    return b"\xfb" + struct.pack(">d", value)


def decode(raw: bytes) -> Any:
    """The one value that the bytes hold.

    Raises:
        AwsError: ``SerializationException`` for anything else.
    """
    try:
        value, end = _Decoder(raw).item(0, 0)
    except (IndexError, struct.error, OverflowError, MemoryError):
        raise _not_cbor("it is cut short") from None
    except UnicodeDecodeError:
        raise _not_cbor("a text is not UTF-8") from None
    except (ArithmeticError, TypeError, ValueError):
        raise _not_cbor("a key or a tagged value has a type that it cannot have") from None
    if end != len(raw) or value is _BREAK:
        raise _not_cbor("there is more than one value")
    return value


def _not_cbor(why: str) -> AwsError:
    return AwsError("SerializationException", f"the body is not CBOR: {why}")


class _Decoder:
    """Items of one message; each method gives a value and where it ends."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self._size = len(raw)
        self._left = ITEMS_MAX
        self._by_major = (
            lambda n, at, _: (n, at),
            lambda n, at, _: (-1 - n, at),
            self._string,
            self._string_of_text,
            self._list,
            self._map,
        )

    def item(self, at: int, depth: int) -> tuple[Any, int]:
        if depth > DEPTH_MAX:
            raise _not_cbor("it is nested too deeply")
        self._left -= 1
        if self._left < 0:
            raise _not_cbor(f"it has more than {ITEMS_MAX} items")
        raw = self._raw
        first = raw[at]
        major, info = first >> 5, first & 31
        at += 1
        if 2 <= major <= 3 and info < 26:  # most of a batch of records: strings up to 64 KiB
            if info == 24:
                info, at = raw[at], at + 1
            elif info == 25:
                info, at = raw[at] << 8 | raw[at + 1], at + 2
            end = at + info
            if end <= self._size:
                return raw[at:end] if major == 2 else raw[at:end].decode(), end
            raise _not_cbor("it is cut short")
        if major == 7:
            return self._simple(info, at)
        if info == 31:
            return self._endless(major, at, depth)
        if info in _WIDTHS:
            end = at + _WIDTHS[info]
            n = int.from_bytes(self._slice(at, end), "big")
            at = end
        elif info < 24:
            n = info
        else:
            raise _not_cbor(f"byte {first:#x} means nothing")
        if major == 6:
            return self._tagged(n, at, depth)
        return self._by_major[major](n, at, depth)

    def _slice(self, at: int, end: int) -> bytes:
        if end > len(self._raw):
            raise _not_cbor("it is cut short")
        return self._raw[at:end]

    def _string(self, n: int, at: int, _: int) -> tuple[bytes, int]:
        return self._slice(at, at + n), at + n

    def _string_of_text(self, n: int, at: int, _: int) -> tuple[str, int]:
        return self._slice(at, at + n).decode(), at + n

    def _list(self, n: int, at: int, depth: int) -> tuple[list[Any], int]:
        out = []
        for _ in range(n):
            value, at = self._member(at, depth)
            out.append(value)
        return out, at

    def _map(self, n: int, at: int, depth: int) -> tuple[dict[Any, Any], int]:
        out = {}
        for _ in range(n):
            key, at = self._member(at, depth)
            out[key], at = self._member(at, depth)
        return out, at

    def _member(self, at: int, depth: int) -> tuple[Any, int]:
        """An item of a list, a map or a tag, which cannot be the end of an open-ended one."""
        value, at = self.item(at, depth + 1)
        if value is _BREAK:
            raise _not_cbor("a break stands where a value is expected")
        return value, at

    def _tagged(self, tag: int, at: int, depth: int) -> tuple[Any, int]:
        value, end = self._member(at, depth)
        return (value / 1000 if tag == 1 else value), end

    def _endless(self, major: int, at: int, depth: int) -> tuple[Any, int]:
        items = []
        while True:
            value, at = self.item(at, depth + 1)
            if value is _BREAK:
                break
            items.append(value)
        if major == 5:
            return dict(zip(items[::2], items[1::2], strict=True)), at
        if major == 4:
            return items, at
        return (b"" if major == 2 else "").join(items), at

    def _simple(self, info: int, at: int) -> tuple[Any, int]:
        if info in _SIMPLE:
            return _SIMPLE[info], at
        if info == 31:
            return _BREAK, at
        if info not in _FLOATS:
            raise _not_cbor(f"simple value {info} means nothing")
        form, width = _FLOATS[info]
        return struct.unpack(form, self._slice(at, at + width))[0], at + width
