"""A Kafka topic as a target, through librdkafka: the optional extra ``eddyline[kafka]``."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from eddyline.errors import EddylineError
from eddyline.generator.counters import SendResult

BROKERS = "127.0.0.1:9092"
# After this long without an answer a record is given up.
TIMEOUT_MS = 30_000
POLL_S = 0.1


def produce(
    producer: Any,
    topic: str,
    value: bytes | None,
    key: str | bytes | None,
    on_delivery: Callable[[Any, Any], None],
) -> None:
    """Queue one record; while the queue is full, wait for the answers to earlier records."""
    while True:
        try:
            producer.produce(topic, value, key, on_delivery=on_delivery)
            return
        except BufferError:
            producer.poll(POLL_S)


class KafkaTopic:
    """Accepted means acknowledged by all replicas in sync; the producer is idempotent."""

    def __init__(
        self,
        topic: str,
        endpoint: str | None = None,
        *,
        retries: bool = True,
        options: dict[str, Any] | None = None,
    ) -> None:
        self._topic = topic
        self._producer = _producer(endpoint or BROKERS, retries, options or {})

    def send(self, keys: Any, data: Any, stop: threading.Event) -> SendResult:
        answers = _Answers()
        for key, record in zip(keys.to_pylist(), data.to_pylist(), strict=True):
            produce(self._producer, self._topic, record, key, answers.add)
        while answers.missing(len(data)):
            self._producer.poll(POLL_S)
        return SendResult(answers.accepted, answers.failed, answers.error)

    def close(self) -> None:
        self._producer.flush(5)


class _Answers:
    """What became of the records of one batch."""

    def __init__(self) -> None:
        self.accepted = self.failed = 0
        self.error: str | None = None

    def add(self, error: Any, message: Any) -> None:
        if error is None:
            self.accepted += 1
            return
        self.failed += 1
        self.error = error.str()

    def missing(self, of: int) -> int:
        return of - self.accepted - self.failed


def _producer(brokers: str, retries: bool, options: dict[str, Any]) -> Any:
    try:
        from confluent_kafka import Producer
    except ImportError as error:
        hint = "pip install 'eddyline[kafka]'"
        raise EddylineError("platform", "Kafka needs one more package", hint=hint) from error
    config = {
        "bootstrap.servers": brokers,
        "enable.idempotence": retries,
        "message.timeout.ms": TIMEOUT_MS,
        "linger.ms": 5,
        **({} if retries else {"retries": 0}),
        **options,
    }
    return Producer(config, logger=_Silent())


class _Silent:
    """Failures come back with each record; librdkafka's own lines would only repeat them."""

    def log(self, *args: Any, **kwargs: Any) -> None:
        """Nothing."""
