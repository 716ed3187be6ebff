"""What users sign with: access keys for the endpoint, a password (login profile) for the studio."""

from __future__ import annotations

from eddyline.auth.entities import EntityKind
from eddyline.auth.users import AccessKey
from eddyline.aws.call import Answer, Call
from eddyline.aws.errors import AwsError
from eddyline.aws.iam.shown import Document, page, user_named
from eddyline.aws.identity import IdentityContext
from eddyline.aws.instant import Instant

# AWS's quota; the command line gives more.
KEYS_MAX = 2
STATUSES = {True: "Active", False: "Inactive"}


def create_access_key(context: IdentityContext, call: Call) -> Answer:
    name = _user(context, user_named(context, call))
    if len(context.users.access_keys(name)) >= KEYS_MAX:
        message = f"Cannot exceed quota for AccessKeysPerUser: {KEYS_MAX}"
        raise AwsError("LimitExceededException", message)
    key = context.users.add_key(name)
    return {"AccessKey": {**_shown(key), "SecretAccessKey": key.secret}}


def list_access_keys(context: IdentityContext, call: Call) -> Answer:
    name = _user(context, user_named(context, call))
    return page("AccessKeyMetadata", context.users.access_keys(name), call.request, _shown)


def update_access_key(context: IdentityContext, call: Call) -> Answer:
    key = _key(context, call)
    context.users.set_active(key.key_id, call.request.Status == STATUSES[True])
    return {}


def delete_access_key(context: IdentityContext, call: Call) -> Answer:
    context.users.remove_key(_key(context, call).key_id)
    return {}


def get_access_key_last_used(context: IdentityContext, call: Call) -> Answer:
    """Whose key it is; when it was used is not recorded."""
    key = context.users.key(call.request.AccessKeyId)
    if key is None:
        raise _no_key(call.request.AccessKeyId)
    never = {"ServiceName": "N/A", "Region": "N/A"}
    return {"UserName": key.user, "AccessKeyLastUsed": never}


def _user(context: IdentityContext, name: str) -> str:
    return context.entities.get(EntityKind.USER, name).name


def _key(context: IdentityContext, call: Call) -> AccessKey:
    """The key of the user that a request names. Raises AwsError ``NoSuchEntityException``."""
    name = _user(context, user_named(context, call))
    for key in context.users.access_keys(name):
        if key.key_id == call.request.AccessKeyId:
            return key
    raise _no_key(call.request.AccessKeyId)


def _no_key(key_id: str) -> AwsError:
    message = f"The Access Key with id {key_id} cannot be found."
    return AwsError("NoSuchEntityException", message)


def _shown(key: AccessKey) -> Document:
    return {
        "UserName": key.user,
        "AccessKeyId": key.key_id,
        "Status": STATUSES[key.active],
        "CreateDate": Instant(key.created_ms),
    }


# passwords


def create_login_profile(context: IdentityContext, call: Call) -> Answer:
    """Give a user a password, with which it signs in to the studio."""
    name = _user(context, user_named(context, call))
    if context.users.has_password(name):
        message = f"Login Profile for user {name} already exists."
        raise AwsError("EntityAlreadyExistsException", message)
    if call.request.Password is None:
        raise AwsError("ValidationException", "A password is required.")
    context.users.set_password(name, call.request.Password)
    return _profile(context, name)


def get_login_profile(context: IdentityContext, call: Call) -> Answer:
    return _profile(context, _with_password(context, call))


def update_login_profile(context: IdentityContext, call: Call) -> Answer:
    name = _with_password(context, call)
    if call.request.Password is not None:
        context.users.set_password(name, call.request.Password)
    return {}


def delete_login_profile(context: IdentityContext, call: Call) -> Answer:
    context.users.set_password(_with_password(context, call), None)
    return {}


def _profile(context: IdentityContext, name: str) -> Answer:
    created_ms = context.entities.get(EntityKind.USER, name).created_ms
    profile = {"UserName": name, "CreateDate": Instant(created_ms), "PasswordResetRequired": False}
    return {"LoginProfile": profile}


def _with_password(context: IdentityContext, call: Call) -> str:
    name = _user(context, user_named(context, call))
    if not context.users.has_password(name):
        message = f"Login Profile for User {name} cannot be found."
        raise AwsError("NoSuchEntityException", message)
    return name


OPERATIONS = {
    "CreateAccessKey": create_access_key,
    "CreateLoginProfile": create_login_profile,
    "DeleteAccessKey": delete_access_key,
    "DeleteLoginProfile": delete_login_profile,
    "GetAccessKeyLastUsed": get_access_key_last_used,
    "GetLoginProfile": get_login_profile,
    "ListAccessKeys": list_access_keys,
    "UpdateAccessKey": update_access_key,
    "UpdateLoginProfile": update_login_profile,
}
