"""Java's regular expressions: what is refused, what RE2 may run, and what bounds the rest."""

from __future__ import annotations

import duckdb
import pytest

from eddyline.errors import EddylineError
from eddyline.functions.java.class_reader import PatternError
from eddyline.functions.java.regex import compiled
from eddyline.record.vector import original
from tests.functions.functions_kit import bound, calculator, computed, printed

# Patterns, texts and first matches (None: none), as java.util.regex of JDK 17 gives them.
MATCHES = [
    ("a.b", "a\rb", None), ("a.b", "a\u2028b", None), ("(?s)a.b", "a\nb", "a\nb"),
    ("b$", "ab\n", "b"), ("b$", "ab\r\n", "b"), ("b\\z", "ab\n", None), ("b\\Z", "ab\n", "b"),
    ("(?m)^b", "a\nb", "b"), ("(?d)a.b", "a\rb", "a\rb"), ("\\d", "٣", None),
    ("(?U)\\d", "٣", "٣"), ("\\w", "é", None), ("\\bé", "a é", "é"), ("a\\b", "aé", None),
    ("[a-c&&[^b]]+", "bacab", "aca"), ("[]a]+", "a]", "a]"), ("[a[b]]+", "ab", "ab"),
    ("[\\w&&[^\\d]]", "5x", "x"), ("(?i)é", "É", None), ("(?iu)é", "É", "É"),
    ("(?i)k", "\u212a", None), ("(?iu)k", "\u212a", "\u212a"), ("o*+o", "oo", None),
    ("(?>a|ab)c", "abc", None), ("(a)\\2", "aa", None), ("\\Qa.b\\E", "a.b", "a.b"),
    ("(?<=a.{0,3})b", "axxb", "b"), ("\\x{1F600}", "😀", "😀"), ("\\0141", "a", "a"),
    ("a{2}{3}", "aa", "aa"), ("(?x)a b # c", "ab", "ab"), ("\\h", "\u00a0", "\u00a0"),
    ("\\R", "\r\n", "\r\n"), ("\\p{Punct}", "$", "$"), ("\\p{IsGreek}", "α", "α"),
    ("\\p{javaLowerCase}", "a", "a"), ("[a&&&]", "&", "&"), ("a|", "b", ""),
]  # fmt: skip


@pytest.mark.parametrize(("pattern", "text", "first"), MATCHES)
def test_the_first_match_is_javas(pattern: str, text: str, first: str | None) -> None:
    java = compiled(pattern)
    match = java.first(text)
    assert (match and match.group(0)) == first
    if java.re2 is not None and not (java.ends and text[-1:] in "\n\r"):
        sql = "SELECT regexp_matches($1, $2)"
        groups = calculator().db.execute(sql, [text, java.re2]).fetchone()
        assert groups == (first is not None,)


@pytest.mark.parametrize(
    "pattern",
    ["(", "a)", "a{", "a{,2}", "a**", "*", "[a", "a{2,1}", "\\y", "\\", "(?<1a>a)", "(?P<x>a)",
     "(?#c)", "\\k<x>", "\\p{Foo}", "[b-a]", "(?z)", "(?i)*", "\\x{110000}", "[\\b]"],
)  # fmt: skip
def test_what_java_refuses_is_refused(pattern: str) -> None:
    with pytest.raises(PatternError):
        compiled(pattern)


@pytest.mark.parametrize(
    ("pattern", "native"),
    [("^[a-z]+[0-9]*$", True), ("(foo|bar)\\s", True), ("a.c", True), ("\\bfoo", False),
     ("(?=a)", False), ("(a)\\1", False), ("a++", False), ("(?i)straße", True), ("a{5000}", False)],
)  # fmt: skip
def test_re2_runs_what_means_the_same_there(pattern: str, native: bool) -> None:
    assert (compiled(pattern).re2 is not None) is native


def test_matches_go_on_as_javas_find_does() -> None:
    assert [m.group(0) for m in compiled("b*").matches("abc")] == ["", "b", "", ""]
    assert [m.group(0) for m in compiled("a*?").matches("aa")] == ["", "", ""]


def test_a_pattern_that_backtracks_without_end_is_stopped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("eddyline.functions.java.regex.TIME_LIMIT_S", 0.05)
    with pytest.raises(duckdb.Error) as failure:
        computed("REGEXP(CAST('" + "a" * 40 + "!' AS STRING), '(?:(a|aa)+)\\1$')")
    error = original(failure.value)
    assert error is not None
    assert error.code == "limit_exceeded"
    assert "took longer than" in str(error)


@pytest.mark.parametrize(
    "call",
    ["REPEAT('a', 2000000000)", "LPAD('a', 2000000000, 'b')", "RPAD(s, 2000000000, 'b')",
     "REPLACE(REPEAT('a', 10000), 'a', REPEAT('b', 10000))", "PRINTF('%2000000000d', 1)",
     "REGEXP_REPLACE(REPEAT('a', 10000), 'a', REPEAT('b', 10000))"],
)  # fmt: skip
def test_a_text_cannot_grow_without_bound(call: str) -> None:
    with pytest.raises(duckdb.Error) as failure:
        calculator().value(f"length({printed(bound(call))})")
    error = original(failure.value)
    assert isinstance(error, EddylineError)
    assert error.code == "limit_exceeded"
    assert "more than 64 MiB" in str(error)
