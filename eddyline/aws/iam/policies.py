"""Policies: inline documents of users, roles and groups, and managed policies with versions."""

from __future__ import annotations

from collections.abc import Callable

from eddyline.auth.entities import EntityKind
from eddyline.auth.grants import PolicyVersion
from eddyline.aws.call import Answer, Call
from eddyline.aws.errors import AwsError
from eddyline.aws.iam.shown import (
    WORDS,
    Document,
    encoded,
    named,
    page,
    shown_policy,
    tag_list,
    tags_of,
)
from eddyline.aws.identity import IdentityContext
from eddyline.aws.instant import Instant

Handler = Callable[[IdentityContext, Call], Answer]


# inline, of one kind of owner


def _put(context: IdentityContext, call: Call, kind: EntityKind) -> Answer:
    request = call.request
    context.grants.put(kind, named(kind, request), request.PolicyName, request.PolicyDocument)
    return {}


def _get(context: IdentityContext, call: Call, kind: EntityKind) -> Answer:
    owner, name = named(kind, call.request), call.request.PolicyName
    documents = context.grants.inline(kind, owner)
    if name not in documents:
        message = f"The {kind} policy with name {name} cannot be found."
        raise AwsError("NoSuchEntityException", message)
    shown = {f"{WORDS[kind]}Name": context.entities.get(kind, owner).name, "PolicyName": name}
    return {**shown, "PolicyDocument": encoded(documents[name])}


def _remove(context: IdentityContext, call: Call, kind: EntityKind) -> Answer:
    context.grants.remove(kind, named(kind, call.request), call.request.PolicyName)
    return {}


def _list(context: IdentityContext, call: Call, kind: EntityKind) -> Answer:
    names = list(context.grants.inline(kind, named(kind, call.request)))
    return page("PolicyNames", names, call.request)


# attached to one kind of owner


def _attach(context: IdentityContext, call: Call, kind: EntityKind) -> Answer:
    context.grants.attach(kind, named(kind, call.request), call.request.PolicyArn)
    return {}


def _detach(context: IdentityContext, call: Call, kind: EntityKind) -> Answer:
    context.grants.detach(kind, named(kind, call.request), call.request.PolicyArn)
    return {}


def _list_attached(context: IdentityContext, call: Call, kind: EntityKind) -> Answer:
    prefix = call.request.PathPrefix or "/"
    policies = context.grants.attached(kind, named(kind, call.request))
    rows = [
        {"PolicyName": p.name, "PolicyArn": p.arn} for p in policies if p.path.startswith(prefix)
    ]
    return page("AttachedPolicies", rows, call.request)


def list_entities_for_policy(context: IdentityContext, call: Call) -> Answer:
    """Who has a policy; all of them on one page."""
    only = call.request.EntityFilter
    answer: Document = {f"Policy{word}s": [] for word in WORDS.values()}
    for kind, owner in context.grants.attachments(call.request.PolicyArn):
        if only in (None, WORDS[kind]):
            entity = context.entities.get(kind, owner)
            row = {f"{WORDS[kind]}Name": entity.name, f"{WORDS[kind]}Id": entity.id}
            answer[f"Policy{WORDS[kind]}s"].append(row)
    return {**answer, "IsTruncated": False}


# managed


def create_policy(context: IdentityContext, call: Call) -> Answer:
    request = call.request
    policy = context.grants.create(
        request.PolicyName,
        request.PolicyDocument,
        request.Path or "/",
        request.Description,
        tags_of(request),
    )
    return {"Policy": shown_policy(context, policy)}


def get_policy(context: IdentityContext, call: Call) -> Answer:
    return {"Policy": shown_policy(context, context.grants.get(call.request.PolicyArn))}


def delete_policy(context: IdentityContext, call: Call) -> Answer:
    context.grants.delete(call.request.PolicyArn)
    return {}


