"""Rate limiting of password attempts by address and by user name, without locking anybody out.

After ``FREE`` wrong passwords from an address, or for a name, each further attempt is checked
only after a delay that doubles up to ``LONGEST_S``. It is always checked, so the right password
still signs in. An address may have few attempts in progress at a time, and a single one once it
is slowed down; more are refused at once. Guessing from one address therefore costs seconds per
guess, guessing from many addresses costs the same per name, and the owner of the name, at another
address, waits those seconds once.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from eddyline.clock import Clock
from eddyline.errors import EddylineError

FREE, WINDOW_S = 5, 900.0
FIRST_S, LONGEST_S = 0.5, 8.0
IN_HAND_MAX = 4
KEYS_MAX = 2000


class Attempts:
    """Recent wrong passwords; safe for many threads."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._failures: dict[str, list[float]] = {}
        self._in_hand: dict[str, int] = {}

    @contextmanager
    def one(self, user: str, address: str) -> Iterator[float]:
        """The context of an attempt; gives the number of seconds to wait before checking it.

        Raises:
            EddylineError: ``too_many_requests`` when the address has too many in progress.
        """
        with self._lock:
            in_hand = self._in_hand.get(address, 0)
            mine = len(self._recent(_by_address(address)))
            if in_hand >= (1 if mine >= FREE else IN_HAND_MAX):
                raise too_many(delay_s(mine))
            self._in_hand[address] = in_hand + 1
            # Attempts in progress may prove wrong, so simultaneous guesses count as failures.
            wait_s = max(delay_s(mine + in_hand), delay_s(len(self._recent(_by_name(user)))))
        try:
            yield wait_s
        finally:
            with self._lock:
                self._in_hand[address] -= 1
                if not self._in_hand[address]:
                    del self._in_hand[address]

    def failed(self, user: str, address: str) -> float:
        """Record a wrong password; gives the delay of the next attempt in seconds."""
        with self._lock:
            self._make_room()
            now = self._clock.monotonic()
            counts = []
            for key in (_by_address(address), _by_name(user)):
                recent = [*self._recent(key), now][-2 * FREE - 10 :]
                self._failures[key] = recent
                counts.append(len(recent))
        return max(map(delay_s, counts))

    def succeeded(self, address: str) -> None:
        """Record a right password: the address is no longer slowed down."""
        with self._lock:
            self._failures.pop(_by_address(address), None)

    def _recent(self, key: str) -> list[float]:
        since = self._clock.monotonic() - WINDOW_S
        return [t for t in self._failures.get(key, ()) if t > since]

    def _make_room(self) -> None:
        """Forget the oldest entries: invented names and addresses must not fill the memory."""
        if len(self._failures) >= KEYS_MAX:
            by_age = sorted(self._failures, key=lambda key: self._failures[key][-1])
            for key in by_age[: KEYS_MAX // 2]:
                del self._failures[key]


def delay_s(failures: int) -> float:
    """The delay of an attempt after this many recent failures, in seconds."""
    if failures < FREE:
        return 0.0
    return min(LONGEST_S, FIRST_S * 2.0 ** (failures - FREE))


def too_many(wait_s: float) -> EddylineError:
    """The error of too many attempts."""
    msg = "too many wrong passwords; further attempts are slowed down"
    hint = f"wait {max(1, round(wait_s))} s, or use the link that the server printed"
    return EddylineError("too_many_requests", msg, hint=hint)


def _by_address(address: str) -> str:
    return f"address {address}"


def _by_name(user: str) -> str:
    return f"name {user[:64]}"
