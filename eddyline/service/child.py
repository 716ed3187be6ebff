"""The child's side: the channel to its parent, heartbeats, and ending when the parent ends.

A child notices its parent's end in two ways, because each has a gap: by the kernel's parent-death
signal (Linux only), and by the end of the channel, which a thread waits for. A job's state is
committed in transactions, so a child may be killed at any point.
"""

from __future__ import annotations

import ctypes
import errno
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from typing import Any

from eddyline.clock import SYSTEM
from eddyline.errors import EddylineError
from eddyline.service.channel import MessageChannel
from eddyline.service.messages import Beat, ToWorker
from eddyline.settings import PRIVATE_UMASK

BEAT_S = 1.0
_PR_SET_PDEATHSIG = 1


def join_parent(arguments: list[str]) -> MessageChannel:
    """The channel whose descriptor the parent gave as the first argument, with its own pid.

    A thread then sends heartbeats, so that the parent notices a process that hangs. Files that this
    process creates are readable by their owner only.
    """
    descriptor, parent = int(arguments[0]), int(arguments[1])
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the server handles the terminal's Ctrl-C
    os.umask(PRIVATE_UMASK)
    die_with(parent)
    channel = MessageChannel(socket.socket(fileno=descriptor), ToWorker)
    in_thread("heartbeat", _beat, channel)
    return channel


def _beat(channel: MessageChannel) -> None:
    pause = threading.Event()
    while channel.send(Beat()):
        SYSTEM.wait(pause, BEAT_S)


def die_with(parent: int) -> None:
    """Have the kernel end this process when its parent ends; at once if it has ended."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it had ended before the call
        os._exit(1)


def serve(
    channel: MessageChannel, handle: Callable[[Any], None], finish: Callable[[], None]
) -> None:
    """Give every message to ``handle``; leave the process when the parent is gone.

    ``finish`` is called for the message ``Stop``, after which the process ends in good order.
    """
    from eddyline.service.messages import Stop

    for message in channel:
        if isinstance(message, Stop):
            finish()
            leave(0)
        handle(message)
    leave(1)


def leave(code: int) -> None:
    """End at once, without waiting for threads of libraries."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


# Errors of the system and the words of LMDB and DuckDB for "no room is left".
_FULL = (errno.ENOSPC, errno.EFBIG, errno.EDQUOT)
_FULL_WORDS = ("No space left", "MDB_MAP_FULL", "File too large", "Could not write all bytes")


def described(error: BaseException) -> EddylineError:
    """Any failure as the one error family; what is not of it is a fault of ours.

    A full disk and a lack of memory keep their meaning through the libraries that report them.
    """
    if isinstance(error, EddylineError):
        return error
    text = f"{type(error).__name__}: {error}"
    if getattr(error, "errno", None) in _FULL or any(words in text for words in _FULL_WORDS):
        hint = "make room, or move the data directory; nothing that was acknowledged is lost"
        return EddylineError("disk_full", "no room is left on the disk", detail=text, hint=hint)
    if isinstance(error, MemoryError) or "Out of Memory" in text:
        hint = "raise EDDYLINE_WORKER_MEMORY_MIB, or bound the state with table.exec.state.ttl"
        msg = "the worker's memory is used up"
        return EddylineError("limit_exceeded", msg, detail=text, hint=hint)
    hint = "please report this with the statement and the file logs/worker.log"
    return EddylineError("internal", f"a fault in Eddyline: {text}", hint=hint)


def in_thread(name: str, target: Callable[..., None], *arguments: Any) -> threading.Thread:
    """A started daemon thread."""
    thread = threading.Thread(target=target, args=arguments, name=name, daemon=True)
    thread.start()
    return thread
