"""Errors as AWS names them, and the table that leads from our codes to AWS's names.

The endpoint answers only with rows of ``NAMES``. Any other exception is a fault of Eddyline and
becomes ``InternalFailureException`` with a sentence, never a traceback. Names are those of the JSON
protocols; the query protocol has its own for some of them (``query.py``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from eddyline.errors import EddylineError

# name -> HTTP status
NAMES: dict[str, int] = {
    "AccessDeniedException": 400,
    "AlreadyExistsException": 400,
    "CodeValidationException": 400,
    "ConcurrentModificationException": 400,
    "DeleteConflictException": 409,
    "DryRunOperationException": 400,
    "EntityAlreadyExistsException": 409,
    "EntityNotFoundException": 400,
    "ExpiredIteratorException": 400,
    "ExpiredNextTokenException": 400,
    "ExpiredTokenException": 400,
    "IncompleteSignatureException": 400,
    "InternalFailureException": 500,
    "InvalidApplicationConfigurationException": 400,
    "InvalidArgumentException": 400,
    "InvalidInputException": 400,
    "InvalidRequestException": 400,
    "InvalidSignatureException": 400,
    "KMSAccessDeniedException": 400,
    "KMSDisabledException": 400,
    "KMSInvalidStateException": 400,
    "KMSNotFoundException": 400,
    "KMSOptInRequired": 400,
    "KMSThrottlingException": 400,
    "LimitExceededException": 400,
    "MalformedPolicyDocumentException": 400,
    "MissingAuthenticationTokenException": 400,
    "NoSuchEntityException": 404,
    "PolicyNotAttachableException": 400,
    "ProvisionedThroughputExceededException": 400,
    "RequestEntityTooLargeException": 413,
    "RequestTimeoutException": 408,
    "ResourceInUseException": 400,
    "ResourceNotFoundException": 400,
    "SerializationException": 400,
    "ServiceUnavailable": 503,
    "ThrottlingException": 400,
    "TooManyTagsException": 400,
    "UnableToDetectSchemaException": 400,
    "UnknownOperationException": 400,
    "UnrecognizedClientException": 400,
    "UnsupportedMediaTypeException": 415,
    "UnsupportedOperationException": 501,
    "ValidationException": 400,
    "VersionMismatchException": 400,
}

# our code -> their name
OURS: dict[str, str] = {
    "access_denied": "AccessDeniedException",
    "already_exists": "ResourceInUseException",
    "conflict": "ResourceInUseException",
    "invalid_argument": "InvalidArgumentException",
    "limit_exceeded": "LimitExceededException",
    "malformed_policy": "MalformedPolicyDocumentException",
    "not_found": "ResourceNotFoundException",
}
FAULT = "InternalFailureException"


class AwsError(Exception):
    """A refusal in AWS's words: ``name`` is a key of ``NAMES``; ``members`` are further ones."""

    def __init__(self, name: str, message: str, members: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.name = name
        self.message = message
        self.status = NAMES[name]
        self.members = members or {}


def stream_not_found(name: str, account: str) -> AwsError:
    """There is no such stream."""
    words = f"Stream {name} under account {account} not found."
    return AwsError("ResourceNotFoundException", words)


def as_aws(error: EddylineError, names: Mapping[str, str] = OURS) -> AwsError:
    """Our error under AWS's name. A full disk, damage and our own faults keep their sentence.

    names: of a service that names some errors differently.
    """
    message = f"{error.message} ({error.hint})" if error.hint else error.message
    return AwsError(names.get(error.code) or OURS.get(error.code, FAULT), message)
