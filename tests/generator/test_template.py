"""The template language: what public templates may hold, and what breaks elsewhere."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

from eddyline.errors import EddylineError
from eddyline.generator.template import compile_template, find_tags, samples

NOW_MS = 1_764_000_000_123
LAB = """{
    "sensor_id": {{random.number(150)}},
    "current_temperature": {{random.number(
        {
            "min":10,
            "max":150
        }
    )}},
    "status": "{{random.arrayElement(
        ["OK","FAIL","WARN"]
    )}}",
    "event_time": "{{date.utc("YYYY-MM-DDTHH:mm:ss.SSS")}}"
}"""


def render(template: str, n: int = 20, seed: int = 1) -> list[str]:
    rng = np.random.default_rng(seed)
    return [r.decode() for r in compile_template(template).render(n, rng, NOW_MS).to_pylist()]


def one(template: str) -> str:
    return render(template, 1)[0]


def error(template: str) -> EddylineError:
    with pytest.raises(EddylineError) as caught:
        compile_template(template)
    assert caught.value.code == "template_error"
    return caught.value


def test_the_labs_template_is_taken_as_it_is() -> None:
    for text in render(LAB, 200):
        record = json.loads(text)
        assert 0 <= record["sensor_id"] <= 150
        assert 10 <= record["current_temperature"] <= 150
        assert record["status"] in ("OK", "FAIL", "WARN")
        assert record["event_time"] == "2025-11-24T16:00:00.123"


def test_newlines_go_and_indentation_stays() -> None:
    assert one('{\r\n  "a": {{random.number(0)}}\n}') == '{  "a": 0}'


def test_text_without_tags_is_sent_as_it_is() -> None:
    assert render("GET / 200", 2) == ["GET / 200"] * 2


# Each row breaks in the public generator.
def test_spaces_inside_the_braces() -> None:
    assert re.fullmatch(r"[A-Z][\w'-]+", one("{{ name.firstName }}"))


def test_empty_parentheses() -> None:
    assert re.fullmatch(r"[0-9a-f-]{36}", one("{{random.uuid()}}"))


def test_a_literal_closing_brace_pair() -> None:
    record = json.loads(one('{"a":{"b":1},"x":{"y":{"z":2}},"c":{{random.number(5)}}}'))
    assert record["a"] == {"b": 1}
    assert 0 <= record["c"] <= 5


def test_an_argument_with_a_parenthesis() -> None:
    assert one('{{random.arrayElement(["a)b"])}}') == "a)b"
    assert one('{{random.arrayElement(["a)}}b"])}}') == "a)}}b"


def test_an_argument_with_nested_braces() -> None:
    record = json.loads(one('{{random.arrayElement([{"a":{"b":1}}])}}'))
    assert record == {"a": {"b": 1}}


def test_two_arguments() -> None:
    for text in render("{{finance.amount(1,100)}}", 100):
        assert 1 <= float(text) <= 100
    for text in render('{{date.between("2020-01-01","2020-12-31")}}', 50):
        assert " 2020 " in text


def test_alpha_numeric_with_a_count() -> None:
    assert all(re.fullmatch("[0-9a-z]{5}", t) for t in render("{{random.alphaNumeric(5)}}"))


def test_small_weights_are_honoured() -> None:
    template = '{{random.weightedArrayElement({"weights":[0.001,0.999],"data":["a","b"]})}}'
    rendered = render(template, 100_000)
    assert set(rendered) == {"a", "b"}
    assert 40 <= rendered.count("a") <= 200
    assert set(render(template.replace("0.999", "0"), 100)) == {"a"}


@pytest.mark.parametrize("name", ["system.filePath", "system.directoryPath"])
def test_paths_are_paths(name: str) -> None:
    assert all(t.startswith("/") for t in render(f"{{{{{name}}}}}"))


def test_a_list_becomes_json() -> None:
    assert sorted(json.loads(one("{{helpers.shuffle([1,2,3])}}"))) == [1, 2, 3]


def test_an_unknown_tag_names_place_and_neighbours() -> None:
    failure = error('{\n  "a": {{random.numbr(5)}}\n}')
    assert "random.numbr" in failure.message
    assert failure.span is not None
    assert (failure.span.line, failure.span.column) == (2, 8)
    assert "random.number" in str(failure.hint)
    assert "^^^" in failure.pretty()


@pytest.mark.parametrize("text", ["", "  \n"])
def test_an_empty_template_is_an_error(text: str) -> None:
    assert "empty" in error(text).message


def test_an_old_name_of_now() -> None:
    assert one("{{current.timestamp(x)}}") == str(NOW_MS)


def test_quotes_of_a_single_argument_may_be_left_out() -> None:
    assert one("{{date.now(x)}}") == one('{{date.now("x")}}')


def test_number_without_and_with_arguments() -> None:
    numbers = [int(t) for t in render("{{random.number}}", 2000)]
    assert min(numbers) >= 0
    assert 99_000 < max(numbers) <= 99_999
    assert {int(t) for t in render("{{random.number(3)}}", 500)} == {0, 1, 2, 3}
    steps = render('{{random.number({"min":1,"max":2,"precision":0.25})}}', 500)
    assert {float(t) for t in steps} == {1, 1.25, 1.5, 1.75, 2}


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{{random.number", "has no end"),
        ("{{random.number(1}}", "have no end"),
        ("{{}}", "no name"),
        ("{{random.number 5}}", "after the tag name"),
        ('{{random.number({"min":9,"max":1})}}', "no number lies between"),
        ('{{random.number("many")}}', "must be a number"),
        ("{{random.arrayElement([])}}", "empty list"),
        ('{{random.arrayElement("a")}}', "must be a list"),
        ('{{random.weightedArrayElement({"weights":[1],"data":[1,2]})}}', "1 weights"),
        ('{{random.weightedArrayElement({"weights":[0,0],"data":[1,2]})}}', "all weights"),
        ('{{date.between("2020-01-01")}}', "two dates"),
        ("{{random.alphaNumeric(-1)}}", "must be between"),
        ("{{internet.password(99999999)}}", "must be between"),
    ],
)
def test_mistakes_are_told_with_their_place(template: str, message: str) -> None:
    failure = error(f"ok\n  {template}")
    assert message in failure.message
    assert failure.span is not None
    assert failure.span.line == 2


def test_a_seed_gives_the_same_records_however_they_are_batched() -> None:
    compiled = compile_template(LAB)
    whole = compiled.render(1000, np.random.default_rng(7), NOW_MS).to_pylist()
    rng = np.random.default_rng(7)
    parts: list[bytes] = []
    for n in (1, 9, 90, 400, 500):
        parts += compiled.render(n, rng, NOW_MS, first=len(parts)).to_pylist()
    assert parts == whole
    assert compiled.render(1000, np.random.default_rng(8), NOW_MS).to_pylist() != whole


def test_too_long_records_are_refused_before_they_are_made() -> None:
    assert "a stream takes" in error("{{lorem.words(1000)}}" * 1999).message


def test_samples_are_five() -> None:
    assert len(samples(LAB)) == 5
    assert samples(LAB, 3, seed=1)[0][:1] == "{"


def test_tags_are_found_in_order() -> None:
    tags = find_tags("a {{date.now}} b {{random.number( 5 )}}")
    assert [(t.name, t.argument) for t in tags] == [("date.now", ""), ("random.number", " 5 ")]


@pytest.mark.parametrize(
    ("tag", "hint"),
    [
        ('random.number({"mn":5})', "did you mean min?"),
        ('random.number({"Max":5})', "did you mean max?"),
        ('session.start({"page":{}})', "did you mean pages?"),
        ('record.next({"chnce":1})', "did you mean chance?"),
    ],
)
def test_a_misspelt_argument_is_no_silent_default(tag: str, hint: str) -> None:
    with pytest.raises(EddylineError, match="unknown argument") as caught:
        compile_template("a{{" + tag + "}}b")
    assert caught.value.hint == hint
    assert caught.value.span is not None


def test_an_argument_of_another_name_is_passed_over_as_elsewhere() -> None:
    assert int(samples('{{random.number({"min":3,"max":3,"type":"int"})}}', 1)[0]) == 3
