"""What a statement changed of its session's context, so that others can take on just that.

Sessions of a group work at the same time. If each handed on its whole context, one that has not
heard yet of another's new view would take it away again.
"""

from __future__ import annotations

from typing import Any

import msgspec

from eddyline.service.jobs import JobContext

Entry = dict[str, Any]
Key = tuple[bool, str, str, str]


class ContextChange(msgspec.Struct, frozen=True):
    """The difference between two contexts.

    place: current catalog and database, if they changed. options: those that were SET, with None
    for a RESET. objects: temporary ones that are new or different. dropped: whether it is a
    function, catalog, database and name of each that went.
    """

    place: tuple[str, str] | None
    options: dict[str, str | None]
    objects: list[Entry]
    dropped: list[Key]


def change_between(before: JobContext, after: JobContext) -> ContextChange | None:
    """What leads from one context to the other; None if they are equal."""
    if before == after:
        return None
    old, new = _by_key(before), _by_key(after)
    options: dict[str, str | None] = dict.fromkeys(before.options.keys() - after.options.keys())
    options |= {k: v for k, v in after.options.items() if before.options.get(k) != v}
    place = (after.catalog, after.database)
    return ContextChange(
        None if place == (before.catalog, before.database) else place,
        options,
        [entry for key, entry in new.items() if old.get(key) != entry],
        [key for key in old if key not in new],
    )


def changed(context: JobContext, change: ContextChange) -> JobContext:
    """The context after the change, wherever it comes from."""
    objects = {k: entry for k, entry in _by_key(context).items() if k not in change.dropped}
    objects |= {_key(entry): entry for entry in change.objects}
    options = {**context.options, **change.options}
    catalog, database = change.place or (context.catalog, context.database)
    return JobContext(
        database,
        {k: v for k, v in options.items() if v is not None},
        list(objects.values()),
        catalog,
    )


def _by_key(context: JobContext) -> dict[Key, Entry]:
    return {_key(entry): entry for entry in context.objects}


def _key(entry: Entry) -> Key:
    catalog, database, name = entry["path"]
    return (entry["object"]["kind"] == "function", catalog, database, name)
