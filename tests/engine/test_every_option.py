"""Every option of every connector: two values of it give two observable results.

``CASES`` has a row for each option with an effect; the tables of ``eddyline.options`` drive the
test, so a new option without a case fails it. A result is what a user can see: rows, files, calls
of another endpoint, statements of a database, or a refusal that names the option.
"""

from __future__ import annotations

import re
import sqlite3
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import kafka_cases
import pytest
from engine_kit import Watcher
from statement_kit import Sql
from test_aggregated import packed

from eddyline.catalog.options import check_options
from eddyline.clock import SYSTEM, ManualClock
from eddyline.engine.job import Job
from eddyline.errors import EddylineError
from eddyline.log import LogStore
from eddyline.log.sequence import sequence_number
from eddyline.options.connectors import CONNECTORS
from eddyline.settings import Settings
from eddyline.testing import TestServer, server

ALL = 10**9
# What happens at all, happens within this time on a busy machine.
SOON_S = 2.0
CLICKS = [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]


class Kit:
    """Tables of one connector in a directory of their own."""

    def __init__(self, folder: Path, far: Callable[[], TestServer]) -> None:
        self.sql = Sql(folder)
        self.folder = folder
        self.far = far
        self.patch = pytest.MonkeyPatch()

    def close(self) -> None:
        self.patch.undo()
        self.sql.close()

    def create(self, columns: str, options: dict[str, str], name: str = "t", by: str = "") -> None:
        """Table ``name``, new each time."""
        if name in self.sql.catalog.list_tables():
            self.sql.catalog.drop_table((name,))
        written = ", ".join(f"'{k}' = '{v}'" for k, v in options.items())
        self.sql.execute(f"CREATE TABLE {name} ({columns}) {by} WITH ({written})")

    @contextmanager
    def live(self, text: str, **more: Any) -> Iterator[tuple[Job, Watcher]]:
        """A running job."""
        watcher, stop = Watcher(), threading.Event()
        job = self.sql.job(self.sql.plan(text), watcher, **more)
        thread = threading.Thread(target=job.run, args=(stop,))
        thread.start()
        try:
            yield job, watcher
        finally:
            stop.set()
            thread.join()


def until(condition: Callable[[], bool], seconds: float = 10.0) -> bool:
    """Whether it became true in time."""
    end = SYSTEM.monotonic() + seconds
    while not condition():
        if SYSTEM.monotonic() > end:
            return False
        time.sleep(0.005)
    return True


Observe = Callable[[Kit, dict[str, str]], Any]


@dataclass
class Case:
    """Two values of an option, and what a user sees; None: the option is not given."""

    observe: Observe
    first: str | None
    second: str | None
    more: dict[str, str] = field(default_factory=dict)
    needs: str = ""


# What users see, by connector


def stream(kit: Kit, name: str, records: list[Any], shards: int = 1) -> None:
    if name in kit.sql.store.names():
        kit.sql.store.delete(name)
    kit.sql.store.create(name, shards)
    kit.sql._counts.pop(name, None)
    kit.sql.put(name, records)


KINESIS = {
    "connector": "kinesis",
    "stream": "s",
    "aws.region": "us-east-1",
    "format": "json",
    "scan.stream.initpos": "TRIM_HORIZON",
}


def kinesis_rows(kit: Kit, options: dict[str, str]) -> Any:
    """Rows of a stream; another stream with one row is there, too."""
    stream(kit, "s", CLICKS)
    stream(kit, "other", [{"a": 9}])
    kit.create("a INT, b STRING", {**KINESIS, **options})
    with kit.live("SELECT a, b FROM t") as (job, watcher):
        until(lambda: job.metrics().rows_in >= len(CLICKS), SOON_S)
        return sorted(row for _, row in watcher.changes)


def rows_at_number(kit: Kit, options: dict[str, str]) -> Any:
    """Rows from a sequence number on, which is given as the record's offset."""
    stream(kit, "s", CLICKS)
    name = "scan.stream.initpos-sequence-numbers"
    shard, _, offset = options[name].partition(":")
    created_ms = kit.sql.store.open("s").shards()[0].created_ms
    number = sequence_number(0, created_ms, int(offset))
    kit.create("a INT", {**KINESIS, **options, name: f"{shard}:{number}"})
    return kit.sql.rows("SELECT a FROM t", records=len(CLICKS) - int(offset))


def kinesis_texts(kit: Kit, options: dict[str, str]) -> Any:
    stream(kit, "s", ['{"a": 1}'])
    kit.create("line STRING", {**KINESIS, **options})
    return kit.sql.rows("SELECT line FROM t")


def packed_rows(kit: Kit, options: dict[str, str]) -> Any:
    stream(kit, "s", [packed([b"1", b"2"])])
    kit.create("line BYTES", {**KINESIS, "format": "raw", **options})
    return len(kit.sql.rows("SELECT line FROM t", records=1))


