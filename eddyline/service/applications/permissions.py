"""Notebooks with a role of their own: which streams a notebook reads and writes.

The role is named after the notebook and has one inline policy, which is written from the streams
that are ticked. A role that was made elsewhere is left to whoever made it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec

from eddyline.auth.entities import Entities, EntityKind
from eddyline.auth.grants import Grants
from eddyline.auth.policy import Effect, Request, allowed, parse
from eddyline.errors import EddylineError
from eddyline.service.applications.model import INTERACTIVE, Application, check_name
from eddyline.service.role_check import READ_ACTIONS, WRITE_ACTIONS, role_policies, stream_arn

if TYPE_CHECKING:
    from eddyline.service.services import Services

RUNTIME = "ZEPPELIN-FLINK-3_0"
POLICY = "streams"
PATH = "/notebooks/"
_NAME_MAX = 128
# What a notebook may look at, whatever its streams are.
_LOOK = {
    "Sid": "Look",
    "Effect": "Allow",
    "Action": ["kinesis:ListStreams", "kinesis:ListShards", "glue:Get*", "logs:Describe*"],
    "Resource": "*",
}
_TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Allow",
            "Principal": {"Service": "kinesisanalytics.amazonaws.com"},
            "Action": "sts:AssumeRole",
        },
    }
)


class Permissions(msgspec.Struct, frozen=True):
    """What a notebook's role allows.

    role: its ARN, empty if there is none. limited: whether the role is known here, so that it is
    enforced. own: whether it was made for the notebook, so that its streams can be ticked.
    """

    role: str
    limited: bool
    own: bool
    reads: list[str] = []
    writes: list[str] = []


Names = list[str]


def create_notebook(
    services: Services, name: str, sources: Names, destinations: Names, note: str | None = None
) -> Application:
    """A notebook with a role of its own that reads ``sources`` and writes ``destinations``.

    note: Zeppelin's JSON of its note; None for an empty one.

    Raises:
        EddylineError: ``in_use`` for a name that is taken, ``bad_file``.
    """
    check_name(name)
    if name in {application.name for application in services.applications.list()}:
        raise EddylineError("in_use", f"there is an application {name} already")
    entities = Entities(services.data_dir, services.clock)
    role = f"notebook-{name}"[:_NAME_MAX]
    if entities.find(EntityKind.ROLE, role) is None:
        entities.create(
            EntityKind.ROLE, role, PATH, trust=_TRUST, description=f"of notebook {name}"
        )
    _write(services, role, sources, destinations)
    arn = entities.get(EntityKind.ROLE, role).arn(services.settings.account_id)
    configuration: dict[str, Any] = {}
    if note is not None:
        content = {"CodeContentType": "PLAINTEXT", "CodeContent": {"TextContent": note}}
        configuration = {"ApplicationCodeConfiguration": content}
    return services.applications.create(name, INTERACTIVE, RUNTIME, arn, "", configuration)


def permissions_of(services: Services, application: Application, streams: Names) -> Permissions:
    """What the role of a notebook or application allows with each of ``streams``."""
    role, settings = application.role, services.settings
    texts = role_policies(settings, services.data_dir, role, services.clock) if role else None
    if texts is None:
        return Permissions(role, limited=False, own=False)
    policies = [parse(text) for text in texts]

    def may(stream: str, action: str) -> bool:
        request = Request(role, action, stream_arn(settings, stream))
        return allowed(policies, request) is Effect.ALLOW

    reads = [stream for stream in streams if may(stream, "kinesis:GetRecords")]
    writes = [stream for stream in streams if may(stream, "kinesis:PutRecords")]
    return Permissions(role, True, f":role{PATH}" in role, reads, writes)


def set_permissions(services: Services, name: str, reads: Names, writes: Names) -> None:
    """Have a notebook's own role allow these streams and no others.

    Raises:
        EddylineError: ``not_found``; ``access_denied`` for a role that was made elsewhere.
    """
    role = services.applications.get(name).role
    if f":role{PATH}" not in role:
        message = f"the role of {name} was not made with the notebook"
        raise EddylineError("access_denied", message, hint="change its policies: aws iam")
    _write(services, role.rpartition("/")[2], reads, writes)


def remove_notebook(services: Services, name: str) -> None:
    """Delete a notebook and the role that was made for it; its note stays."""
    role = services.applications.get(name).role
    services.applications.delete(name)
    entities = Entities(services.data_dir, services.clock)
    short = role.rpartition("/")[2]
    if f":role{PATH}" in role and entities.find(EntityKind.ROLE, short) is not None:
        grants = Grants(services.data_dir, services.settings.account_id, services.clock)
        for policy in grants.inline(EntityKind.ROLE, short):
            grants.remove(EntityKind.ROLE, short, policy)
        entities.delete(EntityKind.ROLE, short)


def _write(services: Services, role: str, reads: Names, writes: Names) -> None:
    settings = services.settings
    statements: list[dict[str, Any]] = [_LOOK]
    for sid, streams, actions in (
        ("Read", reads, READ_ACTIONS),
        ("Write", writes, WRITE_ACTIONS),
    ):
        if streams:
            arns = [stream_arn(settings, stream) for stream in streams]
            statement = {"Sid": sid, "Effect": "Allow", "Action": list(actions), "Resource": arns}
            statements.append(statement)
    document = json.dumps({"Version": "2012-10-17", "Statement": statements})
    Grants(services.data_dir, settings.account_id, services.clock).put(
        EntityKind.ROLE, role, POLICY, document
    )
