"""The versions of a note: a list, what has changed since each, and the way back to it."""

from __future__ import annotations

from functools import partial

from nicegui import ui

from eddyline.service.notes import Notes
from eddyline.service.notes.versions import VersionInfo
from eddyline.studio.markup import escape, moment, plural
from eddyline.studio.notice import Notice
from eddyline.studio.shell import button, confirm, heading


class VersionsDialog:
    """The dialog; ``show`` returns when it is closed."""

    def __init__(self, notes: Notes, note_id: str, notice: Notice) -> None:
        self._notes = notes
        self._id = note_id
        self._notice = notice

    async def show(self) -> None:
        """List the versions until the dialog is closed."""
        versions = await self._notice.attempt(self._notes.versions, self._id)
        if versions is None:
            return
        with ui.dialog() as dialog, ui.card().classes("dialog versions"):
            heading("Versions")
            words = (
                "A version is kept when all paragraphs are run, before an older one is restored, "
                "and on request."
            )
            ui.label(words if versions else f"None yet. {words}").classes("muted")
            with ui.element("ul").classes("version-list"):
                for version in versions:
                    self._row(version, dialog)
            self._changes = ui.html("", sanitize=False)
            with ui.element("div").classes("row-line end"):
                button("Close", dialog.close).props("autofocus")
        await dialog
        if not dialog.is_deleted:
            dialog.delete()

    def _row(self, version: VersionInfo, dialog: ui.dialog) -> None:
        with ui.element("li").classes("row-line"):
            words = f"{version.number}. {moment(version.made_ms)} UTC"
            what = f"{version.message} · " if version.message else ""
            text = f"{words} · {what}{plural(version.paragraphs, 'paragraph')}"
            ui.label(text).classes("grow")
            compare = button("Compare", partial(self._compare, version.number), kind="quiet")
            restore = button(
                "Restore", partial(self._restore, version.number, dialog), kind="quiet"
            )
            for made, verb in ((compare, "Compare with"), (restore, "Restore")):
                made.props["aria-label"] = f"{verb} version {version.number}"

    async def _compare(self, number: int) -> None:
        changes = await self._notice.attempt(self._notes.compare, self._id, number)
        if changes is not None:
            self._changes.set_content(changes_html(number, changes))

    async def _restore(self, number: int, dialog: ui.dialog) -> None:
        words = "The note as it is now is kept as a version, too."
        if not await confirm(f"Restore version {number}?", words, "Restore it"):
            return
        dialog.close()
        if await self._notice.does(self._notes.restore, self._id, number):
            self._notice.say(f"The note is as it was in version {number}.")


_MARKS = {"+": "added", "-": "removed", "@": "place"}


def changes_html(number: int, changes: str) -> str:
    """A unified diff with its lines marked; what each mark means does not depend on colour."""
    if not changes:
        return f'<p class="muted">Nothing has changed since version {number}.</p>'
    lines = "".join(
        f'<span class="{_MARKS.get(line[:1], "same")}">{escape(line)}\n</span>'
        for line in changes.split("\n")[2:]
    )
    return (
        f'<p class="muted">What has changed since version {number}:</p>'
        f'<pre class="changes" tabindex="0" aria-label="Changes">{lines}</pre>'
    )
