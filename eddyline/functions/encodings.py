"""Functions that turn text into other spellings and back: bases, hashes, URLs, addresses."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from urllib.parse import quote_plus, unquote_to_bytes

from eddyline.errors import EddylineError
from eddyline.functions.java.charsets import decoded, encoded
from eddyline.functions.java.url import url_part
from eddyline.functions.registry import (
    Arguments,
    Built,
    CallContext,
    Function,
    check,
    mismatch,
    plain,
    register,
    strict,
)
from eddyline.functions.text import vector
from eddyline.record.types import BIGINT, BYTES_TYPE, STRING, DataType, char, varchar

_ADDRESS = re.compile(r"\d{1,10}(\.\d{1,10}){0,3}", re.ASCII)
_HASHES = ("MD5", "SHA1", "SHA224", "SHA256", "SHA384", "SHA512")
_NATIVE_HASHES = ("MD5", "SHA1", "SHA256")


def _from_base64(text: str) -> str:
    """Java's decoder: padding may be missing, any other character is an error."""
    body = text.rstrip("=")
    padding = len(text) - len(body)
    bad = re.search(r"[^A-Za-z0-9+/]", body)
    if bad or len(body) % 4 == 1 or padding not in (0, -len(body) % 4):
        msg = f"FROM_BASE64: {text[:40]!r} is not Base64"
        hint = "it may hold letters, digits, + and /, and end in = or =="
        raise EddylineError("sql_runtime", msg, hint=hint)
    return base64.b64decode(body + "=" * (-len(body) % 4)).decode(errors="replace")


def _unhex(text: str) -> bytes | None:
    """Of an odd number of digits the first one becomes a zero byte, as in Flink."""
    if not re.fullmatch(r"[0-9A-Fa-f]*", text):
        return None
    return b"\0" * (len(text) % 2) + bytes.fromhex(text[len(text) % 2 :])


def _url_decode(text: str) -> str | None:
    if re.search(r"%(?![0-9A-Fa-f]{2})", text):
        return None
    return unquote_to_bytes(text.replace("+", " ").encode()).decode(errors="replace")


def _url_encode(text: str) -> str:
    return quote_plus(text, safe="*").replace("~", "%7E")


def _inet_aton(text: str) -> int | None:
    """Up to four parts of one byte each; the last one stands for the address's low bytes."""
    if not _ADDRESS.fullmatch(text):
        return None
    parts = [int(p) for p in text.split(".")]
    if any(p > 255 for p in parts):
        return None
    value = 0
    for p in parts[:-1]:
        value = value * 256 + p
    low: int = 256 ** (5 - len(parts))
    return value * low + parts[-1]


def _inet_ntoa(number: int) -> str | None:
    if not 0 <= number < 2**32:
        return None
    return ".".join(str(number >> shift & 255) for shift in (24, 16, 8, 0))


def _digest(name: str) -> Callable[[str | bytes], str]:
    algorithm = name.lower()

    def digest(value: str | bytes) -> str:
        raw = value.encode() if isinstance(value, str) else value
        return hashlib.new(algorithm, raw, usedforsecurity=False).hexdigest()

    return digest


def _hash(name: str) -> Function:
    size = hashlib.new(name.lower(), usedforsecurity=False).digest_size * 2
    kind = char(size)
    text = f"{name.lower()}({{0}})"
    if name not in _NATIVE_HASHES:
        text = f"{vector(name.lower(), _digest(name), STRING)}({{0}})"
    title = name.replace("SHA", "SHA-").replace("SHA-1", "SHA-1")
    build = plain(name, ("text or bytes",), kind, text)
    example = (f"LEFT({name}('abc'), 8)", _digest(name)("abc")[:8])
    return Function((name,), (1, 1), build, f"{title} digest in hexadecimal digits.", example)


def _sha2(value: str | bytes, bits: int) -> str:
    if bits not in (224, 256, 384, 512):
        msg = f"SHA2: there is no SHA-2 of {bits} bits"
        raise EddylineError("sql_runtime", msg, hint="use 224, 256, 384 or 512")
    return _digest(f"sha{bits}")(value)


def _sha2_built(args: Arguments, context: CallContext) -> Built:
    check("SHA2", args[:1], ("text or bytes",))
    check("SHA2", args[1:], ("integer",))
    text = f"{vector('sha2', _sha2, STRING)}({{0}}, {{1}})"
    return Built(strict(varchar(128), args), "sha256({0})" if args[1].integer == 256 else text)


def _hex(args: Arguments, context: CallContext) -> Built:
    check("HEX", args, ("any",))
    if args[0].type.is_integer:
        return Built(strict(STRING, args), "printf('%X', ({0})::BIGINT)")
    if args[0].type.is_text:
        return Built(strict(STRING, args), "hex({0})")
    raise mismatch("HEX", args, "an integer or text")


