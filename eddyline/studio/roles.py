"""The roles of notebooks, applications and AssumeRole: a section of the page of users."""

from __future__ import annotations

import json
from dataclasses import dataclass

from nicegui import ui

from eddyline.auth.entities import Entities, Entity, EntityKind
from eddyline.auth.grants import Grants
from eddyline.auth.users import Users
from eddyline.service.services import Services
from eddyline.studio.listing import Listing
from eddyline.studio.markup import escape, moment, plural
from eddyline.studio.notice import Notice
from eddyline.studio.policies import PolicyBook, show_policies
from eddyline.studio.shell import button, confirm, every, heading, icon_button, labelled

_COLUMNS = (
    ("Role", "wide"),
    ("Trusts", "narrow-hidden"),
    ("Policies", "num"),
    ("Used by", "narrow-hidden"),
    ("Since (UTC)", "num narrow-hidden"),
)
NOTEBOOKS, ACCOUNT = "Notebooks and applications", "Users of this server"
_SERVICE = {"Service": "kinesisanalytics.amazonaws.com"}


@dataclass(frozen=True, slots=True)
class _Role:
    entity: Entity
    policies: int
    users: list[str]


class RolesSection:
    """The list of roles, and the dialogs that make one and change its policies."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._account = services.settings.account_id
        self._entities = Entities(services.data_dir, services.clock)
        self._grants = Grants(services.data_dir, self._account, services.clock)
        self._users = Users(services.data_dir, services.clock)
        with ui.element("div").classes("row-line"):
            heading("Roles").classes("grow")
            button("New role", self.create, icon="add")
        self._notice = Notice()
        self._none = ui.label(
            "No roles yet. A role limits a notebook or an application; a new notebook gets one."
        ).classes("muted")
        self._listing = Listing(_COLUMNS, "Roles", self._actions)
        self._refresh = every(2.0, self._pull, self._show)

    def _pull(self) -> list[_Role]:
        applications = self._services.applications.list()
        rows = []
        for role in self._entities.all(EntityKind.ROLE):
            arn = role.arn(self._account)
            count = len(self._grants.policies_of(EntityKind.ROLE, role.name))
            rows.append(_Role(role, count, [a.name for a in applications if a.role == arn]))
        return rows

    def _show(self, rows: list[_Role]) -> None:
        self._none.set_visibility(not rows)
        self._listing.set_visibility(bool(rows))
        self._listing.show({row.entity.name: _cells(row) for row in rows})

    def _actions(self, name: str) -> None:
        icon_button("policy", "Policies of it", lambda: self._policies(name))
        icon_button("delete", "Delete it", lambda: self._delete(name))

    async def _policies(self, name: str) -> None:
        book = PolicyBook(self._users, self._grants, EntityKind.ROLE, name)
        await show_policies(f"Policies of role {name}", book)
        await self._refresh.now()

    async def create(self) -> None:
        """Ask for a name and whom the role trusts."""
        with ui.dialog() as dialog, ui.card().classes("dialog"):
            heading("New role")
            name = labelled(ui.input("Name")).props("autofocus autocomplete=off")
            trusts = labelled(ui.select([NOTEBOOKS, ACCOUNT], value=NOTEBOOKS, label="Trusts"))
            with ui.element("div").classes("row-line end"):
                button("Cancel", lambda: dialog.submit(None))
                button("Create the role", lambda: dialog.submit(True), kind="main")
        answer = await dialog
        typed = str(name.value or "").strip(), str(trusts.value)
        if not dialog.is_deleted:
            dialog.delete()
        if answer and await self._notice.does(self._make, *typed):
            await self._refresh.now()

    def _make(self, name: str, trusts: str) -> None:
        principal = _SERVICE if trusts == NOTEBOOKS else {"AWS": self._account}
        statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
        trust = json.dumps({"Version": "2012-10-17", "Statement": statement})
        self._entities.create(EntityKind.ROLE, name, trust=trust)

    async def _delete(self, name: str) -> None:
        words = "Notebooks and applications with this role have no limits from then on."
        if await confirm(f"Delete role {name}?", words, "Delete the role"):
            await self._notice.does(self._remove, name)
            await self._refresh.now()

    def _remove(self, name: str) -> None:
        for policy in self._grants.inline(EntityKind.ROLE, name):
            self._grants.remove(EntityKind.ROLE, name, policy)
        for attached in self._grants.attached(EntityKind.ROLE, name):
            self._grants.detach(EntityKind.ROLE, name, attached.arn)
        self._entities.delete(EntityKind.ROLE, name)


def _cells(row: _Role) -> list[str]:
    return [
        f'<div class="strong clip">{escape(row.entity.name)}</div>',
        escape(trusted(row.entity.trust)),
        str(row.policies),
        escape(", ".join(row.users)) or "–",
        escape(moment(row.entity.created_ms)),
    ]


def trusted(trust: str | None) -> str:
    """Whom a trust policy names, in a few words."""
    try:
        statements = json.loads(trust or "{}").get("Statement") or []
    except ValueError:
        return "?"
    rows = statements if isinstance(statements, list) else [statements]
    names: list[str] = []
    for row in rows:
        principal = row.get("Principal", {})
        parts = principal.values() if isinstance(principal, dict) else [principal]
        for part in parts:
            names += part if isinstance(part, list) else [str(part)]
    return ", ".join(names[:3]) + (f" and {plural(len(names) - 3, 'other')}" if names[3:] else "")
