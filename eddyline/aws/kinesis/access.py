"""May the caller do this? The user's IAM document and the resource's policy together say so.

Asked before each operation of a caller who is not trusted. The resource is what the request names:
a stream, consumer, queue or channel by ARN or name, an iterator's or page token's stream, or all.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from eddyline.auth.policy import Effect, Policy, Request, allowed, parse
from eddyline.aws.errors import AwsError
from eddyline.aws.kinesis import tokens
from eddyline.aws.kinesis.shards import stream_of_page

if TYPE_CHECKING:
    from eddyline.aws.call import Call
    from eddyline.aws.kinesis.home import Home

# Members that name the resource by ARN, the most particular first.
_ARNS = ("ConsumerARN", "QueueARN", "ChannelARN", "ResourceARN", "StreamARN")
_NAMES = (("StreamName", "stream"), ("QueueName", "queue"), ("ChannelName", "channel"))


def check(home: Home, call: Call) -> None:
    """Raise AwsError ``AccessDeniedException`` unless the caller may."""
    caller = call.caller
    if caller.trusted:
        return
    arn = resource(home, call.request)
    action = f"kinesis:{call.operation}"
    principal = home.names.user_arn(caller.user)
    request = Request(principal, action, arn, _context(home, caller.user, principal))
    policies = [_parsed(caller.policy, False)] if caller.policy is not None else []
    of_resource = _policy_of(home, arn)
    if of_resource is not None:
        policies.append(_parsed(of_resource, True))
    said = allowed(policies, request)
    if said is not Effect.ALLOW:
        why = (
            f"with an explicit deny for the {action} action"
            if said is Effect.DENY
            else f"because no policy allows the {action} action"
        )
        words = f"User: {principal} is not authorized to perform: {action} on resource: {arn} {why}"
        raise AwsError("AccessDeniedException", words)


def resource(home: Home, request: Any) -> str:
    """The ARN of what a request names; ``*`` if it names nothing."""
    for member in _ARNS:
        arn = getattr(request, member, None)
        if arn is not None:
            return home.names.local(arn)
    for member, kind in _NAMES:
        name = getattr(request, member, None)
        if name is not None:
            return home.names.arn(kind, name)
    if getattr(request, "ShardIterator", None) is not None:
        place = tokens.place_of(request.ShardIterator, home.clock, home.settings.iterator_s)
        return home.names.stream_arn(place.stream)
    if getattr(request, "NextToken", None) is not None and hasattr(request, "ShardFilter"):
        return home.names.stream_arn(stream_of_page(home, request.NextToken))
    return "*"


def _policy_of(home: Home, arn: str) -> str | None:
    if arn == "*":
        return None
    try:
        return home.policy(arn)
    except AwsError:  # there is no such thing; the operation will say so to who may know
        return None


def _context(home: Home, user: str, principal: str) -> dict[str, str]:
    now = datetime.fromtimestamp(home.wall.now_ms() / 1000, UTC)
    return {
        "aws:username": user,
        "aws:PrincipalArn": principal,
        "aws:PrincipalAccount": home.names.account,
        "aws:ResourceAccount": home.names.account,
        "aws:RequestedRegion": home.names.region,
        "aws:CurrentTime": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "aws:EpochTime": str(int(now.timestamp())),
        "aws:SecureTransport": str(home.settings.tls).lower(),
    }


@lru_cache(256)
def _parsed(text: str, resource_based: bool) -> Policy:
    return parse(text, resource_based=resource_based)
