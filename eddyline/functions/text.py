"""Functions of text."""

from __future__ import annotations

from eddyline.functions.patterns import literal
from eddyline.functions.registry import (
    UNBOUNDED,
    Arguments,
    Built,
    Context,
    Function,
    check,
    mismatch,
    plain,
    register,
    strict,
)
from eddyline.functions.unify import text_of
from eddyline.record.types import (
    BOOLEAN,
    BYTES_TYPE,
    INT,
    STRING,
    DataType,
    array,
    char,
    map_of,
    varchar,
)

# greatest(x, 0) would make 0 of NULL.
_NOT_BELOW_0 = "(CASE WHEN ({0}) < 0 THEN 0 ELSE ({0}) END)"


def _kept(name: str, template: str, doc: str, example: tuple[str, object]) -> Function:
    """A function whose result has its argument's type."""

    def builder(args: Arguments, context: Context) -> Built:
        check(name, args, ("text",))
        return Built(args[0].type.plain(), template)

    return Function((name,), (1, 1), builder, doc, example)


def _varying(args: Arguments) -> DataType:
    return strict(varchar(args[0].type.precision), args)


def _end(name: str, doc: str, value: str) -> Function:
    def builder(args: Arguments, context: Context) -> Built:
        check(name, args, ("text", "integer"))
        return Built(_varying(args), f"{name.lower()}({{0}}, {_NOT_BELOW_0.format('{1}')})")

    return Function((name,), (2, 2), builder, doc, (f"{name}('abc', 2)", value))


def _substring(args: Arguments, context: Context) -> Built:
    """1-based; 0 counts as 1; negative counts from the end, beyond it there is nothing."""
    check("SUBSTRING", args[:1], ("text",))
    check("SUBSTRING", args[1:], ("integer",))
    place = args[1].integer
    start = "(CASE WHEN ({1}) = 0 THEN 1 ELSE ({1}) END)"
    if place is not None:
        start = str(place or 1)
    length = f", {_NOT_BELOW_0.format('{2}')}" if len(args) == 3 else ""
    value = f"substr({{0}}, {start}{length})"
    if place is None or place < 0:
        value = f"(CASE WHEN length({{0}}) < -({start}) THEN '' ELSE {value} END)"
    return Built(_varying(args).null(), value)  # Flink's may be NULL, whatever it is part of


def _trim(args: Arguments, context: Context) -> Built:
    word = {"BOTH": "trim", "LEADING": "ltrim", "TRAILING": "rtrim"}[args[0].unit or "BOTH"]
    check("TRIM", args[1:], ("text",))
    kind = strict(varchar(args[2].type.precision), args[1:])
    return Built(kind, f"{word}({{2}}, {{1}})")


def _stripped(name: str, word: str) -> Function:
    def builder(args: Arguments, context: Context) -> Built:
        check(name, args, ("text",))
        chars = ", {1}" if len(args) == 2 else ", ' '"
        return Built(strict(STRING, args), f"{word}({{0}}{chars})")

    doc = "Without the given signs at its ends (blanks)."
    value = {"BTRIM": "a", "LTRIM": "a ", "RTRIM": " a"}[name]
    return Function((name,), (1, 2), builder, doc, (f"{name}(' a ')", value))


def _concat(args: Arguments, context: Context) -> Built:
    check("CONCAT", args, ("text",))
    return Built(
        strict(STRING, args), "(" + " || ".join(f"({{{i}}})" for i in range(len(args))) + ")"
    )


def _concat_ws(args: Arguments, context: Context) -> Built:
    check("CONCAT_WS", args, ("text",))
    rest = ", ".join(f"{{{i}}}" for i in range(len(args)))
    return Built(strict(STRING, args), f"concat_ws({rest})")


