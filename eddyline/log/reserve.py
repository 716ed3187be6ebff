"""Keeps the memory that LMDB allocates but hardly touches from becoming resident.

LMDB allocates two page lists per environment, three megabytes together, for the largest possible
transaction. Most of their memory is never touched. In pages fresh from the system it is mapped
but not resident. But once glibc has seen large blocks freed, it takes such lists from its heap
and clears them, and a thousand open streams then hold gigabytes. While an environment is opened,
large blocks are therefore requested from the system. Other C libraries do that on their own.
"""

from __future__ import annotations

import ctypes
import functools
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

# Parameters of glibc's mallopt(3), and the upper bound of its own adjustment.
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
_USUAL_BYTES = 32 << 20
_LIST_BYTES = 512 << 10


@contextmanager
def unreal_lists() -> Iterator[None]:
    """Within this context, blocks above half a mebibyte come from fresh pages."""
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
