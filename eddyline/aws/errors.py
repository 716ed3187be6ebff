"""Errors as AWS names them, and the one table that leads ours to theirs.

A face answers only with rows of ``NAMES``; what else is raised is a fault of ours and becomes
``InternalFailureException`` with a sentence, never a traceback.
"""

from __future__ import annotations

from eddyline.errors import EddylineError

# name -> HTTP status
NAMES: dict[str, int] = {
    "AccessDeniedException": 400,
    "DryRunOperationException": 400,
    "ExpiredIteratorException": 400,
    "ExpiredNextTokenException": 400,
    "IncompleteSignatureException": 400,
    "InternalFailureException": 500,
    "InvalidArgumentException": 400,
    "InvalidSignatureException": 400,
    "KMSAccessDeniedException": 400,
    "KMSDisabledException": 400,
    "KMSInvalidStateException": 400,
    "KMSNotFoundException": 400,
    "KMSOptInRequired": 400,
    "KMSThrottlingException": 400,
    "LimitExceededException": 400,
    "MissingAuthenticationTokenException": 400,
    "ProvisionedThroughputExceededException": 400,
    "RequestEntityTooLargeException": 413,
    "RequestTimeoutException": 408,
    "ResourceInUseException": 400,
    "ResourceNotFoundException": 400,
    "SerializationException": 400,
    "ServiceUnavailable": 503,
    "ThrottlingException": 400,
    "UnknownOperationException": 400,
    "UnrecognizedClientException": 400,
    "UnsupportedMediaTypeException": 415,
    "UnsupportedOperationException": 501,
    "ValidationException": 400,
}

# our code -> their name
OURS: dict[str, str] = {
    "access_denied": "AccessDeniedException",
    "already_exists": "ResourceInUseException",
    "conflict": "ResourceInUseException",
    "invalid_argument": "InvalidArgumentException",
    "limit_exceeded": "LimitExceededException",
    "not_found": "ResourceNotFoundException",
}
FAULT = "InternalFailureException"


class AwsError(Exception):
    """A refusal in AWS's words: ``name`` is a key of ``NAMES``."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name = name
        self.message = message
        self.status = NAMES[name]


def as_aws(error: EddylineError) -> AwsError:
    """Our error under AWS's name. A full disk, damage and our own faults keep their sentence."""
    words = f"{error.message} ({error.hint})" if error.hint else error.message
    return AwsError(OURS.get(error.code, FAULT), words)
