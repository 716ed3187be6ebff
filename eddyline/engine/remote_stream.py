"""A Kinesis stream behind another endpoint: a client, its errors, and which endpoints are ours."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from eddyline.errors import EddylineError
from eddyline.options.connectors import kinesis as options
from eddyline.options.connectors.kinesis import Provider
from eddyline.settings import Settings

# Hosts of this machine.
_LOCAL = ("localhost", "127.0.0.1", "::1", "0.0.0.0", "host.docker.internal")
DEFAULT_PORT = 4567
_KEY_VARIABLES = {
    "aws_access_key_id": "AWS_ACCESS_KEY_ID",
    "aws_secret_access_key": "AWS_SECRET_ACCESS_KEY",
}
# Errors that a later attempt may not meet.
RETRIABLE = (
    "ProvisionedThroughputExceededException",
    "LimitExceededException",
    "InternalFailure",
    "ServiceUnavailable",
    "KMSThrottlingException",
)


def is_remote(table_options: Mapping[str, str], settings: Settings) -> bool:
    """Whether a table's endpoint is not this server's.

    An address of AWS means here what its region means: the stream of that name in this data
    directory. So does this machine's endpoint, at its port or at the default one.
    """
    endpoint = options.ENDPOINT.get(table_options)
    if endpoint is None:
        return False
    parts = urlsplit(endpoint)
    host = parts.hostname or ""
    if host.endswith(".amazonaws.com"):
        return False
    return host not in _LOCAL or parts.port not in (DEFAULT_PORT, *_ports(settings))


def _ports(settings: Settings) -> tuple[int, ...]:
    """The ports of this server: as set, and as the running server has written."""
    try:
        holder = json.loads((settings.data_dir / "lock").read_text() or "{}")
        return settings.api_port, int(holder.get("api_port") or 0)
    except (OSError, ValueError, AttributeError):
        return (settings.api_port,)


class RemoteStream:
    """One stream, through botocore."""

    def __init__(self, table: str, table_options: Mapping[str, str], settings: Settings) -> None:
        import botocore.session
        from botocore.config import Config

        self.name = options.STREAM.read(table_options)
        self._table = table
        self._endpoint = options.ENDPOINT.read(table_options)
        provider = options.credentials_provider(table_options)
        keys = self._keys(provider, table_options)
        is_profile = provider is Provider.PROFILE
        profile = options.PROFILE.get(table_options) if is_profile else None
        session = botocore.session.Session(profile=profile)
        with self.errors():
            self.client: Any = session.create_client(
                "kinesis",
                endpoint_url=self._endpoint,
                region_name=options.REGION.get(table_options) or settings.region,
                **keys,
                verify=not options.TRUST_ALL.read(table_options),
                config=Config(retries={"max_attempts": 3}, read_timeout=30, connect_timeout=10),
            )

    def _keys(self, provider: Provider, table_options: Mapping[str, str]) -> dict[str, str | None]:
        """The keys that the provider names; none where botocore finds them itself.

        Raises:
            EddylineError: ``access_denied``, ``sql_unsupported``.
        """
        if provider is Provider.BASIC:
            return {
                "aws_access_key_id": options.ACCESS_KEY.get(table_options),
                "aws_secret_access_key": options.SECRET_KEY.get(table_options),
            }
        if provider is Provider.ENV_VAR:
            missing = [name for name in _KEY_VARIABLES.values() if not os.environ.get(name)]
            if missing:
                message = (
                    f"table {self._table}: '{options.PROVIDER.name}' is ENV_VAR, but there is no "
                    f"environment variable {missing[0]}"
                )
                hint = "set it where the server is started, or use BASIC or PROFILE"
                raise EddylineError("access_denied", message, hint=hint)
            keys = {key: os.environ[name] for key, name in _KEY_VARIABLES.items()}
            return {**keys, "aws_session_token": os.environ.get("AWS_SESSION_TOKEN")}
        if provider is Provider.SYS_PROP:
            message = (
                f"table {self._table}: '{options.PROVIDER.name}' is SYS_PROP, but there are no "
                "system properties of Java here"
            )
            raise EddylineError("sql_unsupported", message, hint="use ENV_VAR, BASIC or PROFILE")
        return {}

    def shards(self) -> list[dict[str, Any]]:
        """All shards that the stream still has."""
        out: list[dict[str, Any]] = []
        with self.errors():
            page = self.client.list_shards(StreamName=self.name)
            out += page["Shards"]
            while page.get("NextToken"):
                page = self.client.list_shards(NextToken=page["NextToken"])
                out += page["Shards"]
        return out

    def identity(self) -> str:
        """What tells this stream from another one of its name."""
        with self.errors():
            reply = self.client.describe_stream_summary(StreamName=self.name)
        summary = reply["StreamDescriptionSummary"]
        return f"{summary['StreamARN']} {summary['StreamCreationTimestamp'].timestamp():.3f}"

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Errors of the endpoint as ours."""
        from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

        where = f"table {self._table}: stream {self.name} at {self._endpoint}"
        try:
            yield
        except NoCredentialsError as error:
            hint = "add 'aws.credentials.basic.accesskeyid' and '….secretkey', or set AWS_PROFILE"
            message = f"{where}: there are no credentials"
            raise EddylineError("access_denied", message, hint=hint) from error
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "")
            missing = code == "ResourceNotFoundException"
            advice = "create the stream there, or name another in 'stream'" if missing else None
            message = f"{where}: {error.response.get('Error', {}).get('Message') or code}"
            ours = "not_found" if missing else "endpoint_error"
            raise EddylineError(ours, message, hint=advice, detail=code) from error
        except BotoCoreError as error:
            hint = "see that 'aws.endpoint' is right and that the endpoint runs"
            raise EddylineError("endpoint_error", f"{where}: {error}", hint=hint) from error
