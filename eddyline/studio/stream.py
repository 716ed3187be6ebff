"""One stream: its shards, what flows now, its newest records, and the way to a note about it."""

from __future__ import annotations

import json
from typing import Any

from nicegui import run, ui

from eddyline.errors import EddylineError
from eddyline.service.notes import from_stream
from eddyline.service.services import Services
from eddyline.service.stream_sample import SAMPLE_RECORDS, SampledRecord, newest
from eddyline.studio import charts
from eddyline.studio.context import StudioContext
from eddyline.studio.lab import show_words
from eddyline.studio.listing import Listing
from eddyline.studio.markup import clock_time, escape, moment, number, plural, size, state
from eddyline.studio.notice import Notice, html_of
from eddyline.studio.rates import StreamRate, rounded
from eddyline.studio.shell import button, every, heading, mark_missing, may_open, page
from eddyline.studio.streams import delete

SHOWN = 20
_KEYS = (("p", "Process data in real time"), ("l", "Look at the newest records"))


def make_note(services: Services, name: str, region: str) -> str:
    """A note about a stream, its table written from the newest records; returns its id."""
    samples = [record.data for record in newest(services.streams, name, SAMPLE_RECORDS)]
    draft = from_stream.draft(name, region, from_stream.infer(samples))
    taken = {note.name for note in services.notes.list()}
    numbered = (f"{name} {i}" for i in range(2, len(taken) + 3))
    free = name if name not in taken else next(n for n in numbered if n not in taken)
    note = services.notes.create(free, draft.texts, draft.titles)
    show_words(services.notes, note)
    return note


def register(context: StudioContext) -> None:
    """Add the page."""

    @ui.page("/streams/{name}")
    async def stream(name: str) -> None:
        with page("streams", name, crumb=("/streams", "Streams"), keys=_KEYS) as built:
            notice = Notice()
            try:
                await run.io_bound(context.services.streams.open, name)
            except EddylineError as error:
                mark_missing()
                notice.error(error)
                return
            shown = StreamPage(context, name, notice)
            with built.actions:
                shown.buttons()


