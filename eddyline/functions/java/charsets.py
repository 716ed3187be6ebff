"""Character sets by their names in Java, for ENCODE and DECODE."""

from __future__ import annotations

import codecs
import re
from functools import lru_cache

from eddyline.errors import EddylineError

# Codecs of Python that are no character sets, or that Java does not have.
_FOREIGN = "idna punycode raw-unicode-escape unicode-escape undefined utf-8-sig mbcs oem utf-7"
_NOT_IN_JAVA = frozenset(_FOREIGN.split())
_SURROGATE = re.compile(rb"\xed[\xa0-\xbf][\x80-\xbf]")


@lru_cache(maxsize=64)
def _codec(name: str) -> str:
    """Python's name of the character set ``name``.

    Raises:
        EddylineError: ``sql_runtime`` if there is none.
    """
    try:
        info = codecs.lookup(name)
    except (LookupError, ValueError):
        info = None
    if info is None or not info._is_text_encoding or info.name.replace("_", "-") in _NOT_IN_JAVA:
        msg = f"there is no character set named {name!r}"
        hint = "use UTF-8, US-ASCII, ISO-8859-1, UTF-16, UTF-16BE, UTF-16LE or another of Java's"
        raise EddylineError("sql_runtime", msg, hint=hint)
    return info.name


def encoded(text: str, charset: str) -> bytes:
    """The bytes of ``text``; a character that the set lacks becomes ``?``."""
    codec = _codec(charset)
    if codec == "utf-16":
        return (b"\xfe\xff" + text.encode("utf-16-be")) if text else b""
    if codec == "utf-32":
        return text.encode("utf-32-be")
    return text.encode(codec, "replace")


def decoded(raw: bytes, charset: str) -> str:
    """The text of ``raw``; what is malformed becomes U+FFFD."""
    codec = _codec(charset)
    if codec == "utf-16" and raw[:2] not in (b"\xfe\xff", b"\xff\xfe"):
        codec = "utf-16-be"
    if codec == "utf-32" and raw[:4] not in (b"\x00\x00\xfe\xff", b"\xff\xfe\x00\x00"):
        codec = "utf-32-be"
    if codec == "utf-8":
        raw = _SURROGATE.sub(b"\xff", raw)  # one U+FFFD, where Python would make three
    return raw.decode(codec, "replace")
