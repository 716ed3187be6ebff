"""Every method's texts have the shape its row promises, and those of the public generator theirs.

``recorded.tsv`` holds a call, what it gave in the public generator (nothing where that gives an
error, ``undefined``, ``[object Object]`` or a host that is gone) and the shape of both.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eddyline.errors import EddylineError
from eddyline.generator.compiler import SETUP
from eddyline.generator.folder import Folder
from eddyline.generator.methods import METHODS, UNSUPPORTED
from eddyline.generator.methods.aliases import ALIASES
from eddyline.generator.template import Template, compile_template

NOW_MS = 1_764_000_000_123
RECORDED = [
    tuple(line.split("\t"))
    for line in Path(__file__).with_name("recorded.tsv").read_text().splitlines()
]
seeds = given(seed=st.integers(0, 2**32), n=st.integers(1, 200))
few = settings(max_examples=3, deadline=None)


FILES = Folder((Path(__file__).with_name("lists"),))


@cache
def compiled(tag: str) -> Template:
    return compile_template("{{" + tag + "}}", FILES)


def render(tag: str, n: int, seed: int) -> list[str]:
    template = compiled(tag)
    texts = template.render(n, np.random.default_rng(seed), NOW_MS).to_pylist()
    assert max(len(t) for t in texts) <= template.record_bytes_max
    return [t.decode() for t in texts]


# What only sets up other tags writes nothing, and a record without text is refused.
@pytest.mark.parametrize("name", sorted(set(METHODS) - set(SETUP)))
@few
@seeds
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


@pytest.mark.parametrize("name", sorted(METHODS))
def test_an_example_passes_what_its_row_announces(name: str) -> None:
    template = compile_template("x{{" + METHODS[name].example + "}}", FILES)
    assert template.warnings == ()


def test_aliases_give_what_their_methods_give() -> None:
    for name, of in ALIASES.items():
        assert METHODS[name].compile is METHODS[of].compile


def test_every_public_method_is_recorded() -> None:
    assert len(RECORDED) == 142
    assert {tag.partition("(")[0] for tag, _, _ in RECORDED} <= set(METHODS)


@pytest.mark.parametrize(("tag", "sample", "shape"), RECORDED, ids=[r[0] for r in RECORDED])
@few
@seeds
def test_texts_look_as_in_the_public_generator(
    tag: str, sample: str, shape: str, seed: int, n: int
) -> None:
    pattern = re.compile(shape)
    assert not sample or pattern.fullmatch(sample), sample
    for text in render(tag, n, seed):
        assert pattern.fullmatch(text), text


LISTS = ("name.firstName", "name.lastName", "address.country", "lorem.word", "finance.currencyCode")


@pytest.mark.parametrize("name", LISTS)
def test_lists_are_drawn_from_end_to_end(name: str) -> None:
    assert len(set(render(name, 20_000, 1))) > 100


@pytest.mark.parametrize("name", [n for n in METHODS if METHODS[n].shape.startswith(r"\{")])
def test_objects_are_json(name: str) -> None:
    for text in render(name, 50, 3):
        assert isinstance(json.loads(text), dict)


def test_every_tag_within_a_json_record_leaves_it_json() -> None:
    quoted = [n for n in METHODS if not METHODS[n].shape.startswith((r"\{", r"\["))]
    for name in quoted:
        template = '{"v":"{{' + METHODS[name].example + '}}"}'
        for record in compile_template(template, FILES).render(50, np.random.default_rng(1), 0):
            json.loads(record.as_py())


def luhn(digits: str) -> int:
    doubled = [int(d) * (1 + k % 2) for k, d in enumerate(reversed(digits))]
    return sum(d - 9 * (d > 9) for d in doubled) % 10


@pytest.mark.parametrize("name", ["finance.creditCardNumber", "phone.imei"])
def test_card_numbers_check(name: str) -> None:
    assert {luhn(text) for text in render(name, 500, 1)} == {0}


def test_ibans_check() -> None:
    for text in render("finance.iban", 500, 1):
        turned = "".join(str(int(c, 36)) for c in text[4:] + text[:4])
        assert int(turned) % 97 == 1
    assert all(
        t.startswith("DE") and len(t) == 22 for t in render('finance.iban(false,"DE")', 9, 1)
    )


def test_routing_numbers_check() -> None:
    for text in render("finance.routingNumber", 500, 1):
        d = [int(c) for c in text]
        assert (3 * sum(d[0::3]) + 7 * sum(d[1::3]) + sum(d[2::3])) % 10 == 0


def test_vehicle_numbers_check() -> None:
    # The example of 49 CFR 565 checks itself: position 9 of 1M8GDM9AXKP042788 is X.
    values = dict(zip("ABCDEFGHJKLMNPRSTUVWXYZ", [*range(1, 9), *range(1, 6), 7, 9, *range(2, 10)],
                      strict=True))  # fmt: skip
    weights = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
    for text in ["1M8GDM9AXKP042788", *render("vehicle.vin", 200, 1)]:
        total = sum(
            w * (int(c) if c.isdigit() else values[c]) for w, c in zip(weights, text, strict=True)
        )
        assert text[8] == "0123456789X"[total % 11]


def test_sequences_go_on_and_begin_anew() -> None:
    template = compile_template('{{sequence.next({"start":5,"step":-2,"end":1})}}')
    rng = np.random.default_rng(0)
    first = template.render(4, rng, 0, first=0).to_pylist()
    second = template.render(4, rng, 0, first=4).to_pylist()
    assert first + second == [b"5", b"3", b"1", b"5", b"3", b"1", b"5", b"3"]


def moments(tag: str) -> tuple[float, float]:
    values = np.array([float(t) for t in render(tag, 40_000, 11)])
    return float(values.mean()), float(values.std())


def test_normal_numbers_have_mean_and_deviation() -> None:
    mean, deviation = moments('random.normal({"mean":-20,"deviation":3,"precision":0.001})')
    assert abs(mean + 20) < 0.08
    assert abs(deviation - 3) < 0.06


def test_exponential_numbers_have_their_mean() -> None:
    mean, deviation = moments('random.exponential({"mean":50,"precision":0.001})')
    assert abs(mean - 50) < 1.5
    assert abs(deviation - 50) < 2.5


def test_log_normal_numbers_have_their_median() -> None:
    values = [float(t) for t in render('random.logNormal({"median":120,"sigma":0.8})', 20_000, 1)]
    assert abs(np.median(values) - 120) < 4


def test_zipf_ranks_fall_with_their_exponent() -> None:
    values = np.array([int(t) for t in render('random.zipf({"max":100,"exponent":1})', 50_000, 2)])
    counts = np.bincount(values, minlength=101)
    assert abs(counts[1] / counts[2] - 2) < 0.15
    assert abs(counts[1] / counts[10] - 10) < 1.5
    assert values.max() <= 100
    assert set(render('random.zipf({"data":["a","b"],"exponent":0})', 200, 2)) == {"a", "b"}


@pytest.mark.parametrize(
    "tag",
    [
        'random.normal({"deviation":-1})',
        'random.normal({"min":3,"max":1})',
        'sequence.next({"start":1,"end":5,"step":0})',
        'sequence.next({"start":1,"end":5,"step":-1})',
        'random.zipf({"max":0})',
        'finance.iban(false,"XX")',
        'finance.creditCardNumber("tin")',
        'internet.password({"pattern":"["})',
        'internet.password({"pattern":"aa"})',
        'helpers.mustache("a")',
    ],
)
def test_what_cannot_be_meant_is_told(tag: str) -> None:
    with pytest.raises(EddylineError) as caught:
        compile_template("{{" + tag + "}}")
    assert caught.value.code == "template_error"
    assert caught.value.span is not None


def test_known_absences_say_why() -> None:
    for name in UNSUPPORTED:
        assert name not in METHODS
        with pytest.raises(EddylineError) as caught:
            compile_template("{{" + name + "}}")
        assert UNSUPPORTED[name] in caught.value.message


def test_word_lists_load_only_when_a_tag_asks() -> None:
    text = (
        "import sys\n"
        "from eddyline.generator.template import compile_template\n"
        "compile_template('{{random.number(5)}} {{internet.ip}}')\n"
        "assert not [m for m in sys.modules if m.startswith('faker')]\n"
        "compile_template('{{name.firstName}}')\n"
        "assert 'faker' in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", text], check=True)
