"""A generator being written: where to, how fast, which template, with a preview as one types."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

from nicegui import run, ui

from eddyline.errors import EddylineError
from eddyline.generator.regions import regions
from eddyline.generator.spec import GeneratorSpec, parse_target
from eddyline.service.generators import GeneratorInfo, Generators, Preview
from eddyline.studio.context import StudioContext
from eddyline.studio.editor import Editor
from eddyline.studio.fault_fields import FaultFields
from eddyline.studio.markup import escape
from eddyline.studio.notice import Notice, html_of
from eddyline.studio.rate_fields import RateFields
from eddyline.studio.shell import Page, button, heading, labelled, may_open
from eddyline.studio.streams import CreateStream
from eddyline.studio.template_shelf import TemplateShelf

PREVIEW_AFTER_S = 0.25
TESTED = 5
HERE, ELSEWHERE, KEPT = "stream", "kinesis", "kept"
_TARGETS = {HERE: "A stream here", ELSEWHERE: "AWS or an endpoint"}
_KEYS = {"random": "Random", "field": "From a field", "fixed": "The same for all"}


class GeneratorForm:
    """Fields, editor and preview. ``spec`` is what they say; ``load`` shows a generator."""

    def __init__(self, context: StudioContext, page: Page, template: str, notice: Notice) -> None:
        self._context = context
        self._services = context.services
        self._base = GeneratorSpec(template, "stream:-")
        self._typed = 0
        self._create = CreateStream(context, self._created)
        with ui.element("div").classes("form-grid"):
            self._build_fields()
        with (
            ui.expansion("More", group=None).classes("more"),
            ui.element("div").classes("form-grid"),
        ):
            self._build_more()
        self.shelf = TemplateShelf(context, notice, lambda: self.template, self._put)
        with ui.element("div").classes("columns"):
            with ui.element("div").classes("editor-frame tall"):
                self._editor = Editor(
                    page, template, "Template", "JSON", self._changed, {"Mod-Enter": self.test}
                )
            with ui.element("div").classes("stack tight preview"):
                with ui.element("div").classes("row-line"):
                    self._heading = heading("Preview", 3).classes("grow")
                    button("Test template", self.test, icon="science", hint="Five records").props(
                        'data-key="e"'
                    )
                self._preview = ui.html("", sanitize=False).props('aria-live="polite"')
        self._show_sample(_previewed(self._services.generators, template, 1), 1)

    def _build_fields(self) -> None:
        settings = self._context.settings
        self.name = labelled(ui.input("Name", placeholder="as the stream"))
        self._kind = labelled(ui.select(_TARGETS, value=HERE, label="Send to"))
        with ui.element("div").classes("row-line no-wrap") as here:
            self._stream = labelled(ui.select([], label="Stream")).classes("grow")
            if may_open("/streams"):
                button("New", self._create.open, hint="Create a stream")
        self._remote = labelled(ui.input("Stream"))
        self._region = labelled(
            ui.input("Region", value=settings.region, autocomplete=list(regions()))
        )
        self._endpoint = labelled(ui.input("Endpoint URL", placeholder="AWS itself if empty"))
        with self._remote:
            ui.tooltip("Access keys are those that the AWS tools find on the server's machine")
        self._rate = labelled(ui.number("Records a second", value=100, min=0))
        here.bind_visibility_from(self._kind, "value", value=HERE)
        for field in (self._remote, self._region, self._endpoint):
            field.bind_visibility_from(self._kind, "value", value=ELSEWHERE)

    def _build_more(self) -> None:
        self._fast = ui.checkbox("As fast as possible").props("dense")
        self._rate.bind_enabled_from(self._fast, "value", backward=lambda fast: not fast)
        self._total = labelled(
            ui.number("Records in all", placeholder="no end", min=1, precision=0)
        )
        self._seconds = labelled(ui.number("Seconds in all", placeholder="no end", min=0))
        self._seed = labelled(ui.number("Seed", placeholder="random", min=0, precision=0))
        self._key = labelled(ui.select(_KEYS, value="random", label="Partition key"))
        self._key_text = labelled(ui.input("Field, or the key"))
        self._key_text.bind_visibility_from(self._key, "value", backward=lambda v: v != "random")
        self._shape = RateFields()
        self._faults = FaultFields()
        self._newline = ui.checkbox("A newline after every record").props("dense")
        self._gzip = ui.checkbox("Compress with gzip").props("dense")
        self.restart = ui.checkbox("Start again after a restart").props("dense")

    @property
    def template(self) -> str:
        return self._editor.text

    def focus_stream(self, name: str) -> None:
        """Have the form send to that stream."""
        self.show_streams([name, *self._stream.options])
        self._kind.set_value(HERE)
        self._stream.set_value(name)

    def show_streams(self, names: list[str]) -> None:
        """The streams there are; the chosen one stays, though it may be gone."""
        chosen = self._stream.value
        options = list(dict.fromkeys([*names, *([chosen] if chosen else [])]))
        if self._stream.options != options:
            self._stream.set_options(options, value=chosen)
        if chosen is None and len(names) == 1:
            self._stream.set_value(names[0])

    def load(self, info: GeneratorInfo | None) -> None:
        """Show a generator's spec; None: begin a new one with what is there."""
        self.name.set_value(info.name if info else "")
        self.name.set_enabled(info is None)
        self.restart.set_visibility(info is None)
        if info is None:
            self._base = GeneratorSpec(self.template, "stream:-")
            self._kind.set_options(_TARGETS, value=HERE)
            return
        spec = self._base = info.spec
        kind, name = parse_target(spec.target)
        # A topic or a file, which this page does not offer, stays what it was.
        options = _TARGETS if kind in _TARGETS else {**_TARGETS, KEPT: spec.target}
        self._kind.set_options(options, value=kind if kind in _TARGETS else KEPT)
        if kind == HERE:
            self.focus_stream(name)
        self._remote.set_value(name)
        self._region.set_value(spec.region or self._context.settings.region)
        self._endpoint.set_value(spec.endpoint or "")
        self._fast.set_value(spec.rate is None)
        self._rate.set_value(100 if spec.rate is None else spec.rate)
        self._total.set_value(spec.total)
        self._seconds.set_value(spec.duration_s)
        self._seed.set_value(spec.seed)
        key, _, value = spec.partition_key.partition(":")
        self._key.set_value(key if key in _KEYS else "random")
        self._key_text.set_value(value)
        self._newline.set_value(spec.newline)
        self._gzip.set_value(spec.gzip)
        self._shape.load(spec)
        self._faults.load(spec)
        self._put(spec.template)

    def spec(self) -> GeneratorSpec:
        """What the fields say. Raises ``invalid_argument``."""
        key, text = str(self._key.value), str(self._key_text.value or "")
        return replace(
            self._faults.applied(self._shape.applied(self._base)),
            template=self.template,
            rate=None if self._fast.value else _positive(self._rate.value),
            total=_whole(self._total.value),
            duration_s=_number(self._seconds.value),
            seed=_whole(self._seed.value),
            newline=bool(self._newline.value),
            gzip=bool(self._gzip.value),
            partition_key=key if key == "random" else f"{key}:{text}",
            **self._place(),
        )

    def _place(self) -> dict[str, Any]:
        """Where to: target, endpoint and region. Raises ``invalid_argument``."""
        if self._kind.value == KEPT:
            return {}
        here = self._kind.value == HERE
        name = str((self._stream.value if here else self._remote.value) or "").strip()
        if not name:
            msg = "no stream is chosen"
            raise EddylineError("invalid_argument", msg, hint="choose one, or make a new one")
        return {
            "target": f"{self._kind.value}:{name}",
            "endpoint": None if here else str(self._endpoint.value or "").strip() or None,
            "region": None if here else str(self._region.value or "").strip() or None,
        }

    def _created(self, name: str) -> None:
        self.focus_stream(name)

    def _put(self, template: str) -> None:
        self._editor.put(template)
        ui.timer(0.01, lambda: self._look(1), once=True)

    async def _changed(self, _: str) -> None:
        """Look when the typing pauses."""
        self._typed += 1
        mine = self._typed
        await asyncio.sleep(PREVIEW_AFTER_S)
        if mine == self._typed:
            await self._look(1)

    async def test(self) -> None:
        """Show five records."""
        await self._look(TESTED)

    async def _look(self, count: int) -> None:
        text = self.template
        preview = await run.io_bound(_previewed, self._services.generators, text, count)
        if preview is not None and text == self.template:  # else typed on in the meantime
            self._show_sample(preview, count)

    def _show_sample(self, preview: Preview | EddylineError, count: int) -> None:
        if isinstance(preview, EddylineError):
            if preview.span is not None:
                span = preview.span
                self._editor.mark(span.line, span.column, preview.message, span.length)
            self._preview.set_content(f'<div class="notice">{html_of(preview)}</div>')
            return
        self._editor.unmark()
        self._heading.set_content("Preview" if count == 1 else f"{TESTED} records")
        warnings = (f'<div class="notice warn">{escape(w)}</div>' for w in preview.warnings)
        records = (
            f'<div class="record"><pre>{escape(r[:8000])}</pre></div>' for r in preview.records
        )
        self._preview.set_content("".join((*warnings, *records)))


def _previewed(generators: Generators, text: str, count: int) -> Preview | EddylineError:
    try:
        return generators.preview(text, count)
    except EddylineError as error:
        return error


def _positive(value: float | None) -> float:
    if value is None:
        msg = "the records a second are missing"
        raise EddylineError("invalid_argument", msg, hint="write a number, as in 100 or 0.5")
    return float(value)


def _number(value: float | None) -> float | None:
    return None if value is None else float(value)


def _whole(value: float | None) -> int | None:
    return None if value is None else int(value)
