"""What a function says about a wrong value reaches the user as it is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import eddyline
from eddyline.engine.duckdb_words import in_words

ROOT = Path(eddyline.__file__).parent
# A sentence in error('…') up to its end or its first value.
RAISED = re.compile(r"error\('([^'{]+)")


def sentences() -> list[str]:
    texts = (path.read_text() for path in sorted(ROOT.rglob("*.py")))
    raised = {sentence for text in texts for sentence in RAISED.findall(text)}
    return sorted(raised - {"…"})


def test_sentences_are_found() -> None:
    assert len(sentences()) >= 6


@pytest.mark.parametrize("sentence", sentences())
def test_a_sentence_of_a_function_is_kept(sentence: str) -> None:
    assert in_words(sentence) == sentence
