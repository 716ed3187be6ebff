"""Short transactions on a SQLite file that several processes share."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from eddyline.errors import EddylineError

# Transactions are short; a machine may be very busy.
BUSY_S = 60.0


@contextmanager
def transaction(path: Path, *, durable: bool = True) -> Iterator[sqlite3.Connection]:
    """One write transaction; nothing stays open after it.

    ``durable`` off lets a power failure (not a crash of ours) take the last transactions.

    Raises:
        EddylineError: ``disk_full`` or ``corrupt_data``.
    """
    db = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None)
    try:
        db.execute("PRAGMA journal_mode=WAL")
        db.execute(f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}")
        db.execute("BEGIN IMMEDIATE")
        try:
            yield db
        except BaseException:
            if db.in_transaction:  # a failed write has ended it already
                db.execute("ROLLBACK")
            raise
        db.execute("COMMIT")
    except sqlite3.DatabaseError as error:
        raise _described(path, error) from error
    finally:
        db.close()


def read(path: Path, sql: str, arguments: tuple[object, ...] = ()) -> list[tuple[object, ...]]:
    """The rows of one query."""
    db = sqlite3.connect(path, timeout=BUSY_S)
    try:
        return db.execute(sql, arguments).fetchall()
    except sqlite3.DatabaseError as error:
        raise _described(path, error) from error
    finally:
        db.close()


def _described(path: Path, error: sqlite3.DatabaseError) -> EddylineError | sqlite3.DatabaseError:
    text = str(error)
    # SQLite says "unable to open" where it cannot make its shared memory file larger.
    if any(word in text for word in ("full", "disk I/O", "unable to open")):
        msg = f"no room is left on the disk for {path.name}"
        return EddylineError("disk_full", msg, detail=text, hint="make room, then try again")
    if "malformed" in text or "not a database" in text:
        msg = f"{path} is damaged"
        return EddylineError("corrupt_data", msg, detail=text)
    return error
