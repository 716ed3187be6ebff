"""What happens to a key's episodes: one begins, it grows or changes, it ends; an event each.

A row that begins an episode has the event ``begin``. Within an episode a row has ``update`` if it
is ten times rarer than any before, if another column leads, or if the evidence is of a kind that
the episode has not had. The first row after it has ``end``.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from eddyline.engine.operators.operator import Int64s

if TYPE_CHECKING:
    from eddyline.anomaly.detector import Verdicts

BEGIN, UPDATE, END = "begin", "update", "end"
# Decades by which a row must be rarer than all before to be news.
_RARER = 1.0


@dataclass(slots=True)
class Episode:
    """An episode that lasts: its number in the key, when it began and its last row was, the columns
    and kinds of evidence that it has had, and how rare its rarest row is, in decades."""

    number: int
    start_ms: int
    last_ms: int
    peak: float
    columns: list[int] = field(default_factory=list)
    kinds: list[int] = field(default_factory=list)


class Episodes:
    """The episodes that last, by key."""

    def __init__(self) -> None:
        self.active: dict[str, Episode] = {}

    def take(self, keys: tuple[str, ...], times: Int64s, verdicts: Verdicts) -> list[str | None]:
        """The event of each judged row, in their order; None for most. keys, times: of the rows."""
        events: list[str | None] = [None] * len(keys)
        odd = verdicts.episode > 0
        if not self.active and not odd.any():
            return events
        first = 0 if self.active else int(np.argmax(odd))
        for row in range(first, len(keys)):
            if odd[row] or keys[row] in self.active:
                events[row] = self._one(keys[row], int(times[row]), verdicts, row)
        return events

    def _one(self, key: str, at_ms: int, v: Verdicts, row: int) -> str | None:
        number = int(v.episode[row])
        before = self.active.get(key)
        if before is not None and before.number != number:
            del self.active[key]
            if number == 0:
                return END
            before = None
        if number == 0:
            return None
        lead, kind, rarity = int(v.lead[row]), int(v.kind[row]), float(v.rarity[row])
        if before is None:
            self.active[key] = Episode(number, at_ms, at_ms, rarity, [lead], [kind])
            return BEGIN if v.alert[row] else None
        before.last_ms = at_ms
        if v.grade[row] <= 0.0:
            return None
        news = rarity >= before.peak + _RARER or lead not in before.columns
        news |= kind not in before.kinds
        if news:
            before.peak = max(before.peak, rarity)
            before.columns = sorted({*before.columns, lead})
            before.kinds = sorted({*before.kinds, kind})
        return UPDATE if news else None

    def save(self) -> dict[str, Any]:
        """For ``restore``, as JSON values."""
        return {key: asdict(episode) for key, episode in self.active.items()}

    def restore(self, saved: dict[str, Any]) -> None:
        """Take back what ``save`` gave."""
        self.active = {key: Episode(**episode) for key, episode in saved.items()}
