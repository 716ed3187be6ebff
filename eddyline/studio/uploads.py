"""Files brought in: chosen, or dropped anywhere on the page; bounded in size."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nicegui import ui

BYTES_MAX = 32 * 1024 * 1024
Came = Callable[[str, bytes], Any]


def upload(
    came: Came,
    accept: str,
    rejected: Callable[[], Any] | None = None,
    *,
    several: bool = False,
    drop: bool = False,
) -> Callable[[], None]:
    """An unseen uploader; returns what opens its dialog.

    came: called with a file's name and bytes. drop: take files dropped anywhere on the page, too.
    """

    async def uploaded(event: Any) -> None:
        done = came(event.file.name, await event.file.read())
        if done is not None:
            await done
        field.reset()

    field = ui.upload(
        on_upload=uploaded,
        on_rejected=rejected,
        max_file_size=BYTES_MAX,
        multiple=several,
        auto_upload=True,
    ).classes("unseen")
    field.props["accept"] = accept
    if drop:
        field.classes("takes-drops")

    def pick() -> None:
        field.run_method("pickFiles")

    return pick
