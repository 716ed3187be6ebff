"""Every setting once: its name, default, unit and meaning.

A setting is read from the environment as ``EDDYLINE_<NAME>``; the command line may override it.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from eddyline.errors import EddylineError, nearest

# The mode bits that files and folders of the data directory never have: they are their owner's.
PRIVATE_UMASK = 0o077


def _of(default: Any, doc: str, low: float | None = None, high: float | None = None) -> Any:
    return field(default=default, metadata={"doc": doc, "low": low, "high": high})


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings with their defaults; units last in the name."""

    data_dir: Path = _of(Path("eddyline-data"), "Where streams, notes and jobs rest.")
    host: str = _of("127.0.0.1", "Address to listen on.")
    port: int = _of(8080, "Port of the studio.", 0, 65535)
    api_port: int = _of(4567, "Port of the AWS endpoint.", 0, 65535)
    api_workers: int = _of(1, "Processes that serve the AWS endpoint.", 1, 64)
    region: str = _of("us-east-1", "Region named in ARNs.")
    account_id: str = _of("000000000000", "Account named in ARNs.")
    # access
    allow_host: str = _of("", "Further names the server answers to, by commas; * for all.")
    require_keys: bool = _of(False, "Check signatures and policies on loopback, too.")
    # aws
    tls: bool = _of(False, "Serve the AWS endpoint and the studio over TLS.")
    tls_certificate: str = _of("", "Certificate file (PEM); self-made if empty.")
    tls_key: str = _of("", "The certificate's private key file (PEM).")
    shard_limit: int = _of(20_000, "Shards an account may have in provisioned streams.", 1, 2**20)
    throttle: bool = _of(False, "Hold each shard to AWS's limits of records, bytes and reads.")
    access_log: bool = _of(False, "Log each request to the AWS endpoint in logs/access.log.")
    connections_max: int = _of(
        1024, "Connections an API process serves at a time; more wait.", 1, 65_536
    )
    request_s_max: int = _of(30, "A request must have arrived within this time.", 1, 3600)
    iterator_s: int = _of(300, "How long a shard iterator can be used.", 1, 86_400)
    s3_endpoint: str = _of(
        "", "S3 endpoint of channels, Firehose and tables; empty: folders of data_dir."
    )
    # log
    fsync: bool = _of(True, "Sync to disk before a put is acknowledged.")
    block_bytes: int = _of(262_144, "A shard's tail block is sealed at this size.", 4096, 2**24)
    map_gib: int = _of(64, "Address space reserved a stream (a sparse file).", 1, 4096)
    stream_gib_max: int = _of(32, "A stream refuses writes beyond this many GiB.", 1, 4096)
    disk_free_mib_min: int = _of(256, "Writes are refused below this much free space.", 0, 2**20)
    retention_sweep_s: int = _of(60, "How often old blocks are trimmed.", 1, 3600)
    stream_delay_ms: int = _of(100, "How long CREATING and DELETING last.", 0, 60_000)
    # engine
    engine: str = _of("local", "The engine that runs statements; there is one, local.")
    idle_timeout_ms: int = _of(1000, "A shard read to its tip is idle after this.", 0, 3_600_000)
    batch_rows_max: int = _of(131_072, "Most rows in one micro-batch.", 1, 2**22)
    poll_ms: int = _of(5, "How often a reader looks for new records.", 1, 10_000)
    worker_memory_mib: int = _of(1024, "DuckDB's memory limit for all jobs of a worker.", 64, 2**20)
    worker_threads: int = _of(2, "DuckDB's threads for all jobs of a worker.", 1, 256)
    forest_memory_mib: int = _of(
        2048, "Memory of a forest's models; those of further keys rest on disk.", 1, 2**20
    )
    kernel_memory_mib: int = _of(
        4096, "Memory of a note's Python process; 0: no limit.", 0, 1 << 20
    )
    shell: bool = _of(False, "Whether %sh paragraphs of notes may run shell commands.")
    function_timeout_ms: int = _of(
        60_000, "How long a Python function may take for up to 2,048 rows.", 100, 86_400_000
    )
    function_memory_mib: int = _of(
        2048, "Memory of a worker's process of Python functions; 0: no limit.", 0, 1 << 20
    )
    result_rows_max: int = _of(1000, "Newest rows kept for a table on screen.", 1, 100_000)
    # alerts
    alert_cool_down_ms: int = _of(60_000, "One message per anomaly within this.", 0, 86_400_000)


def documented() -> list[tuple[str, Any, str]]:
    """(name, default, meaning) of every setting, for the documentation and its test."""
    return [(f.name, f.default, f.metadata["doc"]) for f in dataclasses.fields(Settings)]


def load(environ: Mapping[str, str] = os.environ, **overrides: Any) -> Settings:
    """Settings from defaults, then ``EDDYLINE_*`` variables, then ``overrides`` that are not None.

    Raises:
        EddylineError: ``invalid_argument`` for a value that does not parse or is out of range.
    """
    values: dict[str, Any] = {}
    for f in dataclasses.fields(Settings):
        raw = environ.get("EDDYLINE_" + f.name.upper())
        if raw is not None:
            values[f.name] = _parse(f, raw)
    values.update({k: v for k, v in overrides.items() if v is not None})
    for f in dataclasses.fields(Settings):
        if f.name in values:
            _check(f, values[f.name])
    return Settings(**values)


def _parse(f: dataclasses.Field[Any], raw: str) -> Any:
    kind: Any = type(f.default)
    try:
        if kind is bool:
            return {"1": True, "true": True, "0": False, "false": False}[raw.lower()]
        return kind(raw)
    except (ValueError, KeyError):
        name = "EDDYLINE_" + f.name.upper()
        msg = f"{name}={raw!r} is not a valid {kind.__name__}"
        raise EddylineError("invalid_argument", msg, hint=f.metadata["doc"]) from None


def _check(f: dataclasses.Field[Any], value: Any) -> None:
    low, high = f.metadata["low"], f.metadata["high"]
    if low is None or low <= value <= high:
        return
    msg = f"setting {f.name} is {value}; it must be between {low} and {high}"
    raise EddylineError("invalid_argument", msg, hint=f.metadata["doc"])


def known(name: str) -> list[str]:
    """Settings whose names resemble ``name``."""
    return nearest(name, [f.name for f in dataclasses.fields(Settings)])