def _padded(name: str) -> Function:
    word = name.lower()

    def builder(args: Arguments, context: Context) -> Built:
        check(name, args, ("text", "integer", "text"))
        pad = "{2}" if len(args) == 3 else "' '"
        value = f"CASE WHEN ({{1}}) >= 0 AND length({pad}) > 0 THEN {word}({{0}}, {{1}}, {pad}) END"
        return Built(STRING, f"({value})")

    value = "..a" if name == "LPAD" else "a.."
    doc = "Filled up, or cut, to n signs."
    return Function((name,), (2, 3), builder, doc, (f"{name}('a', 3, '.')", value))


def _overlay(args: Arguments, context: Context) -> Built:
    check("OVERLAY", args, ("text", "text", "integer"))
    cut = "{3}" if len(args) == 4 else "length({1})"
    value = f"(left({{0}}, ({{2}}) - 1) || ({{1}}) || substr({{0}}, ({{2}}) + {cut}))"
    length = args[0].type.precision + args[1].type.precision
    return Built(strict(text_of(length), args), value)


def _regexp_extract(args: Arguments, context: Context) -> Built:
    check("REGEXP_EXTRACT", args, ("text", "text", "integer"))
    group = "0" if len(args) == 2 else "{2}"
    value = f"CASE WHEN regexp_matches({{0}}, {{1}}) THEN regexp_extract({{0}}, {{1}}, {group}) END"
    return Built(STRING, f"({value})")


def _regexp_replace(args: Arguments, context: Context) -> Built:
    check("REGEXP_REPLACE", args, ("text",))
    by = args[2].text
    new = "{2}" if by is None else literal(_java_groups(by))
    return Built(strict(STRING, args), f"regexp_replace({{0}}, {{1}}, {new}, 'g')")


def _java_groups(text: str) -> str:
    """``$1`` of Java as ``\\1`` of RE2."""
    import re

    return re.sub(r"\$(\d)", r"\\\1", text.replace("\\", "\\\\"))


def _locate(args: Arguments, context: Context) -> Built:
    check("LOCATE", args, ("text", "text", "integer"))
    if len(args) == 2:
        return Built(strict(INT, args), "CAST(strpos({1}, {0}) AS INTEGER)")
    found = "strpos(substr({1}, {2}), {0})"
    value = f"CASE WHEN {found} = 0 THEN 0 ELSE {found} + ({{2}}) - 1 END"
    return Built(strict(INT, args), f"CAST({value} AS INTEGER)")


def _split_index(args: Arguments, context: Context) -> Built:
    check("SPLIT_INDEX", args, ("text", "text", "integer"))
    value = "CASE WHEN ({2}) >= 0 THEN string_split({0}, {1})[({2}) + 1] END"
    return Built(STRING, f"({value})")


def _elt(args: Arguments, context: Context) -> Built:
    check("ELT", args[:1], ("integer",))
    check("ELT", args[1:], ("text",))
    items = ", ".join(f"{{{i}}}" for i in range(1, len(args)))
    kind = text_of(max(a.type.precision for a in args[1:]))
    return Built(kind.null(), f"(CASE WHEN ({{0}}) > 0 THEN [{items}][{{0}}] END)")


_URL_PARTS = {
    "PROTOCOL": r"'^([A-Za-z][A-Za-z0-9+.-]*):'",
    "HOST": r"'^[A-Za-z][A-Za-z0-9+.-]*://(?:[^@/?#]*@)?([^:/?#]+)'",
    "PATH": r"'^[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*([^?#]*)'",
    "QUERY": r"'^[^?#]*\?([^#]*)'",
    "REF": r"'#(.*)$'",
    "FILE": r"'^[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*([^#]*)'",
    "AUTHORITY": r"'^[A-Za-z][A-Za-z0-9+.-]*://([^/?#]+)'",
    "USERINFO": r"'^[A-Za-z][A-Za-z0-9+.-]*://([^@/?#]*)@'",
}


def _parse_url(args: Arguments, context: Context) -> Built:
    check("PARSE_URL", args, ("text",))
    part = args[1].text
    if part not in _URL_PARTS:
        raise mismatch("PARSE_URL", args, f"a URL and one of {', '.join(_URL_PARTS)}")
    pattern = _URL_PARTS[part]
    if len(args) == 2:
        return Built(STRING, _first_group(pattern))
    key = args[2].text
    if part != "QUERY" or key is None:
        raise mismatch("PARSE_URL", args, "a key in quotes, with 'QUERY'")
    import re

    pattern = literal(rf"[?&]{re.escape(key)}=([^&#]*)")
    return Built(STRING, _first_group(pattern))


