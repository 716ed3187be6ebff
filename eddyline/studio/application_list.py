"""A live list of notebooks or applications, with buttons that start, stop and delete them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from nicegui import ui

from eddyline.service.applications.model import READY, RUNNING
from eddyline.service.services import Services
from eddyline.studio.listing import Listing
from eddyline.studio.notice import Notice
from eddyline.studio.shell import every, icon_button

Delete = Callable[[Services, Notice, str], Awaitable[bool]]


@dataclass(frozen=True, slots=True)
class ApplicationRow:
    """One row: the application's status, and its cells as HTML."""

    status: str
    cells: list[str]


class ApplicationList:
    """The list. ``look`` reads its rows by name, in a thread; ``empty`` is shown without any."""

    def __init__(
        self,
        services: Services,
        columns: Sequence[tuple[str, str]],
        label: str,
        look: Callable[[], dict[str, ApplicationRow]],
        delete: Delete,
        notice: Notice,
        empty: ui.element,
    ) -> None:
        self._services = services
        self._notice = notice
        self._empty = empty
        self._delete = delete
        self._states: dict[str, str] = {}
        self._listing = Listing(columns, label, self._actions)
        self._refresh = every(2.0, look, self._show)

    def _show(self, rows: dict[str, ApplicationRow]) -> None:
        self._states = {name: row.status for name, row in rows.items()}
        self._empty.set_visibility(not rows)
        self._listing.set_visibility(bool(rows))
        self._listing.show({name: row.cells for name, row in rows.items()})

    def _actions(self, name: str) -> Callable[[], None]:
        start = icon_button("play_arrow", "Start it", lambda: self._started(name))
        stop = icon_button("stop", "Stop it", lambda: self._stopped(name))
        icon_button("delete", "Delete it", lambda: self._deleted(name))

        def update() -> None:
            start.set_visibility(self._states.get(name) == READY)
            stop.set_visibility(self._states.get(name) == RUNNING)

        return update

    async def _started(self, name: str) -> None:
        await self._notice.attempt(self._services.applications.start, name)
        await self._refresh.now()

    async def _stopped(self, name: str) -> None:
        await self._notice.attempt(self._services.applications.stop, name)
        await self._refresh.now()

    async def _deleted(self, name: str) -> None:
        if await self._delete(self._services, self._notice, name):
            await self._refresh.now()
