"""``eddyline detect``: a file of numbers in, each row with its score out, and a picture."""

from __future__ import annotations

import csv
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from eddyline.anomaly.choices import CHOICES, Choices
from eddyline.cli.opening import DataDir, Json
from eddyline.cli.terminal import line, say
from eddyline.errors import EddylineError, nearest

if TYPE_CHECKING:
    import pyarrow as pa

    from eddyline.anomaly.options import DetectorOptions
    from eddyline.cli.detect_file import Judged

BYTES_MAX = 1 << 30
ALERTS_SAID = 20
# Options that have no meaning for rows without times.
OF_TIMED_ROWS = ("season", "time_zone", "holidays")


def _choice(name: str) -> Any:
    """An option of the detector, from the table that SQL reads, too."""
    (choice,) = (c for c in CHOICES if c.name == name)
    return typer.Option(help=f"{choice.summary[:-1]}; example: {choice.example}.")


def detect(
    file: Annotated[Path, typer.Argument(help="CSV, NDJSON (gzip, too) or Parquet.")],
    columns: Annotated[
        str | None, typer.Option(help="Columns to judge together, by commas; else all numbers.")
    ] = None,
    key: Annotated[
        str | None, typer.Option(help="Column with a series' name; a model each.")
    ] = None,
    picture: Annotated[
        Path | None, typer.Option(help="Draw the series into this SVG file.")
    ] = None,
    alerts: Annotated[
        bool, typer.Option("--alerts", help="Print rows with an alert only.")
    ] = False,
    as_table: Annotated[
        bool | None,
        typer.Option("--table/--rows", help="Alerts as a table (on a terminal), or rows."),
    ] = None,
    false_alarms: Annotated[str, _choice("false_alarms")] = "",
    season: Annotated[str, _choice("season")] = "",
    shares: Annotated[str, _choice("shares")] = "",
    laws: Annotated[str, _choice("laws")] = "",
    minimum_change: Annotated[str, _choice("minimum_change")] = "",
    time_zone: Annotated[str, _choice("time_zone")] = "",
    holidays: Annotated[str, _choice("holidays")] = "",
    time: Annotated[str | None, typer.Option(help="Column of times; else the only one.")] = None,
    trees: Annotated[int, typer.Option(help="Trees a forest.")] = 100,
    samples: Annotated[int, typer.Option(help="Rows a tree samples.")] = 256,
    shingle: Annotated[int, typer.Option(help="Successive rows that make a point.")] = 1,
    seed: Annotated[int, typer.Option(help="The same seed gives the same scores.")] = 0,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Score the rows of a file, in their order, each by the rows before it.

    Rows come as CSV (with --json as JSON), with score, grade and alert appended; alerts are told
    in words on stderr. A terminal shows the alerts as a table instead. A row without a number in
    some column has score 0 and teaches nothing. No server is needed.

    \b
    Examples:
      eddyline detect rates.csv --columns rate --picture rates.svg > scored.csv
      eddyline detect pages.ndjson --key page --alerts --json
    """
    from eddyline.anomaly.options import DetectorOptions, ForestOptions
    from eddyline.cli.detect_file import judge, load

    if as_table and (as_json or alerts):
        msg = "--table shows alerts for a person to read; --json and --alerts print rows"
        raise EddylineError("invalid_argument", msg, hint="leave one of them out")
    forest = ForestOptions(trees, samples, 100_000, shingle, seed)
    choices = Choices(season, shares, laws, minimum_change, time_zone, holidays)
    options = DetectorOptions(forest, false_alarms=false_alarms, choices=choices)
    forest.validate()
    table = load(_checked(file))
    wanted = [c.strip() for c in columns.split(",")] if columns else []
    _check_names(file, table, [*wanted, *(name for name in (key, time) if name)])
    time = _time(file, table, key, time, options)
    judged = judge(table, wanted, key, options, time)
    _tell_reading(judged, key, time, all_numbers=not wanted)
    if as_table or (as_table is None and sys.stdout.isatty() and not alerts and not as_json):
        _print_table(judged)
    else:
        _print(judged, alerts, as_json)
        _tell(judged)
    say(_summary(judged))
    if picture is not None:
        _draw(judged, picture)


def _draw(judged: Judged, picture: Path) -> None:
    from eddyline.cli.detect_picture import svg

    picture.write_text(svg(judged), "utf-8")
    say(f"{picture} shows {judged.label(judged.chief)}")


def _check_names(file: Path, table: pa.Table, names: list[str]) -> None:
    for name in names:
        if name not in table.column_names:
            near = nearest(name, table.column_names) or table.column_names[:5]
            msg = f"{file} has no column {name}"
            raise EddylineError("not_found", msg, hint=f"it has {', '.join(near)}")


def _time(
    file: Path, table: pa.Table, key: str | None, time: str | None, options: DetectorOptions
) -> str | None:
    """The column of times: the one that is named, else the only one."""
    from eddyline.anomaly.rates import FalseAlarms
    from eddyline.cli.detect_time import time_column

    time = time or time_column(table, key)
    if time is not None:
        return time
    rate, hint = options.false_alarms, "name one with --time"
    need = [f"--{n.replace('_', '-')}" for n in OF_TIMED_ROWS if getattr(options.choices, n)]
    if rate and FalseAlarms.parse(rate).per_week:
        need, hint = [rate], f"{hint}, or use --false-alarms '0.5/10000 rows'"
    if need:
        msg = f"{need[0]} needs times, and no single column of {file} holds timestamps"
        raise EddylineError("invalid_argument", msg, hint=hint)
    return None


def _tell_reading(judged: Judged, key: str | None, time: str | None, *, all_numbers: bool) -> None:
    """How the file was read: its times and what is odd about them, and what was left out."""
    from eddyline.cli.detect_file import measures
    from eddyline.cli.detect_time import holds_times, oddities, unit_of

    if time is not None:
        unit = unit_of(judged.table[time])
        say(f"times are those of column {time}" + (f", in {unit} since 1970" if unit else ""))
        for sentence in oddities(judged.keys, judged.times, judged.zone):
            say(sentence)
    left_out = sorted(set(measures(judged.table, key, time)[1]) - set(judged.columns))
    times = [name for name in left_out if holds_times(judged.table, name)]
    counters = [name for name in left_out if name not in times]
    for names, why in ((times, "holds times"), (counters, "counts rows")):
        if all_numbers and names:
            shown = ", ".join(name or "(without a name)" for name in names)
            say(f"left out, since it {why}: {shown}; --columns takes it in")


def _checked(file: Path) -> Path:
    if not file.is_file():
        raise EddylineError(
            "not_found", f"there is no file {file}", hint="give a CSV, NDJSON or Parquet file"
        )
    if file.stat().st_size > BYTES_MAX:
        msg = f"{file} is larger than {BYTES_MAX >> 30} GiB"
        hint = "replay it into a stream and use RANDOM_CUT_FOREST"
        raise EddylineError("limit_exceeded", msg, hint=hint)
    return file


def _print(judged: Judged, alerts_only: bool, as_json: bool) -> None:
    rows = judged.rows(alerts_only)
    if as_json:
        for row in rows:
            line(row)
        return
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(judged.names)
    for row in rows:
        out.writerow([_cell(v) for v in row.values()])


def _cell(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else value


def _print_table(judged: Judged) -> None:
    from eddyline.cli.detect_table import print_alerts

    if judged.verdicts.alert.any():
        print_alerts(judged)


def _tell(judged: Judged) -> None:
    """Alerts in words."""
    found = judged.alerts()
    for at, sentence in found[:ALERTS_SAID]:
        when = "" if judged.time is None else f", {judged.when(at)}"
        say(f"row {at + 1}{when}: {sentence}")
    if len(found) > ALERTS_SAID:
        say(f"... and {len(found) - ALERTS_SAID} more")


def _summary(judged: Judged) -> str:
    """All in one sentence."""
    alerts = int(judged.verdicts.alert.sum())
    n, keys, left_out = judged.count, len(judged.labels), judged.left_out
    series = "" if keys == 1 else f" of {keys:,} series"
    s = "" if alerts == 1 else "s"
    rows = f"{n:,} row{'' if n == 1 else 's'}{series}"
    words = f"{rows} over {', '.join(judged.columns)}: {alerts:,} alert{s}"
    return words + (f"; {left_out:,} rows without a number in some column" if left_out else "")


def register(to: typer.Typer) -> None:
    """Add the command."""
    to.command("detect")(detect)
