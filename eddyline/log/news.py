"""Listeners for commits: those of this process, and those of other processes.

A commit of this process calls every listener of its stream. LMDB does not announce commits of
other processes. While there is a listener, one thread therefore waits for writes to the streams'
files and then reads each stream's newest transaction: one thread for all streams, and none while
nobody listens.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from eddyline.errors import EddylineError
from eddyline.log.file_changes import FileChanges

if TYPE_CHECKING:
    from eddyline.log.opened import OpenStream

_DATA_FILE = "data.mdb"
Callback = Callable[[], None]


class CommitListeners:
    """The listeners of a process, by stream."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._callbacks: dict[OpenStream, list[Callback]] = {}
        self._seen: dict[OpenStream, int] = {}
        self._running = False
        self._changes: FileChanges | None = None

    def add(self, opened: OpenStream, callback: Callback, poll_s: float) -> None:
        """Call ``callback`` in any thread after each commit to the stream and when it closes."""
        with self._lock:
            self._callbacks.setdefault(opened, []).append(callback)
            if self._changes is not None:
                self._changes.interrupt()
            if not self._running:
                self._running = True
                threading.Thread(target=self._run, args=(poll_s,), daemon=True).start()

    def remove(self, opened: OpenStream, callback: Callback) -> None:
        """Stop calling it."""
        with self._lock:
            left = [b for b in self._callbacks.get(opened, ()) if b is not callback]
            if left:
                self._callbacks[opened] = left
            else:
                self._callbacks.pop(opened, None)
                self._seen.pop(opened, None)

    def notify(self, opened: OpenStream) -> None:
        """Call the stream's listeners after a commit."""
        for callback in self._callbacks.get(opened, ()):
            callback()

    def _run(self, poll_s: float) -> None:
        changes = FileChanges(poll_s)
        while True:
            with self._lock:
                watched = list(self._callbacks)
                if not watched:
                    self._running, self._changes = False, None
                    changes.close()
                    return
                self._changes = changes
            notified = changes.watch((str(o.folder / _DATA_FILE), o.inode) for o in watched)
            for opened in watched:
                try:
                    newest = opened.environment.last_transaction()
                except EddylineError:
                    newest = -1  # closed; the listener notices when it reads
                if self._seen.get(opened) != newest:
                    self._seen[opened] = newest
                    self.notify(opened)
            if notified:
                changes.wait()
            else:
                changes.pause()


WATCH = CommitListeners()
