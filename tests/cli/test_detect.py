"""``eddyline detect``: a file in, scored rows, alerts in words and a picture out."""

from __future__ import annotations

import contextlib
import csv
import gzip
import io
import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from command import Command

from eddyline.anomaly.choices import Choices
from eddyline.anomaly.detector import DetectorOptions, Detectors
from eddyline.cli import detect_file


@pytest.fixture
def eddyline(tmp_path: Path) -> Command:
    return Command(tmp_path / "data")


def rates(path: Path, rows: int = 400) -> Path:
    x = np.random.default_rng(1).normal(100, 3, rows).round(2)
    x[300] = 400.0
    path.write_text("at,rate\n" + "".join(f"t{i},{v}\n" for i, v in enumerate(x)))
    return path


def test_rows_come_back_scored_and_drawn(eddyline: Command, tmp_path: Path) -> None:
    picture = tmp_path / "a.svg"
    done = eddyline.here("detect", str(rates(tmp_path / "a.csv")), "--picture", str(picture))
    assert done.returncode == 0, done.stderr
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert len(rows) == 400
    assert list(rows[0]) == ["at", "rate", "score", "grade", "alert"]
    assert [r["at"] for r in rows if r["alert"] == "true"] == ["t300"]
    assert max(rows, key=lambda r: float(r["score"]))["at"] == "t300"
    assert re.search(r"row 301: rate is too high: 400 where about (99|100)\b", done.stderr)
    assert "400 rows over rate: 1 alert" in done.stderr
    drawn = ElementTree.fromstring(picture.read_text())
    assert sum(e.get("class") == "alert" for e in drawn.iter()) == 2
    assert sum(e.tag.endswith("polyline") for e in drawn.iter()) == 2


