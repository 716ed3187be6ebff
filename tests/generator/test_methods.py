"""Every method's texts have the shape its row promises, in every seed and batch."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eddyline.generator.methods import METHODS
from eddyline.generator.template import compile_template

NOW_MS = 1_764_000_000_123


def render(tag: str, n: int, seed: int) -> list[str]:
    compiled = compile_template("{{" + tag + "}}")
    texts = compiled.render(n, np.random.default_rng(seed), NOW_MS).to_pylist()
    assert max(len(t) for t in texts) <= compiled.record_bytes_max
    return [t.decode() for t in texts]


@pytest.mark.parametrize("name", sorted(METHODS))
@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 2**32), n=st.integers(1, 200))
def test_texts_have_the_rows_shape(name: str, seed: int, n: int) -> None:
    shape = re.compile(METHODS[name].shape, re.DOTALL)
    for text in render(METHODS[name].example, n, seed):
        assert shape.fullmatch(text), text


@pytest.mark.parametrize("name", sorted(METHODS))
def test_rows_are_written_out(name: str) -> None:
    row = METHODS[name]
    assert row.name == name
    assert row.doc.endswith((".", "…"))
    assert row.example.startswith(name)
