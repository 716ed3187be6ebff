"""The row of named templates: take one, keep one, bring one in, carry one out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nicegui import ui

from eddyline.service.templates import Templates
from eddyline.studio.context import StudioContext
from eddyline.studio.notice import Notice
from eddyline.studio.shell import ask, button, confirm, icon_button, labelled
from eddyline.studio.uploads import upload


class TemplateShelf:
    """``text`` gives the editor's text, ``put`` replaces it."""

    def __init__(
        self,
        context: StudioContext,
        notice: Notice,
        text: Callable[[], str],
        put: Callable[[str], None],
    ) -> None:
        self._templates = Templates(context.services.directory.path)
        self._notice = notice
        self._text, self._put = text, put
        with ui.element("div").classes("row-line"):
            names = self._templates.names()
            self._select = labelled(ui.select(names, value=names[0], label="Template"))
            self._select.classes("template-select").on_value_change(self._chosen)
            button("Save as", self._save, icon="save", hint="Keep the template under a name")
            self._remove = icon_button("delete", "Remove the kept template", self._take_away)
            pick = upload(self._came, ".txt,.json,.template,text/*")
            icon_button("file_upload", "Bring a template in from a file", pick)
            icon_button("file_download", "Save the template as a file", self._export)
        self._show_remove()

    @property
    def name(self) -> str:
        return str(self._select.value or "template")

    def first(self) -> str:
        """The text of the first template."""
        return self._templates.read(self.name)

    async def _chosen(self, event: Any) -> None:
        self._show_remove()
        text = await self._notice.attempt(self._templates.read, self.name)
        if text is not None:
            self._put(text)

    def _show_remove(self) -> None:
        self._remove.set_enabled(self._templates.is_kept(self.name))

    async def _save(self) -> None:
        name = await ask("Keep the template", "Name", self.name, "Save")
        if name is None:
            return
        if await self._notice.does(self._templates.save, name, self._text()):
            self._list(name.strip())

    def _list(self, chosen: str) -> None:
        self._select.set_options(self._templates.names(), value=chosen)
        self._show_remove()

    async def _take_away(self) -> None:
        if await confirm(f"Remove template {self.name}?", "Its file is deleted.", "Remove it"):
            self._templates.remove(self.name)
            self._list(self._templates.names()[0])

    def _came(self, name: str, data: bytes) -> None:
        self._notice.clear()
        self._put(data.decode("utf-8", "replace"))

    def _export(self) -> None:
        ui.download.content(self._text(), f"{self.name}.template")