def bad_rows(kit: Kit, options: dict[str, str]) -> Any:
    stream(kit, "s", [{"a": "no number"}, {"a": 2}])
    kit.create("a INT", {**KINESIS, **options})
    return failure_or(lambda: kit.sql.rows("SELECT a FROM t", records=2))


def failure_or(run: Callable[[], Any]) -> Any:
    """The rows, or the code of the failure."""
    try:
        return run()
    except EddylineError as error:
        return error.code


def held_rows(kit: Kit, options: dict[str, str]) -> Any:
    stream(kit, "s", [{"ts": "2099-01-01 00:00:00"}])
    kit.create("ts TIMESTAMP(3), WATERMARK FOR ts AS ts", {**KINESIS, **options})
    return kit.sql.run("SELECT ts FROM t").metrics.held  # type: ignore[attr-defined]


def idle_shards(kit: Kit, options: dict[str, str]) -> Any:
    stream(kit, "s", CLICKS)
    kit.create("a INT", {**KINESIS, **options})
    return becomes_idle(kit)


def becomes_idle(kit: Kit) -> bool:
    """Whether the one shard of table t is idle soon after its first row."""
    with kit.live("SELECT * FROM t") as (job, _):
        assert until(lambda: job.metrics().rows_in > 0)
        return until(lambda: any(s.idle for s in job.metrics().shards), SOON_S)


def recreated(kit: Kit, options: dict[str, str]) -> Any:
    stream(kit, "s", CLICKS)
    kit.create("a INT", {**KINESIS, **options})
    home = kit.folder / f"job{len(list(kit.folder.iterdir()))}"
    kit.sql.run("SELECT a FROM t", directory=home)
    stream(kit, "s", [{"a": 7}])
    second = {"directory": home, "incarnation": 2, "records": 1}
    return failure_or(lambda: kit.sql.rows("SELECT a FROM t", **second))


def lost_records(kit: Kit, options: dict[str, str]) -> Any:
    """A job that comes back when retention has removed what it had not read."""
    clock = ManualClock(1_800_000_000_000)
    settings = Settings(fsync=False, stream_delay_ms=0, map_gib=1)
    kit.sql.store.close()
    kit.sql.store = LogStore(kit.folder / f"aged{options['fail-on-data-loss']}", settings, clock)
    stream(kit, "s", CLICKS)
    kit.create("a INT", {**KINESIS, **options})
    home = kit.folder / f"job{len(list(kit.folder.iterdir()))}"
    kit.sql.run("SELECT a FROM t", directory=home)
    for n in range(20):
        kit.sql.put("s", [{"a": n}] * 10)
    clock.advance(25 * 3_600_000)
    kit.sql.store.open("s").trim()
    kit.sql.put("s", [{"a": 4}])
    second = {"directory": home, "incarnation": 2, "records": 1}
    return failure_or(lambda: bool(kit.sql.rows("SELECT a FROM t", **second)))


def keys_written(kit: Kit, options: dict[str, str], by: str = "") -> list[str]:
    stream(kit, "s", [])
    kit.create("a INT, b STRING", {**KINESIS, **options}, by=by)
    kit.sql.run("INSERT INTO t VALUES (1, 'x'), (2, 'y'), (3, 'z')", records=ALL)
    return [str(k) for k in kit.sql.store.open("s").read(0, 0).keys.to_pylist()]


def count_of_keys(kit: Kit, options: dict[str, str]) -> Any:
    return len(set(keys_written(kit, options)))


def joined_keys(kit: Kit, options: dict[str, str]) -> Any:
    return sorted(keys_written(kit, options, "PARTITIONED BY (a, b)"))


# Calls of another endpoint


@dataclass
class Calls:
    """The calls of botocore's clients: (operation, members, what the client has)."""

    seen: list[tuple[str, dict[str, Any], Any]] = field(default_factory=list)

    def named(self, operation: str) -> list[dict[str, Any]]:
        return [members for name, members, _ in self.seen if name == operation]

    def clients(self) -> list[Any]:
        return [client for *_, client in self.seen]


def remote(kit: Kit, options: dict[str, str]) -> Calls:
    """A table over stream ``far`` of another server; the calls of its clients."""
    import botocore.client

    eddy = kit.far()
    client = eddy.client()
    if "far" not in client.list_streams()["StreamNames"]:
        client.create_stream(StreamName="far", ShardCount=1)
        for n in (1, 2, 3):
            client.put_record(StreamName="far", PartitionKey="k", Data=b'{"a": %d}' % n)
    client.close()
    given = {
        **KINESIS,
        "stream": "far",
        "aws.endpoint": eddy.endpoint_url,
        "aws.credentials.basic.accesskeyid": "any",
        "aws.credentials.basic.secretkey": "any",
        "scan.shard.getrecords.intervalmillis": "20",
        **options,
    }
    kit.create("a INT", {k: v for k, v in given.items() if v})
    calls, call = Calls(), botocore.client.BaseClient._make_api_call

    def recorded(client: Any, name: str, members: dict[str, Any]) -> Any:
        calls.seen.append((name, members, client))
        return call(client, name, members)

    kit.patch.setattr(botocore.client.BaseClient, "_make_api_call", recorded)
    return calls


