"""The picture of a job's operators."""

from __future__ import annotations

from eddyline.service.events import OperatorFigures
from eddyline.studio.operator_graph import graph_html, layers


def operator(name: str, *inputs: str, busy_ms: float = 0.0) -> OperatorFigures:
    figures = (7, 3, 0, 0, 0, busy_ms, None, None)
    return OperatorFigures(name, "Calc", ["a"], list(inputs), *figures)


JOIN = [
    operator("left", busy_ms=30.0),
    operator("right", busy_ms=10.0),
    operator("filter", "right"),
    operator("join", "left", "filter"),
]


def test_operators_stand_behind_what_they_take() -> None:
    assert layers(JOIN) == [["left", "right"], ["filter"], ["join"]]
    assert layers([operator("alone", "gone")]) == [["alone"]]
    assert layers([operator("loop", "loop", "b"), operator("b", "loop")]) == [["b"], ["loop"]]
    assert layers([]) == []


def test_the_picture_has_a_box_each_and_a_line_an_input() -> None:
    picture = graph_html(JOIN)
    assert picture.count('class="box"') == 4
    assert picture.count('class="way"') == 3
    assert 'width="142.5"' in picture, "three quarters of the time were spent in the first"
    assert "7 in, 3 out" in picture
    assert "left, right, filter, join" in picture
    assert graph_html([]) == ""


def test_names_are_text() -> None:
    picture = graph_html([operator("<script>alert(1)</script>")])
    assert "<script>" not in picture
