"""The regions in which AWS has Kinesis, as the installed botocore knows them.

Its file is read without botocore: a session of it would cost the server that shows the list a
third more memory.
"""

from __future__ import annotations

import gzip
import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import msgspec


@cache
def regions() -> tuple[str, ...]:
    """The regions' names, sorted."""
    public = msgspec.json.decode(_file(), type=_Endpoints).partitions[0]
    known = re.compile(public.regionRegex)
    return tuple(sorted(r for r in public.services["kinesis"].endpoints if known.match(r)))


def _file() -> bytes:
    spec = find_spec("botocore")
    assert spec is not None
    assert spec.origin is not None
    plain = Path(spec.origin).parent / "data" / "endpoints.json"
    if plain.exists():
        return plain.read_bytes()
    return gzip.decompress(plain.with_name("endpoints.json.gz").read_bytes())


class _Service(msgspec.Struct):
    endpoints: dict[str, msgspec.Raw] = {}


class _Partition(msgspec.Struct):
    regionRegex: str
    services: dict[str, _Service]


class _Endpoints(msgspec.Struct):
    partitions: list[_Partition]
