"""Signatures made by botocore's own signer are accepted, and nothing else is."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from eddyline.auth.sigv4 import SKEW_MS, HttpRequest, Refused, read, verify

KEY, SECRET = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
CREDENTIALS = Credentials(KEY, SECRET)


def now_ms() -> int:
    return int(datetime.now(UTC).timestamp() * 1000)


def signed(
    signer: Any, body: bytes = b'{"a": 1}', url: str = "http://127.0.0.1:4567/"
) -> HttpRequest:
    request = AWSRequest("POST", url, {"X-Amz-Target": "Kinesis_20131202.X"}, body)
    request.headers["Content-Type"] = "application/x-amz-json-1.1"
    signer.add_auth(request)
    parts = urlsplit(request.url)
    headers = [(k.lower(), v) for k, v in request.headers.items()]
    headers.append(("host", parts.netloc))
    # For a pre-signed URL botocore moves the members of the body into the query.
    return HttpRequest("POST", parts.path, parts.query, headers, request.data or b"")


def by_header(**more: Any) -> HttpRequest:
    return signed(SigV4Auth(CREDENTIALS, "kinesis", "us-east-1"), **more)


def pre_signed(expires: int = 60) -> HttpRequest:
    return signed(SigV4QueryAuth(CREDENTIALS, "kinesis", "us-east-1", expires=expires))


def refusal(request: HttpRequest, secret: str = SECRET, at: int | None = None) -> tuple[str, str]:
    with pytest.raises(Refused) as caught:
        verify(request, read(request), secret, now_ms() if at is None else at)
    return caught.value.name, caught.value.message


def changed(request: HttpRequest, name: str, value: str) -> HttpRequest:
    return replace(request, headers=[(k, value if k == name else v) for k, v in request.headers])


def test_botocores_signature_is_accepted() -> None:
    request = by_header()
    given = read(request)
    assert (given.key_id, given.region, given.service) == (KEY, "us-east-1", "kinesis")
    verify(request, given, SECRET, now_ms())
    url = "http://127.0.0.1:4567/?b=2&a=%20x%2Fy&c"
    verify(by_header(url=url), read(by_header(url=url)), SECRET, now_ms())


def test_a_pre_signed_url_is_accepted_for_as_long_as_it_says() -> None:
    request = pre_signed(60)
    verify(request, read(request), SECRET, now_ms())
    verify(request, read(request), SECRET, now_ms() + 58_000)
    name, words = refusal(request, at=now_ms() + 62_000)
    assert name == "InvalidSignatureException"
    assert words.startswith("Signature expired: ")
    week = pre_signed(604_801)
    with pytest.raises(Refused, match="up to 604800"):
        read(week)


@pytest.mark.parametrize("make", [by_header, pre_signed])
def test_whatever_is_changed_is_noticed(make: Any) -> None:
    request = make()
    wrong = "InvalidSignatureException"
    for other in (
        replace(request, path="/other"),
        replace(request, method="PUT"),
        replace(request, query=request.query + "&x=1"),
        changed(request, "x-amz-target", "Kinesis_20131202.DeleteStream"),
        changed(request, "host", "elsewhere"),
    ):
        assert refusal(other)[0] == wrong
    assert refusal(request, secret=SECRET + "x")[0] == wrong


def test_the_body_is_signed() -> None:
    name, words = refusal(replace(by_header(), body=b'{"a": 2}'))
    assert name == "InvalidSignatureException"
    assert "does not match the signature you provided" in words


def test_a_header_that_is_not_signed_is_noticed() -> None:
    request = by_header()
    without = replace(request, headers=[p for p in request.headers if p[0] != "x-amz-target"])
    text = dict(without.headers)["authorization"].replace("x-amz-target", "")
    added = changed(request, "authorization", text.replace(";;", ";").replace(";,", ","))
    assert refusal(added)[0] == "InvalidSignatureException"


def test_the_clock_window_is_five_minutes() -> None:
    request = by_header()
    verify(request, read(request), SECRET, now_ms() + SKEW_MS - 2000)
    verify(request, read(request), SECRET, now_ms() - SKEW_MS + 2000)
    name, late = refusal(request, at=now_ms() + SKEW_MS + 2000)
    assert name == "InvalidSignatureException"
    assert late.startswith("Signature expired: ")
    assert "is now earlier than" in late
    name, early = refusal(request, at=now_ms() - SKEW_MS - 2000)
    assert name == "InvalidSignatureException"
    assert early.startswith("Signature not yet current: ")


def test_another_days_scope_is_refused() -> None:
    request = by_header()
    day = datetime.now(UTC)
    other = (day - timedelta(days=1)).strftime("/%Y%m%d/")
    text = dict(request.headers)["authorization"].replace(day.strftime("/%Y%m%d/"), other)
    assert refusal(changed(request, "authorization", text))[0] == "InvalidSignatureException"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("AWS4-HMAC-SHA256", "IncompleteSignatureException"),
        ("AWS4-HMAC-SHA256 Credential=x, SignedHeaders=host", "IncompleteSignatureException"),
        (
            "AWS4-HMAC-SHA256 Credential=x, SignedHeaders=host, Signature=0",
            "IncompleteSignatureException",
        ),
        ("Basic eDp5", "IncompleteSignatureException"),
        ("", "IncompleteSignatureException"),
    ],
)
def test_a_malformed_header_is_told(text: str, name: str) -> None:
    with pytest.raises(Refused) as caught:
        read(changed(by_header(), "authorization", text))
    assert caught.value.name == name


def test_no_signature_at_all() -> None:
    with pytest.raises(Refused) as caught:
        read(HttpRequest("POST", "/", "", [("host", "h")], b""))
    assert caught.value.name == "MissingAuthenticationTokenException"
