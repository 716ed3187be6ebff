"""A stream opened by this process: one environment, one writer, and the listeners for commits.

LMDB allows a process to open a file only once, so all handles share this object. Its users are
counted, and the last one closes it. A stream that was deleted and made again, or repaired, lies
in another file; the old one is closed when this process next opens the name.
"""

from __future__ import annotations

import contextlib
import os
import resource
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from eddyline.clock import Clock
from eddyline.errors import EddylineError
from eddyline.log.cache import BLOCKS
from eddyline.log.environment import DATA_FILE, LmdbEnvironment, StreamDeleted
from eddyline.log.keys import HEADS, INFO, Head, Saved, unpack_heads, unpack_info
from eddyline.log.news import WATCH
from eddyline.log.put import HashKeyRoutes
from eddyline.log.repair import is_sound, repair
from eddyline.log.shard import ShardInfo, StreamInfo, StreamStatus
from eddyline.log.writer import Writer
from eddyline.settings import Settings

DESCRIPTORS = 65_536
LOOK_S = 0.05


class StreamLayout:
    """A stream's description as read, with what follows from it."""

    def __init__(self, raw: bytes, name: str) -> None:
        self.raw = raw
        self.saved: Saved = unpack_info(raw, f"stream {name}")
        self.shards: tuple[ShardInfo, ...] = self.saved.shard_infos()
        self.routes = HashKeyRoutes(self.shards)
        self._settled: StreamInfo | None = None

    def info(self, now_ms: int) -> StreamInfo:
        """The stream at that time; made once for an active one, which stays as it is."""
        info = self._settled
        if info is None:
            info = self.saved.info(now_ms, self.shards)
            if info.status is StreamStatus.ACTIVE:
                self._settled = info
        return info


class OpenStream:
    """What all handles of one stream in this process share."""

    def __init__(self, folder: Path, settings: Settings) -> None:
        self.folder = folder
        self.settings = settings
        self._file = str(folder / DATA_FILE)
        self.inode = _inode(self._file)
        self._look_at = float("-inf")
        # Once closed, its file's number may come again.
        self._closed = False
        self.environment = LmdbEnvironment(folder, settings)
        self.users = 1
        self._waiting: set[threading.Event] = set()
        self._lock = threading.Lock()
        self._writer: Writer | None = None
        try:
            with suppress_full():
                self.environment.settle(INFO)
            with self.environment.read() as txn:
                self._layout = StreamLayout(bytes(txn.get(INFO) or b""), folder.name)
        except EddylineError:
            self.environment.close()
            raise

    @property
    def name(self) -> str:
        """The stream's name."""
        return self._layout.saved.name

    @property
    def stream_id(self) -> str:
        """Which creation of the name this is."""
        return self._layout.saved.stream_id

    def latest(self) -> StreamLayout:
        """The description as last seen."""
        return self._layout

    def layout(self, txn: Any) -> StreamLayout:
        """The description as the transaction sees it."""
        known, raw = self._layout, txn.get(INFO)
        if raw != known.raw:
            known = self._layout = StreamLayout(bytes(raw), self.folder.name)
        return known

    def heads(self, txn: Any) -> list[Head]:
        """The heads of all shards."""
        return unpack_heads(bytes(txn.get(HEADS)))

    def newest_ms(self) -> int:
        """The newest time that the stream's file holds: its creation, a change, an arrival."""
        with self.environment.read() as txn:
            saved, heads = self.layout(txn).saved, self.heads(txn)
        arrivals = (h.last_ms for h in heads)
        return max(saved.created_ms, saved.updating_ms, saved.gone_ms or 0, *arrivals)

    def check_there(self, layout: StreamLayout, clock: Clock) -> None:
        """Raise ``not_found`` once the stream is gone."""
        gone_ms = layout.saved.gone_ms
        if gone_ms is not None and clock.now_ms() >= gone_ms:
            raise StreamDeleted(self.name)

    def writer(self) -> Writer:
        """The one writer, started at first use."""
        with self._lock:
            if self._writer is None:
                self._writer = Writer(self)
            return self._writer

    def listen(self, event: threading.Event) -> None:
        """Have ``event`` set after each commit of this process."""
        with self._lock:
            self._waiting.add(event)

    def unlisten(self, event: threading.Event) -> None:
        """Leave ``event`` alone again."""
        with self._lock:
            self._waiting.discard(event)

    def tell(self) -> None:
        """Something was committed here."""
        with self._lock:
            for event in self._waiting:
                event.set()
        WATCH.notify(self)

    def is_stale(self) -> bool:
        """Whether the name no longer leads to this file, or the file turned out to be damaged."""
        return self._closed or self.environment.damaged or _inode(self._file) != self.inode

    def was_stale(self, clock: Clock) -> bool:
        """The same, looked at now and then: a look at the file is dear while others compute.

        What is missed meanwhile the writer notices, for a deleted stream says so in its file.
        """
        now = clock.monotonic()
        if now < self._look_at:
            return self._closed
        self._look_at = now + LOOK_S
        return self.is_stale()

    def close(self) -> None:
        """Finish what was put, then close."""
        with self._lock:
            self._closed = True
            writer = self._writer
        if writer is not None:
            writer.close()
        self.environment.close()
        BLOCKS.forget(self)
        self.tell()


@contextlib.contextmanager
def suppress_full() -> Iterator[None]:
    """A full or write-protected disk does not keep a stream from being read."""
    try:
        yield
    except EddylineError as error:
        if error.code not in ("disk_full", "access_denied"):
            raise


_registry: dict[Path, OpenStream] = {}
_registry_lock = threading.Lock()


def acquire(folder: Path, settings: Settings) -> OpenStream:
    """The stream in ``folder`` (resolved), opened if this process has not; one user more.

    Raises:
        EddylineError: ``not_found``, ``corrupt_data``, ``newer_format``, ``access_denied``.
    """
    with _registry_lock:
        known = _registry.get(folder)
        if known is not None and not known.is_stale():
            known.users += 1
            return known
        if known is not None:
            del _registry[folder]
            known.close()
        if not (folder / DATA_FILE).exists():
            raise StreamDeleted(folder.name)
        raise_descriptor_limit()
        if not is_sound(folder):
            repair(folder, settings)
        opened = _registry[folder] = OpenStream(folder, settings)
        return opened


def release(opened: OpenStream) -> None:
    """One user less; the last one closes it."""
    with _registry_lock:
        opened.users -= 1
        if opened.users == 0 and _registry.get(opened.folder) is opened:
            del _registry[opened.folder]
            opened.close()


def evict(folder: Path) -> None:
    """Close a stream that is about to go, whoever still holds it here."""
    with _registry_lock:
        known = _registry.pop(folder, None)
        if known is not None:
            known.close()


def raise_descriptor_limit() -> None:
    """An environment takes three descriptors; allow as many as the system lets us."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = DESCRIPTORS if hard == resource.RLIM_INFINITY else min(DESCRIPTORS, hard)
    if soft < limit:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))


def _inode(file: str) -> int:
    try:
        return os.stat(file).st_ino
    except OSError:
        return 0
