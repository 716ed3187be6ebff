"""One job: its figures, the graph of its operators, its shards, its failures and its statement."""

from __future__ import annotations

from dataclasses import dataclass

from nicegui import run, ui

from eddyline.errors import EddylineError
from eddyline.service.events import JobFigures, OperatorFigures, ShardFigures
from eddyline.service.jobs import FAILED, RUNNING, STOPPED, JobFailures, JobInfo
from eddyline.studio.context import StudioContext
from eddyline.studio.jobs import title_of
from eddyline.studio.listing import Listing
from eddyline.studio.markup import duration, escape, number, state, when
from eddyline.studio.notice import Notice
from eddyline.studio.operator_graph import graph_html
from eddyline.studio.shell import Page, button, confirm, every, heading, mark_missing, page

_OPERATORS = (
    ("Operator", "wide"),
    ("Rows in", "num"),
    ("Rows out", "num"),
    ("Late", "num narrow-hidden"),
    ("Filtered", "num narrow-hidden"),
    ("Bad records", "num narrow-hidden"),
    ("Time spent", "num"),
    ("State rows", "num narrow-hidden"),
    ("Watermark (UTC)", "num narrow-hidden"),
)
_SHARDS = (
    ("Shard", "wide"),
    ("Position", "num"),
    ("Records behind", "num"),
    ("Behind", "num narrow-hidden"),
    ("Watermark (UTC)", "num narrow-hidden"),
    ("State", ""),
)
_FAILURES = (("When (UTC)", ""), ("Attempt", "num"), ("Failure", "wide"))


@dataclass(frozen=True, slots=True)
class _JobData:
    job: JobInfo
    failures: JobFailures
    now_ms: int


def register(context: StudioContext) -> None:
    """Add the page."""

    @ui.page("/jobs/{job_id}")
    async def job(job_id: str) -> None:
        try:
            job = await run.io_bound(context.services.jobs.get, job_id)
            assert job is not None, "the server is not stopping"
        except EddylineError as error:
            mark_missing()
            with page("jobs", "No such job", crumb=("/jobs", "Jobs")):
                Notice().error(error)
            return
        with page("jobs", title_of(job), crumb=("/jobs", "Jobs")) as built:
            JobPage(context, built, job.job_id)


class JobPage:
    """The page of a job."""

    def __init__(self, context: StudioContext, built: Page, job_id: str) -> None:
        self._services = context.services
        self._id = job_id
        with built.actions:
            self._state = ui.html("", sanitize=False)
            self._start = button(
                "Start", self._started, icon="play_arrow", hint="It goes on with its own statement"
            )
            self._stop = button("Stop", self._stopped, icon="stop", hint="Its state stays")
            button("Remove", self._removed, icon="delete", hint="The job and its state")
        self._notice = Notice()
        self._error = ui.html("", sanitize=False)
        self._facts = ui.html("", sanitize=False)
        with ui.element("section").classes("stack") as self._operators_place:
            heading("Operators")
            self._graph = ui.html("", sanitize=False)
            self._operators = Listing(_OPERATORS, "Operators")
        with ui.element("section").classes("stack") as self._shards_place:
            heading("Shards")
            self._shards = Listing(_SHARDS, "Shards")
        with ui.element("section").classes("stack") as self._failures_place:
            heading("Failures")
            self._failures = Listing(_FAILURES, "Failures")
        with ui.element("section").classes("stack"):
            heading("Statement")
            self._sql = ui.html("", sanitize=False)
        every(1.0, self._pull, self._show)

    def _pull(self) -> _JobData:
        jobs = self._services.jobs
        job = jobs.get(self._id)
        return _JobData(job, jobs.failures(self._id), self._services.clock.now_ms())

    def _show(self, seen: _JobData) -> None:
        job, figures = seen.job, seen.job.figures
        _put(self._state, state(job.actual))
        self._stop.set_enabled(job.desired == RUNNING)
        self._start.set_enabled(job.actual in (STOPPED, FAILED))
        message = escape(job.error.get("message", "")) if job.error else ""
        _put(self._error, f'<div class="notice">{message}</div>' if message else "")
        _put(self._facts, facts_html(job, seen.now_ms))
        _put(self._sql, f'<pre class="ddl">{escape(job.sql)}</pre>')
        operators = figures.operators if figures else []
        self._operators_place.set_visibility(bool(operators))
        _put(self._graph, graph_html(operators))
        self._operators.show({o.name: _operator(o, seen.now_ms) for o in operators})
        shards = figures.shards if figures else []
        self._shards_place.set_visibility(bool(shards))
        self._shards.show({f"{s.source} {s.shard}": _shard(s, seen.now_ms) for s in shards})
        self._failures_place.set_visibility(bool(seen.failures))
        self._failures.show(
            {
                f"{f.at_ms}-{f.incarnation}": [
                    when(f.at_ms, seen.now_ms),
                    str(f.incarnation),
                    escape(str(f.error.get("message", ""))),
                ]
                for f in seen.failures
            }
        )

    async def _started(self) -> None:
        await self._notice.attempt(self._services.jobs.start, self._id)

    async def _stopped(self) -> None:
        await self._notice.attempt(self._services.jobs.stop, self._id)

    async def _removed(self) -> None:
        words = "Its state is gone for good: the same INSERT starts over."
        if not await confirm("Remove this job?", words, "Remove the job"):
            return
        if await self._notice.does(self._services.jobs.remove, self._id):
            ui.navigate.to("/jobs")


