"""A stream behind any Kinesis endpoint: PutRecords by both limits, refused records once more.

Only records the answer names as stored count as accepted. A request without an answer may have
been stored or not; it is repeated (at least once) unless retries are switched off, and then
counted as failed (at most once). Records the endpoint refused by name are stored nowhere, so
they are repeated either way.
"""

from __future__ import annotations

import ipaddress
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from eddyline.clock import SYSTEM, Clock
from eddyline.errors import EddylineError
from eddyline.generator.counters import SendResult

REQUEST_RECORDS_MAX = 500
REQUEST_BYTES_MAX = 10 * 1024 * 1024
# Requests at once to an endpoint that is not on this machine.
LANES = 4
ATTEMPTS_MAX = 10
BACKOFF_FIRST_S = 0.05
BACKOFF_MAX_S = 5.0
REGION = "us-east-1"

# Answers that no repetition mends, and the error they become.
FATAL_ANSWERS = {
    "ResourceNotFoundException": "not_found",
    "AccessDeniedException": "access_denied",
    "UnrecognizedClientException": "access_denied",
    "InvalidSignatureException": "access_denied",
    "ExpiredTokenException": "access_denied",
    "MissingAuthenticationTokenException": "access_denied",
    "IncompleteSignatureException": "access_denied",
    "ValidationException": "invalid_argument",
    "InvalidArgumentException": "invalid_argument",
    "SerializationException": "invalid_argument",
    "KMSAccessDeniedException": "access_denied",
}


@dataclass(frozen=True, slots=True)
class PutOutcome:
    """One request's outcome: positions still to be sent, why, and whether they may be repeated."""

    refused: list[int]
    error: str | None = None
    repeatable: bool = True


class KinesisStream:
    """A target for AWS or any endpoint that speaks its protocol.

    A large batch goes to a distant endpoint in several requests at once, parted by key, so that the
    records of one key stay in order; to one on this machine, which answers at once, in its order.
    """

    def __init__(
        self,
        name: str,
        endpoint: str | None = None,
        region: str | None = None,
        *,
        retries: bool = True,
        clock: Clock = SYSTEM,
        lanes: int | None = None,
    ) -> None:
        self._name = name
        self._lanes = lanes or (1 if is_loopback(endpoint) else LANES)
        self._pool = ThreadPoolExecutor(self._lanes, "kinesis")
        self._retries = retries
        self._clock = clock
        self._client = connect(endpoint, region)

    def send(self, keys: Any, data: Any, stop: threading.Event) -> SendResult:
        if self._lanes == 1 or len(data) <= REQUEST_RECORDS_MAX:
            return self._in_turn(keys, data, stop)
        sent = [
            self._pool.submit(self._in_turn, keys.take(rows), data.take(rows), stop)
            for rows in by_key(keys, self._lanes)
        ]
        wait(sent)
        results = [lane.result() for lane in sent]
        return SendResult(
            sum(r.accepted for r in results),
            sum(r.failed for r in results),
            next((r.error for r in results if r.error), None),
            sum(r.retried for r in results),
        )

    def close(self) -> None:
        self._pool.shutdown()
        self._client.close()

    def _in_turn(self, keys: Any, data: Any, stop: threading.Event) -> SendResult:
        """Send one request after the other."""
        entries = [
            {"Data": record, "PartitionKey": key}
            for record, key in zip(data.to_pylist(), keys.to_pylist(), strict=True)
        ]
        accepted = failed = retried = 0
        error: str | None = None
        for start, end in requests(keys, data):
            result = self._request(entries[start:end], stop)
            accepted += result.accepted
            failed += result.failed
            retried += result.retried
            error = result.error or error
        return SendResult(accepted, failed, error, retried)

    def _request(self, entries: list[dict[str, Any]], stop: threading.Event) -> SendResult:
        """Send one request's entries until all are stored or given up."""
        total, retried = len(entries), 0
        error: str | None = None
        for attempt in range(ATTEMPTS_MAX):
            answer = self._put(entries)
            error = answer.error or error
            entries = [entries[i] for i in answer.refused]
            if not entries or not answer.repeatable:
                break
            pause = min(BACKOFF_FIRST_S * 2**attempt, BACKOFF_MAX_S)
            if attempt + 1 == ATTEMPTS_MAX or self._clock.wait(stop, pause):
                break
            retried += len(entries)
        return SendResult(total - len(entries), len(entries), error, retried)

    def _put(self, entries: list[dict[str, Any]]) -> PutOutcome:
        from botocore.exceptions import BotoCoreError, ClientError

        everything = list(range(len(entries)))
        try:
            out = self._client.put_records(StreamName=self._name, Records=entries)
        except ClientError as error:
            return PutOutcome(everything, self._refusal(error))
        except BotoCoreError as error:
            if never_sent(error):
                return PutOutcome(everything, str(error))
            return PutOutcome(everything, f"no answer: {error}", self._retries)
        refused = [i for i, r in enumerate(out["Records"]) if r.get("ErrorCode")]
        if not refused:
            return PutOutcome([])
        first = out["Records"][refused[0]]
        return PutOutcome(refused, f"{first['ErrorCode']}: {first.get('ErrorMessage', '')}")

    def _refusal(self, error: Any) -> str:
        """The text of an error answer; raises if no repetition would mend it."""
        code = error.response["Error"].get("Code", "")
        text = f"{code}: {error.response['Error'].get('Message', '')}"
        if code not in FATAL_ANSWERS:
            return text
        hint = None
        if FATAL_ANSWERS[code] == "not_found":
            hint = f"create it first: aws kinesis create-stream --stream-name {self._name}"
        raise EddylineError(FATAL_ANSWERS[code], f"the endpoint answered {text}", hint=hint)


