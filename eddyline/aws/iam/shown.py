"""What IAM's operations share: entities as their answers show them, pages of lists, refusals."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any, TypeVar
from urllib.parse import quote

from eddyline.auth.entities import Entity, EntityKind
from eddyline.auth.grants import ManagedPolicy
from eddyline.aws.call import Answer, Call
from eddyline.aws.errors import AwsError
from eddyline.aws.identity import IdentityContext
from eddyline.aws.instant import Instant

T = TypeVar("T")
Document = dict[str, Any]
ITEMS = 100
# The words for a kind in the names of members.
WORDS = {EntityKind.USER: "User", EntityKind.ROLE: "Role", EntityKind.GROUP: "Group"}


def named(kind: EntityKind, request: Any) -> str:
    """The entity that a request names."""
    return str(getattr(request, f"{WORDS[kind]}Name"))


def user_named(context: IdentityContext, call: Call) -> str:
    """The user that a request names, or the caller.

    Raises:
        AwsError: ``ValidationException`` for a caller that is no user.
    """
    if call.request.UserName is not None:
        return str(call.request.UserName)
    user = context.user_of(call.caller)
    if user is None:
        message = "Must specify userName when calling with non-User credentials"
        raise AwsError("ValidationException", message)
    return user.name


def shown(context: IdentityContext, entity: Entity, *, tags: bool = True) -> Document:
    """A user, role or group."""
    word = WORDS[entity.kind]
    members: Document = {
        "Path": entity.path,
        f"{word}Name": entity.name,
        f"{word}Id": entity.id,
        "Arn": entity.arn(context.settings.account_id),
        "CreateDate": Instant(entity.created_ms),
    }
    if entity.kind is EntityKind.ROLE:
        members["AssumeRolePolicyDocument"] = encoded(entity.trust or "")
        members["MaxSessionDuration"] = entity.session_s
        if entity.description is not None:
            members["Description"] = entity.description
    if tags and entity.tags:
        members["Tags"] = tag_list(entity.tags)
    return members


def shown_policy(context: IdentityContext, policy: ManagedPolicy) -> Document:
    """A managed policy."""
    members: Document = {
        "PolicyName": policy.name,
        "PolicyId": policy.id,
        "Arn": policy.arn,
        "Path": policy.path,
        "DefaultVersionId": f"v{policy.default_version}",
        "AttachmentCount": len(context.grants.attachments(policy.arn)),
        "PermissionsBoundaryUsageCount": 0,
        "IsAttachable": True,
        "CreateDate": Instant(policy.created_ms),
        "UpdateDate": Instant(policy.updated_ms),
    }
    if policy.description:
        members["Description"] = policy.description
    if policy.tags:
        members["Tags"] = tag_list(policy.tags)
    return members


def encoded(document: str) -> str:
    """A document as IAM answers with it: percent-encoded."""
    return quote(document, safe="")


def tag_list(tags: dict[str, str]) -> list[Document]:
    """Tags as a list of pairs."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def tags_of(request: Any) -> dict[str, str]:
    """The tags of a request."""
    return {tag.Key: tag.Value for tag in request.Tags or []}


def page(name: str, items: Sequence[T], request: Any, show: Any = lambda item: item) -> Answer:
    """One page of a list, under its name.

    Raises:
        AwsError: ``ValidationException`` for a marker that is not ours.
    """
    start = 0
    if request.Marker is not None:
        try:
            start = int(base64.urlsafe_b64decode(request.Marker.encode()))
        except ValueError:
            message = "Invalid Marker."
            raise AwsError("ValidationException", message) from None
    end = start + (request.MaxItems or ITEMS)
    answer: Document = {name: [show(item) for item in items[start:end]]}
    answer["IsTruncated"] = end < len(items)
    if end < len(items):
        answer["Marker"] = base64.urlsafe_b64encode(str(end).encode()).decode()
    return answer


def refuse_boundary(request: Any) -> None:
    """Refuse a permissions boundary, which would not be enforced."""
    if request.PermissionsBoundary is not None:
        message = "Permissions boundaries are not enforced here; put the limits into the policies."
        raise AwsError("UnsupportedOperationException", message)
