"""Every option of SET: two values of it give two observable results, or it is said to have none.

``CASES`` has a row for each option that is honoured; the table in ``eddyline.sql.options`` drives
the test, so a new option without a case fails it.
"""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from test_state_ttl import Trial

from eddyline.errors import EddylineError
from eddyline.log import PutBatch
from eddyline.service.events import RunFinished, TableSnapshot
from eddyline.service.restart_policy import restart_policy
from eddyline.service.services import Services
from eddyline.settings import Settings
from eddyline.sql.options import OPTIONS, SessionConfig
from tests.process_kit import until

TABLES = """
CREATE TABLE clicks (k STRING, n INT) WITH ('connector' = 'kinesis', 'stream' = 'clicks',
  'format' = 'json', 'scan.stream.initpos' = 'TRIM_HORIZON');
CREATE TABLE numbers (n INT) WITH ('connector' = 'datagen', 'number-of-rows' = '30',
  'rows-per-second' = '25', 'fields.n.kind' = 'sequence', 'fields.n.start' = '1',
  'fields.n.end' = '30');
CREATE TABLE nothing (n BIGINT) WITH ('connector' = 'blackhole');
CREATE TABLE keyed (k STRING, n BIGINT, PRIMARY KEY (k) NOT ENFORCED)
  WITH ('connector' = 'blackhole');
"""


class Kit:
    """A server's services with tables, for scripts in one session."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        settings = Settings(data_dir=folder, map_gib=1, stream_delay_ms=0, worker_threads=1)
        self.services = Services(settings)
        self.services.start()
        stream = self.services.streams.create("clicks", 1)
        stream.put(PutBatch(["k"] * 3, [b'{"k":"a","n":%d}' % n for n in range(3)])).result()
        self.run(TABLES)
        self.jobs = 0

    def run(self, text: str, **more: Any) -> list[Any]:
        """The events of a run that succeeds."""
        messages: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self.services.sessions.submit("app:a", text, messages.put, **more)
        events = []
        while not isinstance(event := messages.get(timeout=60), RunFinished):
            events.append(event)
        if event.status != "FINISHED":
            raise EddylineError("sql_runtime", str(event.error_text))
        return events

    def with_option(self, key: str, value: str, text: str, **more: Any) -> list[Any]:
        """As ``run``, under one option; the session has no options afterwards."""
        try:
            return self.run(f"SET '{key}' = '{value}'; {text}", **more)
        finally:
            self.run("RESET;")

    def job(self) -> str:
        """The name of another job."""
        self.jobs += 1
        return f"job{self.jobs}"

    def close(self) -> None:
        self.services.stop()


def rows(events: list[Any]) -> Any:
    (*_, last) = [e for e in events if isinstance(e, TableSnapshot)]
    return last.rows


def shown(text: str, **more: Any) -> Callable[[Kit, str, str], Any]:
    """The rows of a SELECT."""
    return lambda kit, key, value: rows(kit.with_option(key, value, text, **more))


def kinds_of_events(text: str) -> Callable[[Kit, str, str], Any]:
    """How a terminal is told of a result."""

    def observe(kit: Kit, key: str, value: str) -> Any:
        events = kit.with_option(key, value, text, terminal=True)
        return {type(e).__name__ for e in events if type(e).__name__.startswith(("Table", "Rows"))}

    return observe


def idle_shards(kit: Kit, key: str, value: str) -> Any:
    """Whether the stream's one shard is idle soon after its records were read."""
    name, copy = kit.job(), "INSERT INTO nothing SELECT n FROM clicks;"
    kit.with_option(key, value, copy, job_name=name, detach=True)

    def figures() -> Any:
        return kit.services.jobs.get(name).figures

    until(lambda: figures() and figures().rows_in == 3, "three rows")
    end = time.monotonic() + 2
    idle = False
    while not idle and time.monotonic() < end:
        time.sleep(0.05)
        idle = any(s.idle for s in figures().shards)
    kit.services.jobs.stop(name)
    return idle


def counted_again(kit: Kit, key: str, value: str) -> Any:
    """Counts of rows that come a minute apart."""
    trial = Trial(kit.folder / f"ttl{value.replace(' ', '')}")
    try:
        query = "SELECT k, COUNT(*) FROM a GROUP BY k"
        return trial.run(query, [(0, "a", "x", 1), (60, "a", "x", 2)], value)
    finally:
        trial.sql.close()


