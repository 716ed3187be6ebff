"""Many keys at once are one incident: how many of how many, by how much, and what explains them.

An incident begins at a time at which so many keys have begun an episode, in one column and
direction, within the last few times (windows); keys that begin later join it, and it is over when
none has an episode any more. How many keys it concerns is counted over all keys with a row at that
time: those that depart from what was expected on that side by half the usual departure at least,
since a key of little traffic has no alert of its own for what is plain in all of them together.

Rows of one time must come together, as those of closed windows do.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from eddyline.engine.operators.forest_episodes import BEGIN
from eddyline.engine.operators.operator import Int64s
from eddyline.engine.scores import Doubles

if TYPE_CHECKING:
    from eddyline.anomaly.detector import Verdicts

# So many keys, and this share of all, begin within so many times.
KEYS_MIN, SHARE_MIN, TIMES = 5, 0.05, 3
# A value of a dimension explains an incident if this share of its keys are concerned, and the
# values together explain it if they hold this share of the keys concerned.
_HOLDS, _COVERS, _VALUES_MAX, _KEYS_NAMED = 0.8, 0.8, 5, 5


@dataclass(slots=True)
class OpenIncident:
    """column: its place among the judged; side: 1 too high, -1 too low; members: keys that have
    begun an episode in it; the rest goes into the alert."""

    id: int
    start_ms: int
    column: int
    side: int
    members: list[str] = field(default_factory=list)
    concerned: int = 0
    of: int = 0
    change: float | None = None
    explained_by: dict[str, list[str]] = field(default_factory=dict)
    sentence: str = ""

    def as_json(self, columns: Sequence[str]) -> str:
        """As JSON, for a row's column and for the monitor."""
        return json.dumps(
            {
                "id": self.id, "start_ms": self.start_ms, "column": columns[self.column],
                "direction": "high" if self.side > 0 else "low", "keys": self.concerned,
                "of": self.of, "change": self.change, "explained_by": self.explained_by,
                "sentence": self.sentence,
            }
        )  # fmt: skip


