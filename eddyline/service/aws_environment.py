"""The environment of processes that run users' Python: AWS clients in them reach this server."""

from __future__ import annotations

import os

from eddyline.service.directory import DataDirectory
from eddyline.settings import Settings

# Where nothing listens, for a client in a process whose server has no endpoint.
DISCARD_PORT = 9
_NOT_PASSED_ON = ("AWS_", "EDDYLINE_", "_EDDYLINE")


def aws_environment(settings: Settings, directory: DataDirectory) -> dict[str, str]:
    """This process's variables, with those of the server's endpoint; never AWS by accident."""
    holder = directory.holder() or {}
    port = holder.get("api_port") or settings.api_port or DISCARD_PORT
    scheme = "https" if settings.tls else "http"
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(settings.host, settings.host)
    return {
        **{k: v for k, v in os.environ.items() if not k.startswith(_NOT_PASSED_ON)},
        "AWS_ENDPOINT_URL": f"{scheme}://{host}:{port}",
        "AWS_DEFAULT_REGION": settings.region,
        "AWS_ACCESS_KEY_ID": "note",
        "AWS_SECRET_ACCESS_KEY": "note",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