def reading(what: Callable[[Calls], Any], seconds: float = 0.0) -> Observe:
    """What ``what`` makes of the calls of a job that reads."""

    def observe(kit: Kit, options: dict[str, str]) -> Any:
        calls = remote(kit, options)
        with kit.live("SELECT a FROM t") as (job, _):
            assert until(lambda: job.metrics().rows_in >= 3)
            time.sleep(seconds)
        return what(calls)

    return observe


def credentials(calls: Calls) -> Any:
    return {c._request_signer._credentials.access_key for c in calls.clients()}


def put_sizes(kit: Kit, options: dict[str, str]) -> Any:
    calls = remote(kit, options)
    kit.sql.run("INSERT INTO t SELECT * FROM (VALUES (1), (2), (3)) AS v(a)", records=ALL)
    return [len(c["Records"]) for c in calls.named("PutRecords")]


def with_profile(kit: Kit, options: dict[str, str]) -> Any:
    profiles = "".join(
        f"[{p}]\naws_access_key_id = key-of-{p}\naws_secret_access_key = s\n" for p in "pq"
    )
    (kit.folder / "credentials").write_text(profiles)
    kit.patch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(kit.folder / "credentials"))
    kit.patch.setenv("AWS_ACCESS_KEY_ID", "key-of-environment")
    kit.patch.setenv("AWS_SECRET_ACCESS_KEY", "s")
    return reading(credentials)(kit, options)


_NO_KEYS = {"aws.credentials.basic.accesskeyid": "", "aws.credentials.basic.secretkey": ""}


def where_rows_come_from(kit: Kit, options: dict[str, str]) -> Any:
    eddy = kit.far()
    if options.get("aws.endpoint") == "far":
        options = {**options, "aws.endpoint": eddy.endpoint_url}
    stream(kit, "far", [{"a": 100}, {"a": 200}, {"a": 300}])
    calls = remote(kit, {**options, "aws.endpoint": options.get("aws.endpoint", "")})
    rows = sorted(kit.sql.rows("SELECT a FROM t", records=3))
    return rows, bool(calls.seen)


# Files


def lines(kit: Kit, options: dict[str, str], name: str = "in") -> dict[str, str]:
    """Options over a folder of two files."""
    folder = kit.folder / name
    (folder / "sub").mkdir(parents=True, exist_ok=True)
    (folder / "one.json").write_text('{"a": 1}\n')
    (folder / "two.json").write_text('{"a": 2}\n')
    (kit.folder / "alone.json").write_text('{"a": 3}\n')
    given = {"connector": "filesystem", "path": str(folder), "format": "json", **options}
    given["path"] = given["path"].replace("FOLDER", str(kit.folder))
    return given


def file_rows(kit: Kit, options: dict[str, str]) -> Any:
    kit.create("a INT", lines(kit, options))
    return sorted(kit.sql.rows("SELECT a FROM t", records=ALL))


def file_texts(kit: Kit, options: dict[str, str]) -> Any:
    kit.create("a STRING", lines(kit, options))
    return sorted(kit.sql.rows("SELECT a FROM t", records=ALL))


def later_files(kit: Kit, options: dict[str, str]) -> Any:
    """Rows of a file that comes while the job runs."""
    given = lines(kit, options)
    kit.create("a INT", given)
    late = Path(given["path"]) / "three.json"
    late.unlink(missing_ok=True)
    with kit.live("SELECT a FROM t") as (job, _):
        assert until(lambda: job.metrics().rows_in == 2)
        time.sleep(0.1)  # the look that finds nothing more
        late.write_text('{"a": 3}\n')
        return until(lambda: job.metrics().rows_in == 3, SOON_S)


def bad_lines(kit: Kit, options: dict[str, str]) -> Any:
    (kit.folder / "bad.json").write_text('{"a": "no number"}\n{"a": 2}\n')
    path = str(kit.folder / "bad.json")
    kit.create("a INT", {"connector": "filesystem", "path": path, "format": "json", **options})
    return failure_or(lambda: kit.sql.rows("SELECT a FROM t", records=ALL))


def idle_files(kit: Kit, options: dict[str, str]) -> Any:
    kit.create("a INT", lines(kit, options))
    return becomes_idle(kit)


