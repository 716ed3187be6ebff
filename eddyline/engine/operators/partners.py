"""How many partners each row of a join's side has met, for state that is forgotten after a time.

Without a TTL a row of an outer side has no partner if the other side's table holds none. With one
that is not so: a partner may have been forgotten, and what was given is never taken back. As in
Flink the row therefore keeps a count of its partners, which forgetting does not change.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from eddyline.engine.database import Database
from eddyline.engine.operators.join_side import JoinSide, N
from eddyline.engine.operators.retention import Retention

MET = '"$met"'


@dataclass(frozen=True, slots=True)
class PartnerCount:
    """The count in the table of ``side``, whose alias in ``on`` is ``me``."""

    db: Database
    side: JoinSide
    other: JoinSide
    on: str
    retention: Retention

    @property
    def _aliases(self) -> tuple[str, str]:
        return ("l", "r") if self.side.index == 0 else ("r", "l")

    def update(self) -> None:
        """Take in the other side's change; both changes are in the tables already."""
        me, you = self._aliases
        partners = f"FROM {self.other.delta} {you} WHERE {self.on}"
        self.db.run(
            f"UPDATE {self.side.table} AS {me} SET {MET} = {me}.{MET} + coalesce("
            f"(SELECT sum({you}.{N}) {partners}), 0)::BIGINT{self.retention.assignment} "
            f"WHERE {me}.{MET} IS NOT NULL AND EXISTS (SELECT 1 {partners})"
        )
        self.count_new()

    def count_new(self) -> None:
        """Count the partners of rows that have no count yet."""
        me, you = self._aliases
        partners = f"FROM {self.other.table} {you} WHERE {self.on}"
        self.db.run(
            f"UPDATE {self.side.table} AS {me} SET {MET} = coalesce("
            f"(SELECT sum({you}.{N}) {partners}), 0)::BIGINT WHERE {me}.{MET} IS NULL"
        )


def adapt_counts(counts: Sequence[PartnerCount], *, forgets: bool) -> None:
    """Fit tables of a saved state to the present TTL: with the count, or without it."""
    for count in counts:
        table = count.side.table
        if count.retention.has_column(table, MET) == forgets:
            continue
        change = f"ADD COLUMN {MET} BIGINT" if forgets else f"DROP COLUMN {MET}"
        count.db.run(f"ALTER TABLE {table} {change}")
        if forgets:
            count.count_new()
