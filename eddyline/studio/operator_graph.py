"""The graph of a job's operators as SVG: sources on the left, the sink on the right.

Operators stand in layers by the longest way from a source. Colours are the style sheet's, so that
the picture follows dark and light; everything in it is also in the table below it.
"""

from __future__ import annotations

from collections.abc import Sequence

from eddyline.service.events import OperatorFigures
from eddyline.studio.markup import escape, number

WIDTH, HEIGHT = 190, 54
GAP_X, GAP_Y = 44, 16
NAME_CHARACTERS = 24


def layers(operators: Sequence[OperatorFigures]) -> list[list[str]]:
    """The names by layer, in their order; inputs that are not there are left out."""
    depth: dict[str, int] = {}
    inputs = {operator.name: operator.inputs for operator in operators}

    def depth_of(name: str, seen: tuple[str, ...] = ()) -> int:
        if name not in depth:
            above = [i for i in inputs[name] if i in inputs and i not in seen and i != name]
            depth[name] = 1 + max((depth_of(i, (*seen, name)) for i in above), default=-1)
        return depth[name]

    columns: list[list[str]] = []
    for operator in operators:
        place = depth_of(operator.name)
        columns += [[] for _ in range(place + 1 - len(columns))]
        columns[place].append(operator.name)
    return columns


def graph_html(operators: Sequence[OperatorFigures]) -> str:
    """The picture; empty without operators."""
    if not operators:
        return ""
    columns = layers(operators)
    places = {
        name: (x * (WIDTH + GAP_X), y * (HEIGHT + GAP_Y))
        for x, column in enumerate(columns)
        for y, name in enumerate(column)
    }
    width = len(columns) * (WIDTH + GAP_X) - GAP_X
    height = max(len(column) for column in columns) * (HEIGHT + GAP_Y) - GAP_Y
    total = sum(operator.busy_ms for operator in operators)
    lines = "".join(
        _line(places[above], places[operator.name])
        for operator in operators
        for above in operator.inputs
        if above in places
    )
    boxes = "".join(_box(operator, *places[operator.name], total) for operator in operators)
    words = f"Operators of the job: {', '.join(operator.name for operator in operators)}"
    return (
        '<div class="operator-graph" tabindex="0" role="group" aria-label="Graph of operators">'
        f'<svg width="{width + 2}" height="{height + 2}" viewBox="-1 -1 {width + 2} {height + 2}" '
        f'role="img" aria-label="{escape(words)}">{lines}{boxes}</svg></div>'
    )


def _line(start: tuple[int, int], end: tuple[int, int]) -> str:
    x1, y1 = start[0] + WIDTH, start[1] + HEIGHT // 2
    x2, y2 = end[0], end[1] + HEIGHT // 2
    bend = (x1 + x2) // 2
    return f'<path class="way" d="M{x1} {y1}C{bend} {y1} {bend} {y2} {x2} {y2}"/>'


def _box(operator: OperatorFigures, x: int, y: int, total_ms: float) -> str:
    share = operator.busy_ms / total_ms if total_ms > 0 else 0.0
    name = operator.name
    shown = name if len(name) <= NAME_CHARACTERS else name[: NAME_CHARACTERS - 1] + "…"
    figures = f"{number(operator.rows_in)} in, {number(operator.rows_out)} out"
    return (
        f"<g><title>{escape(name)}</title>"
        f'<rect class="box" x="{x}" y="{y}" width="{WIDTH}" height="{HEIGHT}" rx="6"/>'
        f'<rect class="share" x="{x}" y="{y + HEIGHT - 4}" width="{WIDTH * share:.1f}" '
        'height="4" rx="2"/>'
        f'<text class="name" x="{x + 10}" y="{y + 22}">{escape(shown)}</text>'
        f'<text class="rows" x="{x + 10}" y="{y + 40}">{figures}</text></g>'
    )
