"""Authentication: any access key on loopback, a known key and signature where keys are required.

The temporary keys of an assumed role act as the role in both cases.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from secrets import compare_digest
from typing import Any

from eddyline.auth import sigv4
from eddyline.auth.binding import enforced
from eddyline.auth.entities import Entities, EntityKind
from eddyline.auth.grants import Grants
from eddyline.auth.metrics_token import MetricsToken
from eddyline.auth.temporary import PREFIX, USER, TemporaryKey, TemporaryKeys
from eddyline.auth.users import Users
from eddyline.aws.call import Caller
from eddyline.aws.errors import AwsError
from eddyline.clock import SYSTEM, Clock
from eddyline.settings import Settings

# How long a removed key or a changed policy may still be in effect.
KNOWN_MS = 1000
KNOWN_MAX = 1000
_USUAL = f"{sigv4.ALGORITHM} Credential="


@dataclass(frozen=True, slots=True)
class KnownKey:
    """An access key with its caller; ``token`` and ``ends_ms`` of a temporary one."""

    secret: str
    caller: Caller
    token: str | None = None
    ends_ms: int | None = None


class KeyGuard:
    """Determines the caller of a request from its signature."""

    def __init__(self, settings: Settings, clock: Clock = SYSTEM) -> None:
        self._users = Users(settings.data_dir)
        self._token = MetricsToken(settings.data_dir)
        self._temporary = TemporaryKeys(settings.data_dir, clock)
        self._entities = Entities(settings.data_dir, clock)
        self._account = settings.account_id
        self._grants = Grants(settings.data_dir, settings.account_id, clock)
        self._clock = clock
        self.enforced = enforced(settings)
        self._known: dict[str, tuple[int, KnownKey | None]] = {}
        self._lock = threading.Lock()

    def admit(self, scope: Any, headers: dict[str, str], body: bytes) -> Caller:
        """The caller of a request.

        Without enforcement a request still needs a credential in AWS's form, as every SDK sends
        one, but any credential is accepted; that of an assumed role has the role's rights.

        Raises:
            AwsError: ``MissingAuthenticationTokenException``, ``IncompleteSignatureException``,
                ``UnrecognizedClientException``, ``InvalidSignatureException``,
                ``ExpiredTokenException``.
        """
        if not self.enforced:
            key_id = _claimed(headers.get("authorization", ""))
            if key_id is not None:
                return self._anybody(key_id)
        try:
            request = _http(scope, headers, body)
            given = sigv4.read(request)
            if not self.enforced:
                return self._anybody(given.key_id)
            key = self._key(given.key_id)
            token = headers.get("x-amz-security-token") or dict(given.query).get(
                "X-Amz-Security-Token", ""
            )
            if key is None or (key.token and not compare_digest(key.token, token)):
                message = "The security token included in the request is invalid."
                raise AwsError("UnrecognizedClientException", message)
            sigv4.verify(request, given, key.secret, self._clock.now_ms())
        except sigv4.Refused as refused:
            raise AwsError(refused.name, refused.message) from None
        self._check_end(key)
        return key.caller

    def _anybody(self, key_id: str) -> Caller:
        """The caller of a request whose signature is not checked."""
        if not key_id.startswith(PREFIX):
            return Caller(key_id, key_id=key_id)
        key = self._key(key_id)
        if key is None:
            return Caller(key_id, key_id=key_id)
        self._check_end(key)
        return key.caller

    def _check_end(self, key: KnownKey) -> None:
        if key.ends_ms is not None and key.ends_ms < self._clock.now_ms():
            message = "The security token included in the request is expired"
            raise AwsError("ExpiredTokenException", message)

    def admit_to_metrics(self, scope: Any, headers: dict[str, str]) -> None:
        """Let a reader of ``/metrics`` in: with the token, or as a known caller.

        Raises:
            AwsError: as ``admit``, where keys are required.
        """
        if self.enforced and not self._token.admits(headers.get("authorization", "")):
            self.admit(scope, headers, b"")

    def _key(self, key_id: str) -> KnownKey | None:
        """The key of that name with its caller; remembered for ``KNOWN_MS``."""
        now_ms = self._clock.now_ms()
        with self._lock:
            known = self._known.get(key_id)
        if known is not None and now_ms - known[0] < KNOWN_MS:
            return known[1]
        key = self._temporarily(key_id) if key_id.startswith(PREFIX) else self._of_user(key_id)
        with self._lock:
            if len(self._known) >= KNOWN_MAX:
                self._known.clear()
            self._known[key_id] = (now_ms, key)
        return key

    def _of_user(self, key_id: str) -> KnownKey | None:
        key = self._users.key(key_id)
        if key is None or not key.active:
            return None
        return KnownKey(key.secret, self._user(key.user, key_id))

    def _user(self, name: str, key_id: str) -> Caller:
        document = self._users.policy(name)
        policies = self._grants.policies_of(EntityKind.USER, name)
        policies = policies if document is None else (document, *policies)
        # A user that the command line made may do everything until it is given a policy.
        trusted = not policies and not self._entities.is_managed(name)
        arn = self._entities.get(EntityKind.USER, name).arn(self._account)
        return Caller(name, policies, trusted, key_id, arn)

    def _temporarily(self, key_id: str) -> KnownKey | None:
        key = self._temporary.get(key_id)
        if key is None:
            return None
        if not key.role.startswith(USER):
            return self._of_role(key)
        name = key.role.removeprefix(USER)
        if self._entities.find(EntityKind.USER, name) is None:  # removed meanwhile
            return None
        return KnownKey(key.secret, self._user(name, key_id), key.token, key.ends_ms)

    def _of_role(self, key: TemporaryKey) -> KnownKey:
        arn = f"arn:aws:sts::{self._account}:assumed-role/{key.role}/{key.session}"
        role = self._entities.find(EntityKind.ROLE, key.role)
        policies = self._grants.policies_of(EntityKind.ROLE, key.role) if role is not None else ()
        # On a server that checks no keys any role can be assumed; an unknown one limits nothing.
        trusted = role is None and not self.enforced
        caller = Caller(f"{key.role}/{key.session}", policies, trusted, key.key_id, arn, key.policy)
        return KnownKey(key.secret, caller, key.token, key.ends_ms)


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