def _first_group(pattern: str) -> str:
    found = f"regexp_matches({{0}}, {pattern})"
    return f"(CASE WHEN {found} THEN regexp_extract({{0}}, {pattern}, 1) END)"


def _str_to_map(args: Arguments, context: Context) -> Built:
    check("STR_TO_MAP", args, ("text",))
    outer = "{1}" if len(args) > 1 else "','"
    inner = "{2}" if len(args) > 2 else "'='"
    pairs = f"string_split({{0}}, {outer})"
    key = f"lambda p: string_split(p, {inner})[1]"
    value = f"lambda p: string_split(p, {inner})[2]"
    text = f"map(list_transform({pairs}, {key}), list_transform({pairs}, {value}))"
    return Built(strict(map_of(STRING, STRING), args), text)


def _printf(args: Arguments, context: Context) -> Built:
    rest = ", ".join(f"{{{i}}}" for i in range(len(args)))
    return Built(STRING, f"printf({rest})")


def _sha2(args: Arguments, context: Context) -> Built:
    check("SHA2", args, ("text", "integer"))
    if args[1].integer != 256:
        raise mismatch("SHA2", args, "a text and 256: other lengths are not supported yet")
    return Built(strict(varchar(128), args), "sha256({0})")


def _text(
    name: str,
    kinds: tuple[str, ...],
    result: DataType,
    template: str,
    doc: str,
    example: tuple[str, object],
    *,
    nullable: bool = False,
) -> Function:
    """A row with fixed types."""
    names = tuple(name.split())
    return Function(
        names,
        (len(kinds), len(kinds)),
        plain(names[0], kinds, result, template, nullable=nullable),
        doc,
        example,
    )


