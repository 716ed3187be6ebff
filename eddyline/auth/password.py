"""Passwords as scrypt hashes (RFC 7914): slow to guess, each with a salt of its own."""

from __future__ import annotations

import hmac
import secrets
from base64 import b64decode, b64encode
from hashlib import scrypt

from eddyline.errors import EddylineError

LENGTH_MIN, LENGTH_MAX = 8, 256
# 16 MiB and about 40 ms a guess.
_N, _R, _P = 2**14, 8, 1


def hashed(password: str) -> str:
    """What is kept of a password: ``scrypt$n$r$p$salt$hash``.

    Raises:
        EddylineError: ``invalid_argument`` for one that is too short or too long.
    """
    if not LENGTH_MIN <= len(password) <= LENGTH_MAX:
        msg = f"a password of {len(password)} characters is not accepted"
        hint = f"give {LENGTH_MIN} to {LENGTH_MAX} characters"
        raise EddylineError("invalid_argument", msg, hint=hint)
    salt = secrets.token_bytes(16)
    made = _scrypt(password, salt, _N, _R, _P)
    return f"scrypt${_N}${_R}${_P}${b64encode(salt).decode()}${b64encode(made).decode()}"


def matches(password: str, kept: str) -> bool:
    """Whether the password is the one whose hash is kept; takes as long either way."""
    _, n, r, p, salt, made = kept.split("$")
    given = _scrypt(password[:LENGTH_MAX], b64decode(salt), int(n), int(r), int(p))
    return hmac.compare_digest(given, b64decode(made))


def waste() -> None:
    """Take as long as ``matches`` does, for a user that does not exist."""
    _scrypt("", b"eddyline-no-such-user", _N, _R, _P)


def _scrypt(password: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    raw = password.encode("utf-8", "surrogatepass")
    return scrypt(raw, salt=salt, n=n, r=r, p=p, dklen=32, maxmem=64 << 20)
