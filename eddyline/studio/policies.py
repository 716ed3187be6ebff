"""The dialog with the policies of a user, role or group: inline documents, and managed ones."""

from __future__ import annotations

import json

from nicegui import ui

from eddyline.auth.entities import EntityKind
from eddyline.auth.grants import Grants
from eddyline.auth.users import Users
from eddyline.errors import EddylineError
from eddyline.studio.notice import Notice
from eddyline.studio.shell import button, heading, labelled

# The name under which the document of ``eddyline user policy`` is shown.
OWN = "the user's own"
NEW = "policy"
_EXAMPLE = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "kinesis:*", "Resource": "*"}],
}


class PolicyBook:
    """The policies of one user, role or group."""

    def __init__(self, users: Users, grants: Grants, kind: EntityKind, name: str) -> None:
        self._users = users
        self._grants = grants
        self._kind = kind
        self._name = name

    def documents(self) -> dict[str, str]:
        """Inline documents by name; a user's own document is one of them."""
        documents = self._grants.inline(self._kind, self._name)
        if self._kind is EntityKind.USER:
            own = self._users.policy(self._name)
            documents |= {} if own is None else {OWN: own}
        return documents

    def save(self, name: str, document: str) -> None:
        """Keep a document. Raises ``malformed_policy``, ``invalid_argument``."""
        if name == OWN and self._kind is EntityKind.USER:
            from eddyline.auth.trust import check_document

            check_document(document)
            self._users.set_policy(self._name, document)
        elif not name.strip():
            raise EddylineError("invalid_argument", "the policy needs a name")
        else:
            self._grants.put(self._kind, self._name, name.strip(), document)

    def remove(self, name: str) -> None:
        """Remove a document. Raises ``not_found``."""
        if name == OWN and self._kind is EntityKind.USER:
            self._users.set_policy(self._name, None)
        else:
            self._grants.remove(self._kind, self._name, name)

    def attached(self) -> list[str]:
        """The ARNs of the managed policies that are attached."""
        return [policy.arn for policy in self._grants.attached(self._kind, self._name)]

    def attach(self, arns: list[str]) -> None:
        """Have these managed policies attached, and no others."""
        before = set(self.attached())
        for arn in set(arns) - before:
            self._grants.attach(self._kind, self._name, arn)
        for arn in before - set(arns):
            self._grants.detach(self._kind, self._name, arn)

    def managed(self) -> dict[str, str]:
        """The names of all managed policies by ARN."""
        return {policy.arn: policy.name for policy in self._grants.all()}


async def show_policies(title: str, book: PolicyBook) -> None:
    """The dialog; returns when it is closed."""
    with ui.dialog() as dialog, ui.card().classes("dialog versions"):
        heading(title)
        notice = Notice()
        documents = book.documents()
        first = next(iter(documents), None)
        chosen = labelled(ui.select(list(documents), value=first, label="Inline policy"))
        chosen.set_visibility(bool(documents))
        name = labelled(ui.input("Name of the policy", value=first or NEW))
        text = labelled(ui.textarea("Document", value=_pretty(documents.get(first or ""))))
        text.props("input-class=mono autogrow spellcheck=false")

        def turn_to(key: str | None) -> None:
            name.set_value(key or NEW)
            text.set_value(_pretty(documents.get(key or "")))

        chosen.on_value_change(lambda event: turn_to(event.value))

        def show() -> None:
            documents.clear()
            documents.update(book.documents())
            chosen.set_options(list(documents))
            chosen.set_visibility(bool(documents))

        async def save() -> None:
            if await notice.does(book.save, str(name.value or ""), str(text.value or "")):
                show()
                chosen.set_value(str(name.value).strip())
                notice.say("Saved. It counts within a second.")

        async def remove() -> None:
            if await notice.does(book.remove, str(name.value or "")):
                show()
                turn_to(next(iter(documents), None))
                notice.say("Removed.")

        _managed_field(book, notice)
        with ui.element("div").classes("row-line end"):
            button("Remove the policy", remove, kind="side danger")
            button("Save the policy", save)
            button("Close", lambda: dialog.submit(None), kind="main")
    await dialog
    if not dialog.is_deleted:
        dialog.delete()


def _managed_field(book: PolicyBook, notice: Notice) -> None:
    """The managed policies, attached and detached as they are chosen."""
    options, attached = book.managed(), book.attached()
    field = labelled(
        ui.select(options, value=attached, label="Managed policies", multiple=True, clearable=True)
    )
    field.props("use-chips")

    async def attach() -> None:
        await notice.does(book.attach, list(field.value or []))

    field.on_value_change(attach)


def _pretty(document: str | None) -> str:
    if document is None:
        return json.dumps(_EXAMPLE, indent=2)
    try:
        return json.dumps(json.loads(document), indent=2)
    except ValueError:
        return document
