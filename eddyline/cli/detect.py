"""``eddyline detect``: a file of numbers in, each row with its score out, and a picture."""

from __future__ import annotations

import csv
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from eddyline.anomaly.choices import CHOICES, Choices, begun
from eddyline.cli.opening import DataDir, Json
from eddyline.cli.terminal import line, say
from eddyline.clock import SYSTEM
from eddyline.errors import EddylineError, nearest

if TYPE_CHECKING:
    import pyarrow as pa

    from eddyline.anomaly.options import DetectorOptions
    from eddyline.cli.detect_file import JudgedFile
    from eddyline.cli.detect_reading import Reading

BYTES_MAX = 1 << 30
ALERTS_SHOWN = 20
# Options that have no meaning for rows without times.
OF_TIMED_ROWS = ("season", "time_zone", "holidays", "live_from")


def _choice(name: str) -> Any:
    """An option of the detector, from the table that SQL reads, too."""
    (choice,) = (c for c in CHOICES if c.name == name)
    return typer.Option(help=f"{choice.summary[:-1]}; example: {choice.example}.")


def detect(
    file: Annotated[Path, typer.Argument(help="CSV, JSON, Parquet or an access log; packed, too.")],
    columns: Annotated[
        str | None, typer.Option(help="Columns to judge together, by commas; else all numbers.")
    ] = None,
    key: Annotated[
        str | None, typer.Option(help="Column with a series' name; a model each.")
    ] = None,
    picture: Annotated[
        Path | None, typer.Option(help="Draw the series into this file: .svg, .png or .html.")
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
    live_from: Annotated[str, _choice("live_from")] = "",
    time: Annotated[str | None, typer.Option(help="Column of times; else the only one.")] = None,
    every: Annotated[
        str | None, typer.Option(help="Width of the windows in which a log is counted: 5min.")
    ] = None,
    trees: Annotated[int, typer.Option(help="Trees a forest.")] = 100,
    samples: Annotated[int, typer.Option(help="Rows a tree samples.")] = 256,
    shingle: Annotated[int, typer.Option(help="Successive rows that make a point.")] = 1,
    seed: Annotated[int, typer.Option(help="The same seed gives the same scores.")] = 0,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Score the rows of a file, in the order of their times, each by the rows before it.

    Rows come as CSV with score, grade and alert, or with --json as objects that say all about the
    verdict; alert is true where an episode begins. Alerts are told in words on stderr. A terminal
    shows a table of them instead. A row without a number in some column teaches nothing. The lines
    of an access log are counted in windows. No server is needed.

    \b
    Examples:
      eddyline detect rates.csv --columns rate --picture rates.png > scored.csv
      eddyline detect pages.ndjson --key page --alerts --json
      eddyline detect access.log --every 10m --picture log.html
    """
    from eddyline.anomaly.options import DetectorOptions, ForestOptions
    from eddyline.cli.detect_picture import check_picture

    if as_table and (as_json or alerts):
        raise _either()
    forest = ForestOptions(trees, samples, 100_000, shingle, seed)
    texts = (season, shares, laws, minimum_change, time_zone, holidays, live_from)
    choices = begun(Choices(*texts), SYSTEM.now_ms())
    options = DetectorOptions(forest, false_alarms=false_alarms, choices=choices)
    forest.validate()
    if picture is not None:
        check_picture(picture)
    judged = _judged(file, columns, key, time, every, options)
    rows = alerts or as_json or as_table is False
    _show(judged, alerts, as_json, as_table=as_table or (sys.stdout.isatty() and not rows))
    if picture is not None:
        _draw(judged, picture)


def _show(judged: JudgedFile, alerts: bool, as_json: bool, *, as_table: bool) -> None:
    if as_table:
        _print_table(judged)
    else:
        _print(judged, alerts, as_json)
        _tell(judged)
    say(_summary(judged))


def _either() -> EddylineError:
    msg = "--table shows alerts for a person to read; --json and --alerts print rows"
    return EddylineError("invalid_argument", msg, hint="leave one of them out")


def _judged(
    file: Path, columns: str | None, key: str | None, time: str | None, every: str | None,
    options: DetectorOptions,
) -> JudgedFile:  # fmt: skip
    """The file read and judged; what is to be said about it is said."""
    from eddyline.cli.detect_file import judge, keys_of, read, roles

    reading = read(_checked(file), key, None if every is None else _width_ms(every))
    names = [c.strip() for c in columns.split(",")] if columns else []
    _check_names(file, reading.table, [*names, *(name for name in (key, time) if name)])
    time = _time(file, reading.table, key, time, options)
    why = roles(reading, key, time, keys_of(reading.table, key)[1])
    chosen = names or [name for name, reason in why.items() if not reason]
    _tell_reading(reading, why, chosen, key, time, all_numbers=not names)
    judged = judge(reading, chosen, key, _of_log(options, reading, chosen), time)
    _tell_times(judged)
    return judged


def _width_ms(text: str) -> int:
    """A window's width: ``30s``, ``5min``, ``1h``."""
    from eddyline.cli.sending import positive
    from eddyline.generator.spec import parse_duration

    return round((positive("--every", text, parse_duration) or 0) * 1000)


def _of_log(options: DetectorOptions, reading: Reading, chosen: list[str]) -> DetectorOptions:
    """With the shares that a log's windows have, unless others are stated."""
    own, choices = reading.shares, options.choices
    if choices.shares or not own or not set(own.split("/")) <= set(chosen):
        return options
    return replace(options, choices=replace(choices, shares=own))


def _draw(judged: JudgedFile, picture: Path) -> None:
    from eddyline.cli.detect_picture import draw

    say(draw(judged, picture))


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


def _tell_reading(
    reading: Reading, why: dict[str, str], chosen: list[str], key: str | None, time: str | None,
    *, all_numbers: bool,
) -> None:  # fmt: skip
    """How the file was read, and what was left out."""
    from eddyline.anomaly.options import COLUMNS_MAX
    from eddyline.cli.detect_time import time_columns, unit_of

    table = reading.table
    for note in reading.notes:
        say(note)
    several = [] if time is not None else time_columns(table, key)
    if len(several) > 1:
        say(f"no time is used, since several columns hold times: {', '.join(several)}; "
            "--time chooses one")  # fmt: skip
    if time is not None:
        unit = unit_of(table[time])
        say(f"times are those of column {time}" + (f", in {unit} since 1970" if unit else ""))
    if not all_numbers:
        return
    for reason in dict.fromkeys(r for r in why.values() if r):
        shown = ", ".join(n or "(without a name)" for n, r in why.items() if r == reason)
        say(f"left out, since it {reason}: {shown}; --columns takes it in")
    texts = [n for n in table.column_names if n not in (*why, key, time) and not _is_time(table[n])]
    if texts:
        say(f"not judged, since it holds no numbers: {', '.join(texts)}")
    if not chosen:
        msg = "no column is a measure" if why else "no column holds numbers"
        raise EddylineError("invalid_argument", msg, hint="name what to judge with --columns")
    if len(chosen) > COLUMNS_MAX:
        msg = f"{len(chosen)} columns hold numbers; at most {COLUMNS_MAX} are judged together"
        hint = f"choose some, for example --columns '{','.join(chosen[:3])}'"
        raise EddylineError("invalid_argument", msg, hint=hint)


def _is_time(column: pa.ChunkedArray) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_temporal(column.type))


def _tell_times(judged: JudgedFile) -> None:
    """What is odd about the times."""
    import numpy as np

    from eddyline.cli.detect_columns import key_column
    from eddyline.cli.detect_time import oddities

    times = judged.times
    if times is None:
        return
    absent = int((~times.known).sum())
    if absent:
        what = (
            "1 row has no time and is" if absent == 1 else f"{absent:,} rows have no time and are"
        )
        say(f"{what} left out")
    known = np.flatnonzero(times.known)
    where = known.tolist()
    sentences = oddities(
        judged.keys[known], times.ms[known], lambda row: times.text(where[row]),
        lambda row: where[row],
    )  # fmt: skip
    for sentence in sentences:
        say(sentence)
    if judged.key is None and (name := key_column(judged.reading.table, times.ms)):
        say(f"rows of one time differ in {name}: --key {name} judges a series for each")


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


def _print(judged: JudgedFile, alerts_only: bool, as_json: bool) -> None:
    from eddyline.cli.detect_rows import names_of, rows

    lines = rows(judged, alerts_only, as_json)
    if as_json:
        for row in lines:
            line(row, flush=False)
        sys.stdout.flush()
        return
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(names_of(judged, as_json))
    for row in lines:
        out.writerow([_cell(v) for v in row.values()])


def _cell(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else value


def _print_table(judged: JudgedFile) -> None:
    from eddyline.cli.detect_table import print_alerts

    if judged.verdicts.alert.any():
        print_alerts(judged)


def _tell(judged: JudgedFile) -> None:
    """Alerts in words."""
    alerts = judged.alerts()
    for at in alerts[:ALERTS_SHOWN]:
        row = int(judged.rows[at])
        when = "" if judged.time is None else f", {judged.when(row)}"
        say(f"row {row + 1}{when}: {judged.sentence(at)}")
    if len(alerts) > ALERTS_SHOWN:
        say(f"... and {len(alerts) - ALERTS_SHOWN} more")


def _summary(judged: JudgedFile) -> str:
    """All in one sentence."""
    alerts = int(judged.verdicts.alert.sum())
    n, keys, left_out = judged.count, len(judged.labels), judged.left_out
    series = "" if keys == 1 else f" of {keys:,} series"
    s = "" if alerts == 1 else "s"
    rows = f"{n:,} row{'' if n == 1 else 's'}{series}"
    words = f"{rows} over {', '.join(judged.columns)}: {alerts:,} alert{s}"
    left = f"; {left_out:,} row{'' if left_out == 1 else 's'} without a number in some column"
    return words + (left if left_out else "")


def register(to: typer.Typer) -> None:
    """Add the command."""
    to.command("detect")(detect)