def written_files(kit: Kit, options: dict[str, str]) -> Any:
    """The paths below the target, without the numbers of jobs and epochs."""
    target = kit.folder / f"out{len(list(kit.folder.iterdir()))}"
    given = {"connector": "filesystem", "path": str(target), "format": "json", **options}
    kit.create("a INT, p STRING", given, by="PARTITIONED BY (p)")
    kit.sql.run("INSERT INTO t VALUES (1, 'x'), (2, CAST(NULL AS STRING))", records=ALL)
    files = sorted(str(f.relative_to(target)) for f in target.rglob("*") if f.is_file())
    return [re.sub(r"part-.*", "part", f) for f in files]


# Databases


def database(kit: Kit, options: dict[str, str], key: str = "") -> None:
    """Table t over database x.db; y.db and table u have other rows."""
    for n, name in enumerate(("x.db", "y.db")):
        path = kit.folder / name
        path.unlink(missing_ok=True)
        with closing(sqlite3.connect(path)) as connection:
            connection.executescript(
                "CREATE TABLE t (a INTEGER PRIMARY KEY); CREATE TABLE u (a INTEGER PRIMARY KEY);"
                f"INSERT INTO t VALUES ({n}), ({n + 1}), ({n + 2}); INSERT INTO u VALUES (7);"
            )
    given = {"connector": "jdbc", "url": "jdbc:sqlite:FOLDER/x.db", "table-name": "t", **options}
    kit.create(f"a INT{key}", {k: v.replace("FOLDER", str(kit.folder)) for k, v in given.items()})


def database_rows(kit: Kit, options: dict[str, str]) -> Any:
    database(kit, options)
    return failure_or(lambda: sorted(kit.sql.rows("SELECT a FROM t", records=ALL)))


def fetches(kit: Kit, options: dict[str, str]) -> Any:
    """How many rows each look at the database brought."""
    from eddyline.engine.sources.jdbc import JdbcSource

    sizes: list[int] = []
    table = JdbcSource._table

    def counted(source: Any, rows: list[Any], first: int) -> Any:
        sizes.append(len(rows))
        return table(source, rows, first)

    kit.patch.setattr(JdbcSource, "_table", counted)
    database(kit, options)
    kit.sql.rows("SELECT a FROM t", records=ALL)
    return sizes


class Busy:
    """A connection that refuses its first writes, and counts the statements."""

    def __init__(self, connection: Any, refusals: int) -> None:
        self._connection = connection
        self.refusals = refusals
        self.sizes: list[int] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def cursor(self) -> Any:
        return SimpleNamespace(executemany=self._executemany)

    def _executemany(self, sql: str, values: list[Any]) -> None:
        if self.refusals:
            self.refusals -= 1
            raise sqlite3.OperationalError("database is locked")
        self.sizes.append(len(values))
        self._connection.executemany(sql, values)


def writes(refusals: int) -> Observe:
    """The sizes of the statements that write three rows, or how the job fails."""

    def observe(kit: Kit, options: dict[str, str]) -> Any:
        from eddyline.engine import relational
        from eddyline.engine.sinks import jdbc

        connections: list[Busy] = []
        connect = sqlite3.connect

        def busy(*args: Any, **more: Any) -> Any:
            connections.append(Busy(connect(*args, **more), refusals))
            return connections[-1]

        database(kit, {**options, "table-name": "u"}, ", PRIMARY KEY (a) NOT ENFORCED")
        kit.patch.setattr(jdbc, "BACKOFF_S", 0.01)
        kit.patch.setattr(relational.sqlite3, "connect", busy)
        try:
            text = "INSERT INTO t SELECT * FROM (VALUES (1), (2), (3)) AS v(a)"
            kit.sql.run(text, records=ALL)
            return connections[-1].sizes
        except EddylineError as error:
            return error.code
        finally:
            kit.patch.undo()

    return observe


def login(kit: Kit, options: dict[str, str]) -> Any:
    """What is said to PostgreSQL's driver."""
    credentials: dict[str, Any] = {}

    def connect(**members: Any) -> Any:
        credentials.update(members)
        raise EddylineError("endpoint_error", "not there")

    kit.patch.setitem(sys.modules, "psycopg", SimpleNamespace(connect=connect))
    database(kit, {"url": "jdbc:postgresql://h/d", **options})
    with pytest.raises(EddylineError):
        kit.sql.rows("SELECT a FROM t", records=ALL)
    return credentials["user"], credentials["password"]


# Made rows, printed rows


def made(columns: str, what: Callable[[list[Any]], Any] = list, **fixed: str) -> Observe:
    """What ``what`` makes of 50 rows, or how they are refused."""

    def observe(kit: Kit, options: dict[str, str]) -> Any:
        given = {"number-of-rows": "50", "rows-per-second": "1000000", **fixed, **options}
        kit.create(columns, given)
        rows = kit.sql.rows("SELECT * FROM t", records=ALL)
        return what([row[0] for row in rows])

    return observe


