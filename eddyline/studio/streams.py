"""The list of streams: what flows, create and delete."""

from __future__ import annotations

from collections.abc import Callable

from nicegui import ui

from eddyline.log import StreamMode
from eddyline.studio.context import StudioContext
from eddyline.studio.listing import Listing
from eddyline.studio.markup import link, number, size, spark, state
from eddyline.studio.notice import Notice
from eddyline.studio.rates import StreamRate
from eddyline.studio.shell import button, confirm, empty, every, heading, icon_button, page

_COLUMNS = (
    ("Stream", "wide"),
    ("State", ""),
    ("Shards", "num"),
    ("Records/s", "num"),
    ("Bytes/s", "num narrow-hidden"),
    ("Last two minutes", "narrow-hidden"),
    ("Records", "num"),
    ("Size", "num"),
)
_KEYS = (("n", "New stream"),)
ON_DEMAND, PROVISIONED = "On demand", "Provisioned"


def register(context: StudioContext) -> None:
    """Add the page."""

    @ui.page("/streams")
    def streams(new: int = 0) -> None:
        with page("streams", "Streams", keys=_KEYS) as built:
            shown = StreamList(context)
            with built.actions:
                button("New stream", shown.create.open, kind="main", icon="add", key="n")
        if new:
            shown.create.open()


class StreamList:
    """The page's list."""

    def __init__(self, context: StudioContext) -> None:
        self._context = context
        self.create = CreateStream(context, lambda name: ui.navigate.to(f"/streams/{name}"))
        self._notice = Notice()
        with empty(
            "No streams yet",
            "A stream takes records from the generator, from any AWS SDK, or from a file, and "
            "keeps them in order for a day.",
        ) as self._empty:
            button("Create the first one", self.create.open, kind="main")
        self._listing = Listing(_COLUMNS, "Streams", self._actions)
        every(1.0, context.rates.read, self._show)

    def _show(self, rates: dict[str, StreamRate]) -> None:
        self._empty.set_visibility(not rates)
        self._listing.set_visibility(bool(rates))
        self._listing.show({name: _cells(rate) for name, rate in rates.items()})

    def _refresh(self) -> None:
        self._show(self._context.rates.fresh())

    def _actions(self, name: str) -> None:
        icon_button("delete", f"Delete {name}", lambda: self._delete(name))

    async def _delete(self, name: str) -> None:
        if await delete(self._context, self._notice, name):
            self._refresh()


async def delete(context: StudioContext, notice: Notice, name: str) -> bool:
    """Ask, then delete a stream."""
    words = "Its records are gone for good. Tables over it stay, and fail until it is there again."
    if not await confirm(f"Delete stream {name}?", words, "Delete the stream"):
        return False
    streams = context.services.streams
    return await notice.does(streams.delete, name)


def _cells(rate: StreamRate) -> list[str]:
    return [
        link(f"/streams/{rate.name}", rate.name),
        state(rate.status),
        str(rate.shards),
        number(round(rate.records_s, 1)),
        size(rate.bytes_s),
        spark([records or 0.0 for _, records, _ in rate.history]),
        number(rate.records_kept),
        size(rate.bytes_kept),
    ]


class CreateStream:
    """The dialog that makes a stream; ``created`` is told its name."""

    def __init__(self, context: StudioContext, created: Callable[[str], None]) -> None:
        self._context = context
        self._created = created
        with ui.dialog() as self._dialog, ui.card().classes("dialog"):
            heading("New stream")
            self._name = ui.input("Name").props("outlined dense autofocus")
            self._name.on("keydown.enter", self._make)
            modes = [ON_DEMAND, PROVISIONED]
            self._mode = ui.radio(modes, value=ON_DEMAND).props("inline dense")
            self._shards = ui.number("Shards", value=1, min=1, max=500, precision=0)
            self._shards.props("outlined dense")
            self._shards.bind_visibility_from(self._mode, "value", value=PROVISIONED)
            self._notice = Notice()
            with ui.element("div").classes("row-line end"):
                button("Cancel", self._dialog.close)
                button("Create", self._make, kind="main")

    def open(self) -> None:
        """Ask for a stream."""
        self._name.set_value("")
        self._notice.clear()
        self._dialog.open()

    async def _make(self) -> None:
        name = str(self._name.value or "").strip()
        provisioned = self._mode.value == PROVISIONED
        shards = int(self._shards.value or 1) if provisioned else None
        mode = StreamMode.PROVISIONED if provisioned else StreamMode.ON_DEMAND
        streams = self._context.services.streams
        if await self._notice.does(streams.create, name, shards, mode):
            self._dialog.close()
            self._context.rates.fresh()
            self._created(name)
