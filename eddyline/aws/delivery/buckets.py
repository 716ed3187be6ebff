"""Where delivered objects go: a folder of the data directory, or a bucket of an S3 endpoint."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any, Protocol

from eddyline.engine.files.s3_client import s3_client, s3_errors
from eddyline.errors import EddylineError
from eddyline.settings import Settings

FOLDER = "buckets"
_SAFE = re.compile(r"[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]\Z")


class Buckets(Protocol):
    """All buckets one can deliver to."""

    def put(self, bucket: str, key: str, body: bytes, **how: str) -> None:
        """Store an object; it is durable on return.

        Raises:
            EddylineError: ``endpoint_error``, ``disk_full``, ``access_denied``.
        """


def bucket_in(arn: str) -> str:
    """The bucket an ARN names."""
    return arn.rpartition(":")[2]


class LocalBuckets:
    """Buckets as folders below ``buckets``; made when they are first needed."""

    def __init__(self, data_dir: Path) -> None:
        self._root = data_dir / FOLDER

    def put(self, bucket: str, key: str, body: bytes, **how: str) -> None:
        parts = key.split("/")
        if not _SAFE.match(bucket) or any(p in ("", ".", "..") for p in parts):
            msg = f"{key!r} in bucket {bucket!r} is no name for a file"
            hint = "leave out empty parts, . and .. in the key's template"
            raise EddylineError("invalid_argument", msg, hint=hint)
        path = self._root.joinpath(bucket, *parts)
        aside = path.with_name(f".{path.name}.part")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with aside.open("wb") as file:
                file.write(body)
                file.flush()
                os.fsync(file.fileno())
            aside.replace(path)
        except OSError as error:
            code = "access_denied" if isinstance(error, PermissionError) else "disk_full"
            msg = f"{path} cannot be written: {error.strerror}"
            raise EddylineError(code, msg, hint="give it room and the right to write") from error


class S3Buckets:
    """Buckets of an S3 endpoint, with the credentials that any AWS SDK would find."""

    def __init__(self, url: str, region: str) -> None:
        self._url = url
        self._region = region
        self._client: Any = None

    def put(self, bucket: str, key: str, body: bytes, **how: str) -> None:
        with s3_errors(f"s3://{bucket}/{key}", self._url):
            if self._client is None:
                self._client = s3_client(self._url, self._region)
            self._client.put_object(Bucket=bucket, Key=key, Body=body, **how)


def buckets(settings: Settings) -> Buckets:
    """The buckets that the settings say."""
    if settings.s3_endpoint:
        return S3Buckets(settings.s3_endpoint, settings.region)
    return LocalBuckets(settings.data_dir)