def test_a_model_a_key_over_json_packed(eddyline: Command, tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    lines = []
    for i in range(300):
        for page, level in (("/a", 10), ("/b", 1000)):
            n = None if i == 50 else float(rng.normal(level, level / 50))
            lines.append({"page": page, "n": 1000.0 if (page, i) == ("/a", 250) else n})
    path = tmp_path / "p.ndjson.gz"
    path.write_bytes(gzip.compress("\n".join(map(json.dumps, lines)).encode()))
    done = eddyline.here(
        "detect", str(path), "--key", "page", "--samples", "64", "--alerts", "--json"
    )
    (row,) = [json.loads(line) for line in done.stdout.splitlines()]
    assert (row["page"], row["n"], row["alert"]) == ("/a", 1000.0, True)
    assert "/a: n is too high: 1,000 where about " in done.stderr
    assert "600 rows of 2 series over n: 1 alert; 2 rows without a number" in done.stderr


def test_a_long_series_is_drawn_by_its_extremes(eddyline: Command, tmp_path: Path) -> None:
    picture = tmp_path / "a.svg"
    path = rates(tmp_path / "a.csv", 9000)
    assert (
        eddyline.here("detect", str(path), "--trees", "5", "--picture", str(picture)).returncode
        == 0
    )
    drawn = ElementTree.fromstring(picture.read_text())
    (line, _) = [e for e in drawn.iter() if e.tag.endswith("polyline")]
    points = line.get("points", "").split()
    assert 1000 < len(points) <= 2000
    assert min(float(p.split(",")[1]) for p in points) == 34.0


@pytest.mark.parametrize(
    ("text", "more", "words"),
    [
        (None, [], "there is no file"),
        ("", [], "cannot be read"),
        ("a,b\n", [], "has no rows"),
        ("a,b\n1,2\n3\n", [], "cannot be read"),
        ("a,a\n1,2\n", [], "has more than one column called 'a'"),
        ("ts,n\n1767225600,1\n,2\n", ["--time", "ts"], "has no time in 1 of its rows"),
        ("a,b\n1,2\n", ["--columns", "rate"], "has no column rate"),
        ("a,b\nx,2\n", ["--columns", "a"], "column a is string, no number"),
        ("a\nx\n", [], "no column holds numbers"),
        ("a,score\n1,2\n", [], "has a column score of its own"),
        ("a\n1\n", ["--trees", "0"], "number_of_trees is 0"),
    ],
)
def test_what_cannot_be_judged_is_said(
    eddyline: Command, tmp_path: Path, text: str | None, more: list[str], words: str
) -> None:
    path = tmp_path / "a.csv"
    if text is not None:
        path.write_text(text)
    done = eddyline.here("detect", str(path), *more)
    assert done.returncode == 1
    assert words in done.stderr
    assert "hint:" in done.stderr
    assert not done.stdout


@pytest.mark.parametrize("form", ["semicolon", "tab", "parquet"])
def test_other_forms_of_a_file_are_read(eddyline: Command, tmp_path: Path, form: str) -> None:
    """With a decimal comma, and with a column of row numbers that is no measure."""
    x = np.random.default_rng(1).normal(100, 3, 400).round(2)
    x[300] = 400.0
    path = tmp_path / f"a.{form}"
    if form == "parquet":
        pq.write_table(pa.table({"row": range(400), "rate": x}), path)
    else:
        sign = ";" if form == "semicolon" else "\t"
        lines = [f"{i}{sign}{v:.2f}".replace(".", ",") for i, v in enumerate(x)]
        path.write_text("\n".join([f"row{sign}rate", *lines, ""]))
    done = eddyline.here("detect", str(path), "--alerts", "--json")
    assert done.returncode == 0, done.stderr
    (alert,) = [json.loads(one) for one in done.stdout.splitlines()]
    assert (alert["row"], alert["rate"], alert["alert"]) == (300, 400.0, True)
    assert "400 rows over rate: 1 alert" in done.stderr
    assert "left out, since it counts rows: row" in done.stderr


def test_times_are_found_and_what_is_odd_about_them_is_said(
    eddyline: Command, tmp_path: Path
) -> None:
    """In epoch seconds and without a header line; the times are no measure."""
    x = np.random.default_rng(1).normal(100, 3, 400).round(2)
    at = 1_767_225_600 + 300 * np.arange(400)
    at[200:] += 3000
    at[10] = at[9]
    path = tmp_path / "a.csv"
    path.write_text("".join(f"{t},{v}\n" for t, v in zip(at, x, strict=True)))
    done = eddyline.here("detect", str(path), "--alerts")
    assert done.returncode == 0, done.stderr
    assert "times are those of column column_1, in seconds since 1970" in done.stderr
    assert "1 row has the time of an earlier row in the same series: the first is row 11" in (
        done.stderr
    )
    assert "the first is after row 11, 2026-01-01 00:45:00+00:00, and 10 min long" in done.stderr
    assert "400 rows over column_2: 0 alerts" in done.stderr


def test_alerts_come_as_a_table(eddyline: Command, tmp_path: Path) -> None:
    """With the columns of key and time if there are any; a terminal has it without being asked."""
    path = rates(tmp_path / "a.csv")
    done = eddyline.here("detect", str(path), "--table")
    head, alert = [re.split(r" {2,}", one.strip()) for one in done.stdout.splitlines()]
    assert head == ["row", "column", "value", "expected", "reason"]
    assert alert[:3] == ["301", "rate", "400"]
    assert 95 < float(alert[3]) < 105
    assert alert[4] == "too high: a single value"
    assert "row 301" not in done.stderr
    assert "400 rows over rate: 1 alert" in done.stderr
    minutes = [f"2026-01-01 {i // 60:02}:{i % 60:02}:00" for i in range(400)]
    lines = zip(minutes, path.read_text().splitlines()[1:], strict=True)
    path.write_text("time,page,rate\n" + "".join(f"{t},{line}\n" for t, line in lines))
    path.write_text(re.sub(r",t\d+,", ",/home,", path.read_text()))
    done = eddyline.here(
        "detect", str(path), "--table", "--key", "page", "--false-alarms", "0.5/10000 rows"
    )
    head, alert = [re.split(r" {2,}", one.strip()) for one in done.stdout.splitlines()]
    assert head == ["row", "time", "page", "column", "value", "expected", "reason"]
    assert alert[:5] == ["301", "2026-01-01 05:00:00", "/home", "rate", "400"]


def test_a_table_is_not_json(eddyline: Command, tmp_path: Path) -> None:
    done = eddyline.here("detect", str(rates(tmp_path / "a.csv")), "--table", "--alerts")
    assert done.returncode == 1
    assert "leave one of them out" in done.stderr


@pytest.mark.parametrize(("more", "first"), [((), "row"), (("--rows",), "at,rate,score")])
def test_a_terminal_shows_the_table(
    eddyline: Command, tmp_path: Path, more: tuple[str, ...], first: str
) -> None:
    path = rates(tmp_path / "a.csv")
    leader, follower = os.openpty()
    words = eddyline.words("detect", str(path), *more)
    with subprocess.Popen(words, stdout=follower, stderr=subprocess.DEVNULL):
        os.close(follower)
        shown = b""
        with contextlib.suppress(OSError):  # the end of a terminal on Linux
            while piece := os.read(leader, 65_536):
                shown += piece
    os.close(leader)
    assert re.sub(r"\x1b\[[0-9;]*m", "", shown.decode()).startswith(first)


def written(path: Path, **columns: list[object]) -> Path:
    """A CSV file of five-minute rows from Monday, 5 January 2026."""
    n = len(next(iter(columns.values())))
    at = (np.datetime64("2026-01-05T00:00") + 5 * np.arange(n)).tolist()
    lines = zip(at, *columns.values(), strict=True)
    text = "\n".join([",".join(["at", *columns]), *(",".join(map(str, one)) for one in lines), ""])
    path.write_text(text)
    return path


def alerts(eddyline: Command, path: Path, *more: str) -> list[str]:
    done = eddyline.here("detect", str(path), "--trees", "2", "--alerts", "--json", *more)
    assert done.returncode == 0, done.stderr
    return [json.loads(one)["at"] for one in done.stdout.splitlines()]


def test_season_none_does_not_know_the_time_of_day(eddyline: Command, tmp_path: Path) -> None:
    """Ten days of a busy and a calm half day; at last a busy hour comes at night."""
    hours = (np.arange(10 * 288) % 288) / 12
    mean = np.where((hours >= 8) & (hours < 20), 400.0, 40.0)
    mean[9 * 288 + 24 : 9 * 288 + 36] = 400.0
    n = np.random.default_rng(1).poisson(mean).tolist()
    path = written(tmp_path / "a.csv", n=n)
    night = "2026-01-14 02:00:00"
    assert night in alerts(eddyline, path)
    more = ("--season", "none")
    assert night not in alerts(eddyline, path, *more)


def test_options_of_columns_are_passed_on(eddyline: Command, tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    shown = rng.poisson(1000, 600)
    shown[500:503] = 3000
    n = rng.binomial(shown, 0.1)
    path = written(tmp_path / "a.csv", n=n.tolist(), m=shown.tolist())
    more = ("--columns", "n,m", "--false-alarms", "10/10000 rows")
    assert "2026-01-06 17:40:00" in alerts(eddyline, path, *more)
    only = ("--minimum-change", "n:-,m:-")
    assert "2026-01-06 17:40:00" not in alerts(eddyline, path, *more, *only)
    assert "2026-01-06 17:40:00" not in alerts(
        eddyline, path, *more, "--shares", "n/m", "--minimum-change", "m:-"
    )


def test_every_option_reaches_the_detector(
    eddyline: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By its own name; what each then changes is in the tests of the detector."""
    reached: list[DetectorOptions] = []

    class Watched(Detectors):
        def __init__(self, options: DetectorOptions, *more: Any, **named: Any) -> None:
            reached.append(options)
            super().__init__(options, *more, **named)

    monkeypatch.setattr(detect_file, "Detectors", Watched)
    given = {
        "season": "day", "shares": "n/m", "laws": "m:positive", "minimum_change": "n:10%",
        "time_zone": "Europe/Berlin", "holidays": "2026-01-06",
    }  # fmt: skip
    words = [w for k, v in given.items() for w in (f"--{k.replace('_', '-')}", v)]
    path = written(tmp_path / "a.csv", n=[1, 2, 3], m=[4, 5, 6])
    alerts(eddyline, path, *words, "--false-alarms", "2/day")
    (options,) = reached
    assert options.choices == Choices(**given)
    assert (options.false_alarms, options.timed) == ("2/day", True)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--season", "year"], "season is not understood: 'year'"),
        (["--laws", "b:count"], "laws is not understood: 'b'"),
        (["--laws", "n:normal"], "laws is not understood: 'n:normal'"),
        (["--shares", "n"], "shares is not understood: 'n'"),
        (["--minimum-change", "n:x"], "minimum_change is not understood: 'n:x'"),
        (["--time-zone", "Mars"], "time_zone is not understood: 'Mars'"),
        (["--holidays", "tomorrow"], "holidays is not understood: 'tomorrow'"),
    ],
)
def test_an_option_that_is_not_understood(
    eddyline: Command, tmp_path: Path, more: list[str], words: str
) -> None:
    done = eddyline.here("detect", str(written(tmp_path / "a.csv", n=[1, 2, 3])), *more)
    assert done.returncode == 1
    assert words in done.stderr


def test_a_season_needs_times(eddyline: Command, tmp_path: Path) -> None:
    done = eddyline.here("detect", str(rates(tmp_path / "a.csv")), "--season", "day")
    assert done.returncode == 1
    assert "--season needs times" in done.stderr
