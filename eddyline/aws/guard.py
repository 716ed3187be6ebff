"""Authentication: any access key on loopback, a known key and signature where keys are required."""

from __future__ import annotations

import threading
from typing import Any

from eddyline.auth import sigv4
from eddyline.auth.binding import enforced
from eddyline.auth.metrics_token import MetricsToken
from eddyline.auth.users import AccessKey, Users
from eddyline.aws.call import Caller
from eddyline.aws.errors import AwsError
from eddyline.clock import SYSTEM, Clock
from eddyline.settings import Settings

# How long a removed key or a changed policy may still be in effect.
KNOWN_MS = 1000
KNOWN_MAX = 1000
_USUAL = f"{sigv4.ALGORITHM} Credential="


class KeyGuard:
    """Determines the caller of a request from its signature."""

    def __init__(self, settings: Settings, clock: Clock = SYSTEM) -> None:
        self._users = Users(settings.data_dir)
        self._token = MetricsToken(settings.data_dir)
        self._clock = clock
        self.enforced = enforced(settings)
        self._known: dict[str, tuple[int, AccessKey | None, str | None]] = {}
        self._lock = threading.Lock()

    def admit(self, scope: Any, headers: dict[str, str], body: bytes) -> Caller:
        """The caller of a request.

        Without enforcement a request still needs a credential in AWS's form, as every SDK sends
        one, but any credential is accepted.

        Raises:
            AwsError: ``MissingAuthenticationTokenException``, ``IncompleteSignatureException``,
                ``UnrecognizedClientException``, ``InvalidSignatureException``.
        """
        if not self.enforced:
            key_id = _claimed(headers.get("authorization", ""))
            if key_id is not None:
                return Caller(key_id)
        try:
            request = _http(scope, headers, body)
            given = sigv4.read(request)
            if not self.enforced:
                return Caller(given.key_id)
            key, policy = self._key(given.key_id)
            if key is None:
                words = "The security token included in the request is invalid."
                raise AwsError("UnrecognizedClientException", words)
            sigv4.verify(request, given, key.secret, self._clock.now_ms())
        except sigv4.Refused as refused:
            raise AwsError(refused.name, refused.message) from None
        return Caller(key.user, policy, trusted=policy is None)

    def admit_to_metrics(self, scope: Any, headers: dict[str, str]) -> None:
        """Let a reader of ``/metrics`` in: with the token, or as a known caller.

        Raises:
            AwsError: as ``admit``, where keys are required.
        """
        if self.enforced and not self._token.admits(headers.get("authorization", "")):
            self.admit(scope, headers, b"")

    def _key(self, key_id: str) -> tuple[AccessKey | None, str | None]:
        """The key of that name, and the policy of its user."""
        now_ms = self._clock.now_ms()
        with self._lock:
            known = self._known.get(key_id)
        if known is not None and now_ms - known[0] < KNOWN_MS:
            return known[1:]
        key = self._users.key(key_id)
        policy = None if key is None else self._users.policy(key.user)
        with self._lock:
            if len(self._known) >= KNOWN_MAX:
                self._known.clear()
            self._known[key_id] = (now_ms, key, policy)
        return key, policy


def _claimed(authorization: str) -> str | None:
    """The key ID in a header of the usual form of SDKs; None if it needs a full parse."""
    if not authorization.startswith(_USUAL) or ", Signature=" not in authorization:
        return None
    key_id, _, scope = authorization[len(_USUAL) :].partition("/")
    usual = key_id and len(key_id) <= 128 and "/aws4_request, SignedHeaders=" in scope
    return key_id if usual else None


def _http(scope: Any, headers: dict[str, str], body: bytes) -> sigv4.HttpRequest:
    pairs = list(headers.items())
    return sigv4.HttpRequest(scope.method, scope.path, scope.query_string, pairs, body)
