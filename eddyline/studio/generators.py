"""Generators: write one, test its template, send and stop; what was acknowledged, live."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from nicegui import ui

from eddyline.errors import EddylineError
from eddyline.generator.spec import GeneratorSpec, parse_target
from eddyline.service.generators import GeneratorInfo
from eddyline.service.templates import EXAMPLES
from eddyline.studio import charts
from eddyline.studio.context import StudioContext
from eddyline.studio.generator_form import GeneratorForm
from eddyline.studio.listing import Listing
from eddyline.studio.markup import duration, escape, link, number, size, state
from eddyline.studio.notice import Notice, html_of
from eddyline.studio.sending import SendingRate, sending_rates
from eddyline.studio.shell import Page, button, confirm, every, heading, icon_button, page

_KEYS = (
    ("e", "Test the template: five records"),
    ("s", "Send data, or stop"),
    ("n", "A new generator"),
    ("Ctrl Enter", "Test, while writing the template"),
)
_COLUMNS = (
    ("Generator", "wide"),
    ("State", ""),
    ("To", ""),
    ("Wanted/s", "num narrow-hidden"),
    ("Accepted/s", "num"),
    ("Sent", "num narrow-hidden"),
    ("Accepted", "num"),
    ("Retried", "num narrow-hidden"),
    ("Failed", "num"),
)
_BUSY = ("RUNNING", "STARTING", "RESTARTING")


@dataclass(frozen=True, slots=True)
class GeneratorsData:
    """All generators and the streams there are."""

    sending: list[SendingRate]
    streams: list[str]


def register(context: StudioContext) -> None:
    """Add the page."""

    @ui.page("/generator")
    def generators(stream: str = "", generator: str = "") -> None:
        with page("generator", "Generator", keys=_KEYS) as built:
            shown = GeneratorsPage(context, built, generator)
            if stream:
                shown.form.focus_stream(stream)


class GeneratorsPage:
    """The page: one generator in the form, all of them in the list."""

    def __init__(self, context: StudioContext, built: Page, chosen: str) -> None:
        self._services = context.services
        self._context = context
        self._chosen: str | None = None
        self._known: dict[str, GeneratorInfo] = {}
        self._drawn: object = None
        self._notice = Notice()
        with ui.element("section").classes("panel"):
            with ui.element("div").classes("row-line"):
                self._title = heading("New generator").classes("grow")
                self._state = ui.html("", sanitize=False)
                self._send = button("Send data", self._start, kind="main", icon="send", key="s")
                self._stop = button("Stop", self._halt, kind="main danger", icon="stop", key="s")
            first = next(iter(EXAMPLES.values()))
            self.form = GeneratorForm(context, built, first, self._notice)
            with ui.element("div").classes("stack") as self._live:
                self._counters = ui.html("", sanitize=False).classes("tiles")
                with ui.element("div").classes("columns") as self._charts:
                    with ui.element("div").classes("stack tight"):
                        heading("Accepted records a second", 3)
                        self._chart = charts.chart(charts.rate("accepted/s"), "low")
                    with ui.element("div").classes("stack tight"):
                        heading("Until a batch is acknowledged, ms", 3)
                        self._latency = charts.chart(charts.rate("ms"), "low")
            self._error = ui.html("", sanitize=False).props('role="status"')
        with ui.element("section").classes("stack"):
            with ui.element("div").classes("row-line"):
                heading("Generators").classes("grow")
                self._new = button("New generator", self._begin, icon="add", key="n")
            self._none = ui.html(_NONE, sanitize=False).classes("panel muted small")
            self._listing = Listing(_COLUMNS, "Generators", self._actions)
        self._refresh = every(0.5, self._pull, self._show)
        self._choose(self._known.get(chosen) or _only_one(self._known))

    def _pull(self) -> GeneratorsData:
        names = [info.name for info in self._services.streams.list()]
        return GeneratorsData(sending_rates(self._services.generators), sorted(names))

    def _show(self, data: GeneratorsData) -> None:
        self._known = {s.info.id: s.info for s in data.sending}
        self.form.show_streams(data.streams)
        self._none.set_visibility(not data.sending)
        self._listing.set_visibility(bool(data.sending))
        self._listing.show({s.info.id: _cells(s) for s in data.sending})
        mine = next((s for s in data.sending if s.info.id == self._chosen), None)
        if mine is None and self._chosen is not None:  # removed in another window
            self._choose(None)
        self._show_live(mine)

    def _show_live(self, mine: SendingRate | None) -> None:
        busy = mine is not None and mine.info.actual in _BUSY
        self._send.set_visibility(not busy)
        self._stop.set_visibility(busy)
        self._state.set_content(state(mine.info.actual) if mine else "")
        ran = mine is not None and mine.info.counters.started_ms is not None
        self._live.set_visibility(ran)
        self._error.set_content(_error(mine.info) if mine else "")
        if mine is None or not ran:
            return
        self._counters.set_content("".join(_figures(mine.info)))
        self._charts.set_visibility(len(mine.history) > 1)
        drawn = (mine.info.id, mine.history[-1] if mine.history else None)
        if drawn != self._drawn:
            self._drawn = drawn
            charts.put(self._chart, [(at, round(v, 1)) for at, v, _ in mine.history])
            charts.put(self._latency, [(at, round(ms, 2)) for at, _, ms in mine.history])

    def _actions(self, id: str) -> Callable[[], None]:
        name = self._known[id].name
        icon_button("edit", f"Show and change {name}", lambda: self._choose(self._known.get(id)))
        start = icon_button("play_arrow", f"Start {name}", lambda: self._start_kept(id))
        stop = icon_button("stop", f"Stop {name}", lambda: self._halt_kept(id))
        icon_button("delete", f"Remove {name}", lambda: self._remove(id))

        def update() -> None:
            busy = id in self._known and self._known[id].actual in _BUSY
            start.set_visibility(not busy)
            stop.set_visibility(busy)

        return update

    def _choose(self, info: GeneratorInfo | None) -> None:
        self._chosen = info.id if info else None
        self._title.set_content(escape(info.name if info else "New generator"))
        self.form.load(info)

    async def _begin(self) -> None:
        self._notice.clear()
        self._choose(None)
        await self._refresh.now()

    async def _start(self) -> None:
        info = await self._notice.attempt(self._started)
        if info is not None:
            if self._chosen != info.id:
                self._choose(info)
            await self._refresh.now()

    def _started(self) -> GeneratorInfo:
        """Keep what the form says and start it."""
        generators, spec = self._services.generators, self.form.spec()
        if self._chosen is None:
            name = self._free_name(spec)
            restart = bool(self.form.restart.value)
            kept = generators.create(name, spec, restart=restart)
        else:
            kept = generators.update(self._chosen, spec)
        return generators.start(kept.id)

    def _free_name(self, spec: GeneratorSpec) -> str:
        given = str(self.form.name.value or "").strip()
        if given:
            return given
        name = parse_target(spec.target)[1]
        taken = {info.name for info in self._services.generators.list()}
        numbered = (f"{name} {i}" for i in range(2, len(taken) + 3))
        return name if name not in taken else next(n for n in numbered if n not in taken)

    async def _halt(self) -> None:
        if self._chosen is not None:
            await self._halt_kept(self._chosen)

    async def _start_kept(self, id: str) -> None:
        await self._notice.attempt(self._services.generators.start, id)
        await self._refresh.now()

    async def _halt_kept(self, id: str) -> None:
        await self._notice.attempt(self._services.generators.stop, id)
        await self._refresh.now()

    async def _remove(self, id: str) -> None:
        name = self._known[id].name
        words = "It is stopped and forgotten; the records it sent stay."
        if await confirm(f"Remove generator {name}?", words, "Remove it"):
            await self._notice.attempt(self._services.generators.remove, id)
            await self._refresh.now()


_WITH_SERVER = ' <span class="muted small">with the server</span>'
_NONE = (
    "<p>None yet. Choose a stream and a template above, then <b>Send data</b>. "
    "As many generators as you like may send at once.</p>"
)


def _only_one(known: dict[str, GeneratorInfo]) -> GeneratorInfo | None:
    """The one to begin with: a generator that runs, if there is just one."""
    running = [info for info in known.values() if info.actual in _BUSY]
    return running[0] if len(running) == 1 else None


def _target(spec: GeneratorSpec) -> str:
    kind, name = parse_target(spec.target)
    if kind == "stream":
        return link(f"/streams/{name}", name)
    where = f" at {spec.endpoint or spec.region or 'AWS'}" if kind == "kinesis" else ""
    return escape(f"{name}{where}")


def _cells(sending: SendingRate) -> list[str]:
    info, counters = sending.info, sending.info.counters
    return [
        link(f"/generator?generator={info.id}", info.name),
        state(info.actual) + (_WITH_SERVER if info.ended_with_server else ""),
        _target(info.spec),
        "max" if info.spec.rate is None else number(info.spec.rate),
        number(round(counters.rate, 1)),
        number(counters.sent),
        number(counters.accepted),
        number(counters.retried),
        number(counters.failed),
    ]


def _figures(info: GeneratorInfo) -> list[str]:
    c = info.counters
    small = f"{size(c.bytes)} in {duration(c.elapsed_s * 1000)}"
    slipped = f"{duration(c.slipped_ms)} behind its plan" if c.slipped_ms else "on time"
    return [
        _tile(number(round(c.rate, 1)), "accepted/s", slipped),
        _tile(number(c.sent), "sent", small),
        _tile(number(c.accepted), "accepted", "acknowledged by the stream"),
        _tile(number(c.retried), "retried", "sent again"),
        _tile(number(c.failed), "failed", "given up"),
    ]


def _tile(figure: str, name: str, small: str) -> str:
    return (
        f'<div class="tile"><div class="figure">{escape(figure)}</div>'
        f'<div class="name">{escape(name)}</div><div class="small">{escape(small)}</div></div>'
    )


def _error(info: GeneratorInfo) -> str:
    error: dict[str, Any] | None = info.error
    if error is not None:
        error_ = EddylineError("internal", str(error.get("message", "")), hint=error.get("hint"))
        return f'<div class="notice">{html_of(error_)}</div>'
    if info.counters.last_error:
        return f'<div class="notice warn">Last error: {escape(info.counters.last_error)}</div>'
    if info.ended_with_server:
        return (
            '<div class="notice warn">It stopped with the server. <b>Send data</b> starts it '
            "again; a generator with <b>Start again after a restart</b> does so by itself.</div>"
        )
    return ""
