"""All applications: the code of notes that runs apart from them, as jobs of its own."""

from __future__ import annotations

from typing import Any

from nicegui import ui

from eddyline.auth.entities import Entities, EntityKind
from eddyline.service.applications.model import INTERACTIVE, STREAMING, Application
from eddyline.service.services import Services
from eddyline.studio.application_list import ApplicationList, ApplicationRow
from eddyline.studio.context import StudioContext
from eddyline.studio.markup import escape, link, state, when
from eddyline.studio.notice import Notice
from eddyline.studio.shell import (
    button,
    confirm,
    empty,
    heading,
    labelled,
    page,
)

RUNTIME = "FLINK-2_2"
_COLUMNS = (
    ("Application", "wide"),
    ("State", ""),
    ("Runtime", "narrow-hidden"),
    ("Version", "num"),
    ("Changed (UTC)", "num narrow-hidden"),
)
NO_ROLE = ""


def register(context: StudioContext) -> None:
    """Add the page."""

    @ui.page("/applications")
    def applications() -> None:
        with page("applications", "Applications", keys=(("n", "New application"),)) as built:
            shown = ApplicationsPage(context)
            with built.actions:
                button("New application", shown.create, kind="main", icon="add", key="n")


class ApplicationsPage:
    """The page's list, and the dialog that makes an application of a note."""

    def __init__(self, context: StudioContext) -> None:
        self._services = context.services
        self._notice = Notice()
        with empty(
            "No applications yet",
            "An application runs the INSERTs of a note apart from it, is stopped with a snapshot "
            "and goes on from there. The note may have SQL, Python without z, and words.",
        ) as nothing:
            button("New application", self.create, kind="main")
        ApplicationList(
            self._services, _COLUMNS, "Applications", self._look, delete, self._notice, nothing
        )

    def _look(self) -> dict[str, ApplicationRow]:
        now_ms = self._services.clock.now_ms()
        rows = (a for a in self._services.applications.list() if a.mode != INTERACTIVE)
        return {a.name: ApplicationRow(a.status, _cells(a, now_ms)) for a in rows}

    async def create(self) -> None:
        """Ask for a name, a note and a role."""
        notes = {note.id: note.name for note in self._services.notes.list()}
        roles = {NO_ROLE: "None, no limits"} | _roles(self._services)
        with ui.dialog() as dialog, ui.card().classes("dialog"):
            heading("New application")
            name = labelled(ui.input("Name")).props("autofocus autocomplete=off")
            note = labelled(ui.select(notes, label="Code of the note"))
            role = labelled(ui.select(roles, value=NO_ROLE, label="Role"))
            with ui.element("div").classes("row-line end"):
                button("Cancel", lambda: dialog.submit(None))
                button("Create", lambda: dialog.submit(True), kind="main")
        answer = await dialog
        typed = str(name.value or "").strip(), str(note.value or ""), str(role.value or "")
        if not dialog.is_deleted:
            dialog.delete()
        if answer and await self._notice.does(make, self._services, *typed):
            ui.navigate.to(f"/applications/{typed[0]}")


async def delete(services: Services, notice: Notice, name: str) -> bool:
    """Ask, and delete an application; whether it is done."""
    words = "Its jobs stop, and its snapshots are gone for good. The note stays."
    if not await confirm(f"Delete application {name}?", words, "Delete the application"):
        return False
    return await notice.does(services.applications.delete, name)


def make(services: Services, name: str, note: str, role: str) -> Application:
    """An application with the code of a note. Raises ``not_deployable`` and others."""
    configuration: dict[str, Any] = {}
    if note:
        content = {"TextContent": services.notes.export(note).decode()}
        code = {"CodeContentType": "PLAINTEXT", "CodeContent": content}
        configuration = {"ApplicationCodeConfiguration": code}
    return services.applications.create(name, STREAMING, RUNTIME, role, "", configuration)


def _roles(services: Services) -> dict[str, str]:
    """The names of the known roles by their ARNs."""
    account = services.settings.account_id
    roles = Entities(services.data_dir, services.clock).all(EntityKind.ROLE)
    return {role.arn(account): role.name for role in roles}


def _cells(application: Application, now_ms: int) -> list[str]:
    error = application.error
    why = f'<div class="small muted clip">{escape(error)}</div>' if error else ""
    return [
        link(f"/applications/{application.name}", application.name) + why,
        state(application.status),
        escape(application.runtime),
        str(application.version),
        when(application.updated_ms, now_ms),
    ]
