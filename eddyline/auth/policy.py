"""IAM policy documents: parsed strictly, then asked about one action on one resource at a time.

A document that cannot be understood is refused when it is given, never when it is needed: a Deny
that silently matches nothing would let somebody in. An explicit Deny wins, then an Allow, else
the answer is no.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from eddyline.auth.conditions import Context, check_condition, holds, like
from eddyline.errors import EddylineError

LENGTH_MAX = 20_480
_KEYS = {
    "Sid",
    "Effect",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Principal",
    "NotPrincipal",
    "Condition",
}


class Effect(StrEnum):
    """What a policy says to a request; nothing is a third answer."""

    ALLOW = "Allow"
    DENY = "Deny"


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked: may ``principal`` (an ARN) do ``action`` to ``resource`` (an ARN or ``*``)?"""

    principal: str
    action: str
    resource: str
    context: Context = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement; ``not_`` fields turn their lists round."""

    effect: Effect
    actions: tuple[str, ...]
    not_actions: bool
    resources: tuple[str, ...]
    not_resources: bool
    principals: tuple[str, ...] | None
    not_principals: bool
    condition: dict[str, Any]

    def applies(self, request: Request) -> bool:
        """Whether the statement speaks of the request."""
        return (
            _any(self.actions, request.action.lower()) is not self.not_actions
            and _any(self.resources, request.resource) is not self.not_resources
            and self._names(request.principal)
            and holds(self.condition, request.context)
        )

    def _names(self, principal: str) -> bool:
        if self.principals is None:
            return True
        named = any(_is(p, principal) for p in self.principals)
        return named is not self.not_principals


@dataclass(frozen=True, slots=True)
class Policy:
    """A document."""

    statements: tuple[Statement, ...]

    def says(self, request: Request) -> Effect | None:
        """Deny, Allow or nothing."""
        effect: Effect | None = None
        for statement in self.statements:
            if statement.applies(request):
                if statement.effect is Effect.DENY:
                    return Effect.DENY
                effect = Effect.ALLOW
        return effect


def allowed(policies: Iterable[Policy], request: Request) -> Effect | None:
    """What all of them together say."""
    effects = [p.says(request) for p in policies]
    return (
        Effect.DENY if Effect.DENY in effects else Effect.ALLOW if Effect.ALLOW in effects else None
    )


def parse(text: str, *, resource_based: bool = False) -> Policy:
    """A document; resource-based ones name a Principal in each statement, the others in none.

    Raises:
        EddylineError: ``invalid_argument``, saying what is wrong and where.
    """
    if len(text) > LENGTH_MAX:
        raise _wrong(f"it has {len(text)} characters, at most {LENGTH_MAX} are allowed")
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _wrong(f"it is not JSON: {error}") from None
    if not isinstance(document, dict):
        raise _wrong("it is not a JSON object")
    unknown = set(document) - {"Version", "Id", "Statement"}
    if unknown:
        raise _wrong(f"it has unknown elements: {', '.join(sorted(unknown))}")
    if document.get("Version", "2012-10-17") not in ("2012-10-17", "2008-10-17"):
        raise _wrong(f"version {document['Version']!r} is unknown")
    statements = document.get("Statement")
    rows = statements if isinstance(statements, list) else [statements]
    if not rows or not all(isinstance(s, dict) for s in rows):
        raise _wrong("it has no Statement")
    return Policy(tuple(_statement(s, n, resource_based) for n, s in enumerate(rows, 1)))


def _statement(raw: dict[str, Any], n: int, resource_based: bool) -> Statement:
    where = f"statement {raw.get('Sid') or n}"
    unknown = set(raw) - _KEYS
    if unknown:
        raise _wrong(f"{where} has unknown elements: {', '.join(sorted(unknown))}")
    if raw.get("Effect") not in ("Allow", "Deny"):
        raise _wrong(f"{where} has no Effect of Allow or Deny")
    actions, not_actions = _either(raw, "Action", where)
    resources, not_resources = _either(raw, "Resource", where)
    principals, not_principals = _principals(raw, where, resource_based)
    condition = raw.get("Condition", {})
    why = check_condition(condition)
    if why:
        raise _wrong(f"{where}: {why}")
    return Statement(
        Effect(raw["Effect"]),
        tuple(a.lower() for a in actions),
        not_actions,
        resources,
        not_resources,
        principals,
        not_principals,
        condition,
    )


def _either(raw: dict[str, Any], name: str, where: str) -> tuple[tuple[str, ...], bool]:
    if (name in raw) == (f"Not{name}" in raw):
        raise _wrong(f"{where} needs either {name} or Not{name}")
    turned = name not in raw
    return _texts(raw[f"Not{name}" if turned else name], name, where), turned


def _texts(value: Any, name: str, where: str) -> tuple[str, ...]:
    rows = value if isinstance(value, list) else [value]
    if not rows or not all(isinstance(r, str) and r for r in rows):
        raise _wrong(f"{where}: {name} is not a text or a list of texts")
    return tuple(rows)


def _principals(
    raw: dict[str, Any], where: str, resource_based: bool
) -> tuple[tuple[str, ...] | None, bool]:
    given = [k for k in ("Principal", "NotPrincipal") if k in raw]
    if not resource_based:
        if given:
            raise _wrong(f"{where}: a user's policy names no {given[0]}")
        return None, False
    if len(given) != 1:
        raise _wrong(f"{where} needs a Principal")
    value = raw[given[0]]
    if value == "*":
        return ("*",), given[0] == "NotPrincipal"
    if not isinstance(value, dict) or not value:
        raise _wrong(f"{where}: Principal is neither * nor an object")
    named = [p for v in value.values() for p in _texts(v, "Principal", where)]
    return tuple(named), given[0] == "NotPrincipal"


def _any(patterns: tuple[str, ...], text: str) -> bool:
    return any(like(p, text) for p in patterns)


def _is(pattern: str, principal: str) -> bool:
    """A principal is named by its ARN, by its account, or by ``*``; no wildcards within."""
    if pattern in ("*", principal):
        return True
    account = principal.split(":")[4] if principal.count(":") >= 5 else ""
    return bool(account) and pattern in (account, f"arn:aws:iam::{account}:root")


def _wrong(why: str) -> EddylineError:
    hint = "see the IAM user guide: JSON policy elements"
    return EddylineError("invalid_argument", f"the policy is not valid: {why}", hint=hint)
