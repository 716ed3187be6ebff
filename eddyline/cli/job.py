"""``eddyline job``: INSERT jobs of a data directory."""

from __future__ import annotations

from typing import Annotated

import typer

from eddyline.cli.names import job_names
from eddyline.cli.opening import DataDir, Json, opened
from eddyline.cli.terminal import line, listing, moment, outcome, table

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="""List, stop and remove INSERT jobs.

\b
Examples:
  eddyline job list
  eddyline job show enrich        counters, why it writes nothing, failures
  eddyline job stop enrich
  eddyline job savepoint enrich   stop it and keep a copy of its state
  eddyline job remove enrich      forget its state, so that it begins anew""",
)
Name = Annotated[str, typer.Argument(help="The job's name or id.", autocompletion=job_names)]


@app.command("list")
def list_jobs(data_dir: DataDir = None, as_json: Json = False) -> None:
    """All jobs: their states, counters and errors.

    \b
    Examples:
      eddyline job list
      eddyline job list --json
    """
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
def show(job: Name, data_dir: DataDir = None, as_json: Json = False) -> None:
    """One job: its state, counters, why it writes nothing, and its failures.

    \b
    Examples:
      eddyline job show enrich
    """
    with opened(data_dir) as services:
        info = services.jobs.get(job)
        failures = services.jobs.failures(job)
    if as_json:
        line({"job": info, "failures": failures})
        return
    f = info.figures
    facts: list[tuple[str, object]] = [
        ("job", info.job_id),
        ("name", info.name),
        ("state", info.actual),
        ("should be", info.desired),
        ("since (UTC)", moment(info.created_ms)),
        ("starts", info.incarnation),
        ("restarts", info.restarts),
        ("statement", info.sql),
    ]
    if f is not None:
        facts += [
            ("rows in", f.rows_in),
            ("rows out", f.rows_out),
            ("filtered", f.filtered),
            ("late", f.late),
            ("bad records", f.bad_records),
            ("lost before reading", f.lost),
            ("too far ahead", f.held),
            ("watermark (UTC)", None if f.watermark_ms is None else moment(f.watermark_ms)),
            ("behind (ms)", f.behind_ms),
            ("latency (ms)", f.latency_ms),
        ]
    facts += [("why", reason) for reason in info.why]
    facts += [
        ("failure", f"{moment(x.at_ms)} start {x.incarnation}: {x.error.get('message')}")
        for x in failures
    ]
    shown = [["" if v is None else str(v) for v in fact] for fact in facts]
    table(["", ""], shown)


@app.command()
def stop(job: Name, data_dir: DataDir = None, as_json: Json = False) -> None:
    """Stop a job after the current batch. Its state is kept for an INSERT of the same name.

    \b
    Examples:
      eddyline job stop enrich
    """
    with opened(data_dir) as services:
        stopped = services.jobs.stop(job)
    outcome(stopped, f"job {stopped.name or stopped.job_id} is {stopped.actual.lower()}", as_json)


@app.command()
def savepoint(
    job: Name,
    name: Annotated[str | None, typer.Argument(help="The savepoint's name.")] = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Stop a job and copy its state, for other jobs to start from.

    SET 'execution.savepoint.path' = 'NAME' lets the next INSERT start from it.

    \b
    Examples:
      eddyline job savepoint enrich before-upgrade
    """
    with opened(data_dir) as services:
        taken = services.savepoints.take(services.jobs.stop(job), name)
    outcome(taken, f"job {job} is stopped; its savepoint is {taken.name}", as_json)


@app.command()
def savepoints(
    delete: Annotated[str | None, typer.Option(help="Delete the savepoint of this name.")] = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """All savepoints, oldest first.

    \b
    Examples:
      eddyline job savepoints
      eddyline job savepoints --delete before-upgrade
    """
    with opened(data_dir) as services:
        if delete is not None:
            services.savepoints.remove(delete)
        infos = services.savepoints.list()
    columns = (
        ("savepoint", lambda s: s.name),
        ("job", lambda s: s.job_name or s.job_id),
        ("taken (UTC)", lambda s: moment(s.created_ms)),
        ("bytes", lambda s: s.size_bytes),
        ("statement", lambda s: " ".join(s.sql.split())[:60]),
    )
    listing(infos, columns, as_json, "no savepoints")


@app.command()
def remove(job: Name, data_dir: DataDir = None, as_json: Json = False) -> None:
    """Stop a job and delete it and its state.

    \b
    Examples:
      eddyline job remove enrich
    """
    with opened(data_dir) as services:
        services.jobs.remove(job)
    outcome({"job": job, "removed": True}, f"job {job} is removed", as_json)


def register(to: typer.Typer) -> None:
    """Add the commands."""
    to.add_typer(app, name="job")
