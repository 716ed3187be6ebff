"""What a person may say about a series' alerts: normal, an anomaly, mute; and other options tried.

Everything acts at once and is listed below with the time from which it acts; rules can be removed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from nicegui import ui

from eddyline.service.alert_rules import Feedback, Mute
from eddyline.service.anomalies import Alert, Point, SeriesInfo
from eddyline.service.services import Services
from eddyline.service.what_if import Outlook, what_if
from eddyline.studio import charts, series_chart
from eddyline.studio.markup import escape, figure, moment
from eddyline.studio.notice import Notice
from eddyline.studio.shell import button, heading, labelled

# Points that are offered: anomalous ones first, then the newest.
POINTS_OFFERED = 60
_OPTIONS = (
    ("false_alarms", "False alarms", "0.1/week"),
    ("season", "Season", "day,week"),
    ("minimum_change", "Least change", "clicks:10%"),
    ("laws", "Laws", "latency:positive"),
)


class AlertWords:
    """The panel below the chart, about one series at a time."""

    def __init__(self, services: Services, on_change: Callable[[], Any]) -> None:
        """said: called after something has changed."""
        self._services = services
        self._on_change = on_change
        self._series: SeriesInfo | None = None
        self._shown: list[Mute] = []
        with ui.element("section").classes("panel"):
            heading("Your word")
            self._notice = Notice()
            with ui.element("div").classes("row-line"):
                self._at = ui.select({}, label="Point (UTC)").classes("grow")
                self._at.props("outlined dense options-dense")
                button("This is normal", self._normal)
                button("This was an anomaly", self._anomaly)
            with ui.element("div").classes("row-line"):
                button("Mute this key", self._mute_key)
                self._column = labelled(ui.select({}, label="Column"))
                button("Mute this column", self._mute_column)
            self._list = ui.html("", sanitize=False).classes("small")
            self._rules = ui.element("div").classes("stack")
        with ui.element("section").classes("panel"):
            heading("What if")
            self._what_notice = Notice()
            with ui.element("div").classes("row-line"):
                self._inputs = {
                    name: labelled(ui.input(label, placeholder=example))
                    for name, label, example in _OPTIONS
                }
                button("Try over what is kept", self._try)
            self._outlook = ui.html("", sanitize=False).classes("small")
            self._chart = charts.chart(charts.base(), "anomaly-chart")
            self._chart.set_visibility(False)

    def show(
        self, series: SeriesInfo, points: Sequence[Point], alerts: Sequence[Alert],
        words: Sequence[Feedback], mutes: Sequence[Mute],
    ) -> None:  # fmt: skip
        """The series that the page shows now."""
        if self._series is None or self._series.series_id != series.series_id:
            self._outlook.set_content("")
            self._chart.set_visibility(False)
            self._column.set_options(list(series.columns), value=series.columns[0])
        self._series = series
        offered = sorted(points, key=lambda p: (-p.grade, -p.time_ms))[:POINTS_OFFERED]
        options = {p.time_ms: _point_text(p) for p in offered}
        if options != self._at.options:
            kept = self._at.value if self._at.value in options else next(iter(options), None)
            self._at.set_options(options, value=kept)
        self._list.set_content(words_html(words))
        self._show_rules(mutes)

    def _show_rules(self, mutes: Sequence[Mute]) -> None:
        if list(mutes) == self._shown:
            return
        self._shown = list(mutes)
        self._rules.clear()
        with self._rules:
            for rule in mutes:
                with ui.element("div").classes("row-line"):
                    ui.label(rule.sentence).classes("small grow")
                    button("Remove", lambda r=rule.id: self._unmute(r))

    async def _normal(self) -> None:
        await self._say(False)

    async def _anomaly(self) -> None:
        await self._say(True)

    async def _say(self, is_anomaly: bool) -> None:
        if self._series is None or self._at.value is None:
            return
        anomalies, now = self._services.anomalies, self._services.clock.now_ms()
        at = int(self._at.value)
        await self._do(anomalies.say, self._series.series_id, at, is_anomaly, now)

    async def _mute_key(self) -> None:
        if self._series is not None:
            rule = Mute(0, job_id=self._series.job_id, key=self._series.key)
            await self._do(self._services.anomalies.mute, rule, self._services.clock.now_ms())

    async def _mute_column(self) -> None:
        if self._series is not None:
            rule = Mute(0, job_id=self._series.job_id, column=str(self._column.value))
            await self._do(self._services.anomalies.mute, rule, self._services.clock.now_ms())

    async def _unmute(self, rule_id: int) -> None:
        await self._do(self._services.anomalies.unmute, rule_id)

    async def _do(self, work: Callable[..., Any], *arguments: Any) -> None:
        await self._notice.attempt(work, *arguments)
        await self._on_change()

    async def _try(self) -> None:
        if self._series is None:
            return
        given = {name: str(field.value or "") for name, field in self._inputs.items()}
        series = self._series
        outlook = await self._what_notice.attempt(self._tried, series, given)
        if outlook is None:
            return
        self._outlook.set_content(escape(outlook.sentence) + outlook_html(outlook))
        self._chart.options.clear()
        self._chart.options.update(series_chart.options(series, outlook.points[-3000:], []))
        self._chart.set_visibility(True)
        self._chart.update()

    def _tried(self, series: SeriesInfo, given: dict[str, str]) -> Outlook:
        points = self._services.anomalies.points(series.series_id, limit=20_000)
        return what_if(series.columns, points, given)


def _point_text(point: Point) -> str:
    values = ", ".join("–" if v is None else figure(v) for v in point.values[:3])
    mark = " (anomalous)" if point.grade > 0 else ""
    return f"{moment(point.time_ms)}: {values}{mark}"


def words_html(words: Sequence[Feedback]) -> str:
    """What has been said about a series, the newest first."""
    items = "".join(
        f"<li>{moment(w.point_ms)} was said to be {'an anomaly' if w.is_anomaly else 'normal'}; "
        f"it acts from {moment(w.acts_from_ms)} on</li>"
        for w in reversed(words)
    )
    return f"<ul>{items}</ul>" if items else ""


def outlook_html(outlook: Outlook) -> str:
    """The alerts that other options would have raised, the newest first."""
    lines = list(zip(outlook.then, outlook.words, strict=True))[-20:]
    items = "".join(f"<li>{moment(at)}: {escape(words)}</li>" for at, words in reversed(lines))
    return f"<ul>{items}</ul>" if items else ""
