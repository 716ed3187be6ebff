"""Names for the shell's Tab key: streams, notes, jobs, templates and users of a data directory.

They are read from files, never through a server, and nothing is created for them. What cannot be
read offers no names: a completion must not print errors into somebody's command line.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import typer


def _names(read: Callable[[Path], list[str]]) -> Callable[[typer.Context, str], list[str]]:
    def complete(ctx: typer.Context, incomplete: str) -> list[str]:
        from eddyline.settings import load

        try:
            directory = load(data_dir=_given(ctx)).data_dir
            if not directory.is_dir():
                return []
            return [name for name in read(directory) if name.startswith(incomplete)]
        except Exception:
            return []

    return complete


def _given(ctx: typer.Context) -> Path | None:
    """The --data-dir of the command line so far."""
    value: Any = ctx.params.get("data_dir")
    return None if value is None else Path(value)


def _streams(directory: Path) -> list[str]:
    folder = directory / "streams"
    return sorted(p.name for p in folder.iterdir() if not p.name.startswith("."))


def _of_table(query: str, file: str) -> Callable[[Path], list[str]]:
    def read(directory: Path) -> list[str]:
        import sqlite3
        from contextlib import closing

        address = (directory / file).absolute().as_uri() + "?mode=ro"
        with closing(sqlite3.connect(address, uri=True, timeout=1)) as db:
            return sorted({str(row[0]) for row in db.execute(query) if row[0]})

    return read


def _templates(directory: Path) -> list[str]:
    from eddyline.service.templates import Templates

    return Templates(directory).names()


stream_names = _names(_streams)
note_names = _names(_of_table("SELECT name FROM notes", "meta.db"))
job_names = _names(_of_table("SELECT coalesce(name, job_id) FROM jobs", "meta.db"))
user_names = _names(_of_table("SELECT name FROM users", "users.db"))
template_names = _names(_templates)


def example_names(incomplete: str) -> list[str]:
    """The example notes, as ``note import`` takes them."""
    from eddyline.service.lab import example_notes

    return [n for n in (f"example:{name}" for name in example_notes()) if n.startswith(incomplete)]
