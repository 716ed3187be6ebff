"""Templates from chance: never a crash, never a hang, never more than was promised."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pyarrow as pa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eddyline.clock import SYSTEM
from eddyline.errors import EddylineError
from eddyline.generator.methods import METHODS, UNSUPPORTED
from eddyline.generator.moment import compile_format
from eddyline.generator.template import Template, compile_template

NOW_MS = 1_764_000_000_000
SECONDS_MAX = 20  # on a machine that is busy with other things
ROWS = 4
fuzz = settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)

names = st.sampled_from([*METHODS, *UNSUPPORTED, "record.next", "a", "b", "random.nuber", "set"])
numbers = st.one_of(
    st.integers(-5, 50),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([0, 1, 0.1, -1, 1e308, 2**53, 100_000]),
)
KEYS = """
min max precision mean deviation start end step count data weights active clicks visitors pages
exponent chance coordinate radius isMetric width height len pattern prefix years refDate from to
dec symbol length sigma median / /a exit
"""
keys = st.sampled_from(KEYS.split())
scalars = st.one_of(
    st.none(), st.booleans(), numbers, st.text(max_size=12), keys, names,
    st.sampled_from(["2020-01-01", "YYYY-MM-DD", "[A-Z]", "(a+)+$", "internet.ip",
                     "{{x}}", "\ud800"]),
)  # fmt: skip
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(keys, inner, max_size=6),
    max_leaves=12,
)


def written(value: Any) -> str:
    return json.dumps(value)


arguments = st.one_of(
    st.just(""),
    st.just("()"),
    st.lists(values.map(written), max_size=4).map(lambda v: f"({','.join(v)})"),
    st.text(max_size=15).map(lambda t: f"({t})"),
)
prefixes = st.sampled_from(["", "", "", "a = ", "set b = ", " "])
tags = st.builds(lambda p, n, a: f"{{{{{p}{n}{a}}}}}", prefixes, names, arguments)
pieces = st.one_of(
    tags,
    st.text(max_size=10),
    st.sampled_from(["{{", "}}", "}", "{", ")}}", '"', "\n", "\r\n", "({", "{{a}}", "= ", "\\"]),
)
templates = st.lists(pieces, min_size=1, max_size=8).map("".join)


def attempt(text: str) -> tuple[Template | None, EddylineError | None]:
    try:
        return compile_template(text), None
    except EddylineError as error:
        return None, error


def holds(text: str) -> None:
    """The template is refused with its place, or gives whole records within their bound."""
    began = SYSTEM.monotonic()
    template, error = attempt(text)
    if error is not None:
        assert error.code == "template_error"
        assert error.message
        assert error.span is None or min(error.span.line, error.span.column) >= 1
        assert error.pretty()
    if template is None:
        return
    assert template.record_bytes_max <= 10 * 1024 * 1024
    for _ in range(2):
        rendered = template.render(ROWS, np.random.default_rng(1), NOW_MS)
        assert rendered.type == pa.binary()
        assert len(rendered) == ROWS
        assert rendered.null_count == 0
        for record in rendered.to_pylist():
            assert len(record) <= template.record_bytes_max
            record.decode()
    assert SYSTEM.monotonic() - began < SECONDS_MAX


@fuzz
@given(templates)
def test_templates_of_likely_pieces(text: str) -> None:
    holds(text)


@fuzz
@given(st.text(max_size=200))
def test_templates_of_any_text(text: str) -> None:
    holds(text)


@fuzz
@given(names, st.lists(values, max_size=4))
def test_every_method_with_any_arguments(name: str, given_values: list[Any]) -> None:
    holds(f"x{{{{{name}({','.join(map(written, given_values))})}}}}y")


@fuzz
@given(st.text(max_size=40), st.integers(-(2**41), 2**42))
def test_date_formats_of_any_text(text: str, ms: int) -> None:
    clean = text.encode("utf-8", "replace").decode()
    form = compile_format(clean)
    written_out = form.render(np.array([ms]), utc=True)[0].as_py()
    assert len(written_out.encode()) <= form.width


def test_long_runs_of_braces_and_brackets_take_no_time() -> None:
    for text in ("{{" * 50_000, "}}" * 50_000, "{{a(" * 20_000, '{{a("' * 20_000, "{{a = " * 10_000,
                 "{{random.arrayElement(" + "[" * 50_000, "{{a(" + '"\\' * 50_000 + ")}}",
                 "{{date.now(" + "[" * 20_000 + ")}}", "{{a(" + ")" * 50_000):  # fmt: skip
        holds(text)


def test_halves_of_characters_and_deep_nesting_are_survived() -> None:
    half = "\\ud800"
    for text in (
        f'{{{{phone.phoneNumber(["{half}"])}}}}',
        f'{{{{helpers.shuffle(["{half}"])}}}}',
        f'{{{{session.start({{"pages":{{"{half}":{{}}}}}})}}}}{{{{session.page}}}}',
        "{{random.arrayElement(" + "[" * 900 + "]" * 900 + ")}}",
        "{{random.arrayElement(" + "[" * 90 + "]" * 90 + ")}}",
        "{{helpers.shuffle(" + '{"a":' * 900 + "1" + "}" * 900 + ")}}",
    ):
        holds(text)
