"""The bearer token with which Prometheus reads ``/metrics`` where access keys are required.

It lies in a file of its own in the data directory, for ``authorization: credentials_file``.
"""

from __future__ import annotations

import hmac
import secrets
from pathlib import Path

from eddyline.errors import EddylineError
from eddyline.private import write_once

FILE = "metrics-token"


class MetricsToken:
    """The token of a data directory, made when it is first needed."""

    def __init__(self, directory: Path) -> None:
        self.path = Path(directory) / FILE
        self._token: bytes | None = None

    def admits(self, authorization: str) -> bool:
        """Whether an ``Authorization`` header carries the token."""
        scheme, _, given = authorization.partition(" ")
        if scheme.lower() != "bearer":
            return False
        return hmac.compare_digest(given.strip().encode(), self._known())

    def ensure(self) -> Path:
        """Where the token lies; it is there now.

        Raises:
            EddylineError: ``access_denied`` when it can be neither read nor made.
        """
        self._known()
        return self.path

    def _known(self) -> bytes:
        if self._token is None:
            try:
                made = f"{secrets.token_urlsafe(32)}\n".encode()
                self._token = write_once(self.path, made).strip()
            except OSError as error:
                msg = f"{self.path} can be neither read nor made: {error.strerror}"
                hint = "give this user the right to write the data directory, and free space"
                raise EddylineError("access_denied", msg, hint=hint) from error
        return self._token
