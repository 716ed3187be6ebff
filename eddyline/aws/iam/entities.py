"""Users, roles and groups: created, read, listed, changed, tagged, deleted."""

from __future__ import annotations

from collections.abc import Callable

from eddyline.auth.entities import SESSION_S, EntityKind
from eddyline.aws.call import Answer, Call
from eddyline.aws.errors import AwsError
from eddyline.aws.iam.shown import (
    WORDS,
    named,
    page,
    refuse_boundary,
    shown,
    tag_list,
    tags_of,
    user_named,
)
from eddyline.aws.identity import IdentityContext

Handler = Callable[[IdentityContext, Call], Answer]


def create_user(context: IdentityContext, call: Call) -> Answer:
    """A user; it may do nothing until a policy allows it, and signs in once it has a password."""
    request = call.request
    refuse_boundary(request)
    user = context.entities.create(
        EntityKind.USER, request.UserName, request.Path or "/", tags=tags_of(request)
    )
    return {"User": shown(context, user)}


def create_group(context: IdentityContext, call: Call) -> Answer:
    request = call.request
    group = context.entities.create(EntityKind.GROUP, request.GroupName, request.Path or "/")
    return {"Group": shown(context, group)}


def create_role(context: IdentityContext, call: Call) -> Answer:
    request = call.request
    refuse_boundary(request)
    role = context.entities.create(
        EntityKind.ROLE,
        request.RoleName,
        request.Path or "/",
        trust=request.AssumeRolePolicyDocument,
        description=request.Description,
        session_s=request.MaxSessionDuration or SESSION_S,
        tags=tags_of(request),
    )
    return {"Role": shown(context, role)}


def get_user(context: IdentityContext, call: Call) -> Answer:
    """A user; without a name the caller, which may be the account itself."""
    if call.request.UserName is None and context.user_of(call.caller) is None:
        account = context.settings.account_id
        return {"User": {"UserId": account, "Arn": f"arn:aws:iam::{account}:root"}}
    user = context.entities.get(EntityKind.USER, user_named(context, call))
    return {"User": shown(context, user)}


def get_role(context: IdentityContext, call: Call) -> Answer:
    role = context.entities.get(EntityKind.ROLE, call.request.RoleName)
    return {"Role": {**shown(context, role), "RoleLastUsed": {}}}


def get_group(context: IdentityContext, call: Call) -> Answer:
    group = context.entities.get(EntityKind.GROUP, call.request.GroupName)
    members = context.entities.members(group.name)
    users = page("Users", members, call.request, lambda u: shown(context, u, tags=False))
    assert isinstance(users, dict)
    return {"Group": shown(context, group), **users}


def _lists(kind: EntityKind) -> Handler:
    def list_entities(context: IdentityContext, call: Call) -> Answer:
        rows = context.entities.all(kind, call.request.PathPrefix or "/")
        show = lambda entity: shown(context, entity, tags=False)  # noqa: E731
        return page(f"{WORDS[kind]}s", rows, call.request, show)

    return list_entities


def _deletes(kind: EntityKind) -> Handler:
    def delete_entity(context: IdentityContext, call: Call) -> Answer:
        name = named(kind, call.request)
        if kind is EntityKind.USER and context.users.has_password(name):
            message = "Cannot delete entity, must delete login profile first."
            raise AwsError("DeleteConflictException", message)
        context.entities.delete(kind, name)
        return {}

    return delete_entity


def _renames(kind: EntityKind) -> Handler:
    def update_entity(context: IdentityContext, call: Call) -> Answer:
        request = call.request
        new_name = getattr(request, f"New{WORDS[kind]}Name")
        context.entities.rename(kind, named(kind, request), new_name, request.NewPath)
        return {}

    return update_entity


def update_role(context: IdentityContext, call: Call) -> Answer:
    request = call.request
    context.entities.update(
        EntityKind.ROLE,
        request.RoleName,
        description=request.Description,
        session_s=request.MaxSessionDuration,
    )
    return {}


