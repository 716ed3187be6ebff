"""``eddyline job``: INSERT jobs of a data directory."""

from __future__ import annotations

from typing import Annotated

import typer

from eddyline.cli.opening import DataDir, Json, opened
from eddyline.cli.terminal import listing, moment, say

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="""List, stop and remove INSERT jobs.

\b
Examples:
  eddyline job list
  eddyline job stop enrich
  eddyline job remove enrich      forget its state, so that it begins anew""",
)
Name = Annotated[str, typer.Argument(help="The job's name or id.")]


@app.command("list")
def list_jobs(data_dir: DataDir = None, as_json: Json = False) -> None:
    """All jobs: what they should do, what they do, what they have counted."""
    with opened(data_dir) as services:
        jobs = services.jobs.list()
    columns = (
        ("job", lambda j: j.job_id),
        ("name", lambda j: j.name),
        ("state", lambda j: j.actual),
        ("rows in", lambda j: j.figures.rows_in if j.figures else None),
        ("rows out", lambda j: j.figures.rows_out if j.figures else None),
        ("restarts", lambda j: j.restarts),
        ("since (UTC)", lambda j: moment(j.created_ms)),
        ("statement", lambda j: " ".join(j.sql.split())[:60]),
        ("error", lambda j: (j.error or {}).get("message", "")),
    )
    listing(jobs, columns, as_json, "no jobs")


@app.command()
def stop(job: Name, data_dir: DataDir = None) -> None:
    """Stop a job after the batch under way. Its state stays: an INSERT of its name goes on."""
    with opened(data_dir) as services:
        found = services.jobs.stop(job)
    say(f"job {found.name or found.job_id} is {found.actual.lower()}")


@app.command()
def remove(job: Name, data_dir: DataDir = None) -> None:
    """Stop a job and forget it and its state."""
    with opened(data_dir) as services:
        services.jobs.remove(job)
    say(f"job {job} is removed")


def register(to: typer.Typer) -> None:
    """Add the commands."""
    to.add_typer(app, name="job")
