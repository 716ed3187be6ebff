"""``eddyline detect`` over the forms that files have: dates, zones, odd cells, logs, pictures."""

from __future__ import annotations

import datetime
import gzip
import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pyarrow as pa
import pytest
from command import Command

from eddyline.cli.detect_axis import ticks_of
from eddyline.cli.detect_columns import why_no_measure
from eddyline.cli.detect_dates import read_dates
from eddyline.cli.detect_file import read
from eddyline.cli.detect_time import read_times

START = datetime.datetime(2026, 3, 2)  # noqa: DTZ001


@pytest.fixture
def eddyline(tmp_path: Path) -> Command:
    return Command(tmp_path / "data")


def values(rows: int = 400) -> list[float]:
    x = np.random.default_rng(1).normal(100, 3, rows).round(2)
    x[300] = 400.0
    return [float(v) for v in x]


def times(form: str, rows: int = 400, minutes: int = 5) -> list[str]:
    return [f"{START + datetime.timedelta(minutes=minutes * i):{form}}" for i in range(rows)]


def detected(eddyline: Command, path: Path, *more: str) -> tuple[list[dict[str, Any]], str]:
    done = eddyline.here("detect", str(path), "--trees", "2", "--json", *more)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()], done.stderr


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("17/May/2015:10:05:03 +0200", "2015-05-17T08:05:03+00:00"),
        ("2026-01-01T00:00:00.250-05:00", "2026-01-01T05:00:00.250000+00:00"),
        ("Mon, 05 Jan 2026 10:00:00 GMT", "2026-01-05T10:00:00+00:00"),
        ("Jan 5, 2026 10:00", "2026-01-05T10:00:00"),
        ("01/31/2026 1:05 PM", "2026-01-31T13:05:00"),
        ("31/01/2026 13:05", "2026-01-31T13:05:00"),
        ("20260105T101112Z", "2026-01-05T10:11:12+00:00"),
        ("2026-01-31", "2026-01-31"),
        ("31.01.2026", "2026-01-31"),
        ("2026-01-01 24:61:00", None),
        ("v1.2026-beta", None),
        ("May", None),
    ],
)
def test_dates_in_many_forms(text: str, utc: str | None) -> None:
    dates = read_dates(pa.chunked_array([[text]]))
    assert (None if dates is None else dates[0].as_py().isoformat()) == utc


def test_the_order_of_day_and_month_is_that_in_which_rows_are_even() -> None:
    dates = read_dates(pa.chunked_array([times("%m/%d/%Y %H:%M", 600)]))
    assert dates is not None
    assert dates[599].as_py() == START + datetime.timedelta(minutes=5 * 599)


@pytest.mark.parametrize(
    ("head", "form", "sign", "encoding"),
    [
        ("Zeit;Umsatz", "%d.%m.%Y %H:%M", ";", "latin-1"),
        ("when\tv", "%Y-%m-%d %H:%M:%S", "\t", "utf-16"),
        ("# exported\nsep=;\nwhen;v", "%Y/%m/%d %H:%M", ";", "utf-8-sig"),
        ("when|v", "%Y-%m-%dT%H:%M:%SZ", "|", "utf-8"),
    ],
)
def test_a_burst_is_found_in_any_form_of_text(
    eddyline: Command, tmp_path: Path, head: str, form: str, sign: str, encoding: str
) -> None:
    point = "," if sign == ";" else "."
    lines = [f"{t}{sign}{v:.2f}".replace(".", point) if form[2:3] != "." else
             f"{t}{sign}{f'{v:.2f}'.replace('.', ',')}"
             for t, v in zip(times(form), values(), strict=True)]  # fmt: skip
    path = tmp_path / "a.csv"
    path.write_bytes("\r\n".join([head, *lines, ""]).encode(encoding))
    rows, message = detected(eddyline, path)
    alerts = [row for row in rows if row["alert"]]
    assert [next(iter(row.values())) for row in alerts] == [times(form)[300]]
    assert f"row 301, {times(form)[300]}: " in message


