"""Names people bring along: faker's later ones, the public generator's habits, and near misses."""

from __future__ import annotations

import json
import re

import pytest

from eddyline.errors import EddylineError
from eddyline.generator.template import compile_template, samples


def hint_of(template: str) -> str:
    with pytest.raises(EddylineError) as caught:
        compile_template(template)
    return caught.value.hint or ""


@pytest.mark.parametrize(
    ("tag", "shape"),
    [
        # The public generator reads the first two parts of a name and ignores what follows.
        ('random.number.float({"min":1,"max":99,"precision":0.01})', r"\d{1,2}(\.\d{1,2})?"),
        ("date.utc.format(YYYY)", r"\d{4}"),
        # faker 5 to 10
        ('number.int({"min":5,"max":7})', "[5-7]"),
        ('number.float({"min":1,"max":2,"fractionDigits":1})', r"[12](\.\d)?"),
        ('number.float({"min":0,"max":10,"multipleOf":2.5})', r"0|2\.5|5|7\.5|10"),
        ("number.hex(255)", "[0-9a-f]{1,2}"),
        ("string.uuid", r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
        ("string.alphanumeric(8)", "[0-9A-Za-z]{8}"),
        ('string.alpha({"length":4,"casing":"upper"})', "[A-Z]{4}"),
        ('string.numeric({"length":{"min":2,"max":3},"exclude":"0123456"})', "[789]{2,3}"),
        ('string.alphanumeric({"length":3,"exclude":["a","b"]})', "[0-9A-Zc-z]{3}"),
        ("person.firstName", r"[A-Z][\w'-]+"),
        ('person.firstName("female")', r"[A-Z][\w'-]+"),
        ("person.jobTitle", ".+"),
        ("location.city", ".+"),
        ('location.zipCode("##-###")', r"\d\d-\d{3}"),
        ('location.state({"abbreviated":true})', "[A-Z]{2}"),
        ('location.countryCode({"variant":"alpha-3"})', "[A-Z]{3}"),
        ("internet.username", ".+"),
        ("internet.ipv4", r"(\d{1,3}\.){3}\d{1,3}"),
        ("phone.number", r"[\d()x .-]+"),
        ('phone.number("+44 ####")', r"\+44 \d{4}"),
        ("company.name", ".+"),
        ("finance.pin(6)", r"\d{6}"),
        ('finance.accountNumber({"length":5})', r"\d{5}"),
        ('helpers.arrayElement(["x","y"])', "x|y"),
        ('helpers.weightedArrayElement([{"weight":0,"value":"x"},{"weight":1,"value":"y"}])', "y"),
        ('helpers.arrayElements(["x","y","z"],{"min":1,"max":2})', r'\["[xyz]"(,"[xyz]")?\]'),
        ('helpers.multiple("number.int(9)",{"count":3})', r"\[\d,\d,\d\]"),
        ('helpers.multiple("number.int(9)",{"count":{"min":0,"max":1}})', r"\[\d?\]"),
        ('helpers.maybe("string.uuid",{"probability":1})', r"[0-9a-f-]{36}"),
        ("helpers.fromRegExp(\"#[a-f]{2}(x|yz)?\\\\d+\")", r"#[a-f]{2}(x|yz)?\d+"),
        ("color.human", "[a-z ]+"),
        ("color.rgb", "#[0-9a-f]{6}"),
        ("animal.dog", ".+"),
        ("animal.type", "[a-z]+"),
        ("vehicle.manufacturer", ".+"),
        ("vehicle.vehicle", ".+ .+"),
        ("database.engine", r"\w+"),
        ("database.column", r"\w+"),
        ("music.genre", ".+"),
        ("commerce.isbn", r"97[89]\d{10}"),
    ],
)  # fmt: skip
def test_a_name_of_elsewhere_works(tag: str, shape: str) -> None:
    for text in samples("{{" + tag + "}}", 50, seed=1):
        assert re.fullmatch(shape, text), text


def test_isbns_check() -> None:
    for text in samples("{{commerce.isbn}}", 200, seed=1):
        assert sum(int(c) * (3 if k % 2 else 1) for k, c in enumerate(text)) % 10 == 0


@pytest.mark.parametrize(
    ("tag", "name"),
    [
        ("number.integer", "number.int"),
        ("person.firstname", "person.firstName"),
        ("names.firstName", "name.firstName"),
        ("faker.random.number()", "random.number"),
        ("faker.person.fullName()", "person.fullName"),
        ("string.uid", "string.uuid"),
    ],
)
def test_a_near_miss_is_told_the_name(tag: str, name: str) -> None:
    assert name in hint_of("{{" + tag + "}}")


def test_records_are_trimmed() -> None:
    texts = samples('   \n{"a": {{random.number(9)}} }\n   ', 5, seed=1)
    assert all(re.fullmatch(r'\{"a": \d \}', t) for t in texts)
    padded = (
        '{{random.arrayElement([" a\\t","\\u00a0b ","c"])}}{{record.next}} {{random.number(1)}} '
    )
    assert set(samples(padded, 60, seed=2)) == {"a", "b", "c", "0", "1"}


@pytest.mark.parametrize(
    "template", ["a{{record.next}}", "{{record.next}}a", "a{{record.next}} {{record.next}}b",
                 "{{set a = random.number}}", "{{set a = random.number}}{{record.next}}{{a}}"],
)  # fmt: skip
def test_an_empty_record_is_refused(template: str) -> None:
    with pytest.raises(EddylineError, match=r"empty|writes nothing"):
        compile_template(template)


def test_an_argument_without_effect_is_told() -> None:
    template = compile_template('{{date.between("2020-01-01","2020-02-01","YYYY","UTC",5)}}')
    assert template.warnings == ("date.between: the argument 5 has no effect",)
    assert compile_template("{{random.uuid(3)}}").warnings == (
        "random.uuid: the argument 3 has no effect",
    )
    assert compile_template('{{random.number({"most":5})}}').warnings == (
        "random.number: the argument most has no effect",
    )
    behind = compile_template('{{date.past(1,{"format":"x","timezone":"UTC"})}}')
    assert behind.warnings == ("date.past: the argument timezone has no effect",)
    assert compile_template('{{random.objectElement({"min":5})}}').warnings == ()
    assert compile_template('{{location.state({"abbreviated":true})}}').warnings == ()


def test_a_long_line_is_cut_around_the_fault() -> None:
    text = '{"a":"' + "x" * 100_000 + '","b":{{randm.number}},"c":"' + "y" * 100_000 + '"}'
    with pytest.raises(EddylineError) as caught:
        compile_template(text)
    words = caught.value.pretty()
    assert len(words) < 600
    line, marks = words.splitlines()[1:3]
    assert line[marks.index("^") :].startswith("{{randm.number}}")
    assert marks.count("^") == len("{{randm.number}}")


def test_lists_within_json_stay_json() -> None:
    text = '{"a":{{random.number(9) | array(0,3)}},"b":{{animal.cetacean | json | null(0.3)}}}'
    rows = [json.loads(t) for t in samples(text, 300, seed=1)]
    assert {len(r["a"]) for r in rows} == {0, 1, 2, 3}
    assert 50 < sum(r["b"] is None for r in rows) < 130
