"""Clients of Kafka for a table: settings, errors, partitions (the optional extra ``kafka``)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from eddyline.errors import EddylineError
from eddyline.options.connectors import kafka as options

WAIT_S = 15.0
_PREFIX = "properties."
# Settings of Java's clients that librdkafka does not have; without them all works as it should.
_JAVA_ONLY = (
    "key.deserializer", "value.deserializer", "key.serializer", "value.serializer",
    "max.poll.records", "buffer.memory", "max.request.size", "max.block.ms",
)  # fmt: skip
_LOGIN = re.compile(r"(username|password)\s*=\s*\"([^\"]*)\"")


class _NoLog:
    """Failures come back with calls; librdkafka's own lines would only repeat them."""

    def log(self, *args: Any, **kwargs: Any) -> None:
        """Nothing."""


def settings_of(table_options: Mapping[str, str]) -> dict[str, str]:
    """The ``properties.`` of a table as librdkafka knows them."""
    client_settings = {
        key.removeprefix(_PREFIX): value
        for key, value in table_options.items()
        if key.startswith(_PREFIX)
    }
    jaas = client_settings.pop("sasl.jaas.config", "")
    for name, value in _LOGIN.findall(jaas):
        client_settings.setdefault(f"sasl.{name}", value)
    return {key: value for key, value in client_settings.items() if key not in _JAVA_ONLY}


class KafkaClient:
    """Makes clients for one table, and says what went wrong with them."""

    def __init__(self, table: str, table_options: Mapping[str, str]) -> None:
        try:
            import confluent_kafka
        except ImportError as error:
            hint = "pip install 'eddyline[kafka]'"
            raise EddylineError("platform", "Kafka needs one more package", hint=hint) from error
        self.kafka: Any = confluent_kafka
        self._table = table
        self._options = table_options
        self._brokers = options.BROKERS.read(table_options)

    def consumer(self) -> Any:
        """A consumer that is told what to read, and that commits nothing by itself."""
        own = {
            "group.id": "eddyline",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "fetch.wait.max.ms": 100,
        }
        return self._made(self.kafka.Consumer, own)

    def producer(self) -> Any:
        """A producer that keeps the order of records."""
        own = {"enable.idempotence": True, "message.timeout.ms": 60_000, "linger.ms": 5}
        return self._made(self.kafka.Producer, own)

    def _made(self, kind: Callable[..., Any], own: dict[str, Any]) -> Any:
        given = {**own, **settings_of(self._options)}
        given.update({"enable.auto.commit": False} if "enable.auto.commit" in own else {})
        given.pop("auto.offset.reset", None)
        try:
            return kind(given, logger=_NoLog())
        except self.kafka.KafkaException as error:
            raise self._refused(error) from error

    def _refused(self, error: Any) -> EddylineError:
        """A setting that librdkafka does not have, or a value that it does not take."""
        text = error.args[0].str()
        name = re.search(r'property[^"]*"([^"]+)"', text)
        option = f"'{_PREFIX}{name[1]}'" if name else f"a '{_PREFIX}…'"
        hint = f"settings are those of librdkafka: leave {option} out, or see its documentation"
        message = f"table {self._table}: option {option}: {text}"
        return EddylineError("sql_semantic", message, hint=hint)

    def error(self, error: Any, hint: str | None = None) -> EddylineError:
        """An error of librdkafka as ours."""
        cause = error.args[0] if isinstance(error, self.kafka.KafkaException) else error
        text = cause.str() if hasattr(cause, "str") else str(cause)
        missing = getattr(cause, "name", lambda: "")() == "UNKNOWN_TOPIC_OR_PART"
        advice = "create the topic, or name another in 'topic'" if missing else hint
        advice = advice or "see that 'properties.bootstrap.servers' is right and the broker runs"
        message = f"table {self._table}: Kafka at {self._brokers}: {text}"
        return EddylineError("not_found" if missing else "endpoint_error", message, hint=advice)

    def partitions(self, consumer: Any) -> list[tuple[str, int]]:
        """All partitions of the table's topics, in order.

        Raises:
            EddylineError: ``not_found`` for a topic that does not exist; ``endpoint_error``.
        """
        pattern = options.TOPIC_PATTERN.get(self._options)
        try:
            topics = consumer.list_topics(timeout=WAIT_S).topics
        except self.kafka.KafkaException as error:
            raise self.error(error) from error
        names = options.TOPIC.get(self._options) or ()
        if pattern is not None:
            names = tuple(name for name in topics if pattern.fullmatch(name))
        out: list[tuple[str, int]] = []
        for name in sorted(names):
            known = topics.get(name)
            if known is None or known.error is not None:
                message = f"table {self._table}: there is no topic {name} at {self._brokers}"
                hint = "create the topic, or name another in 'topic'"
                raise EddylineError("not_found", message, hint=hint)
            out += [(name, number) for number in sorted(known.partitions)]
        return out
