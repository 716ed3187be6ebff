"""The environment of processes that run users' Python: AWS clients in them reach this server."""

from __future__ import annotations

import os

from eddyline.auth.binding import enforced
from eddyline.auth.entities import Entities, EntityKind
from eddyline.auth.temporary import TemporaryKey, TemporaryKeys
from eddyline.service.directory import DataDirectory
from eddyline.settings import Settings

# Where nothing listens, for a client in a process whose server has no endpoint.
DISCARD_PORT = 9
# How long a kernel's keys last: longer than people leave one running.
SESSION_S = 30 * 24 * 3600
_NOT_PASSED_ON = ("AWS_", "EDDYLINE_", "_EDDYLINE")


def aws_environment(
    settings: Settings, directory: DataDirectory, role: str | None = None
) -> dict[str, str]:
    """This process's variables, with those of the server's endpoint; never AWS by accident.

    role: the ARN of a role with whose rights the clients are to call; None: without limits.
    """
    holder = directory.holder() or {}
    port = holder.get("api_port") or settings.api_port or DISCARD_PORT
    scheme = "https" if settings.tls else "http"
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(settings.host, settings.host)
    return {
        **{k: v for k, v in os.environ.items() if not k.startswith(_NOT_PASSED_ON)},
        "AWS_ENDPOINT_URL": f"{scheme}://{host}:{port}",
        "AWS_DEFAULT_REGION": settings.region,
        **_credentials(directory, role),
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def _credentials(directory: DataDirectory, role: str | None) -> dict[str, str]:
    """Temporary keys of a role; without one, keys that any server on loopback accepts."""
    name = (role or "").rpartition("/")[2]
    if not name or Entities(directory.path).find(EntityKind.ROLE, name) is None:
        return dict(_ANY)
    return _variables(TemporaryKeys(directory.path).create(name, "notebook", SESSION_S, None))


def credentials_of_user(
    settings: Settings, directory: DataDirectory, user: str | None
) -> dict[str, str]:
    """Temporary keys with a user's rights where keys are required; else any."""
    if user is None or not enforced(settings):
        return dict(_ANY)
    keys = TemporaryKeys(directory.path)
    return _variables(keys.create_for_user(user, "note", SESSION_S))


# Keys that a server on loopback accepts.
_ANY = {"AWS_ACCESS_KEY_ID": "note", "AWS_SECRET_ACCESS_KEY": "note", "AWS_SESSION_TOKEN": ""}


def _variables(key: TemporaryKey) -> dict[str, str]:
    return {
        "AWS_ACCESS_KEY_ID": key.key_id,
        "AWS_SECRET_ACCESS_KEY": key.secret,
        "AWS_SESSION_TOKEN": key.token,
    }
