"""A changelog folded into what a person looks at: update, append or single.

``update`` keeps the rows that are (inserts add, retractions take one equal row away), ``append``
the rows that came, ``single`` the newest one. All keep the newest N rows and count the others, so
that a result of millions costs a screen no more than a small one. Insert-only results are kept as
Arrow and printed only when somebody looks.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol

from eddyline.errors import EddylineError
from eddyline.record.batch import Batch, ChangeKind
from eddyline.service.events import MODES
from eddyline.service.printing import Printer, Row

if TYPE_CHECKING:
    import pyarrow as pa

_ADDS = (ChangeKind.INSERT, ChangeKind.UPDATE_AFTER)


class ViewRows(Protocol):
    """What a view keeps: the newest rows, and how many there are in all."""

    count: int

    def insert(self, table: pa.Table) -> None:
        """Rows that came."""

    def change(self, rows: Iterable[tuple[int, Row]]) -> None:
        """Rows with the kinds of their changes."""

    def rows(self) -> list[Row]:
        """The newest rows, printed, oldest first."""


class ResultView:
    """One SELECT's result. ``apply`` and ``snapshot`` may come from different threads."""

    def __init__(self, printer: Printer, mode: str, rows_max: int, insert_only: bool) -> None:
        if mode not in MODES:
            msg = f"result mode {mode!r} is none of {', '.join(MODES)}"
            raise EddylineError("invalid_argument", msg)
        self._mode = mode
        self._lock = threading.Lock()
        self._printer = printer
        keep = 1 if mode == "single" else rows_max
        folds = mode == "update" and not insert_only
        self._shown: ViewRows = Folded(keep) if folds else Newest(printer, keep)
        self._fresh = True

    def apply(self, batch: Batch) -> None:
        """Take a batch of changes in.

        Raises:
            EddylineError: ``conflict`` for a row taken back in append mode.
        """
        with self._lock:
            self._fresh = True
            if batch.kinds is None and isinstance(self._shown, Newest):
                self._shown.insert(batch.rows)
                return
            rows = self._printer.rows(batch.rows)
            kinds = [0] * len(rows) if batch.kinds is None else batch.kinds.tolist()
            if self._mode == "append" and any(k != ChangeKind.INSERT for k in kinds):
                raise _taken_back()
            self._shown.change(zip(kinds, rows, strict=True))

    @property
    def fresh(self) -> bool:
        """Whether something came since the last snapshot."""
        return self._fresh

    def snapshot(self) -> tuple[list[Row], int, int]:
        """Rows to show, how many there are in all, how many of them are not shown."""
        with self._lock:
            self._fresh = False
            rows, count = self._shown.rows(), self._shown.count
        if self._mode == "update":
            rows.sort(key=lambda row: row[0] or "")
        return rows, count, max(0, count - len(rows))


class Newest:
    """The newest ``keep`` rows of a result that only grows."""

    def __init__(self, printer: Printer, keep: int) -> None:
        self.count = 0
        self._printer = printer
        self._keep = keep
        self._parts: deque[pa.Table | list[Row]] = deque()
        self._held = 0

    def insert(self, table: pa.Table) -> None:
        """Keep the end of ``table``, and forget what is older than ``keep`` rows."""
        self._add(table.slice(max(0, table.num_rows - self._keep)), table.num_rows)

    def change(self, rows: Iterable[tuple[int, Row]]) -> None:
        """Of changes, those that add."""
        came = [row for kind, row in rows if kind in _ADDS]
        self._add(came[-self._keep :], len(came))

    def _add(self, part: pa.Table | list[Row], came: int) -> None:
        self.count += came
        self._parts.append(part)
        self._held += len(part)
        while self._held - len(self._parts[0]) >= self._keep:
            self._held -= len(self._parts.popleft())

    def rows(self) -> list[Row]:
        """The newest rows, printed."""
        printed = [r for part in self._parts for r in self._print(part)][-self._keep :]
        self._parts = deque([printed])
        self._held = len(printed)
        return list(printed)

    def _print(self, part: pa.Table | list[Row]) -> list[Row]:
        return part if isinstance(part, list) else self._printer.rows(part)


class Folded:
    """The newest ``keep`` rows of those that are: a multiset with an order of arrival."""

    def __init__(self, keep: int) -> None:
        self.count = 0
        self._keep = keep
        self._next = 0
        self._rows: dict[int, Row] = {}
        self._places: dict[Row, deque[int]] = {}

    def insert(self, table: pa.Table) -> None:
        """Not used: a result that is folded comes as changes."""
        raise AssertionError

    def change(self, rows: Iterable[tuple[int, Row]]) -> None:
        """Add and take back, in order."""
        for kind, row in rows:
            if kind in _ADDS:
                self._insert(row)
            else:
                self._delete(row)

    def _insert(self, row: Row) -> None:
        self.count += 1
        self._rows[self._next] = row
        self._places.setdefault(row, deque()).append(self._next)
        self._next += 1
        if len(self._rows) > self._keep:
            self._forget(next(iter(self._rows)))

    def _delete(self, row: Row) -> None:
        self.count = max(0, self.count - 1)
        places = self._places.get(row)
        if places:
            self._forget(places[0])

    def _forget(self, place: int) -> None:
        row = self._rows.pop(place)
        places = self._places[row]
        places.remove(place)
        if not places:
            del self._places[row]

    def rows(self) -> list[Row]:
        """The rows kept, oldest first."""
        return list(self._rows.values())


def _taken_back() -> EddylineError:
    msg = "this result takes rows back, which an append table cannot show"
    return EddylineError("conflict", msg, hint="show it with type=update")
