"""``eddyline replay``: a file's records as a stream, with the gaps they once had, or faster."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, cast

import typer

from eddyline.cli.opening import DataDir, Json
from eddyline.cli.sending import (
    EndAfter,
    Endpoint,
    Key,
    Newline,
    Region,
    Sending,
    To,
    only_target,
    remote,
    target_of,
)
from eddyline.cli.terminal import say

if TYPE_CHECKING:
    from eddyline.generator.replay.run import Replay


File = Annotated[
    str, typer.Argument(help="NDJSON, JSON, CSV, Parquet or a log, also compressed; - for stdin.")
]
Format = Annotated[
    str,
    typer.Option(
        "--format",
        help="auto, ndjson, json, csv, parquet, access-log, w3c, alb, syslog, log4j or error-log.",
    ),
]
TimeField = Annotated[
    str | None, typer.Option(help="The field or column that holds the event time.")
]
TimeFormat = Annotated[
    str | None, typer.Option(help="How times are written: %d.%m.%Y %H:%M, or dd.MM.yyyy HH:mm.")
]
Delimiter = Annotated[
    str | None, typer.Option(help="Between the columns of a CSV file; tab for a tabulator.")
]
Decimal = Annotated[str | None, typer.Option(help="The decimal mark: . or a comma.")]
Header = Annotated[
    bool | None, typer.Option("--header/--no-header", help="Whether a CSV file has one.")
]
Names = Annotated[
    str | None, typer.Option(help="The columns of a CSV file without a header: a,b,c.")
]
Day = Annotated[
    str | None, typer.Option(help="The first line's date, for logs with a time of day alone.")
]
Encoding = Annotated[str | None, typer.Option(help="As latin-1 or utf-16.")]


def replay(
    file: File,
    to: To,
    speed: Annotated[str, typer.Option(help="1x: as it was, 60x, or max.")] = "1x",
    time: Annotated[
        str, typer.Option(help="Event times: keep them, or now: begin with this moment.")
    ] = "keep",
    format: Format = "auto",
    time_field: TimeField = None,
    time_format: TimeFormat = None,
    date: Day = None,
    delimiter: Delimiter = None,
    decimal: Decimal = None,
    header: Header = None,
    columns: Names = None,
    encoding: Encoding = None,
    limit: EndAfter = None,
    endpoint: Endpoint = None,
    region: Region = None,
    key: Key = "random",
    newline: Newline = False,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Send a file's records in the order and with the gaps of their event times.

    Lines that cannot be used are left out, counted and named. With --json the counters come as
    one object a second, the last one with "done": true.

    \b
    Examples:
      eddyline replay access.log --to stream:requests --speed 60x
      eddyline replay trips.csv.gz --to stream:trips --speed max --time now
      eddyline replay events.ndjson --to - --time-field created_at
    """
    from eddyline.generator.replay.run import Replay
    from eddyline.generator.replay.spec import ReplaySpec, parse_speed

    own = only_target(to)
    spec = ReplaySpec(
        file,
        remote(own, endpoint),
        speed=parse_speed(speed),
        time=cast(Literal["keep", "now"], time),
        format=format,
        time_field=time_field,
        limit=limit,
        partition_key=key,
        newline=newline,
        endpoint=endpoint,
        region=region,
        time_format=time_format,
        delimiter={"tab": "\t", "\\t": "\t"}.get(delimiter or "", delimiter),
        decimal=decimal,
        header=header,
        columns=None if columns is None else tuple(c.strip() for c in columns.split(",")),
        encoding=encoding,
        date=date,
    )
    spec.check()
    with target_of(spec, data_dir) as target:
        running = Replay(spec, target)
        try:
            Sending(running, as_json=as_json, to_stdout=own == "-").run()
        finally:
            tell_findings(running)


def tell_findings(replay: Replay) -> None:
    """What the file was, and what in it could not be used; to stderr."""
    facts, faults, disorder = replay.facts, replay.faults, replay.disorder
    if facts.style is not None:
        say(f"{facts.format}, event time in {facts.time_field or 'time'} ({facts.style.value})")
    else:
        say(f"{facts.format}, no event time")
    for note in facts.notes:
        say(note)
    if disorder.moved or disorder.late:
        s = "" if disorder.moved == 1 else "s"
        words = f"{disorder.moved:,} record{s} stood out of order and were put right"
        say(words + (f", {disorder.late:,} came too late for that" if disorder.late else ""))
    if faults.count:
        named = "; ".join(f"line {f.line}: {f.reason}" for f in faults.named)
        more = ", …" if faults.count > len(faults.named) else ""
        s = " was" if faults.count == 1 else "s were"
        say(f"warning: {faults.count:,} line{s} left out ({named}{more})")


def register(to: typer.Typer) -> None:
    """Add the command."""
    to.command("replay")(replay)
