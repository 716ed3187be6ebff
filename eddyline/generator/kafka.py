"""A Kafka topic as a target, through librdkafka: the optional extra ``eddyline[kafka]``."""

from __future__ import annotations

import threading
from typing import Any

from eddyline.errors import EddylineError
from eddyline.generator.counters import SendResult

BROKERS = "127.0.0.1:9092"
# After this long without an answer a record is given up.
PATIENCE_MS = 30_000
POLL_S = 0.1


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
            self._produce(key, record, answers)
        while answers.missing(len(data)):
            self._producer.poll(POLL_S)
        return SendResult(answers.accepted, answers.failed, answers.error)

    def close(self) -> None:
        self._producer.flush(5)

    def _produce(self, key: str, record: bytes, answers: _Answers) -> None:
        while True:
            try:
                self._producer.produce(self._topic, record, key, on_delivery=answers.add)
                return
            except BufferError:  # the queue is full: hear what became of earlier ones
                self._producer.poll(POLL_S)


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
        "message.timeout.ms": PATIENCE_MS,
        "linger.ms": 5,
        **({} if retries else {"retries": 0}),
        **options,
    }
    return Producer(config, logger=_Silent())


class _Silent:
    """Failures come back with each record; librdkafka's own lines would only repeat them."""

    def log(self, *args: Any, **kwargs: Any) -> None:
        """Nothing."""
