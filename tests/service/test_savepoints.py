"""Savepoints: a job stops with one, the same statement or another job starts from it."""

from __future__ import annotations

import json
import queue
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from eddyline.errors import EddylineError
from eddyline.log import PutBatch
from eddyline.service.events import RunFinished, Text
from eddyline.service.services import Services
from eddyline.settings import Settings
from tests.process_kit import until

TABLES = """
CREATE TABLE IF NOT EXISTS clicks (k STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts)
WITH ('connector' = 'kinesis', 'stream' = 'clicks', 'format' = 'json',
  'scan.stream.initpos' = 'TRIM_HORIZON');
CREATE TABLE IF NOT EXISTS counts (k STRING, n BIGINT)
WITH ('connector' = 'kinesis', 'stream' = 'counts', 'format' = 'json');
"""
COUNT = """INSERT INTO counts SELECT k, COUNT(*)
FROM TABLE(TUMBLE(TABLE clicks, DESCRIPTOR(ts), INTERVAL '10' SECOND))
GROUP BY k, window_start, window_end;"""


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    settings = Settings(data_dir=tmp_path, map_gib=1, stream_delay_ms=0, worker_threads=1)
    opened = Services(settings)
    opened.start()
    for name in ("clicks", "counts"):
        opened.streams.create(name, 1)
    yield opened
    opened.stop()


def put(services: Services, *seconds: int) -> None:
    data = [b'{"k":"a","ts":"2026-01-01 10:00:%02d"}' % s for s in seconds]
    services.streams.open("clicks").put(PutBatch(["k"] * len(data), data)).result()


def counts(services: Services) -> list[int]:
    data = services.streams.open("counts").read(0, 0, 1000).data.to_pylist()
    return [json.loads(row)["n"] for row in data]


def run(services: Services, text: str, **more: Any) -> tuple[list[str], RunFinished]:
    events: queue.SimpleQueue[Any] = queue.SimpleQueue()
    services.sessions.submit("app:a", text, events.put, detach=True, **more)
    texts = []
    while not isinstance(event := events.get(timeout=60), RunFinished):
        texts += [event.text] if isinstance(event, Text) else []
    return texts, event


def test_jobs_start_from_a_savepoint_each_with_its_own_results(services: Services) -> None:
    put(services, 1, 2, 11)
    _, end = run(services, TABLES + COUNT, job_name="count")
    assert end.status == "FINISHED", end.error_text
    until(lambda: counts(services) == [2], "the first window")
    texts, end = run(services, "STOP JOB 'count' WITH SAVEPOINT;")
    assert end.status == "FINISHED", end.error_text
    (info,) = services.savepoints.list()
    assert texts == [f"Job count has stopped. Its savepoint is {info.name}."]
    assert (info.job_name, info.size_bytes > 0) == ("count", True)
    put(services, 12, 13, 25)
    for name in ("again", "fork"):
        before = len(counts(services))
        chosen = f"SET 'execution.savepoint.path' = '{info.name}';"
        _, end = run(services, chosen + COUNT, job_name=name)
        assert end.status == "FINISHED", end.error_text
        until(lambda before=before: len(counts(services)) > before, "the second window")
    assert counts(services) == [2, 3, 3], "the row in the open window counts, and none comes again"
    services.savepoints.remove(info.name)
    assert services.savepoints.list() == []
    assert {j.name: j.actual for j in services.jobs.list()} == {
        "count": "STOPPED", "again": "RUNNING", "fork": "RUNNING",
    }  # fmt: skip


def test_what_is_no_savepoint_is_said_before_a_job_begins(services: Services) -> None:
    _, end = run(services, f"SET 'execution.savepoint.path' = 'gone';{TABLES}{COUNT}")
    assert end.status == "ERROR"
    assert "there is no savepoint gone" in str(end.error_text)
    assert services.jobs.list() == []


def test_a_savepoint_is_of_a_stopped_job_and_is_exported_and_taken_in(
    services: Services, tmp_path: Path
) -> None:
    put(services, 1)
    run(services, TABLES + COUNT, job_name="count")
    with pytest.raises(EddylineError, match="it has no savepoint"):
        services.savepoints.take(services.jobs.get("count"))
    job = services.jobs.stop("count")
    with pytest.raises(EddylineError, match="cannot be named"):
        services.savepoints.take(job, "../outside")
    services.savepoints.take(job, "mine")
    with pytest.raises(EddylineError, match="savepoint mine already"):
        services.savepoints.take(job, "mine")
    file = tmp_path / "mine.tar.gz"
    services.savepoints.export("mine", file)
    with pytest.raises(EddylineError, match="there is a file"):
        services.savepoints.export("mine", file)
    with pytest.raises(EddylineError, match="savepoint mine already"):
        services.savepoints.take_in(file)
    taken = services.savepoints.take_in(file, "theirs")
    assert (taken.name, taken.job_name, taken.sql) == ("theirs", "count", job.sql)
    put(services, 2, 11)
    chosen = "SET 'execution.savepoint.path' = 'theirs';"
    _, end = run(services, chosen + COUNT, job_name="restored")
    assert end.status == "FINISHED", end.error_text
    until(lambda: counts(services) == [2], "a window with the row of the savepoint")
    (tmp_path / "torn.tar.gz").write_bytes(file.read_bytes()[:200])
    with pytest.raises(EddylineError, match="is no savepoint"):
        services.savepoints.take_in(tmp_path / "torn.tar.gz", "torn")
    assert [s.name for s in services.savepoints.list()] == ["mine", "theirs"]