def by_key(keys: Any, lanes: int) -> Iterator[Any]:
    """The rows of each lane; the rows of one key are all in one, in their order."""
    places = keys.dictionary_encode().indices.to_numpy() % lanes
    for lane in range(lanes):
        rows = np.flatnonzero(places == lane)
        if len(rows):
            yield rows


def requests(keys: Any, data: Any) -> Iterator[tuple[int, int]]:
    """Cut a batch into requests within both limits: positions from, to."""
    import pyarrow.compute as pc

    sizes = pc.add(pc.binary_length(data), pc.binary_length(keys)).to_numpy(zero_copy_only=False)
    ends = np.cumsum(sizes, dtype=np.int64)
    start = 0
    while start < len(data):
        before = ends[start - 1] if start else 0
        by_bytes = int(np.searchsorted(ends, before + REQUEST_BYTES_MAX, side="right"))
        end = min(start + REQUEST_RECORDS_MAX, max(by_bytes, start + 1))
        yield start, end
        start = end


def never_sent(error: Exception) -> bool:
    """Whether the request cannot have reached the endpoint."""
    from botocore.exceptions import ConnectTimeoutError, EndpointConnectionError

    return isinstance(error, (EndpointConnectionError, ConnectTimeoutError))


def connect(endpoint: str | None, region: str | None) -> Any:
    """A Kinesis client without retries of its own, so that what is repeated is ours to decide.

    Raises:
        EddylineError: ``invalid_argument`` for an endpoint that is no address,
            ``access_denied`` where no credentials are found and the endpoint is not loopback.
    """
    import botocore.session
    from botocore.config import Config

    session = botocore.session.get_session()
    if session.get_credentials() is None:
        if not is_loopback(endpoint):
            hint = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run aws configure"
            raise EddylineError("access_denied", "no AWS credentials were found", hint=hint)
        session.set_credentials("eddyline", "eddyline")
    config = Config(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=30)
    where = region or session.get_config_variable("region") or REGION
    try:
        return session.create_client(
            "kinesis", region_name=where, endpoint_url=endpoint, config=config
        )
    except ValueError as error:
        hint = "write it like http://127.0.0.1:4567"
        raise EddylineError("invalid_argument", f"endpoint: {error}", hint=hint) from error


def is_loopback(endpoint: str | None) -> bool:
    """Whether an endpoint is on this machine."""
    host = urlsplit(endpoint or "").hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
