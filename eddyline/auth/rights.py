"""What a user may open in the studio: sections, each an action that a user's policy may allow.

Whoever may open notes may run Python in them with the rights of the server's own user, so on a
server that is open to others it is given to few. A user without a policy, and the owner who signs
in by a link, may do everything.
"""

from __future__ import annotations

import json
from pathlib import Path

from eddyline.auth.policy import Effect, Request, parse
from eddyline.auth.signin import OWNER
from eddyline.auth.users import Users
from eddyline.clock import SYSTEM, Clock
from eddyline.errors import EddylineError

# Paths below which an action is needed; a path that is none of these is everybody's.
ACTIONS: dict[str, str] = {
    "/generator": "eddyline:UseGenerator",
    "/streams": "eddyline:UseStreams",
    "/notes": "eddyline:RunNotes",
    "/notebooks": "eddyline:RunNotes",
    "/applications": "eddyline:RunNotes",
    "/tables": "eddyline:RunNotes",
    "/jobs": "eddyline:RunNotes",
    "/anomalies": "eddyline:RunNotes",
    "/permissions": "eddyline:ManageUsers",
    "/users": "eddyline:ManageUsers",
    "/": "eddyline:UseStreams",
}
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
    """The rights of the users of the data directory ``path``."""

    def __init__(self, path: Path, clock: Clock = SYSTEM) -> None:
        self._users = Users(path, clock)

    def may_open(self, user: str, path: str) -> bool:
        """Whether a user may open a path of the studio."""
        action = action_of(path)
        if action is None or user == OWNER:
            return True
        try:
            document = self._users.policy(user)
        except EddylineError:  # removed meanwhile
            return False
        if document is None:
            return True
        request = Request(f"user/{user}", action, "*")
        return parse(document).says(request) is Effect.ALLOW


def action_of(path: str) -> str | None:
    """The action that a path needs; None for what everybody who is signed in may have."""
    if path == "/":
        return ACTIONS["/"]
    first = "/" + path.lstrip("/").split("/", 1)[0]
    return ACTIONS.get(first)