def list_policies(context: IdentityContext, call: Call) -> Answer:
    request = call.request
    policies = [
        policy
        for policy in context.grants.all(request.Scope or "All")
        if policy.path.startswith(request.PathPrefix or "/")
        and (not request.OnlyAttached or context.grants.attachments(policy.arn))
    ]
    return page("Policies", policies, request, lambda policy: shown_policy(context, policy))


def create_policy_version(context: IdentityContext, call: Call) -> Answer:
    request = call.request
    version = context.grants.add_version(
        request.PolicyArn, request.PolicyDocument, bool(request.SetAsDefault)
    )
    shown = _version(version)
    del shown["Document"]
    return {"PolicyVersion": shown}


def get_policy_version(context: IdentityContext, call: Call) -> Answer:
    version = context.grants.version(call.request.PolicyArn, _number(call))
    return {"PolicyVersion": _version(version)}


def list_policy_versions(context: IdentityContext, call: Call) -> Answer:
    versions = context.grants.versions(call.request.PolicyArn)
    return page("Versions", versions, call.request, _version)


def delete_policy_version(context: IdentityContext, call: Call) -> Answer:
    context.grants.delete_version(call.request.PolicyArn, _number(call))
    return {}


def set_default_policy_version(context: IdentityContext, call: Call) -> Answer:
    context.grants.set_default(call.request.PolicyArn, _number(call))
    return {}


def _number(call: Call) -> int:
    """The number of a version's id, ``v1`` and so on; the model has checked its form."""
    return int(str(call.request.VersionId)[1:].partition(".")[0])


def _version(version: PolicyVersion) -> Document:
    return {
        "Document": encoded(version.document),
        "VersionId": f"v{version.version}",
        "IsDefaultVersion": version.is_default,
        "CreateDate": Instant(version.created_ms),
    }


def tag_policy(context: IdentityContext, call: Call) -> Answer:
    context.grants.change_tags(call.request.PolicyArn, tags_of(call.request), [])
    return {}


def untag_policy(context: IdentityContext, call: Call) -> Answer:
    context.grants.change_tags(call.request.PolicyArn, {}, call.request.TagKeys)
    return {}


def list_policy_tags(context: IdentityContext, call: Call) -> Answer:
    tags = context.grants.get(call.request.PolicyArn).tags
    return page("Tags", tag_list(tags), call.request)


OPERATIONS: dict[str, Handler] = {
    "CreatePolicy": create_policy,
    "CreatePolicyVersion": create_policy_version,
    "DeletePolicy": delete_policy,
    "DeletePolicyVersion": delete_policy_version,
    "GetPolicy": get_policy,
    "GetPolicyVersion": get_policy_version,
    "ListEntitiesForPolicy": list_entities_for_policy,
    "ListPolicies": list_policies,
    "ListPolicyTags": list_policy_tags,
    "ListPolicyVersions": list_policy_versions,
    "SetDefaultPolicyVersion": set_default_policy_version,
    "TagPolicy": tag_policy,
    "UntagPolicy": untag_policy,
}
OwnerHandler = Callable[[IdentityContext, Call, EntityKind], Answer]


def _of(kind: EntityKind, handler: OwnerHandler) -> Handler:
    return lambda context, call: handler(context, call, kind)


# Operations of each kind of owner, by what their names have around User, Role or Group.
_OF_OWNERS: dict[tuple[str, str], OwnerHandler] = {
    ("Attach", "Policy"): _attach,
    ("Delete", "Policy"): _remove,
    ("Detach", "Policy"): _detach,
    ("Get", "Policy"): _get,
    ("List", "Policies"): _list,
    ("ListAttached", "Policies"): _list_attached,
    ("Put", "Policy"): _put,
}
OPERATIONS |= {
    f"{verb}{word}{noun}": _of(kind, handler)
    for kind, word in WORDS.items()
    for (verb, noun), handler in _OF_OWNERS.items()
}
