"""All streams of a data directory: create, open, list, delete, sweep.

A stream is a folder below ``streams``. It is made under another name and then renamed, and
renamed before it is removed, so that a name always leads to a complete stream or to none, even if
the process dies. Creating and deleting take a lock file because they have several steps; nothing
else does. A restore takes long, so it takes the lock only at its beginning and end.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from eddyline.clock import SYSTEM, Clock
from eddyline.errors import EddylineError, nearest
from eddyline.log import opened as registry
from eddyline.log.environment import DATA_FILE, make, translated
from eddyline.log.keys import HEADS, INFO, Head, Saved, changed, pack_heads, pack_info, saved_shards
from eddyline.log.log_clock import LogClock
from eddyline.log.on_demand import OnDemand
from eddyline.log.opened import OpenStream
from eddyline.log.shard import StreamInfo, StreamMode, even_shards
from eddyline.log.stream import Stream, check_retention, check_shard_count
from eddyline.private import FILE_MODE, make_folder
from eddyline.settings import Settings

FOLDER = "streams"
ON_DEMAND_SHARDS = 4
DATA_FOLDER = "stream"
_NAME = re.compile(r"[a-zA-Z0-9_.-]{1,128}\Z")
_LOCK, _NEW, _OLD, _BUSY = ".lock", ".new-", ".old-", ".busy-"


class LogStore:
    """The streams below ``root``; safe for many threads, as for many processes."""

    def __init__(self, root: Path, settings: Settings, clock: Clock = SYSTEM) -> None:
        self._folder = Path(root).resolve() / FOLDER
        self._settings = settings
        self._clock = LogClock(self._folder, clock, self._newest_ms)
        self._streams: dict[str, tuple[OpenStream, Stream]] = {}
        self._lock = threading.RLock()
        self._on_demand = OnDemand(clock)

    @property
    def clock(self) -> LogClock:
        """The time at which records arrive, the same in all processes; it never jumps."""
        return self._clock

    def create(
        self,
        name: str,
        shard_count: int | None = None,
        mode: StreamMode = StreamMode.PROVISIONED,
        retention_hours: int = 24,
        tags: dict[str, str] | None = None,
    ) -> Stream:
        """A new stream: one shard by default, four if on-demand.

        Raises:
            EddylineError: ``already_exists``, ``invalid_argument``, ``disk_full``.
        """
        _check_name(name)
        count = shard_count or (ON_DEMAND_SHARDS if mode is StreamMode.ON_DEMAND else 1)
        check_shard_count(count)
        check_retention(retention_hours)
        with self._exclusive() as lock_file:
            self._check_free(name)
            created_ms = self._creation_ms(lock_file)
            saved = Saved(
                name=name,
                stream_id=uuid.uuid4().hex,
                mode=mode,
                created_ms=created_ms,
                active_ms=created_ms + self._settings.stream_delay_ms,
                retention_hours=retention_hours,
                shards=saved_shards(even_shards(count, created_ms)),
                tags=tags or {},
            )
            self._make(saved, count)
        return self.open(name)

    def make(
        self, saved: Saved, fill: Callable[[Any, Saved], None], name: str | None = None
    ) -> Stream:
        """A stream as ``saved`` tells, under its own name or another.

        ``fill`` is given its LMDB environment and the description to write into it; what it raises
        leaves nothing behind.

        Raises:
            EddylineError: ``already_exists``, ``invalid_argument``, ``disk_full``.
        """
        name = saved.name if name is None else name
        _check_name(name)
        saved = changed(saved, name=name, stream_id=uuid.uuid4().hex, gone_ms=None)
        with self._aside(saved) as aside:
            make(aside, self._settings, lambda environment: fill(environment, saved))
            with self._exclusive():
                self._check_free(name)
                self._settle(saved, aside)
        return self.open(name)

    def delete(self, name: str) -> None:
        """Delete a stream; its folder goes once DELETING is over.

        Raises:
            EddylineError: ``not_found``.
        """
        stream = self.open(name)
        gone_ms = self._clock.now_ms() + self._settings.stream_delay_ms
        opened = self._streams[name][0]
        with opened.environment.write() as txn:
            saved = opened.layout(txn).saved
            if saved.gone_ms is None:
                txn.put(INFO, pack_info(changed(saved, gone_ms=gone_ms)))
        opened.tell()
        if self._settings.stream_delay_ms == 0:
            with self._exclusive():
                self._finish_deletion(stream.name)

    def names(self) -> list[str]:
        """The streams' names, sorted."""
        return [info.name for info in self.list()]

    def list(self, after: str | None = None, most: int | None = None) -> list[StreamInfo]:
        """Streams by name, behind ``after``, at most so many; one that cannot be read is left out.

        Only those that are given are looked at.
        """
        streams: list[StreamInfo] = []
        for name in self._candidates():
            if most is not None and len(streams) >= most:
                break
            if after is None or name > after:
                with contextlib.suppress(EddylineError):
                    streams.append(self.open(name).info())
        return streams

    def latest(self) -> Sequence[StreamInfo]:
        """All streams as this process has last seen them, without a look at most of the files."""
        streams = []
        for name in self._candidates():
            known = self._streams.get(name)
            with contextlib.suppress(EddylineError):
                stream = self.open(name) if known is None else known[1]
                streams.append(stream.latest_info())
        return streams

    def open(self, name: str) -> Stream:
        """The stream of that name.

        Raises:
            EddylineError: ``not_found``, with the nearest names, ``corrupt_data``,
                ``newer_format``.
        """
        _check_name(name)
        with self._lock:
            known = self._streams.get(name)
            if known is not None and not known[0].is_stale():
                return self._there(known)
            self._forget(name)
            if not (self._home(name) / DATA_FILE).exists():
                raise self._not_found(name)
            opened = registry.acquire(self._home(name), self._settings)
            if opened.name != name:  # a file system that does not tell A from a
                registry.release(opened)
                raise self._not_found(name)
            entry = (opened, Stream(opened, self._settings, self._clock))
            self._streams[name] = entry
            return self._there(entry)

    def known(self, name: str) -> Stream | None:
        """The stream of that name if this process has it open and it lay where it lay lately."""
        entry = self._streams.get(name)
        return None if entry is None or entry[0].was_stale(self._clock) else entry[1]

    def sweep(self) -> None:
        """Trim what is too old, finish deletions, clear up after killed processes.

        One stream that fails does not keep the others from it.

        Raises:
            EddylineError: the first failure, once all streams had their turn.
        """
        failures: list[EddylineError] = []
        self._clock.follow()
        if self._folder.is_dir():
            with self._exclusive():
                self._remove_leftovers()
        for name in self._candidates():
            try:
                self._sweep(name)
            except EddylineError as error:
                if error.code != "not_found":
                    failures.append(error)
        if failures:
            raise failures[0]

    def close(self) -> None:
        """Finish what was put and let go of all streams."""
        with self._lock:
            for name in list(self._streams):
                self._forget(name)

    def _sweep(self, name: str) -> None:
        try:
            stream = self.open(name)
        except EddylineError as error:
            if error.code != "not_found":
                raise
            with self._exclusive():
                self._finish_deletion(name)
            return
        environment = self._streams[name][0].environment
        environment.clear_dead_readers()
        environment.settle(INFO)
        stream.trim()
        if self._settings.throttle:
            self._on_demand.look(stream)

    def _there(self, entry: tuple[OpenStream, Stream]) -> Stream:
        opened, stream = entry
        with opened.environment.read() as txn:
            saved = opened.layout(txn).saved
        if saved.gone_ms is not None and self._clock.now_ms() >= saved.gone_ms:
            raise self._not_found(stream.name)
        return stream

    def _forget(self, name: str) -> None:
        known = self._streams.pop(name, None)
        if known is not None:
            registry.release(known[0])

    def _not_found(self, name: str) -> EddylineError:
        known = [n for n in self._candidates() if n != name]
        like = nearest(name, known)
        if like:
            hint = "did you mean " + " or ".join(like) + "?"
        else:
            hint = "create it first" + (f"; there are {', '.join(known[:5])}" if known else "")
        return EddylineError("not_found", f"stream {name} does not exist", hint=hint)

    def _candidates(self) -> Sequence[str]:
        """Names of folders that hold a stream, whatever its state."""
        try:
            entries = sorted(os.listdir(self._folder))
        except FileNotFoundError:
            return []
        return [e.replace("%2E", ".", 1) for e in entries if not e.startswith(".")]

    def _home(self, name: str) -> Path:
        """The stream's folder; a leading dot is written otherwise, ours begin with one."""
        return self._folder / ("%2E" + name[1:] if name.startswith(".") else name)

    def _check_free(self, name: str) -> None:
        """Raise ``already_exists`` if the name is taken; the lock is held."""
        self._finish_deletion(name)
        if self._home(name).exists():
            msg = f"stream {name} exists already"
            raise EddylineError("already_exists", msg, hint="choose another name, or delete it")

    def _make(self, saved: Saved, shard_count: int) -> None:
        values = {INFO: pack_info(saved), HEADS: pack_heads([Head() for _ in range(shard_count)])}

        def fill(environment: Any) -> None:
            with environment.begin(write=True) as txn:
                for key, value in values.items():
                    txn.put(key, value)

        self._build(saved, self._folder / (_NEW + saved.stream_id), fill)

    def _build(self, saved: Saved, aside: Path, fill: Callable[[Any], None]) -> None:
        """Make the folder aside, then let it have its name; the lock is held."""
        try:
            make(aside, self._settings, fill)
            self._settle(saved, aside)
        except BaseException:
            shutil.rmtree(aside, ignore_errors=True)
            raise

    def _settle(self, saved: Saved, aside: Path) -> None:
        """Let a folder that was made aside have its name; the lock is held."""
        with translated(f"stream {saved.name}"):
            _sync(aside)
            os.rename(aside, self._home(saved.name))
            _sync(self._folder)

    @contextmanager
    def _aside(self, saved: Saved) -> Iterator[Path]:
        """A folder in which to make a stream without the lock; removed at the end.

        A lock on the folder itself shows the sweep that its process is alive.
        """
        outer = self._folder / (_BUSY + saved.stream_id)
        with self._exclusive(), translated(f"stream {saved.name}"):
            self._check_free(saved.name)
            outer.mkdir()
            busy = os.open(outer, os.O_RDONLY)
            fcntl.flock(busy, fcntl.LOCK_EX)
        try:
            yield outer / DATA_FOLDER
        finally:
            shutil.rmtree(outer, ignore_errors=True)
            os.close(busy)

    def _finish_deletion(self, name: str) -> None:
        """Remove the stream if its time is over; the lock is held."""
        folder = self._home(name)
        if not (folder / DATA_FILE).exists():
            self._clear_away(folder)
            return
        with self._lock:
            opened = registry.acquire(folder, self._settings)
            saved = opened.latest().saved
            with opened.environment.read() as txn:
                saved = opened.layout(txn).saved
            registry.release(opened)
            if saved.gone_ms is None or self._clock.now_ms() < saved.gone_ms:
                return
            registry.evict(folder)
            self._forget(name)
            aside = self._folder / (_OLD + saved.stream_id)
            os.rename(folder, aside)
        _sync(self._folder)
        shutil.rmtree(aside, ignore_errors=True)

    def _clear_away(self, folder: Path) -> None:
        """Remove a folder without a data file: it holds no stream, and its name becomes free."""
        if folder.is_dir():
            aside = self._folder / (_OLD + uuid.uuid4().hex)
            os.rename(folder, aside)
            shutil.rmtree(aside, ignore_errors=True)

    def _remove_leftovers(self) -> None:
        """Remove what a killed process was creating or deleting; the lock is held."""
        for entry in os.listdir(self._folder):
            if entry.startswith((_NEW, _OLD)) or (
                entry.startswith(_BUSY) and not _is_busy(self._folder / entry)
            ):
                shutil.rmtree(self._folder / entry, ignore_errors=True)

    @contextmanager
    def _exclusive(self) -> Iterator[int]:
        """The directory's lock, among all processes and threads; gives its file."""
        with translated(f"data directory {self._folder.parent}"):
            if not self._folder.is_dir():
                make_folder(self._folder.parent)
                make_folder(self._folder)
            file = os.open(self._folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, FILE_MODE)
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield file
        finally:
            os.close(file)

    def _newest_ms(self) -> int:
        """The newest time that the directory knows of: creations, changes and arrivals.

        A stream that cannot be read does not count.
        """
        newest_ms = 0
        with contextlib.suppress(OSError, ValueError):
            newest_ms = _last_creation_ms((self._folder / _LOCK).read_bytes())
        for name in self._candidates():
            with contextlib.suppress(EddylineError):
                opened = registry.acquire(self._home(name), self._settings)
                try:
                    newest_ms = max(newest_ms, opened.newest_ms())
                finally:
                    registry.release(opened)
        return newest_ms

    def _creation_ms(self, lock_file: int) -> int:
        """Now, but later than any creation before: sequence numbers must not come again."""
        with translated(f"data directory {self._folder.parent}"):
            last = _last_creation_ms(os.pread(lock_file, 32, 0))
            created_ms = max(self._clock.now_ms(), last + 1)
            os.pwrite(lock_file, f"{created_ms:020d}".encode(), 0)
            os.fsync(lock_file)
        return created_ms


def _last_creation_ms(raw: bytes) -> int:
    """The time of the newest creation, as the lock file holds it."""
    return int(raw or b"0")


def _check_name(name: str) -> None:
    if not _NAME.match(name):
        msg = f"{name[:140]!r} is no name for a stream"
        hint = "1 to 128 letters, digits, underscores, hyphens and dots"
        raise EddylineError("invalid_argument", msg, hint=hint)


def _is_busy(folder: Path) -> bool:
    """Whether the process that makes a stream there still lives."""
    try:
        file = os.open(folder, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(file)
    return False


def _sync(folder: Path) -> None:
    """Make what a folder lists durable."""
    file = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)