def rate(kit: Kit, options: dict[str, str]) -> Any:
    """Whether a hundred rows come within half a second."""
    kit.create("a STRING", options)
    with kit.live("SELECT a FROM t") as (job, _):
        return until(lambda: job.metrics().rows_in >= 100, SOON_S)


def idle_rows(kit: Kit, options: dict[str, str]) -> Any:
    kit.create("a STRING", {**options, "rows-per-second": "1"})
    with kit.live("SELECT a FROM t") as (job, _):
        return until(lambda: any(s.idle for s in job.metrics().shards), SOON_S)


def auctions(what: str) -> Observe:
    """Some column of a hundred events of the auction house."""

    def observe(kit: Kit, options: dict[str, str]) -> Any:
        kit.create(_HOUSE, {"events.num": "100", **_NEXMARK_TABLE, **options})
        return kit.sql.rows(f"SELECT {what} FROM t", records=ALL)

    return observe


def steady(kit: Kit, options: dict[str, str]) -> Any:
    """Whether a hundred events come within half a second."""
    kit.create("event_type INT", {**_NEXMARK_TABLE, "first-event.rate": "10", **options})
    with kit.live("SELECT event_type FROM t") as (job, _):
        return until(lambda: job.metrics().rows_in >= 100, SOON_S)


def idle_events(kit: Kit, options: dict[str, str]) -> Any:
    more = {"max-emit-speed": "false", "first-event.rate": "1"}
    kit.create("event_type INT", {**_NEXMARK_TABLE, **more, **options})
    with kit.live("SELECT event_type FROM t") as (job, _):
        return until(lambda: any(s.idle for s in job.metrics().shards), SOON_S)


def printed(kit: Kit, options: dict[str, str]) -> Any:
    watcher = Watcher()
    channels: list[bool] = []
    take = watcher.on_printed

    def on_lines(lines: Any) -> None:
        channels.append(lines.to_error)
        take(lines)

    watcher.on_printed = on_lines  # type: ignore[method-assign]
    kit.create("a INT", {"connector": "print", **options})
    kit.sql.job(kit.sql.plan("INSERT INTO t VALUES (1)"), watcher).run(threading.Event())
    return watcher.words, channels


# One row for each option with an effect

REMOTE_SECONDS = 1.0
_KINESIS: dict[str, Case] = {
    "stream": Case(kinesis_rows, "s", "other"),
    "aws.region": Case(
        reading(lambda c: {x.meta.region_name for x in c.clients()}), "us-east-1", "eu-west-1"
    ),
    "aws.endpoint": Case(where_rows_come_from, "far", None),
    "format": Case(kinesis_texts, "raw", "json"),
    "scan.stream.initpos": Case(kinesis_rows, "TRIM_HORIZON", "LATEST"),
    "scan.stream.initpos-timestamp": Case(
        kinesis_rows, "0", "4102444800", {"scan.stream.initpos": "AT_TIMESTAMP"}
    ),
    "scan.stream.initpos-timestamp-format": Case(
        kinesis_rows, "dd.MM.yyyy", None,
        {"scan.stream.initpos": "AT_TIMESTAMP", "scan.stream.initpos-timestamp": "01.02.1970"},
    ),
    "scan.stream.initpos-sequence-numbers": Case(
        rows_at_number, "shardId-000000000000:0", "shardId-000000000000:1",
        {"scan.stream.initpos": "AT_SEQUENCE_NUMBER"},
    ),
    "scan.shard.idle.interval": Case(idle_shards, "1", "1000000"),
    "scan.stream.deaggregate": Case(packed_rows, "true", "false"),
    "scan.stream.recreated": Case(recreated, "fail", "from-beginning"),
    "fail-on-data-loss": Case(lost_records, "true", "false"),
    "sink.partitioner": Case(count_of_keys, "random", "fixed"),
    "sink.partitioner-field-delimiter": Case(joined_keys, "|", "/"),
    "aws.credentials.provider": Case(with_profile, "BASIC", "ENV_VAR"),
    "aws.credentials.basic.accesskeyid": Case(reading(credentials), "one", "two"),
    "aws.credentials.basic.secretkey": Case(
        reading(lambda c: {x._request_signer._credentials.secret_key for x in c.clients()}),
        "one", "two",
    ),
    "aws.credentials.profile.name": Case(with_profile, "p", "q", _NO_KEYS),
    "aws.trust.all.certificates": Case(
        reading(lambda c: {x._endpoint.http_session._verify for x in c.clients()}), "true", "false"
    ),
    "scan.shard.getrecords.maxrecordcount": Case(
        reading(lambda c: {m["Limit"] for m in c.named("GetRecords")}), "1", "10"
    ),
    "scan.shard.getrecords.intervalmillis": Case(
        reading(lambda c: len(c.named("GetRecords")) > 5, REMOTE_SECONDS), "20", "100000"
    ),
    "scan.shard.discovery.intervalmillis": Case(
        reading(lambda c: len(c.named("ListShards")) > 4, REMOTE_SECONDS), "30 ms", "1 h"
    ),
    "sink.batch.max-size": Case(put_sizes, "2", "500"),
    "bad-records": Case(bad_rows, "fail", "dead-letter"),
    "scan.watermark.idle-timeout": Case(idle_shards, "1 ms", "1 h"),
    "scan.watermark.max-ahead": Case(held_rows, "0", "1 h"),
}  # fmt: skip
_FILES: dict[str, Case] = {
    "path": Case(file_rows, "FOLDER/in", "FOLDER/alone.json"),
    "format": Case(file_texts, "json", "raw"),
    "source.monitor-interval": Case(later_files, "10 ms", "1 h"),
    "source.path.regex-pattern": Case(file_rows, ".*one.*", ".*"),
    "partition.default-name": Case(written_files, "none", "nothing"),
    "sink.partition-commit.policy.kind": Case(written_files, "success-file", None),
    "sink.partition-commit.success-file.name": Case(
        written_files, "_DONE", "_SUCCESS", {"sink.partition-commit.policy.kind": "success-file"}
    ),
    "bad-records": Case(bad_lines, "fail", "dead-letter"),
    "scan.watermark.idle-timeout": Case(
        idle_files, "1 ms", "1 h", {"source.monitor-interval": "10 ms"}
    ),
}
_BOUNDS = {"scan.partition.column": "a", "scan.partition.lower-bound": "1",
           "scan.partition.upper-bound": "1"}  # fmt: skip
