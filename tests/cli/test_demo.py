"""The demo's parts: its verdict, its burst, its refusals; and, when asked for, the whole of it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import threading
from pathlib import Path

import pytest
from command import Command
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from eddyline.cli import demo_run
from eddyline.cli.demo_replay import because
from eddyline.cli.demo_run import DemoLocation, free_instead, started
from eddyline.cli.demo_summary import DemoAlert, alert_of, instant, latency, overlaps, verdict
from eddyline.cli.demo_view import DemoView, ScoredWindow
from eddyline.errors import EddylineError
from eddyline.service import lab
from eddyline.service.anomalies import Point

BURST = (100_400, 106_400)


def alert(start_ms: int) -> DemoAlert:
    return alert_of(start_ms, 3.0, "ctrpercent is 400", BURST)


@pytest.mark.parametrize(
    ("start_ms", "inside"),
    [(98_000, False), (99_000, False), (100_000, True), (103_000, True), (106_000, True),
     (107_000, True), (108_000, False)],
)  # fmt: skip
def test_a_window_overlaps_the_burst_or_is_the_next_one(start_ms: int, inside: bool) -> None:
    assert overlaps(start_ms, BURST) is inside


@pytest.mark.parametrize(
    ("alerts", "burst", "windows", "good", "words"),
    [
        ([101_000], BURST, 58, True, "the burst was found, and nothing else"),
        ([], BURST, 58, False, "the burst was not found"),
        ([50_000], BURST, 58, False, "the burst was not found, but 1 alert elsewhere"),
        ([50_000, 101_000], BURST, 58, False, "2 alerts for one burst"),
        ([101_000, 103_000], BURST, 58, False, "2 alerts for one burst"),
        ([], None, 58, True, "no alert, as it should be"),
        ([50_000], None, 58, False, "1 alert without a burst"),
        ([], None, 3, False, "only 3 windows were scored where 45 or more should be"),
        ([101_000], BURST, 3, False, "only 3 windows were scored where 45 or more should be"),
    ],
)
def test_the_verdict(
    alerts: list[int], burst: tuple[int, int] | None, windows: int, good: bool, words: str
) -> None:
    assert verdict([alert(a) for a in alerts], burst, windows, 60.0) == (good, words)


@given(st.integers(0, 2**63 - 1))
def test_a_burst_comes_after_the_warm_up_and_ends_in_time(seed: int) -> None:
    burst = lab.burst(seed)
    assert burst == lab.burst(seed)
    assert burst.start_s >= lab.WARM_UP_S
    assert burst.start_s + burst.duration_s <= lab.BURST_LATEST_S < lab.SHORTEST_S


def test_the_burst_is_a_sender_of_its_own_that_ends_by_itself() -> None:
    burst = lab.burst(7)
    *others, more = lab.senders(7, burst)
    assert [s.name for s in others] == [s.name for s in lab.senders(7)]
    schedule = more.spec.schedule()
    assert schedule is not None
    assert schedule.count(burst.start_s - 0.01) <= 1
    assert more.spec.total == schedule.within(burst.start_s + burst.duration_s)
    assert more.spec.total == 900


def test_latencies() -> None:
    assert latency([]).n == 0
    measured = latency([float(n) for n in range(101)])
    assert (measured.p50, measured.p99, measured.n) == (50.0, 99.0, 101)
    assert instant(1_764_000_000_012) == "2025-11-24T16:00:00.012Z"


def test_the_view_shows_what_there_is() -> None:
    view = DemoView(elapsed_s=12.3, rates={"visitors": (1234, 99.5)})
    view.windows.append(ScoredWindow(1_764_000_000_000, 100.0, 0.0, 0.0, False))
    console = Console(width=100, record=True, file=open(os.devnull, "w"))  # noqa: SIM115
    console.print(view)
    text = console.export_text()
    console.file.close()
    for word in ("visitors", "1,234", "99.5", "16:00:00", "learning what is ordinary"):
        assert word in text
    view.windows.append(ScoredWindow(1_764_000_001_000, 400.0, 3.5, 0.9, True))
    view.alerts.append("ANOMALY in click-stream")
    console = Console(width=100, record=True, file=open(os.devnull, "w"))  # noqa: SIM115
    console.print(view)
    text = console.export_text()
    console.file.close()
    assert "ANOMALY in click-stream" in text
    assert "learning" not in text


def test_reasons_in_words() -> None:
    reasons = {
        "requests": {"DIRECTION": "HIGH", "ATTRIBUTION_SCORE": "0.2"},
        "visitors": {"DIRECTION": "LOW", "ATTRIBUTION_SCORE": "2.0"},
        "mebibytes": {"DIRECTION": "HIGH", "ATTRIBUTION_SCORE": "1.0"},
    }
    point = Point(0, [1.0], 3.0, 0.5, True, None, reasons)
    assert because(point) == "visitors LOW, bytes sent HIGH"


def test_what_cannot_be_meant_is_refused(tmp_path: Path) -> None:
    eddyline = Command(tmp_path / "data")
    short = eddyline.here("demo", "--for", "30s")
    assert short.returncode == 1
    assert "--for 30s is too short" in short.stderr
    assert f"--for {lab.SHORTEST_S:g}s or more" in short.stderr
    assert "seed is -1" in eddyline.here("demo", "--seed", "-1").stderr
    assert "there is no file" in eddyline.here("demo", "--replay", "nosuch.log").stderr
    (tmp_path / "a.csv").write_text("a,b\n1,2\n")
    wrong = eddyline.here("demo", "--replay", str(tmp_path / "a.csv"))
    assert "is csv, no access log" in wrong.stderr
    assert "hint:" in wrong.stderr
    assert not (tmp_path / "data").exists()


def test_a_busy_default_port_is_replaced_and_a_named_one_refused(tmp_path: Path) -> None:
    messages: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = busy.getsockname()[1]
        free = free_instead("127.0.0.1", port, "the studio", messages.append)
        with pytest.raises(EddylineError, match=f"port {port} on 127.0.0.1 is in use") as refused:
            started(DemoLocation(tmp_path / "data", api_port=port, port=0), messages.append)
    assert free not in (0, port)
    assert messages == [f"port {port} is in use by another program; the studio is on port {free}"]
    assert refused.value.code == "port_in_use"
    assert free_instead("127.0.0.1", free, "the studio", messages.append) == free
    assert len(messages) == 1


def test_a_long_compilation_is_announced(monkeypatch: pytest.MonkeyPatch) -> None:
    class Compiling:
        warmed = threading.Event()

    messages: list[str] = []
    monkeypatch.setattr(demo_run, "SAY_S", 0.01)
    monkeypatch.setattr(demo_run, "COMPILE_STEP_S", 0.01)
    monkeypatch.setattr(demo_run, "COMPILE_S", 0.03)
    demo_run.wait_for_compilation(Compiling, messages.append)  # type: ignore[arg-type]
    assert messages[0].startswith(
        "preparing the anomaly detector for this machine; this happens once"
    )
    assert messages[1].startswith("still preparing, ")
    Compiling.warmed.set()
    messages.clear()
    demo_run.wait_for_compilation(Compiling, messages.append)  # type: ignore[arg-type]
    assert messages == []


def test_the_greeting_says_what_becomes_of_the_data(tmp_path: Path) -> None:
    assert "removed" in DemoLocation(tmp_path, scratch=True).afterwards
    assert f"--data-dir {tmp_path}" in DemoLocation(tmp_path).afterwards


whole = pytest.mark.skipif(
    "EDDYLINE_DEMO" not in os.environ, reason="takes minutes: run with EDDYLINE_DEMO=1"
)


@whole
@pytest.mark.parametrize("more", [[], ["--no-burst"]])
def test_the_whole_demo(more: list[str]) -> None:
    words = ["demo", "--for", "60s", "--json", "--seed", "5", *more]
    done = subprocess.run(
        Command(Path()).words(*words)[:-2], capture_output=True, text=True, timeout=200
    )
    (summary,) = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0, summary
    assert summary["as_expected"]
    assert len(summary["alerts"]) == (0 if more else 1)
    assert summary["latency_ms"]["n"] == summary["windows"] > 45


def test_the_web_log(tmp_path: Path) -> None:
    """Sixty hours of an ordinary small log, one of which is not."""
    lines = []
    for hour in range(60):
        day, hour_of_day = 10 + hour // 24, hour % 24
        for n in range(30 + hour % 5):
            status, size = (500, 90_000) if hour == 50 else (200, 1000 + n)
            stamp = f"{day}/May/2026:{hour_of_day:02}:{n % 10:02}:{n:02} +0000"
            lines.append(
                f'10.0.0.{n % 20} - - [{stamp}] "GET /{n} HTTP/1.1" {status} {size} "-" "m"'
            )
    (tmp_path / "access.log").write_text("\n".join(lines) + "\n")
    done = subprocess.run(
        Command(tmp_path / "data").words(
            "demo", "--replay", str(tmp_path / "access.log"), "--json"
        ),
        capture_output=True, text=True, timeout=250,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [f["window_start"] for f in rows] == ["2026-05-12T02:00:00.000Z"]
    assert rows[0]["error_percent"] == 100.0
    assert rows[0]["usual"]["error_percent"] == 0.0
    assert rows[0]["reasons"]["error_percent"]["DIRECTION"] == "HIGH"
    assert "mebibytes is too high: 2.575 where about 0.03" in rows[0]["sentence"]
    assert "59 windows of ten minutes with requests, 1 unusual" in done.stderr
