"""A run watched from the terminal: live tables, counters, JSON lines; Ctrl-C ends it.

Events come from a thread and are queued; the terminal is drawn by the command's own thread, at
most four times a second.
"""

from __future__ import annotations

import queue
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from eddyline.cli.terminal import line, moment, say, table
from eddyline.clock import SYSTEM
from eddyline.errors import EddylineError
from eddyline.service import events as e

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.live import Live

TICK_S = 0.25
# A cancelled run has this long to report its end.
END_S = 15.0
FAILED, ENDED = "ERROR", ("FINISHED", "ABORT")


@dataclass(slots=True)
class RunView:
    """Shows the events of one run; ``follow`` returns when it is over."""

    cancel: Callable[[], None]
    as_json: bool = False
    for_s: float | None = None
    detached: bool = False
    queue: queue.SimpleQueue[Any] = field(default_factory=queue.SimpleQueue)
    _kinds: dict[int, str] = field(default_factory=dict)
    _snapshot: e.TableSnapshot | None = None
    _progress: e.Progress | None = None
    _end_at: float | None = None
    _over: e.RunFinished | None = None
    _live: Live | None = None
    _changes_of: int | None = None
    _widths: list[int] = field(default_factory=list)

    def __call__(self, event: Any) -> None:
        """Take an event; from any thread."""
        self.queue.put(event)

    def gone(self, error: EddylineError) -> None:
        """The server went away."""
        self.queue.put(error)

    def follow(self) -> e.RunFinished:
        """Show everything until the run is over.

        Raises:
            EddylineError: when the server went away.
            KeyboardInterrupt: once the run has been ended by Ctrl-C.
        """
        try:
            self._until_over()
        except KeyboardInterrupt:
            self._stop()
            raise
        finally:
            self._end_live()
        assert self._over is not None
        return self._over

    def _until_over(self) -> None:
        while self._over is None:
            with suppress(queue.Empty):
                self._show(self.queue.get(timeout=TICK_S))
            if self._end_at is not None and SYSTEM.monotonic() >= self._end_at:
                self._end_at = None
                with suppress(EddylineError):  # it ended by itself just now
                    self.cancel()

    def _stop(self) -> None:
        """Cancel the run and wait for its end."""
        with suppress(EddylineError):
            self.cancel()
        end = SYSTEM.monotonic() + END_S
        while self._over is None and SYSTEM.monotonic() < end:
            with suppress(queue.Empty):
                self._show(self.queue.get(timeout=TICK_S))

    def _show(self, event: Any) -> None:
        if isinstance(event, EddylineError):
            raise event
        shown = _SHOWS.get(type(event))
        if shown is not None:
            shown(self, event)

    def _started(self, event: e.StatementStarted) -> None:
        self._kinds[event.index] = event.kind
        self._snapshot = self._progress = None

    def _reads(self, event: e.StatementReads) -> None:
        """The time of ``for_s`` counts from here, however long the worker took to start."""
        if self.for_s is not None and self._end_at is None:
            self._end_at = SYSTEM.monotonic() + self.for_s

    def _text(self, event: e.Text) -> None:
        # A plan or a definition is a result and goes to stdout; a confirmation is a message.
        if self._kinds.get(event.index, "").startswith(("EXPLAIN", "SHOW", "HELP")):
            if self.as_json:
                line({"op": "+I", "text": event.text})
            else:
                sys.stdout.write(event.text + "\n")
        else:
            say(event.text)

    def _warned(self, event: e.Warning_) -> None:
        say(f"warning: {event.text}")

    def _printed(self, event: e.Printed) -> None:
        """Lines of the print connector, as they are or as JSON."""
        self._end_live()
        if self.as_json:
            # No "op": these are lines of a job's output, not changes of a statement's result.
            for kind, text in zip(event.kinds, event.lines, strict=True):
                line({"printed": text, "table": event.table, "kind": kind})
            return
        stream = sys.stderr if event.to_error else sys.stdout
        stream.write("".join(f"{text}\n" for text in event.lines))
        stream.flush()

    def _table(self, event: e.TableSnapshot) -> None:
        self._snapshot = event
        self._draw()

    def _changed(self, event: e.RowsAppended) -> None:
        if not self.as_json:
            self._print_changes(event)
            return
        for kind, row in zip(event.kinds, event.rows, strict=True):
            line(_change(kind, event.columns, event.types, row))

    def _print_changes(self, event: e.RowsAppended) -> None:
        """The result modes CHANGELOG and TABLEAU: one line per change, below the names once."""
        self._end_live()
        rows = [[kind, *_cells(row)] for kind, row in zip(event.kinds, event.rows, strict=True)]
        header = ["op", *event.columns]
        if self._changes_of != event.index:
            self._changes_of = event.index
            self._widths = [max(len(r[i]) for r in [header, *rows]) for i in range(len(header))]
            rows.insert(0, header)
        for row in rows:
            padded = (cell.ljust(width) for cell, width in zip(row, self._widths, strict=True))
            sys.stdout.write("  ".join(padded).rstrip() + "\n")
        sys.stdout.flush()

    def _job(self, event: e.JobStarted) -> None:
        if self.as_json:
            line({"job": event.job_id})
        elif self.detached:
            say(f"job {event.job_id} started; eddyline job list shows it")
        else:
            say(f"job {event.job_id} started; Ctrl-C stops it")

    def _moved(self, event: e.Progress) -> None:
        self._progress = event
        self._draw()

    def _finished(self, event: e.StatementFinished) -> None:
        self._end_live()
        snapshot, self._snapshot = self._snapshot, None
        if snapshot is not None and snapshot.index == event.index:
            self._final(snapshot)
        elif self._progress is not None and not self.as_json:
            say(_figures(self._progress))
        progress = self._progress
        if progress is not None and progress.index == event.index and not progress.metrics.rows_out:
            for reason in progress.why:
                say(f"  {reason}")

    def _final(self, snapshot: e.TableSnapshot) -> None:
        """Print a result as it was at its end."""
        if self.as_json:
            for row in snapshot.rows:
                line(_change("+I", snapshot.columns, snapshot.types, row))
            return
        table(snapshot.columns, [_cells(row) for row in snapshot.rows])
        say(_count(snapshot))

    def _end(self, event: e.RunFinished) -> None:
        self._end_live()
        if self._snapshot is not None:
            self._final(self._snapshot)
            self._snapshot = None
        self._over = event

    def _draw(self) -> None:
        if self.as_json or not sys.stdout.isatty():
            return
        from rich.console import Console
        from rich.live import Live

        if self._live is None:
            console = Console(highlight=False)
            self._live = Live(console=console, refresh_per_second=4, transient=True)
            self._live.start()
        self._live.update(self._picture())

    def _end_live(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _picture(self) -> RenderableType:
        from rich.console import Group
        from rich.text import Text

        parts: list[RenderableType] = []
        if self._snapshot is not None:
            parts += [_live_table(self._snapshot), Text(_count(self._snapshot), style="dim")]
        if self._progress is not None:
            parts.append(Text(_figures(self._progress), style="dim"))
            if self._progress.metrics.rows_out == 0:
                parts += [Text(f"  {why}", style="yellow") for why in self._progress.why]
        return Group(*parts)


_SHOWS: dict[type, Callable[[RunView, Any], None]] = {
    e.StatementStarted: RunView._started,
    e.StatementReads: RunView._reads,
    e.Text: RunView._text,
    e.Warning_: RunView._warned,
    e.Printed: RunView._printed,
    e.TableSnapshot: RunView._table,
    e.RowsAppended: RunView._changed,
    e.JobStarted: RunView._job,
    e.Progress: RunView._moved,
    e.StatementFinished: RunView._finished,
    e.RunFinished: RunView._end,
}
_WHOLE = ("TINYINT", "SMALLINT", "INT", "BIGINT")


def _change(
    kind: str, columns: list[str], types: list[str], row: list[str | None]
) -> dict[str, Any]:
    """A change as JSON: its kind under "op", and the row's values."""
    return {"op": kind, **_typed(_keys(columns), types, row)}


def _keys(columns: list[str]) -> list[str]:
    """The columns' names; one called op gets an underscore, because "op" is the kind of change."""
    if "op" not in columns:
        return columns
    key = "op_"
    while key in columns:
        key += "_"
    return [key if name == "op" else name for name in columns]


def _typed(columns: list[str], types: list[str], row: list[str | None]) -> dict[str, Any]:
    """A printed row as JSON values: whole and floating numbers, truth values, else text."""
    return {n: _value(t, v) for n, t, v in zip(columns, types, row, strict=True)}


def _value(kind: str, text: str | None) -> Any:
    if text is None:
        return None
    base = kind.removesuffix(" NOT NULL")
    if base in _WHOLE:
        return int(text)
    if base == "BOOLEAN":
        return text == "TRUE"
    if base in ("FLOAT", "DOUBLE"):
        value = float(text)
        return value if value - value == 0 else text
    return text


def _cells(row: list[str | None]) -> list[str]:
    return ["NULL" if v is None else v for v in row]


def _live_table(snapshot: e.TableSnapshot) -> RenderableType:
    import shutil

    from rich.table import Table
    from rich.text import Text

    shown = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for name in snapshot.columns:
        shown.add_column(name, no_wrap=True)
    room = max(1, shutil.get_terminal_size().lines - 6)
    for row in snapshot.rows[-room:]:
        shown.add_row(*(Text(cell) for cell in _cells(row)))
    return shown


def _count(snapshot: e.TableSnapshot) -> str:
    words = f"{snapshot.row_count:,} row{'' if snapshot.row_count == 1 else 's'}"
    return words + (f", the newest {len(snapshot.rows):,} shown" if snapshot.skipped else "")


def _figures(progress: e.Progress) -> str:
    m = progress.metrics
    words = f"{m.rows_in:,} rows in, {m.rows_out:,} out"
    words += f", {m.late:,} late" if m.late else ""
    words += f", watermark {moment(m.watermark_ms)}" if m.watermark_ms is not None else ""
    behind_s = (m.behind_ms or 0) / 1000
    return words + (f", {behind_s:,.1f} s behind" if behind_s > 1 else "")