def _put(element: ui.html, content: str) -> None:
    if element.content != content:
        element.set_content(content)


def facts_html(job: JobInfo, now_ms: int) -> str:
    """The job's figures as a list of terms and values."""
    pairs = [
        ("Since (UTC)", when(job.created_ms, now_ms)),
        ("Restarts", str(job.restarts)),
        *_figures(job.figures or JobFigures(), now_ms),
    ]
    rows = "".join(f"<div><dt>{term}</dt><dd>{escape(value)}</dd></div>" for term, value in pairs)
    return f'<dl class="facts">{rows}</dl>'


def _figures(figures: JobFigures, now_ms: int) -> list[tuple[str, str]]:
    """(term, value) of what is known."""
    pairs = [
        ("Rows in", number(figures.rows_in)),
        ("Rows out", number(figures.rows_out)),
        ("Late", number(figures.late)),
        ("Busy", f"{figures.busy:.0%}"),
        ("Waiting for the sink", f"{figures.blocked:.0%}"),
        ("Records behind", number(figures.behind_records)),
    ]
    if figures.watermark_ms is not None:
        pairs.append(("Watermark (UTC)", when(figures.watermark_ms, now_ms)))
    if figures.checkpoint_at_ms is not None:
        took = "" if figures.checkpoint_ms is None else f" in {round(figures.checkpoint_ms)} ms"
        pairs.append(("Last commit (UTC)", when(figures.checkpoint_at_ms, now_ms) + took))
    if figures.state_rows is not None:
        size = "" if figures.state_bytes is None else f", {figures.state_bytes / 2**20:,.1f} MiB"
        pairs.append(("State", f"{number(figures.state_rows)} rows{size}"))
    return pairs


def _operator(figures: OperatorFigures, now_ms: int) -> list[str]:
    watermark = figures.watermark_ms
    columns = escape(", ".join(figures.columns))
    return [
        f'<div class="strong clip">{escape(figures.name)}</div>'
        f'<div class="small muted clip" title="{columns}">{columns}</div>',
        number(figures.rows_in),
        number(figures.rows_out),
        number(figures.late),
        number(figures.filtered),
        number(figures.bad_records),
        duration(round(figures.busy_ms)),
        "–" if figures.state_rows is None else number(figures.state_rows),
        "–" if watermark is None else when(watermark, now_ms),
    ]


def _shard(figures: ShardFigures, now_ms: int) -> list[str]:
    watermark = figures.watermark_ms
    words = "holds the watermark back" if figures.holds_back else "idle" if figures.idle else "read"
    return [
        f'{escape(figures.shard)} <span class="small muted">{escape(figures.source)}</span>',
        number(figures.position),
        number(figures.behind_records),
        duration(figures.behind_ms),
        "–" if watermark is None else when(watermark, now_ms),
        words,
    ]
