"""Files that others wrote: compressions, logs of servers and programs, columns in any layout."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import os
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from generator_kit import START_MS, Collected, RunningClock

from eddyline.errors import EddylineError
from eddyline.generator.replay.run import Replay
from eddyline.generator.replay.spec import ReplaySpec

EVENTS = "".join(f'{{"time":"2024-01-01T00:00:0{k}","v":{k}}}\n' for k in range(3)).encode()


def replayed(path: Path, **options: Any) -> tuple[Replay, list[dict[str, Any]]]:
    target = Collected()
    options = {"speed": None, **options}
    replay = Replay(ReplaySpec(str(path), "-", **options), target, RunningClock())
    replay.run(threading.Event())
    return replay, [json.loads(r) for r in target.records]


def error(path: Path, **options: Any) -> EddylineError:
    with pytest.raises(EddylineError) as caught:
        replayed(path, **options)
    return caught.value


def _zip(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("events.ndjson", EVENTS)


def _zstd(path: Path) -> None:
    with pa.CompressedOutputStream(pa.OSFile(str(path), "wb"), "zstd") as out:
        out.write(EVENTS)


PACKINGS: dict[str, Callable[[Path], object]] = {
    "gz": lambda p: p.write_bytes(gzip.compress(EVENTS)),
    "bz2": lambda p: p.write_bytes(bz2.compress(EVENTS)),
    "xz": lambda p: p.write_bytes(lzma.compress(EVENTS)),
    "zip": _zip,
    "zst": _zstd,
}


@pytest.mark.parametrize("packing", PACKINGS)
def test_a_compressed_file_is_unpacked(packing: str, tmp_path: Path) -> None:
    path = tmp_path / "no-ending-tells"
    PACKINGS[packing](path)
    _, records = replayed(path)
    assert [r["v"] for r in records] == [0, 1, 2]
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    assert error(path).code == "bad_file"


def test_an_archive_of_several_files_is_told(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a", EVENTS)
        archive.writestr("b", EVENTS)
    assert "holds 2 files" in error(tmp_path / "a.zip").message


# name: text, options, the format found, the first record (part of it), records.
COMBINED = '10.0.0.1 - - [17/May/2015:10:05:03 +0000] "GET /a HTTP/1.1" 200 12 "-" "curl/8"'
ALB = (
    "https 2018-07-02T22:23:00.186641Z app/lb/50dc 192.168.131.39:2817 10.0.0.1:80 0.086 0.048 "
    '0.037 200 200 0 57 "GET https://example.com:443/ HTTP/1.1" "curl/7.46 \\"x\\"" ECDHE TLSv1.2 '
    'arn:aws:t "Root=1-5833" "example.com" "arn:aws:c" 1 2018-07-02T22:22:48.364000Z '
    '"authenticate,forward" "-" "-" "10.0.0.1:80" "200" "-" "-"'
).replace('\\"x\\"', "x")
FILES: dict[str, tuple[str, dict[str, Any], str, dict[str, Any], int]] = {
    "nginx main": (
        f'{COMBINED} "1.2.3.4"\n{COMBINED} "-"\n', {}, "access-log",
        {"path": "/a", "status": 200, "user_agent": "curl/8", "forwarded_for": "1.2.3.4"}, 2,
    ),
    "more after combined": (
        f"{COMBINED} 0.005 0.004 .\n", {}, "access-log", {"extra": "0.005 0.004 ."}, 1,
    ),
    "vhost_combined": (
        f"www.example.com:80 {COMBINED}\n", {}, "access-log",
        {"vhost": "www.example.com:80", "host": "10.0.0.1", "time": "2015-05-17T10:05:03.000"}, 1,
    ),
    "combined": (f"{COMBINED}\n", {}, "access-log", {"host": "10.0.0.1", "bytes": 12}, 1),
    "CloudFront": (
        "#Version: 1.0\n#Fields: date time x-edge-location sc-bytes cs(Host) cs-uri-query\n"
        "2019-12-04\t21:02:31\tLAX1\t392\td111.cloudfront.net\t-\n", {}, "w3c",
        {"time": "2019-12-04T21:02:31", "sc-bytes": 392, "cs(Host)": "d111.cloudfront.net",
         "cs-uri-query": None}, 1,
    ),
    "IIS": (
        "#Software: Microsoft Internet Information Services 8.0\n#Date: 2024-01-01 00:00:00\n"
        "#Fields: date time s-ip cs-method cs-uri-stem s-port sc-status time-taken\n"
        "2024-01-01 00:00:01 10.0.0.1 GET /a 80 200 15\n", {}, "w3c",
        {"time": "2024-01-01T00:00:01", "s-port": 80, "time-taken": 15}, 1,
    ),
    "IIS restarted": (
        "#Fields: date time cs-method sc-status\n2024-01-01 00:00:01 GET 200\n"
        "#Software: IIS\n#Fields: date time cs-method sc-status\n2024-01-01 00:00:02 GET 404\n",
        {}, "w3c", {"time": "2024-01-01T00:00:01", "sc-status": 200}, 2,
    ),
    "ALB": (
        f"{ALB}\n", {}, "alb",
        {"time": "2018-07-02T22:23:00.186641Z", "elb_status_code": 200, "redirect_url": None,
         "request": "GET https://example.com:443/ HTTP/1.1", "target": "10.0.0.1:80"}, 1,
    ),
    "syslog of old": (
        "<34>Oct 11 22:14:15 box su[12]: 'su root' failed, again\n", {}, "syslog",
        {"priority": 34, "host": "box", "app": "su", "pid": "12",
         "message": "'su root' failed, again"}, 1,
    ),
    "syslog of RFC 5424": (
        '<165>1 2003-10-11T22:14:16.003Z a.example.com app - ID47 [x@1 iut="3"] An event\n', {},
        "syslog", {"time": "2003-10-11T22:14:16.003", "id": "ID47", "message": "An event"}, 1,
    ),
    "rsyslog": (
        "2024-05-01T10:00:00.123456+02:00 web1 nginx[55]: started\n", {}, "syslog",
        {"time": "2024-05-01T08:00:00.123", "app": "nginx"}, 1,
    ),
    "log4j": (
        "2024-01-01 12:00:00,123 [main] ERROR com.example.App - failed, twice\n"
        "java.lang.Exception: x\n\tat a.b(C.java:1)\n"
        "2024-01-01 12:00:01,000 [main] INFO  com.example.App - ok\n", {}, "log4j",
        {"time": "2024-01-01T12:00:00.123", "level": "ERROR", "thread": "main",
         "logger": "com.example.App",
         "message": "failed, twice\njava.lang.Exception: x\n\tat a.b(C.java:1)"}, 2,
    ),
    "logback": (
        "2024-01-01 12:00:00,123 INFO  [main] o.a.App: started\n", {}, "log4j",
        {"level": "INFO", "logger": "o.a.App", "message": "started"}, 1,
    ),
    "Python's logging": (
        "2024-01-01 12:00:00,123 INFO root: started, ok\n", {}, "log4j",
        {"level": "INFO", "message": "started, ok"}, 1,
    ),
    "Python's manual": (
        "2024-01-01 12:00:00,123 - shop.cart - WARNING - full, at last\n", {}, "log4j",
        {"level": "WARNING", "logger": "shop.cart", "message": "full, at last"}, 1,
    ),
    "Spring Boot 3": (
        "2024-01-01T12:00:00.123+01:00  INFO 4711 --- [shop] [nio-8080-exec-1] c.e.Cart : full\n",
        {}, "log4j",
        {"time": "2024-01-01T11:00:00.123", "pid": "4711", "app": "shop",
         "thread": "nio-8080-exec-1", "logger": "c.e.Cart", "message": "full"}, 1,
    ),
    "Spring Boot 2": (
        "2024-01-01 12:00:00.123 ERROR 4711 --- [           main] c.e.Cart           : empty\n",
        {}, "log4j", {"app": None, "thread": "main", "logger": "c.e.Cart", "message": "empty"}, 1,
    ),
    "nginx's errors": (
        '2024/01/01 12:00:00 [error] 12#13: *99 open() "/a" failed (2: No such file), '
        'client: 10.0.0.1, server: a, request: "GET /a HTTP/1.1"\n', {}, "error-log",
        {"time": "2024-01-01T12:00:00.000", "level": "error", "pid": "12", "connection": "99",
         "client": "10.0.0.1", "message": 'open() "/a" failed (2: No such file), '
         'client: 10.0.0.1, server: a, request: "GET /a HTTP/1.1"'}, 1,
    ),
    "nginx's notices": (
        "2024/01/01 12:00:00 [notice] 12#12: signal process started\n", {}, "error-log",
        {"level": "notice", "client": None, "message": "signal process started"}, 1,
    ),
    "Apache's errors": (
        "[Mon Jan 01 12:00:00.123456 2024] [core:error] [pid 12:tid 140] [client 10.0.0.1:80] "
        "AH00126: Invalid URI\n", {}, "error-log",
        {"time": "2024-01-01T12:00:00.123", "module": "core", "level": "error", "pid": "12",
         "client": "10.0.0.1:80", "message": "AH00126: Invalid URI"}, 1,
    ),
    "semicolons and decimal commas": (
        "time;place;value\n2024-01-01 00:00:00;Köln;1,5\n", {}, "csv",
        {"place": "Köln", "value": 1.5}, 1,
    ),
    "decimal commas in quotes": (
        'time,value\n2024-01-01 00:00:00,"1,5"\n', {"decimal": ","}, "csv", {"value": 1.5}, 1,
    ),
    "without a header": (
        "2024-01-01 00:00:00,a,1\n2024-01-01 00:00:01,b,2\n", {}, "csv",
        {"column1": "2024-01-01 00:00:00", "column2": "a", "column3": 1}, 2,
    ),
    "names from outside": (
        "2024-01-01 00:00:00,a\n", {"columns": ("t", "k")}, "csv", {"k": "a"}, 1,
    ),
    "words without a header": (
        "a^x\nb^y\n", {"delimiter": "^", "header": False}, "csv", {"column1": "a"}, 2,
    ),
    "times of a country": (
        "when,v\n01.02.2024 10:00:00,1\n", {"time_format": "%d.%m.%Y %H:%M:%S"}, "csv",
        {"when": "01.02.2024 10:00:00", "v": 1}, 1,
    ),
    "a JSON list": (
        '[\n {"time":"2024-01-01T00:00:00",\n  "v":1},\n {"v":2,"time":"2024-01-01T00:00:01"}\n]',
        {}, "ndjson", {"v": 1}, 2,
    ),
    "one JSON object over lines": (
        '{\n "time":"2024-01-01T00:00:00",\n "v":1\n}\n', {}, "ndjson", {"v": 1}, 1,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_read(name: str, tmp_path: Path) -> None:
    text, options, form, first, count = FILES[name]
    (tmp_path / "f").write_text(text)
    replay, records = replayed(tmp_path / "f", **options)
    assert replay.facts.format == form
    assert replay.faults.count == 0
    assert len(records) == count
    assert first.items() <= records[0].items()


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16", "utf-8-sig"])
def test_letters_of_other_encodings(encoding: str, tmp_path: Path) -> None:
    (tmp_path / "f.csv").write_bytes("time,ort\n2024-01-01 00:00:00,Köln\n".encode(encoding))
    _, (record,) = replayed(tmp_path / "f.csv")
    assert record == {"time": "2024-01-01 00:00:00", "ort": "Köln"}
    (tmp_path / "g.csv").write_bytes("time,ort\n2024-01-01 00:00:00,Łódź\n".encode("cp1250"))
    _, (record,) = replayed(tmp_path / "g.csv", encoding="cp1250")
    assert record["ort"] == "Łódź"


@pytest.mark.parametrize("form", ["%d.%m.%Y %H:%M:%S", "dd.MM.yyyy HH:mm:ss"])
def test_times_of_a_form_are_moved_and_gaps_kept(form: str, tmp_path: Path) -> None:
    lines = "when,v\n01.02.2024 10:00:00,1\n01.02.2024 10:00:03,2\n"
    (tmp_path / "f.csv").write_text(lines)
    clock = RunningClock()
    target = Collected(clock)
    spec = ReplaySpec(str(tmp_path / "f.csv"), "-", time="now", time_format=form)
    Replay(spec, target, clock).run(threading.Event())
    assert [json.loads(r)["when"] for r in target.records] == [
        "24.11.2025 16:00:00", "24.11.2025 16:00:03",
    ]  # fmt: skip
    assert target.at[1] - target.at[0] == pytest.approx(3, abs=0.02)
    assert START_MS == 1_764_000_000_000


RECOGNISED = {
    ("28.11.2026 10:00:00", "29.11.2026 10:00:03"): "%d.%m.%Y %H:%M:%S",
    ("03.04.2026 10:00", "05.06.2026 10:01"): "%d.%m.%Y %H:%M",
    ("11/28/2026 10:00 AM", "11/28/2026 10:01 PM"): "%m/%d/%Y %I:%M %p",
    ("03/04/2026 10:00:00", "28/04/2026 10:00:00"): "%d/%m/%Y %H:%M:%S",
    ("2026/11/28 10:00:00", "2026/11/28 10:00:01"): "%Y/%m/%d %H:%M:%S",
    ("28-Nov-2026 10:00:00", "28-Nov-2026 10:00:03"): "%d-%b-%Y %H:%M:%S",
    ("Sat, 28 Nov 2026 10:00:00 GMT",): "%a, %d %b %Y %H:%M:%S GMT",
    ("28/Nov/2026:10:00:00 +0200",): "%d/%b/%Y:%H:%M:%S %z",
    ("2026-11-28", "2026-11-29"): "%Y-%m-%d",
    ("1795860000123456", "1795860001123456"): "epoch microseconds",
    ("1795860000123456789",): "epoch nanoseconds",
}


@pytest.mark.parametrize("times", RECOGNISED)
def test_times_with_one_meaning_are_recognised(times: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "f.csv").write_text("ts;v\n" + "".join(f"{time};1\n" for time in times))
    replay, records = replayed(tmp_path / "f.csv", time="now")
    assert replay.facts.style is not None
    assert replay.facts.style.value == RECOGNISED[times]
    assert (replay.faults.count, len(records)) == (0, len(times))
    assert all(len(str(r["ts"])) == len(t) for r, t in zip(records, times, strict=True))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("when,v\n03/04/2026 10:00,1\n05/06/2026 10:01,2\n", "may have the day or the month first"),
        ("date,clock,v\n11/28/2026,10:00:00,1\n", "date has dates, and another column the times"),
    ],
)
def test_times_that_nobody_can_tell_are_said(text: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "f.csv").write_text(text)
    replay, _ = replayed(tmp_path / "f.csv")
    assert replay.facts.style is None
    assert words in " ".join(replay.facts.notes)


def test_lines_with_a_time_of_day_alone_have_a_date_from_outside(tmp_path: Path) -> None:
    line = "{} [main] INFO  com.acme.App - started\n"
    path = tmp_path / "app.log"
    path.write_text(line.format("23:59:59.500") + line.format("00:00:01.000"))
    replay, records = replayed(path, date="2026-02-28")
    assert [r["time"] for r in records] == ["2026-02-28T23:59:59.500", "2026-03-01T00:00:01.000"]
    assert replay.facts.notes == []
    os.utime(path, (1_700_000_000, 1_700_000_000))
    replay, records = replayed(path)
    assert records[0]["time"] == "2023-11-14T23:59:59.500"
    assert "when the file was changed; --date names another" in replay.facts.notes[0]
    assert "'x' is no date" in str(error(path, date="x"))


def test_blanks_after_commas_are_no_part_of_values(tmp_path: Path) -> None:
    (tmp_path / "f.csv").write_text(
        "time, v, s\n2024-01-01 00:00:00, 5, a b\n2024-01-01 00:00:01, 6,c\n"
    )
    _, records = replayed(tmp_path / "f.csv")
    assert [(r["v"], r["s"]) for r in records] == [(5, " a b"), (6, "c")]
    (tmp_path / "g.csv").write_text("time,v\r2024-01-01 00:00:00,1\r")
    assert "carriage returns alone" in str(error(tmp_path / "g.csv"))


def test_syslog_without_a_host(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("<134>Nov 28 10:00:00 haproxy[7]: 10.0.1.2:33317 http-in 200\n")
    _, (record,) = replayed(tmp_path / "f")
    assert (record["app"], record["pid"]) == ("haproxy", "7")
    assert record["message"] == "10.0.1.2:33317 http-in 200"


def test_the_records_of_cloudtrail_are_taken_out(tmp_path: Path) -> None:
    event = '{"eventTime":"2026-11-28T10:00:0%dZ","eventName":"PutObject"}'
    (tmp_path / "f.json").write_text(f'{{"Records":[{event % 1},{event % 2}]}}')
    replay, records = replayed(tmp_path / "f.json")
    assert replay.facts.time_field == "eventTime"
    assert [r["eventTime"][-3:] for r in records] == ["01Z", "02Z"]


def test_what_macos_adds_to_an_archive_is_passed_over(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "f.zip", "w") as archive:
        archive.writestr("logs/events.ndjson", EVENTS)
        archive.writestr("__MACOSX/logs/._events.ndjson", "x")
    assert len(replayed(tmp_path / "f.zip")[1]) == 3


def test_a_row_of_other_length_is_named_by_its_line(tmp_path: Path) -> None:
    (tmp_path / "f.csv").write_text("time,v\n2024-01-01,1\n2024-01-02\n2024-01-03,3\n")
    replay, records = replayed(tmp_path / "f.csv")
    assert len(records) == 2
    (fault,) = replay.faults.named
    assert (fault.line, fault.reason) == (3, "1 values for 2 columns")


@pytest.mark.parametrize(
    ("text", "options", "words"),
    [
        ("{not json\n{neither\n", {}, "nothing could be read"),
        ("a,b\n", {}, "nothing could be read"),
        ("hello world\nthis is nothing\n", {}, "not recognised"),
        ("hello world\n", {"format": "syslog"}, "no line"),
        ("hello world\n", {"format": "access-log"}, "nothing could be read"),
        ("time,v\n2024-01-01,1\n", {"format": "log4j"}, "no line"),
        (
            "#Fields: date time a b\n2024-01-01 00:00:01 1 2\n#Fields: date time b a\n",
            {},
            "change in the middle of the file",
        ),
        ("\n\n\n", {}, "is empty"),
        ("a,v\n1,x\n", {"time_format": "%d.%m.%Y"}, "no times like"),
        ("a,v\n1,x\n", {"time_format": "%Q"}, "no time format"),
        ("a,v\n1,x\n", {"delimiter": ";;"}, "not one ASCII character"),
        ("a,v\n1,x\n", {"decimal": "'"}, "neither a point nor a comma"),
        ("a,v\n1,x\n", {"encoding": "klingon"}, "no encoding"),
    ],
)
def test_nothing_read_is_no_success(
    text: str, options: dict[str, Any], words: str, tmp_path: Path
) -> None:
    (tmp_path / "f").write_text(text)
    assert words in error(tmp_path / "f", **options).message


def test_standard_input_is_replayed() -> None:
    words = [
        sys.executable,
        "-m",
        "eddyline.cli.main",
        "replay",
        "-",
        "--to",
        "-",
        "--speed",
        "max",
    ]
    done = subprocess.run(words, input=gzip.compress(EVENTS), capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout == EVENTS