def update_role_description(context: IdentityContext, call: Call) -> Answer:
    request = call.request
    role = context.entities.update(
        EntityKind.ROLE, request.RoleName, description=request.Description
    )
    return {"Role": shown(context, role)}


def update_assume_role_policy(context: IdentityContext, call: Call) -> Answer:
    request = call.request
    context.entities.update(EntityKind.ROLE, request.RoleName, trust=request.PolicyDocument)
    return {}


# tags


def _tags(kind: EntityKind) -> Handler:
    def tag_entity(context: IdentityContext, call: Call) -> Answer:
        context.entities.change_tags(kind, named(kind, call.request), tags_of(call.request), [])
        return {}

    return tag_entity


def _untags(kind: EntityKind) -> Handler:
    def untag_entity(context: IdentityContext, call: Call) -> Answer:
        context.entities.change_tags(kind, named(kind, call.request), {}, call.request.TagKeys)
        return {}

    return untag_entity


def _lists_tags(kind: EntityKind) -> Handler:
    def list_tags(context: IdentityContext, call: Call) -> Answer:
        entity = context.entities.get(kind, named(kind, call.request))
        return page("Tags", tag_list(entity.tags), call.request)

    return list_tags


# groups


def add_user_to_group(context: IdentityContext, call: Call) -> Answer:
    context.entities.join(call.request.GroupName, call.request.UserName)
    return {}


def remove_user_from_group(context: IdentityContext, call: Call) -> Answer:
    context.entities.leave(call.request.GroupName, call.request.UserName)
    return {}


def list_groups_for_user(context: IdentityContext, call: Call) -> Answer:
    groups = context.entities.groups_of(call.request.UserName)
    return page("Groups", groups, call.request, lambda g: shown(context, g))


# the account


def get_account_summary(context: IdentityContext, call: Call) -> Answer:
    """How many there are of each."""
    entities = context.entities
    counts = {f"{WORDS[kind]}s": len(entities.all(kind)) for kind in EntityKind}
    counts |= {"Policies": len(context.grants.all("Local")), "AccountMFAEnabled": 0}
    return {"SummaryMap": counts}


def list_account_aliases(context: IdentityContext, call: Call) -> Answer:
    """There are none."""
    return page("AccountAliases", [], call.request)


def list_instance_profiles_for_role(context: IdentityContext, call: Call) -> Answer:
    """None: there are no instances. Terraform asks before it deletes a role."""
    context.entities.get(EntityKind.ROLE, call.request.RoleName)
    return page("InstanceProfiles", [], call.request)


OPERATIONS: dict[str, Handler] = {
    "AddUserToGroup": add_user_to_group,
    "CreateGroup": create_group,
    "CreateRole": create_role,
    "CreateUser": create_user,
    "DeleteGroup": _deletes(EntityKind.GROUP),
    "DeleteRole": _deletes(EntityKind.ROLE),
    "DeleteUser": _deletes(EntityKind.USER),
    "GetAccountSummary": get_account_summary,
    "GetGroup": get_group,
    "GetRole": get_role,
    "GetUser": get_user,
    "ListAccountAliases": list_account_aliases,
    "ListGroups": _lists(EntityKind.GROUP),
    "ListGroupsForUser": list_groups_for_user,
    "ListInstanceProfilesForRole": list_instance_profiles_for_role,
    "ListRoleTags": _lists_tags(EntityKind.ROLE),
    "ListRoles": _lists(EntityKind.ROLE),
    "ListUserTags": _lists_tags(EntityKind.USER),
    "ListUsers": _lists(EntityKind.USER),
    "RemoveUserFromGroup": remove_user_from_group,
    "TagRole": _tags(EntityKind.ROLE),
    "TagUser": _tags(EntityKind.USER),
    "UntagRole": _untags(EntityKind.ROLE),
    "UntagUser": _untags(EntityKind.USER),
    "UpdateAssumeRolePolicy": update_assume_role_policy,
    "UpdateGroup": _renames(EntityKind.GROUP),
    "UpdateRole": update_role,
    "UpdateRoleDescription": update_role_description,
    "UpdateUser": _renames(EntityKind.USER),
}
