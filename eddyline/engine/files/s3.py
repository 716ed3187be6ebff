"""A folder of a bucket behind any S3 endpoint, through botocore."""

from __future__ import annotations

import tempfile
from contextlib import AbstractContextManager
from typing import Any, BinaryIO, cast

from eddyline.engine.files.s3_client import s3_client, s3_errors
from eddyline.engine.files.store import FileInfo, Writer

# What is written stays in memory up to this size, and is a temporary file above it.
MEMORY_BYTES_MAX = 16 << 20


class S3Store:
    """Objects whose key begins with a prefix; credentials are those that any AWS SDK finds."""

    def __init__(self, bucket: str, prefix: str, endpoint: str, region: str) -> None:
        self._bucket, self._prefix = bucket, prefix
        self._endpoint, self._region = endpoint, region
        self._made: Any = None

    @property
    def root(self) -> str:
        return f"s3://{self._bucket}/{self._prefix}"

    def exists(self) -> bool:
        return bool(self.files())

    def files(self) -> list[FileInfo]:
        out = []
        with self._errors():
            pages = (
                self._client()
                .get_paginator("list_objects_v2")
                .paginate(Bucket=self._bucket, Prefix=self._prefix)
            )
            for page in pages:
                entries = page.get("Contents", ())
                out += [self._info(entry) for entry in entries if self._is_below(entry["Key"])]
        return sorted((f for f in out if self._is_visible(f.relative)), key=lambda info: info.path)

    def open(self, path: str, offset: int) -> BinaryIO:
        key = path.removeprefix(f"s3://{self._bucket}/")
        file = tempfile.SpooledTemporaryFile(MEMORY_BYTES_MAX)  # noqa: SIM115
        with self._errors():
            body = self._client().get_object(Bucket=self._bucket, Key=key)["Body"]
            for chunk in body.iter_chunks(1 << 20):
                file.write(chunk)
        file.seek(offset)
        return cast(BinaryIO, file)

    def write(self, relative: str, write: Writer) -> None:
        key = f"{self._prefix}/{relative}" if self._prefix else relative
        with tempfile.SpooledTemporaryFile(MEMORY_BYTES_MAX) as file:
            write(cast(BinaryIO, file))
            file.seek(0)
            with self._errors():
                self._client().put_object(Bucket=self._bucket, Key=key, Body=file)

    def remove(self, file: FileInfo) -> None:
        key = file.path.removeprefix(f"s3://{self._bucket}/")
        with self._errors():
            self._client().delete_object(Bucket=self._bucket, Key=key)

    def _info(self, entry: dict[str, Any]) -> FileInfo:
        key = entry["Key"]
        relative = key.removeprefix(self._prefix).strip("/") or key.rpartition("/")[2]
        modified = round(entry["LastModified"].timestamp() * 1000)
        return FileInfo(f"s3://{self._bucket}/{key}", relative, entry["Size"], modified)

    def _is_below(self, key: str) -> bool:
        """Whether the key is the folder's: ``rows2/a`` begins with ``rows``, and is another's."""
        return key == self._prefix or not self._prefix or key.startswith(self._prefix + "/")

    def _is_visible(self, relative: str) -> bool:
        return not any(part.startswith((".", "_")) for part in relative.split("/"))

    def _errors(self) -> AbstractContextManager[None]:
        return s3_errors(self.root, self._endpoint)

    def _client(self) -> Any:
        if self._made is None:
            self._made = s3_client(self._endpoint, self._region)
        return self._made
