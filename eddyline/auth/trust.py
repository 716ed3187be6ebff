"""Trust policies of roles: who may assume a role. They name no resource, unlike other documents."""

from __future__ import annotations

import json
from typing import Any

from eddyline.auth.policy import Effect, Policy, Request, parse
from eddyline.errors import EddylineError


def check_trust(text: str) -> Policy:
    """The parsed document.

    Raises:
        EddylineError: ``malformed_policy``, saying what is wrong and where.
    """
    try:
        document: Any = json.loads(text)
        rows = document.get("Statement")
        rows = rows if isinstance(rows, list) else [rows]
        if any("Resource" in row or "NotResource" in row for row in rows):
            raise _malformed("Has prohibited field Resource")
        completed = {**document, "Statement": [{**row, "Resource": "*"} for row in rows]}
        return parse(json.dumps(completed), resource_based=True)
    except EddylineError as error:
        if error.code == "malformed_policy":
            raise
        raise _malformed(error.message) from None
    except (ValueError, AttributeError, TypeError):
        raise _malformed("This policy contains invalid Json") from None


def check_document(text: str) -> Policy:
    """An identity policy's parsed document. Raises ``malformed_policy``."""
    try:
        return parse(text)
    except EddylineError as error:
        raise _malformed(error.message) from None


def may_assume(trust: str, principal: str, service: str | None = None) -> bool:
    """Whether a role's trust policy lets a principal's ARN, or an AWS service, assume it."""
    policy = check_trust(trust)
    request = Request(service or principal, "sts:assumerole", "*")
    return policy.says(request) is Effect.ALLOW


def _malformed(why: str) -> EddylineError:
    return EddylineError("malformed_policy", why)  # in AWS's words, which have no hint
