"""Jobs that are stopped, that fail and that are tried again: nobody has to look to hear of it."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from typing import Any

import pytest

from eddyline.errors import EddylineError
from eddyline.log import PutBatch
from eddyline.service.events import RunFinished, TableSnapshot, Text, Warning_
from eddyline.service.job_metrics import job_metrics
from eddyline.service.restart_policy import restart_policy
from eddyline.service.services import Services
from eddyline.settings import Settings
from eddyline.sql.options import SessionConfig
from tests.process_kit import until

TABLES = """
CREATE TABLE IF NOT EXISTS clicks (n INT) WITH ('connector' = 'kinesis', 'stream' = 'clicks',
  'format' = 'json', 'scan.stream.initpos' = 'TRIM_HORIZON');
CREATE TABLE IF NOT EXISTS copies (n INT) WITH ('connector' = 'kinesis', 'stream' = 'copies',
  'format' = 'json');
"""
COPY = TABLES + "INSERT INTO copies SELECT 10 / n FROM clicks;"


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    data = tmp_path_factory.mktemp("data")
    opened = Services(Settings(data_dir=data, map_gib=1, stream_delay_ms=0, worker_threads=1))
    opened.start()
    yield opened
    opened.stop()


@pytest.fixture
def streams(services: Services) -> Iterator[Services]:
    for name in ("clicks", "copies"):
        services.streams.create(name, 1)
    yield services
    for job in services.jobs.list():
        services.jobs.remove(job.job_id)
    for name in ("clicks", "copies"):
        services.streams.delete(name)


def put(services: Services, text: str, stream: str = "clicks") -> None:
    services.streams.open(stream).put(PutBatch(["k"], [text.encode()])).result()


def run(services: Services, text: str, **more: Any) -> tuple[list[Any], RunFinished]:
    """A run in a session of its own, to its end."""
    messages: queue.SimpleQueue[Any] = queue.SimpleQueue()
    services.sessions.submit(more.pop("session", "app:a"), text, messages.put, **more)
    events = []
    while not isinstance(event := messages.get(timeout=60), RunFinished):
        events.append(event)
    return events, event


def test_a_cancelled_run_ends_and_its_worker_lives_on(streams: Services) -> None:
    """A worker that did not heed Cancel would be killed, with all that its session holds."""
    put(streams, '{"n": 5}')
    events: queue.SimpleQueue[Any] = queue.SimpleQueue()
    script = TABLES + "SELECT n FROM clicks;"
    run_id = streams.sessions.submit("app:cancelled", script, events.put)
    while not isinstance(events.get(timeout=60), TableSnapshot):
        continue
    (before,) = [s.pid for s in streams.sessions.list() if s.name == "app:cancelled"]
    streams.sessions.cancel(run_id)
    while not isinstance(event := events.get(timeout=60), RunFinished):
        continue
    assert event.status == "ABORT"
    (after,) = [s.pid for s in streams.sessions.list() if s.name == "app:cancelled"]
    assert after == before is not None


def test_stop_job_stops_a_job_of_another_session(streams: Services) -> None:
    put(streams, '{"n": 5}')
    _, over = run(streams, COPY, job_name="copy", detach=True)
    assert over.status == "FINISHED", over.error_text
    events, over = run(streams, "STOP JOB 'copy';", session="app:b")
    assert over.status == "FINISHED", over.error_text
    assert [e.text for e in events if isinstance(e, Text)] == ["Job copy has stopped."]
    job = streams.jobs.get("copy")
    assert (job.desired, job.actual) == ("STOPPED", "STOPPED")
    before = streams.streams.open("copies").bounds(0)[1]
    assert before == 1
    put(streams, '{"n": 2}')
    events, over = run(streams, "STOP JOB 'copy';", session="app:b")
    assert [e.text for e in events if isinstance(e, Text)] == ["Job copy is stopped already."]
    assert streams.streams.open("copies").bounds(0)[1] == before


def test_stop_job_of_an_unknown_job_is_an_error(streams: Services) -> None:
    _, over = run(streams, "STOP JOB 'nobody';")
    assert over.status == "ERROR"
    assert "there is no job nobody" in str(over.error_text)


def test_a_detached_job_that_dies_at_its_first_step_is_an_error(streams: Services) -> None:
    put(streams, '{"n": 0}')
    alerts = len(streams.anomalies.alerts())
    _, over = run(streams, COPY, job_name="dies", detach=True)
    assert over.status == "ERROR"
    assert over.error is not None
    assert over.error["code"] == "sql_runtime"
    job = until(lambda: (j := streams.jobs.get("dies")).actual == "FAILED" and j, "failed")
    assert job.why[0].startswith("the job has failed: ")
    assert not any("set aside" in reason for reason in job.why)
    (failure,) = streams.jobs.failures("dies")
    assert (failure.incarnation, failure.error["code"]) == (1, "sql_runtime")
    until(lambda: len(streams.anomalies.alerts()) > alerts, "an alert")
    alert = streams.anomalies.alerts()[0]
    assert alert.sentence.startswith("job dies has failed: ")


def test_a_job_is_observed_and_its_dead_letters_go_back(streams: Services) -> None:
    source = TABLES.replace(
        "'stream' = 'clicks',", "'stream' = 'clicks', 'bad-records' = 'dead-letter',"
    )
    put(streams, '{"n": 2}')
    put(streams, "{torn")
    put(streams, '{"n": 0}')
    text = "DROP TABLE IF EXISTS clicks;" + source + "INSERT INTO copies SELECT 10 / n FROM clicks;"
    _, over = run(streams, text, job_name="watched", detach=True)
    assert over.status == "FINISHED", over.error_text

    def seen() -> Any:
        figures = streams.jobs.get("watched").figures
        return figures if figures and figures.bad_records == 2 else None

    figures = until(seen, "two bad records")
    assert (figures.rows_in, figures.rows_out, figures.behind_records) == (3, 1, 0)
    scan, calc, sink = figures.operators
    assert (scan.bad_records, calc.bad_records, sink.rows_in) == (1, 1, 1)
    assert [s.position for s in figures.shards] == [3]
    job_id = streams.jobs.get("watched").job_id
    assert [d.text for d in streams.dead_letters.list(job_id)] == ["{torn", '{"n": 0}']
    assert streams.dead_letters.replay(job_id) == 2
    until(lambda: streams.dead_letters.count(job_id) == 2, "they are set aside again")
    assert any("INFO    start 1" in line for line in streams.jobs.log("watched"))
    metrics = job_metrics(streams.jobs.list())
    assert 'eddyline_job_bad_records_total{job_id="' + job_id in metrics
    assert f'operator="{sink.name}"' in metrics
    run(streams, "DROP TABLE clicks;")


def test_why_of_a_job_that_a_record_killed_does_not_say_set_aside(streams: Services) -> None:
    put(streams, "no JSON")
    _, over = run(streams, COPY, job_name="killed", detach=True)
    assert over.error is not None
    assert over.error["code"] == "bad_record"
    job = until(lambda: (j := streams.jobs.get("killed")).actual == "FAILED" and j, "failed")
    assert any("'bad-records' = 'dead-letter'" in reason for reason in job.why)
    assert not any("set aside" in reason for reason in job.why)


def test_a_chosen_strategy_tries_again_and_keeps_every_failure(streams: Services) -> None:
    put(streams, '{"n": 0}')
    chosen = (
        "SET 'restart-strategy.type' = 'fixed-delay';"
        "SET 'restart-strategy.fixed-delay.attempts' = '2';"
        "SET 'restart-strategy.fixed-delay.delay' = '50 ms';"
    )
    events, over = run(streams, chosen + COPY, session="app:c", job_name="tried")
    assert over.status == "ERROR"
    job = streams.jobs.get("tried")
    assert (job.actual, job.restarts) == ("FAILED", 2)
    assert [f.incarnation for f in streams.jobs.failures("tried")] == [1, 2, 3]
    warnings = [e.text for e in events if isinstance(e, Warning_)]
    assert sum("tried again in" in text for text in warnings) == 2
    streams.jobs.remove("tried")
    with pytest.raises(EddylineError, match="no job tried"):
        streams.jobs.failures("tried")
    assert streams.sessions.figures_of(job.job_id) == (None, [])


def error(code: str) -> EddylineError:
    return EddylineError(code, "it failed")


def policy(**options: str) -> Any:
    values = {f"restart-strategy.{k}": v for k, v in options.items()}
    return restart_policy(SessionConfig(values), "job")


def test_by_default_only_failures_that_may_pass_are_tried_again() -> None:
    assert policy().next_s(error("bad_record"), 0.0, 5) is None
    assert policy().next_s(error("disk_full"), 0.0, 5) == pytest.approx(1.0, rel=0.11)
    chosen = policy(type="exponential-delay")
    assert chosen.next_s(error("bad_record"), 0.0, 5) == pytest.approx(1.0, rel=0.11)


def test_a_fault_at_the_same_place_is_not_tried_for_ever() -> None:
    tried = policy()
    waits = [tried.next_s(error("internal"), float(n), 7) for n in range(4)]
    assert [w is None for w in waits] == [False, False, False, True]
    assert tried.next_s(error("internal"), 9.0, 8) is not None


def test_exponential_delay_grows_and_begins_anew_after_a_quiet_time() -> None:
    name = "exponential-delay"
    tried = policy(
        **{
            "type": name,
            f"{name}.jitter-factor": "0",
            f"{name}.max-backoff": "3 s",
            f"{name}.reset-backoff-threshold": "60 s",
            f"{name}.backoff-multiplier": "2",
        }
    )
    assert [tried.next_s(error("internal"), float(n), n) for n in range(4)] == [1, 2, 3, 3]
    assert tried.next_s(error("internal"), 100.0, 9) == 1
    bounded = policy(**{"type": name, f"{name}.attempts-before-reset-backoff": "1"})
    assert bounded.next_s(error("internal"), 0.0, 0) is not None
    assert bounded.next_s(error("internal"), 2.0, 0) is None


def test_failure_rate_and_none() -> None:
    name = "failure-rate"
    tried = policy(
        **{
            "type": name,
            f"{name}.max-failures-per-interval": "2",
            f"{name}.failure-rate-interval": "10 s",
            f"{name}.delay": "3 s",
        }
    )
    assert [tried.next_s(error("internal"), t, 0) for t in (0.0, 5.0, 6.0, 30.0)] == [3, 3, None, 3]
    assert policy(type="none").next_s(error("disk_full"), 0.0, 0) is None


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("SET 'table.exec.state.ttl' = 'long'", "table.exec.state.ttl"),
        ("SET 'restart-strategy.type' = 'often'", "cannot be 'often'"),
        ("SET 'restart-strategy.exponential-delay.jitter-factor' = 'x'", "cannot be 'x'"),
    ],
)
def test_an_option_that_nothing_would_read_is_refused(
    services: Services, statement: str, message: str
) -> None:
    _, over = run(services, statement)
    assert over.status == "ERROR"
    assert message in str(over.error_text)


def test_options_at_their_default_are_accepted(services: Services) -> None:
    _, over = run(services, "SET 'table.exec.state.ttl' = '0 ms'; RESET;")
    assert over.status == "FINISHED", over.error_text


def test_the_result_mode_of_a_terminal(streams: Services) -> None:
    text = "SET 'sql-client.execution.result-mode' = '{}'; SELECT v FROM (VALUES (1)) AS t (v);"
    kinds = {}
    for mode in ("CHANGELOG", "TABLEAU", "TABLE"):
        events, _ = run(streams, text.format(mode), session="app:d", terminal=True)
        kinds[mode] = any(isinstance(e, TableSnapshot) for e in events)
    assert kinds == {"CHANGELOG": False, "TABLEAU": False, "TABLE": True}
    events, _ = run(streams, text.format("CHANGELOG"), session="app:d")
    assert any(isinstance(e, TableSnapshot) for e in events), "a note shows tables in its own way"
