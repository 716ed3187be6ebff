"""The endpoint's processes: one port of their own, replaced when they die, gone at the end."""

from __future__ import annotations

import os
import signal
import socket
import time
from pathlib import Path
from typing import Any

import pytest

from eddyline.aws import ApiWorkers
from eddyline.aws.workers import BEAT_S
from eddyline.errors import EddylineError
from eddyline.settings import Settings
from tests.aws.conftest import call, client, raw, read_all


def answers(port: int) -> bool:
    try:
        return call(f"http://127.0.0.1:{port}", "ListStreams").status == 200
    except OSError:
        return False


def until(what: Any) -> None:
    end = time.monotonic() + 30
    while not what():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_dead_worker_is_noticed_and_all_are_started_again(tmp_path: Path) -> None:
    workers = ApiWorkers(Settings(data_dir=tmp_path, api_port=0, api_workers=2))
    port = workers.start()
    try:
        assert workers.alive()
        assert answers(port)
        pids = [p.pid for p in workers._processes]
        assert len(set(pids)) == 2
        os.kill(pids[0], signal.SIGKILL)
        until(lambda: not workers.alive())
        workers.restart()
        assert workers.alive()
        assert not set(pids) & {p.pid for p in workers._processes}
        assert answers(port)
    finally:
        workers.stop()
    assert not answers(port)
    workers.restart()  # somebody who was late; stopped is stopped
    assert not answers(port)


def test_a_worker_that_hangs_is_killed_and_a_sleep_kills_none(tmp_path: Path) -> None:
    workers = ApiWorkers(Settings(data_dir=tmp_path, api_port=0, api_workers=2))
    port = workers.start()
    try:
        hung, healthy = (p.pid for p in workers._processes)
        for _ in range(4):  # sixteen seconds of looks, with beats between them
            time.sleep(BEAT_S + 0.5)
            assert workers.end_hung(look_s=4.0) == []
        os.kill(hung, signal.SIGSTOP)
        ended: list[int] = []

        def look() -> bool:
            time.sleep(0.25)
            ended.extend(workers.end_hung(look_s=0.25, silence_s=4.0))
            return bool(ended)

        until(look)
        assert ended == [hung]
        assert not workers.alive()
        workers.restart()
        assert answers(port)
        assert {hung, healthy}.isdisjoint(p.pid for p in workers._processes)
    finally:
        workers.stop()


def test_the_worker_holds_the_port_and_nobody_else(tmp_path: Path) -> None:
    workers = ApiWorkers(Settings(data_dir=tmp_path, api_port=0))
    port = workers.start()
    try:
        other = ApiWorkers(Settings(data_dir=tmp_path / "other", api_port=port))
        with pytest.raises(EddylineError, match=f"cannot listen on port {port}") as caught:
            other.start()
        assert caught.value.code == "port_in_use"
        (process,) = workers._processes
        os.kill(process.pid, signal.SIGKILL)
        process.wait(20)
        with pytest.raises(OSError):
            socket.create_connection(("127.0.0.1", port), 1)
    finally:
        workers.stop()


def test_exact_limits_need_one_process(tmp_path: Path) -> None:
    workers = ApiWorkers(Settings(data_dir=tmp_path, api_port=0, api_workers=4, throttle=True))
    workers.start()
    try:
        assert len(workers._processes) == 1
    finally:
        workers.stop()


def test_a_worker_that_cannot_start_says_why(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, api_port=0, tls=True, tls_certificate="no.pem")
    with pytest.raises(EddylineError, match="does not start") as caught:
        ApiWorkers(settings).start()
    assert "tls_certificate no.pem does not exist" in (tmp_path / "logs" / "api.log").read_text()
    assert caught.value.hint is not None
    assert "api.log" in caught.value.hint


def test_what_was_acknowledged_outlives_the_worker(tmp_path: Path) -> None:
    workers = ApiWorkers(Settings(data_dir=tmp_path, api_port=0, stream_delay_ms=0))
    endpoint = f"http://127.0.0.1:{workers.start()}"
    try:
        client(endpoint).create_stream(StreamName="s", ShardCount=1)
        sent = []
        for i in range(20):
            data = b"%d" % i
            client(endpoint).put_record(StreamName="s", Data=data, PartitionKey="k")
            sent.append(data)
            if i % 7 == 6:
                os.kill(workers._processes[0].pid, signal.SIGKILL)
                workers.restart()
        assert [r["Data"] for r in read_all(client(endpoint), "s")] == sent
    finally:
        workers.stop()


def test_a_full_disk_is_said_and_reading_goes_on(started: Any, tmp_path: Path) -> None:
    endpoint = started(data_dir=tmp_path)
    client(endpoint).create_stream(StreamName="s", ShardCount=1)
    client(endpoint).put_record(StreamName="s", Data=b"x", PartitionKey="k")
    full = started(data_dir=tmp_path, disk_free_mib_min=2**20)
    reply = call(full, "PutRecord", {"StreamName": "s", "Data": "eA==", "PartitionKey": "k"})
    assert (reply.status, reply.error) == (500, "InternalFailureException")
    assert "MiB left" in reply.message
    assert "free space, or lower" in reply.message
    assert len(read_all(client(full), "s")) == 1
    assert raw(full, b"", {}, "GET", "/health").status == 200
