"""AWS Signature Version 4, verified: in the headers or in the query of a pre-signed URL.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html

A signature is good for five minutes around its date, a pre-signed one for as long as it says, at
most a week. Within that time the same request may come again, as an SDK's own retries do.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from urllib.parse import quote, unquote

SKEW_MS = 300_000
PRESIGNED_S_MAX = 604_800
ALGORITHM = "AWS4-HMAC-SHA256"
UNSIGNED = "UNSIGNED-PAYLOAD"
_CREDENTIAL = re.compile(r"([^/]{1,128})/(\d{8})/([^/]{1,64})/([^/]{1,64})/aws4_request\Z")
_PART = re.compile(r"\s*(Credential|SignedHeaders|Signature)=([^,]*)\s*(?:,|\Z)")
_DATE = "%Y%m%dT%H%M%SZ"


class Refused(Exception):
    """Why a signature is not accepted: an AWS error's name and its sentence."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name = name
        self.message = message


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """The request as it came: raw path and query, headers in order, names lower-case."""

    method: str
    path: str
    query: str
    headers: Sequence[tuple[str, str]]
    body: bytes


@dataclass(frozen=True, slots=True)
class Signature:
    """What a request says of its signer."""

    key_id: str
    day: str
    region: str
    service: str
    signed_headers: tuple[str, ...]
    signature: str
    date: str
    expires_s: int | None = None  # of a pre-signed URL
    query: tuple[tuple[str, str], ...] = field(default=())


def read(request: HttpRequest) -> Signature:
    """The signature of a request, well-formed but not yet verified.

    Raises:
        Refused: ``MissingAuthenticationTokenException``, ``IncompleteSignatureException``.
    """
    authorization = _header(request, "authorization")
    if authorization is not None:
        return _from_header(request, authorization)
    query = _query(request.query)
    named = dict(query)
    if "X-Amz-Algorithm" in named or "X-Amz-Signature" in named:
        return _from_query(query, named)
    raise Refused("MissingAuthenticationTokenException", "Missing Authentication Token")


def _from_header(request: HttpRequest, text: str) -> Signature:
    algorithm, _, rest = text.strip().partition(" ")
    parts = dict(_PART.findall(rest))
    lacking = [p for p in ("Credential", "Signature", "SignedHeaders") if not parts.get(p)]
    date = _header(request, "x-amz-date") or _header(request, "date") or ""
    if algorithm != ALGORITHM or lacking or not date:
        messages = [f"Authorization header requires '{p}' parameter." for p in lacking]
        if algorithm != ALGORITHM:
            messages.insert(0, f"Authorization header requires the algorithm {ALGORITHM}.")
        if not date:
            messages.append("Authorization header requires existence of a 'X-Amz-Date' header.")
        raise Refused("IncompleteSignatureException", " ".join(messages))
    signed = tuple(parts["SignedHeaders"].lower().split(";"))
    return Signature(*_scope(parts["Credential"]), signed, parts["Signature"], date)


def _from_query(query: list[tuple[str, str]], named: dict[str, str]) -> Signature:
    required = ("Algorithm", "Credential", "Signature", "SignedHeaders", "Date", "Expires")
    lacking = [p for p in required if not named.get(f"X-Amz-{p}")]
    if lacking or named["X-Amz-Algorithm"] != ALGORITHM:
        messages = [f"AWS query-string parameters must include 'X-Amz-{p}'." for p in lacking]
        raise Refused("IncompleteSignatureException", " ".join(messages) or "Unknown algorithm.")
    expires = named["X-Amz-Expires"]
    if not expires.isascii() or not expires.isdigit() or int(expires) > PRESIGNED_S_MAX:
        words = f"X-Amz-Expires must be a number of seconds up to {PRESIGNED_S_MAX}."
        raise Refused("IncompleteSignatureException", words)
    return Signature(
        *_scope(named["X-Amz-Credential"]),
        tuple(named["X-Amz-SignedHeaders"].lower().split(";")),
        named["X-Amz-Signature"],
        named["X-Amz-Date"],
        int(expires),
        tuple(p for p in query if p[0] != "X-Amz-Signature"),
    )


def _scope(credential: str) -> tuple[str, str, str, str]:
    match = _CREDENTIAL.match(credential)
    if match is None:
        words = (
            f"Credential {credential[:200]!r} must have the form "
            "ACCESS_KEY/YYYYMMDD/REGION/SERVICE/aws4_request."
        )
        raise Refused("IncompleteSignatureException", words)
    key_id, day, region, service = match.groups()
    return key_id, day, region, service


