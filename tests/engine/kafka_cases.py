"""What two values of each option of a Kafka table show, over librdkafka's own broker for tests."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from engine_kit import Watcher

from eddyline.clock import SYSTEM
from eddyline.engine import kafka_client
from eddyline.errors import EddylineError

KAFKA = {
    "connector": "kafka", "topic": "TOPIC", "properties.bootstrap.servers": "BROKER",
    "format": "json", "scan.startup.mode": "earliest-offset", "scan.bounded.mode": "latest-offset",
}  # fmt: skip
UPSERT = {
    "connector": "upsert-kafka", "topic": "TOPIC", "properties.bootstrap.servers": "BROKER",
    "key.format": "json", "value.format": "json", "scan.bounded.mode": "latest-offset",
}  # fmt: skip
COLUMNS = {
    "kafka": "a INT, b STRING",
    "upsert-kafka": "a INT, b STRING, PRIMARY KEY (b) NOT ENFORCED",
}
FIRST, SECOND = b'{"a": 1, "b": "x"}', b'{"a": 2, "b": "y"}'
_numbers = itertools.count()


@cache
def broker() -> tuple[Any, str]:
    """A producer that holds the broker, and the broker's address."""
    from confluent_kafka import Producer

    config = {"test.mock.num.brokers": 1, "bootstrap.servers": "none", "log_level": 2}
    producer = Producer(config)
    (own,) = producer.list_topics(timeout=10).brokers.values()
    return producer, f"{own.host}:{own.port}"


def send(topic: str, *records: tuple[bytes | None, bytes | None]) -> None:
    producer, _ = broker()
    for key, value in records:
        producer.produce(topic, value, key, partition=0)
    assert not producer.flush(10)


class Table:
    """Table t over a topic of its own; another topic has one row."""

    def __init__(
        self, kit: Any, options: dict[str, str], columns: str | None = None,
        records: tuple[tuple[bytes | None, bytes | None], ...] | None = None,
    ) -> None:  # fmt: skip
        number = next(_numbers)
        self.topic, other = f"topic{number}.", f"other{number}."
        named = (b'{"b": "x"}', b'{"b": "y"}')
        send(self.topic, *(records or ((named[0], FIRST), (named[1], SECOND))))
        send(other, (b'{"b": "z"}', b'{"a": 9, "b": "z"}'))
        base = UPSERT if options.pop("upsert", "") else KAFKA
        given = {**base, **options}
        if "topic-pattern" in given:
            del given["topic"]
        if "value.format" in given:
            given.pop("format", None)
        names = {"TOPIC": self.topic, "OTHER": other, "BROKER": broker()[1]}
        for name, value in names.items():
            given = {k: v.replace(name, value) for k, v in given.items()}
        self.kit = kit
        kit.patch.setattr(kafka_client, "WAIT_S", 1.0)
        kit.create(columns or COLUMNS[base["connector"]], given)

    def rows(self, columns: str = "*") -> Any:
        """The rows that are left when a bounded job has ended."""
        watcher = Watcher()
        plan = self.kit.sql.plan(f"SELECT {columns} FROM t")
        self.kit.sql.job(plan, watcher).run(threading.Event())
        rows = [row for kind, row in watcher.changes if kind in ("+I", "+U")]
        gone = [row for kind, row in watcher.changes if kind in ("-U", "-D")]
        for row in gone:
            rows.remove(row)
        return sorted(rows, key=repr)


def rows(kit: Any, options: dict[str, str]) -> Any:
    return Table(kit, options).rows()


def keyed(key: bytes, columns: str) -> Callable[[Any, dict[str, str]], Any]:
    """Rows of one record with such a key."""

    def observe(kit: Any, options: dict[str, str]) -> Any:
        return Table(kit, options, columns, ((key, FIRST),)).rows()

    return observe


def failure(kit: Any, options: dict[str, str]) -> Any:
    """The rows beside a bad record, or the code of the failure."""
    records = ((b'{"b": "x"}', b'{"a": "no number"}'), (b'{"b": "y"}', SECOND))
    table = Table(kit, options, None, records)
    try:
        return table.rows()
    except EddylineError as error:
        return error.code


