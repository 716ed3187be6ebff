"""``eddyline job``: INSERT jobs of a data directory."""

from __future__ import annotations

import sys
import threading
from typing import Annotated

import typer

from eddyline.cli.job_savepoints import add_savepoints
from eddyline.cli.job_view import TOP_COLUMNS, Top, show_job
from eddyline.cli.names import job_names
from eddyline.cli.opening import DataDir, Json, need_server, opened
from eddyline.cli.sql import start_choice
from eddyline.cli.terminal import line, listing, moment, outcome
from eddyline.clock import SYSTEM
from eddyline.errors import EddylineError

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="""List, watch, stop and remove INSERT jobs.

\b
Examples:
  eddyline job list
  eddyline job show enrich        figures by operator and shard, why it writes nothing, failures
  eddyline job top                rates, lag and busy share of all jobs, live
  eddyline job logs enrich        its log
  eddyline job dead-letters enrich   records that it has set aside
  eddyline job stop enrich
  eddyline job start enrich       go on with its statement and state
  eddyline job savepoint enrich   stop it and keep a copy of its state
  eddyline job restore before --name copy   start another job from a savepoint
  eddyline job remove enrich      forget its state, so that it starts over""",
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
        dead_letters = services.dead_letters.count(info.job_id)
    if as_json:
        line({"job": info, "failures": failures, "dead_letters": dead_letters})
        return
    show_job(info, failures, dead_letters)


@app.command()
def top(
    every: Annotated[float, typer.Option(min=0.2, help="Seconds between two looks.")] = 2.0,
    count: Annotated[
        int | None, typer.Option("--count", "-n", min=1, help="Look this often, then end.")
    ] = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """All jobs with their rates, lag, busy share and state, again and again; Ctrl-C ends it.

    \b
    Examples:
      eddyline job top
      eddyline job top --every 10 --json
      eddyline job top -n 2           the second look has rates
    """
    view, done = Top(), 0
    with opened(data_dir) as services:
        while True:
            rows = view.rows(services.jobs.list())
            if as_json:
                line({"at_ms": SYSTEM.now_ms(), "jobs": rows})
            else:
                if sys.stdout.isatty():
                    sys.stdout.write("\x1b[2J\x1b[H")
                listing(rows, TOP_COLUMNS, False, "no jobs")
            done += 1
            if count is not None and done >= count:
                return
            SYSTEM.wait(threading.Event(), every)


@app.command()
def logs(
    job: Name,
    lines: Annotated[int, typer.Option("--lines", "-n", min=1, help="How many lines.")] = 100,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """The newest lines of a job's log: starts, warnings, failures.

    \b
    Examples:
      eddyline job logs enrich
      eddyline job logs enrich -n 1000
    """
    with opened(data_dir) as services:
        texts = services.jobs.log(job, lines)
    for text in texts:
        if as_json:
            line({"line": text})
        else:
            sys.stdout.write(text + "\n")


@app.command("dead-letters")
def dead_letters(
    job: Name,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="How many to show.")] = 100,
    replay: Annotated[
        bool, typer.Option("--replay", help="Put them back into their streams, and forget them.")
    ] = False,
    clear: Annotated[bool, typer.Option("--clear", help="Forget them.")] = False,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Records that a job has set aside ('bad-records' = 'dead-letter'), and why.

    A record that is put back arrives again, at the end of its stream, for every reader of it.

    \b
    Examples:
      eddyline job dead-letters enrich
      eddyline job dead-letters enrich --json
      eddyline job dead-letters enrich --replay     once the cause is mended
    """
    if replay and clear:
        hint = "--replay forgets what it has put back"
        raise EddylineError("invalid_argument", "choose --replay or --clear", hint=hint)
    with opened(data_dir) as services:
        job_id = services.jobs.get(job).job_id
        if replay or clear:
            letters = services.dead_letters
            number = letters.replay(job_id) if replay else letters.clear(job_id)
        else:
            rows = services.dead_letters.list(job_id, limit)
    if replay or clear:
        key, words = ("replayed", "put back") if replay else ("cleared", "forgotten")
        outcome({"job": job_id, key: number}, f"{number} records were {words}", as_json)
        return
    columns = (
        ("table", lambda d: d.table),
        ("shard", lambda d: d.shard),
        ("sequence number", lambda d: d.sequence_number),
        ("arrival (UTC)", lambda d: moment(d.arrival_ms)),
        ("field", lambda d: d.field or None),
        ("reason", lambda d: d.reason),
        ("record", lambda d: d.text[:200]),
    )
    listing(rows, columns, as_json, "no dead letters")


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
def start(
    job: Name,
    from_positions: Annotated[
        bool, typer.Option("--from-positions", help="It reads on, but with empty state.")
    ] = False,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="It starts over; what it has written stays.")
    ] = False,
    from_state: Annotated[
        bool, typer.Option("--from-state", help="It goes on from its state (the default).")
    ] = False,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Start a job that has stopped or failed, with its statement and its tables as they were.

    After a change of the statement, or of a table, run the INSERT again with eddyline sql under the
    job's --name: it goes on from the same state.

    \b
    Examples:
      eddyline job start enrich
      eddyline job start enrich --from-positions
    """
    choice = start_choice(fresh, from_positions, from_state)
    need_server(data_dir)
    with opened(data_dir) as services:
        started = services.jobs.start(job, choice)
    if started.error is not None:
        error = started.error
        raise EddylineError(
            error["code"], error["message"], detail=error.get("detail"), hint=error.get("hint")
        )
    name = started.name or started.job_id
    outcome(started, f"job {name} is {started.actual.lower()}", as_json)


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
    add_savepoints(app)
    to.add_typer(app, name="job")
