"""The demo's live terminal view: what flows, how each second scored, what was found."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

ROWS = 10
BAR = 28


@dataclass(frozen=True, slots=True)
class ScoredWindow:
    """One second of the rate: its end (epoch ms), rate, score and grade."""

    time_ms: int
    rate: float
    score: float
    grade: float
    alert: bool


@dataclass(slots=True)
class DemoView:
    """What the terminal shows; filled by the demo, drawn four times a second."""

    elapsed_s: float = 0.0
    rates: dict[str, tuple[int, float]] = field(default_factory=dict)
    windows: deque[ScoredWindow] = field(default_factory=lambda: deque(maxlen=ROWS))
    alerts: list[str] = field(default_factory=list)
    note: str = ""

    def __rich__(self) -> RenderableType:
        return Group(self._head(), self._flow(), self._scores(), self._alerts())

    def _head(self) -> RenderableType:
        return Text.assemble(("Eddyline demo", "bold"), f"  {self.elapsed_s:5.1f} s")

    def _flow(self) -> RenderableType:
        table = Table(box=None, pad_edge=False, padding=(0, 2))
        table.add_column("sender")
        table.add_column("records", justify="right")
        table.add_column("a second", justify="right")
        for name, (total, rate) in self.rates.items():
            table.add_row(name, f"{total:,}", f"{rate:,.1f}")
        return Panel(table, title="what flows", title_align="left", border_style="dim")

    def _scores(self) -> RenderableType:
        table = Table(box=None, pad_edge=False, padding=(0, 2))
        for name in ("second (UTC)", "clicks per 100 views", "score"):
            table.add_column(name, justify="left" if name == "second (UTC)" else "right")
        table.add_column("")
        for w in self.windows:
            style = "bold red" if w.grade > 0 else ""
            mark = "  ANOMALY" if w.alert else ""
            at = clock_text(w.time_ms)
            bar = Text("█" * min(BAR, round(w.rate / 20)) + mark, style=style or "blue")
            table.add_row(at, f"{w.rate:.1f}", f"{w.score:.2f}", bar, style=style)
        title = "how each second scores"
        if all(w.score == 0 for w in self.windows):
            title += " (learning what is ordinary)"
        return Panel(table, title=title, title_align="left", border_style="dim")

    def _alerts(self) -> RenderableType:
        body = Text(
            "\n".join(self.alerts) or "nothing unusual so far",
            style="red" if self.alerts else "dim",
        )
        if self.note:
            body.append("\n" + self.note, style="dim")
        style = "red" if self.alerts else "dim"
        return Panel(body, title="found", title_align="left", border_style=style)


def clock_text(time_ms: int) -> str:
    """``HH:MM:SS`` of an instant, UTC."""
    return datetime.fromtimestamp(time_ms / 1000, UTC).strftime("%H:%M:%S")
