"""What AWS keeps with a stream and a single machine only remembers, with its defaults.

The names are keys of the stream's attributes in the log; absent means the default.
"""

from __future__ import annotations

from typing import Any

DEFAULT_RECORD_KIB = 1024
USER_PARTITION_KEY, AUTO = "USER_PARTITION_KEY", "AUTO"


class Flags:
    """A stream's attributes, read."""

    def __init__(self, attributes: dict[str, Any]) -> None:
        self._attributes = attributes

    @property
    def max_record_kib(self) -> int:
        """The largest payload of a record."""
        return int(self._attributes.get("max_record_kib", DEFAULT_RECORD_KIB))

    @property
    def warm_mibps(self) -> int | None:
        """Warm throughput asked for, MiB/s."""
        return self._attributes.get("warm_mibps")

    @property
    def distribution(self) -> str:
        """AUTO or USER_PARTITION_KEY."""
        return str(self._attributes.get("distribution", USER_PARTITION_KEY))

    @property
    def encryption(self) -> str:
        """NONE or KMS."""
        return "NONE" if self.key_id is None else "KMS"

    @property
    def key_id(self) -> str | None:
        """The KMS key that the stream is said to be encrypted with."""
        return self._attributes.get("key_id")

    @property
    def metrics(self) -> list[str]:
        """Shard-level metrics that are switched on."""
        return list(self._attributes.get("metrics", ()))

    @property
    def policy(self) -> str | None:
        """The stream's resource policy."""
        return self._attributes.get("policy")
