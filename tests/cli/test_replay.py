"""``eddyline replay``: files as streams, at their pace or faster, their times kept or moved."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from command import Command

LOG = """\
10.0.0.1 - - [17/May/2015:10:05:03 +0000] "GET /a HTTP/1.1" 200 20 "-" "Mozilla/5.0"
10.0.0.2 - ann [17/May/2015:12:05:05 +0200] "GET /b?q=\\"x\\" HTTP/1.1" 404 - "http://r/" "-"
not a line of a log
10.0.0.3 - - [17/May/2015:10:05:04 +0000] "POST /c HTTP/1.1" 500 7 "-" "curl"
"""


@pytest.fixture
def eddyline(tmp_path: Path) -> Command:
    return Command(tmp_path / "data")


def test_an_access_log_in_order_of_its_times(eddyline: Command, tmp_path: Path) -> None:
    (tmp_path / "access.log.gz").write_bytes(gzip.compress(LOG.encode()))
    done = eddyline("replay", str(tmp_path / "access.log.gz"), "--to", "-", "--speed", "max")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [r["path"] for r in rows] == ["/a", "/c", '/b?q="x"']
    assert [r["time"][11:19] for r in rows] == ["10:05:03", "10:05:04", "10:05:05"]
    assert [(r["status"], r["bytes"]) for r in rows] == [(200, 20), (500, 7), (404, 0)]
    assert "line 3: not in combined log format" in done.stderr
    assert "access-log, event time in time" in done.stderr


def test_into_a_stream_at_a_pace_with_times_of_now(eddyline: Command, tmp_path: Path) -> None:
    lines = [f'{{"at":"2020-01-01T00:00:{s:02}.250Z","n":{s}}}' for s in (0, 30, 59)]
    (tmp_path / "e.ndjson").write_text("\n".join(lines))
    eddyline.here("stream", "create", "s", "--shards", "1")
    before = datetime.now(UTC)
    args = ("--to", "stream:s", "--speed", "60x", "--time", "now", "--json")
    (*_, message) = eddyline.rows("replay", str(tmp_path / "e.ndjson"), *args)
    assert message["accepted"] == 3
    assert message["elapsed_s"] >= 59 / 60 - 0.01
    times = [datetime.fromisoformat(json.loads(r)["at"]) for r in eddyline.records("s")]
    assert [(t - times[0]).total_seconds() for t in times] == [0, 30, 59]
    assert abs((times[0] - before).total_seconds()) < 30


def test_csv_keeps_its_numbers(eddyline: Command, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(
        'timestamp,value,name\n2014-04-10 00:04:00,0.10,"a,b"\n2014-04-10 00:03:00,1e3,c\n'
    )
    done = eddyline("replay", str(tmp_path / "a.csv"), "--to", "-", "--speed", "max")
    assert done.stdout.splitlines() == [
        '{"timestamp":"2014-04-10 00:03:00","value":1e3,"name":"c"}',
        '{"timestamp":"2014-04-10 00:04:00","value":0.10,"name":"a,b"}',
    ]
    assert "1 record stood out of order" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["nosuch.log", "--to", "-"], "there is no file nosuch.log"),
        (["FILE", "--to", "-", "--speed", "fast"], "'fast' is no speed"),
        (["FILE", "--to", "-", "--speed", "0x"], "speed is 0"),
        (["FILE", "--to", "-", "--time", "then"], "time 'then' is neither keep nor now"),
        (["FILE", "--to", "-", "--format", "xml"], "format 'xml' is none of"),
        (["FILE", "--to", "-", "--time-field", "when"], "no field when"),
        (["FILE", "--to", "stream:q"], "there is no stream q"),
        (["FILE", "--to", "-", "--limit", "-1"], "limit is -1"),
        (["TORN", "--to", "-", "--speed", "max"], "cannot read"),
        (["EMPTY", "--to", "-"], "is empty"),
        (["PLAIN", "--to", "-", "--format", "ndjson"], "no event times were found"),
    ],
)
def test_what_is_wrong_is_said(
    eddyline: Command, tmp_path: Path, arguments: list[str], error: str
) -> None:
    files = {
        "FILE": b'{"at":"2020-01-01T00:00:00Z"}\n',
        "TORN": gzip.compress(b'{"at":"2020-01-01T00:00:00Z"}\n' * 100)[:-9],
        "EMPTY": b"",
        "PLAIN": b'{"n":1}\n',
    }
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    eddyline.here("stream", "create", "s")
    words = [str(tmp_path / a) if a in files else a for a in arguments]
    done = eddyline.here("replay", *words)
    assert done.returncode == 1
    assert error in done.stderr
    assert "Traceback" not in done.stderr
