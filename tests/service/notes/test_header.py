"""Paragraph headers and dynamic forms, by Zeppelin's grammar."""

from __future__ import annotations

import pytest

from eddyline.errors import EddylineError
from eddyline.service.notes import forms, header


@pytest.mark.parametrize(
    ("text", "interpreter", "properties", "rest"),
    [
        ("SELECT 1", None, {}, "SELECT 1"),
        ("%flink.ssql\nSELECT 1", "flink.ssql", {}, "SELECT 1"),
        ("% flink.ssql\nSELECT 1", "flink.ssql", {}, "SELECT 1"),
        ("\n  %md hello", "md", {}, "hello"),
        ("%flink.ssql(type=update)\nS", "flink.ssql", {"type": "update"}, "S"),
        ("%flink.ssql()\nS", "flink.ssql", {}, "S"),
        ("%flink.ssql( type = single , runAsOne )S", "flink.ssql",
         {"type": "single", "runAsOne": "runAsOne"}, "S"),
        ("%flink.ssql(template=<h1>{1}</h1> until <h2>{0}</h2>)\nS", "flink.ssql",
         {"template": "<h1>{1}</h1> until <h2>{0}</h2>"}, "S"),
        ('%flink.ssql(template="a, b = (c)",type=single)S', "flink.ssql",
         {"template": "a, b = (c)", "type": "single"}, "S"),
        (r"%flink.ssql(template=a\,b\n\=\))S", "flink.ssql", {"template": "a,b\n=)"}, "S"),
        ("%flink.ssql (type=update)", "flink.ssql", {}, "(type=update)"),
        ("%flink.ssql(type=update,\n  refreshInterval=500)\nS", "flink.ssql",
         {"type": "update", "refreshInterval": "500"}, "S"),
        ("%flink.pyflink\nx", "flink.pyflink", {}, "x"),
        ("/* % */ S", None, {}, "/* % */ S"),
    ],
)  # fmt: skip
def test_grammar(text: str, interpreter: str | None, properties: dict[str, str], rest: str) -> None:
    parsed = header.parse(text)
    assert parsed.interpreter == interpreter
    assert parsed.properties == properties
    assert parsed.body.strip() == rest
    assert len(parsed.body) == len(text)
    assert parsed.body.count("\n") == text.count("\n")


@pytest.mark.parametrize(
    ("text", "says", "place"),
    [
        ("%flink.ssql(type=update\nSELECT 1", "not closed", (1, 12)),
        ("%flink.ssql(a=b=c)", "second =", (1, 16)),
        ("%flink.ssql(a=1,,b)", "without a name", (1, 17)),
        ("%flink.ssql(\n=1)", "without a name", (2, 3)),
    ],
)
def test_what_is_wrong_is_said_with_its_place(text: str, says: str, place: tuple[int, int]) -> None:
    with pytest.raises(EddylineError, match=says) as caught:
        header.parse(text)
    span = caught.value.span
    assert span is not None
    assert (span.line, span.column) == place


def test_unknown_properties_are_hinted_at() -> None:
    warnings = header.warnings({"type": "update", "refreshIntervall": "1", "threshold": "9"})
    assert len(warnings) == 2
    assert "did you mean refreshInterval?" in warnings[0]
    assert "threshold is ignored" in warnings[1]


def test_forms_of_every_kind() -> None:
    text = (
        "${a} ${b=1} ${c(Label)=x y} ${d=2,1|2(Two)} ${checkbox:e=p|q,p|q|r} "
        "${checkbox( or ):f=p|q,p|q} ${password:g} $${h=9} ${_i=0} ${a}"
    )
    by_name = {f.name: f for f in forms.forms(text)}
    assert list(by_name) == ["a", "b", "c", "d", "e", "f", "g", "h", "_i"]
    assert by_name["c"].label == "Label"
    assert by_name["d"].kind == "select"
    assert by_name["d"].options == (("1", "1"), ("2", "Two"))
    assert by_name["e"].kind == "checkbox"
    assert by_name["g"].kind == "password"
    assert by_name["h"].note_wide
    assert by_name["_i"].hidden
    assert forms.fill(text, {}, {}) == " 1 x y 2 p,q p or q  9 0 "


def test_forms_take_their_values() -> None:
    text = "LIMIT ${n=10} ${checkbox:s=a,a|b} $${n=3} ${d}"
    filled = forms.fill(text, {"n": 5.0, "s": ["a", "b"], "d": 0.5}, {"n": "7"})
    assert filled == "LIMIT 5 a,b 7 0.5"


def test_text_without_forms_is_left_alone() -> None:
    text = "SELECT '$', '{}', `a` FROM t WHERE x = '$1.00'"
    assert forms.fill(text, {}, {}) == text
    assert forms.forms(text) == []