def test_rows_say_all_that_the_detector_does(eddyline: Command, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    text = zip(times("%Y-%m-%dT%H:%M:%S+02:00"), values(), strict=True)
    path.write_text("at,reason,n\n" + "".join(f"{t},x,{v}\n" for t, v in text))
    rows, message = detected(eddyline, path)
    assert list(rows[0]) == [
        "at", "reason_", "n", "score", "grade", "alert", "verdict", "probability", "expected",
        "lower", "upper", "reason", "attribution", "episode",
    ]  # fmt: skip
    first, odd = rows[0], rows[300]
    assert (first["verdict"], first["expected"], first["reason"]) == (
        "learning", None, "learning: 12 more rows needed",
    )  # fmt: skip
    assert (odd["at"], odd["verdict"], odd["alert"], odd["episode"], odd["reason_"]) == (
        "2026-03-03T01:00:00+02:00", "anomalous", True, 1, "x",
    )  # fmt: skip
    assert odd["lower"] < odd["expected"] < odd["upper"] < odd["n"]
    assert odd["probability"] < 1e-4
    assert odd["attribution"]["n"]["direction"] == "high"
    assert odd["reason"].startswith("n is too high: 400 where about ")
    assert "row 301, 2026-03-03T01:00:00+02:00: n is too high" in message
    assert sum(row["alert"] for row in rows) == 1
    assert all(row["score"] > 0 for row in rows if row["verdict"] != "learning")


@pytest.mark.parametrize("columns", [1, 3])
def test_no_alert_has_the_score_0(eddyline: Command, tmp_path: Path, columns: int) -> None:
    """Neither while a forest has seen fewer rows than its sample, nor before it has seen any."""
    x = np.random.default_rng(5).normal(100, 3, (60, columns)).round(2)
    x[20], x[47] = 300.0, 400.0
    path = tmp_path / "a.csv"
    names = ",".join("abc"[:columns])
    path.write_text(names + "\n" + "".join(",".join(map(str, row)) + "\n" for row in x))
    rows, _ = detected(eddyline, path, "--false-alarms", "10/10000 rows")
    assert rows[47]["alert"]
    assert all(row["score"] > 0 for row in rows if row["alert"])
    assert rows[20]["verdict"] == ("anomalous" if columns == 1 else "learning")


def test_an_alert_over_several_rows_says_what_it_is_about(
    eddyline: Command, tmp_path: Path
) -> None:
    rng = np.random.default_rng(3)
    x = np.concatenate([rng.normal(100, 5, 500), rng.normal(112, 5, 100)]).round(2)
    path = tmp_path / "a.csv"
    path.write_text("v\n" + "".join(f"{v}\n" for v in x))
    rows, message = detected(eddyline, path)
    (alert,) = [row for row in rows if row["alert"]]
    words = alert["reason"]
    assert words in message
    count, mean, usual = (float(w) for w in words.split() if w[0].isdigit())
    assert words == (
        f"v is too high over {count:g} rows: {mean:g} on average where about {usual:g} was expected"
    )
    assert 2 <= count <= 40
    assert 106 < mean < 118
    assert 98 < usual < 106


def test_cells_that_are_no_numbers_are_counted_and_left_out(
    eddyline: Command, tmp_path: Path
) -> None:
    cells = [f"{v}" for v in values()]
    cells[7], cells[9], cells[50], cells[60] = "n/a", "NaN", "broken", "-Infinity"
    path = tmp_path / "a.csv"
    path.write_text("v\n" + "\n".join(cells) + "\n")
    rows, message = detected(eddyline, path)
    assert "column v: 1 value is no number, the first is 'broken' in row 51" in message
    assert "400 rows over v: 1 alert; 4 rows without a number" in message
    assert (rows[50]["v"], rows[51]["v"], rows[60]["v"]) == ("broken", values()[51], "-Infinity")


def test_lines_of_json_may_change_their_kind(eddyline: Command, tmp_path: Path) -> None:
    lines = [
        json.dumps({"t": t, "v": "bad" if i == 50 else v})
        for i, (t, v) in enumerate(zip(times("%Y-%m-%dT%H:%M:%S"), values(), strict=True))
    ]
    path = tmp_path / "a.ndjson.gz"
    path.write_bytes(gzip.compress("\n".join([*lines, "no json", ""]).encode()))
    rows, message = detected(eddyline, path)
    assert [row["t"] for row in rows if row["alert"]] == ["2026-03-03T01:00:00"]
    assert "1 line is no object and left out, the first is line 401" in message
    path = tmp_path / "a.json"
    path.write_text("[" + ",".join(lines) + "]")
    assert [row["alert"] for row in detected(eddyline, path)[0]].count(True) == 1


def test_rows_are_judged_in_the_order_of_their_times(eddyline: Command, tmp_path: Path) -> None:
    """The newest first gives the verdicts of the oldest first; rows come in the file's order."""
    lines = [f"{t},{v}" for t, v in zip(times("%Y-%m-%d %H:%M"), values(), strict=True)]
    outputs = []
    for nth, order in enumerate((lines, lines[::-1])):
        path = tmp_path / f"{nth}.csv"
        path.write_text("\n".join(["at,v", *order, ""]))
        outputs.append(detected(eddyline, path))
    (straight, _), (back, message) = outputs
    assert back == straight[::-1]
    assert "399 rows are earlier than the row before" in message
    assert "row 100, 2026-03-03 01:00: v is too high" in message


def test_a_date_and_a_time_of_day_are_one_time(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    text = zip(times("%d/%m/%Y"), times("%H:%M:%S"), values(), strict=True)
    path.write_text("Date,Time,v\n" + "".join(f'{d},{t},"${v},00"\n' for d, t, v in text))
    reading = read(path)
    assert reading.table["Date"][399].as_py() == START + datetime.timedelta(minutes=5 * 399)
    moments = reading.text_of("Date")
    assert moments is not None
    assert moments[300].as_py() == "03/03/2026 01:00:00"
    assert reading.texts["Date"][300].as_py() == "03/03/2026"


def test_wall_times_are_taken_in_the_zone_that_is_stated() -> None:
    """Twice in the hour that clocks show twice: the second time when a series goes back in it."""
    first = datetime.datetime(2026, 10, 25, 0, 30, tzinfo=datetime.UTC)
    utc = [first + i * datetime.timedelta(minutes=30) for i in range(4)]
    wall = ["2026-10-25 02:30", "2026-10-25 02:00", "2026-10-25 02:30", "2026-10-25 03:00"]
    table = pa.table({"t": [datetime.datetime.fromisoformat(w) for w in wall]})
    times_read = read_times(table, "t", np.zeros(4, np.int64), "Europe/Berlin", None)
    assert times_read.ms.tolist() == [int(t.timestamp() * 1000) for t in utc]
    assert [times_read.text(i)[:16] for i in range(4)] == wall
    plain = read_times(table, "t", np.zeros(4, np.int64), "", None)
    assert plain.ms.tolist() == plain.shown.tolist() == times_read.shown.tolist()


def test_few_rows_may_have_no_time(eddyline: Command, tmp_path: Path) -> None:
    when = times("%Y-%m-%d %H:%M")
    when[40] = ""
    path = tmp_path / "a.csv"
    lines = "".join(f"{t},{v}\n" for t, v in zip(when, values(), strict=True))
    path.write_text("at,v\n" + lines)
    rows, message = detected(eddyline, path)
    assert "1 row has no time and is left out" in message
    assert rows[40]["verdict"] is None
    assert [row["at"] for row in rows if row["alert"]] == ["2026-03-03 01:00"]


@pytest.mark.parametrize(
    ("name", "column", "why"),
    [
        ("order_id", [5, 3, 9] * 7, "identifies rows"),
        ("userId", [5, 3, 9] * 7, "identifies rows"),
        ("x", list(range(40, 61))[::-1], "counts rows"),
        ("x", [float(i) for i in range(21)], "counts rows"),
        ("hour", list(range(7)) * 3, "tells a part of the time"),
        ("label", [0, 1, 0] * 7, "holds labels"),
        ("paid", [5, 3, 9] * 7, ""),
        ("total", [i * i for i in range(21)], ""),
        ("event_ts", [1_767_225_600_000 + i for i in range(21)], "holds times"),
    ],
)
def test_what_is_no_measure(name: str, column: list[float], why: str) -> None:
    table = pa.table({"v": [0.5] * len(column), name: column})
    assert why_no_measure(table, name) == why


def test_a_series_own_row_numbers_are_no_measure() -> None:
    keys = np.tile([0, 1, 2], 20)
    table = pa.table({"k": keys, "nth": np.repeat(np.arange(20), 3)})
    assert why_no_measure(table, "nth") == ""
    assert why_no_measure(table, "nth", keys) == "counts rows"


def test_an_access_log_is_counted_in_windows(eddyline: Command, tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    lines = []
    for i in range(120):
        n = 300 if i == 100 else int(rng.poisson(40))
        for k in range(n):
            at = START + datetime.timedelta(minutes=i, seconds=int(60 * k / n))
            status = 500 if k == 0 else 200
            lines.append(f'10.0.0.{k % 20} - - [{at:%d/%b/%Y:%H:%M:%S} +0000] '
                         f'"GET /a HTTP/1.1" {status} 1000 "-" "x"')  # fmt: skip
    path = tmp_path / "access.log"
    path.write_text("\n".join([*lines, "rubbish", ""]))
    rows, message = detected(eddyline, path)
    assert len(rows) == 120
    assert list(rows[0])[:5] == ["time", "requests", "errors", "megabytes", "visitors"]
    assert sum(row["requests"] for row in rows) == len(lines)
    assert all((row["errors"], row["visitors"]) == (1, 20) for row in rows)
    assert rows[100]["megabytes"] == pytest.approx(0.3)
    assert [row["time"] for row in rows if row["alert"]] == ["2026-03-02 01:40:00+00:00"]
    assert "are counted in windows of 1 min; --every chooses another width" in message
    assert "1 line is none of such a log and left out" in message
    assert len(detected(eddyline, path, "--every", "10m")[0]) == 12
    rows, _ = detected(eddyline, path, "--every", "10m", "--key", "status")
    assert len(rows) == 24
    assert sum(row["requests"] for row in rows if row["status"] == "500") == 120


def pictured(eddyline: Command, tmp_path: Path, name: str) -> Path:
    path, picture = tmp_path / "a.csv", tmp_path / name
    lines = []
    for t, v in zip(times("%Y-%m-%d %H:%M"), values(), strict=True):
        lines += [f"{t},/a,{v},1", f"{t},/b<,{50 if v == 400 else v / 2:.2f},2"]
    path.write_text("\n".join(["at,page,v,w", *lines, ""]))
    more = ("--trees", "2", "--key", "page", "--picture", str(picture))
    done = eddyline.here("detect", str(path), *more)
    assert done.returncode == 0, done.stderr
    assert f"{picture} shows /a, /b<" in done.stderr
    return picture


def test_the_picture_shows_series_bands_and_episodes(eddyline: Command, tmp_path: Path) -> None:
    drawn = ElementTree.fromstring(pictured(eddyline, tmp_path, "a.svg").read_text())
    kinds = [e.get("class") for e in drawn.iter() if e.get("class")]
    assert {k: kinds.count(k) for k in ("value", "learning", "episode", "alert")} == {
        "value": 4, "learning": 4, "episode": 2, "alert": 2,
    }  # fmt: skip
    assert kinds.count("band") >= 2
    assert kinds.count("expected") >= 2
    texts = [e.text or "" for e in drawn.iter() if e.tag.endswith("text")]
    assert "/a: 400 rows, 1 alert" in texts
    assert "/b<: 400 rows, 0 alerts" in texts
    assert "03 Mar 00:00" in texts
    titles = [e.text or "" for e in drawn.iter() if e.tag.endswith("title")]
    assert sum("v is too high: 400" in title for title in titles) == 2


def test_pictures_are_png_and_html_too(eddyline: Command, tmp_path: Path) -> None:
    image = pictured(eddyline, tmp_path, "a.png").read_bytes()
    assert image.startswith(b"\x89PNG")
    assert 10_000 < len(image) < 2_000_000
    page = pictured(eddyline, tmp_path, "a.html").read_text()
    assert "<svg" in page
    assert "<td>2026-03-03 01:00</td>" in page
    assert "/b&lt;" in page


@pytest.mark.parametrize("name", ["a.gif", "nowhere/a.png"])
def test_a_picture_that_cannot_be_written_is_refused_at_once(
    eddyline: Command, tmp_path: Path, name: str
) -> None:
    path = tmp_path / "a.csv"
    path.write_text("v\n1\n2\n")
    done = eddyline.here("detect", str(path), "--picture", str(tmp_path / name))
    assert done.returncode == 1
    assert "hint:" in done.stderr
    assert not done.stdout


def test_an_axis_has_round_ticks() -> None:
    begin = START.replace(tzinfo=datetime.UTC).timestamp() * 1000
    ticks = ticks_of(begin, begin + 36 * 3_600_000, datetime.UTC)
    assert [t.text for t in ticks][:3] == ["02 Mar 00:00", "06:00", "12:00"]
    assert [t.share for t in ticks][1] == pytest.approx(1 / 6)
    months = ticks_of(begin, begin + 200 * 86_400_000, datetime.UTC)
    assert [t.text for t in months][:2] == ["02 Mar 2026", "01 Apr 2026"]
    assert [t.text for t in ticks_of(1, 1500, None)] == [f"{n:,}" for n in range(200, 1500, 200)]
    assert len(ticks_of(begin, begin, datetime.UTC)) == 1
