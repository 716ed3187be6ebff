"""What is new in the language: named values, several records a turn, sessions and click paths."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from typing import Any

import numpy as np
import pytest

from eddyline.errors import EddylineError
from eddyline.generator.template import compile_template

NOW_MS = 1_764_000_000_000
SHOP = (
    '{{session.start({"active":20,"clicks":4,"visitors":50,"start":{"/":3,"/sale":1},'
    '"pages":{"/":{"/books":3,"/music":1},"/books":{"/cart":1,"/":1},"/music":{"/":1},'
    '"/cart":{"/paid":1,"exit":1},"/paid":{"exit":1},"/sale":{"/cart":1}}})}}'
    '{"session":{{session.id}},"visitor":{{session.visitor}},"page":"{{session.page}}",'
    '"from":"{{session.previous}}","click":{{session.click}},"ip":"{{session.keep("internet.ip")}}"}'
)


def records(template: str, n: int, seed: int = 1, *, by: int = 0) -> list[bytes]:
    rendering = compile_template(template).rendering(np.random.default_rng(seed))
    out: list[bytes] = []
    while len(out) < n:
        size = min(by or n, n - len(out))
        now = np.arange(len(out), len(out) + size, dtype=np.int64) + NOW_MS
        out += rendering.records(size, now, now).to_pylist()
    return out


def parsed(template: str, n: int, seed: int = 1) -> list[dict[str, Any]]:
    return [json.loads(r) for r in records(template, n, seed)]


def error(template: str) -> EddylineError:
    with pytest.raises(EddylineError) as caught:
        compile_template(template)
    assert caught.value.code == "template_error"
    assert caught.value.span is not None
    return caught.value


def test_a_named_value_is_the_same_wherever_it_stands() -> None:
    template = '{"a":"{{id = random.uuid}}","b":"{{id}}","c":{"d":"{{ id }}"}}'
    records = parsed(template, 50)
    assert all(r["a"] == r["b"] == r["c"]["d"] for r in records)
    assert len({r["a"] for r in records}) == 50


def test_a_value_may_be_named_without_being_written() -> None:
    template = '{{set n = random.number({"min":1,"max":9})}}{"x":{{n}},"y":{{n}}}'
    assert all(set(r) == {"x", "y"} and r["x"] == r["y"] for r in parsed(template, 50))


def test_a_value_may_stand_before_the_tag_that_names_it() -> None:
    assert all(r["a"] == r["b"] for r in parsed('{"a":{{n}},"b":{{n = random.number}}}', 50))


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{{a = random.number}}{{a = random.uuid}}", "given twice"),
        ("{{a = }}", "nothing is given"),
        ("{{a = b}}", "cannot be named"),
        ("{{a = record.next}}", "cannot be named"),
        ('{{a = session.start({"active":2})}}', "cannot be named"),
        ("{{user = name.firstName}}{{usr}}", "unknown tag usr"),
        ('{{record.next({"chance":2})}}', "between 0 and 1"),
        ('{{session.start({"active":0})}}{{session.page}}', "active"),
        ('{{session.start({"active":1})}}{{session.start({"active":2})}}', "has one session.start"),
        ('{{session.start({"pages":[1]})}}', "object of objects"),
        ('{{session.start({"pages":{"/":{"/a":1}},"start":"/b"})}}', "no page /b"),
        ('{{session.keep("session.page")}}', "cannot be kept"),
        ('{{session.keep("random.numbr")}}', "unknown tag random.numbr"),
        ("{{session.keep}}", "a tag is needed"),
        ('{{session.keep("a = random.uuid")}}', "not one tag"),
        ('{{session.keep("random.uuid}} x {{random.uuid")}}', "not one tag"),
    ],
)
def test_mistakes_are_told(template: str, message: str) -> None:
    assert message in error(template).message


def test_names_of_values_are_among_the_nearest() -> None:
    assert "user" in str(error("{{user = name.firstName}} {{usr}}").hint)


ORDER = (
    '{"kind":"order","id":"{{id = random.uuid}}","n":{{sequence.next}}}{{record.next}}'
    '{"kind":"item","id":"{{id}}","n":{{sequence.next}}}'
    '{{record.next({"chance":0.25})}}{"kind":"return","id":"{{id}}"}'
)


def test_several_records_of_one_turn_share_its_values() -> None:
    records = parsed(ORDER, 4000)
    kinds = Counter(r["kind"] for r in records)
    assert abs(kinds["order"] - kinds["item"]) <= 1
    assert abs(kinds["return"] / kinds["order"] - 0.25) < 0.04
    turns: dict[str, list[str]] = defaultdict(list)
    for record in records:
        turns[record["id"]].append(record["kind"])
    whole = list(turns.values())[:-1]
    assert all(k in (["order", "item"], ["order", "item", "return"]) for k in whole)
    numbers = [r["n"] for r in records if r["kind"] == "order"]
    assert numbers == list(range(1, len(numbers) + 1))


@pytest.mark.parametrize("template", [ORDER, SHOP])
@pytest.mark.parametrize("by", [1, 7, 500])
def test_the_same_seed_gives_the_same_records_however_they_are_asked_for(
    template: str, by: int
) -> None:
    assert records(template, 1000, by=by) == records(template, 1000)


def test_a_later_run_takes_up_an_earlier_one() -> None:
    template = '{"n":{{sequence.next}},"id":"{{random.uuid}}"}'
    whole = records(template, 100)
    rest = compile_template(template).rendering(np.random.default_rng(1), first=60)
    now = np.full(40, NOW_MS)
    assert rest.records(40, now, now).to_pylist() == whole[60:]


def test_a_turn_has_one_instant() -> None:
    template = "{{date.utc(x)}} {{set a = random.uuid}}{{record.next}}{{date.utc(x)}}"
    texts = [r.split()[0] for r in records(template, 100)]
    assert texts[0::2] == texts[1::2]
    assert texts[0::2] == [str(NOW_MS + k).encode() for k in range(0, 100, 2)]


def sessions(n: int) -> dict[int, list[dict[str, Any]]]:
    out: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for record in parsed(SHOP, n):
        out[record["session"]].append(record)
    return out


def test_a_session_keeps_its_visitor_and_counts_its_clicks() -> None:
    for clicks in sessions(5000).values():
        assert [c["click"] for c in clicks] == list(range(1, len(clicks) + 1))
        assert len({(c["visitor"], c["ip"]) for c in clicks}) == 1
        assert 1 <= clicks[0]["visitor"] <= 50


def test_clicks_follow_the_paths() -> None:
    ways = {
        "": {"/", "/sale"}, "/": {"/books", "/music"}, "/books": {"/cart", "/"},
        "/music": {"/"}, "/cart": {"/paid"}, "/sale": {"/cart"},
    }  # fmt: skip
    steps: Counter[tuple[str, str]] = Counter()
    for clicks in sessions(40_000).values():
        assert [c["from"] for c in clicks] == ["", *(c["page"] for c in clicks[:-1])]
        steps.update((c["from"], c["page"]) for c in clicks)
    assert {(a, b) for a, to in ways.items() for b in to} == set(steps)
    assert abs(steps["/", "/books"] / steps["/", "/music"] - 3) < 0.35
    assert abs(steps["", "/"] / steps["", "/sale"] - 3) < 0.35


def test_sessions_are_as_long_as_was_said() -> None:
    template = '{{session.start({"active":30,"clicks":8})}}{{session.id}}'
    lengths = Counter(records(template, 60_000))
    assert abs(float(np.mean(list(lengths.values()))) - 8) < 0.5


def test_as_many_sessions_as_said_are_under_way() -> None:
    template = '{{session.start({"active":5,"clicks":1000000})}}{{session.id}}'
    assert len(set(records(template, 5000))) == 5


def test_every_session_is_another() -> None:
    assert len(set(records('{{session.start({"active":1,"clicks":1})}}{{session.id}}', 500))) == 500
