"""``eddyline clean-up``: lists everything in a data directory, asks, and removes it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from eddyline.cli.opening import DataDir, Json, opened
from eddyline.cli.terminal import agrees, listing, outcome
from eddyline.errors import EddylineError

if TYPE_CHECKING:
    from eddyline.service.services import Services


@dataclass(frozen=True, slots=True)
class RemovableItem:
    """A thing that can be removed; things are removed in the order they are listed."""

    kind: str
    name: str
    detail: str = ""


def clean_up(
    data_dir: DataDir = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: Json = False,
) -> None:
    """List jobs, generators, notes, tables and streams of a data directory, ask, remove them.

    \b
    Examples:
      eddyline clean-up
      eddyline clean-up --data-dir lab --yes
    """
    with opened(data_dir) as services:
        objects = everything(services)
        columns = (("what", lambda m: m.kind), ("name", lambda m: m.name), ("", lambda m: m.detail))
        listing(objects, columns, as_json, "there is nothing to remove")
        if not objects:
            return
        if not yes and not agrees(f"Remove these {len(objects)}, and all their records?"):
            raise EddylineError("conflict", "nothing was removed", hint="--yes removes unasked")
        for made in objects:
            _REMOVES[made.kind](services, made.name)
    outcome({"removed": len(objects)}, f"removed {len(objects)}", as_json)


def everything(services: Services) -> list[RemovableItem]:
    """Everything that was made; what uses something comes before what it uses."""
    catalog = services.catalog
    views = set(catalog.list_views())
    tables = [t for t in catalog.list_tables() if t not in views]
    return [
        *(
            RemovableItem("job", j.job_id, j.name or " ".join(j.sql.split())[:50])
            for j in services.jobs.list()
        ),
        *(RemovableItem("generator", g.name, g.spec.target) for g in services.generators.list()),
        *(RemovableItem("note", n.id, n.name) for n in services.notes.list()),
        *(RemovableItem("view", name) for name in sorted(views)),
        *(RemovableItem("table", name) for name in tables),
        *(
            RemovableItem("stream", s.name, f"{len(s.shards)} shards")
            for s in services.streams.list()
            if s.status != "DELETING"
        ),
    ]


_REMOVES: dict[str, Callable[[Services, str], object]] = {
    "job": lambda services, name: services.jobs.remove(name),
    "generator": lambda services, name: services.generators.remove(name),
    "note": lambda services, name: services.notes.remove(name),
    "view": lambda services, name: services.catalog.drop_view((name,)),
    "table": lambda services, name: services.catalog.drop_table((name,)),
    "stream": lambda services, name: services.streams.delete(name),
}


def register(to: typer.Typer) -> None:
    """Add the command."""
    to.command("clean-up")(clean_up)
