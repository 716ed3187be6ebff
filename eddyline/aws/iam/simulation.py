"""Simulation: what policies say to actions, by the engine that decides real requests."""

from __future__ import annotations

from eddyline.auth.entities import EntityKind
from eddyline.auth.policy import Effect, Policy, Request, allowed
from eddyline.auth.trust import check_document
from eddyline.aws.call import Answer, Call
from eddyline.aws.errors import AwsError
from eddyline.aws.iam.shown import Document, page
from eddyline.aws.identity import IdentityContext

_DECISIONS = {Effect.ALLOW: "allowed", Effect.DENY: "explicitDeny", None: "implicitDeny"}
_EVERYTHING = '{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}'


def simulate_custom_policy(context: IdentityContext, call: Call) -> Answer:
    policies = [check_document(text) for text in call.request.PolicyInputList]
    return _simulated(policies, call, call.request.CallerArn or "*")


def simulate_principal_policy(context: IdentityContext, call: Call) -> Answer:
    """What a user, role or group may do, with further policies if the request has some."""
    request = call.request
    kind, name = _principal(request.PolicySourceArn)
    entity = context.entities.get(kind, name)
    texts = list(context.grants.policies_of(kind, entity.name))
    if kind is EntityKind.USER:
        own = context.users.policy(entity.name)
        texts += [own] if own is not None else []
        if not texts and not context.entities.is_managed(entity.name):
            texts = [_EVERYTHING]  # a user of the command line without a policy
    texts += request.PolicyInputList or []
    policies = [check_document(text) for text in texts]
    return _simulated(policies, call, request.CallerArn or request.PolicySourceArn)


def _principal(arn: str) -> tuple[EntityKind, str]:
    """The kind and name of an entity's ARN. Raises AwsError ``InvalidInputException``."""
    kind, _, rest = arn.rpartition(":")[2].partition("/")
    if kind not in tuple(EntityKind):
        message = f"Invalid Entity Arn: {arn} does not clearly define entity type and name."
        raise AwsError("InvalidInputException", message)
    return EntityKind(kind), rest.rpartition("/")[2]


def _simulated(policies: list[Policy], call: Call, principal: str) -> Answer:
    request = call.request
    values: dict[str, str] = {
        entry.ContextKeyName: ",".join(entry.ContextKeyValues or [])
        for entry in request.ContextEntries or []
        if entry.ContextKeyName is not None
    }
    rows: list[Document] = []
    for action in request.ActionNames:
        for resource in request.ResourceArns or ["*"]:
            effect = allowed(policies, Request(principal, action, resource, values))
            rows.append(
                {
                    "EvalActionName": action,
                    "EvalResourceName": resource,
                    "EvalDecision": _DECISIONS[effect],
                    "MatchedStatements": [],
                    "MissingContextValues": [],
                }
            )
    return page("EvaluationResults", rows, request)


OPERATIONS = {
    "SimulateCustomPolicy": simulate_custom_policy,
    "SimulatePrincipalPolicy": simulate_principal_policy,
}
