"""A code editor: colours of the page's dark or light, keys of its own, errors marked in place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

from nicegui import ui

from eddyline.studio.shell import Page

Language = Literal["SQL", "JSON", "Markdown", "Python"]
_THEMES: dict[bool, Any] = {False: "githubLight", True: "githubDark"}


class Editor:
    """A text being written. ``label`` is its accessible name."""

    def __init__(
        self,
        page: Page,
        text: str,
        label: str,
        language: Language | None,
        on_change: Callable[[str], Any],
        keys: Mapping[str, Callable[[], Any]] | None = None,
    ) -> None:
        self._page = page
        self._marked = False
        keymap: dict[str, Any] = {key: _bound(act) for key, act in (keys or {}).items()}
        self._field = ui.codemirror(
            text,
            language=language,
            theme=_THEMES[page.dark],
            line_wrapping=True,
            keymap=keymap,
            on_change=lambda event: on_change(str(event.value or "")),
        ).classes("editor")
        self._field.props["data-label"] = label
        page.on_dark.append(self._dark)

    @property
    def text(self) -> str:
        return str(self._field.value or "")

    @property
    def field(self) -> ui.codemirror:
        """The element itself."""
        return self._field

    def put(self, text: str) -> None:
        """Replace the text; nothing happens if it is the same, so that the cursor stays."""
        if text != self.text:
            self._field.set_value(text)

    def speak(self, language: Language | None) -> None:
        """Colour it as that language."""
        if self._field.language != language:
            self._field.set_language(language)

    def mark(self, line: int, column: int, message: str, length: int | None = None) -> None:
        """Mark an error: its line, and so many characters of it; None: to the line's end."""
        rows = self.text.split("\n")
        if not 1 <= line <= len(rows):
            return
        start = sum(len(row) + 1 for row in rows[: line - 1])
        first = start + min(max(0, column - 1), max(0, len(rows[line - 1]) - 1))
        end = start + len(rows[line - 1])
        end = end if length is None else min(end, first + length)
        marks: list[dict[str, Any]] = [{"kind": "line", "line": line, "class": "error-line"}]
        if end > first:
            marks.append({"kind": "mark", "from": first, "to": end, "class": "error-text"})
        self._field.decorations = marks
        self._field.line_tooltips = {line: message}
        self._marked = True

    def focus(self) -> None:
        """Put the caret behind the text, ready to type."""
        script = (
            f"const e = getElement({self._field.id}); await e?.editorPromise; const v = e?.editor;"
            "if (v) { v.dispatch({selection: {anchor: v.state.doc.length}}); v.focus(); }"
        )
        ui.run_javascript(script)

    def unmark(self) -> None:
        """Nothing is wrong."""
        if self._marked:
            self._field.decorations = []
            self._field.line_tooltips = {}
            self._marked = False

    def close(self) -> None:
        """The editor goes away."""
        self._page.on_dark.remove(self._dark)

    def _dark(self, dark: bool) -> None:
        self._field.set_theme(_THEMES[dark])


def _bound(act: Callable[[], Any]) -> Callable[[Any], Any]:
    return lambda event: act()
