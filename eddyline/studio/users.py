"""Who may sign in: users with a password, and their policies; and the roles of notebooks."""

from __future__ import annotations

from nicegui import ui

from eddyline.auth.entities import Entities, EntityKind
from eddyline.auth.grants import Grants
from eddyline.auth.rights import GENERATOR_ONLY
from eddyline.auth.users import User, Users
from eddyline.service.services import Services
from eddyline.studio.context import StudioContext
from eddyline.studio.listing import Listing
from eddyline.studio.markup import escape, moment
from eddyline.studio.notice import Notice
from eddyline.studio.policies import PolicyBook, show_policies
from eddyline.studio.roles import RolesSection
from eddyline.studio.shell import (
    button,
    confirm,
    empty,
    every,
    heading,
    icon_button,
    labelled,
    page,
)

_COLUMNS = (
    ("User", "wide"),
    ("May", ""),
    ("Password", "narrow-hidden"),
    ("Access keys", "num narrow-hidden"),
    ("Since (UTC)", "num narrow-hidden"),
)
GENERATOR, EVERYTHING = "Use the generator, nothing else", "Do everything, Python included"


def register(context: StudioContext) -> None:
    """Add the page."""

    @ui.page("/users")
    def users() -> None:
        with page("users", "Users and roles", keys=(("n", "New user"),)) as built:
            shown = UsersPage(context.services)
            with ui.element("section").classes("stack"):
                RolesSection(context.services)
            with built.actions:
                button("New user", shown.create, kind="main", icon="add", key="n")


class UsersPage:
    """The page's list, and the dialogs that add a user and change a password."""

    def __init__(self, services: Services) -> None:
        users = self._users = Users(services.data_dir, services.clock)
        self._grants = Grants(services.data_dir, services.settings.account_id, services.clock)
        self._managed = Entities(services.data_dir, services.clock).is_managed
        self._notice = Notice()
        with empty(
            "No users yet",
            "Whoever has the link that the server printed may do everything. Add a user for each "
            "other person; one for the generator may send records and reaches nothing else.",
        ) as self._empty:
            button("New user", self.create, kind="main")
        self._listing = Listing(_COLUMNS, "Users", self._actions)
        self._refresh = every(2.0, lambda: [(u, self._may(u)) for u in users.list()], self._show)

    def _may(self, user: User) -> str:
        """What a user may do, in a few words."""
        if user.policy == GENERATOR_ONLY:
            return "the generator only"
        policies = self._grants.policies_of(EntityKind.USER, user.name)
        if user.policy is None and not policies:
            return "nothing yet" if self._managed(user.name) else "everything"
        return "what its policies allow"

    def _show(self, users: list[tuple[User, str]]) -> None:
        self._empty.set_visibility(not users)
        self._listing.set_visibility(bool(users))
        self._listing.show({user.name: _cells(user, may) for user, may in users})

    def _actions(self, name: str) -> None:
        icon_button("policy", "Policies of it", lambda: self._policies(name))
        icon_button("key", "Change the password", lambda: self._change(name))
        icon_button("delete", "Remove it", lambda: self._remove(name))

    async def create(self) -> None:
        """Ask for a name, a password and what the user may do."""
        answer = await _ask("New user", with_name=True)
        if answer is None:
            return
        name, password, may = answer
        policy = GENERATOR_ONLY if may == GENERATOR else None
        if await self._notice.does(self._users.add, name, password, policy):
            await self._refresh.now()

    async def _policies(self, name: str) -> None:
        book = PolicyBook(self._users, self._grants, EntityKind.USER, name)
        await show_policies(f"Policies of {name}", book)
        await self._refresh.now()

    async def _change(self, name: str) -> None:
        answer = await _ask(f"Change the password of {name}", with_name=False)
        if answer is None:
            return
        if await self._notice.does(self._users.set_password, name, answer[1]):
            self._notice.say(f"{name} has another password, and is signed out everywhere.")

    async def _remove(self, name: str) -> None:
        words = "Keys and sessions of this user end at once. What the user made stays."
        if await confirm(f"Remove user {name}?", words, "Remove the user"):
            await self._notice.attempt(self._users.remove, name)
            await self._refresh.now()


async def _ask(title: str, *, with_name: bool) -> tuple[str, str, str] | None:
    """Name, password and rights as they were typed; None if the dialog was left."""
    with ui.dialog() as dialog, ui.card().classes("dialog"):
        heading(title)
        name = labelled(ui.input("Name")).props("autofocus autocomplete=off")
        name.set_visibility(with_name)
        password = labelled(ui.input("Password", password=True, password_toggle_button=True))
        password.props("autocomplete=new-password")
        may = labelled(ui.select([GENERATOR, EVERYTHING], value=GENERATOR, label="May"))
        may.set_visibility(with_name)

        def given() -> None:
            typed = (str(name.value or "").strip(), str(password.value or ""), str(may.value))
            dialog.submit(typed)

        with ui.element("div").classes("row-line end"):
            button("Cancel", lambda: dialog.submit(None))
            button("Add the user" if with_name else "Change it", given, kind="main")
    answer: tuple[str, str, str] | None = await dialog
    if not dialog.is_deleted:
        dialog.delete()
    return answer


def _cells(user: User, may: str) -> list[str]:
    return [
        f'<div class="strong clip">{escape(user.name)}</div>',
        may,
        "yes" if user.has_password else "no",
        str(user.keys),
        escape(moment(user.created_ms)),
    ]