_DATABASES: dict[str, Case] = {
    "url": Case(database_rows, "jdbc:sqlite:FOLDER/x.db", "jdbc:sqlite:FOLDER/y.db"),
    "table-name": Case(database_rows, "t", "u"),
    "username": Case(login, "u", None),
    "password": Case(login, "p", None),
    "scan.fetch-size": Case(fetches, "2", "10000"),
    "scan.partition.column": Case(database_rows, "a", "b", _BOUNDS),
    "scan.partition.lower-bound": Case(database_rows, "1", "0", _BOUNDS),
    "scan.partition.upper-bound": Case(database_rows, "1", "2", _BOUNDS),
    "sink.buffer-flush.max-rows": Case(writes(0), "2", "1000"),
    "sink.max-retries": Case(writes(2), "1", "2"),
}
_GEN = {"connector": "datagen"}
_SEQUENCE = {"fields.a.kind": "sequence", "fields.a.start": "1", "fields.a.end": "5"}
_DATAGEN: dict[str, Case] = {
    "rows-per-second": Case(rate, "1", "100000", _GEN),
    "number-of-rows": Case(made("a INT", len), "3", "5", _GEN),
    "scan.watermark.idle-timeout": Case(idle_rows, "1 ms", "1 h", _GEN),
    "fields.a.kind": Case(
        made("a INT", lambda v: v[:5] == [1, 2, 3, 4, 5]),
        "sequence",
        "random",
        {**_GEN, **_SEQUENCE},
    ),
    "fields.a.min": Case(made("a INT", lambda v: min(v) >= 0), "0", None, _GEN),
    "fields.a.max": Case(made("a INT", lambda v: max(v) <= 0), "0", None, _GEN),
    "fields.a.max-past": Case(made("a TIMESTAMP(3)", lambda v: len(set(v)) > 1), "1 h", "0", _GEN),
    "fields.a.length": Case(made("a STRING", lambda v: {len(x) for x in v}), "3", "4", _GEN),
    "fields.a.var-len": Case(
        made("a VARCHAR(20)", lambda v: len({len(x) for x in v}) > 1), "true", "false", _GEN
    ),
    "fields.a.start": Case(made("a INT"), "2", "1", {**_GEN, **_SEQUENCE}),
    "fields.a.end": Case(made("a INT"), "4", "5", {**_GEN, **_SEQUENCE}),
    "fields.a.null-rate": Case(made("a INT", lambda v: None in v), "1", "0", _GEN),
}
_FAKE = {"connector": "faker", "fields.a.expression": "#{Options.option ''x''}"}
_FAKER: dict[str, Case] = {
    "rows-per-second": Case(rate, "1", "100000", _FAKE),
    "number-of-rows": Case(made("a STRING", len), "3", "5", _FAKE),
    "scan.watermark.idle-timeout": Case(idle_rows, "1 ms", "1 h", _FAKE),
    "fields.a.expression": Case(
        made("a STRING", set), "#{Options.option ''x''}", "#{Options.option ''y''}", _FAKE
    ),
    "fields.a.null-rate": Case(made("a STRING", lambda v: None in v), "1", "0", _FAKE),
    "fields.a.length": Case(
        made("a ARRAY<STRING>", lambda v: {len(x) for x in v}), "2", "3", _FAKE
    ),
}
_NEXMARK_TABLE = {"connector": "nexmark"}
_HOUSE = (
    "event_type INT, person ROW<id BIGINT, extra STRING>, "
    "auction ROW<seller BIGINT, `dateTime` TIMESTAMP(3), extra STRING>, "
    "bid ROW<auction BIGINT, bidder BIGINT, extra STRING>"
)
_NEXMARK: dict[str, Case] = {
    "events.num": Case(auctions("event_type"), "3", "5"),
    "first-event.rate": Case(auctions("auction.`dateTime`"), "7", "9"),
    "max-emit-speed": Case(steady, "true", "false"),
    "person.proportion": Case(auctions("event_type"), "1", "9"),
    "auction.proportion": Case(auctions("event_type"), "3", "9"),
    "bid.proportion": Case(auctions("event_type"), "46", "9"),
    "person.avg-size": Case(auctions("person.extra"), "200 b", "1 kb"),
    "auction.avg-size": Case(auctions("auction.extra"), "500 b", "1 kb"),
    "bid.avg-size": Case(auctions("bid.extra"), "100 b", "1 kb"),
    "bid.hot-ratio.auctions": Case(auctions("bid.auction"), "2", "1"),
    "bid.hot-ratio.bidders": Case(auctions("bid.bidder"), "4", "1"),
    "auction.hot-ratio.sellers": Case(auctions("auction.seller"), "4", "1"),
    "scan.watermark.idle-timeout": Case(idle_events, "1 ms", "1 h"),
}
_KEYED = {"key.format": "json", "key.fields": "b"}
_SHARED: dict[str, Case] = {
    "topic": Case(kafka_cases.rows, "TOPIC", "OTHER"),
    "properties.bootstrap.servers": Case(kafka_cases.rows, "BROKER", "127.0.0.1:1"),
    "properties.group.id": Case(kafka_cases.committed, "g", None),
    "properties.*": Case(kafka_cases.rows, "x", None),
    "value.format": Case(kafka_cases.decoded, "json", "csv"),
    "scan.bounded.mode": Case(kafka_cases.ends, "latest-offset", "unbounded"),
    "scan.bounded.timestamp-millis": Case(
        kafka_cases.rows, "0", None, {"scan.bounded.mode": "timestamp"}
    ),
    "scan.bounded.specific-offsets": Case(
        kafka_cases.rows, "partition:0,offset:1", "partition:0,offset:2",
        {"scan.bounded.mode": "specific-offsets"},
    ),
    "scan.topic-partition-discovery.interval": Case(kafka_cases.partitions, "50 ms", "1 h"),
    "bad-records": Case(kafka_cases.failure, "fail", "dead-letter"),
    "scan.watermark.idle-timeout": Case(kafka_cases.idle, "1 ms", "1 h"),
    "scan.watermark.max-ahead": Case(kafka_cases.held, "0", "1 h"),
}  # fmt: skip
_KAFKA: dict[str, Case] = {
    **_SHARED,
    "topic-pattern": Case(kafka_cases.rows, "TOPIC.*", "OTHER.*"),
    "format": Case(kafka_cases.decoded, "json", "csv"),
    "key.format": Case(
        kafka_cases.keyed(b'"x"', "k STRING, a INT"), "csv", "raw", {"key.fields": "k"}
    ),
    "key.fields": Case(
        kafka_cases.keyed(b"from key", "a INT, b STRING"), "b", None, {"key.format": "raw"}
    ),
    "key.fields-prefix": Case(
        kafka_cases.keyed(b'{"b": "x"}', "a INT, k_b STRING"), "k_", None,
        {"key.format": "json", "key.fields": "k_b"},
    ),
    "value.fields-include": Case(kafka_cases.written, "ALL", "EXCEPT_KEY", _KEYED),
    "scan.startup.mode": Case(kafka_cases.rows, "earliest-offset", "latest-offset"),
    "scan.startup.timestamp-millis": Case(
        kafka_cases.rows, "0", None, {"scan.startup.mode": "timestamp"}
    ),
    "scan.startup.specific-offsets": Case(
        kafka_cases.rows, "partition:0,offset:0", "partition:0,offset:1",
        {"scan.startup.mode": "specific-offsets"},
    ),
}  # fmt: skip
_UPSERT_KAFKA: dict[str, Case] = {
    **{n: replace(c, more={**c.more, "upsert": "yes"}) for n, c in _SHARED.items()},
    "key.format": Case(kafka_cases.rows, "json", "raw", {"upsert": "yes"}),
    "key.fields-prefix": Case(
        kafka_cases.keyed(
            b'{"b": "x"}', "a INT, k_b STRING, PRIMARY KEY (k_b) NOT ENFORCED"
        ), "k_", None, {"upsert": "yes"},
    ),
    "value.fields-include": Case(kafka_cases.written, "ALL", "EXCEPT_KEY", {"upsert": "yes"}),
}  # fmt: skip
CASES: dict[str, dict[str, Case]] = {
    "kafka": _KAFKA,
    "upsert-kafka": _UPSERT_KAFKA,
    "kinesis": _KINESIS,
    "filesystem": _FILES,
    "jdbc": _DATABASES,
    "datagen": _DATAGEN,
    "faker": _FAKER,
    "nexmark": _NEXMARK,
    "print": {
        "print-identifier": Case(printed, "P", None),
        "standard-error": Case(printed, "true", "false"),
    },
    "blackhole": {},
}