def python_function(kit: Kit, key: str, value: str) -> Any:
    """What a function says that lies in one of two folders."""
    for n, name in enumerate(("one", "two")):
        folder = kit.folder / name
        folder.mkdir(exist_ok=True)
        (folder / "saying.py").write_text(
            "from pyflink.table import DataTypes\nfrom pyflink.table.udf import udf\n"
            f"@udf(result_type=DataTypes.INT())\ndef said():\n    return {n}\n"
        )
    text = "CREATE TEMPORARY FUNCTION said AS 'saying.said' LANGUAGE PYTHON; SELECT said();"
    try:
        return rows(kit.with_option(key, str(kit.folder / value), text))
    finally:
        kit.run("DROP TEMPORARY FUNCTION said;")


def job_name(kit: Kit, key: str, value: str) -> Any:
    before = {j.job_id for j in kit.services.jobs.list()}
    kit.with_option(key, value, "INSERT INTO nothing VALUES (1);")
    return [j.name for j in kit.services.jobs.list() if j.job_id not in before]


def job_at_the_end_of_its_run(kit: Kit, key: str, value: str) -> Any:
    """Whether an INSERT of more than a second is over when its run is."""
    name = kit.job()
    kit.with_option(key, value, "INSERT INTO nothing SELECT n FROM numbers;", job_name=name,
                    detach=True)  # fmt: skip
    return kit.services.jobs.get(name).actual


def compiled_twice(kit: Kit, key: str, value: str) -> Any:
    plan = kit.folder / f"{kit.job()}.json"
    text = f"COMPILE PLAN 'file://{plan}' FOR INSERT INTO nothing VALUES (1);"
    kit.run(text)
    return succeeds(lambda: kit.with_option(key, value, text))


def succeeds(run: Callable[[], Any]) -> str:
    """ "yes", or the refusal."""
    try:
        run()
    except EddylineError as error:
        return error.message
    return "yes"


def job_from_a_savepoint(kit: Kit, key: str, value: str) -> Any:
    return succeeds(lambda: kit.with_option(key, value, "INSERT INTO nothing VALUES (1);"))


def other_statement_from_a_savepoint(kit: Kit, key: str, value: str) -> Any:
    """Whether a statement with other operators starts from a savepoint."""
    name = kit.job()
    count = "INSERT INTO nothing SELECT COUNT(*) FROM clicks GROUP BY k;"
    kit.run(count, job_name=name, detach=True)
    kit.run(f"STOP JOB '{name}' WITH SAVEPOINT;")
    savepoint = next(s.name for s in kit.services.savepoints.list() if s.job_name == name)
    path = f"SET 'execution.savepoint.path' = '{savepoint}';"
    copied = f"{path} INSERT INTO nothing SELECT n FROM clicks;"
    return succeeds(lambda: kit.with_option(key, value, copied, job_name=kit.job(), detach=True))


def rows_of_other_stream(kit: Kit, key: str, value: str) -> Any:
    """What is read in place of stream clicks."""
    if "other" not in kit.services.streams.names():
        stream = kit.services.streams.create("other", 1)
        stream.put(PutBatch(["k"], [b'{"k":"b","n":9}'])).result()
    events = kit.with_option(key, value, "SELECT k FROM clicks LIMIT 1;")
    return [e.rows for e in events if isinstance(e, TableSnapshot)][-1]


def pauses(
    at: tuple[float, ...] = (0, 1, 2, 3, 4), **others: str
) -> Callable[[Kit, str, str], Any]:
    """The pauses after failures at these seconds."""

    def observe(kit: Kit, key: str, value: str) -> Any:
        named = {f"restart-strategy.{k.replace('__', '.').replace('_', '-')}": v
                 for k, v in others.items()}  # fmt: skip
        policy = restart_policy(SessionConfig({**named, key: value}), "job")
        error = EddylineError("endpoint_error", "the endpoint does not answer")
        return [policy.next_s(error, second, epoch) for epoch, second in enumerate(at)]

    return observe


