"""Java's patterns in Python: the same texts match."""

from __future__ import annotations

import re

import pytest

from eddyline.aws.java_pattern import translated

# A pattern of AWS's models or of their kind, texts that Java matches, texts that it does not.
CASES = [
    (r"[\p{L}\p{N}\p{P}]*", ["", "aé漢1٣.!"], ["a b", "a+", "\t"]),
    (r"^(?!aws:)[\p{L}\p{Z}\p{N}_.:\/=+\-@%]*$", ["owner name", "é:/=+-@%"], ["aws:x", "a#"]),
    (
        r"[\u0020-\uD7FF\uE000-\uFFFD\uD800\uDC00-\uDBFF\uDFFF\t]*",
        ["a\tb", "é😀"],
        ["\n", "\uffff"],
    ),
    (r"[\w-_]*", ["a-b_1"], ["é", "a b"]),
    (r"\d{12}", ["000000000000"], ["00000000000", "٠" * 12]),
    (r"(?s).*", ["a\nb", ""], []),
    (r".*", ["ab"], ["a\nb"]),
    (r"\p{Print}+", ["a ~"], ["é", "\n", ""]),
    (r"\P{L}", ["1", " "], ["a", "é"]),
    (r"[\P{ASCII}a]+", ["aé"], ["b"]),
    (r"[^_\p{Z}]+", ["ab"], ["a b", "_", "\u2028"]),
    (r"[[a]", ["[", "a"], ["b"]),
    (r"a\z", ["a"], ["a\n"]),
    (r"[a-z]+", ["abc"], ["abc\n", "Abc"]),
]


@pytest.mark.parametrize(("pattern", "fits", "fails"), CASES)
def test_the_same_texts_match(pattern: str, fits: list[str], fails: list[str]) -> None:
    compiled = re.compile(translated(pattern))
    for text in fits:
        assert compiled.match(text), text
    for text in fails:
        assert not compiled.match(text), text


def test_an_unknown_category_is_an_error() -> None:
    with pytest.raises(re.error, match="unknown category"):
        translated(r"\p{Nonsense}")
