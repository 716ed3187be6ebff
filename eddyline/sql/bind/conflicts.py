"""Whether the changes of a query go by the primary key of the table that it is written into."""

from __future__ import annotations

from eddyline.catalog.table import CatalogTable
from eddyline.options.connector import Changes
from eddyline.options.connectors import connector_of
from eddyline.sql import statement as st
from eddyline.sql.bind.scope import Environment
from eddyline.sql.changes import insert_only
from eddyline.sql.keys import upsert_keys
from eddyline.sql.logical import Node


def check_keys(node: Node, insert: st.Insert, table: CatalogTable, env: Environment) -> None:
    """Refuse changes by another key than the table's, as Flink does, unless ON CONFLICT is there.

    Raises:
        EddylineError: ``sql_semantic``.
    """
    if insert.on_conflict is not None or env.config.is_batch or _goes_by_key(node, table):
        return
    keys = sorted(", ".join(sorted(key)) or "nothing" for key in upsert_keys(node))
    own = f"by {' or '.join(keys)}" if keys else "by no column that it gives"
    key = ", ".join(table.primary_key)
    msg = (
        f"table {table.path.name} replaces rows by its primary key ({key}), but the rows of this "
        f"query replace one another {own}, so that rows of different groups would overwrite each "
        "other"
    )
    hint = (
        f"group by {key} and no further column, or declare PRIMARY KEY ({key}) of the table that "
        "the changes are read from, or write ON CONFLICT DO DEDUPLICATE behind the query to let "
        "the latest row stay"
    )
    raise env.error(msg, insert.name.span, hint)


def needs_row_before(node: Node, table: CatalogTable) -> bool:
    """Whether the table takes an update as the row before it and the row after it: if it keeps both
    kinds of change, or if the update may change the row's primary key."""
    row = connector_of(table.options.get("connector", ""))
    if row.sink is not Changes.UPSERTS and row.name != "blackhole":
        return True
    key = frozenset(table.primary_key)
    return bool(key) and key not in upsert_keys(node)


def _goes_by_key(node: Node, table: CatalogTable) -> bool:
    """Whether rows that replace one another have the same primary key, if the table has one."""
    key = set(table.primary_key)
    return not key or insert_only(node) or any(own <= key for own in upsert_keys(node))