def options_with_effect(name: str) -> set[str]:
    row = CONNECTORS[name]
    own = {o.name for o in row.options if o.no_effect is None}
    return own | {f"fields.a.{o.name}" for o in row.column_settings if o.no_effect is None}


def test_every_connector_has_its_cases() -> None:
    assert set(CASES) == set(CONNECTORS)


@pytest.mark.parametrize("name", CONNECTORS)
def test_every_option_with_an_effect_has_a_case(name: str) -> None:
    assert set(CASES[name]) == options_with_effect(name)


@pytest.fixture(scope="module")
def far() -> Iterator[Callable[[], TestServer]]:
    """Another server, started when it is first needed."""
    started: list[TestServer] = []
    with_server = server()

    def get() -> TestServer:
        if not started:
            started.append(with_server.__enter__())
        return started[0]

    yield get
    if started:
        with_server.__exit__(None, None, None)


@pytest.fixture
def kit(tmp_path: Path, far: Callable[[], TestServer]) -> Iterator[Kit]:
    made = Kit(tmp_path, far)
    yield made
    made.close()


@pytest.mark.parametrize(
    ("connector", "option"), [(c, o) for c, cases in CASES.items() for o in cases]
)
def test_two_values_give_two_results(connector: str, option: str, kit: Kit) -> None:
    case = CASES[connector][option]
    if "kafka" in connector:
        kafka_cases.needs_kafka()

    def outcome(value: str | None) -> Any:
        options = {**case.more, option: value}
        try:
            return case.observe(kit, {k: v for k, v in options.items() if v is not None})
        except EddylineError as error:
            refusals.append(f"{error.message} {error.hint}")
            return error.code
        finally:
            kit.patch.undo()

    refusals: list[str] = []
    first, second = outcome(case.first), outcome(case.second)
    assert first != second
    assert len(refusals) < 2
    assert all(option in refusal for refusal in refusals)