class StreamPage:
    """The page of a stream."""

    def __init__(self, context: StudioContext, name: str, notice: Notice) -> None:
        self._context = context
        self._name = name
        self._notice = notice
        self._facts = ui.html("", sanitize=False).classes("row-line muted")
        with ui.element("div").classes("columns"):
            with ui.element("section").classes("panel"):
                heading("Records a second")
                self._records = charts.chart(charts.rate("records/s"), "low")
            with ui.element("section").classes("panel"):
                heading("Bytes a second")
                self._bytes = charts.chart(charts.rate("bytes/s"), "low")
        with ui.element("section").classes("panel"):
            with ui.element("div").classes("row-line"):
                heading("Newest records").classes("grow")
                self._follow = ui.checkbox("Follow", value=True).props("dense")
                self._follow.props["title"] = "Look again every second"
                button("Look again", self._look, icon="refresh", key="l")
            self._none = ui.html(_NO_RECORDS, sanitize=False)
            self._sample = ui.html("", sanitize=False).classes("grid-frame")
            self._sample.props("tabindex=0 role=region")
            self._sample.props["aria-label"] = "Newest records"
        with ui.element("section").classes("stack"):
            heading("Shards")
            columns = (("Shard", "mono"), ("State", ""), ("Oldest", "num"), ("Next", "num"),
                       ("Hash keys", "mono narrow-hidden"))  # fmt: skip
            self._shards = Listing(columns, "Shards")
        every(1.0, self._pull, self._show)
        every(1.0, self._newest, self._show_records)

    def buttons(self) -> None:
        """What can be done with the stream."""
        if may_open("/notes"):
            button("Process data in real time", self._process, kind="main", icon="bolt", key="p")
        button("Generate records", lambda: ui.navigate.to(f"/generator?stream={self._name}"))
        button("Delete", self._delete, kind="side danger")

    async def _process(self) -> None:
        region = self._context.settings.region
        note = await self._notice.attempt(make_note, self._context.services, self._name, region)
        if note is not None:
            ui.navigate.to(f"/notes/{note}")

    async def _delete(self) -> None:
        if await delete(self._context, self._notice, self._name):
            ui.navigate.to("/streams")

    async def _look(self) -> None:
        shown = await self._notice.attempt(
            newest, self._context.services.streams, self._name, SHOWN
        )
        if shown is not None:
            self._show_records(shown)

    def _newest(self) -> list[SampledRecord] | None:
        if not self._follow.value:
            return None
        try:
            return newest(self._context.services.streams, self._name, SHOWN)
        except EddylineError:  # the facts above say why
            return None

    def _show_records(self, records: list[SampledRecord] | None) -> None:
        if records is None:
            return
        self._none.set_visibility(not records)
        self._sample.set_visibility(bool(records))
        self._sample.set_content(records_table(records))

    def _pull(self) -> tuple[StreamRate, list[list[str]]] | EddylineError:
        rate = self._context.rates.read().get(self._name)
        try:
            stream = self._context.services.streams.open(self._name)
            shards = [_shard(stream, info) for info in stream.shards()]
        except EddylineError as error:
            return error
        if rate is None:
            return EddylineError("not_found", f"there is no stream {self._name}")
        return rate, shards

    def _show(self, shown: tuple[StreamRate, list[list[str]]] | EddylineError) -> None:
        if isinstance(shown, EddylineError):
            self._facts.set_content(f'<div class="notice">{html_of(shown)}</div>')
            return
        rate, shards = shown
        self._facts.set_content(_facts(rate))
        charts.put(self._records, [(at, rounded(v, 1)) for at, v, _ in rate.history])
        charts.put(self._bytes, [(at, rounded(v)) for at, _, v in rate.history])
        self._shards.show({cells[0]: cells for cells in shards})


_NO_RECORDS = (
    '<p class="muted">There are none yet. Send some with the <a href="/generator">generator</a>, '
    "with <code>eddyline stream put</code>, or with any Kinesis client.</p>"
)


def _facts(rate: StreamRate) -> str:
    mode = "on demand" if rate.mode == "ON_DEMAND" else "provisioned"
    words = (
        mode,
        plural(rate.shards, "shard"),
        f"{number(rate.records_kept)} records, {size(rate.bytes_kept)}",
        f"kept {rate.retention_hours} h",
        f"created {moment(rate.created_ms)} UTC",
    )
    return state(rate.status) + "".join(f"<span>{escape(w)}</span>" for w in words)


def _shard(stream: Any, info: Any) -> list[str]:
    oldest, following = stream.bounds(info.index)
    keys = f"{info.starting_hash_key:x} – {info.ending_hash_key:x}"
    open_ = state("ACTIVE" if info.closed_offset is None else "CLOSED")
    return [escape(info.shard_id), open_, number(int(oldest)), number(int(following)), escape(keys)]


def records_table(records: list[SampledRecord]) -> str:
    """Records as a table, newest first."""
    head = "".join(f'<th scope="col">{h}</th>' for h in ("arrival (UTC)", "shard", "key", "data"))
    rows = "".join(
        f"<tr><td>{clock_time(r.arrival_ms)}</td><td>{escape(_short(r.shard))}</td>"
        f'<td>{escape(r.key)}</td><td class="data">{escape(_pretty(r.data))}</td></tr>'
        for r in reversed(records)
    )
    return (
        f'<table class="grid wrapped"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'
    )


def _short(shard: str) -> str:
    """A shard's number without its zeros."""
    return shard.removeprefix("shardId-").lstrip("0") or "0"


def _pretty(data: bytes) -> str:
    text = data.decode("utf-8", "backslashreplace")
    try:
        shown = json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return text[:4000]
    one_line = json.dumps(json.loads(text), ensure_ascii=False)
    return (one_line if len(one_line) <= 160 else shown)[:4000]
