"""A live list: rows known by a key, cells changed only where they changed, so that focus stays."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Mapping, Sequence

from nicegui import ui

from eddyline.studio.markup import escape

_ACTIONS = ('<span class="spoken">Actions</span>', "actions")
_TAG = re.compile(r"<[^>]*>")
# Builds a row's buttons; what it returns is called whenever the list is shown.
Actions = Callable[[str], Callable[[], None] | None]


class Listing:
    """A table of HTML cells. columns: (heading, CSS classes). ``actions``: a row's buttons."""

    def __init__(
        self, columns: Sequence[tuple[str, str]], label: str, actions: Actions | None = None
    ) -> None:
        self._columns = columns
        self._actions = actions
        self._rows: dict[str, tuple[ui.element, list[ui.html]]] = {}
        self._updates: dict[str, Callable[[], None]] = {}
        self._buttons: dict[str, list[ui.button]] = {}
        # A narrow window scrolls it sideways, with the keyboard as well.
        self.frame = ui.element("div").classes("list-frame").props("tabindex=0 role=region")
        self.frame.props["aria-label"] = label
        with self.frame, ui.element("table").classes("list") as table:
            table.props["aria-label"] = label
            with ui.element("thead"), ui.element("tr"):
                heads = [(escape(name), classes) for name, classes in columns]
                for text, classes in (*heads, *([_ACTIONS] if actions else [])):
                    head = ui.html(text, sanitize=False, tag="th").classes(classes)
                    head.props("scope=col")
            self._body = ui.element("tbody")

    def show(self, rows: Mapping[str, Sequence[str]]) -> None:
        """The rows as they stand, in this order; cells are HTML."""
        for key in [k for k in self._rows if k not in rows]:
            self._rows.pop(key)[0].delete()
            self._updates.pop(key, None)
            self._buttons.pop(key, None)
        for index, (key, cells) in enumerate(rows.items()):
            if key not in self._rows:
                self._rows[key] = self._made(key)
            row, shown = self._rows[key]
            for cell, content in zip(shown, cells, strict=True):
                if cell.content != content:
                    cell.set_content(content)
            if self._body.default_slot.children.index(row) != index:
                row.move(target_index=index)
            if key in self._updates:
                self._updates[key]()
            self._name_buttons(key, cells[0] if cells else "")

    def _name_buttons(self, key: str, cell: str) -> None:
        """Buttons of a row are read out with the row's name: "Delete clicks", not "Delete it"."""
        name = html.unescape(_TAG.sub("", cell)).strip()
        for button in self._buttons.get(key, ()):
            label = str(button.props.get("title") or button.text or "")
            spoken = f"{label.removesuffix(' it')} {name}".strip()
            if button.props.get("aria-label") != spoken:
                button.props["aria-label"] = spoken

    def _made(self, key: str) -> tuple[ui.element, list[ui.html]]:
        with self._body, ui.element("tr") as row:
            cells = [
                ui.html("", sanitize=False, tag="td").classes(classes)
                for _, classes in self._columns
            ]
            if self._actions is not None:
                with ui.element("td").classes("actions") as place:
                    update = self._actions(key)
                if update is not None:
                    self._updates[key] = update
                buttons = [e for e in place.descendants() if isinstance(e, ui.button)]
                self._buttons[key] = buttons
        return row, cells

    def set_visibility(self, visible: bool) -> None:
        """Show the list, or nothing."""
        self.frame.set_visibility(visible)
