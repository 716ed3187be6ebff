"""Security Token Service: who the caller is, and temporary credentials of roles."""

from __future__ import annotations

from typing import Any

from eddyline.auth.binding import enforced
from eddyline.auth.entities import EntityKind
from eddyline.auth.temporary import TemporaryKey
from eddyline.auth.trust import check_document, may_assume
from eddyline.aws.access import principal_of
from eddyline.aws.call import Answer, Call
from eddyline.aws.errors import AwsError
from eddyline.aws.identity import IdentityContext
from eddyline.aws.instant import Instant

SESSION_S = 3600


def get_caller_identity(context: IdentityContext, call: Call) -> Answer:
    """Account, ARN and id; a caller that the server does not know is the account itself."""
    account = context.settings.account_id
    caller = call.caller
    if ":assumed-role/" in caller.arn:
        role, _, session = caller.user.partition("/")
        entity = context.entities.find(EntityKind.ROLE, role)
        user_id = f"{entity.id if entity else 'AROA' + role[:17]}:{session}"
        return {"UserId": user_id, "Account": account, "Arn": caller.arn}
    user = context.user_of(caller)
    if user is None:
        return {"UserId": account, "Account": account, "Arn": f"arn:aws:iam::{account}:root"}
    return {"UserId": user.id, "Account": account, "Arn": user.arn(account)}


def assume_role(context: IdentityContext, call: Call) -> Answer:
    """Credentials of a role, for a caller whom its trust policy names."""
    request = call.request
    name = context.role_named(request.RoleArn)
    role = context.entities.find(EntityKind.ROLE, name)
    if request.Policy is not None:
        check_document(request.Policy)
    if enforced(context.settings):
        principal = principal_of(context, call.caller)
        if role is None or role.trust is None or not may_assume(role.trust, principal):
            message = (
                f"User: {principal} is not authorized to perform: sts:AssumeRole on resource: "
                f"{request.RoleArn}"
            )
            raise AwsError("AccessDeniedException", message)
    seconds = request.DurationSeconds or SESSION_S
    if role is not None and seconds > role.session_s:
        message = "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
        raise AwsError("ValidationException", message)
    key = context.temporary.create(name, request.RoleSessionName, seconds, request.Policy)
    account = context.settings.account_id
    return {
        "Credentials": _credentials(key),
        "AssumedRoleUser": {
            "AssumedRoleId": f"{role.id if role else 'AROA' + name[:17]}:{key.session}",
            "Arn": f"arn:aws:sts::{account}:assumed-role/{name}/{key.session}",
        },
        "PackedPolicySize": 0 if request.Policy is None else 1 + len(request.Policy) * 100 // 2048,
    }


def _credentials(key: TemporaryKey) -> dict[str, Any]:
    return {
        "AccessKeyId": key.key_id,
        "SecretAccessKey": key.secret,
        "SessionToken": key.token,
        "Expiration": Instant(key.ends_ms),
    }


def get_access_key_info(context: IdentityContext, call: Call) -> Answer:
    """The account of an access key: there is one account."""
    return {"Account": context.settings.account_id}


OPERATIONS = {
    "AssumeRole": assume_role,
    "GetAccessKeyInfo": get_access_key_info,
    "GetCallerIdentity": get_caller_identity,
}
