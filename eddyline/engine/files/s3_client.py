"""A client of any S3 endpoint, for tables over files and for delivered objects alike."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from eddyline.errors import EddylineError

ATTEMPTS_MAX = 3


def s3_client(endpoint: str, region: str) -> Any:
    """A botocore client with the credentials that any AWS SDK would find."""
    import botocore.session
    from botocore.config import Config

    retries = {"total_max_attempts": ATTEMPTS_MAX}
    config = Config(s3={"addressing_style": "path"}, retries=retries)
    session = botocore.session.get_session()
    return session.create_client("s3", endpoint_url=endpoint, region_name=region, config=config)


@contextmanager
def s3_errors(what: str, endpoint: str) -> Iterator[None]:
    """Errors of botocore as ours. ``what``: the object or folder that is used, for the message.

    Raises:
        EddylineError: ``access_denied`` without credentials, else ``endpoint_error``.
    """
    from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

    try:
        yield
    except NoCredentialsError as error:
        message = f"there are no AWS credentials for {what}"
        hint = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile, for the server"
        raise EddylineError("access_denied", message, hint=hint) from error
    except (BotoCoreError, ClientError) as error:
        message = f"{what} cannot be used at {endpoint}: {error}"
        hint = "see that the bucket exists and that the credentials allow it"
        raise EddylineError("endpoint_error", message, hint=hint) from error
