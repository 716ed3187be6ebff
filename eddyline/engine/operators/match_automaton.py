"""The automaton of MATCH_RECOGNIZE for one partition: rows in order of time in, matches out.

It follows Flink's: there is no backtracking. A greedy variable takes every row that fits it, so a
later variable only takes a row that does not; a complete match waits while an attempt that began
earlier may still succeed, and then takes away the attempts that AFTER MATCH SKIP passes over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from eddyline.errors import EddylineError
from eddyline.sql.matching import ANY, Step


@dataclass(slots=True)
class MatchRow:
    """A row: its place in the order of all rows, its time, and its values by column."""

    place: int
    ms: int
    values: tuple[Any, ...]


@dataclass(slots=True)
class MatchedRow:
    """A row that an attempt took for a step, and the one before it; attempts share their past."""

    step: int
    row: MatchRow
    before: MatchedRow | None


@dataclass(slots=True)
class Attempt:
    """A match so far: the step it is at, how many rows that step has, the first row."""

    step: int
    count: int
    start: MatchRow
    last: MatchedRow

    def rows(self) -> list[MatchedRow]:
        """All rows in order."""
        rows, taken = [], self.last
        while taken is not None:
            rows.append(taken)
            taken = taken.before  # type: ignore[assignment]
        return rows[::-1]


Fits = Callable[[int, MatchRow, MatchedRow | None], bool]


@dataclass(slots=True)
class Automaton:
    """What all partitions share.

    fits: whether a row fits a step, given the rows before it.
    """

    steps: Sequence[Step]
    fits: Fits
    skip: str
    skip_variable: str | None
    within_ms: int | None

    def next(self, attempt: Attempt | None, row: MatchRow) -> Iterator[tuple[Attempt, bool, bool]]:
        """The attempts that a row leads to from ``attempt`` (None: from the start): each with
        whether it is a match, and whether it can go on."""
        step, count = (0, 0) if attempt is None else (attempt.step, attempt.count)
        before = None if attempt is None else attempt.last
        start = row if attempt is None else attempt.start
        while step < len(self.steps):
            s = self.steps[step]
            open_end = s.most is None or count < s.most
            fits = (open_end or s.greedy) and self.fits(step, row, before)
            if fits and open_end:
                taken = Attempt(step, count + 1, start, MatchedRow(step, row, before))
                yield taken, self._is_complete(taken), self._goes_on(taken)
            if count < s.least:
                return
            ranged = s.least != s.most and (s.least, s.most) != (0, 1)
            if s.greedy and ranged and fits:
                return  # the row is this variable's: no later one may have it
            step, count = step + 1, 0

    def _is_complete(self, attempt: Attempt) -> bool:
        return attempt.count >= self.steps[attempt.step].least and all(
            s.least == 0 for s in self.steps[attempt.step + 1 :]
        )

    def _goes_on(self, attempt: Attempt) -> bool:
        s = self.steps[attempt.step]
        more = s.most is None or attempt.count < s.most
        return more or attempt.step + 1 < len(self.steps)


@dataclass(slots=True)
class Partition:
    """The attempts of one partition: those that go on, and matches that wait for earlier ones."""

    automaton: Automaton
    attempts: list[Attempt] = field(default_factory=list)
    complete: list[Attempt] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        return not self.attempts and not self.complete

    def take(self, row: MatchRow) -> list[Attempt]:
        """The matches that a row completes, in order."""
        given = self.pass_time(row.ms)
        kept: list[Attempt] = []
        for attempt in (*self.attempts, None):
            for after, is_match, goes_on in self.automaton.next(attempt, row):
                if is_match:
                    self.complete.append(after)
                if goes_on:
                    kept.append(after)
        self.attempts = kept
        return given + self._give()

    def pass_time(self, ms: int) -> list[Attempt]:
        """Give up the attempts that began too long before ``ms``; the matches that this frees."""
        within = self.automaton.within_ms
        if within is None or not self.attempts:
            return []
        kept = [a for a in self.attempts if ms - a.start.ms < within]
        if len(kept) == len(self.attempts):
            return []
        self.attempts = kept
        return self._give()

    def _give(self) -> list[Attempt]:
        """Complete matches before which no other attempt began."""
        given: list[Attempt] = []
        while self.complete:
            first = min(self.complete, key=_start)
            if any(a.start.place < first.start.place for a in self.attempts):
                break
            self.complete.remove(first)
            given.append(first)
            self._skip(first)
        return given

    def _skip(self, match: Attempt) -> None:
        bound = self._bound(match)
        self.attempts = [a for a in self.attempts if a.start.place >= bound]
        self.complete = [a for a in self.complete if a.start.place >= bound]

    def _bound(self, match: Attempt) -> int:
        """The place of the first row at which another match may begin."""
        skip = self.automaton.skip
        if skip == "PAST LAST ROW":
            return match.last.row.place + 1
        if skip == "TO NEXT ROW":
            return match.start.place + 1
        variable = self.automaton.skip_variable
        places = [t.row.place for t in match.rows() if _variable(self, t) == variable]
        if not places:
            msg = f"AFTER MATCH SKIP {skip} {variable}: the match has no row of {variable}"
            hint = "skip to a variable that every match has, or PAST LAST ROW"
            raise EddylineError("sql_runtime", msg, hint=hint)
        bound = places[0] if skip == "TO FIRST" else places[-1]
        if bound == match.start.place:
            msg = f"AFTER MATCH SKIP {skip} {variable} leads to the first row of the same match"
            raise EddylineError("sql_runtime", msg, hint="write AFTER MATCH SKIP TO NEXT ROW")
        return bound


def _start(attempt: Attempt) -> int:
    return attempt.start.place


def _variable(partition: Partition, taken: MatchedRow) -> str:
    return partition.automaton.steps[taken.step].variable


def rows_of(taken: MatchedRow | None, steps: Sequence[Step], variable: str) -> Iterator[MatchRow]:
    """The rows of a variable, the newest first."""
    while taken is not None:
        if variable in (ANY, steps[taken.step].variable):
            yield taken.row
        taken = taken.before
