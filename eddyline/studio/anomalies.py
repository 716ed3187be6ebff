"""What the forests see: series with scores, anomalies marked, and the reasons in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nicegui import ui

from eddyline.service.anomalies import (
    Alert,
    Alerts,
    FeedbackList,
    IncidentList,
    MuteList,
    Point,
    Points,
    SeriesInfo,
)
from eddyline.service.services import Services
from eddyline.studio import charts, series_chart
from eddyline.studio.alert_words import AlertWords
from eddyline.studio.alerts import alert_rows, incident_rows, reasons, strength
from eddyline.studio.context import StudioContext
from eddyline.studio.listing import Listing
from eddyline.studio.markup import (
    clock_time,
    duration,
    escape,
    figure,
    moment,
    number,
    plural,
    state,
)
from eddyline.studio.shell import Page, button, empty, every, heading, page

ALERTS_SHOWN, ALERTS_READ, SERIES_SHOWN, TABLE_ROWS = 30, 1000, 100, 50
INCIDENTS_SHOWN = 10
WINDOWS = {120: "120 points", 300: "300 points", 1000: "1,000 points", 3000: "3,000 points"}
ALL_JOBS = ""
_KEYS = (("/", "Filter by key"), ("l", "Back to the newest points"))
_COLUMNS = (
    ("Series", "wide"),
    ("Statement", "narrow-hidden"),
    ("Columns", "narrow-hidden"),
    ("Points", "num"),
    ("Anomalies", "num"),
    ("Newest (UTC)", "num"),
)


@dataclass(frozen=True, slots=True)
class AnomaliesData:
    """What one look found. ``points`` are those of ``series``, oldest first."""

    all: list[SeriesInfo]
    names: dict[str, str]
    alerts: Alerts
    series: SeriesInfo | None
    points: Points
    now_ms: int
    incidents: IncidentList
    words: FeedbackList
    mutes: MuteList


def register(context: StudioContext) -> None:
    """Add the page."""

    @ui.page("/anomalies")
    def anomalies(series: str = "", at: int | None = None) -> None:
        with page("anomalies", "Anomalies", keys=_KEYS) as built:
            AnomaliesPage(context, built, series, at)


class AnomaliesPage:
    """The page. ``at``: look at the points around that time; None: at the newest."""

    def __init__(self, context: StudioContext, built: Page, series_id: str, at: int | None) -> None:
        self._services = context.services
        self._requested = series_id
        self._at = at
        self._drawn: object = None
        self._job, self._key, self._window = ALL_JOBS, "", 300
        with built.actions:
            self._build_filters()
        with empty(
            "No anomalies are looked for yet",
            "A statement with RANDOM_CUT_FOREST or DETECT_ANOMALIES scores a series and puts it "
            "here. The note of the click-through-rate lab has one.",
        ) as self._empty:
            button("Open the notes", lambda: ui.navigate.to("/notes"), kind="main")
        with ui.element("div").classes("columns wide-left") as self._body:
            self._build_series()
            with ui.element("section").classes("panel alerts"):
                self._incidents = ui.html("", sanitize=False).classes("scroll")
                heading("Anomalies")
                self._alerts = ui.html("", sanitize=False).classes("scroll")
                minutes = duration(context.settings.alert_cool_down_ms)
                ui.label(
                    f"Anomalous points within {minutes} of each other are one anomaly. "
                    "Times are UTC."
                ).classes("muted small")
        with ui.element("div").classes("columns wide-left") as self._panels:
            self._words = AlertWords(self._services, self._chosen_again)
        with ui.element("section").classes("stack") as self._lists:
            heading("Series")
            self._listing = Listing(_COLUMNS, "Series")
        self._refresh = every(1.0, self._pull, self._show)

    def _build_filters(self) -> None:
        self._jobs = ui.select({ALL_JOBS: "All statements"}, value=ALL_JOBS)
        self._jobs.props('outlined dense options-dense aria-label="Statement"').classes("filter")
        self._jobs.on_value_change(self._chosen)
        self._keys = ui.input(placeholder="Filter by key").props("outlined dense clearable")
        self._keys.props('aria-label="Filter by key" data-focus="/" debounce=250')
        self._keys.classes("filter").on_value_change(self._chosen)

    def _build_series(self) -> None:
        with ui.element("section").classes("panel"):
            with ui.element("div").classes("row-line"):
                self._title = heading("").classes("grow")
                self._state = ui.html("", sanitize=False)
                self._live = button("Newest", self._go_live, icon="update", key="l")
                windows = ui.select(WINDOWS, value=self._window, on_change=self._widened)
                windows.props('outlined dense options-dense aria-label="Points shown"')
            self._facts = ui.html("", sanitize=False).classes("muted small")
            self._chart = charts.chart(charts.base(), "anomaly-chart")
            self._table = ui.html("", sanitize=False).classes("grid-frame")
            self._table.props('tabindex=0 role=region aria-label="Scored points"')

    async def _chosen(self) -> None:
        self._job, self._key = str(self._jobs.value), str(self._keys.value or "").strip()
        self._requested, self._at = "", None
        await self._refresh.now()

    async def _widened(self, event: object) -> None:
        self._window = int(getattr(event, "value", 300))
        await self._refresh.now()

    async def _chosen_again(self) -> None:
        self._drawn = None
        await self._refresh.now()

    async def _go_live(self) -> None:
        self._at = None
        await self._refresh.now()

    def _pull(self) -> AnomaliesData:
        services = self._services
        every_one = services.anomalies.series()
        names = statements(services, every_one)
        shown = [s for s in every_one if self._fits(s.job_id, s.key, s.series_id)]
        alerts = services.anomalies.alerts(ALERTS_READ)
        alerts = [a for a in alerts if self._fits(a.job_id, a.key, a.series_id)]
        series = _chosen(shown, self._requested, alerts)
        points = self._points(series) if series else []
        words = services.anomalies.feedback(series.series_id) if series else []
        mutes = services.anomalies.mutes()
        incidents = [
            i for i in services.anomalies.incidents(INCIDENTS_SHOWN) if self._job in ("", i.job_id)
        ]
        now_ms = services.clock.now_ms()
        return AnomaliesData(shown, names, alerts, series, points, now_ms, incidents, words, mutes)

    def _fits(self, job_id: str, key: str, series_id: str) -> bool:
        if self._requested == series_id:
            return True
        return self._job in (ALL_JOBS, job_id) and self._key.lower() in key.lower()

    def _points(self, series: SeriesInfo) -> Points:
        read = self._services.anomalies.points
        if self._at is None:
            return read(series.series_id, limit=self._window)
        points = read(series.series_id, limit=20_000)
        middle = next((i for i, p in enumerate(points) if p.time_ms >= (self._at or 0)), 0)
        first = max(0, min(middle - self._window // 2, len(points) - self._window))
        return points[first : first + self._window]

    def _show(self, seen: AnomaliesData) -> None:
        some = seen.series is not None
        filtered = self._job != ALL_JOBS or bool(self._key)
        self._empty.set_visibility(not some and not filtered)
        self._body.set_visibility(some)
        self._panels.set_visibility(some)
        self._incidents.set_content(incident_rows(seen.incidents, seen.now_ms))
        self._lists.set_visibility(bool(seen.all) or filtered)
        self._live.set_visibility(self._at is not None)
        options = {ALL_JOBS: "All statements", **seen.names}
        if self._jobs.options != options:
            self._jobs.set_options(options, value=self._jobs.value)
        newest = seen.alerts[:ALERTS_SHOWN]
        self._alerts.set_content(alert_rows(newest, seen.now_ms) or _NONE)
        self._listing.show(
            {s.series_id: _cells(s, seen.names, seen.series) for s in seen.all[:SERIES_SHOWN]}
        )
        if seen.series is not None:
            self._draw(seen.series, seen)

    def _draw(self, series: SeriesInfo, seen: AnomaliesData) -> None:
        alerts = [a for a in seen.alerts if a.series_id == series.series_id]
        self._words.show(series, seen.points, alerts, seen.words, seen.mutes)
        last = seen.points[-1].time_ms if seen.points else None
        drawn = (series.series_id, last, len(seen.points), len(alerts), self._at)
        if drawn == self._drawn:
            return
        self._drawn = drawn
        self._requested = series.series_id  # so that the page stays where it is
        self._title.set_content(escape(name_of(series)))
        self._state.set_content(_standing(seen.points))
        self._facts.set_content(escape(_facts(series, seen.names, seen.points)))
        self._chart.options.clear()
        self._chart.options.update(series_chart.options(series, seen.points, alerts))
        self._chart.update()
        self._table.set_content(points_table(series.columns, seen.points, TABLE_ROWS))


_NONE = (
    '<p class="muted small">None so far. A forest first learns what is ordinary: for as many rows '
    "as its sub-sample is large it stays silent.</p>"
)


def _chosen(
    shown: Sequence[SeriesInfo], requested: str, alerts: Sequence[Alert]
) -> SeriesInfo | None:
    """The series asked for; else that of the newest anomaly; else the one with the newest point."""
    by_id = {s.series_id: s for s in shown}
    for series_id in (requested, *(a.series_id for a in alerts)):
        if series_id in by_id:
            return by_id[series_id]
    return shown[0] if shown else None


def statements(services: Services, series: Sequence[SeriesInfo]) -> dict[str, str]:
    """What the statements of these series are called: a job by its note or name."""
    notes = {f"note:{note.id}": note.name for note in services.notes.list()}
    jobs = {job.job_id: job for job in services.jobs.list()}
    statements = {}
    for job_id in dict.fromkeys(s.job_id for s in series):
        job = jobs.get(job_id)
        where = notes.get(job.session) if job else None
        called = (job.name if job else None) or where
        statements[job_id] = called or (f"Job {job_id}" if job else f"Query {job_id[:8]}")
    return _distinct(statements)


def _distinct(names: dict[str, str]) -> dict[str, str]:
    """Statements of one name get a part of their id."""
    counts: dict[str, int] = {}
    for name in names.values():
        counts[name] = counts.get(name, 0) + 1
    return {
        job_id: name if counts[name] == 1 else f"{name} · {job_id[:6]}"
        for job_id, name in names.items()
    }


def name_of(series: SeriesInfo) -> str:
    """A series as people call it: its key; without one its columns."""
    return series.key or ", ".join(series.columns)


def _cells(series: SeriesInfo, names: dict[str, str], shown: SeriesInfo | None) -> list[str]:
    from urllib.parse import quote

    to = f"/anomalies?series={quote(series.series_id, safe='')}"
    current = ' aria-current="true"' if shown and shown.series_id == series.series_id else ""
    return [
        f'<a href="{escape(to)}"{current}>{escape(name_of(series))}</a>',
        escape(names.get(series.job_id, series.job_id)),
        escape(", ".join(series.columns)),
        number(series.points),
        number(series.alerts),
        escape(moment(series.last_ms)),
    ]


def _standing(points: Points) -> str:
    if not points:
        return state("NO POINTS YET")
    return state("ANOMALOUS") if points[-1].grade > 0 else state("ORDINARY")


def _facts(series: SeriesInfo, names: dict[str, str], points: Points) -> str:
    parts = [names.get(series.job_id, series.job_id), plural(series.points, "point")]
    parts.append(plural(series.alerts, "anomaly", "anomalies"))
    if points:
        parts.append(
            f"shown {clock_time(points[0].time_ms)} – {clock_time(points[-1].time_ms)} UTC"
        )
    return " · ".join(parts)


def points_table(columns: Sequence[str], points: Sequence[Point], rows_max: int) -> str:
    """The newest points as a table, newest first; anomalous ones are marked and explained."""
    names = ["time (UTC)", *columns, *(f"{c}, expected" for c in columns), "score", "grade", "why"]
    texts = {"time (UTC)", "why"}
    marks = ["" if name in texts else ' class="num"' for name in names]
    head = "".join(
        f'<th scope="col"{m}>{escape(n)}</th>' for n, m in zip(names, marks, strict=True)
    )
    rows = "".join(_point_row(p, len(columns), marks) for p in reversed(points[-rows_max:]))
    return f'<table class="grid"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'


def _point_row(point: Point, width: int, marks: Sequence[str]) -> str:
    expected: Sequence[float | None] = point.expected or [None] * width
    values = ["–" if v is None else figure(v) for v in [*point.values, *expected]]
    unusual = point.grade > 0
    why = f"{strength(point.grade)}: {reasons(point.explanation)}" if unusual else ""
    cells = [moment(point.time_ms), *values, f"{point.score:.2f}", f"{point.grade:.2f}", why]
    shown = "".join(f"<td{m}>{escape(c)}</td>" for c, m in zip(cells, marks, strict=True))
    return f'<tr class="odd-one">{shown}</tr>' if unusual else f"<tr>{shown}</tr>"
