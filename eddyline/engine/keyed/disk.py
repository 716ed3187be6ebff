"""What goes wrong with the files of a job's state, as the product's errors."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa

from eddyline.errors import EddylineError


@contextmanager
def disk_errors() -> Iterator[None]:
    """A full disk as the product's error."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise
        message = f"the job's state cannot be written: {error.strerror}"
        hint = "make room; the job then goes on by itself, and nothing is lost"
        raise EddylineError("disk_full", message, hint=hint) from error


@contextmanager
def files_read(directory: Path) -> Iterator[None]:
    """Files that are missing or not whole as the product's error."""
    try:
        yield
    except (OSError, ValueError, IndexError, pa.ArrowException) as error:
        message = f"the job's state {directory} cannot be read"
        hint = "start the job afresh; its streams are not touched"
        raise EddylineError("corrupt_data", message, detail=str(error), hint=hint) from error