_WORDS = "regexp_extract_all(lower({0}), '[a-z0-9]+|[^a-z0-9]+')"
_CAPITALS = f"list_transform({_WORDS}, lambda w: upper(left(w, 1)) || substr(w, 2))"
_T, _TT, _TTT, _TI = ("text",), ("text",) * 2, ("text",) * 3, ("text", "integer")
register((_stripped("BTRIM", "trim"), _stripped("LTRIM", "ltrim"), _stripped("RTRIM", "rtrim")))
register((_padded("LPAD"), _padded("RPAD")))
register(
    (
        _kept("UPPER", "upper({0})", "In capitals.", ("UPPER('abc')", "ABC")),
        _kept("LOWER", "lower({0})", "In small letters.", ("LOWER('ABC')", "abc")),
        _text(
            "CHAR_LENGTH CHARACTER_LENGTH",
            _T,
            INT,
            "CAST(length({0}) AS INTEGER)",
            "How many signs.",
            ("CHAR_LENGTH('abc')", 3),
        ),
        _text(
            "ASCII",
            _T,
            INT,
            "CAST(ascii({0}) AS INTEGER)",
            "Code of the first sign.",
            ("ASCII('a')", 97),
        ),
        _text(
            "CHR",
            ("integer",),
            STRING,
            "chr(CAST(({0}) & 255 AS INTEGER))",
            "The sign of a code.",
            ("CHR(97)", "a"),
            nullable=True,
        ),
        _text("REVERSE", _T, STRING, "reverse({0})", "Backwards.", ("REVERSE('abc')", "cba")),
        _text(
            "REPEAT",
            _TI,
            STRING,
            f"repeat({{0}}, {_NOT_BELOW_0.format('{1}')})",
            "n times.",
            ("REPEAT('ab', 2)", "abab"),
        ),
        _text(
            "REPLACE",
            _TTT,
            STRING,
            "replace({0}, {1}, {2})",
            "Each b of a by c.",
            ("REPLACE('abc', 'b', 'x')", "axc"),
        ),
        _text(
            "TRANSLATE TRANSLATE3",
            _TTT,
            STRING,
            "translate({0}, {1}, {2})",
            "Sign by sign replaced.",
            ("TRANSLATE('abc', 'ab', 'xy')", "xyc"),
        ),
        _end("LEFT", "The first n signs.", "ab"),
        _end("RIGHT", "The last n signs.", "bc"),
        _text(
            "POSITION",
            _TT,
            INT,
            "CAST(strpos({1}, {0}) AS INTEGER)",
            "Where a begins in b.",
            ("POSITION('b' IN 'abc')", 2),
        ),
        _text(
            "INSTR",
            _TT,
            INT,
            "CAST(strpos({0}, {1}) AS INTEGER)",
            "Where b begins in a.",
            ("INSTR('abc', 'b')", 2),
        ),
        _text(
            "STARTSWITH",
            _TT,
            BOOLEAN,
            "starts_with({0}, {1})",
            "Whether a begins with b.",
            ("STARTSWITH('abc', 'ab')", True),
        ),
        _text(
            "ENDSWITH",
            _TT,
            BOOLEAN,
            "ends_with({0}, {1})",
            "Whether a ends in b.",
            ("ENDSWITH('abc', 'bc')", True),
        ),
        _kept(
            "INITCAP",
            f"array_to_string({_CAPITALS}, '')",
            "Each word with a capital.",
            ("INITCAP('ab cd')", "Ab Cd"),
        ),
        _text(
            "TO_BASE64",
            _T,
            STRING,
            "base64(encode({0}))",
            "In base 64.",
            ("TO_BASE64('abc')", "YWJj"),
        ),
        _text(
            "FROM_BASE64",
            _T,
            STRING,
            "decode(from_base64({0}))",
            "From base 64.",
            ("FROM_BASE64('YWJj')", "abc"),
        ),
        _text(
            "ENCODE",
            _TT,
            BYTES_TYPE,
            "encode({0})",
            "UTF-8 bytes of a text.",
            ("DECODE(ENCODE('abc', 'UTF-8'), 'UTF-8')", "abc"),
            nullable=True,
        ),
        _text(
            "DECODE",
            ("bytes", "text"),
            STRING,
            "decode({0})",
            "Text of UTF-8 bytes.",
            ("DECODE(x'616263', 'UTF-8')", "abc"),
            nullable=True,
        ),
        _text(
            "UNHEX",
            _T,
            BYTES_TYPE,
            "unhex({0})",
            "Bytes of hexadecimal text.",
            ("DECODE(UNHEX('616263'), 'UTF-8')", "abc"),
            nullable=True,
        ),
        _text(
            "URL_ENCODE",
            _T,
            STRING,
            "replace(url_encode({0}), '%20', '+')",
            "As in a form's URL.",
            ("URL_ENCODE('a b')", "a+b"),
        ),
        _text(
            "URL_DECODE",
            _T,
            STRING,
            "url_decode(replace({0}, '+', ' '))",
            "From a form's URL.",
            ("URL_DECODE('a+b')", "a b"),
        ),
        _text(
            "SPLIT",
            _TT,
            array(STRING),
            "string_split({0}, {1})",
            "Cut at each b.",
            ("CARDINALITY(SPLIT('a,b', ','))", 2),
        ),
        _text(
            "REGEXP",
            _TT,
            BOOLEAN,
            "regexp_matches({0}, {1})",
            "Whether the pattern is found.",
            ("REGEXP('abc', 'b')", True),
        ),
        _text(
            "REGEXP_COUNT",
            _TT,
            INT,
            "CAST(len(regexp_extract_all({0}, {1})) AS INTEGER)",
            "How often it is found.",
            ("REGEXP_COUNT('abab', 'a')", 2),
        ),
        _text(
            "REGEXP_SUBSTR",
            _TT,
            STRING,
            "(CASE WHEN regexp_matches({0}, {1}) THEN regexp_extract({0}, {1}) END)",
            "What is found first.",
            ("REGEXP_SUBSTR('abc', 'b.')", "bc"),
            nullable=True,
        ),
        _text(
            "MD5",
            _T,
            char(32),
            "md5({0})",
            "MD5 in hexadecimal.",
            ("MD5('abc')", "900150983cd24fb0d6963f7d28e17f72"),
        ),
        _text(
            "SHA1",
            _T,
            char(40),
            "sha1({0})",
            "SHA-1 in hexadecimal.",
            ("SHA1('abc')", "a9993e364706816aba3e25717850c26c9cd0d89d"),
        ),
        _text(
            "SHA256",
            _T,
            char(64),
            "sha256({0})",
            "SHA-256 in hexadecimal.",
            ("LEFT(SHA256('abc'), 8)", "ba7816bf"),
        ),
        Function(
            ("SHA2",),
            (2, 2),
            _sha2,
            "SHA-2 of 256 bits.",
            ("LEFT(SHA2('abc', 256), 8)", "ba7816bf"),
        ),
        Function(
            ("UUID",),
            (0, 0),
            plain("UUID", (), char(36), "CAST(uuid() AS VARCHAR)"),
            "A random UUID.",
            ("CHAR_LENGTH(UUID())", 36),
            True,
        ),
        Function(
            ("SUBSTRING", "SUBSTR"),
            (2, 3),
            _substring,
            "A part of a text.",
            ("SUBSTRING('hello', -3, 2)", "ll"),
        ),
        Function(
            ("TRIM",),
            (3, 3),
            _trim,
            "Without blanks, or given signs, at its ends.",
            ("TRIM(BOTH 'x' FROM 'xax')", "a"),
        ),
        Function(
            ("CONCAT",),
            (1, UNBOUNDED),
            _concat,
            "Put together; NULL if any is NULL.",
            ("CONCAT('a', 'b')", "ab"),
        ),
        Function(
            ("CONCAT_WS",),
            (1, UNBOUNDED),
            _concat_ws,
            "Put together with a separator; NULLs are left out.",
            ("CONCAT_WS('-', 'a', 'b')", "a-b"),
        ),
        Function(
            ("OVERLAY",),
            (3, 4),
            _overlay,
            "A part replaced by place.",
            ("OVERLAY('abcd' PLACING 'xy' FROM 2)", "axyd"),
        ),
        Function(
            ("REGEXP_EXTRACT",),
            (2, 3),
            _regexp_extract,
            "A group of a pattern.",
            ("REGEXP_EXTRACT('a12', '([a-z])([0-9]+)', 2)", "12"),
        ),
        Function(
            ("REGEXP_REPLACE",),
            (3, 3),
            _regexp_replace,
            "Each match replaced.",
            ("REGEXP_REPLACE('a1b2', '[0-9]', '')", "ab"),
        ),
        Function(
            ("LOCATE",),
            (2, 3),
            _locate,
            "Where a begins in b, from a place on.",
            ("LOCATE('b', 'abcb', 3)", 4),
        ),
        Function(
            ("SPLIT_INDEX",),
            (3, 3),
            _split_index,
            "The n-th piece, from 0.",
            ("SPLIT_INDEX('a,b', ',', 1)", "b"),
        ),
        Function(
            ("ELT",), (2, UNBOUNDED), _elt, "The n-th of its arguments.", ("ELT(2, 'a', 'b')", "b")
        ),
        Function(
            ("PARSE_URL",),
            (2, 3),
            _parse_url,
            "A part of a URL.",
            ("PARSE_URL('http://h/p?a=1', 'QUERY', 'a')", "1"),
        ),
        Function(
            ("STR_TO_MAP",),
            (1, 3),
            _str_to_map,
            "Pairs of a text as a map.",
            ("STR_TO_MAP('a=1,b=2')['b']", "2"),
        ),
        Function(
            ("PRINTF",),
            (1, UNBOUNDED),
            _printf,
            "Printed by a C format.",
            ("PRINTF('%d-%s', 1, 'a')", "1-a"),
        ),
    )
)