_LATE = (0.0, 10.0, 20.0, 30.0)
_EXPONENTIAL = "restart-strategy.exponential-delay"
_STEADY = {"exponential_delay__jitter_factor": "0"}
CASES: dict[str, tuple[Callable[[Kit, str, str], Any], str, str]] = {
    "table.local-time-zone": (
        shown("SELECT CAST(TO_TIMESTAMP_LTZ(0, 3) AS STRING);"), "UTC", "Asia/Kolkata"
    ),
    "table.exec.source.idle-timeout": (idle_shards, "1 ms", "1 h"),
    "table.exec.state.ttl": (counted_again, "1 s", "1 h"),
    "python.files": (python_function, "one", "two"),
    "pipeline.name": (job_name, "mine", "yours"),
    "sql-client.execution.result-mode": (
        kinds_of_events("SELECT COUNT(*) FROM (VALUES (1), (2)) AS v(a);"), "TABLE", "CHANGELOG"
    ),
    "execution.runtime-mode": (
        lambda kit, key, value: succeeds(
            lambda: kit.with_option(key, value, "INSERT INTO nothing SELECT n FROM clicks;",
                                    detach=True, job_name=kit.job())
        ), "STREAMING", "BATCH",
    ),
    "table.exec.sink.require-on-conflict": (
        lambda kit, key, value: succeeds(
            lambda: kit.with_option(
                key, value, "EXPLAIN INSERT INTO keyed SELECT UPPER(k), COUNT(*) FROM clicks "
                "GROUP BY k;")
        ), "true", "false",
    ),
    "table.dml-sync": (job_at_the_end_of_its_run, "true", "false"),
    "table.plan.force-recompile": (compiled_twice, "true", "false"),
    "execution.savepoint.path": (job_from_a_savepoint, "", "nowhere"),
    "execution.savepoint.ignore-unclaimed-state": (
        other_statement_from_a_savepoint, "true", "false"
    ),
    "execution.savepoint.streams": (rows_of_other_stream, "", "clicks=other"),
    "restart-strategy.type": (pauses(), "none", "fixed-delay"),
    f"{_EXPONENTIAL}.initial-backoff": (pauses(**_STEADY), "2 s", "3 s"),
    f"{_EXPONENTIAL}.max-backoff": (pauses(**_STEADY), "1 s", "2 s"),
    f"{_EXPONENTIAL}.backoff-multiplier": (pauses(**_STEADY), "2", "3"),
    f"{_EXPONENTIAL}.reset-backoff-threshold": (pauses(_LATE, **_STEADY), "1 s", "1 h"),
    f"{_EXPONENTIAL}.jitter-factor": (pauses(), "0", "0.5"),
    f"{_EXPONENTIAL}.attempts-before-reset-backoff": (pauses(**_STEADY), "2", ""),
    "restart-strategy.fixed-delay.attempts": (pauses(type="fixed-delay"), "1", "2"),
    "restart-strategy.fixed-delay.delay": (pauses(type="fixed-delay"), "1 s", "2 s"),
    "restart-strategy.failure-rate.max-failures-per-interval": (
        pauses(type="failure-rate"), "1", "2"
    ),
    "restart-strategy.failure-rate.failure-rate-interval": (
        pauses(_LATE, type="failure-rate"), "1 s", "1 min"
    ),
    "restart-strategy.failure-rate.delay": (pauses(type="failure-rate"), "1 s", "2 s"),
}  # fmt: skip


@pytest.fixture(scope="module")
def kit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kit]:
    made = Kit(tmp_path_factory.mktemp("session"))
    yield made
    made.close()


def test_every_honoured_option_has_a_case() -> None:
    assert set(CASES) == {key for key, row in OPTIONS.items() if row.honoured}


@pytest.mark.parametrize("key", CASES)
def test_two_values_give_two_results(key: str, kit: Kit) -> None:
    observe, first, second = CASES[key]
    assert observe(kit, key, first) != observe(kit, key, second)


@pytest.mark.parametrize("key", [k for k, row in OPTIONS.items() if not row.honoured])
def test_an_option_without_effect_says_so(key: str) -> None:
    _, note = SessionConfig().with_option(key, OPTIONS[key].default)
    assert note == f"option '{key}' is kept. {OPTIONS[key].meaning}"


ODD = ("", " ", "-1", "1e999", "nan", "1_000", "\u0663", "\u00b2", "--5", "0.5", "\0", "x" * 300,
       "99999999999999999999", "999999999999 d", "-5 s", "TRUE ", "batch ", "utc", "../x", "\n",
)  # fmt: skip


@pytest.mark.parametrize("key", OPTIONS)
def test_an_odd_value_is_understood_or_refused_by_name(key: str) -> None:
    for text in ODD:
        try:
            config, _ = SessionConfig().with_option(key, text)
        except EddylineError as error:
            assert key in error.message  # noqa: PT017
        else:
            config.value(key)
            if key.startswith("restart-strategy"):
                policy = restart_policy(config, "job")
                policy.next_s(EddylineError("endpoint_error", "no answer"), 0.0, 0)
