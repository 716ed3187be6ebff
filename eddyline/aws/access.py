"""Decides whether a caller may perform an operation: identity and resource policies together.

It is consulted before each operation of a caller that is not trusted. The service's context says
which resource a request names and which policy that resource has.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from eddyline.auth.policy import Effect, Policy, Request, allowed, parse
from eddyline.aws.errors import AwsError

if TYPE_CHECKING:
    from eddyline.aws.call import Call, Caller
    from eddyline.aws.context import ServiceContext


def check(context: ServiceContext, prefix: str, call: Call) -> None:
    """Refuse a call that the policies do not allow.

    prefix: of the service's actions in policies, such as ``kinesis``.

    Raises:
        AwsError: ``AccessDeniedException``.
    """
    if not call.caller.trusted:
        arn = context.resource_of(call.operation, call.request)
        check_action(context, call.caller, f"{prefix}:{call.operation}", arn)


def check_action(context: ServiceContext, caller: Caller, action: str, arn: str) -> None:
    """Refuse an action on a resource; ``iam:PassRole`` is checked beside an operation's own.

    Raises:
        AwsError: ``AccessDeniedException``.
    """
    if caller.trusted:
        return
    principal = principal_of(context, caller)
    values = _values(context, caller.user, principal)
    request = Request(principal, action, arn, values)
    policies = [_parsed(text, False) for text in caller.policies]
    resource_policy = _resource_policy(context, arn)
    if resource_policy is not None:
        policies.append(_parsed(resource_policy, True))
    effect = allowed(policies, request)
    if effect is Effect.ALLOW and caller.session_policy is not None:
        effect = _parsed(caller.session_policy, False).says(request)
    if effect is Effect.ALLOW:
        return
    why = (
        f"with an explicit deny for the {action} action"
        if effect is Effect.DENY
        else f"because no policy allows the {action} action"
    )
    message = f"User: {principal} is not authorized to perform: {action} on resource: {arn} {why}"
    raise AwsError("AccessDeniedException", message)


def principal_of(context: ServiceContext, caller: Caller) -> str:
    """The ARN of a caller."""
    return caller.arn or context.user_arn(caller.user)


def _resource_policy(context: ServiceContext, arn: str) -> str | None:
    if arn == "*":
        return None
    try:
        return context.policy_of(arn)
    except AwsError:  # it does not exist; the operation says so to callers who may know
        return None


def _values(context: ServiceContext, user: str, principal: str) -> dict[str, str]:
    settings = context.settings
    now = datetime.fromtimestamp(context.wall.now_ms() / 1000, UTC)
    return {
        "aws:username": user,
        "aws:PrincipalArn": principal,
        "aws:PrincipalAccount": settings.account_id,
        "aws:ResourceAccount": settings.account_id,
        "aws:RequestedRegion": settings.region,
        "aws:CurrentTime": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "aws:EpochTime": str(int(now.timestamp())),
        "aws:SecureTransport": str(settings.tls).lower(),
    }


@lru_cache(256)
def _parsed(text: str, resource_based: bool) -> Policy:
    return parse(text, resource_based=resource_based)