class Incidents:
    """Finds incidents among the rows of a forest's keys. dimensions: names of the key's columns."""

    def __init__(self, dimensions: tuple[str, ...], columns: tuple[str, ...]) -> None:
        self._dimensions = dimensions
        self._columns = columns
        self.open: list[OpenIncident] = []
        self._begun: list[list[Any]] = []  # [time, key, column, side], of the last few times
        self._last: list[int] = []  # the last few times
        self._number = 0

    def take(
        self, keys: tuple[str, ...], times: Int64s, points: Doubles, verdicts: Verdicts,
        events: list[str | None], known: Int64s,
    ) -> list[str | None]:  # fmt: skip
        """The incident, as JSON, of each row that begins an episode in one; None for the others.

        keys, times, points, verdicts, events: of the judged rows, in order of time. known:
        how many keys the forest knew at each.
        """
        out: list[str | None] = [None] * len(keys)
        if (
            not len(keys)
            or known[-1] < KEYS_MIN
            or (not self.open and BEGIN not in events and not self._begun)
        ):
            return out
        edges = np.flatnonzero(np.diff(times, prepend=times[0] - 1))
        for first, end in zip(edges, [*edges[1:], len(times)], strict=True):
            rows = slice(int(first), int(end))
            if known[end - 1] >= KEYS_MIN:
                self._at(rows, keys, times, points, verdicts, events, int(known[end - 1]), out)
        return out

    def _at(
        self, rows: slice, keys: tuple[str, ...], times: Int64s, points: Doubles,
        v: Verdicts, events: list[str | None], known: int, out: list[str | None],
    ) -> None:  # fmt: skip
        now = int(times[rows.start])
        self._last = [*self._last, now][-TIMES:]
        self._begun = [b for b in self._begun if b[0] in self._last]
        begun = [row for row in range(rows.start, rows.stop) if events[row] == BEGIN]
        for row in begun:
            lead = int(v.lead[row])
            off = float(np.nan_to_num(points[row, lead] - v.expected[row, lead]))
            side = int(v.side[row]) or int(np.sign(off))
            self._begun.append([now, keys[row], lead, side])
        self._close(rows, keys, v)
        groups = Counter((b[2], b[3]) for b in self._begun if b[3] != 0)
        for (column, side), count in groups.most_common():
            if any(i.column == column and i.side == side for i in self.open):
                continue
            if count >= max(KEYS_MIN, SHARE_MIN * known):
                self._number += 1
                self.open.append(OpenIncident(self._number, now, column, side))
        for incident in self.open:
            mine = [b[1] for b in self._begun if (b[2], b[3]) == (incident.column, incident.side)]
            joined = [k for k in dict.fromkeys(mine) if k not in incident.members]
            if not joined:
                continue
            incident.members += joined
            self._describe(incident, rows, keys, points, v, now)
            for row in begun:
                if keys[row] in joined:
                    out[row] = incident.as_json(self._columns)

    def _close(self, rows: slice, keys: tuple[str, ...], v: Verdicts) -> None:
        """End the incidents whose members have a row now, and none an episode."""
        there = {keys[row]: int(v.episode[row]) for row in range(rows.start, rows.stop)}
        self.open = [
            i
            for i in self.open
            if not any(m in there for m in i.members) or any(there.get(m) for m in i.members)
        ]

    def _describe(
        self, incident: OpenIncident, rows: slice, keys: tuple[str, ...], points: Doubles,
        v: Verdicts, now: int,
    ) -> None:  # fmt: skip
        """Count the keys concerned at this time, unless more were concerned before."""
        value, usual = points[rows, incident.column], v.expected[rows, incident.column]
        known = np.isfinite(value) & np.isfinite(usual) & (usual != 0.0)
        change = np.divide(value - usual, np.abs(usual), out=np.zeros(len(value)), where=known)
        members = np.array([k in incident.members for k in keys[rows]])
        typical = float(np.median(change[members & known])) if (members & known).any() else 0.0
        hit = members | (known & (change * incident.side >= abs(typical) / 2) & (typical != 0.0))
        if int(hit.sum()) <= incident.concerned:
            return
        incident.concerned, incident.of = int(hit.sum()), len(hit)
        incident.change = round(typical, 4) if typical else None
        incident.explained_by = self._explained([*keys[rows]], hit.tolist())
        incident.sentence = self._sentence(incident, now)

    def _explained(self, keys: list[str], hit: list[bool]) -> dict[str, list[str]]:
        """The dimensions whose values tell the keys concerned from the others."""
        names_by_column: dict[str, list[str]] = {}
        parts = [key.split("|") for key in keys]
        if all(hit) or any(len(p) != len(self._dimensions) for p in parts):
            return names_by_column
        for at, name in enumerate(self._dimensions):
            every = Counter(p[at] for p in parts)
            if len(every) == len(keys) and len(self._dimensions) > 1:
                continue
            odd = Counter(p[at] for p, h in zip(parts, hit, strict=True) if h)
            values = [x for x, n in odd.most_common() if n >= _HOLDS * every[x]]
            covered = sum(odd[x] for x in values)
            few = len(values) <= _VALUES_MAX and len(values) < len(every)
            if few and covered >= _COVERS * sum(odd.values()):
                names_by_column[name] = values
        return names_by_column

    def _sentence(self, incident: OpenIncident, now: int) -> str:
        verb = "rose" if incident.side > 0 else "fell"
        by = f" by {abs(incident.change):.0%}".replace("%", " %") if incident.change else ""
        moment = datetime.fromtimestamp(now / 1000, UTC)
        clock = f"{moment:%H:%M:%S}" if moment.second else f"{moment:%H:%M}"
        where = "; ".join(
            f"{name} {', '.join(values)}" for name, values in incident.explained_by.items()
        )
        if not where and incident.concerned < incident.of:
            named = incident.members[:_KEYS_NAMED]
            more = incident.concerned - len(named)
            where = ", ".join(named) + (f" and {more} more" if more > 0 else "")
        words = f"{incident.concerned} of {incident.of} keys {verb}{by} at {clock}"
        return f"{words} in {self._columns[incident.column]}" + (f": {where}" if where else "")

    def save(self) -> dict[str, Any]:
        """For ``restore``, as JSON values."""
        opened = [asdict(i) for i in self.open]
        return {"open": opened, "begun": self._begun, "last": self._last, "number": self._number}

    def restore(self, saved: dict[str, Any]) -> None:
        """Take back what ``save`` gave."""
        self.open = [OpenIncident(**i) for i in saved["open"]]
        self._begun, self._last = saved["begun"], saved["last"]
        self._number = saved["number"]
