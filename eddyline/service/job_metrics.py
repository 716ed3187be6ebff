"""Figures of all jobs in Prometheus' text format, written to a file that ``/metrics`` includes.

The endpoint's workers are processes of their own and know no jobs. The server writes the file every
few seconds while something changes.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from eddyline.service.jobs import RUNNING, JobInfo

FILE = "jobs.prom"
FOLDER = "metrics"
Value = Callable[[Any], float | None]


def _seconds(ms: float | None) -> float | None:
    return None if ms is None else ms / 1000


# Name, kind, meaning, and where the value comes from.
_JOB_ROWS: tuple[tuple[str, str, str, Value], ...] = (
    ("rows_in_total", "counter", "Records that a job has read.", lambda f: f.rows_in),
    ("rows_out_total", "counter", "Rows that a job has written.", lambda f: f.rows_out),
    ("late_rows_total", "counter", "Rows too late for their window.", lambda f: f.late),
    ("filtered_rows_total", "counter", "Rows that WHERE dropped.", lambda f: f.filtered),
    ("bad_records_total", "counter", "Records that did not fit.", lambda f: f.bad_records),
    ("lost_records_total", "counter", "Records gone before they were read.", lambda f: f.lost),
    ("lag_records", "gauge", "Records that wait to be read.", lambda f: f.behind_records),
    ("lag_seconds", "gauge", "Age of the oldest that waits.", lambda f: _seconds(f.behind_ms)),
    ("latency_seconds", "gauge", "From arrival to commit.", lambda f: _seconds(f.latency_ms)),
    ("watermark_seconds", "gauge", "Event time, epoch.", lambda f: _seconds(f.watermark_ms)),
    ("busy_ratio", "gauge", "Share of time spent computing.", lambda f: f.busy),
    ("blocked_ratio", "gauge", "Share of time waiting for the sink.", lambda f: f.blocked),
    ("state_rows", "gauge", "Rows in a job's state.", lambda f: f.state_rows),
    ("state_bytes", "gauge", "Bytes of a job's state on disk.", lambda f: f.state_bytes),
    ("checkpoint_seconds", "gauge", "Duration of a commit.", lambda f: _seconds(f.checkpoint_ms)),
    (
        "checkpoint_timestamp_seconds",
        "gauge",
        "When the last commit was, epoch.",
        lambda f: _seconds(f.checkpoint_at_ms),
    ),
)
_OPERATOR_ROWS: tuple[tuple[str, str, str, Value], ...] = (
    ("rows_in_total", "counter", "Rows that an operator has taken.", lambda o: o.rows_in),
    ("rows_out_total", "counter", "Rows that an operator has given.", lambda o: o.rows_out),
    ("late_rows_total", "counter", "Rows that came too late for it.", lambda o: o.late),
    ("busy_seconds_total", "counter", "Time spent in it.", lambda o: _seconds(o.busy_ms)),
    ("state_rows", "gauge", "Rows that it keeps.", lambda o: o.state_rows),
)


def job_metrics(jobs: Iterable[JobInfo]) -> str:
    """The figures of running and ended jobs."""
    return "".join(f"{line}\n" for line in _lines(list(jobs)))


def _lines(jobs: list[JobInfo]) -> Iterator[str]:
    yield from _head("eddyline_job_up", "gauge", "1 while a job runs.")
    for job in jobs:
        yield f"eddyline_job_up{{{_job(job)}}} {int(job.actual == RUNNING)}"
    yield from _head("eddyline_job_restarts_total", "counter", "Restarts after a failure.")
    for job in jobs:
        yield f"eddyline_job_restarts_total{{{_job(job)}}} {job.restarts}"
    with_figures = [(job, job.figures) for job in jobs if job.figures is not None]
    for name, kind, meaning, value in _JOB_ROWS:
        yield from _head(f"eddyline_job_{name}", kind, meaning)
        for job, figures in with_figures:
            number = value(figures)
            if number is not None:
                yield f"eddyline_job_{name}{{{_job(job)}}} {number}"
    for name, kind, meaning, value in _OPERATOR_ROWS:
        yield from _head(f"eddyline_operator_{name}", kind, meaning)
        for job, figures in with_figures:
            for operator in figures.operators:
                number = value(operator)
                if number is not None:
                    label = f'{_job(job)},operator="{operator.name}"'
                    yield f"eddyline_operator_{name}{{{label}}} {number}"


def _head(name: str, kind: str, words: str) -> Iterator[str]:
    yield f"# HELP {name} {words}"
    yield f"# TYPE {name} {kind}"


def _job(job: JobInfo) -> str:
    name = (job.name or "").replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
    return f'job_id="{job.job_id}",job_name="{name}"'


class JobMetricsFile:
    """Writes the figures where the endpoint looks for them, if they have changed."""

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / FOLDER / FILE
        self._written = ""

    def write(self, jobs: Iterable[JobInfo]) -> None:
        """A full disk must not stop the server: the next turn tries again."""
        text = job_metrics(jobs)
        if text == self._written:
            return
        aside = self._path.with_suffix(f".{os.getpid()}")
        with suppress(OSError):
            self._path.parent.mkdir(exist_ok=True)
            aside.write_text(text, "utf-8")
            aside.replace(self._path)
            self._written = text