def verify(request: HttpRequest, given: Signature, secret: str, now_ms: int) -> None:
    """See that the owner of ``secret`` signed this request, and not long ago.

    Raises:
        Refused: ``InvalidSignatureException``.
    """
    _check_time(given, now_ms)
    must = {"host"} | {n for n, _ in request.headers if n in ("x-amz-target", "x-amz-date")}
    unsigned = must - set(given.signed_headers)
    if given.expires_s is not None:
        unsigned -= {"x-amz-date"}  # the query has the one that counts
    if unsigned:
        words = f"Host and x-amz- headers must be signed: {', '.join(sorted(unsigned))} is not."
        raise Refused("InvalidSignatureException", words)
    payloads = [sha256(request.body).hexdigest()]
    if given.expires_s is not None:
        # A pre-signed request's body is signed as empty or not at all, as its signer chose.
        payloads = [UNSIGNED, *payloads]
    for payload in payloads:
        if hmac.compare_digest(_signature(request, given, secret, payload), given.signature):
            return
    words = (
        "The request signature we calculated does not match the signature you provided. Check "
        "your AWS Secret Access Key and signing method. Consult the service documentation for "
        "details."
    )
    raise Refused("InvalidSignatureException", words)


def _check_time(given: Signature, now_ms: int) -> None:
    try:
        signed = datetime.strptime(given.date, _DATE).replace(tzinfo=UTC)
    except ValueError:
        words = "Date in the X-Amz-Date header must be in ISO8601 basic form: YYYYMMDDTHHMMSSZ."
        raise Refused("IncompleteSignatureException", words) from None
    if given.date[:8] != given.day:
        words = f"Date in Credential scope does not match YYYYMMDD of the date: {given.date}."
        raise Refused("InvalidSignatureException", words)
    signed_ms = int(signed.timestamp() * 1000)
    life_ms = SKEW_MS if given.expires_s is None else given.expires_s * 1000
    if now_ms > signed_ms + life_ms:
        words = (
            f"Signature expired: {given.date} is now earlier than "
            f"{_stamp(now_ms - life_ms)} ({_stamp(now_ms)} - {life_ms // 60_000} min.)"
        )
        raise Refused("InvalidSignatureException", words)
    if signed_ms > now_ms + SKEW_MS:
        words = (
            f"Signature not yet current: {given.date} is still later than "
            f"{_stamp(now_ms + SKEW_MS)} ({_stamp(now_ms)} + {SKEW_MS // 60_000} min.)"
        )
        raise Refused("InvalidSignatureException", words)


def _signature(request: HttpRequest, given: Signature, secret: str, payload: str) -> str:
    canonical = "\n".join(
        (
            request.method,
            quote(request.path or "/", safe="/-_.~%"),
            _canonical_query(request, given),
            *(f"{name}:{_trimmed(request, name)}" for name in given.signed_headers),
            "",
            ";".join(given.signed_headers),
            payload,
        )
    )
    scope = f"{given.day}/{given.region}/{given.service}/aws4_request"
    text = "\n".join((ALGORITHM, given.date, scope, sha256(canonical.encode()).hexdigest()))
    key = _key(secret, given.day, given.region, given.service)
    return hmac.new(key, text.encode(), sha256).hexdigest()


def _canonical_query(request: HttpRequest, given: Signature) -> str:
    pairs = given.query if given.expires_s is not None else _query(request.query)
    coded = sorted((quote(k, safe="-_.~"), quote(v, safe="-_.~")) for k, v in pairs)
    return "&".join(f"{k}={v}" for k, v in coded)


def _query(raw: str) -> list[tuple[str, str]]:
    pairs = (part.partition("=") for part in raw.split("&") if part)
    return [(unquote(k), unquote(v)) for k, _, v in pairs]


def _header(request: HttpRequest, name: str) -> str | None:
    return next((v for n, v in request.headers if n == name), None)


def _trimmed(request: HttpRequest, name: str) -> str:
    return ",".join(" ".join(v.split()) for n, v in request.headers if n == name)


@lru_cache(256)
def _key(secret: str, day: str, region: str, service: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in (day, region, service, "aws4_request"):
        key = hmac.new(key, part.encode(), sha256).digest()
    return key


def _stamp(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).strftime(_DATE)