def _to_base64(args: Arguments, context: CallContext) -> Built:
    check("TO_BASE64", args, ("text or bytes",))
    text = "base64(encode({0}))" if args[0].type.is_text else "base64({0})"
    return Built(strict(STRING, args), text)


def _parse_url(args: Arguments, context: CallContext) -> Built:
    check("PARSE_URL", args, ("text",))
    rest = ", ".join(f"{{{i}}}" for i in range(len(args)))
    return Built(STRING, f"{vector('parse_url', url_part, STRING)}({rest})")


def _one(
    name: str,
    kinds: tuple[str, ...],
    kind: DataType,
    text: str,
    doc: str,
    example: tuple[str, object],
    *,
    nullable: bool = True,
) -> Function:
    builder = plain(name, kinds, kind, text, nullable=nullable)
    return Function((name,), (len(kinds), len(kinds)), builder, doc, example)


_BIN = vector("bin", lambda n: format(n & 0xFFFFFFFFFFFFFFFF, "b"), STRING)

register(_hash(name) for name in _HASHES)
register(
    (
        Function(
            ("SHA2",),
            (2, 2),
            _sha2_built,
            "SHA-2 digest of 224, 256, 384 or 512 bits in hexadecimal digits.",
            ("LEFT(SHA2('abc', 256), 8)", "ba7816bf"),
        ),
        Function(("HEX",), (1, 1), _hex, "An integer or text in hexadecimal.", ("HEX(255)", "FF")),
        Function(
            ("PARSE_URL",),
            (2, 3),
            _parse_url,
            "A part of a URL (HOST, PATH, QUERY, REF, PROTOCOL, FILE, AUTHORITY, USERINFO), "
            "or one parameter of its query.",
            ("PARSE_URL('http://h/p?a=1', 'QUERY', 'a')", "1"),
        ),
        _one(
            "BIN",
            ("integer",),
            STRING,
            f"(CASE WHEN ({{0}}) < 0 THEN {_BIN}(({{0}})::BIGINT) "
            "ELSE format('{{:b}}', ({0})::BIGINT) END)",
            "An integer in binary; a negative one as 64 bits.",
            ("BIN(4)", "100"),
            nullable=False,
        ),
        _one(
            "UNHEX",
            ("text",),
            BYTES_TYPE,
            f"{vector('unhex', _unhex, BYTES_TYPE)}({{0}})",
            "The bytes of hexadecimal text; NULL for any other.",
            ("DECODE(UNHEX('616263'), 'UTF-8')", "abc"),
        ),
        Function(
            ("TO_BASE64",),
            (1, 1),
            _to_base64,
            "Text or bytes in Base64.",
            ("TO_BASE64('abc')", "YWJj"),
        ),
        _one(
            "FROM_BASE64",
            ("text",),
            STRING,
            f"{vector('from_base64', _from_base64, STRING)}({{0}})",
            "Text from Base64; anything else fails.",
            ("FROM_BASE64('YWJj')", "abc"),
            nullable=False,
        ),
        _one(
            "ENCODE",
            ("text", "text"),
            BYTES_TYPE,
            f"{vector('encode', encoded, BYTES_TYPE)}({{0}}, {{1}})",
            "The bytes of a text in a character set of Java.",
            ("DECODE(ENCODE('abc', 'UTF-16'), 'UTF-16')", "abc"),
            nullable=False,
        ),
        _one(
            "DECODE",
            ("bytes", "text"),
            STRING,
            f"{vector('decode', decoded, STRING)}({{0}}, {{1}})",
            "The text of bytes in a character set of Java.",
            ("DECODE(x'616263', 'UTF-8')", "abc"),
            nullable=False,
        ),
        _one(
            "URL_ENCODE",
            ("text",),
            STRING,
            f"{vector('url_encode', _url_encode, STRING)}({{0}})",
            "The text as a value of a form's URL.",
            ("URL_ENCODE('a b')", "a+b"),
        ),
        _one(
            "URL_DECODE",
            ("text",),
            STRING,
            f"{vector('url_decode', _url_decode, STRING)}({{0}})",
            "The text of a value of a form's URL; NULL if it is malformed.",
            ("URL_DECODE('a+b')", "a b"),
        ),
        _one(
            "INET_ATON",
            ("text",),
            BIGINT,
            f"{vector('inet_aton', _inet_aton, BIGINT)}({{0}})",
            "An IPv4 address as a number; NULL for any other text.",
            ("INET_ATON('127.0.0.1')", 2130706433),
        ),
        _one(
            "INET_NTOA",
            ("integer",),
            STRING,
            f"{vector('inet_ntoa', _inet_ntoa, STRING)}(({{0}})::BIGINT)",
            "A number as an IPv4 address; NULL outside 0 to 4294967295.",
            ("INET_NTOA(2130706433)", "127.0.0.1"),
        ),
    )
)
