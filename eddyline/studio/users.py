"""Who may sign in: users with a password, those for the generator alone among them."""

from __future__ import annotations

from nicegui import ui

from eddyline.auth.rights import GENERATOR_ONLY
from eddyline.auth.users import User, Users
from eddyline.studio.context import Context
from eddyline.studio.listing import Listing
from eddyline.studio.markup import escape, moment
from eddyline.studio.notice import Notice
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


def register(context: Context) -> None:
    """Add the page."""

    @ui.page("/users")
    def users() -> None:
        with page("users", "Users", keys=(("n", "New user"),)) as built:
            shown = UsersPage(Users(context.services.directory.path))
            with built.actions:
                button("New user", shown.create, kind="main", icon="add", key="n")


class UsersPage:
    """The page's list, and the dialogs that add a user and change a password."""

    def __init__(self, users: Users) -> None:
        self._users = users
        self._notice = Notice()
        with empty(
            "No users yet",
            "Whoever has the link that the server printed may do everything. Add a user for each "
            "other person; one for the generator may send records and reaches nothing else.",
        ) as self._empty:
            button("New user", self.create, kind="main")
        self._listing = Listing(_COLUMNS, "Users", self._actions)
        self._refresh = every(2.0, users.list, self._show)

    def _show(self, users: list[User]) -> None:
        self._empty.set_visibility(not users)
        self._listing.set_visibility(bool(users))
        self._listing.show({user.name: _cells(user) for user in users})

    def _actions(self, name: str) -> None:
        icon_button("key", "Change the password", lambda: self._change(name))
        icon_button("delete", "Remove it", lambda: self._remove(name))

    async def create(self) -> None:
        """Ask for a name, a password and what the user may do."""
        answer = await _asked("New user", with_name=True)
        if answer is None:
            return
        name, password, may = answer
        policy = GENERATOR_ONLY if may == GENERATOR else None
        if await self._notice.does(self._users.add, name, password, policy):
            await self._refresh.now()

    async def _change(self, name: str) -> None:
        answer = await _asked(f"Change the password of {name}", with_name=False)
        if answer is None:
            return
        if await self._notice.does(self._users.set_password, name, answer[1]):
            self._notice.say(f"{name} has another password, and is signed out everywhere.")

    async def _remove(self, name: str) -> None:
        words = "Keys and sessions of this user end at once. What the user made stays."
        if await confirm(f"Remove user {name}?", words, "Remove the user"):
            await self._notice.attempt(self._users.remove, name)
            await self._refresh.now()


async def _asked(title: str, *, with_name: bool) -> tuple[str, str, str] | None:
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


def _cells(user: User) -> list[str]:
    may = "everything"
    if user.policy is not None:
        only = user.policy == GENERATOR_ONLY
        may = "the generator only" if only else "what its policy allows"
    return [
        f'<div class="strong clip">{escape(user.name)}</div>',
        may,
        "yes" if user.has_password else "no",
        str(user.keys),
        escape(moment(user.created_ms)),
    ]