# Values that somebody may write by mistake; each is understood or refused by the option's name.
ODD = (
    "",
    " ",
    "-1",
    "1e999",
    "nan",
    "1_000",
    "\u0663",
    "\u00b2",
    "--5",
    "99999999999999999999",
    "999999999999 d",
    "-5 s",
    "1 fortnight",
    "\\",
    "''",
    "\0",
    "[",
    "*",
    "a" * 300,
    "\n",
)


def refusal(run: Callable[[], Any]) -> EddylineError | None:
    try:
        run()
    except EddylineError as error:
        return error
    return None


def texts_of(connector: str, option: str) -> Iterator[str]:
    """The odd values that the option's own row understands."""
    row = CONNECTORS[connector]
    rows = {o.name: o for o in row.options}
    rows |= {f"fields.a.{o.name}": o for o in row.column_settings}
    for text in ODD:
        refused = refusal(lambda t=text: rows[option].parse(option, t))  # type: ignore[misc]
        if refused is None:
            yield text
        else:
            assert option in refused.message
            assert refused.hint


@pytest.mark.parametrize(
    ("connector", "option"), [(c, o) for c, cases in CASES.items() for o in cases]
)
def test_an_odd_value_is_understood_or_refused_by_name(
    connector: str, option: str, kit: Kit
) -> None:
    bases = {"filesystem": lines(kit, {}), "datagen": _GEN, "faker": _FAKE}
    bases["jdbc"] = {"connector": "jdbc", "url": "jdbc:sqlite:no.db", "table-name": "t"}
    base = {**bases.get(connector, {"connector": connector}), **CASES[connector][option].more}
    if connector == "kinesis":
        base = {**KINESIS, **base}
    columns = "a STRING"
    if "kafka" in connector:
        columns, base = kafka_cases.definition(connector, option, base)
    for text in texts_of(connector, option):
        kit.create(columns, {**base, option: text})
        table: Any = kit.sql.catalog.resolve(("t",))
        refused = refusal(lambda t=table: check_options(t))  # type: ignore[misc]
        assert refused is None or option in f"{refused.message} {refused.hint}"
