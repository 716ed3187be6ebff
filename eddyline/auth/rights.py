"""What a user may open in the studio: sections, each an action that a user's policy may allow.

Whoever may open notes may run Python in them with the rights of the server's own user, so on a
server that is open to others it is given to few. The owner who signs in by a link may do
everything, and so may a user of the command line without a policy. Users that were made through
IAM, and roles, may do what their policies allow.
"""

from __future__ import annotations

import json
from pathlib import Path

from eddyline.auth.entities import Entities, EntityKind
from eddyline.auth.grants import Grants
from eddyline.auth.policy import Effect, Request, allowed, parse
from eddyline.auth.signin import OWNER
from eddyline.auth.users import Users
from eddyline.clock import SYSTEM, Clock
from eddyline.errors import EddylineError

# The right to have Python executed, in notes, by SQL functions and in applications.
RUN_PYTHON = "eddyline:RunNotes"
# The name of a session that acts as a role: this and the role's name.
ROLE_PREFIX = "role/"
# Paths below which an action is needed; a path that is none of these is everybody's.
ACTIONS: dict[str, str] = {
    "/generator": "eddyline:UseGenerator",
    "/streams": "eddyline:UseStreams",
    "/notes": RUN_PYTHON,
    "/notebooks": RUN_PYTHON,
    "/applications": RUN_PYTHON,
    "/tables": RUN_PYTHON,
    "/jobs": RUN_PYTHON,
    "/anomalies": RUN_PYTHON,
    "/permissions": "eddyline:ManageUsers",
    "/users": "eddyline:ManageUsers",
    "/": "eddyline:UseStreams",
}
ALL = frozenset(ACTIONS.values())
# For the generator's login of the lab: it may send, and nothing else.
GENERATOR_ONLY = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": [
                    "eddyline:UseGenerator",
                    "kinesis:ListStreams",
                    "kinesis:DescribeStreamSummary",
                    "kinesis:PutRecord",
                    "kinesis:PutRecords",
                ],
                "Resource": "*",
            }
        ],
    }
)


class Rights:
    """The rights of the users and roles of the data directory ``path``."""

    def __init__(self, path: Path, clock: Clock = SYSTEM) -> None:
        self._users = Users(path, clock)
        self._entities = Entities(path, clock)
        self._grants = Grants(path, "", clock)

    def may_open(self, user: str, path: str) -> bool:
        """Whether a user may open a path of the studio."""
        action = action_of(path)
        return action is None or action in self.allowed(user, frozenset((action,)))

    def allowed(self, user: str, actions: frozenset[str] = ALL) -> frozenset[str]:
        """Those of ``actions`` that a user may perform.

        user: a name, ``OWNER``, or ``ROLE_PREFIX`` with a role's name.
        """
        if user == OWNER:
            return actions
        try:
            documents = self._documents(user)
        except EddylineError:  # removed meanwhile
            return frozenset()
        if documents is None:
            return actions
        policies = [parse(text) for text in documents]
        return frozenset(
            action
            for action in actions
            if allowed(policies, Request(f"user/{user}", action, "*")) is Effect.ALLOW
        )

    def _documents(self, user: str) -> tuple[str, ...] | None:
        """The policies that limit a user; None for one who may do everything."""
        if user.startswith(ROLE_PREFIX):
            return self._grants.policies_of(EntityKind.ROLE, user.removeprefix(ROLE_PREFIX))
        document = self._users.policy(user)
        documents = self._grants.policies_of(EntityKind.USER, user)
        documents = documents if document is None else (document, *documents)
        if not documents and not self._entities.is_managed(user):
            return None
        return documents


def action_of(path: str) -> str | None:
    """The action that a path needs; None for what everybody who is signed in may have."""
    if path == "/":
        return ACTIONS["/"]
    first = "/" + path.lstrip("/").split("/", 1)[0]
    return ACTIONS.get(first)
