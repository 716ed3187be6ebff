"""Files as other products export them are read for what they hold, and what is left out is said."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from command import Command

from eddyline.cli.detect_columns import key_column
from eddyline.cli.detect_file import read, roles
from eddyline.cli.detect_time import time_column, times_of

START = datetime(2026, 3, 2, tzinfo=UTC)
Line = Callable[[datetime, float], str]
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def german(x: float) -> str:
    return f"{x:,.2f}".translate(str.maketrans(",.", ".,"))


# (name, step of the times, what stands first, a line, the column's first value, a remark)
EXPORTS: list[tuple[str, timedelta, str, Line, float, str]] = [
    (
        "euros behind a number", HOUR, "day;v", lambda t, x: f"{t:%Y-%m-%d %H:%M};{german(x)} €",
        1500.0, "decimal comma",
    ),
    (
        "francs and apostrophes", HOUR, "day,v",
        lambda t, x: f"{t:%Y-%m-%d %H:%M},CHF {x:,.2f}".replace(",", "\x00", 1).replace(",", "'")
        .replace("\x00", ","), 1500.0, "column v holds numbers with a unit, read as numbers",
    ),
    (
        "dollars in brackets", HOUR, "t,v", lambda t, x: f'{t.isoformat()},"(${x:,.2f})"', -1500.0,
        "",
    ),
    ("a minus before the dollar", HOUR, "t,v", lambda t, x: f"{t.isoformat()},-${x:.2f}", -1500.0,
     ""),
    ("one unit", HOUR, "sep=;\n\"Time\";\"v\"", lambda t, x: f"{t:%Y-%m-%d %H:%M:%S};{x} ms",
     1500.0, "read as numbers in ms"),
    (
        "units that grow", HOUR, "Time,v",
        lambda t, x: f"{t:%Y-%m-%d %H:%M:%S}," + (f"{x / 1024} GiB" if x > 1499 else f"{x} MiB"),
        1500.0, "read as numbers in MiB",
    ),
    ("thousands by letter", HOUR, "t,v", lambda t, x: f"{t.isoformat()},{x / 1000}K", 1.5, "in K"),
    ("compact days", DAY, "Date,v", lambda t, x: f"{t:%Y%m%d},{x}", 1500.0, ""),
    ("compact hours", HOUR, "dateHour,v", lambda t, x: f"{t:%Y%m%d%H},{x}", 1500.0, ""),
    ("years of two digits", DAY, "# x\n\nDay,v", lambda t, x: f"{t.month}/{t.day}/{t:%y},{x}",
     1500.0, ""),
    ("the same in German", HOUR, "Tag;v", lambda t, x: f"{t:%d.%m.%y %H:%M};{german(x)}", 1500.0,
     "decimal comma"),
    ("a day and an hour", HOUR, "date,hour,v", lambda t, x: f"{t:%Y-%m-%d},{t.hour},{x}", 1500.0,
     "date and hour are taken together as a time"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("step", "head", "line", "first", "note"),
    [export[1:] for export in EXPORTS],
    ids=[export[0] for export in EXPORTS],
)
def test_an_export_is_read_as_its_product_means_it(
    tmp_path: Path, step: timedelta, head: str, line: Line, first: float, note: str
) -> None:
    values = [1500.0 - 3 * (i % 7) for i in range(60)]
    times = [START + i * step for i in range(60)]
    path = tmp_path / "export.csv"
    rows = [line(t, x) for t, x in zip(times, values, strict=True)]
    path.write_text("\n".join([head, *rows, ""]), "utf-8")
    reading = read(path)
    time = time_column(reading.table)
    assert time is not None
    expected = [round(t.timestamp() * 1000) for t in times]
    assert times_of(reading.table, time).tolist() == expected
    measured = [n for n, why in roles(reading, None, time, None).items() if not why]
    assert measured == ["v"]
    scale = first / values[0]
    np.testing.assert_allclose(
        reading.table["v"].to_numpy(), [scale * x for x in values], rtol=1e-12
    )
    assert any(note in sentence for sentence in reading.notes) or not note


@pytest.mark.parametrize(
    "texts",
    [
        ["5 ms", "7 GiB"],  # they measure different things
        ["€ 5", "$ 7"],
        ["12A", "14A"],  # a seat
        ["v2 beta", "v3 beta"],
        ["10.0.0.1", "10.0.0.2"],
        ["3rd", "4th"],
    ],
)
def test_other_texts_stay_texts(tmp_path: Path, texts: list[str]) -> None:
    path = tmp_path / "a.csv"
    path.write_text("n,v\n" + "".join(f"1,{texts[i % 2]}\n" for i in range(40)), "utf-8")
    assert pa.types.is_string(read(path).table["v"].type)


@pytest.mark.parametrize("column", [[20260230, 20260231], [20260101] * 2, [20261301, 20260102]])
def test_whole_numbers_that_are_no_days_stay_numbers(tmp_path: Path, column: list[int]) -> None:
    path = tmp_path / "a.csv"
    path.write_text("n,v\n" + "".join(f"{n},1\n" for n in column))
    assert pa.types.is_integer(read(path).table["n"].type)


@pytest.mark.parametrize("form", ["lines", "changing", "array"])
def test_objects_within_objects_are_columns(tmp_path: Path, form: str) -> None:
    rows = [{"at": f"2026-03-02T00:{i:02}:00Z", "cpu": {"pct": i / 10}} for i in range(9)]
    if form == "changing":
        rows[4]["cpu"] = {"pct": "off"}
    path = tmp_path / "a.json"
    path.write_text(json.dumps(rows) if form == "array" else "\n".join(map(json.dumps, rows)))
    table = read(path).table
    assert table.column_names == ["at", "cpu.pct"]
    assert table["cpu.pct"].to_pylist()[:2] in ([0.0, 0.1], ["0.0", "0.1"])


def test_a_row_of_megabytes_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    rows = [f"{i},{'x' * (3_000_000 if i == 5 else 1)}" for i in range(9)]
    path.write_text("\n".join(["v,comment", *rows, ""]))
    assert read(path).table["v"].to_pylist() == list(range(9))
    path.write_text(
        "\n".join(json.dumps({"v": i, "c": "x" * (9_000_000 * (i == 5))}) for i in (4, 5))
    )
    assert read(path).table["v"].to_pylist() == [4, 5]


def test_the_column_that_names_the_series_is_told() -> None:
    times = np.repeat(np.arange(20), 3)
    table = pa.table({"shop": ["a", "b", "c"] * 20, "note": ["x"] * 60, "n": list(range(60))})
    assert key_column(table, times) == "shop"
    assert key_column(table.drop(["shop"]), times) is None
    assert key_column(table, np.arange(60)) is None


def test_what_is_not_judged_is_said(tmp_path: Path) -> None:
    command, path = Command(tmp_path / "data"), tmp_path / "a.csv"
    path.write_text("t,c\n" + "".join(f"2026-03-02 00:{i:02},word\n" for i in range(60)))
    done = command.here("detect", str(path))
    assert "not judged, since it holds no numbers: c" in done.stderr
    assert "no column holds numbers" in done.stderr
    assert done.returncode != 0
    path.write_text(",".join(f"c{i}" for i in range(40)) + "\n" + ",".join(["5.5"] * 40) + "\n")
    done = command.here("detect", str(path))
    assert "40 columns hold numbers; at most 30 are judged together" in done.stderr
    assert "--columns 'c0,c1,c2'" in done.stderr


@pytest.mark.parametrize(("live", "alerts"), [(300, [350]), (360, [])])
def test_rows_before_live_from_only_teach(tmp_path: Path, live: int, alerts: list[int]) -> None:
    command, path = Command(tmp_path / "data"), tmp_path / "a.csv"
    values = np.random.default_rng(1).normal(100, 3, 400)
    values[350] = 300.0
    at = [START + i * timedelta(minutes=5) for i in range(400)]
    rows = [f"{t:%Y-%m-%d %H:%M},{x:.2f}" for t, x in zip(at, values, strict=True)]
    path.write_text("\n".join(["t,v", *rows, ""]))
    since = ("--live-from", f"{at[live]:%Y-%m-%d %H:%M}")
    done = command.here("detect", str(path), "--rows", "--trees", "5", *since)
    out = list(csv.DictReader(io.StringIO(done.stdout)))
    assert [i for i, row in enumerate(out) if row["alert"] == "true"] == alerts
    assert {float(row["grade"]) for row in out[:live]} == {0.0}