def decoded(kit: Any, options: dict[str, str]) -> Any:
    """The rows, or the code of the failure."""
    table = Table(kit, options)
    try:
        return table.rows()
    except EddylineError as error:
        return error.code


def definition(connector: str, option: str, more: dict[str, str]) -> tuple[str, dict[str, str]]:
    """Columns and options of a table to which one option is to be added."""
    base = {**(KAFKA if connector == "kafka" else UPSERT), **more}
    base.pop("upsert", None)
    base["connector"] = connector
    if option == "topic-pattern":
        del base["topic"]
    if option == "value.format":
        base.pop("format", None)
    if option == "key.fields":
        base["key.format"] = "json"
    columns = "a STRING, b STRING, k STRING, k_b STRING"
    return columns + ("" if connector == "kafka" else ", PRIMARY KEY (a) NOT ENFORCED"), base


def written(kit: Any, options: dict[str, str]) -> Any:
    """The values that an INSERT writes."""
    from confluent_kafka import Consumer, TopicPartition

    table = Table(kit, options)
    plan = kit.sql.plan("INSERT INTO t VALUES (5, 'x')")
    kit.sql.job(plan, Watcher()).run(threading.Event())
    consumer = Consumer({"bootstrap.servers": broker()[1], "group.id": "none"})
    consumer.assign([TopicPartition(table.topic, n, 0) for n in range(4)])
    end = SYSTEM.monotonic() + 5
    values: list[bytes] = []
    while len(values) < 3 and SYSTEM.monotonic() < end:
        values += [m.value() for m in consumer.consume(10, 0.1) if m.error() is None]
    consumer.close()
    return [v for v in values if v not in (FIRST, SECOND)]


def committed(kit: Any, options: dict[str, str]) -> Any:
    """What the group g has committed after a job."""
    from confluent_kafka import Consumer, TopicPartition

    table = Table(kit, options)
    table.rows()
    consumer = Consumer({"bootstrap.servers": broker()[1], "group.id": "g"})
    (partition,) = consumer.committed([TopicPartition(table.topic, 0)], timeout=5)
    consumer.close()
    return partition.offset


def ends(kit: Any, options: dict[str, str]) -> Any:
    """Whether the job ends by itself."""
    Table(kit, options)
    watcher, stop = Watcher(), threading.Event()
    job = kit.sql.job(kit.sql.plan("SELECT * FROM t"), watcher)
    thread = threading.Thread(target=job.run, args=(stop,))
    thread.start()
    thread.join(2)
    ended = not thread.is_alive()
    stop.set()
    thread.join()
    return ended


def partitions(kit: Any, options: dict[str, str]) -> Any:
    """Whether the job asks for partitions again."""
    periods: list[float] = []
    ask = kafka_client.KafkaClient.partitions

    def counted(client: Any, consumer: Any) -> Any:
        periods.append(SYSTEM.monotonic())
        return ask(client, consumer)

    Table(kit, {**options, "scan.bounded.mode": "unbounded"})
    kit.patch.setattr(kafka_client.KafkaClient, "partitions", counted)
    with kit.live("SELECT * FROM t"):
        time.sleep(1.0)
    return len(periods) > 1


def idle(kit: Any, options: dict[str, str]) -> Any:
    """Whether a partition is idle soon after its records."""
    Table(kit, {**options, "scan.bounded.mode": "unbounded"})
    with kit.live("SELECT * FROM t") as (job, _):
        end = SYSTEM.monotonic() + 1.5
        while SYSTEM.monotonic() < end:
            if job.metrics().rows_in and any(s.idle for s in job.metrics().shards):
                return True
            time.sleep(0.01)
    return False


def held(kit: Any, options: dict[str, str]) -> Any:
    """How many rows do not move the watermark."""
    record = b'{"b": "x", "ts": "2099-01-01 00:00:00"}'
    key = ", PRIMARY KEY (b) NOT ENFORCED" if "upsert" in options else ""
    columns = f"b STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts{key}"
    Table(kit, options, columns, ((b'{"b": "x"}', record),))
    job = kit.sql.job(kit.sql.plan("SELECT ts FROM t"), Watcher())
    job.run(threading.Event())
    return job.metrics().held


def needs_kafka() -> None:
    """Skip where the extra is not installed."""
    pytest.importorskip("confluent_kafka")
