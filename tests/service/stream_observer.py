"""Clients of the kill rounds that only look, all the time, whether every stream is there.

One asks the endpoint, one opens the log as a new process would, and one keeps it open. That nobody
answers is no fault here; that somebody answers "there is no such stream" is one.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from eddyline.clock import SYSTEM
from eddyline.errors import EddylineError
from eddyline.log import LogStore, StreamStatus
from eddyline.settings import Settings

PAUSE_S = 0.02


class StreamObserver:
    """Looks from its start to ``stop``; ``missed`` has a sentence for each wrong answer."""

    def __init__(self, client: Any, path: Path, settings: Settings, names: Sequence[str]) -> None:
        self.missed: list[str] = []
        self.looks: Counter[str] = Counter()
        self._client, self._path, self._settings = client, path, settings
        self._names = sorted(names)
        self._stop = threading.Event()
        self._kept = LogStore(path, settings, SYSTEM)
        looks = {"endpoint": self._at_endpoint, "log": self._in_log, "open log": self._in_open_log}
        self._threads = [
            threading.Thread(target=self._run, args=look, daemon=True) for look in looks.items()
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End all looks."""
        self._stop.set()
        for thread in self._threads:
            thread.join(30)
        self._kept.close()

    def _run(self, who: str, look: Callable[[], list[str]]) -> None:
        while not self._stop.wait(PAUSE_S):
            try:
                wrong = look()
            except BotoCoreError:  # nobody listens just now
                continue
            except (ClientError, EddylineError) as error:
                wrong = [f"{type(error).__name__}: {error}"] if _is_missing(error) else []
            self.looks[who] += 1
            at = time.strftime("%H:%M:%S")
            self.missed += [f"{at} {who}: {sentence}" for sentence in wrong]

    def _at_endpoint(self) -> list[str]:
        listed = self._client.list_streams()["StreamNames"]
        wrong = [] if listed == self._names else [f"listed are {listed}"]
        for name in self._names:
            shards = self._client.list_shards(StreamName=name)["Shards"]
            iterator = self._client.get_shard_iterator(
                StreamName=name, ShardId=shards[0]["ShardId"], ShardIteratorType="LATEST"
            )["ShardIterator"]
            self._client.get_records(ShardIterator=iterator, Limit=1)
            summary = self._client.describe_stream_summary(StreamName=name)
            status = summary["StreamDescriptionSummary"]["StreamStatus"]
            if status != "ACTIVE":
                wrong.append(f"{name} is {status}")
        return wrong

    def _in_log(self) -> list[str]:
        with contextlib.closing(LogStore(self._path, self._settings, SYSTEM)) as store:
            return self._wrong_in(store)

    def _in_open_log(self) -> list[str]:
        return self._wrong_in(self._kept)

    def _wrong_in(self, store: LogStore) -> list[str]:
        wrong = [] if store.names() == self._names else [f"names are {store.names()}"]
        listed = [info.name for info in store.list()]
        wrong += [] if listed == self._names else [f"listed are {listed}"]
        infos = [store.open(name).info() for name in self._names]
        states = [f"{i.name} is {i.status}" for i in infos if i.status is not StreamStatus.ACTIVE]
        return wrong + states


def _is_missing(error: ClientError | EddylineError) -> bool:
    if isinstance(error, EddylineError):
        return True  # the log needs no server, so every refusal is wrong
    return bool(error.response["Error"]["Code"] == "ResourceNotFoundException")
