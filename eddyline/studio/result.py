"""What a paragraph shows below its text: tables, charts, HTML, sentences, an error."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from nicegui import ui

from eddyline.service.notes.clean import clean
from eddyline.service.notes.output import FAILURE, HTML, TABLE, WARNING, Output, OutputTable
from eddyline.studio import charts, graph, look
from eddyline.studio.graph import Graph, GraphSettings
from eddyline.studio.markup import escape, plural
from eddyline.studio.notice import text_html
from eddyline.studio.result_grid import ResultGrid
from eddyline.studio.shell import labelled

TEXT_CHARS = 100_000
_PICTURE = re.compile(r"[A-Za-z0-9+/=\s]{1,4000000}\Z")
Draw = Callable[[int, Graph], Any]


class ParagraphOutputs:
    """All outputs of a paragraph, in order; elements stay where only their content changed."""

    def __init__(self, draw: Draw) -> None:
        self._draw = draw
        self._frame = ui.element("div").classes("out")
        self._parts: list[_OutputElement] = []

    def show(self, outputs: Sequence[Output], graphs: Sequence[Graph], newest_first: bool) -> None:
        """The outputs as they stand; ``graphs``: how each is drawn."""
        self.set_visibility(bool(outputs))
        kinds = [output.kind for output in outputs]
        if [part.kind for part in self._parts] != kinds:
            self._frame.clear()
            with self._frame:
                self._parts = [self._made(i, kind) for i, kind in enumerate(kinds)]
        for part, output, drawn in zip(self._parts, outputs, graphs, strict=True):
            part.show(output, drawn, newest_first)

    def set_visibility(self, visible: bool) -> None:
        """Show the results, or nothing."""
        self._frame.set_visibility(visible)

    def _made(self, index: int, kind: str) -> _OutputElement:
        return _TablePart(index, self._draw) if kind == TABLE else _TextPart(kind)


class _OutputElement:
    kind: str

    def show(self, output: Output, drawn: Graph, newest_first: bool) -> None:
        raise NotImplementedError


class _TextPart(_OutputElement):
    def __init__(self, kind: str) -> None:
        self.kind = kind
        # Sanitised twice: by us, and by the browser, in case one of the two is wrong.
        self._element = ui.html("", sanitize=True)
        if kind == FAILURE:
            self._element.props("role=alert")

    def show(self, output: Output, drawn: Graph, newest_first: bool) -> None:
        content = text_of(output)
        if self._element.content != content:
            self._element.set_content(content)


def text_of(output: Output) -> str:
    """The HTML of an output that is no table; nothing of it can run."""
    if output.kind == HTML:
        return f'<div class="words">{clean(output.text)}</div>'
    if output.kind == FAILURE:
        return f'<div class="notice">{text_html(output.text)}</div>'
    if output.kind == WARNING:
        return f'<div class="notice warn">{escape(output.text)}</div>'
    if output.kind == "ANGULAR":
        return f'<div class="words">{clean(output.text)}</div>'
    if output.kind == "IMG" and _PICTURE.match(output.text):
        source = re.sub(r"\s", "", output.text)
        return f'<img alt="" src="data:image/png;base64,{escape(source)}">'
    return f'<pre class="output-text">{escape(output.text[:TEXT_CHARS])}</pre>'


class _TablePart(_OutputElement):
    """A table or a chart of it, with switches."""

    kind = TABLE

    def __init__(self, index: int, draw: Draw) -> None:
        self._index = index
        self._draw = draw
        self._table: OutputTable | None = None
        self._graph: Graph | None = None
        self._newest_first = False
        self._chart: ui.echart | None = None
        with ui.element("div").classes("tools"):
            self._modes = ui.toggle(graph.MODES, value=graph.TABLE, on_change=self._mode_chosen)
            # Quasar's own colour of text would count more than the theme's.
            self._modes.props("dense no-caps unelevated toggle-text-color=on-accent")
            self._modes.props('aria-label="How the result is shown"')
            self._modes.classes("modes")
            self._fields = ui.element("div").classes("row-line fields")
            self._count = ui.label().classes("muted small grow end-text")
        self._grid = ResultGrid(lambda: f"result-{index + 1}")
        self._place = ui.element("div")
        with self._fields:
            self._key = self._select("Along", self._fields_chosen)
            self._group = self._select("Group by", self._fields_chosen)
            self._value = self._select("Value", self._fields_chosen)
            self._aggregate = self._select("Aggregate", self._fields_chosen)
            self._look = self._select("Look", self._look_chosen)
            self._labels = self._select("Labels", self._labels_chosen)
        self._quiet = False

    def _select(self, label: str, chosen: Callable[[], None]) -> ui.select:
        return labelled(ui.select([], label=label, on_change=chosen)).classes("field")

    def show(self, output: Output, drawn: Graph, newest_first: bool) -> None:
        table = output.table
        assert table is not None, "an output of kind TABLE has one"
        if table == self._table and drawn == self._graph:
            return
        self._table, self._graph, self._newest_first = table, drawn, newest_first
        self._redraw()

    def _redraw(self) -> None:
        table, drawn = self._table, self._graph or {}
        assert table is not None, "there is something to draw"
        chosen = graph.settings(table, drawn)
        plain = chosen.mode == graph.TABLE or not chosen.values
        newest_first = self._newest_first or graph.is_time(table, 0)
        self._count.set_text("" if plain else plural(len(table.rows), "row"))
        self._controls(table, chosen)
        self._fields.set_visibility(not plain)
        self._grid.set_visibility(plain)
        self._place.set_visibility(not plain)
        if plain:
            self._grid.show(table, newest_first=newest_first)
        else:
            self._put_chart(graph.options(table, chosen, drawn), look.height_of(drawn))

    def _put_chart(self, options: charts.Options, height: int) -> None:
        if self._chart is None:
            with self._place:
                self._chart = charts.chart(options)
        self._chart.style(f"height: {height}px")
        self._chart.options.clear()
        self._chart.options.update(options)
        self._chart.update()

    def _controls(self, table: OutputTable, chosen: GraphSettings) -> None:
        """Have the switches say what is drawn, without that counting as a choice."""
        names = dict(enumerate(table.columns))
        value, aggregate = chosen.values[0] if chosen.values else (None, "sum")
        self._quiet = True
        self._modes.set_value(chosen.mode)
        self._key.set_options(names, value=chosen.keys[0] if chosen.keys else None)
        group = chosen.groups[0] if chosen.groups else -1
        self._group.set_options({-1: "–", **names}, value=group)
        self._value.set_options(names, value=value)
        self._aggregate.set_options(list(graph.AGGREGATES), value=aggregate)
        setting = look.setting_of(self._graph or {}, chosen.mode)
        looks = look.LOOKS.get(chosen.mode, {})
        self._look.set_options(looks, value=look.look_of(chosen.mode, setting))
        self._look.set_visibility(bool(looks))
        self._labels.set_options(look.LABELS, value=look.labels_of(setting))
        self._labels.set_visibility(bool(looks))
        self._quiet = False

    def _mode_chosen(self, event: Any) -> None:
        if self._quiet or self._table is None:
            return
        drawn = self._graph or {}
        if drawn.get("keys") or drawn.get("values"):
            self._keep({"mode": event.value})
        else:
            guessed = graph.guess(self._table, event.value)
            self._keep(graph.graph_of(self._table, guessed))

    def _fields_chosen(self) -> None:
        if self._quiet or self._table is None or self._value.value is None:
            return
        group = self._group.value
        keys = () if self._key.value is None else (int(self._key.value),)
        groups = () if group in (None, -1) or group in keys else (int(group),)
        value = (int(self._value.value), str(self._aggregate.value or "sum"))
        chosen = GraphSettings(str(self._modes.value), keys, groups, (value,))
        self._keep(graph.graph_of(self._table, chosen))

    def _look_chosen(self) -> None:
        if not self._quiet and self._look.value is not None:
            mode = str(self._modes.value)
            setting = look.setting_of(self._graph or {}, mode)
            self._set(mode, look.with_look(mode, setting, str(self._look.value)))

    def _labels_chosen(self) -> None:
        if not self._quiet:
            mode = str(self._modes.value)
            setting = look.setting_of(self._graph or {}, mode)
            self._set(mode, look.with_labels(setting, str(self._labels.value)))

    def _set(self, mode: str, setting: dict[str, Any]) -> None:
        """Keep the settings of a kind of chart, beside those of the others."""
        others = (self._graph or {}).get("setting")
        known = others if isinstance(others, dict) else {}
        self._keep({"setting": {**known, mode: setting}})

    def _keep(self, drawn: Graph) -> None:
        self._graph = {**(self._graph or {}), **drawn}
        self._draw(self._index, drawn)
        self._redraw()
