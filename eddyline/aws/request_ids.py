"""Ids of requests: random UUIDs, of which the system is asked for many at once.

To ask it lets go of Python's lock, and winning that back takes longer than all else here.
"""

from __future__ import annotations

import os

BYTES = 16
MANY = 256


class RequestIds:
    """An endless supply; for one thread."""

    def __init__(self) -> None:
        self._digits = ""
        self._at = 0

    def next(self) -> str:
        """Another one."""
        if self._at == len(self._digits):
            self._digits, self._at = os.urandom(BYTES * MANY).hex(), 0
        digits = self._digits[self._at : self._at + 2 * BYTES]
        self._at += 2 * BYTES
        groups = digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]
        return "-".join(groups)