@pytest.mark.parametrize(
    "text",
    [
        "CREATE FUNCTION f AS 'stolen.f' LANGUAGE PYTHON",
        "CREATE FUNCTION f AS 'stolen.f' LANGUAGE PYTHON;\n" + COUNT,
        "EXECUTE PLAN '/tmp/plan.json'",
        "SELECT 1",
    ],
)
def test_a_file_of_somebody_else_brings_no_statement_but_a_job(
    services: Services, tmp_path: Path, text: str
) -> None:
    info = {"name": "gift", "job_id": "j1", "job_name": None, "sql": text, "created_ms": 1}
    source = tmp_path / "savepoint.json"
    source.write_text(json.dumps(info))
    gift = tmp_path / "gift.tar.gz"
    with tarfile.open(gift, "x:gz") as archive:
        archive.add(source, source.name)
    with pytest.raises(EddylineError, match="another text than a job's statement") as caught:
        services.savepoints.take_in(gift)
    assert caught.value.code == "bad_file"
    assert services.savepoints.list() == []
    folder = services.directory.path / "savepoints" / "gift"  # put there by hand
    folder.mkdir(parents=True)
    source.rename(folder / source.name)
    with pytest.raises(EddylineError, match="another text than a job's statement"):
        services.savepoints.statement("gift")


def test_a_stopped_job_starts_again_with_its_own_statement(services: Services) -> None:
    put(services, 1, 2, 11)
    run(services, TABLES + COUNT, job_name="count")
    until(lambda: counts(services) == [2], "the first window")
    with pytest.raises(EddylineError, match="count is running already"):
        services.jobs.start("count")
    stopped = services.jobs.stop("count")
    with pytest.raises(EddylineError, match="does not start from 'somewhere'"):
        services.jobs.start("count", "somewhere")
    put(services, 12, 25)
    started = services.jobs.start("count")
    assert (started.actual, started.job_id, started.sql) == ("RUNNING", stopped.job_id, stopped.sql)
    until(lambda: counts(services) == [2, 2], "the window that was open when it stopped")
    services.jobs.stop("count")
    put(services, 31)
    services.jobs.start("count", "positions")
    put(services, 41)
    until(lambda: counts(services) == [2, 2, 1], "the window without what the state had of it")
    services.jobs.stop("count")
    fresh = services.jobs.start("count", "fresh")
    assert fresh.job_id != stopped.job_id
    until(lambda: counts(services) == [2, 2, 1, 2, 2, 1, 1], "all windows anew")


def test_a_failed_job_starts_again_once_its_cause_is_gone(services: Services) -> None:
    services.streams.delete("counts")
    _, end = run(services, TABLES + COUNT, job_name="count")
    assert "there is no stream counts" in str(end.error_text)
    assert services.jobs.get("count").actual == "FAILED"
    assert services.jobs.start("count").actual == "FAILED", "the cause is still there"
    services.streams.create("counts", 1)
    started = services.jobs.start("count")
    assert (started.actual, started.error) == ("RUNNING", None)
    assert len(services.jobs.failures("count")) == 2, "what failed stays on record"


def test_a_savepoint_is_copied_and_restored_onto_another_stream(services: Services) -> None:
    put(services, 1, 2)
    run(services, TABLES + COUNT, job_name="count")
    until(lambda: services.jobs.get("count").figures, "its first report")
    services.savepoints.take(services.jobs.stop("count"), "mine")
    with pytest.raises(EddylineError, match="savepoint mine already"):
        services.savepoints.copy("mine", "mine")
    copied = services.savepoints.copy("mine", "copied")
    services.savepoints.remove("mine")
    assert (copied.job_name, copied.sql) == ("count", services.jobs.get("count").sql)
    services.streams.create("clicks-eu", 3)
    data = [b'{"k":"a","ts":"2026-01-01 10:00:%02d"}' % s for s in (3, 4, 11)]
    services.streams.open("clicks-eu").put(PutBatch(["x", "y", "z"], data)).result()
    options = {"execution.savepoint.path": "copied"}
    moved = {"execution.savepoint.streams": "clicks=clicks-eu"}
    _, end = run(services, COUNT, job_name="eu", parameters={**options, **moved})
    assert "(stream clicks-eu; the state's: stream clicks)" in str(end.error_text)
    assert [j.name for j in services.jobs.list()] == ["count"], "a refusal makes no job"
    allowed = {"execution.savepoint.ignore-unclaimed-state": "true"}
    _, end = run(services, COUNT, job_name="eu", parameters={**options, **moved, **allowed})
    assert end.status == "FINISHED", end.error_text
    until(lambda: counts(services) == [4], "two rows of the state, two of the other stream")
    services.jobs.stop("eu")
    assert services.jobs.start("eu").actual == "RUNNING", "it goes on with the other stream"
    assert services.jobs.get("eu").figures is not None


def test_a_stopped_job_may_write_elsewhere(services: Services) -> None:
    put(services, 1, 2, 11)
    run(services, TABLES + COUNT, job_name="count")
    until(lambda: counts(services) == [2], "the first window")
    services.jobs.stop("count")
    services.streams.create("counts-2", 1)
    put(services, 12, 25)
    other = "CREATE TABLE counts2 WITH ('stream' = 'counts-2') LIKE counts;"
    _, end = run(services, other + COUNT.replace("INTO counts", "INTO counts2"), job_name="count")
    assert end.status == "FINISHED", end.error_text
    until(lambda: services.streams.open("counts-2").bounds(0)[1] == 1, "the next window, elsewhere")
    data = services.streams.open("counts-2").read(0, 0, 9).data.to_pylist()
    assert [json.loads(row)["n"] for row in data] == [2]
    assert counts(services) == [2]
    services.jobs.stop("count")
    put(services, 31)
    assert services.jobs.start("count").actual == "RUNNING", "its new sink is its sink from now on"
