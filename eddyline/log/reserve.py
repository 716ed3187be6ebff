"""Memory that LMDB asks for and hardly uses, kept unreal.

For each environment LMDB takes two lists of three megabytes together, for the largest transaction
there could be. Taken from fresh pages of the system they cost what is touched of them: nothing.
But glibc, once it has seen large blocks freed, takes such lists from its heap and clears them, and
a thousand open streams hold gigabytes. So while an environment is opened, large blocks are asked of
the system. Other C libraries do that by themselves, or are left alone.
"""

from __future__ import annotations

import ctypes
import functools
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

# Numbers of glibc's mallopt(3), and where its own adjustment of them ends.
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
_USUAL_BYTES = 32 << 20
_LIST_BYTES = 512 << 10


@contextmanager
def unreal_lists() -> Iterator[None]:
    """Blocks above half a mebibyte come from fresh pages meanwhile."""
    mallopt = _mallopt()
    if mallopt is None:
        yield
        return
    mallopt(_MMAP_THRESHOLD, _LIST_BYTES)
    try:
        yield
    finally:
        mallopt(_MMAP_THRESHOLD, _USUAL_BYTES)
        mallopt(_TRIM_THRESHOLD, 2 * _USUAL_BYTES)


@functools.cache
def _mallopt() -> Callable[[int, int], int] | None:
    if not sys.platform.startswith("linux"):
        return None
    library = ctypes.CDLL(None)
    if not hasattr(library, "gnu_get_libc_version"):
        return None
    return library.mallopt
